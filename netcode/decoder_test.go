package netcode

import (
	"testing"
)

// A client must not go on showing what it saw of a row while it owned it.
func TestOwnersColumnsAreZeroForWhoOwnsTheRowNoLonger(t *testing.T) {
	sc := testSchema(t)
	var world, seen testWorld
	id := world.Rows.Add(testRow{Owner: 1, Ammo: 30})
	e := NewEncoder(sc, EncoderConfig{})
	v := &viewer{seat: 1, dec: NewDecoder(sc)}
	for tick := uint32(1); tick <= 3; tick++ {
		if tick == 2 {
			world.Rows.Get(id).Owner = 2
		}
		e.Capture(tick, &world)
		if err := v.take(e, tick); err != nil {
			t.Fatal(err)
		}
		if err := v.dec.Load(&seen); err != nil {
			t.Fatal(err)
		}
		want := uint16(0)
		if tick == 1 {
			want = 30
		}
		if got := seen.Rows.Get(id).Ammo; got != want {
			t.Errorf("tick %d: ammunition %d, want %d", tick, got, want)
		}
	}
}

// Hooks add rows before the first capture: the bound must hold there, too, or no client could read the table.
func TestBoundStateRefusesRowsAboveItsTablesBounds(t *testing.T) {
	sc := testSchema(t)
	var world testWorld
	if err := sc.Bind(&world); err != nil {
		t.Fatal(err)
	}
	n := 0
	for world.Rows.Add(testRow{}) != 0 {
		n++
	}
	if n != 40 {
		t.Errorf("the table takes %d rows, its tag says 40", n)
	}
	if err := sc.Bind(&testRow{}); err == nil {
		t.Error("a state of another type is taken")
	}
}
