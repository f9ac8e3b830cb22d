package match

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"muster/netcode"
	"muster/proto"
)

// gallery is a shooting gallery: a target for each player, which flies on by 5 in a step and 2 after it. A shot hits
// what its shooter saw.
type gallery struct{}

type target struct {
	X     float32 `net:"range=0:1000,step=0.5"`
	Owner netcode.Seat
	Hits  uint8
}

type galleryWorld struct {
	Targets netcode.Table[target] `net:"max=8,rewind"`
	Shots   netcode.Value[struct{ N uint16 }]
}

type shot struct {
	Aim float32 `net:"range=0:1000,step=0.01"`
}

func (gallery) Step(s *netcode.Step[galleryWorld, shot]) {
	for _, row := range s.State.Targets.All() {
		row.X += 5
	}
	for seat, in := range s.Inputs() {
		s.State.Shots.V.N++
		for id, row := range s.Rewind(seat).Targets.All() {
			if row.Owner == seat || math.Abs(float64(row.X-in.Aim)) > 0.02 {
				continue
			}
			if hit := s.State.Targets.Get(id); hit != nil {
				hit.Hits++
			}
		}
	}
}

func (gallery) Join(r *Room[galleryWorld], p Player) error {
	r.State().Targets.Add(target{Owner: p.Seat})
	return nil
}

func (gallery) After(r *Room[galleryWorld]) {
	for _, row := range r.State().Targets.All() {
		row.X += 2 // clients see it, so the past must have it
	}
}

func galleryGame(t *testing.T) Game {
	t.Helper()
	g := Define[galleryWorld, shot]("gallery", gallery{}, Rules{Inputs: proto.Commands, Rewind: time.Second})
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	return g
}

// shooter is a player whose client interpolates.
type shooter struct {
	*fakeViewer
	playout *netcode.Playout[galleryWorld]
	loaded  galleryWorld
	shown   galleryWorld
	tick    uint32
	seq     uint32
}

func newShooter(t *testing.T, g Game, seat netcode.Seat) *shooter {
	t.Helper()
	p, err := netcode.NewPlayout[galleryWorld](g.Schema(), netcode.PlayoutConfig{MinDelay: 3, MaxDelay: 3})
	if err != nil {
		t.Fatal(err)
	}
	return &shooter{fakeViewer: newViewer(t, g, seat), playout: p}
}

