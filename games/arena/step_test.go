package arena

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"muster/netcode"
)

func TestShipsTurnAtFourRadiansASecond(t *testing.T) {
	for name, c := range map[string]struct {
		turn int8
		want float64
	}{
		"right": {Full, 1 + 2}, "left": {-Full, 1 - 2 + 2*math.Pi}, "beyond left": {-128, 1 - 2 + 2*math.Pi}, "not": {0, 1},
		"half right": {64, 1 + 2*64.0/127},
	} {
		s, a, _ := newDuel()
		a.Angle = 1
		s.hold(1, Input{Turn: c.turn})
		s.step(tickRate / 2)
		near(t, "the angle after half a second "+name, float64(a.Angle), c.want, 1e-4)
	}
	s, a, _ := newDuel()
	s.hold(1, Input{Turn: Full})
	for range 200 {
		s.step(1)
		if a.Angle < 0 || a.Angle >= 2*math.Pi {
			t.Fatalf("angle %v is not within a turn", a.Angle)
		}
	}
}

func TestThrustFollowsTheNoseUpToTheTopSpeed(t *testing.T) {
	for _, angle := range []float64{0, 0.5, 2, 3.5, 6} {
		s, a, b := newDuel()
		place(a, 500, 500, angle)
		place(b, 50, 50, 0)
		s.hold(1, Input{Thrust: Full})
		s.step(1)
		near(t, "the course", math.Atan2(float64(a.VY), float64(a.VX)), math.Remainder(angle, 2*math.Pi), 1e-3)
		near(t, "the speed after a tick", speed(a), thrust/tickRate, 0.01)
		if !a.Thrust {
			t.Error("the flame does not burn")
		}
		for range 40 {
			s.step(1)
			if speed(a) > maxSpeed+0.01 {
				t.Fatalf("speed %v is above the limit", speed(a))
			}
		}
	}
	s, a, _ := newDuel()
	place(a, 100, 100, 0)
	s.hold(1, Input{Thrust: Full})
	s.step(2 * tickRate)
	near(t, "the top speed", speed(a), maxSpeed, 0.01)
}

func TestThrustBackwardsIsHalfAsStrongAndHasNoFlame(t *testing.T) {
	s, a, _ := newDuel()
	s.hold(1, Input{Thrust: -128})
	s.step(1)
	near(t, "the speed", float64(a.VX), -thrust/2.0/tickRate, 0.01)
	if a.Thrust {
		t.Error("the flame burns")
	}
}

func TestAShipWithoutInputDriftsAndSlowsDown(t *testing.T) {
	s, a, _ := newDuel()
	a.VX, a.VY, a.Thrust = 0, 100, true
	s.step(tickRate)
	near(t, "the speed after a second", speed(a), 100*math.Pow(1-drag/tickRate, tickRate), 0.1)
	if a.Y <= 550 || a.X != 400 || a.Thrust {
		t.Errorf("it is at %v, %v; flame %v", a.X, a.Y, a.Thrust)
	}
}

func TestWallsBounceShips(t *testing.T) {
	for name, c := range map[string]struct{ x, y, vx, vy float32 }{
		"left": {20, 500, -200, 30}, "right": {980, 500, 200, 30}, "top": {500, 20, 30, -200}, "bottom": {500, 980, 30, 200},
		"a corner": {15, 15, -150, -150},
	} {
		s, a, b := newDuel()
		place(b, 500, 300, 0)
		place(a, float64(c.x), float64(c.y), 0)
		a.VX, a.VY = c.vx, c.vy
		met := false
		for range tickRate {
			s.step(1)
			if a.X < Radius || a.X > Size-Radius || a.Y < Radius || a.Y > Size-Radius {
				t.Fatalf("%s: the ship is in the wall: %v, %v", name, a.X, a.Y)
			}
			met = met || a.X == Radius || a.X == Size-Radius || a.Y == Radius || a.Y == Size-Radius
		}
		if !met || (math.Abs(float64(c.vx)) > 100 && a.VX*c.vx >= 0) || (math.Abs(float64(c.vy)) > 100 && a.VY*c.vy >= 0) {
			t.Errorf("%s: from %v, %v the velocity became %v, %v", name, c.vx, c.vy, a.VX, a.VY)
		}
	}
}

