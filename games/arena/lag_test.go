package arena

import (
	"math"
	"slices"
	"testing"

	"muster/netcode"
)

// duelist is a player with a slow line: he sees the world some ticks late.
type duelist struct {
	late   float64
	claims float64 // by how many ticks he says so
}

// shoots lets seat 1 fire once at ship 2, which crosses its view at full speed at a distance, and says whether and after
// how many ticks that hits. He aims at where he sees the ship, with the lead that its course and his bullet's speed ask
// for. Then is called each tick after the shot.
func (d duelist) shoots(distance float64, then func(s *sim)) (hit bool, after int) {
	s, a, b := newDuel()
	place(a, 300, 500, 0)
	place(b, 300+distance, 280, twoPi/4)
	b.VY = maxSpeed
	s.hold(2, Input{Thrust: Full})
	var ys []float64 // by tick
	for range 20 {
		s.step(1)
		ys = append(ys, float64(b.Y))
	}
	back := float64(len(ys)-1) - d.late
	i := int(back)
	y := ys[i]
	if part := back - float64(i); part > 0 {
		y += part * (ys[i+1] - y)
	}
	flight := 0.0 // seconds; the bullet leaves the nose in the tick after what he sees
	dx, dy := distance, 0.0
	for range 20 {
		dy = y + maxSpeed*(flight+1.0/tickRate) - float64(a.Y)
		flight = (math.Hypot(dx, dy) - Radius - bulletSize) / bulletSpeed
	}
	a.Angle = float32(wrap(math.Atan2(dy, dx)))
	s.late[1] = d.claims
	s.hold(1, Input{Fire: true})
	for after = range 25 {
		s.step(1)
		s.hold(1, Input{})
		if then != nil {
			then(s)
		}
		if slices.Contains(s.emitted(), any(Hit{2, 1})) {
			return true, after
		}
	}
	return false, after
}

func TestWhoAimsAtWhatHeSeesHitsHoweverLateHeSeesIt(t *testing.T) {
	for _, late := range []float64{0, 0.5, 1, 2.25, 4, 4.75, 5} { // 4 ticks are 200 ms
		for _, distance := range []float64{30, 60, 100, 150, 250, 400} {
			if hit, _ := (duelist{late, late}).shoots(distance, nil); !hit {
				t.Errorf("%v ticks late at %v: missed", late, distance)
			}
			// A ship flies 11 units a tick and is 14 wide with the bullet: two ticks are too many to be forgiven.
			if hit, _ := (duelist{late, 0}).shoots(distance, nil); hit && late > 2 {
				t.Errorf("%v ticks late at %v: hit without compensation, so this shows nothing", late, distance)
			}
		}
	}
}

func TestAViewFromBeforeTheWindowGainsNothing(t *testing.T) {
	for _, distance := range []float64{60, 100, 250} {
		if hit, _ := (duelist{9, 9}).shoots(distance, nil); hit {
			t.Errorf("at %v: a shot at where the ship was 450 ms ago hits", distance)
		}
		honest, at := duelist{5, 5}.shoots(distance, nil)
		forged, then := duelist{5, 19}.shoots(distance, nil)
		if !honest || !forged || at != then {
			t.Errorf("at %v: hit %v after %d ticks, and %v after %d with a forged view", distance, honest, at, forged, then)
		}
		if hit, _ := (duelist{0, 19}).shoots(distance, nil); hit {
			t.Errorf("at %v: who sees the present and claims the past hits all the same", distance)
		}
	}
}

func TestABulletOfALateViewIsAsFarAsIfFiredThen(t *testing.T) {
	for _, late := range []float64{0, 0.5, 3, 5} {
		s, a, b := newDuel()
		place(a, 100, 500, 0)
		place(b, 900, 100, 0)
		s.step(10)
		s.late[1] = late
		s.hold(1, Input{Fire: true})
		s.step(1)
		s.hold(1, Input{})
		near(t, "its x", float64(s.bullet().X), 100+Radius+bulletSize+late*bulletSpeed/tickRate, 0.01)
		reached := float64(0)
		for s.bullet() != nil {
			reached = float64(s.bullet().X)
			s.step(1)
		}
		// Its last tick is its last at the nose's bullet, too; a part of a tick counts as a whole one.
		near(t, "its reach", reached, 100+Radius+bulletSize+(bulletTime*tickRate-1)*bulletSpeed/tickRate, bulletSpeed/tickRate)
	}
}