// watch lets a tick pass and takes its frame into the buffer.
func (s *shooter) watch() {
	s.t.Helper()
	ticks(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.dec.Load(&s.loaded); err != nil {
		s.t.Fatal(err)
	}
	s.tick = s.head.Tick
	s.playout.Push(s.tick, &s.loaded, float64(s.tick))
}

// of returns a seat's target in a state.
func (s *shooter) of(w *galleryWorld, seat netcode.Seat) target {
	s.t.Helper()
	for _, row := range w.Targets.All() {
		if row.Owner == seat {
			return *row
		}
	}
	s.t.Fatalf("seat %d has no target", seat)
	return target{}
}

func (s *shooter) shoot(rm *Instance, aim float32, view uint32, frac uint8) {
	w := proto.NewWriter()
	if err := s.schema.WriteInput(w, &shot{aim}); err != nil {
		s.t.Fatal(err)
	}
	s.seq++
	in := proto.Input{Seq: s.seq, View: view, Frac: frac, Body: w.Bytes()}
	rm.Input(s.fakeViewer, &proto.InputPacket{Epoch: rm.Epoch(), Inputs: []proto.Input{in}})
}

func TestShotHitsWhereTheShooterSawTheTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := galleryGame(t)
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: &fakeDirectory{}})
		if err != nil {
			t.Fatal(err)
		}
		rm, err := h.Open(Spec{ID: "r1", Game: "gallery", Seed: 7, Epoch: 9})
		if err != nil {
			t.Fatal(err)
		}
		alice, bob := newShooter(t, g, 1), newShooter(t, g, 2)
		alice.attach(rm, "alice")
		bob.attach(rm, "bob")
		for range 10 {
			alice.watch()
		}
		at, ok := alice.playout.At(float64(alice.tick)+0.375, &alice.shown)
		saw := alice.of(&alice.shown, 2)
		if now := alice.of(&alice.loaded, 2); !ok || at != float64(alice.tick)-2.625 || now.X-saw.X != 7*2.625 {
			t.Fatalf("at tick %d alice looks at %v and sees bob at %v, he is at %v", alice.tick, at, saw.X, now.X)
		}
		hits := func(what string, aim float32, view float64, want uint8) {
			t.Helper()
			alice.shoot(rm, aim, uint32(view), uint8((view-math.Floor(view))*256))
			alice.watch()
			if n := alice.of(&alice.loaded, 2).Hits; n != want {
				t.Errorf("%s: bob has %d hits, want %d", what, n, want)
			}
		}
		for range 4 { // the shot is a while on its way
			alice.watch()
		}
		hits("aimed at what she saw", saw.X, at, 1)
		hits("the same, a part of a tick later", saw.X, at+0.125, 1)
		hits("the same, without a view", saw.X, float64(alice.tick), 1)
		hits("a view from the future is the newest", alice.of(&alice.loaded, 2).X, 1e6, 2)
		for range 30 {
			alice.watch()
		}
		hits("a view from before the history", saw.X, at, 2)
		hits("the oldest of the history", alice.of(&alice.loaded, 2).X-7*20, 0, 3) // a second is 20 ticks
		if n := alice.loaded.Shots.V.N; n != 6 {
			t.Errorf("%d shots, want 6: the test did not test", n)
		}
		if err := h.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRewindIsTheSameInAReplay(t *testing.T) {
	g := galleryGame(t)
	play := func() (hits []uint8) {
		h := hooks[galleryWorld, shot]{join: gallery{}, after: gallery{}}
		sim := newCore[galleryWorld, shot](&g, Spec{Seed: 7}, gallery{}, h)
		var fx effects
		rec := TickRecord{Seats: []SeatChange{
			{Kind: SeatJoined, Player: Player{Seat: 1}}, {Kind: SeatJoined, Player: Player{Seat: 2}},
		}}
		for tick := uint32(1); tick <= 40; tick++ {
			rec.Tick = tick
			if tick > 5 {
				w := proto.NewWriter()
				if err := g.schema.WriteInput(w, &shot{7*float32(tick-4) + 7*128.0/256}); err != nil {
					t.Fatal(err)
				}
				rec.Inputs = []InputRecord{{Seat: 1, Seq: tick, View: tick - 4, Frac: 128, Body: w.Bytes()}}
			}
			if err := sim.step(&rec, &fx); err != nil {
				t.Fatal(err)
			}
			rec.Reset()
		}
		for _, row := range sim.state.Targets.All() {
			hits = append(hits, row.Hits)
		}
		return hits
	}
	first, again := play(), play()
	if len(first) != 2 || first[0] != 0 || first[1] != 35 || again[1] != first[1] {
		t.Errorf("hits %v and in the replay %v, want none and 35", first, again)
	}
}

// A sample counts for a while when none follows it. What its player looks at goes on meanwhile, or a held trigger would
// hit one past again and again.
func TestViewOfAHeldSampleGoesOn(t *testing.T) {
	g := Define[galleryWorld, shot]("gallery", gallery{}, Rules{Inputs: proto.Samples, Rewind: time.Second})
	run, err := NewReplay(g, Spec{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	w := proto.NewWriter()
	if err := g.schema.WriteInput(w, &shot{7*16 + 3.5}); err != nil {
		t.Fatal(err)
	}
	for tick := uint32(1); tick <= 40; tick++ {
		rec := TickRecord{Tick: tick}
		switch tick {
		case 1:
			rec.Seats = []SeatChange{{Kind: SeatJoined, Player: Player{Seat: 1}}, {Kind: SeatJoined, Player: Player{Seat: 2}}}
		case 20:
			rec.Inputs = []InputRecord{{Seat: 1, Seq: 1, View: 16, Frac: 128, Body: w.Bytes()}}
		}
		if err := run.Step(&rec); err != nil {
			t.Fatal(err)
		}
	}
	state := run.State().(*galleryWorld)
	if n := state.Shots.V.N; n != 11 {
		t.Errorf("%d shots, want 11: the sample's tick and half a second", n)
	}
	for _, row := range state.Targets.All() {
		if want := uint8(row.Owner - 1); row.Hits != want {
			t.Errorf("seat %d has %d hits, want %d", row.Owner, row.Hits, want)
		}
	}
}