func TestShipsThatMeetPushEachOtherApart(t *testing.T) {
	s, a, b := newDuel()
	place(a, 480, 500, 0)
	place(b, 520, 505, 0)
	a.VX, b.VX = 200, -100
	for range tickRate {
		s.step(1)
		if d := math.Hypot(float64(b.X-a.X), float64(b.Y-a.Y)); d < 2*Radius-0.01 {
			t.Fatalf("the ships are %v apart", d)
		}
	}
	if a.VX >= 0 || b.VX <= 0 {
		t.Errorf("velocities %v and %v: they did not bounce", a.VX, b.VX)
	}
	// Drag takes the same part of both, so the momentum that is left is what it takes of the sum.
	near(t, "the momentum", float64(a.VX+b.VX), 100*math.Pow(1-drag/tickRate, tickRate), 0.1)
	near(t, "the momentum across", float64(a.VY+b.VY), 0, 0.1)
}

func TestShipsInOnePlaceAndAtAWallStillPart(t *testing.T) {
	s, a, b := newDuel()
	place(a, 500, 500, 0)
	place(b, 500, 500, 0)
	s.step(1)
	near(t, "the distance", float64(b.X-a.X), 2*Radius, 0.01)
	place(a, Radius, 500, 0)
	place(b, Radius+1, 500, 0)
	s.step(5)
	if a.X < Radius || b.X-a.X < 2*Radius-1 {
		t.Errorf("at the wall: %v and %v", a.X, b.X)
	}
}

func TestABulletLeavesTheNoseAndFliesStraight(t *testing.T) {
	s, a, b := newDuel()
	place(a, 300, 500, math.Pi/2)
	place(b, 900, 100, 0)
	s.hold(1, Input{Fire: true})
	s.step(1)
	s.hold(1, Input{})
	shot := s.bullet()
	if shot == nil || shot.Owner != 1 {
		t.Fatalf("no bullet: %+v", shot)
	}
	near(t, "its x", float64(shot.X), 300, 0.01)
	near(t, "its y", float64(shot.Y), 500+Radius+bulletSize, 0.01)
	s.step(4)
	near(t, "its y after 4 ticks", float64(shot.Y), 500+Radius+bulletSize+4*bulletSpeed/tickRate, 0.05)
	s.step(int(bulletTime*tickRate) - 5)
	if s.w.Bullets.Len() != 0 && shot.Y < 900 {
		t.Errorf("still there at %v", shot.Y)
	}
	s.step(1)
	if s.w.Bullets.Len() != 0 {
		t.Error("the bullet outlives its time")
	}
}

func TestBulletsEndAtWalls(t *testing.T) {
	for _, angle := range []float64{0, math.Pi / 2, math.Pi, 3 * math.Pi / 2} {
		s, a, b := newDuel()
		place(b, 300, 300, 0)
		place(a, 500+430*math.Cos(angle), 500+430*math.Sin(angle), angle)
		s.hold(1, Input{Fire: true})
		s.step(1)
		s.hold(1, Input{})
		if s.w.Bullets.Len() != 1 {
			t.Fatalf("no bullet towards %v", angle)
		}
		for range 4 {
			s.step(1)
			if shot := s.bullet(); shot != nil && (shot.X < 0 || shot.X > Size || shot.Y < 0 || shot.Y > Size) {
				t.Errorf("a bullet at %v, %v", shot.X, shot.Y)
			}
		}
		if s.w.Bullets.Len() != 0 {
			t.Errorf("a bullet flew through the wall towards %v", angle)
		}
		place(a, 500+488*math.Cos(angle), 500+488*math.Sin(angle), angle)
		s.hold(1, Input{Fire: true})
		if s.step(1); s.w.Bullets.Len() != 0 {
			t.Errorf("fired with the nose in the wall towards %v", angle)
		}
	}
}

