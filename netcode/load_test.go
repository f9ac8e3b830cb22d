package netcode

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"muster/proto"
)

// hooked is a viewer whose hooks write down what they are told, and what could be read then.
type hooked struct {
	*viewer
	seen testWorld
	told []string
}

func newHooked(sc *Schema, seat Seat) *hooked {
	h := &hooked{viewer: &viewer{seat: seat, dec: NewDecoder(sc)}}
	note := func(what string) func(string, ID) {
		return func(table string, id ID) {
			line := fmt.Sprintf("%s %s %x", what, table, uint32(id))
			if table == "Rows" {
				line += fmt.Sprintf(" %+v", short(h.seen.Rows.Get(id)))
			}
			h.told = append(h.told, line)
		}
	}
	h.dec.Hook(Hooks{Added: note("added"), Changed: note("changed"), Removed: note("removed")})
	return h
}

// short is what the tests look at in a row; nil is none.
func short(row *testRow) any {
	if row == nil {
		return nil
	}
	return []any{row.Name, row.HP, row.Owner, row.Ammo}
}

// next loads a tick and returns what was told of it.
func (h *hooked) next(t *testing.T, e *Encoder, tick uint32, world *testWorld) []string {
	t.Helper()
	e.Capture(tick, world)
	if err := h.take(e, tick); err != nil {
		t.Fatal(err)
	}
	h.told = nil
	if err := h.dec.Load(&h.seen); err != nil {
		t.Fatal(err)
	}
	return h.told
}

func TestHooksTellEachRowThatChangedOnce(t *testing.T) {
	sc := testSchema(t)
	var world testWorld
	e := NewEncoder(sc, EncoderConfig{})
	h := newHooked(sc, 1)
	if err := sc.Bind(&world); err != nil {
		t.Fatal(err)
	}
	ann := world.Rows.Add(testRow{Name: "ann", Owner: 1, Ammo: 5})
	bob := world.Rows.Add(testRow{Name: "bob", Owner: 2, Ammo: 9})
	world.Round.V.Left = 3
	var cid ID
	for tick, step := range []struct {
		about string
		do    func()
		want  []string
	}{
		{"all is there when rows are added; the single row is only changed", func() {}, []string{
			"added Rows 1 [ann 0 1 5]", "added Rows 10001 [bob 0 2 0]", "changed Round 1",
		}},
		{"nothing", func() {}, nil},
		{"a column that all see and one of the owner's: once", func() { world.Rows.Get(ann).HP, world.Rows.Get(ann).Ammo = 7, 4 }, []string{
			"changed Rows 1 [ann 7 1 4]",
		}},
		{"one of the owner's alone", func() { world.Rows.Get(ann).Ammo = 3 }, []string{"changed Rows 1 [ann 7 1 3]"}},
		{"what only another seat has", func() { world.Rows.Get(bob).Ammo = 8 }, nil},
		{"the row is another's", func() { world.Rows.Get(ann).Owner = 2 }, []string{"changed Rows 1 [ann 7 2 0]"}},
		{"and again its own", func() { world.Rows.Get(ann).Owner = 1 }, []string{"changed Rows 1 [ann 7 1 3]"}},
		{"one goes and another changes: it can be read when it goes", func() {
			world.Rows.Remove(bob)
			world.Rows.Get(ann).HP = 8
		}, []string{"removed Rows 10001 [bob 0 2 0]", "changed Rows 1 [ann 8 1 3]"}},
		{"one goes and its slot is taken", func() {
			world.Rows.Remove(ann)
			for cid == 0 || cid.slot() != 0 {
				cid = world.Rows.Add(testRow{Name: "cid"})
			}
		}, []string{"removed Rows 1 [ann 8 1 3]", "added Rows 2 [cid 0 0 0]", "added Rows 10002 [cid 0 0 0]"}},
	} {
		step.do()
		if got := h.next(t, e, uint32(tick+1), &world); !slices.Equal(got, step.want) {
			t.Errorf("%s: told %q, want %q", step.about, got, step.want)
		}
	}
	h.view.Reset() // a keyframe that changes nothing tells nothing
	if got := h.next(t, e, 20, &world); got != nil {
		t.Errorf("a keyframe without a difference: told %q", got)
	}
}

func TestHooksThatAreNilAreNotCalled(t *testing.T) {
	sc := testSchema(t)
	var world, seen testWorld
	world.Rows.Add(testRow{})
	e := NewEncoder(sc, EncoderConfig{})
	v := &viewer{dec: NewDecoder(sc)}
	removed := 0
	v.dec.Hook(Hooks{Removed: func(string, ID) { removed++ }})
	for tick := uint32(1); tick <= 2; tick++ {
		e.Capture(tick, &world)
		if err := v.take(e, tick); err != nil {
			t.Fatal(err)
		}
		if err := v.dec.Load(&seen); err != nil {
			t.Fatal(err)
		}
		world.Rows.Remove(1)
	}
	if removed != 1 {
		t.Errorf("%d rows removed, want 1", removed)
	}
}

func TestEveryScopeThatFailedIsNamed(t *testing.T) {
	sc := testSchema(t)
	e := NewEncoder(sc, EncoderConfig{})
	var world testWorld
	world.Rows.Add(testRow{Owner: 1, Ammo: 3})
	e.Capture(1, &world)
	var view View
	frame := proto.Frame{Head: proto.Head{Tick: 1, Scopes: []proto.Watch{0, 1, 2}}, Blocks: e.Prepare(&view, []proto.Watch{0, 1, 2})}
	for i := range frame.Blocks {
		if frame.Blocks[i].Scope == 1 {
			frame.Blocks[i].Data = frame.Blocks[i].Data[:1]
		}
	}
	frame.Hashes = append(frame.Hashes, e.Hashes(&view)...)
	for i := range frame.Hashes {
		if frame.Hashes[i].Scope == 2 {
			frame.Hashes[i].Sum++
		}
	}
	d := NewDecoder(sc)
	err := d.Apply(&frame)
	if !errors.Is(err, ErrBlock) || !errors.Is(err, ErrHash) {
		t.Errorf("error %v, want that of the block and that of the hash", err)
	}
	var got []string
	for _, f := range d.Failed() {
		got = append(got, fmt.Sprint(f.Scope, errors.Is(f, ErrBlock), errors.Is(f, ErrHash)))
	}
	if want := []string{"1 true false", "2 false true"}; !slices.Equal(got, want) {
		t.Errorf("failed: %q, want %q", got, want)
	}
	if d.Rows(0, "Rows") == nil || d.Rows(1, "Rows") != nil {
		t.Error("the scope that was right is gone, or one that was wrong is there")
	}
	frame.Blocks, frame.Hashes, frame.Head.Tick = nil, nil, 2
	if err := d.Apply(&frame); err != nil || len(d.Failed()) != 0 {
		t.Errorf("the next frame: %v, %d failed", err, len(d.Failed()))
	}
}
