package arena

import "muster/netcode"

// How the game feels. Times are in seconds, lengths in units.
const (
	roundTime  = 180
	podiumTime = 8

	turnRate   = 4   // radians per second
	thrust     = 340 // units per second²; backwards it is half as strong
	drag       = 1.1 // part of the speed that is lost per second
	maxSpeed   = 220
	wallBounce = 0.6 // part of the speed that is left after a wall
	shipBounce = 0.8 // and after another ship

	bulletSpeed = 500
	bulletTime  = 1.2
	bulletSize  = 2 // radius
	damage      = 30
	reloadTime  = 0.2
	heatPerShot = 12
	coolRate    = 30 // heat per second
	jamEnd      = 40 // a jammed gun fires again when it is this cool
	respawnTime = 2
	shieldTime  = 1.5
)

const twoPi = 6.283185307179586

// Arena is the game's rules.
type Arena struct{}

// step is what one tick sees.
type step = netcode.Step[World, Input]

// Step advances the world by one tick. It is the crowd's, too. Products that are added to something stand in float64(…): it forbids the
// compiler to fuse the two, which some processors round differently.
func (Arena) Step(s *step) {
	if !playing(s) {
		return
	}
	dt, side := s.Dt(), s.State.side()
	for id, ship := range s.State.Ships.All() {
		if ship.Mind.Flown && ship.Alive() { // before anybody moves: it sees what players see
			in := ship.Mind.fly(s.State, s.Tick-1, id, s.Rand(), sighted)
			ship.Mind.Turn, ship.Mind.Thrust, ship.Mind.Fire = in.Turn, in.Thrust, in.Fire
		}
	}
	for _, ship := range s.State.Ships.All() {
		switch {
		case ship.Alive():
			steer(s, ship, dt)
			move(ship, dt, side)
		case s.Tick >= ship.Spawn:
			spawn(s, ship, side)
		}
	}
	collide(s.State, side, dt)
	s.State.index.build(s.State, side, dt)
	flyBullets(s, dt)
	for _, ship := range s.State.Ships.All() {
		if ship.Alive() {
			shoot(s, ship, dt)
		}
	}
	catchUp(s, dt)
}

// side is the length of the field's side. A world that no room has opened has the arena's.
func (w *World) side() float64 {
	if n := w.Field.V.Size; n > 0 {
		return float64(n)
	}
	return Size
}

// ticks converts seconds to ticks.
func ticks(s *step, seconds float64) uint32 { return uint32(seconds * float64(s.Rate())) }

// playing advances the round and says whether this tick is played. The clock starts with the first ship.
func playing(s *step) bool {
	r := &s.State.Round.V
	switch {
	case r.Phase == Waiting && s.State.Ships.Len() > 0:
		*r = Round{Phase: Playing, Ends: s.Tick + ticks(s, roundTime)}
		if n := s.State.Field.V.Round; n > 0 {
			r.Ends = s.Tick + n
		}
	case r.Phase == Playing && s.Tick >= r.Ends:
		*r = Round{Phase: Podium, Ends: s.Tick + ticks(s, podiumTime), Winner: winner(s.State)}
		for id := range s.State.Bullets.All() {
			s.State.Bullets.Remove(id)
		}
		for _, ship := range s.State.Ships.All() {
			ship.Thrust, ship.VX, ship.VY = false, 0, 0
		}
	}
	return r.Phase == Playing
}

// winner returns whose score is above all others, or 0.
func winner(w *World) (best netcode.Seat) {
	var top uint16
	for _, ship := range w.Ships.All() {
		switch {
		case ship.Score > top:
			top, best = ship.Score, ship.Owner
		case ship.Score == top:
			best = 0
		}
	}
	return best
}

// controls returns what a ship's player, or its pilot, does; nothing without an input. A client does not know who is
// flown by the rules: to it a bot is one whose inputs it has not.
func controls(s *step, ship *Ship) Input {
	if m := &ship.Mind; m.Flown {
		return Input{Turn: m.Turn, Thrust: m.Thrust, Fire: m.Fire}
	}
	if newest, ok := s.Input(ship.Owner); ok {
		return *newest
	}
	return Input{}
}

// steer applies a ship's controls; without them it drifts.
func steer(s *step, ship *Ship, dt float64) {
	in := controls(s, ship)
	turn, push := control(in.Turn), control(in.Thrust)
	ship.Angle = float32(wrap(float64(ship.Angle) + float64(turn*turnRate*dt)))
	ship.Thrust = push > 0
	if push < 0 {
		push /= 2
	}
	slow := max(0, 1-float64(drag*dt))
	vx, vy := float64(ship.VX)*slow, float64(ship.VY)*slow
	if push != 0 {
		a := push * thrust * dt
		angle := float64(ship.Angle)
		vx, vy = float64(vx)+float64(a*netcode.Cos(angle)), float64(vy)+float64(a*netcode.Sin(angle))
	}
	if speed := length(vx, vy); speed > maxSpeed {
		vx, vy = vx*maxSpeed/speed, vy*maxSpeed/speed
	}
	ship.VX, ship.VY = float32(vx), float32(vy)
	if ship.Shield && s.Tick >= ship.ShieldEnd {
		ship.Shield = false
	}
}

