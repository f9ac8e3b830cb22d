package netcode

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"muster/proto"
)

// plainBlocks are good blocks of the plain form by scope, those of a tick that leads from the one before.
type plainBlocks struct{ key, next map[uint16][]byte }

// plainGood makes blocks of the scopes of seat 1: of the room deflated ones.
func plainGood(t testing.TB, sc *Schema) plainBlocks {
	t.Helper()
	var world testWorld
	for i := range 12 {
		world.Rows.Add(testRow{X: float32(i), Name: "one of the rows", Owner: Seat(i % 2), Raw: float32(math.NaN()), Blob: []byte{1}})
	}
	world.Dots.Add(struct{ X int8 }{5})
	e := NewEncoder(sc, EncoderConfig{})
	view := View{Plain: true}
	take := func(tick uint32) map[uint16][]byte {
		e.Capture(tick, &world)
		list := map[uint16][]byte{}
		for _, b := range e.Prepare(&view, e.Scopes(1)) {
			list[b.Scope] = bytes.Clone(b.Data)
		}
		return list
	}
	out := plainBlocks{key: take(1)}
	world.Rows.Remove(2<<16 | 1)
	world.Rows.Add(testRow{Name: "it came", Owner: 1})
	for _, row := range world.Rows.All() {
		row.HP++
		row.Ammo++
	}
	out.next = take(2)
	if out.key[0][0] != plainDeflated || out.next[0][0] != plainDeflated || out.next[1][0] != plainRaw {
		t.Fatal("the room's blocks are meant to be deflated, the seat's not")
	}
	return out
}

// apply gives a decoder a plain block as the only one of a tick.
func (p plainBlocks) apply(d *Decoder, tick uint32, scope uint16, data []byte) error {
	return d.Apply(&proto.Frame{
		Head: proto.Head{Tick: tick, Scopes: []proto.Watch{0, 1, proto.Watch(scope)}}, Blocks: []proto.Block{{Scope: scope, Data: data}},
	})
}

