package netcode

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"testing"

	"muster/proto"
)

// maxAllocated is what reading a small hostile message may allocate, in bytes.
const maxAllocated = 64 << 10

// fuzzBound is what a decoder may allocate for n bytes of input. The factor covers what takes least on the wire: a row of
// one column has 17 bits and more, is kept four times by a keyframe, and append doubles; a field of a schema has four
// bytes, and about 200 as a struct.
func fuzzBound(n int) uint64 { return maxAllocated + 256*uint64(n) }

// allocated returns how many bytes f allocates: the least of a few tries where the first are above the bound, since other
// goroutines may add to one.
func allocated(bound uint64, f func()) uint64 {
	least := uint64(math.MaxUint64)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if least = min(least, after.TotalAlloc-before.TotalAlloc); least <= bound {
			break
		}
	}
	return least
}

// claims are heads that promise far more than follows.
func claims() map[string][]byte {
	list := map[string][]byte{}
	for name, c := range map[string]byte{"array": 0xdd, "map": 0xdf, "bin": 0xc6, "str": 0xdb, "ext": 0xc9} {
		for _, n := range []uint32{math.MaxUint32, 1 << 31, math.MaxInt32, 1 << 24, 1 << 16} {
			list[fmt.Sprintf("%s of %d", name, n)] = binary.BigEndian.AppendUint32([]byte{c}, n)
		}
	}
	return list
}

// cuts returns the message cut off at each byte with the claim in its place.
func cuts(msg, claim []byte) (list [][]byte) {
	for i := range msg {
		list = append(list, append(msg[:i:i], claim...))
	}
	return list
}

func TestClaimedLengthsAllocateNothing(t *testing.T) {
	sc := testSchema(t)
	w := proto.NewWriter()
	if err := sc.WriteInput(w, &testInput{Turn: 1, Say: "hi"}); err != nil {
		t.Fatal(err)
	}
	input := append([]byte(nil), w.Bytes()...)
	w.Reset()
	if err := sc.WriteEvent(w, testEvent{By: 1, Text: "hit"}); err != nil {
		t.Fatal(err)
	}
	event := append([]byte(nil), w.Bytes()...)
	entries := map[string]struct {
		good []byte
		read func(b []byte) error
	}{
		"CheckInput": {input, sc.CheckInput},
		"ReadInput":  {input, func(b []byte) error { var in testInput; return sc.ReadInput(b, &in) }},
		"ReadEvent":  {event, func(b []byte) error { _, err := sc.ReadEvent(b); return err }},
		"a refusal": {append([]byte{0x93, 0, 7, 0xa2}, "no"...), func(b []byte) error {
			_, err := sc.ReadEvent(b)
			return err
		}},
		"ParseSchema": {sc.Binary(), func(b []byte) error { _, err := ParseSchema(b); return err }},
	}
	for name, e := range entries {
		if err := e.read(e.good); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for what, claim := range claims() {
			for i, msg := range cuts(e.good, claim) {
				var err error
				if n := allocated(maxAllocated, func() { err = e.read(msg) }); n > maxAllocated {
					t.Errorf("%s at byte %d to %s: %d bytes allocated", what, i, name, n)
				}
				if err == nil {
					t.Errorf("%s at byte %d to %s: no error", what, i, name)
				}
			}
		}
	}
}

// keyframes returns a keyframe of each scope that a seat has.
func keyframes(t testing.TB, sc *Schema) map[uint16][]byte {
	t.Helper()
	var world testWorld
	world.Rows.Add(testRow{X: 10, Name: "anna", Blob: []byte{1, 2}, Owner: 1, Ammo: 3})
	world.Rows.Add(testRow{X: 20, Name: "bob", Owner: 2})
	world.Dots.Add(struct{ X int8 }{5})
	e := NewEncoder(sc, EncoderConfig{})
	e.Capture(1, &world)
	var view View
	list := map[uint16][]byte{}
	for _, b := range e.Prepare(&view, e.Scopes(1)) {
		list[b.Scope] = append([]byte(nil), b.Data...)
	}
	return list
}

func applyBlock(sc *Schema, scope uint16, data []byte) error {
	d := NewDecoder(sc)
	return d.Apply(&proto.Frame{Head: proto.Head{Tick: 1, Scopes: []proto.Watch{0, proto.Watch(scope)}}, Blocks: []proto.Block{{Scope: scope, Data: data}}})
}

