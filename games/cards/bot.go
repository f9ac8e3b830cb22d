package cards

import "muster/client"

// Bot plays from a client, as the rules' own bots do, by what a client knows.
var Bot = client.NewBot[World, Input]("cards", func() client.Brain[World, Input] {
	p := player{}
	return p.think
}, events...)

// patience is after how many ticks an act is tried again that nothing came of.
const patience = 30

// player is what a bot remembers: what it has acted on.
type player struct {
	round uint8
	acts  uint16
	phase Phase
	until uint32 // the tick before which it does not act on the same again
}

// think returns what to do now, or false for nothing. It takes its time, as people do.
func (p *player) think(v *client.BotView[World]) (Input, bool) {
	r := &v.State.Round.V
	if p.round != r.Number || p.acts != r.Acts || p.phase != r.Phase {
		p.round, p.acts, p.phase = r.Number, r.Acts, r.Phase
		p.until = v.Tick + 3 + v.Rand.Uint32N(5)
	}
	if v.Tick < p.until {
		return Input{}, false
	}
	p.until = v.Tick + patience
	switch r.Phase {
	case Playing:
		return choose(v.State, v.Seat), r.Turn == v.Seat
	case Over:
		return Input{}, false
	case Waiting:
		return Input{Act: Ready}, v.State.Seats.Len() > 1
	default:
		chair := v.State.chair(v.Seat)
		return Input{Act: Ready}, chair != nil && !chair.Ready
	}
}
