package netcode

import (
	"math"
	"testing"
)

type hashRow struct {
	X      float32 `net:"range=0:10,step=1"`
	F      float64 `net:"server"`
	N      int16
	Name   string   `net:"max=4"`
	Blob   []byte   `net:"max=4"`
	Bag    []uint16 `net:"max=3"`
	hidden int
}

type hashWorld struct {
	Rows Table[hashRow] `net:"max=4"`
	One  Value[struct{ A, B uint8 }]
}

func TestAnyDifferenceOfTwoStatesShowsInTheirHashes(t *testing.T) {
	sc, err := Compile[hashWorld, struct{ A bool }]()
	if err != nil {
		t.Fatal(err)
	}
	row := func() hashRow { return hashRow{X: 1, N: 3, Name: "ab", Blob: []byte{1, 2}, Bag: []uint16{5, 6}} }
	hash := func(change func(*hashWorld, *hashRow)) uint64 {
		var w hashWorld
		w.Rows.Add(row())
		id := w.Rows.Add(row())
		if change != nil {
			change(&w, w.Rows.Get(id))
		}
		h, err := sc.StateHash(&w)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	same := hash(nil)
	if h := hash(func(_ *hashWorld, r *hashRow) { r.hidden = 7 }); h != same {
		t.Error("an unexported field counts")
	}
	seen := map[uint64]string{same: "nothing"}
	for name, change := range map[string]func(*hashWorld, *hashRow){
		"less than a step":        func(_ *hashWorld, r *hashRow) { r.X = math.Nextafter32(1, 2) },
		"the sign of zero":        func(_ *hashWorld, r *hashRow) { r.F = math.Copysign(0, -1) },
		"a column never sent":     func(_ *hashWorld, r *hashRow) { r.F = 1e-300 },
		"a number":                func(_ *hashWorld, r *hashRow) { r.N = -3 },
		"a text":                  func(_ *hashWorld, r *hashRow) { r.Name = "ba" },
		"a text beyond its bound": func(_ *hashWorld, r *hashRow) { r.Name = "abcde" },
		"bytes":                   func(_ *hashWorld, r *hashRow) { r.Blob = []byte{2, 1} },
		"a shorter slice":         func(_ *hashWorld, r *hashRow) { r.Bag = r.Bag[:1] },
		"an element":              func(_ *hashWorld, r *hashRow) { r.Bag[1] = 7 },
		"elements swapped":        func(_ *hashWorld, r *hashRow) { r.Bag[0], r.Bag[1] = 6, 5 },
		"a row of zeros more":     func(w *hashWorld, _ *hashRow) { w.Rows.Add(hashRow{}) },
		"a row less":              func(w *hashWorld, _ *hashRow) { w.Rows.Remove(1) },
		"a single row":            func(w *hashWorld, _ *hashRow) { w.One.V.A = 1 },
		"its other column":        func(w *hashWorld, _ *hashRow) { w.One.V.B = 1 },
	} {
		h := hash(change)
		if other, is := seen[h]; is {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[h] = name
	}
	var w hashWorld
	w.Rows.Add(row())
	wantAllocs(t, "StateHash", 0, func() { _, _ = sc.StateHash(&w) })
	if _, err := sc.StateHash(&testWorld{}); err == nil {
		t.Error("a state of another schema is hashed")
	}
}
