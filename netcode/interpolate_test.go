package netcode

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// rewindWorld has tables that are rewound, and some that are not.
type rewindWorld struct {
	Rows  Table[testRow] `net:"max=40,rewind"`
	Dots  Table[testDot] `net:"max=8"`
	Round Value[testRound]
	Storm Value[testStorm] `net:"rewind"`
}

type testDot struct{ X int8 }

type testStorm struct {
	X    float32 `net:"range=-500:500,step=0.01"`
	Name string  `net:"max=8"`
}

func rewindSchema(t testing.TB) *Schema {
	t.Helper()
	sc, err := Compile[rewindWorld, testInput]()
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// stir changes a world at random: rows come, go, move and turn.
func stir(t *rapid.T, w *rewindWorld) {
	var ids []ID
	for id := range w.Rows.All() {
		ids = append(ids, id)
	}
	w.Storm.V.X += float32(rapid.Float64Range(-100, 100).Draw(t, "storm"))
	w.Storm.V.Name = rapid.SampledFrom([]string{"", "a", "longer than eight"}).Draw(t, "name")
	w.Round.V.Left++
	for range rapid.IntRange(0, 4).Draw(t, "edits") {
		switch op := rapid.IntRange(0, 9).Draw(t, "op"); {
		case op < 2 || len(ids) == 0:
			w.Rows.Add(testRow{
				X: float32(rapid.Float64Range(-10, 1010).Draw(t, "x")), Owner: Seat(rapid.IntRange(0, 3).Draw(t, "owner")),
				Name: rapid.StringN(0, 6, 30).Draw(t, "row name"), Blob: rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "blob"),
			})
			w.Dots.Add(testDot{int8(rapid.IntRange(-9, 9).Draw(t, "dot"))})
		case op == 2: // the slot is soon taken by another
			w.Rows.Remove(rapid.SampledFrom(ids).Draw(t, "id"))
		default:
			if row := w.Rows.Get(rapid.SampledFrom(ids).Draw(t, "id")); row != nil {
				row.Y += float32(rapid.Float64Range(-300, 300).Draw(t, "dy"))
				row.Angle += rapid.Float64Range(-4, 4).Draw(t, "turn")
				row.Raw = rapid.Float32().Draw(t, "raw")
				row.HP++
				row.Ammo++
				row.Secret++
				row.hidden++
				row.Owner = Seat(rapid.IntRange(0, 3).Draw(t, "owner"))
			}
		}
	}
}

// onGrid returns what clients have of a world.
func onGrid(t *rapid.T, sc *Schema, w *rewindWorld) *rewindWorld {
	var out rewindWorld
	if err := sc.Snap(&out, w); err != nil {
		t.Fatal(err)
	}
	return &out
}

// rowsIn lists a table's rows by id.
func rowsIn[T any](table *Table[T]) map[ID]T {
	out := map[ID]T{}
	for id, row := range table.All() {
		out[id] = *row
	}
	if len(out) != table.Len() {
		panic("a table's length is not that of its rows")
	}
	return out
}

// sameRows compares rows bit by bit, but for fields that are no part of the state.
func sameRows(a, b map[ID]testRow) string {
	bits := cmp.Comparer(func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
	bits64 := cmp.Comparer(func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) })
	blobs := cmp.Comparer(bytes.Equal)
	return cmp.Diff(a, b, bits, bits64, blobs, cmp.FilterPath(func(p cmp.Path) bool {
		return p.Last().String() == ".hidden"
	}, cmp.Ignore()))
}

func TestInterpolationAtTheEndsIsTheStates(t *testing.T) {
	sc := rewindSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		var w, out rewindWorld
		stir(t, &w)
		a := onGrid(t, sc, &w)
		stir(t, &w)
		b := onGrid(t, sc, &w)
		for _, end := range []struct {
			at   float64
			want *rewindWorld
		}{{0, a}, {1, b}, {0, a}} { // out has had other rows before
			if err := sc.Mix(&out, a, b, end.at); err != nil {
				t.Fatal(err)
			}
			if diff := sameRows(rowsIn(&end.want.Rows), rowsIn(&out.Rows)); diff != "" || out.Storm != end.want.Storm {
				t.Fatalf("at %v (-state +shown):\n%s\nstorm %v, want %v", end.at, diff, out.Storm, end.want.Storm)
			}
		}
	})
}