// A bullet moves 25 units in a tick, a ship is 24 wide: only a swept test finds each hit, and at the right edge.
func TestNoBulletTunnelsThroughAShip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		s, a, b := newDuel()
		off := 2 * (rng.Float64() - 0.5) * 2 * (Radius + bulletSize)
		if math.Abs(math.Abs(off)-(Radius+bulletSize)) < 0.1 {
			continue
		}
		place(b, 500+100*rng.Float64(), 500+off, 0)
		s.hold(1, Input{Fire: true})
		s.step(1)
		s.hold(1, Input{})
		s.step(15)
		if hit := b.HP < MaxHP; hit != (math.Abs(off) < Radius+bulletSize) {
			t.Errorf("a ship at %v, off by %v: hit %v", b.X, off, hit)
		}
		if a.HP != MaxHP {
			t.Error("the bullet hurt its owner")
		}
	}
}

func TestABulletHitsAShipThatCrossesItsWay(t *testing.T) {
	hits := 0
	for i := range 40 {
		s, _, b := newDuel()
		place(b, 550, 420+float64(i)*2, 0)
		b.VY = 200
		s.hold(1, Input{Fire: true})
		s.step(1)
		s.hold(1, Input{})
		s.step(12)
		if b.HP < MaxHP {
			hits++
		}
	}
	if hits < 10 || hits > 18 { // the window is (28 units wide) / (2 units a try), and what 500 to 200 makes of it
		t.Errorf("%d of 40 hit", hits)
	}
}

func TestTheNearestShipOnTheWayIsHit(t *testing.T) {
	s := newSim(3)
	place(s.ship(1), 400, 500, 0)
	place(s.ship(2), 460, 500, 0)
	place(s.ship(3), 440, 510, 0)
	s.hold(1, Input{Fire: true})
	s.step(1)
	s.hold(1, Input{})
	s.step(3)
	if s.ship(3).HP != MaxHP-damage || s.ship(2).HP != MaxHP {
		t.Errorf("HP %d and %d", s.ship(3).HP, s.ship(2).HP)
	}
}

// fireUntil lets ship 1 fire until the last tick's events hold want, and fails after max ticks.
func fireUntil(t *testing.T, s *sim, want any, max int) {
	t.Helper()
	s.hold(1, Input{Fire: true})
	for range max {
		s.step(1)
		if slices.Contains(s.emitted(), want) {
			s.hold(1, Input{})
			return
		}
	}
	t.Fatalf("no %#v within %d ticks", want, max)
}

func TestFourHitsDestroyAShipAndScore(t *testing.T) {
	s, a, b := newDuel()
	for i := range 3 {
		fireUntil(t, s, Hit{2, 1}, 20)
		if want := uint8(MaxHP - (i+1)*damage); b.HP != want || a.Score != 0 {
			t.Fatalf("after hit %d: HP %d, score %d", i+1, b.HP, a.Score)
		}
	}
	b.VX = 50
	fireUntil(t, s, Kill{2, 1}, 20)
	if b.Alive() || b.VX != 0 || b.Deaths != 1 || a.Score != 1 || a.Deaths != 0 {
		t.Errorf("the destroyed: %+v\nthe other: %+v", b, a)
	}
	if want := s.tick + respawnTime*tickRate; b.Spawn != want {
		t.Errorf("comes back at tick %d, want %d", b.Spawn, want)
	}
}

