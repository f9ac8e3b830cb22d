package arena

import (
	"math/rand/v2"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// steering makes the controls of a fleet's seats, which are asked for in order, once a tick.
type steering func(t testing.TB, f *fleet, seed uint64) func(netcode.Seat) Input

// fleet is an arena full of ships that somebody steers.
type fleet struct {
	*sim
	n     int
	steer func(netcode.Seat) Input
	// back: who is destroyed comes back in the next tick, so that all ships move all the time.
	back bool
	// shielded: nobody is destroyed.
	shielded bool
	kills    int
}

// newFleet returns n ships anywhere. All that happens depends on the seed alone.
func newFleet(t testing.TB, n int, seed uint64, by steering) *fleet {
	t.Helper()
	f := &fleet{sim: newSim(n), n: n}
	f.drive(seed)
	for _, ship := range f.w.Ships.All() { // newSim has put them all where its own seed says
		rng := rand.New(rand.NewPCG(seed, uint64(ship.Owner)))
		place(ship, 50+900*rng.Float64(), 50+900*rng.Float64(), twoPi*rng.Float64())
	}
	f.steer = by(t, f, seed)
	return f
}

// play is one tick of a round that does not end.
func (f *fleet) play() {
	f.w.Round.V.Ends = f.tick + 1000
	for _, ship := range f.w.Ships.All() {
		if f.shielded {
			ship.Shield, ship.ShieldEnd = true, f.tick+1000
		}
		if !ship.Alive() && f.back {
			ship.Spawn = f.tick
		}
	}
	for seat := netcode.Seat(1); int(seat) <= f.n; seat++ {
		f.hold(seat, f.steer(seat))
	}
	f.step(1)
	for _, e := range f.emitted() {
		if _, kill := e.(Kill); kill {
			f.kills++
		}
	}
}

// byKeys are people at a keyboard: they hold a combination of keys for 0.15 to 1.5 seconds, then another.
func byKeys(_ testing.TB, f *fleet, seed uint64) func(netcode.Seat) Input {
	rng := rand.New(rand.NewPCG(seed, 2))
	hands := make([]struct {
		held  Input
		until uint32
	}, f.n+1)
	return func(seat netcode.Seat) Input {
		h := &hands[seat]
		if f.tick >= h.until {
			h.held = Input{Turn: Full * int8(rng.IntN(3)-1), Thrust: Full * int8(rng.IntN(3)-1), Fire: rng.IntN(2) == 0}
			h.until = f.tick + 3 + rng.Uint32N(28)
		}
		return h.held
	}
}

// byBots are the arena's bots. They see what a client has decoded of the newest tick, with the columns of every owner
// at once, which is as good as a client for each: a pilot looks at those of its own ship alone.
func byBots(t testing.TB, f *fleet, seed uint64) func(netcode.Seat) Input {
	rng := rand.New(rand.NewPCG(seed, 3))
	pilots := make([]*pilot, f.n+1)
	for i := range pilots {
		pilots[i] = newPilot()
	}
	client := newLink(newEncoder[World](t))
	for seat := range f.n {
		client.scopes = append(client.scopes, proto.Watch(seat+1))
	}
	var seen World
	at := uint32(0)
	return func(seat netcode.Seat) Input {
		if at != f.tick {
			at = f.tick
			client.enc.Capture(at, &f.w)
			client.frame(t, at)
			client.load(t, &seen)
		}
		in, _ := pilots[seat].think(&seen, at, seat, rng)
		return in
	}
}
