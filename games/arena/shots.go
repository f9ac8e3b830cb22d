package arena

import "muster/netcode"

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
// A client that predicts has no past: its own bullets are as far as they will be, among the ships that it shows.
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
	case !onField(s.State, x, y):
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
	meet := func(id netcode.ID, ship *Ship) {
		if !ship.Alive() || ship.Owner == b.Owner {
			return
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
	if now != s.State { // the past is looked at only by bullets that were just fired
		for id, ship := range now.Ships.All() {
			meet(id, ship)
		}
		return victim, min(first, 1)
	}
	for _, i := range now.index.along(float64(b.X), float64(b.Y), dx, dy, Radius+bulletSize) {
		meet(now.index.ships[i].id, now.index.ships[i].ship)
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

// onField says whether a point is between the walls.
func onField(w *World, x, y float64) bool {
	side := w.side()
	return x >= 0 && x <= side && y >= 0 && y <= side
}

// tell sends the event of something that happened to a ship: to everybody, or on a field with a hearing to the players
// who are near. A client does not know the hearing, and what it predicts is its own.
func tell(s *step, at *Ship, event any) {
	hearing := float64(s.State.Field.V.Hearing)
	if hearing == 0 {
		s.Emit(netcode.Everyone(), event)
		return
	}
	for _, ship := range s.State.Ships.All() {
		dx, dy := float64(ship.X)-float64(at.X), float64(ship.Y)-float64(at.Y)
		if ship.Owner < FirstBot && dot(dx, dy, dx, dy) <= hearing*hearing {
			s.Emit(netcode.OnlyTo(ship.Owner), event)
		}
	}
}

// hit hurts a ship.
func hit(s *step, victim *Ship, by netcode.Seat) {
	if victim.Shield {
		return
	}
	tell(s, victim, Hit{victim.Owner, by})
	if victim.HP > damage {
		victim.HP -= damage
		return
	}
	tell(s, victim, Kill{victim.Owner, by})
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
	if controls(s, ship).Fire && !ship.Jammed && s.Tick >= ship.Reload && fire(s, ship) {
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
	if !onField(s.State, x, y) {
		return false
	}
	return s.State.Bullets.Add(Bullet{
		X: float32(x), Y: float32(y), VX: float32(bulletSpeed * cos), VY: float32(bulletSpeed * sin),
		Owner: ship.Owner, End: s.Tick + ticks(s, bulletTime),
	}) != 0
}