func TestHostileBlocksAllocateLittle(t *testing.T) {
	sc := testSchema(t)
	huge := [][]byte{
		{0xff, 0xff, 0xff, 0xff, 0x0f},
		{0xff, 0xff, 0xff, 0x7f, 0xff, 0x3f, 0xff, 0x1f},
		{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x07},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	}
	for scope, good := range keyframes(t, sc) {
		if err := applyBlock(sc, scope, good); err != nil {
			t.Fatal(err)
		}
		for _, claim := range huge {
			for i, msg := range cuts(good, claim) {
				if n := allocated(maxAllocated, func() { _ = applyBlock(sc, scope, msg) }); n > maxAllocated {
					t.Errorf("%x at byte %d of scope %d: %d bytes allocated", claim, i, scope, n)
				}
			}
		}
		for i := range good { // cut short anywhere
			if err := applyBlock(sc, scope, good[:i]); err == nil {
				t.Errorf("scope %d cut at %d of %d: no error", scope, i, len(good))
			}
		}
	}
}

// FuzzBlock looks for blocks that panic, or that allocate more than the rows which they can hold.
func FuzzBlock(f *testing.F) {
	sc := testSchema(f)
	for scope, b := range keyframes(f, sc) {
		f.Add(scope, b)
	}
	f.Add(uint16(0), []byte{1, 0, 0})
	f.Fuzz(func(t *testing.T, scope uint16, data []byte) {
		frame := proto.Frame{Head: proto.Head{Tick: 1, Scopes: []proto.Watch{0, proto.Watch(scope)}}, Blocks: []proto.Block{{Scope: scope, Data: data}}}
		var d *Decoder
		var err error
		n := allocated(fuzzBound(len(data)), func() {
			d = NewDecoder(sc)
			err = d.Apply(&frame)
		})
		if n > fuzzBound(len(data)) {
			t.Errorf("%d bytes allocated for %d", n, len(data))
		}
		var world testWorld
		if loadErr := d.Load(&world); loadErr != nil {
			t.Error(loadErr)
		}
		if err == nil { // what was taken stays within the schema's bounds
			for i := range sc.Tables {
				rows := d.Rows(scope, sc.Tables[i].Name)
				if len(rows) > sc.Tables[i].Max {
					t.Errorf("%d rows of %s", len(rows), sc.Tables[i].Name)
				}
			}
		}
		frame.Blocks = append(frame.Blocks, frame.Blocks...)
		_ = d.Apply(&frame)
	})
}

// FuzzParseSchema looks for schemas that are taken and then cannot be used.
func FuzzParseSchema(f *testing.F) {
	sc := testSchema(f)
	f.Add(sc.Binary(), []byte{1, 0})
	f.Fuzz(func(t *testing.T, schema, data []byte) {
		var sc *Schema
		var err error
		if n := allocated(fuzzBound(len(schema)), func() { sc, err = ParseSchema(schema) }); n > fuzzBound(len(schema)) {
			t.Errorf("%d bytes allocated for %d", n, len(schema))
		}
		if err != nil {
			return
		}
		_ = applyBlock(sc, 0, data)
		_ = applyBlock(sc, 1, data)
		_ = sc.CheckInput(data)
		_, _ = sc.ReadEvent(data)
	})
}

// FuzzInput looks for inputs that are checked in another way than they are read, or that do not come back.
func FuzzInput(f *testing.F) {
	sc := testSchema(f)
	w := proto.NewWriter()
	_ = sc.WriteInput(w, &testInput{Turn: -3, Aim: 1, Thrust: .5, Fire: true, Say: "hé"})
	f.Add(w.Bytes())
	f.Fuzz(func(t *testing.T, body []byte) {
		var in, again testInput
		var check, read error
		n := allocated(fuzzBound(len(body)), func() { check, read = sc.CheckInput(body), sc.ReadInput(body, &in) })
		if n > fuzzBound(len(body)) {
			t.Errorf("%d bytes allocated for %d", n, len(body))
		}
		if (check == nil) != (read == nil) {
			t.Fatalf("CheckInput says %v, ReadInput %v", check, read)
		}
		if read != nil {
			return
		}
		w := proto.NewWriter()
		if err := sc.WriteInput(w, &in); err != nil {
			t.Fatal(err)
		}
		if err := sc.ReadInput(w.Bytes(), &again); err != nil || in != again {
			t.Errorf("%+v comes back as %+v, %v", in, again, err)
		}
	})
}
