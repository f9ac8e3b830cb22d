package netcode

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

type exactMode int16

func (exactMode) EnumNames() []string { return []string{"Idle", "Busy", "Lost"} }

type exactItem struct {
	Kind  exactMode
	Count uint16
	Sizes [2]int32
	Name  string `net:"max=4"`
	dirt  int
}

// exactRow has a column of every kind, and of every place where one can be.
type exactRow struct {
	Flag   bool
	I8     int8
	I16    int16 `net:"server"`
	I32    int32
	I64    int64
	U8     uint8
	U32    uint32
	U64    uint64  `net:"owner"`
	Fixed  float32 `net:"range=-100:100,step=0.05"`
	Wide   float64 `net:"range=0:1000,step=0.001,server"`
	Angle  float32 `net:"angle"`
	Raw    float32
	Secret float64 `net:"server"`
	Name   string  `net:"max=6"`
	Key    string  `net:"max=4,server"`
	Blob   []byte  `net:"max=4"`
	Nest   struct {
		A int16
		B [2]bool
		C [2]struct{ D uint8 }
	}
	Owner  Seat
	Target ID `net:"ref=Rows"`
	Loose  ID `net:"server"`
	Mode   exactMode
	Bag    []exactItem `net:"max=3"`
	Marks  []uint16    `net:"max=2,server"`
	dirt   int
}

type exactWorld struct {
	Rows  Table[exactRow] `net:"max=12,rewind"`
	Dots  Table[struct{ X int8 }]
	Round Value[struct {
		Left uint32
		Log  []int64 `net:"max=2"`
	}]
	Storm Value[testStorm] `net:"rewind"`
	dirt  int
}

func exactSchema(t testing.TB) *Schema {
	t.Helper()
	sc, err := Compile[exactWorld, testInput](testEvent{})
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

var oddFloats = []float64{0, math.Copysign(0, -1), 1, 0.1, -1e300, math.Inf(1), math.Inf(-1), math.NaN(), math.Float64frombits(0xfff8000000000123)}

// drawRow draws a row, also one that nothing on the wire can have.
func drawRow(t *rapid.T, ids []ID) exactRow {
	f := rapid.SampledFrom(oddFloats)
	r := exactRow{
		Flag: rapid.Bool().Draw(t, "flag"), I8: rapid.Int8().Draw(t, "i8"), I16: rapid.Int16().Draw(t, "i16"),
		I32: rapid.Int32().Draw(t, "i32"), I64: rapid.Int64().Draw(t, "i64"), U8: rapid.Uint8().Draw(t, "u8"),
		U32: rapid.Uint32().Draw(t, "u32"), U64: rapid.Uint64().Draw(t, "u64"),
		Fixed: float32(f.Draw(t, "fixed")), Wide: rapid.Float64().Draw(t, "wide"), Angle: rapid.Float32().Draw(t, "angle"),
		Raw: math.Float32frombits(rapid.Uint32().Draw(t, "raw")), Secret: f.Draw(t, "secret"),
		Name: rapid.StringN(0, 9, 30).Draw(t, "name"), Key: string(rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "key")),
		Blob: rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "blob"), Owner: Seat(rapid.Uint16().Draw(t, "owner")),
		Target: rapid.SampledFrom(append(ids, 0)).Draw(t, "target"), Loose: ID(rapid.Uint32().Draw(t, "loose")),
		Mode: exactMode(rapid.Int16Range(-1, 4).Draw(t, "mode")), Marks: rapid.SliceOfN(rapid.Uint16(), 0, 5).Draw(t, "marks"),
		dirt: 1,
	}
	r.Nest.A, r.Nest.B[1], r.Nest.C[1].D = r.I16, r.Flag, r.U8
	for range rapid.IntRange(0, 5).Draw(t, "items") {
		r.Bag = append(r.Bag, exactItem{
			Kind: r.Mode, Count: uint16(len(r.Bag)), Sizes: [2]int32{0, r.I32}, dirt: 1, //nolint:gosec // small
			Name: rapid.StringN(0, 6, 12).Draw(t, "item"),
		})
	}
	return r
}

// stirExact changes a world at random.
func stirExact(t *rapid.T, w *exactWorld) {
	var ids []ID
	for id := range w.Rows.All() {
		ids = append(ids, id)
	}
	w.Round.V.Left++
	w.Round.V.Log = append(w.Round.V.Log[:0], rapid.SliceOfN(rapid.Int64(), 0, 3).Draw(t, "log")...)
	w.Storm.V.X, w.dirt = rapid.Float32().Draw(t, "storm"), 1
	for range rapid.IntRange(0, 6).Draw(t, "edits") {
		switch op := rapid.IntRange(0, 9).Draw(t, "op"); {
		case op < 3 || len(ids) == 0:
			w.Rows.Add(drawRow(t, ids))
			w.Dots.Add(struct{ X int8 }{3})
		case op < 6:
			w.Rows.Remove(rapid.SampledFrom(ids).Draw(t, "id"))
		default:
			if row := w.Rows.Get(rapid.SampledFrom(ids).Draw(t, "id")); row != nil {
				*row = drawRow(t, ids)
			}
		}
	}
}