// control maps an axis to -1 … 1.
func control(v int8) float64 { return max(-1, float64(v)/Full) }

// move lets a ship go on and bounce off the walls.
func move(ship *Ship, dt, side float64) {
	ship.X = float32(float64(ship.X) + float64(float64(ship.VX)*dt))
	ship.Y = float32(float64(ship.Y) + float64(float64(ship.VY)*dt))
	ship.X, ship.VX = bounce(ship.X, ship.VX, float32(side))
	ship.Y, ship.VY = bounce(ship.Y, ship.VY, float32(side))
}

// bounce reflects one axis of a ship at the walls.
func bounce(x, v, side float32) (float32, float32) {
	switch {
	case x < Radius:
		return Radius, max(v, -v*wallBounce)
	case x > side-Radius:
		return side - Radius, min(v, -v*wallBounce)
	}
	return x, v
}

// collide pushes ships that overlap apart and lets them exchange the speed with which they met.
func collide(w *World, side, dt float64) {
	// Who is pushed away may meet one who was farther than a ship's width, so twice that is looked through.
	const reach = 2 * 2 * Radius
	w.index.build(w, side, dt)
	for i, one := range w.index.ships {
		a := one.ship
		for _, k := range w.index.around(float64(a.X), float64(a.Y), reach) {
			b := w.index.ships[k].ship
			if int(k) <= i {
				continue
			}
			dx, dy := float64(b.X)-float64(a.X), float64(b.Y)-float64(a.Y)
			if d2 := dot(dx, dy, dx, dy); d2 < 4*Radius*Radius {
				push(a, b, dx, dy, netcode.Sqrt(d2), side)
			}
		}
	}
}

// push handles one collision; dx, dy leads from a to b and has length d.
func push(a, b *Ship, dx, dy, d, side float64) {
	nx, ny := 1.0, 0.0
	if d > 0 {
		nx, ny = dx/d, dy/d
	}
	gap := (2*Radius - d) / 2
	a.X, a.Y = inside(float64(a.X)-float64(gap*nx), side), inside(float64(a.Y)-float64(gap*ny), side)
	b.X, b.Y = inside(float64(b.X)+float64(gap*nx), side), inside(float64(b.Y)+float64(gap*ny), side)
	closing := dot(float64(a.VX)-float64(b.VX), float64(a.VY)-float64(b.VY), nx, ny)
	if closing <= 0 {
		return
	}
	j := closing * (1 + shipBounce) / 2 // ships weigh the same
	a.VX, a.VY = float32(float64(a.VX)-float64(j*nx)), float32(float64(a.VY)-float64(j*ny))
	b.VX, b.VY = float32(float64(b.VX)+float64(j*nx)), float32(float64(b.VY)+float64(j*ny))
}

// inside keeps a ship's coordinate between the walls.
func inside(x, side float64) float32 { return float32(min(max(x, Radius), side-Radius)) }

// spawn brings a ship into play, of a few random places at the one farthest from the others.
func spawn(s *step, ship *Ship, side float64) {
	const tries, margin = 8, 80
	best, far := [2]float64{}, -1.0
	for range tries {
		x, y := margin+float64(s.Rand().Float64()*(side-2*margin)), margin+float64(s.Rand().Float64()*(side-2*margin))
		near := float64(side * side)
		for _, other := range s.State.Ships.All() {
			if other.Alive() {
				dx, dy := float64(other.X)-x, float64(other.Y)-y
				near = min(near, dot(dx, dy, dx, dy))
			}
		}
		if near > far {
			best, far = [2]float64{x, y}, near
		}
	}
	ship.X, ship.Y, ship.VX, ship.VY = float32(best[0]), float32(best[1]), 0, 0
	ship.Angle = float32(wrap(netcode.Atan2(side/2-best[1], side/2-best[0]))) // towards the middle
	ship.HP, ship.Heat, ship.Jammed, ship.Reload = MaxHP, 0, false, 0
	ship.Shield, ship.ShieldEnd = true, s.Tick+ticks(s, shieldTime)
	ship.Mind.Fire = false
	tell(s, ship, Spawned{ship.Owner})
}

// wrap brings an angle into 0 … 2π.
func wrap(a float64) float64 {
	switch {
	case a < 0:
		return a + twoPi
	case a >= twoPi:
		return a - twoPi
	}
	return a
}

func dot(ax, ay, bx, by float64) float64 { return float64(ax*bx) + float64(ay*by) }

func length(x, y float64) float64 { return netcode.Sqrt(dot(x, y, x, y)) }
