package netcode

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/proto"
)

// spectated are the scopes of a placedWorld, where spectators see what is around a point.
func (w *placedWorld) spectated(at eyes, from [2]float64) func(*Scopes) {
	return func(sc *Scopes) {
		w.scopes(at)(sc)
		sc.Join(0, 1) // nobody's seat: what it is given is given to nobody
		sc.Look(0, 50, 50)
		if from[0] >= 0 {
			sc.Spectate(from[0], from[1])
		}
	}
}

func TestSpectatorsHaveTheRoomsRowsAndTheCellsThatTheyAreShown(t *testing.T) {
	sc := placedSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		var world placedWorld
		at := eyes{1: {50, 50}, 2: {200, 200}, 3: {399, 1}}
		e := NewEncoder(sc, EncoderConfig{Ring: 8, Key: 9})
		v := &viewer{dec: NewDecoder(sc), public: true}
		from := [2]float64{-1, 0} // nothing is shown
		for tick := uint32(1); tick <= 30; tick++ {
			world.roam(t, &at)
			if rapid.IntRange(0, 3).Draw(t, "moves") == 0 {
				from = [2]float64{rapid.Float64Range(-1, 400).Draw(t, "from x"), rapid.Float64Range(0, 400).Draw(t, "from y")}
			}
			e.CaptureScoped(tick, &world, world.spectated(at, from))
			if rapid.IntRange(0, 3).Draw(t, "skip") == 0 {
				continue
			}
			v.view.Resync(rapid.SampledFrom([]uint16{0, 1, 2, 0x401, 0x402, 0x800, 0x805}).Draw(t, "wants"))
			scopes := e.PublicScopes()
			for _, w := range scopes {
				if s := w.Scope(); s != scopeRoom && (!isCell(s) || from[0] < 0) {
					t.Fatalf("tick %d: spectators have scope %#x", tick, s)
				}
			}
			if err := v.take(e, tick); err != nil {
				t.Fatalf("tick %d: %v", tick, err)
			}
			for _, b := range v.frame.Blocks {
				if _, ok := find16(scopes, b.Scope); !ok {
					t.Fatalf("tick %d: a block of scope %#x", tick, b.Scope)
				}
			}
			var seen placedWorld
			if err := v.dec.Load(&seen); err != nil {
				t.Fatal(err)
			}
			v.dec.load.state = nil // another world each time
			for id, row := range world.Rows.All() {
				_, in := find16(scopes, e.placed[0].scope[id.slot()])
				got := seen.Rows.Get(e.placed[0].wires[id.slot()])
				if in != (got != nil) || in && got.HP != row.HP {
					t.Fatalf("tick %d row %x (to %d): seen %v, want %v", tick, id, row.To, got, in)
				}
				if row.To >= 2 && got != nil {
					t.Fatalf("tick %d: spectators see a row of scope %d", tick, row.To)
				}
			}
		}
	})
}

func TestWithoutScopesSpectatorsHaveTheRoom(t *testing.T) {
	sc := placedSchema(t)
	var world placedWorld
	e := NewEncoder(sc, EncoderConfig{})
	e.Capture(1, &world)
	if got := e.PublicScopes(); !slices.Equal(got, []proto.Watch{proto.Watching(0, 1)}) {
		t.Errorf("spectators have %v", got)
	}
	at := eyes{}
	e.CaptureScoped(2, &world, world.spectated(at, [2]float64{50, 50}))
	if got := e.PublicScopes(); len(got) < 2 || !slices.IsSorted(got) || got[0].Scope() != 0 {
		t.Errorf("spectators have %v", got)
	}
	allocs := testing.AllocsPerRun(100, func() { e.public = e.public[:0]; e.PublicScopes() })
	if allocs != 0 {
		t.Errorf("%v allocations for each tick", allocs)
	}
}

// Two views are the same once nothing that either is sent can differ from then on, and not before.
func TestViewsAreTheSameOnceTheyAreSentTheSame(t *testing.T) {
	for name, parts := range map[string]int{"at once": 0, "in parts": 24} {
		t.Run(name, func(t *testing.T) {
			sc := testSchema(t)
			e := NewEncoder(sc, EncoderConfig{PartBytes: parts})
			var world testWorld
			for i := range uint8(16) {
				world.Rows.Add(testRow{Name: "a row with a name", HP: i})
			}
			room := []proto.Watch{0}
			var there, comes View
			joined := uint32(0)
			for tick := uint32(1); tick <= 80; tick++ {
				for _, row := range world.Rows.All() {
					row.HP++
				}
				e.Capture(tick, &world)
				one := len(e.Prepare(&there, room))
				if tick < 40 {
					continue
				}
				blocks := e.Prepare(&comes, room)
				same := comes.Same(&there)
				if same != there.Same(&comes) {
					t.Fatalf("tick %d: it depends on who is asked", tick)
				}
				switch {
				case joined > 0 && (!same || len(blocks) != one):
					t.Fatalf("tick %d: they were the same at tick %d, and are not", tick, joined)
				case same && joined == 0:
					joined = tick
				}
			}
			if parts == 0 && joined != 40 || parts > 0 && (joined < 44 || joined > 40+keyFrames+states+1) {
				t.Errorf("joined at tick %d", joined)
			}
			if (&View{}).Same(&there) || !(&View{}).Same(&View{}) {
				t.Error("one that has nothing is the same as one that has something")
			}
		})
	}
}
