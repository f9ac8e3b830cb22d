package arena

import (
	"math/rand/v2"

	"muster/client"
	"muster/netcode"
)

// Bot plays the arena: it hunts the nearest ship, leads its aim, keeps off the walls and errs as people do.
var Bot = client.NewBot[World, Input]("arena", func() client.Brain[World, Input] {
	p := &pilot{}
	return func(v *client.BotView[World]) (Input, bool) { return p.think(v.State, v.Tick, v.Seat, v.Rand) }
}, events...)

// maxSighted bounds whom a pilot follows, by seat.
const maxSighted = 256

// sighting is what a pilot remembers of a ship: velocities are not sent, so it works them out as a player's eye does.
type sighting struct {
	tick         uint32
	x, y, vx, vy float64
	alive        bool
}

// pilot is one bot's mind. It knows nothing but what its client received.
type pilot struct {
	seen    [maxSighted]sighting // by seat
	now     uint32
	target  netcode.Seat
	decide  uint32  // the tick of the next decision
	aim     float64 // how far off it aims now, in radians
	circle  float64 // at which angle it approaches, in radians
	trigger bool    // fires in bursts
}

// think looks at the state and returns the controls for now, or false when there is nothing to steer.
func (p *pilot) think(w *World, tick uint32, seat netcode.Seat, rng *rand.Rand) (Input, bool) {
	if int(seat) >= maxSighted {
		return Input{}, false
	}
	p.look(w, tick)
	var me *Ship
	for _, ship := range w.Ships.All() {
		if ship.Owner == seat {
			me = ship
		}
	}
	if me == nil || !me.Alive() || w.Round.V.Phase != Playing {
		return Input{}, false
	}
	if tick >= p.decide {
		p.choose(seat, rng)
		p.decide = tick + 10 + rng.Uint32N(25)
	}
	p.aim = 0.95*p.aim + 0.05*(rng.Float64()-0.5)
	own := &p.seen[seat]
	if x, y := own.x+0.9*own.vx, own.y+0.9*own.vy; min(x, y) < 50 || max(x, y) > Size-50 {
		return p.flyTo(me, Size/2, Size/2, 0), true // turn back before the wall
	}
	target := &p.seen[p.target]
	if p.target == 0 || !p.there(target) {
		return p.flyTo(me, Size/2, Size/2, p.circle), true
	}
	return p.attack(me, own, target), true
}

// look notes where the ships are and how they move.
func (p *pilot) look(w *World, tick uint32) {
	p.now = tick
	for _, ship := range w.Ships.All() {
		if int(ship.Owner) >= maxSighted {
			continue
		}
		s, x, y := &p.seen[ship.Owner], float64(ship.X), float64(ship.Y)
		switch ticks := tick - s.tick; {
		case !s.alive || ticks > tickRate:
			s.vx, s.vy = 0, 0
		case ticks > 0:
			perSecond := tickRate / float64(ticks)
			s.vx, s.vy = 0.5*s.vx+0.5*perSecond*(x-s.x), 0.5*s.vy+0.5*perSecond*(y-s.y)
		}
		s.tick, s.x, s.y, s.alive = tick, x, y, ship.Alive() && !ship.Away
	}
}

// there says whether a ship is in play now.
func (p *pilot) there(s *sighting) bool { return s.alive && s.tick == p.now }

// choose picks the nearest ship, mostly, and a way to approach it.
func (p *pilot) choose(seat netcode.Seat, rng *rand.Rand) {
	own, near := &p.seen[seat], 0.0
	p.target = 0
	for i := range p.seen {
		s := &p.seen[i]
		if netcode.Seat(i) == seat || !p.there(s) {
			continue
		}
		d := length(s.x-own.x, s.y-own.y) * (0.8 + 0.4*rng.Float64())
		if p.target == 0 || d < near {
			p.target, near = netcode.Seat(i), d
		}
	}
	p.circle = 2 * (rng.Float64() - 0.5)
	p.trigger = rng.Float64() < 0.85
}

// attack flies around the target and fires at where it will be.
func (p *pilot) attack(me *Ship, own, target *sighting) Input {
	dx, dy := target.x-own.x, target.y-own.y
	distance := length(dx, dy)
	flight := distance / bulletSpeed
	aim := netcode.Atan2(dy+flight*target.vy, dx+flight*target.vx) + p.aim
	off := turnTo(me.Angle, aim)
	if distance > 320 {
		in := p.flyTo(me, target.x+flight*target.vx, target.y+flight*target.vy, 0.5*p.circle)
		in.Fire = p.trigger && !me.Jammed && distance < 480 && abs(off) < 0.1
		return in
	}
	in := Input{Turn: control8(off / 0.5), Fire: p.trigger && !me.Jammed && abs(off) < 0.22}
	switch {
	case distance > 160:
		in.Thrust = Full * 3 / 4
	case distance < 80:
		in.Thrust = -Full / 2
	}
	return in
}

// flyTo steers towards a point, at an angle to the straight way.
func (p *pilot) flyTo(me *Ship, x, y, angle float64) Input {
	off := turnTo(me.Angle, netcode.Atan2(y-float64(me.Y), x-float64(me.X))+angle)
	in := Input{Turn: control8(off / 0.5)}
	if abs(off) < 1 {
		in.Thrust = Full
	}
	return in
}

// turnTo returns how far an angle is from another, the short way: -π to π.
func turnTo(from float32, to float64) float64 {
	off := to - float64(from)
	for off > twoPi/2 {
		off -= twoPi
	}
	for off < -twoPi/2 {
		off += twoPi
	}
	return off
}

// control8 maps -1 … 1 to an axis of the input.
func control8(v float64) int8 { return int8(Full * min(max(v, -1), 1)) }

func abs(v float64) float64 { return max(v, -v) }
