package netcode

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/proto"
)

// comeBack gives a viewer a new socket, on which everything comes anew.
func (h *hooked) comeBack() {
	dec := NewDecoder(h.dec.sc)
	dec.Follow(h.dec)
	h.dec, h.view, h.prev, h.frame = dec, View{}, nil, proto.Frame{}
}

func TestWhoComesBackIsToldTheDifferencesAloneOnceAllIsHere(t *testing.T) {
	sc := testSchema(t)
	var world testWorld
	e := NewEncoder(sc, EncoderConfig{PartBytes: 100})
	h := newHooked(sc, 1)
	var ids []ID
	for i := range uint8(40) {
		ids = append(ids, world.Rows.Add(testRow{Name: fmt.Sprint("this is row number ", i), HP: i, Owner: 1, Ammo: 7}))
	}
	world.Round.V.Left = 3
	tick := uint32(1)
	for ; len(h.dec.scopes) < 2; tick++ {
		h.next(t, e, tick, &world)
	}
	h.comeBack()
	world.Rows.Remove(ids[3])
	world.Rows.Get(ids[4]).HP, world.Rows.Get(ids[5]).Ammo = 99, 98
	var told []string
	frames := 0
	for ; len(h.dec.scopes) < 2; tick++ {
		if told = append(told, h.next(t, e, tick, &world)...); len(h.dec.scopes) < 2 {
			frames++
			if h.seen.Rows.Len() != 40 || h.seen.Rows.Get(ids[6]).Ammo != 7 || h.seen.Round.V.Left != 3 {
				t.Fatalf("frame %d, and not all is here: %d rows, the round is %+v", frames, h.seen.Rows.Len(), h.seen.Round.V)
			}
		}
	}
	if frames < 4 {
		t.Fatalf("all was here after %d frames: nothing is tested", frames)
	}
	slices.Sort(told)
	if want := []string{
		"changed Rows 40001 [this is row number 4 99 1 7]", "changed Rows 50001 [this is row number 5 5 1 98]",
		"removed Rows 30001 [this is row number 3 3 1 7]",
	}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// However the keyframes come and whatever changes meanwhile: until all of them are here no row goes, and what is told adds up.
func TestRowsOfWhoComesBackStayUntilItsScopesAreHere(t *testing.T) {
	sc := placedSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		var world, seen placedWorld
		at := eyes{1: {50, 50}, 2: {200, 200}, 3: {399, 1}}
		e := NewEncoder(sc, EncoderConfig{Ring: 8, Key: 9, PartBytes: rapid.IntRange(4, 60).Draw(t, "part")})
		v := &viewer{seat: 1, dec: NewDecoder(sc)}
		rows := map[ID]bool{} // by what was told
		v.dec.Hook(Hooks{
			Added: func(_ string, id ID) {
				if rows[id] {
					t.Errorf("row %x was added twice", uint32(id))
				}
				rows[id] = true
			},
			Removed: func(_ string, id ID) {
				if !rows[id] {
					t.Errorf("row %x was removed, and was not there", uint32(id))
				}
				delete(rows, id)
			},
		})
		away := false
		for tick := uint32(1); tick <= 40; tick++ {
			world.roam(t, &at)
			e.CaptureScoped(tick, &world, world.scopes(at))
			if rapid.IntRange(0, 9).Draw(t, "comes back") == 0 {
				dec := NewDecoder(sc)
				dec.Follow(v.dec)
				*v = viewer{seat: 1, dec: dec}
				away = true
			}
			if err := v.take(e, tick); err != nil {
				t.Fatalf("tick %d: %v", tick, err)
			}
			var before []ID
			for id := range seen.Rows.All() {
				before = append(before, id)
			}
			if err := v.dec.Load(&seen); err != nil {
				t.Fatal(err)
			}
			whole := true
			for _, w := range v.frame.Head.Scopes {
				whole = whole && v.dec.scopes[w.Scope()] != nil
			}
			away = away && v.dec.awaits()
			if away && whole {
				t.Fatalf("tick %d: all is here, and more is waited for", tick)
			}
			for _, id := range before {
				slot := id.slot()
				if have, _ := (&seen.Rows).at(slot); away && have == 0 {
					t.Fatalf("tick %d: row %x went, and not all is here", tick, uint32(id))
				}
			}
			for id := range seen.Rows.All() {
				if !rows[id] {
					t.Fatalf("tick %d: nothing was told of row %x", tick, uint32(id))
				}
			}
			if len(rows) != seen.Rows.Len() {
				t.Fatalf("tick %d: %d rows were told, there are %d", tick, len(rows), seen.Rows.Len())
			}
		}
	})
}

// A row that left the cells while its client was away may be in one of a lower rate, which says so later.
func TestARowOfACellLingersAlsoWhereItsClientCameBack(t *testing.T) {
	sc := placedSchema(t)
	var world, seen placedWorld
	id := world.Rows.Add(placedRow{X: 50, Y: 50})
	far := func(sc *Scopes) {
		sc.Grid(Grid{Cell: 100, Cols: 4, Rows: 4, Radius: 60, Far: 400, FarEvery: 8})
		for id, row := range world.Rows.All() {
			sc.PlaceAt(&world.Rows, id, float64(row.X), float64(row.Y))
		}
		sc.Look(1, 50, 50)
	}
	e := NewEncoder(sc, EncoderConfig{})
	v := &viewer{seat: 1, dec: NewDecoder(sc)}
	load := func(tick uint32) int {
		t.Helper()
		e.CaptureScoped(tick, &world, far)
		if err := v.take(e, tick); err != nil {
			t.Fatal(err)
		}
		if err := v.dec.Load(&seen); err != nil {
			t.Fatal(err)
		}
		return seen.Rows.Len()
	}
	if load(1) != 1 {
		t.Fatal("the row is not there")
	}
	dec := NewDecoder(sc)
	dec.Follow(v.dec)
	*v = viewer{seat: 1, dec: dec}
	world.Rows.Remove(id)
	for tick := uint32(2); tick <= 10; tick++ {
		want := 1
		if tick >= 9 {
			want = 0
		}
		if got := load(tick); got != want {
			t.Errorf("tick %d: %d rows, want %d", tick, got, want)
		}
	}
}