// begun is a decoder that has the keyframes.
func (p plainBlocks) begun(t testing.TB, sc *Schema) *Decoder {
	t.Helper()
	d := NewPlainDecoder(sc)
	for _, scope := range []uint16{0, 1} {
		if err := p.apply(d, 1, scope, p.key[scope]); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func allRows(d *Decoder, scope uint16) (list [][]*Row) {
	for i := range d.sc.Tables {
		for to := everyone; to < audiences; to++ {
			list = append(list, d.rows(scope, d.sc.Tables[i].Name, to))
		}
	}
	return list
}

func TestAPlainBlockThatIsCutIsNone(t *testing.T) {
	sc := testSchema(t)
	good := plainGood(t, sc)
	for scope, block := range good.next {
		d := good.begun(t, sc)
		if err := good.apply(d, 2, scope, block); err != nil {
			t.Fatal(err)
		}
		for i := range block {
			d := good.begun(t, sc)
			if err := good.apply(d, 2, scope, block[:i]); !errors.Is(err, ErrBlock) {
				t.Errorf("scope %d cut at %d of %d: error %v", scope, i, len(block), err)
			}
			if d.scopes[scope] != nil || d.scopes[1-scope] == nil {
				t.Errorf("scope %d cut at %d: it is there, or the other one is not", scope, i)
			}
		}
		for i := range good.key[scope] {
			if err := good.apply(NewPlainDecoder(sc), 1, scope, good.key[scope][:i]); !errors.Is(err, ErrBlock) {
				t.Errorf("keyframe of scope %d cut at %d: error %v", scope, i, err)
			}
		}
		d = good.begun(t, sc)
		if err := good.apply(d, 2, scope, append(bytes.Clone(block), 0)); !errors.Is(err, ErrBlock) {
			t.Errorf("scope %d with a byte behind it: error %v", scope, err)
		}
	}
	if err := good.apply(NewPlainDecoder(sc), 2, 1, good.next[1]); !errors.Is(err, ErrBase) {
		t.Errorf("a block that builds on nothing: error %v", err)
	}
}

// packed is MessagePack of nested slices, numbers, text, bytes, booleans and nil.
func packed(v any) []byte {
	w := proto.NewWriter()
	var write func(v any)
	write = func(v any) {
		switch v := v.(type) {
		case nil:
			w.Nil()
		case bool:
			w.Bool(v)
		case int:
			w.Int(int64(v))
		case float64:
			w.Float64(v)
		case string:
			w.Str(v)
		case []byte:
			w.Bin(v)
		case []any:
			w.Array(len(v))
			for _, e := range v {
				write(e)
			}
		default:
			panic(fmt.Sprintf("%T", v))
		}
	}
	write(v)
	return w.Bytes()
}

type list = []any

// deflated is a block of a form that claims to be deflated.
func deflated(raw []byte) []byte {
	var b bytes.Buffer
	b.WriteByte(plainDeflated)
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = w.Write(raw)
	_ = w.Close()
	return b.Bytes()
}

func TestPlainBlocksAreWhatTheSchemaAllows(t *testing.T) {
	sc := tinySchema(t) // a table of at most three rows: HP, On, X 0 to 10, Turn of 4 bits, Name of 2 bytes
	const one, two, three, fourth = 1, 1<<16 | 1, 2<<16 | 1, 3<<16 | 1
	row := func(id int) list { return list{id, 1, true, 2, 3, "a"} }
	with := func(column int, v any) list {
		r := row(two)
		r[column] = v
		return list{false, list{list{}, list{r}}}
	}
	begin := packed(list{true, list{list{}, list{row(one), row(three)}}})
	for name, c := range map[string]struct {
		block any
		want  []ID // nil: it is refused
	}{
		"no difference":                {list{false, nil}, []ID{one, three}},
		"no row":                       {list{false, list{list{}, list{}}}, []ID{one, three}},
		"one came between":             {list{false, list{list{}, list{row(two)}}}, []ID{one, two, three}},
		"one changed":                  {list{false, list{list{}, list{row(three)}}}, []ID{one, three}},
		"one went":                     {list{false, list{list{one}, list{}}}, []ID{three}},
		"all went":                     {list{false, list{list{one, three}, list{}}}, []ID{}},
		"one went, its slot taken":     {list{false, list{list{one}, list{row(2)}}}, []ID{2, three}},
		"a keyframe of nothing":        {list{true, nil}, []ID{}},
		"a keyframe":                   {list{true, list{list{}, list{row(two)}}}, []ID{two}},
		"the greatest values":          {with(3, 10), []ID{one, two, three}},
		"went that was not there":      {list{false, list{list{two}, list{}}}, nil},
		"went out of order":            {list{false, list{list{three, one}, list{}}}, nil},
		"went twice":                   {list{false, list{list{one, one}, list{}}}, nil},
		"too many went":                {list{false, list{list{one, two, three}, list{}}}, nil},
		"rows out of order":            {list{false, list{list{}, list{row(three), row(one)}}}, nil},
		"a row twice":                  {list{false, list{list{}, list{row(two), row(two)}}}, nil},
		"more rows than there can be":  {list{false, list{list{}, list{row(2), row(two)}}}, nil},
		"more rows than the table has": {list{true, list{list{}, list{row(one), row(two), row(three), row(fourth)}}}, nil},
		"a slot too far":               {list{true, list{list{}, list{row(fourth)}}}, nil},
		"generation 0":                 {list{false, list{list{}, list{row(1 << 16)}}}, nil},
		"generation 257":               {list{false, list{list{}, list{row(1<<16 | 257)}}}, nil},
		"a value too few":              {list{false, list{list{}, list{row(two)[:5]}}}, nil},
		"a value too many":             {list{false, list{list{}, list{append(row(two), 1)}}}, nil},
		"X 11":                         {with(3, 11), nil},
		"HP 256":                       {with(1, 256), nil},
		"On 1":                         {with(2, 1), nil},
		"a text of 3 bytes":            {with(5, "abc"), nil},
		"a text that is none":          {with(5, "\xff"), nil},
		"bytes for text":               {with(5, []byte("a")), nil},
		"a part too few":               {list{false}, nil},
		"a part too many":              {list{false, nil, nil}, nil},
		"no keyframe said":             {list{nil, nil}, nil},
		"no array":                     {7, nil},
		"three lists":                  {list{false, list{list{}, list{}, list{}}}, nil},
	} {
		for _, form := range []func([]byte) []byte{func(b []byte) []byte { return append([]byte{plainRaw}, b...) }, deflated} {
			d := NewPlainDecoder(sc)
			apply := func(tick uint32, data []byte) error {
				return d.Apply(&proto.Frame{Head: proto.Head{Tick: tick, Scopes: []proto.Watch{0}}, Blocks: []proto.Block{{Data: data}}})
			}
			if err := apply(1, append([]byte{plainRaw}, begin...)); err != nil {
				t.Fatal(err)
			}
			err := apply(2, form(packed(c.block)))
			var got []ID
			for _, r := range d.Rows(0, "Rows") {
				got = append(got, r.ID)
			}
			if c.want == nil != errors.Is(err, ErrBlock) || !slices.Equal(got, c.want) {
				t.Errorf("%s: rows %x, error %v; want %x", name, got, err, c.want)
			}
		}
	}
	d := NewPlainDecoder(sc)
	for _, data := range [][]byte{nil, {2}, {2, 0x92}, {plainDeflated}, {plainDeflated, 0xff}} {
		if err := d.Apply(&proto.Frame{Head: proto.Head{Tick: 1, Scopes: []proto.Watch{0}}, Blocks: []proto.Block{{Data: data}}}); !errors.Is(err, ErrBlock) {
			t.Errorf("% x: error %v", data, err)
		}
	}
}

func TestABlockThatInflatesTooMuchIsRefused(t *testing.T) {
	sc := testSchema(t)
	bomb := deflated(make([]byte, 32<<20))
	d := NewPlainDecoder(sc)
	var err error
	n := allocated(plainBound(len(bomb), mostInflated*len(bomb)), func() { err = plainBlocks{}.apply(d, 1, 0, bomb) })
	if !errors.Is(err, ErrBlock) || !strings.Contains(err.Error(), "inflates") {
		t.Errorf("error %v", err)
	}
	if n > plainBound(len(bomb), mostInflated*len(bomb)) {
		t.Errorf("%d bytes allocated for %d", n, len(bomb))
	}
	// What an encoder makes is never refused, however well it shrinks.
	world := testWorld{}
	for range 40 {
		world.Rows.Add(testRow{})
	}
	for range 4000 {
		world.Dots.Add(struct{ X int8 }{})
	}
	e := NewEncoder(sc, EncoderConfig{PartBytes: 1 << 20})
	e.Capture(1, &world)
	v := &viewer{view: View{Plain: true}, dec: NewPlainDecoder(sc)}
	if err := v.take(e, 1); err != nil {
		t.Error(err)
	}
}

// plainBound is what a decoder may allocate for a plain block: what it inflates to counts as input; inflating takes a
// window and tables of its own.
func plainBound(n, inflated int) uint64 { return fuzzBound(n+inflated) + 64<<10 }

// FuzzPlain looks for plain blocks that panic, that allocate more than what they can hold, or that leave something
// behind that the schema does not allow.
func FuzzPlain(f *testing.F) {
	sc := testSchema(f)
	good := plainGood(f, sc)
	for _, scope := range []uint16{0, 1} {
		for _, had := range []bool{false, true} {
			f.Add(scope, had, good.key[scope])
			f.Add(scope, had, good.next[scope])
		}
	}
	f.Add(uint16(0), true, deflated(make([]byte, 1<<20)))
	f.Add(uint16(0), true, append([]byte{plainRaw}, packed(list{false, list{list{1, 1}, list{}}, nil, nil})...))
	f.Add(uint16(0x401), false, append([]byte{plainRaw}, packed(list{true, nil, list{list{}, list{list{1, 1}, list{2, 3}}}, nil})...))
	f.Fuzz(func(t *testing.T, scope uint16, had bool, data []byte) {
		raw, _ := inflated(data)
		bound := plainBound(len(data), len(raw))
		if had {
			bound += 16 << 10 // the rows that were there, which are not copied but for this one block
		}
		var d *Decoder
		var err error
		least := bound + 1
		for try := 0; try < 3 && least > bound; try++ {
			d = NewPlainDecoder(sc)
			if had {
				d = good.begun(t, sc)
			}
			least = min(least, allocated(1<<62, func() { err = good.apply(d, 2, scope, data) }))
		}
		if least > bound {
			t.Errorf("%d bytes allocated for %d that inflate to %d", least, len(data), len(raw))
		}
		if err != nil && (!errors.Is(err, ErrBlock) && !errors.Is(err, ErrBase) || d.scopes[scope] != nil) {
			t.Errorf("an error of another kind, or the scope is still there: %v", err)
		}
		checkSets(t, d)
		var world testWorld
		if err := d.Load(&world); err != nil {
			t.Error(err)
		}
		for _, scope := range []uint16{0, 1} {
			if err := good.apply(d, 3, scope, good.key[scope]); err != nil {
				t.Fatalf("it does not heal: %v", err)
			}
			if fresh := good.begun(t, sc); !reflect.DeepEqual(allRows(d, scope), allRows(fresh, scope)) {
				t.Errorf("after a keyframe scope %d has other rows than one that had nothing before", scope)
			}
		}
	})
}

// checkSets looks whether what a decoder has is what its schema allows.
func checkSets(t *testing.T, d *Decoder) {
	t.Helper()
	for scope, s := range d.scopes {
		for i := range d.parts {
			p, set := &d.parts[i], s.state[0].sets[i]
			if !p.of(scope) {
				continue
			}
			if len(set.ids) > p.info.Max || !slices.IsSorted(set.ids) || len(slices.Compact(slices.Clone(set.ids))) != len(set.ids) {
				t.Errorf("scope %d, part %d: ids %x", scope, i, set.ids)
			}
			for c, f := range p.fields {
				for k := range set.ids {
					if f.text() && len(set.text[c][k]) > f.Max || !f.text() && !f.valid(set.nums[c][k]) {
						t.Errorf("scope %d: %s of row %x is out of range", scope, f.Name, set.ids[k])
					}
				}
			}
		}
	}
}