// mustAppend returns the exact bytes of a state.
func mustAppend(t interface{ Fatal(...any) }, sc *Schema, state any) []byte {
	b, err := sc.AppendState(nil, state)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantSame checks that two states are the same in every way that the schema knows of.
func wantSame(t interface{ Fatalf(string, ...any) }, sc *Schema, a, b any) {
	x, err := sc.StateHash(a)
	y, err2 := sc.StateHash(b)
	diff, err3 := sc.Differences(a, b, 10)
	if err = errors.Join(err, err2, err3); err != nil || x != y || len(diff) > 0 {
		t.Fatalf("hashes %x and %x, differences %q, %v", x, y, diff, err)
	}
}

func TestStateThatIsReadIsTheSameToTheBitAndGivesTheSameIDs(t *testing.T) {
	sc := exactSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		var w, got exactWorld
		if err := sc.Bind(&w); err != nil {
			t.Fatal(err)
		}
		stirExact(t, &got) // of what was there nothing is left
		for range rapid.IntRange(0, 12).Draw(t, "ticks") {
			stirExact(t, &w)
		}
		b := mustAppend(t, sc, &w)
		if err := sc.ReadState(b, &got); err != nil {
			t.Fatal(err)
		}
		if !sc.SameLayout(b) || !bytes.Equal(mustAppend(t, sc, &got), b) {
			t.Fatal("written again it has other bytes")
		}
		wantSame(t, sc, &w, &got)
		if got.dirt != 0 {
			t.Error("what is not state is there after reading")
		}
		for id, row := range got.Rows.All() {
			if row.dirt != 0 || len(row.Bag) > 0 && row.Bag[0].dirt != 0 || len(row.Bag) != len(w.Rows.Get(id).Bag) {
				t.Fatalf("row %x: %+v", id, row)
			}
		}
		for range rapid.IntRange(0, 30).Draw(t, "later") {
			if rapid.Bool().Draw(t, "add") {
				if x, y := w.Rows.Add(exactRow{}), got.Rows.Add(exactRow{}); x != y {
					t.Fatalf("the next id is %x, after reading %x", x, y)
				}
				continue
			}
			id := ID(rapid.IntRange(0, 12).Draw(t, "slot")) << 16 //nolint:gosec // small
			if s := id.slot(); s < len(w.Rows.ids) {
				id = w.Rows.ids[s]
			}
			if w.Rows.Remove(id) != got.Rows.Remove(id) {
				t.Fatalf("row %x is in one of the two", id)
			}
		}
		wantSame(t, sc, &w, &got)
	})
}

func TestStatesOfRandomSchemasAreReadAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newRandomGame(t)
		for range rapid.IntRange(0, 10).Draw(t, "ticks") {
			g.edit(t)
		}
		got, err := NewDynamic(g.sc)
		if err != nil {
			t.Fatal(err)
		}
		b := mustAppend(t, g.sc, g.state)
		if err := g.sc.ReadState(b, got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(mustAppend(t, g.sc, got), b) {
			t.Fatal("written again it has other bytes")
		}
		wantSame(t, g.sc, g.state, got)
		for i, table := range g.state.tables {
			if x, y := table.Add(), got.tables[i].Add(); x != y {
				t.Fatalf("the next id is %x, after reading %x", x, y)
			}
		}
	})
}

// A client's tables have the server's ids and give none; a copy of one that a prediction changes gives some.
func TestTableThatWasLoadedIsReadAsItWas(t *testing.T) {
	sc := exactSchema(t)
	var loaded, got exactWorld
	for slot, id := range []ID{7, 0, 2<<16 | 9} {
		loaded.Rows.mirror(slot, id)
	}
	b := mustAppend(t, sc, &loaded)
	if err := sc.ReadState(b, &got); err != nil {
		t.Fatal(err)
	}
	wantSame(t, sc, &loaded, &got)
	if x, y := loaded.Rows.Add(exactRow{}), got.Rows.Add(exactRow{}); x != y || got.Rows.Len() != 3 {
		t.Errorf("the next id is %x, after reading %x of %d rows", x, y, got.Rows.Len())
	}
}

// fullWorld has something in every column.
func fullWorld(t testing.TB, sc *Schema) *exactWorld {
	t.Helper()
	w := &exactWorld{}
	if err := sc.Bind(w); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		w.Rows.Add(exactRow{
			Flag: true, I8: -3, I16: -300, I32: 1 << 20, I64: -1 << 40, U8: 200, U32: 1 << 30, U64: math.MaxUint64,
			Fixed: 1.5, Wide: 0.1, Angle: 3, Raw: float32(i), Secret: -0.5, Name: "name", Key: "key", Blob: []byte{1, 2},
			Owner: 2, Target: 1, Loose: 77, Mode: 2, Marks: []uint16{1, 500},
			Bag: []exactItem{{Kind: 1, Count: 300, Name: "it"}, {Sizes: [2]int32{1, -1}}},
		})
		w.Dots.Add(struct{ X int8 }{int8(i)}) //nolint:gosec // small
	}
	w.Rows.Remove(w.Rows.ids[3])
	w.Rows.Remove(w.Rows.ids[1])
	w.Round.V.Log = []int64{-1, 1 << 50}
	w.Storm.V.Name = "storm"
	return w
}

