package netcode

import (
	"errors"
	"testing"

	"muster/proto"
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

type tinyRow struct {
	HP   uint8
	On   bool
	X    float32 `net:"range=0:10,step=1"`
	Turn float32 `net:"angle,bits=4"`
	Name string  `net:"max=2"`
}

type tinyWorld struct {
	Rows Table[tinyRow] `net:"max=3"`
}

func tinySchema(t *testing.T) *Schema {
	t.Helper()
	sc, err := Compile[tinyWorld, testInput]()
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// tiny is a row that came, as bits.
type tiny struct {
	slot, gen, hp, on, x, turn uint64
	name                       string
}

// tinyKey is a keyframe of one state whose rows came, with something in front of its end.
func tinyKey(tail int, rows ...tiny) []byte {
	var w bitWriter
	w.bit(true)    // a keyframe
	w.put(0, 2)    // of one state,
	w.number(0, 0) // a tick apart
	w.bit(true)    // something differs
	w.bit(true)    // rows came or went
	w.number(0, goneK)
	w.number(uint64(len(rows)), freshK)
	for _, r := range rows {
		w.put(r.slot, 2)
		w.put(r.gen, genBits)
		w.put(r.hp, 8)
		w.put(r.on, 1)
		w.put(r.x, 4)
		w.put(r.turn, 4)
		w.number(uint64(len(r.name)), textK)
		for i := range len(r.name) {
			w.put(uint64(r.name[i]), 8)
		}
	}
	w.put(0, 5) // no column of a row that stayed
	b := w.close()
	if tail < 0 {
		return b[:len(b)+tail]
	}
	return append(b, make([]byte, tail)...)
}

func TestBlocksThatBreakTheSchemaAreRefused(t *testing.T) {
	sc := tinySchema(t)
	for name, c := range map[string]struct {
		data []byte
		ok   bool
	}{
		"a row":                {tinyKey(0, tiny{hp: 1}), true},
		"the last slot":        {tinyKey(0, tiny{slot: 2}), true},
		"a slot too far":       {tinyKey(0, tiny{slot: 3}), false},
		"three rows":           {tinyKey(0, tiny{}, tiny{slot: 1}, tiny{slot: 2}), true},
		"four rows":            {tinyKey(0, tiny{}, tiny{slot: 1}, tiny{slot: 2}, tiny{slot: 3}), false},
		"the same row twice":   {tinyKey(0, tiny{}, tiny{}), false},
		"rows out of order":    {tinyKey(0, tiny{slot: 1}, tiny{}), false},
		"X 10":                 {tinyKey(0, tiny{x: 10}), true},
		"X 11":                 {tinyKey(0, tiny{x: 11}), false},
		"text":                 {tinyKey(0, tiny{name: "\xc3\xa9"}), true},
		"long text":            {tinyKey(0, tiny{name: "abc"}), false},
		"text that is not":     {tinyKey(0, tiny{name: "\xc3"}), false},
		"cut short":            {tinyKey(-1, tiny{}), false},
		"bytes after the end":  {tinyKey(1, tiny{}), false},
		"predicted of nothing": {[]byte{0}, false},
		"nothing":              {nil, false},
	} {
		d := NewDecoder(sc)
		err := d.Apply(&proto.Frame{Head: proto.Head{Tick: 5, Scopes: []proto.Watch{0}}, Blocks: []proto.Block{{Data: c.data}}})
		if (err == nil) != c.ok {
			t.Errorf("%s: error %v", name, err)
		}
		var se *ScopeError
		if err != nil && (!errors.As(err, &se) || se.Scope != 0) {
			t.Errorf("%s: %v does not name the scope", name, err)
		}
		if err != nil && d.Rows(0, "Rows") != nil {
			t.Errorf("%s: rows are left", name)
		}
	}
}

// A scope that is wrong is forgotten, the others go on, and its keyframe heals it.
func TestScopeThatIsWrongIsForgottenUntilItsKeyframe(t *testing.T) {
	sc := testSchema(t)
	var world testWorld
	id := world.Rows.Add(testRow{Owner: 1, Ammo: 5, Name: "a"})
	e := NewEncoder(sc, EncoderConfig{})
	v := &viewer{seat: 1, dec: NewDecoder(sc)}
	tick := uint32(0)
	next := func() error {
		tick++
		world.Rows.Get(id).Ammo++
		world.Round.V.Left++
		e.Capture(tick, &world)
		return v.take(e, tick)
	}
	for range 3 {
		if err := next(); err != nil {
			t.Fatal(err)
		}
	}
	wantError := func(when string, err, want error) {
		t.Helper()
		var se *ScopeError
		if !errors.Is(err, want) || !errors.As(err, &se) || se.Scope != 1 {
			t.Errorf("%s: %v, want %v of scope 1", when, err, want)
		}
		if v.dec.Rows(1, "Rows") != nil || len(v.dec.Rows(0, "Rows")) != 1 {
			t.Errorf("%s: %d and %d rows", when, len(v.dec.Rows(0, "Rows")), len(v.dec.Rows(1, "Rows")))
		}
	}
	for i := range v.dec.parts { // the one column that the owner alone has
		if p := &v.dec.parts[i]; p.to == owners {
			v.dec.scopes[1].state[0].sets[i].nums[0][0]++
		}
	}
	wantError("another value", next(), ErrHash)
	wantError("a difference to what is gone", next(), ErrBase)
	v.view.Resync(1)
	if err := next(); err != nil {
		t.Errorf("with the keyframe: %v", err)
	}
	v.dec.scopes[1].at[0]--
	wantError("a difference to another tick", next(), ErrBase)
	v.view.Resync(1)
	if err := next(); err != nil {
		t.Errorf("with the keyframe: %v", err)
	}
	if err := v.dec.Apply(&proto.Frame{Head: proto.Head{Tick: tick, Scopes: []proto.Watch{0}}, Blocks: []proto.Block{{Scope: 7, Data: []byte{0}}}}); !errors.Is(err, ErrBlock) {
		t.Errorf("a block of a scope that the viewer does not have: %v", err)
	}
	if v.dec.Rows(1, "Rows") != nil {
		t.Error("a scope that the head does not name is still there")
	}
}
