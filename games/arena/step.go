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

// Step advances the world by one tick. Products that are added to something stand in float64(…): it forbids the
// compiler to fuse the two, which some processors round differently.
func (Arena) Step(s *step) {
	if !playing(s) {
		return
	}
	dt := s.Dt()
	for _, ship := range s.State.Ships.All() {
		switch {
		case ship.Alive():
			steer(s, ship, dt)
			move(ship, dt)
		case s.Tick >= ship.Spawn:
			spawn(s, ship)
		}
	}
	collide(s.State)
	flyBullets(s, dt)
	for _, ship := range s.State.Ships.All() {
		if ship.Alive() {
			shoot(s, ship, dt)
		}
	}
	catchUp(s, dt)
}

// ticks converts seconds to ticks.
func ticks(s *step, seconds float64) uint32 { return uint32(seconds * float64(s.Rate())) }

// playing advances the round and says whether this tick is played. The clock starts with the first ship.
func playing(s *step) bool {
	r := &s.State.Round.V
	switch {
	case r.Phase == Waiting && s.State.Ships.Len() > 0:
		*r = Round{Phase: Playing, Ends: s.Tick + ticks(s, roundTime)}
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

// steer applies a player's controls; without an input the ship drifts.
func steer(s *step, ship *Ship, dt float64) {
	in := Input{}
	if newest, ok := s.Input(ship.Owner); ok {
		in = *newest
	}
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
func move(ship *Ship, dt float64) {
	ship.X = float32(float64(ship.X) + float64(float64(ship.VX)*dt))
	ship.Y = float32(float64(ship.Y) + float64(float64(ship.VY)*dt))
	ship.X, ship.VX = bounce(ship.X, ship.VX)
	ship.Y, ship.VY = bounce(ship.Y, ship.VY)
}

// bounce reflects one axis of a ship at the walls.
func bounce(x, v float32) (float32, float32) {
	switch {
	case x < Radius:
		return Radius, max(v, -v*wallBounce)
	case x > Size-Radius:
		return Size - Radius, min(v, -v*wallBounce)
	}
	return x, v
}

// collide pushes ships that overlap apart and lets them exchange the speed with which they met.
func collide(w *World) {
	for id, a := range w.Ships.All() {
		if !a.Alive() {
			continue
		}
		for other, b := range w.Ships.All() {
			if other <= id || !b.Alive() {
				continue
			}
			dx, dy := float64(b.X)-float64(a.X), float64(b.Y)-float64(a.Y)
			if d2 := dot(dx, dy, dx, dy); d2 < 4*Radius*Radius {
				push(a, b, dx, dy, netcode.Sqrt(d2))
			}
		}
	}
}

// push handles one collision; dx, dy leads from a to b and has length d.
func push(a, b *Ship, dx, dy, d float64) {
	nx, ny := 1.0, 0.0
	if d > 0 {
		nx, ny = dx/d, dy/d
	}
	gap := (2*Radius - d) / 2
	a.X, a.Y = inside(float64(a.X)-float64(gap*nx)), inside(float64(a.Y)-float64(gap*ny))
	b.X, b.Y = inside(float64(b.X)+float64(gap*nx)), inside(float64(b.Y)+float64(gap*ny))
	closing := dot(float64(a.VX)-float64(b.VX), float64(a.VY)-float64(b.VY), nx, ny)
	if closing <= 0 {
		return
	}
	j := closing * (1 + shipBounce) / 2 // ships weigh the same
	a.VX, a.VY = float32(float64(a.VX)-float64(j*nx)), float32(float64(a.VY)-float64(j*ny))
	b.VX, b.VY = float32(float64(b.VX)+float64(j*nx)), float32(float64(b.VY)+float64(j*ny))
}

// inside keeps a ship's coordinate between the walls.
func inside(x float64) float32 { return float32(min(max(x, Radius), Size-Radius)) }

// flyBullets moves bullets and takes out those that have met something or whose time is up.
func flyBullets(s *step, dt float64) {
	for id, b := range s.State.Bullets.All() {
		if s.Tick > b.End || !fly(s, b, s.State, dt) || s.Tick == b.End {
			s.State.Bullets.Remove(id)
		}
	}
}

// catchUp lets the bullets that were fired in this tick fly the time by which their shooters see the world late, among
// the ships as they were then: who aims right at what is on his screen hits, however long his line is. A bullet leaves
// the nose of the present, as its shooter's client predicts it, and from here on it is in the same time as the rest.
//
// The limits: the time is at most Rules.Rewind, and whoever claims to have looked at something older gains no more than
// that. So a victim may be hit where it was up to Rules.Rewind ago, although it has turned away since then, and it sees
// such a bullet begin up to that much of its flight before its shooter's nose. The present decides on what a hit does:
// nobody is hit who is destroyed by now, and the shield of now protects. Two who hit each other in one tick both do.
// A client that predicts has no past, and its bullets begin at the nose.
func catchUp(s *step, dt float64) {
	for _, b := range s.State.Bullets.All() {
		if b.End != s.Tick+ticks(s, bulletTime) {
			continue
		}
		// Who sees the newest state, that of the tick before, has his bullet at the nose now: the others' were there
		// one tick after what they saw.
		viewed, frac := s.Viewed(b.Owner)
		part := 1 - float64(frac)/256 // of a tick, up to the first whole one
		for at := viewed + 2; at <= s.Tick; at++ {
			b.End-- // its way is not longer than another's
			if !fly(s, b, s.RewindTo(at), float64(part*dt)) {
				b.End = s.Tick // it stays for one tick, so that clients learn of the shot
				break
			}
			part = 1
		}
	}
}

// fly moves a bullet by dt seconds to a moment at which the ships are, or were, as in the world now. It is false when the
// bullet has met a ship, which it hurts, or a wall.
func fly(s *step, b *Bullet, now *World, dt float64) bool {
	dx, dy := float64(float64(b.VX)*dt), float64(float64(b.VY)*dt)
	victim, at := firstHit(s, b, now, dx, dy, dt)
	x, y := float64(b.X)+float64(at*dx), float64(b.Y)+float64(at*dy)
	switch {
	case victim != nil:
		hit(s, victim, b.Owner)
	case x < 0 || x > Size || y < 0 || y > Size:
		return false
	}
	b.X, b.Y = float32(x), float32(y)
	return victim == nil
}

// firstHit returns the ship, as it is in the present, that a bullet meets first when it moves by dx, dy within dt, and
// how far along the way; nil and 1 when it meets none. The ships of the world now have moved already, so the bullet is
// swept in each ship's own frame.
func firstHit(s *step, b *Bullet, now *World, dx, dy, dt float64) (victim *Ship, first float64) {
	first = 2
	for id, ship := range now.Ships.All() {
		if !ship.Alive() || ship.Owner == b.Owner {
			continue
		}
		// Where the bullet starts as seen from the ship, and how it moves.
		sx, sy := float64(float64(ship.VX)*dt), float64(float64(ship.VY)*dt)
		px, py := float64(b.X)-(float64(ship.X)-sx), float64(b.Y)-(float64(ship.Y)-sy)
		if at := sweep(px, py, dx-sx, dy-sy, Radius+bulletSize); at < first {
			if is := s.State.Ships.Get(id); is != nil && is.Alive() {
				first, victim = at, is
			}
		}
	}
	return victim, min(first, 1)
}

// sweep returns how far along the way d, from 0 to 1, a point from p enters a circle of radius r around the origin; 2
// when it does not.
func sweep(px, py, dx, dy, r float64) float64 {
	c := dot(px, py, px, py) - float64(r*r)
	if c <= 0 {
		return 0
	}
	a, b := dot(dx, dy, dx, dy), dot(px, py, dx, dy)
	disc := float64(b*b) - float64(a*c)
	if b >= 0 || disc < 0 {
		return 2 // moves away, or past
	}
	if at := (-b - netcode.Sqrt(disc)) / a; at <= 1 {
		return at
	}
	return 2
}

// hit hurts a ship.
func hit(s *step, victim *Ship, by netcode.Seat) {
	if victim.Shield {
		return
	}
	s.Emit(netcode.Everyone(), Hit{victim.Owner, by})
	if victim.HP > damage {
		victim.HP -= damage
		return
	}
	s.Emit(netcode.Everyone(), Kill{victim.Owner, by})
	victim.HP, victim.VX, victim.VY, victim.Thrust = 0, 0, 0, false
	victim.Spawn = s.Tick + ticks(s, respawnTime)
	victim.Deaths++
	for _, ship := range s.State.Ships.All() {
		if ship.Owner == by {
			ship.Score++
		}
	}
}

// shoot cools a ship's gun and fires it.
func shoot(s *step, ship *Ship, dt float64) {
	heat := max(0, float64(ship.Heat)-float64(coolRate*dt))
	if heat <= jamEnd {
		ship.Jammed = false
	}
	in, ok := s.Input(ship.Owner)
	if ok && in.Fire && !ship.Jammed && s.Tick >= ship.Reload && fire(s, ship) {
		ship.Reload = s.Tick + ticks(s, reloadTime)
		ship.Shield = false
		heat += heatPerShot
		if heat >= 100 {
			heat, ship.Jammed = 100, true
		}
	}
	ship.Heat = float32(heat)
}

// fire puts a bullet before a ship's nose. It is false when there are too many bullets, or when the nose is in a wall.
func fire(s *step, ship *Ship) bool {
	cos, sin := netcode.Cos(float64(ship.Angle)), netcode.Sin(float64(ship.Angle))
	const ahead = Radius + bulletSize
	x, y := float64(ship.X)+float64(ahead*cos), float64(ship.Y)+float64(ahead*sin)
	if x < 0 || x > Size || y < 0 || y > Size {
		return false
	}
	return s.State.Bullets.Add(Bullet{
		X: float32(x), Y: float32(y), VX: float32(bulletSpeed * cos), VY: float32(bulletSpeed * sin),
		Owner: ship.Owner, End: s.Tick + ticks(s, bulletTime),
	}) != 0
}

// spawn brings a ship into play, of a few random places at the one farthest from the others.
func spawn(s *step, ship *Ship) {
	const tries, margin = 8, 80
	best, far := [2]float64{}, -1.0
	for range tries {
		x, y := margin+float64(s.Rand().Float64()*(Size-2*margin)), margin+float64(s.Rand().Float64()*(Size-2*margin))
		near := float64(Size * Size)
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
	ship.Angle = float32(wrap(netcode.Atan2(Size/2-best[1], Size/2-best[0]))) // towards the middle
	ship.HP, ship.Heat, ship.Jammed, ship.Reload = MaxHP, 0, false, 0
	ship.Shield, ship.ShieldEnd = true, s.Tick+ticks(s, shieldTime)
	s.Emit(netcode.Everyone(), Spawned{ship.Owner})
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