func TestStateCutShortAnywhereIsAnError(t *testing.T) {
	sc := exactSchema(t)
	b := mustAppend(t, sc, fullWorld(t, sc))
	var w exactWorld
	for n := range b {
		if err := sc.ReadState(b[:n:n], &w); !errors.Is(err, ErrCheckpoint) {
			t.Fatalf("%d of %d bytes: %v", n, len(b), err)
		}
	}
	if err := sc.ReadState(append(b, 0), &w); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("a byte too many: %v", err)
	}
	if err := sc.ReadState(b, &w); err != nil {
		t.Error(err)
	}
	if err := sc.ReadState(b, &testWorld{}); err == nil || errors.Is(err, ErrCheckpoint) {
		t.Errorf("a state of another type: %v", err)
	}
	if _, err := sc.AppendState(nil, &testWorld{}); err == nil {
		t.Error("a state of another type is written")
	}
}

// exactBound is what reading n bytes of exactWorlds may allocate: a slot is a byte, and the room of a row; a chunk has 64.
func exactBound(n int) uint64 { return 512<<10 + 2048*uint64(n) }

func FuzzState(f *testing.F) {
	sc := exactSchema(f)
	good := mustAppend(f, sc, fullWorld(f, sc))
	f.Add(good)
	f.Add(mustAppend(f, sc, &exactWorld{}))
	older, err := Compile[olderWorld, testInput]()
	if err != nil {
		f.Fatal(err)
	}
	var old olderWorld
	old.Rows.Add(olderRow{I8: 100, Mode: 1, Bag: []olderItem{{Count: 9}}})
	f.Add(mustAppend(f, older, &old))
	f.Fuzz(func(t *testing.T, b []byte) {
		var w exactWorld
		var err error
		bound := exactBound(len(b))
		if n := allocated(bound, func() { w = exactWorld{}; err = sc.ReadState(b, &w) }); n > bound {
			t.Errorf("%d bytes allocated for %d", n, len(b))
		}
		if err != nil {
			if !errors.Is(err, ErrCheckpoint) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		again := mustAppend(t, sc, &w)
		if sc.SameLayout(b) && !bytes.Equal(again, b) {
			t.Errorf("%x is written as %x", b, again)
		}
		for range 20 { // the table is whole
			if id := w.Rows.Add(exactRow{}); id == 0 && w.Rows.Len() < 12 {
				t.Error("a table with room takes no row")
			}
		}
		if err := sc.ReadState(mustAppend(t, sc, &w), &exactWorld{}); err != nil {
			t.Error(err)
		}
	})
}

func TestStateOfManyClaimsAllocatesLittle(t *testing.T) {
	sc := exactSchema(t)
	good := mustAppend(t, sc, fullWorld(t, sc))
	for i := range len(good) - len("storm") { // whose bytes may be any
		for _, claim := range [][]byte{{0xff, 0xff, 0x01}, {0xff, 0xff, 0xff, 0xff, 0x07}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}} {
			b := slices.Concat(good[:i], claim)
			var err error
			var w exactWorld
			if n := allocated(exactBound(len(b)), func() { err = sc.ReadState(b, &w) }); n > exactBound(len(b)) || err == nil {
				t.Errorf("%x at byte %d: %d bytes allocated, %v", claim, i, n, err)
			}
		}
	}
}

func TestWritingStatesAndSumsInTheirStrideAllocatesNothing(t *testing.T) {
	sc := exactSchema(t)
	w := fullWorld(t, sc)
	buf, sums := mustAppend(t, sc, w), make([]uint64, 0, 200)
	wantAllocs(t, "AppendState", 0, func() { buf, _ = sc.AppendState(buf[:0], w) })
	wantAllocs(t, "ColumnSums", 0, func() { sums, _ = sc.ColumnSums(w, sums[:0]) })
}

func BenchmarkAppendState(b *testing.B) {
	bench := newBench(b)
	buf := mustAppend(b, bench.sc, &bench.world)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = bench.sc.AppendState(buf[:0], &bench.world)
	}
	b.ReportMetric(float64(len(buf)), "bytes")
}

func BenchmarkReadState(b *testing.B) {
	bench := newBench(b)
	buf := mustAppend(b, bench.sc, &bench.world)
	var w benchWorld
	b.ReportAllocs()
	for b.Loop() {
		if err := bench.sc.ReadState(buf, &w); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkColumnSums(b *testing.B) {
	bench := newBench(b)
	var sums []uint64
	b.ReportAllocs()
	for b.Loop() {
		sums, _ = bench.sc.ColumnSums(&bench.world, sums[:0])
	}
}
