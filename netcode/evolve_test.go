package netcode

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// What exactWorld may have been under older rules.
type olderMode uint8

func (olderMode) EnumNames() []string { return []string{"Lost", "Idle"} }

type olderItem struct {
	Count uint8
	Gone  string `net:"max=4"`
	Kind  olderMode
}

type olderRow struct {
	I8    int64 // has become narrower
	U32   uint8 // wider
	Fixed float64
	Raw   int32
	I64   float32
	U64   float64
	Gone  uint64 `net:"server"`
	Name  []byte `net:"max=9"`
	Mode  olderMode
	Bag   []olderItem `net:"max=9"`
	Nest  struct{ B [2]bool }
	Loose ID `net:"server"`
}

type olderWorld struct {
	Past Table[struct {
		Bag []exactItem `net:"max=2"`
	}]
	Dots  Table[struct{ X, Y int8 }] `net:"max=4"`
	Rows  Table[olderRow]
	Storm Value[struct {
		Name string `net:"max=8"`
	}]
}

// evolve writes a state of one type and reads it as one of another.
func evolve[A, B any](t *testing.T, from *A) (*B, error) {
	t.Helper()
	older, err := Compile[A, testInput]()
	if err != nil {
		t.Fatal(err)
	}
	newer, err := Compile[B, testInput]()
	if err != nil {
		t.Fatal(err)
	}
	b, to := mustAppend(t, older, from), new(B)
	if newer.SameLayout(b) {
		t.Error("another layout is taken for the same")
	}
	return to, newer.ReadState(b, to)
}

func TestStateOfOlderRulesIsReadByNames(t *testing.T) {
	var old olderWorld
	old.Past.Add(struct {
		Bag []exactItem `net:"max=2"`
	}{[]exactItem{{Name: "x"}, {}}})
	old.Dots.Add(struct{ X, Y int8 }{-5, 6})
	first := old.Rows.Add(olderRow{})
	id := old.Rows.Add(olderRow{
		I8: -128, U32: 200, Fixed: 0.5, Raw: 1 << 24, I64: -1 << 62, U64: 1 << 63, Gone: 9, Name: []byte("name"), Mode: 1,
		Bag: []olderItem{{Count: 255, Gone: "gone", Kind: 0}, {Kind: 1}}, Nest: struct{ B [2]bool }{[2]bool{false, true}}, Loose: 8,
	})
	old.Rows.Remove(first)
	old.Storm.V.Name = "storm"
	w, err := evolve[olderWorld, exactWorld](t, &old)
	if err != nil {
		t.Fatal(err)
	}
	row := w.Rows.Get(id)
	if row == nil || w.Rows.Len() != 1 || w.Rows.Add(exactRow{}) != old.Rows.Add(olderRow{}) {
		t.Fatalf("%d rows, or other ids", w.Rows.Len())
	}
	if row.I8 != -128 || row.U32 != 200 || row.Fixed != 0.5 || row.Raw != 1<<24 || row.I64 != -1<<62 || row.U64 != 1<<63 ||
		row.Name != "name" || row.Mode != 0 || row.Nest.B[1] != true || row.Loose != 8 || row.I32 != 0 || row.Blob != nil {
		t.Errorf("%+v", row)
	}
	if b := row.Bag; len(b) != 2 || b[0].Count != 255 || b[0].Kind != 2 || b[1].Kind != 0 || b[0].Name != "" {
		t.Errorf("%+v", b)
	}
	if w.Storm.V.Name != "storm" || w.Storm.V.X != 0 || w.Round.V.Left != 0 || w.Dots.Len() != 1 {
		t.Errorf("%+v, %+v, %d dots", w.Storm.V, w.Round.V, w.Dots.Len())
	}
	for _, dot := range w.Dots.All() {
		if dot.X != -5 {
			t.Errorf("%+v", dot)
		}
	}
}

type number[T any] struct{ Rows Table[struct{ N T }] }

func numberOf[T any](v T) *number[T] {
	w := &number[T]{}
	w.Rows.Add(struct{ N T }{v})
	return w
}

// became is what a number is read as, or the error.
func became[B, A any](t *testing.T, v A) (b B, err error) {
	t.Helper()
	w, err := evolve[number[A], number[B]](t, numberOf(v))
	for _, row := range w.Rows.All() {
		b = row.N
	}
	return b, err
}