func TestBetweenTwoStatesRowsAreTheEarlierOnesAndValuesBetween(t *testing.T) {
	sc := rewindSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		var w, out rewindWorld
		for range 3 {
			stir(t, &w)
		}
		a := onGrid(t, sc, &w)
		stir(t, &w)
		b := onGrid(t, sc, &w)
		at := rapid.Float64Range(1e-9, 1-1e-9).Draw(t, "at")
		if err := sc.Mix(&out, a, b, at); err != nil {
			t.Fatal(err)
		}
		shown := rowsIn(&out.Rows)
		for id, from := range rowsIn(&a.Rows) {
			row, ok := shown[id]
			if !ok {
				t.Fatalf("row %08x is in the earlier state and not shown", id)
			}
			delete(shown, id)
			to := b.Rows.Get(id)
			if to == nil {
				to = &from
			}
			if row.Y < min(from.Y, to.Y) || row.Y > max(from.Y, to.Y) {
				t.Errorf("Y %v is not between %v and %v", row.Y, from.Y, to.Y)
			}
			rest, want := row, from
			rest.X, rest.Y, rest.Angle, rest.Raw, want.X, want.Y, want.Angle, want.Raw = 0, 0, 0, 0, 0, 0, 0, 0
			if diff := sameRows(map[ID]testRow{id: want}, map[ID]testRow{id: rest}); diff != "" {
				t.Errorf("what does not glide is not the earlier state's (-state +shown):\n%s", diff)
			}
		}
		if len(shown) > 0 {
			t.Errorf("rows %v are shown before they come", shown)
		}
	})
}

func TestAngleNeverTurnsTheLongWay(t *testing.T) {
	off := func(a, b float64) float64 { return math.Abs(math.Remainder(a-b, 2*math.Pi)) }
	for _, bits := range []uint8{1, 2, 8, 16} {
		f := Field{Kind: KindAngle, Bits: bits, size: 8}
		rapid.Check(t, func(t *rapid.T) {
			var a, b, last float64
			turn := int64(1) << bits
			f.store(pointerTo(&a), rapid.Int64Range(0, turn-1).Draw(t, "a"))
			f.store(pointerTo(&b), rapid.Int64Range(0, turn-1).Draw(t, "b"))
			last = a
			const steps = 16
			for i := 1; i < steps; i++ {
				v, ok := f.between(pointerTo(&a), pointerTo(&b), float64(i)/steps)
				switch {
				case !ok && a == b:
					continue
				case v < 0 || v >= 2*math.Pi:
					t.Fatalf("%v is no angle", v)
				case math.Abs(off(v, last)-off(a, b)/steps) > 1e-9:
					t.Fatalf("step %d from %v to %v: at %v after %v", i, a, b, v, last)
				}
				last = v
			}
		})
	}
}

func TestOwnersColumnsWaitWhereARowChangesHands(t *testing.T) {
	type row struct {
		X     float32 `net:"range=0:10,step=1"`
		Owner Seat
		Aim   float32 `net:"angle,owner"`
	}
	type world struct{ Rows Table[row] }
	sc, err := Compile[world, struct{}]()
	if err != nil {
		t.Fatal(err)
	}
	var a, b, out world
	id := a.Rows.Add(row{X: 1, Owner: 1, Aim: 0})
	b.Rows.Add(row{X: 2, Owner: 2, Aim: math.Pi / 2})
	if err := sc.Mix(&out, &a, &b, 0.5); err != nil {
		t.Fatal(err)
	}
	if got := *out.Rows.Get(id); got != (row{X: 1.5, Owner: 1, Aim: 0}) {
		t.Errorf("shown %+v, want half of the way and the first owner's aim", got)
	}
	b.Rows.Get(id).Owner = 1
	if err := sc.Mix(&out, &a, &b, 0.5); err != nil {
		t.Fatal(err)
	}
	if got := out.Rows.Get(id).Aim; got != math.Pi/4 {
		t.Errorf("the same owner aims at %v, want %v", got, math.Pi/4)
	}
}

func TestRewindIsForTablesAndStaysOnTheServer(t *testing.T) {
	type column struct {
		X int8 `net:"rewind"`
	}
	type bad struct{ Rows Table[column] }
	if _, err := Compile[bad, struct{}](); err == nil || !strings.Contains(err.Error(), "rewind is for tables") {
		t.Errorf("a column that is to be rewound: %v", err)
	}
	if _, err := Compile[struct{ Rows Table[testDot] }, column](); err == nil {
		t.Error("an input that is to be rewound compiles")
	}
	type plain struct{ Rows Table[testDot] }
	type marked struct {
		Rows Table[testDot] `net:"rewind"`
	}
	a, err := Compile[plain, struct{}]()
	if err != nil {
		t.Fatal(err)
	}
	b, err := Compile[marked, struct{}]()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Binary(), b.Binary()) {
		t.Error("clients learn which tables are rewound")
	}
	if a.rewinds() || !b.rewinds() {
		t.Errorf("rewinds: %v and %v, want false and true", a.rewinds(), b.rewinds())
	}
}