func TestADestroyedShipComesBackAfterTwoSecondsWithAShield(t *testing.T) {
	s, a, b := newDuel()
	b.HP = 1
	fireUntil(t, s, Kill{2, 1}, 20)
	place(a, 30, 30, 0)
	s.hold(2, Input{Turn: Full, Thrust: Full, Fire: true})
	x, y := b.X, b.Y
	s.step(respawnTime*tickRate - 1)
	if b.Alive() || b.X != x || b.Y != y || s.w.Bullets.Len() > 0 {
		t.Fatalf("a destroyed ship acts: %+v", b)
	}
	s.hold(2, Input{})
	s.step(1)
	if !slices.Contains(s.emitted(), any(Spawned{2})) {
		t.Fatalf("it did not come back: %v", s.emitted())
	}
	if b.HP != MaxHP || !b.Shield || b.X < 80 || b.X > Size-80 || b.Y < 80 || b.Y > Size-80 {
		t.Errorf("back: %+v", b)
	}
	if d := math.Hypot(float64(b.X-a.X), float64(b.Y-a.Y)); d < 300 {
		t.Errorf("%v from the enemy; there was a better place", d)
	}
}

func TestAShieldLastsUntilItsTimeIsUpOrItsShipFires(t *testing.T) {
	s, a, b := newDuel()
	b.Shield, b.ShieldEnd = true, s.tick+30
	s.hold(1, Input{Fire: true})
	s.step(29)
	if b.HP != MaxHP || !b.Shield {
		t.Errorf("shielded: HP %d, shield %v", b.HP, b.Shield)
	}
	s.step(15)
	if b.HP == MaxHP || b.Shield {
		t.Errorf("after its time: HP %d, shield %v", b.HP, b.Shield)
	}
	a.Shield, a.ShieldEnd, a.Jammed, a.Heat = true, s.tick+100, false, 0
	s.step(int(reloadTime*tickRate) + 1)
	if a.Shield {
		t.Error("a ship fires from behind its shield")
	}
}

func TestTheGunFiresFiveTimesASecondUntilItJams(t *testing.T) {
	s, a, b := newDuel()
	place(b, 400, 900, 0)
	s.hold(1, Input{Fire: true})
	shots, last := 0, uint32(0)
	for !a.Jammed && s.tick < 200 {
		reload := a.Reload
		s.step(1)
		if a.Reload != reload {
			if shots > 0 && s.tick-last != 4 {
				t.Errorf("%d ticks between shots", s.tick-last)
			}
			shots, last = shots+1, s.tick
		}
	}
	if shots < 12 || shots > 20 || a.Heat != 100 {
		t.Errorf("jammed after %d shots at heat %v", shots, a.Heat)
	}
	reload := a.Reload
	s.step(int((100.0 - jamEnd) / coolRate * tickRate * 0.9))
	if a.Reload != reload {
		t.Error("a jammed gun fires")
	}
	s.step(8)
	if a.Reload == reload {
		t.Error("a gun that cooled down does not fire")
	}
}

func TestTheRoundEndsOnThePodiumWithItsWinner(t *testing.T) {
	for name, c := range map[string]struct {
		scores []uint16
		winner netcode.Seat
	}{
		"the most points": {[]uint16{3, 7, 5}, 2}, "a draw": {[]uint16{7, 3, 7}, 0}, "no points": {[]uint16{0, 0, 0}, 0},
		"one point": {[]uint16{0, 0, 1}, 3}, "a draw behind": {[]uint16{2, 2, 3}, 3},
	} {
		s := newSim(3)
		for i, score := range c.scores {
			s.ship(netcode.Seat(i + 1)).Score = score
			s.ship(netcode.Seat(i + 1)).VX = 50
			s.hold(netcode.Seat(i+1), Input{Thrust: Full, Turn: 20, Fire: true})
		}
		ends := s.w.Round.V.Ends
		s.step(int(ends - s.tick - 1))
		if s.w.Round.V.Phase != Playing {
			t.Fatalf("%s: over too early", name)
		}
		for i, score := range c.scores { // they have been shooting at each other meanwhile
			s.ship(netcode.Seat(i + 1)).Score = score
		}
		s.step(1)
		if r := s.w.Round.V; r.Phase != Podium || r.Winner != c.winner || r.Ends != s.tick+podiumTime*tickRate {
			t.Errorf("%s: %+v", name, r)
		}
		before := s.hash()
		s.step(50)
		if s.hash() != before || s.w.Bullets.Len() != 0 || len(s.emitted()) != 0 {
			t.Errorf("%s: something moves on the podium", name)
		}
	}
}

