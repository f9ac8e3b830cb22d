package arena

import (
	"maps"
	"math/rand/v2"

	"muster/client"
	"muster/netcode"
)

// Bot plays the arena from a client, and CrowdBot the crowd, as the rules' own bots do, by what a client knows.
var (
	Bot      = newBot("arena")
	CrowdBot = newBot("crowd")
)

func newBot(game string) client.Bot {
	return client.NewBot[World, Input](game, func() client.Brain[World, Input] {
		p := newPilot()
		return func(v *client.BotView[World]) (Input, bool) { return p.think(v.State, v.Tick, v.Seat, v.Rand) }
	}, events...)
}

// sighting is what a pilot remembers of a ship: velocities are not sent, so it works them out as a player's eye does.
type sighting struct {
	sight
	tick  uint32
	alive bool
}

// pilot is one bot's mind. It knows nothing but what its client received.
type pilot struct {
	mind Mind
	seen map[netcode.ID]sighting // the ships that it has seen within a second
	see  func(netcode.ID, *Ship) sight
}

func newPilot() *pilot {
	p := &pilot{mind: Mind{Skill: skilled}, seen: map[netcode.ID]sighting{}}
	p.see = func(id netcode.ID, _ *Ship) sight { return p.seen[id].sight }
	return p
}

// think looks at the state and returns the controls for now, or false when there is nothing to steer.
func (p *pilot) think(w *World, tick uint32, seat netcode.Seat, rng *rand.Rand) (Input, bool) {
	p.look(w, tick)
	for id, ship := range w.Ships.All() {
		if ship.Owner == seat && ship.Alive() && w.Round.V.Phase == Playing {
			return p.mind.fly(w, tick, id, rng, p.see), true
		}
	}
	return Input{}, false
}

// look notes where the ships are and how they move.
func (p *pilot) look(w *World, tick uint32) {
	for id, ship := range w.Ships.All() {
		s, x, y := p.seen[id], float64(ship.X), float64(ship.Y)
		switch ticks := tick - s.tick; {
		case !s.alive || ticks > tickRate:
			s.vx, s.vy = 0, 0
		case ticks > 0:
			perSecond := tickRate / float64(ticks)
			s.vx, s.vy = 0.5*s.vx+0.5*perSecond*(x-s.x), 0.5*s.vy+0.5*perSecond*(y-s.y)
		}
		s.tick, s.x, s.y, s.alive = tick, x, y, huntable(ship)
		p.seen[id] = s
	}
	if len(p.seen) > 2*w.Ships.Len()+tickRate {
		maps.DeleteFunc(p.seen, func(_ netcode.ID, s sighting) bool { return tick-s.tick > tickRate })
	}
}
