package netcode

import (
	"errors"
	"slices"
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

// add is an added row in the slot that follows the one before by gap.
func add(gap byte, values ...byte) []byte { return append([]byte{gap<<2 | opAdd, 1}, values...) }

func TestBlocksThatBreakTheSchemaAreRefused(t *testing.T) {
	sc := tinySchema(t)
	row := []byte{2, 0, 0, 0, 0} // HP 1
	for name, c := range map[string]struct {
		data []byte
		ok   bool
	}{
		"a row":                 {slices.Concat([]byte{0}, add(1, row...), []byte{opEnd}), true},
		"the last slot":         {slices.Concat([]byte{0}, add(3, row...), []byte{opEnd}), true},
		"a slot too far":        {slices.Concat([]byte{0}, add(4, row...), []byte{opEnd}), false},
		"one too far in steps":  {slices.Concat([]byte{0}, add(2, row...), add(2, row...), []byte{opEnd}), false},
		"no gap":                {slices.Concat([]byte{0}, add(0, row...), []byte{opEnd}), false},
		"generation 0, slot 0":  {slices.Concat([]byte{0, 1<<2 | opAdd, 0}, row, []byte{opEnd}), false},
		"a long generation":     {slices.Concat([]byte{0, 1<<2 | opAdd, 0x80, 0x80, 4}, row, []byte{opEnd}), false},
		"HP 256":                {slices.Concat([]byte{0}, add(1, 0x80, 4, 0, 0, 0, 0), []byte{opEnd}), false},
		"HP -1":                 {slices.Concat([]byte{0}, add(1, 1, 0, 0, 0, 0), []byte{opEnd}), false},
		"On 2":                  {slices.Concat([]byte{0}, add(1, 0, 4, 0, 0, 0), []byte{opEnd}), false},
		"X 10":                  {slices.Concat([]byte{0}, add(1, 0, 0, 20, 0, 0), []byte{opEnd}), true},
		"X 11":                  {slices.Concat([]byte{0}, add(1, 0, 0, 22, 0, 0), []byte{opEnd}), false},
		"a turn and a half":     {slices.Concat([]byte{0}, add(1, 0, 0, 0, 48, 0), []byte{opEnd}), true},
		"text":                  {slices.Concat([]byte{0}, add(1, 0, 0, 0, 0, 2, 0xc3, 0xa9), []byte{opEnd}), true},
		"long text":             {slices.Concat([]byte{0}, add(1, 0, 0, 0, 0, 3, 'a', 'b', 'c'), []byte{opEnd}), false},
		"text that is not":      {slices.Concat([]byte{0}, add(1, 0, 0, 0, 0, 1, 0xc3), []byte{opEnd}), false},
		"a change of nothing":   {[]byte{0, 1<<2 | opChange, 0, opEnd}, false},
		"a removal of nothing":  {[]byte{0, 1<<2 | opRemove, opEnd}, false},
		"an end with a gap":     {[]byte{0, 1 << 2}, false},
		"no end":                {slices.Concat([]byte{0}, add(1, row...)), false},
		"bytes after the end":   {[]byte{0, opEnd, 0}, false},
		"a distance to nothing": {[]byte{1, opEnd}, false},
		"nothing":               {nil, false},
	} {
		d := NewDecoder(sc)
		err := d.Apply(&proto.Frame{Head: proto.Head{Tick: 5, Scopes: []uint16{0}}, Blocks: []proto.Block{{Data: c.data}}})
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
	v.dec.Rows(1, "Rows")[0].Nums[slices.IndexFunc(sc.Tables[0].Fields, func(f Field) bool { return f.Name == "Ammo" })]++
	wantError("another value", next(), ErrHash)
	wantError("a difference to what is gone", next(), ErrBase)
	v.view.Resync(1)
	if err := next(); err != nil {
		t.Errorf("with the keyframe: %v", err)
	}
	v.dec.scopes[1].tick--
	wantError("a difference to another tick", next(), ErrBase)
	v.view.Resync(1)
	if err := next(); err != nil {
		t.Errorf("with the keyframe: %v", err)
	}
	if err := v.dec.Apply(&proto.Frame{Head: proto.Head{Tick: tick, Scopes: []uint16{0}}, Blocks: []proto.Block{{Scope: 7, Data: []byte{0}}}}); !errors.Is(err, ErrBlock) {
		t.Errorf("a block of a scope that the viewer does not have: %v", err)
	}
	if v.dec.Rows(1, "Rows") != nil {
		t.Error("a scope that the head does not name is still there")
	}
}
