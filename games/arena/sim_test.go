package arena

import (
	"fmt"
	"math"
	"testing"

	"muster/netcode"
)

// sim drives Step as a room does, without a room.
type sim struct {
	w      World
	d      *netcode.Driver[World, Input]
	tick   uint32
	inputs [256]Input // by seat
	send   [256]bool
	late   [256]float64 // by how many ticks a seat sees the world later than the newest state
}

// newSim returns a world in which n ships wait to spawn, and the tick in which they do has passed.
func newSim(n int) *sim {
	s := &sim{}
	s.drive(42)
	for seat := netcode.Seat(1); int(seat) <= n; seat++ {
		s.w.Ships.Add(Ship{X: Size / 2, Y: Size / 2, Owner: seat, Name: fmt.Sprint("p", seat)})
	}
	s.step(1)
	return s
}

// drive makes the driver, as a room does.
func (s *sim) drive(seed uint64) {
	s.d = netcode.NewDriver[World, Input](&s.w, netcode.DriverConfig{
		Rate: tickRate, Seed: seed, Schema: Game.Schema(), Window: int(Game.Rules().Rewind.Seconds() * tickRate),
	})
}

// newDuel is newSim(2) with both ships unshielded at rest, 200 units apart, the first looking at the second.
func newDuel() (s *sim, a, b *Ship) {
	s = newSim(2)
	a, b = s.ship(1), s.ship(2)
	place(a, 400, 500, 0)
	place(b, 600, 500, 0)
	return s, a, b
}

func place(ship *Ship, x, y, angle float64) {
	ship.X, ship.Y, ship.Angle, ship.VX, ship.VY, ship.Shield = float32(x), float32(y), float32(angle), 0, 0, false
}

// step runs n ticks with the inputs as they are.
func (s *sim) step(n int) {
	for range n {
		s.tick++
		s.d.Begin(s.tick)
		for seat := range s.inputs {
			if s.send[seat] {
				at := max(0, float64(s.tick-1)-s.late[seat])
				s.d.Input(netcode.Seat(seat), s.tick, uint32(at), uint8(256*(at-math.Floor(at))), &s.inputs[seat])
			}
		}
		s.d.Run(Arena{}.Step)
		s.d.Capture()
	}
}

// hold makes a seat send this input from now on.
func (s *sim) hold(seat netcode.Seat, in Input) { s.inputs[seat], s.send[seat] = in, true }

func (s *sim) ship(seat netcode.Seat) *Ship {
	for _, ship := range s.w.Ships.All() {
		if ship.Owner == seat {
			return ship
		}
	}
	return nil
}

// bullet returns the only bullet, or nil.
func (s *sim) bullet() (only *Bullet) {
	for _, b := range s.w.Bullets.All() {
		only = b
	}
	return only
}

// emitted returns the last tick's events.
func (s *sim) emitted() (list []any) {
	for _, e := range s.d.Emitted() {
		list = append(list, e.Event)
	}
	return list
}

// hash sums up the whole state.
func (s *sim) hash() uint64 {
	h, err := Game.Schema().StateHash(&s.w)
	if err != nil {
		panic(err) // it is the game's own state
	}
	return h
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within || math.IsNaN(got) {
		t.Errorf("%s is %v, want %v ± %v", what, got, want, within)
	}
}

func speed(ship *Ship) float64 { return math.Hypot(float64(ship.VX), float64(ship.VY)) }