func TestAShotThatHitsWhereItsShooterSawTheShipIsSeenForOneTick(t *testing.T) {
	seen := []int{}
	hit, after := duelist{4, 4}.shoots(40, func(s *sim) { seen = append(seen, s.w.Bullets.Len()) })
	if !hit || after != 0 || !slices.Equal(seen, []int{1}) {
		t.Fatalf("hit %v after %d ticks, bullets %v", hit, after, seen)
	}
	s, _, _ := newDuel()
	s.step(10)
	s.late[1] = 5
	place(s.ship(2), 460, 500, 0)
	s.step(6)
	s.hold(1, Input{Fire: true})
	s.step(1)
	s.hold(1, Input{})
	if b := s.bullet(); b == nil || math.Abs(float64(b.X)-(460-Radius-bulletSize)) > 0.1 || s.ship(2).HP != MaxHP-damage {
		t.Fatalf("the bullet: %+v, HP %d", b, s.ship(2).HP)
	}
	if s.step(1); s.w.Bullets.Len() != 0 || s.ship(2).HP != MaxHP-damage {
		t.Errorf("%d bullets and HP %d a tick later", s.w.Bullets.Len(), s.ship(2).HP)
	}
}

func TestThePresentDecidesWhatALateHitDoes(t *testing.T) {
	for name, c := range map[string]struct {
		now  func(s *sim, b *Ship)
		hurt bool
	}{
		"it is there":         {func(*sim, *Ship) {}, true},
		"it is shielded now":  {func(s *sim, b *Ship) { b.Shield, b.ShieldEnd = true, s.tick+100 }, false},
		"it is destroyed now": {func(s *sim, b *Ship) { b.HP, b.Spawn = 0, s.tick+100 }, false},
		"it is gone now":      {func(s *sim, _ *Ship) { removeShip(s, 2) }, false},
		"it has moved away":   {func(_ *sim, b *Ship) { place(b, 460, 900, 0) }, true},
	} {
		s, _, b := newDuel()
		place(b, 460, 500, 0)
		s.step(10)
		c.now(s, b)
		s.late[1] = 4
		s.hold(1, Input{Fire: true})
		s.step(1)
		if hurt := slices.Contains(s.emitted(), any(Hit{2, 1})); hurt != c.hurt {
			t.Errorf("%s: hurt %v", name, hurt)
		}
	}
}

func removeShip(s *sim, seat netcode.Seat) {
	for id, ship := range s.w.Ships.All() {
		if ship.Owner == seat {
			s.w.Ships.Remove(id)
		}
	}
}

func TestTwoWhoHitEachOtherInOneTickBothDo(t *testing.T) {
	s, a, b := newDuel()
	place(b, 460, 500, math.Pi)
	s.step(10)
	a.HP, b.HP = 1, 1
	for _, seat := range []int{1, 2} {
		s.late[seat] = 4
	}
	s.hold(1, Input{Fire: true})
	s.hold(2, Input{Fire: true})
	s.step(1)
	if a.Alive() || b.Alive() || a.Score != 1 || b.Score != 1 {
		t.Errorf("HP %d and %d, scores %d and %d", a.HP, b.HP, a.Score, b.Score)
	}
}

func TestAClientThatDoesNotKnowHowFarTheServerLooksBackHasItsBulletsAtTheNose(t *testing.T) {
	s, a, _ := newDuel()
	s.step(10)
	s.d = netcode.NewDriver[World, Input](&s.w, netcode.DriverConfig{Rate: tickRate, Seed: 42}) // as netcode.Prediction does
	s.late[1] = 4
	s.hold(1, Input{Fire: true})
	s.step(1)
	near(t, "the bullet's x", float64(s.bullet().X), float64(a.X)+Radius+bulletSize, 0.01)
}