func TestTablesAreBounded(t *testing.T) {
	s, _, b := newDuel()
	place(b, 400, 900, 0)
	schema, err := netcode.Compile[World, Input](events...)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Bind(&s.w); err != nil {
		t.Fatal(err)
	}
	for s.w.Bullets.Add(Bullet{X: 1, Y: 1, Owner: 2, End: s.tick + 1000}) != 0 {
		continue
	}
	if n := s.w.Bullets.Len(); n != 1024 {
		t.Errorf("%d bullets", n)
	}
	a := s.ship(1)
	s.hold(1, Input{Fire: true})
	if s.step(1); a.Heat != 0 || s.w.Bullets.Len() != 1024 {
		t.Errorf("a shot without a bullet: heat %v, %d bullets", a.Heat, s.w.Bullets.Len())
	}
	for s.w.Ships.Add(Ship{Owner: 9}) != 0 {
		continue
	}
	if n := s.w.Ships.Len(); n != 256 {
		t.Errorf("%d ships", n)
	}
}

// script steers n ships with random controls that change now and then.
func script(s *sim, n int, rng *rand.Rand) {
	for seat := 1; seat <= n; seat++ {
		if rng.Uint32N(8) == 0 {
			s.hold(netcode.Seat(seat), Input{
				Turn: int8(rng.IntN(256) - 128), Thrust: int8(rng.IntN(228) - 100), Fire: rng.Uint32N(3) > 0,
			})
		}
	}
}

// hash1000 is the state's hash after a thousand scripted ticks. It is the same on every architecture; it changes with
// the rules, whose version must change then, too.
const hash1000 = "d366e30018b818ba"

func TestTheSameSeedAndInputsGiveTheSameStateEverywhere(t *testing.T) {
	run := func() (hashes []uint64, kills uint16) {
		s, rng := newSim(12), rand.New(rand.NewPCG(3, 4))
		for range 1000 {
			script(s, 12, rng)
			s.step(1)
			hashes = append(hashes, s.hash())
		}
		for _, ship := range s.w.Ships.All() {
			kills += ship.Score
		}
		return hashes, kills
	}
	first, kills := run()
	again, _ := run()
	for i := range first {
		if first[i] != again[i] {
			t.Fatalf("tick %d differs", i+2)
		}
	}
	if kills == 0 {
		t.Error("nobody was destroyed: the script tests little")
	}
	if got := fmt.Sprintf("%016x", first[len(first)-1]); got != hash1000 {
		t.Errorf("the state after 1000 ticks has the hash %s, want %s", got, hash1000)
	}
}

func TestASteadyStepAllocatesNothing(t *testing.T) {
	s := newSim(16)
	for seat := netcode.Seat(1); seat <= 16; seat++ {
		s.hold(seat, Input{Turn: int8(seat), Thrust: Full})
	}
	s.hold(1, Input{Turn: Full, Fire: true})
	for _, ship := range s.w.Ships.All() {
		ship.Shield, ship.ShieldEnd = true, 1<<31 // hits make events, which do allocate
	}
	s.step(200)
	if n := testing.AllocsPerRun(200, func() { s.step(1) }); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
}

func BenchmarkStep16(b *testing.B) { benchmarkStep(b, 16) }
func BenchmarkStep50(b *testing.B) { benchmarkStep(b, 50) }

func benchmarkStep(b *testing.B, n int) {
	s, rng := newSim(n), rand.New(rand.NewPCG(3, 4))
	b.ReportAllocs()
	for b.Loop() {
		if s.w.Round.V.Ends = s.tick + 1000; s.tick%4 == 0 {
			script(s, n, rng)
		}
		s.step(1)
	}
}
