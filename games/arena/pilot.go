package arena

import "muster/netcode"

// How a pilot flies, whose mind is kept in the state or in a client. Lengths are in units, angles in radians.
const (
	wallNear = 50  // it turns back before it is so near to a wall
	farOff   = 320 // from where on it flies to its target; nearer, it looks at it and fires
	inRange  = 480 // up to where it fires on its way
)

// skilled is the [Mind.Skill] of bots that play as clients, and of the best of the rules' own; raw that of the worst.
const skilled, raw = 0.85, 0.15

// dice are a random source, as rand.Rand is one: the rules', the room's, or a client bot's own.
type dice interface {
	Float64() float64
	IntN(n int) int
	Uint32N(n uint32) uint32
}

// sight is a ship as a pilot sees it.
type sight struct{ x, y, vx, vy float64 }

// sighted is how the rules' own pilots see a ship: they know its velocity.
func sighted(_ netcode.ID, s *Ship) sight {
	return sight{float64(s.X), float64(s.Y), float64(s.VX), float64(s.VY)}
}

// fly hunts the nearest ship, leads its aim, keeps off the walls and errs as people do: it returns the controls for the
// ship me, which is in play, in a world after a tick. see says what the pilot knows of where a ship is. All randomness
// is rng's, so that in the rules it is the same everywhere.
func (m *Mind) fly(w *World, tick uint32, me netcode.ID, rng dice, see func(netcode.ID, *Ship) sight) Input {
	ship := w.Ships.Get(me)
	own, side := see(me, ship), w.side()
	if tick >= m.Decide {
		m.choose(w, me, own, rng, see)
		m.Decide = tick + 10 + rng.Uint32N(25)
	}
	m.Aim = float64(0.95*m.Aim) + float64(0.05*(rng.Float64()-0.5))
	x, y := own.x+float64(0.9*own.vx), own.y+float64(0.9*own.vy)
	if min(x, y) < wallNear || max(x, y) > side-wallNear {
		return flyTo(ship, side/2, side/2, 0) // turn back before the wall
	}
	target := w.Ships.Get(m.Target)
	if target == nil || !huntable(target) {
		return flyTo(ship, side/2, side/2, m.Circle)
	}
	return m.attack(ship, own, see(m.Target, target))
}

// huntable says whether a ship is worth a shot.
func huntable(s *Ship) bool { return s.Alive() && !s.Away }

// choose picks the nearest ship, mostly, and a way to approach it.
func (m *Mind) choose(w *World, me netcode.ID, own sight, rng dice, see func(netcode.ID, *Ship) sight) {
	near := 0.0
	m.Target = 0
	for id, ship := range w.Ships.All() {
		if id == me || !huntable(ship) {
			continue
		}
		s := see(id, ship)
		d := length(s.x-own.x, s.y-own.y) * (0.8 + float64(0.4*rng.Float64()))
		if m.Target == 0 || d < near {
			m.Target, near = id, d
		}
	}
	m.Circle = 2 * (rng.Float64() - 0.5)
	m.Trigger = rng.Float64() < m.Skill
}

// attack flies around the target and fires at where it will be.
func (m *Mind) attack(me *Ship, own, target sight) Input {
	dx, dy := target.x-own.x, target.y-own.y
	distance := length(dx, dy)
	flight := distance / bulletSpeed
	leadX, leadY := float64(flight*target.vx), float64(flight*target.vy)
	off := turnTo(me.Angle, netcode.Atan2(dy+leadY, dx+leadX)+m.Aim)
	fires := m.Trigger && !me.Jammed
	if distance > farOff {
		in := flyTo(me, target.x+leadX, target.y+leadY, m.Circle/2)
		in.Fire = fires && distance < inRange && abs(off) < 0.1
		return in
	}
	in := Input{Turn: control8(off / 0.5), Fire: fires && abs(off) < 0.22}
	switch {
	case distance > 160:
		in.Thrust = Full * 3 / 4
	case distance < 80:
		in.Thrust = -Full / 2
	}
	return in
}

// flyTo steers towards a point, at an angle to the straight way.
func flyTo(me *Ship, x, y, angle float64) Input {
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