func TestNumbersBecomeOthersWhereTheyAreTheSameAfterwards(t *testing.T) {
	good := func(what string, ok bool, err error) {
		t.Helper()
		if err != nil || !ok {
			t.Errorf("%s: not the same, %v", what, err)
		}
	}
	bad := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), "Rows.N") {
			t.Errorf("%s: %v", what, err)
		}
	}
	a, err := became[int8](t, int64(-128))
	good("int8 of the least", a == -128, err)
	_, err = became[int8](t, int64(-129))
	bad("int8 of less", err)
	_, err = became[int8](t, uint8(128))
	bad("int8 of 128", err)
	b, err := became[uint64](t, int8(127))
	good("uint64", b == 127, err)
	_, err = became[uint64](t, int8(-1))
	bad("uint64 of -1", err)
	_, err = became[int64](t, uint64(1<<63))
	bad("int64 of 1<<63", err)
	_, err = became[uint16](t, uint32(1<<16))
	bad("uint16 of 1<<16", err)
	c, err := became[float32](t, int64(-1<<24))
	good("float32", c == -1<<24, err)
	_, err = became[float32](t, 1<<24+1)
	bad("float32 of 1<<24+1", err)
	d, err := became[float64](t, uint64(1<<63))
	good("float64", d == 1<<63, err)
	_, err = became[float64](t, uint64(math.MaxUint64))
	bad("float64 of the greatest uint64", err)
	_, err = became[float64](t, int64(math.MaxInt64))
	bad("float64 of the greatest int64", err)
	_, err = became[float64](t, int64(-1<<53-1))
	bad("float64 of -1<<53-1", err)
	_, err = became[float32](t, 0.1)
	bad("float32 of 0.1", err)
	c, err = became[float32](t, math.NaN())
	good("a NaN", c != c, err)
	c, err = became[float32](t, math.Inf(-1))
	good("infinity", math.IsInf(float64(c), -1), err)
	e, err := became[int64](t, float64(-1<<63))
	good("the least int64", e == math.MinInt64, err)
	b, err = became[uint64](t, float32(1<<63))
	good("a large uint64", b == 1<<63, err)
	for _, v := range []float64{0.5, math.NaN(), math.Inf(1), math.Inf(-1), 1 << 64, -1 << 63} {
		_, err = became[uint64](t, v)
		bad("uint64 of a float", err)
	}
	f, err := became[exactMode](t, olderMode(0))
	good("a name", f == 2, err)
	_, err = became[olderMode](t, exactMode(1))
	bad("a name that is gone", err)
	_, err = became[olderMode](t, exactMode(7))
	bad("a value without a name", err)
	a, err = became[int8](t, exactMode(2))
	good("the number of a name", a == 2, err)
	_, err = became[bool](t, uint8(1))
	bad("a bool of a number", err)
	_, err = became[uint8](t, true)
	bad("a number of a bool", err)
}

func TestLayoutsThatCannotBecomeEachOtherAreErrorsThatSayWhich(t *testing.T) {
	type one struct{ Rows Value[struct{ N int8 }] }
	if _, err := evolve[number[int8], one](t, numberOf(int8(1))); err == nil || !strings.Contains(err.Error(), "Rows") {
		t.Errorf("a table as a single row: %v", err)
	}
	type text struct {
		Rows Table[struct {
			N string `net:"max=3"`
		}]
	}
	if _, err := evolve[number[int8], text](t, numberOf(int8(1))); err == nil || !strings.Contains(err.Error(), "Rows.N") {
		t.Errorf("a number as a text: %v", err)
	}
	type list struct {
		Rows Table[struct {
			N []int8 `net:"max=3"`
		}]
	}
	if _, err := evolve[number[int8], list](t, numberOf(int8(1))); err == nil || !strings.Contains(err.Error(), "Rows.N") {
		t.Errorf("a number as a slice: %v", err)
	}
	sc := exactSchema(t)
	parsed, err := ParseSchema(sc.Binary())
	if err != nil {
		t.Fatal(err)
	}
	dyn, err := NewDynamic(parsed)
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.ReadState(mustAppend(t, sc, &exactWorld{}), dyn); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("a state with types as one without: %v", err)
	}
	if err := sc.ReadState([]byte{2, 0}, &exactWorld{}); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("another form: %v", err)
	}
}

func TestTableThatHasBecomeSmallerLosesItsEmptySlotsOnly(t *testing.T) {
	type small struct {
		Rows Table[struct{ N int8 }] `net:"max=3"`
	}
	from := numberOf(int8(1))
	var ids []ID
	for range 5 {
		ids = append(ids, from.Rows.Add(struct{ N int8 }{2}))
	}
	older, err := Compile[number[int8], testInput]()
	if err != nil {
		t.Fatal(err)
	}
	newer, err := Compile[small, testInput]()
	if err != nil {
		t.Fatal(err)
	}
	var w small
	for i, n := range []int{6, 5, 4, 3} { // rows that are left
		b := mustAppend(t, older, from)
		err := newer.ReadState(b, &w)
		if fits := n == 3; fits != (err == nil) || !fits && !strings.Contains(err.Error(), "Rows") || !newer.SameLayout(b) {
			t.Errorf("%d rows: %v", n, err)
		}
		from.Rows.Remove(ids[4-i])
	}
	if w.Rows.Len() != 3 || w.Rows.Add(struct{ N int8 }{}) != 0 {
		t.Errorf("%d rows, and one more", w.Rows.Len())
	}
}

func TestTableThatIsNewHasItsBound(t *testing.T) {
	type more struct {
		Rows Table[struct{ N int8 }]
		More Table[struct{ N int8 }] `net:"max=1"`
	}
	w, err := evolve[number[int8], more](t, numberOf(int8(1)))
	if err != nil || w.Rows.Len() != 1 || w.More.Len() != 0 {
		t.Fatalf("%d and %d rows, %v", w.Rows.Len(), w.More.Len(), err)
	}
	if w.More.Add(struct{ N int8 }{}) == 0 || w.More.Add(struct{ N int8 }{}) != 0 {
		t.Error("it takes other than one row")
	}
}
