package netcode

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

type plainRow struct {
	F bool
	N int16
	S []struct{} `net:"max=2"`
}

type plainExact struct {
	T Table[plainRow] `net:"max=8"`
}

// stateWith is a state of this layout and the bytes of its tables.
func stateWith(layout []byte, tables ...byte) []byte {
	b := append([]byte{exactForm}, binary.AppendUvarint(nil, uint64(len(layout)))...)
	return slices.Concat(b, layout, tables)
}

func TestDamagedStatesAreRefusedWithTheReason(t *testing.T) {
	sc, err := Compile[plainExact, testInput]()
	if err != nil {
		t.Fatal(err)
	}
	const taken, gone = 1<<2 | slotTaken, 1 << 2
	row := []byte{1, 5, 0}
	with := func(ledger ...byte) []byte { return stateWith(sc.layout, append(ledger, row...)...) }
	column := func(name string, kind Kind, size byte) []byte { return append(appendText(nil, name), byte(kind), size) }
	table := func(columns ...[]byte) []byte {
		return slices.Concat([]byte{0, 1, 1, 'T', 0, byte(len(columns))}, slices.Concat(columns...))
	}
	for _, c := range []struct {
		data []byte
		want string // in the error; empty: none
	}{
		{with(1, 0, taken), ""},
		{with(2, 1, gone, taken, 0), ""},
		{with(2, 0, gone, taken), ""}, // a client's table
		{with(1, 0, taken|slotOther, 2), ""},
		{with(1, 0, taken|slotOther, 1), "generation twice"},
		{with(1, 0, slotTaken), "no id"},
		{with(1, 0, gone|slotOther), "no row"},
		{with(2, 1, gone, taken, 1), "not free"},
		{with(2, 2, gone, taken, 0, 0), "not free"},
		{with(2, 1, gone, taken, 2), "not free"},
		{with(1, 0, taken|0x80, 0x00), "not a varint"},
		{with(9, 0), "9 slots"},
		{with(9, 0, gone, gone, gone, gone, gone, gone, gone, gone, taken), "room for 8"},
		{stateWith(sc.layout, 1, 0, taken, 2, 5, 0), "a bool of 2"},
		{stateWith(sc.layout, 1, 0, taken, 1, 0xfe, 0xff, 3, 0), ""},
		{stateWith(sc.layout, 1, 0, taken, 1, 0x80, 0x80, 4, 0), "wider than 2"},
		{stateWith(sc.layout, 1, 0, taken, 1, 5, maxElements), ""},
		{stateWith(sc.layout, 1, 0, taken, 1, 5, maxElements+1), "elements"},
		{stateWith([]byte{2, 0}), "flags"},
		{stateWith([]byte{0, 2, 1, 'T', 0, 0, 1, 'T', 0, 0}, 0, 0, 0, 0), "there twice"},
		{stateWith([]byte{0, 1, 1, 'T', 4, 0}, 0, 0), "flags"},
		{stateWith([]byte{0, maxTables + 1}), "tables"},
		{stateWith(table(column("N", KindInt, 2)), 1, 0, taken, 5), ""},
		{stateWith(table(column("N", KindInt, 2), column("N", KindInt, 2)), 0, 0), "there twice"},
		{stateWith(table(column("N", KindInt, 3)), 0, 0), "no column"},
		{stateWith(table(column("N", KindBool, 2)), 0, 0), "no column"},
		{stateWith(table(column("N", KindFixed, 4)), 0, 0), "no column"},
		{stateWith(table(column("N", KindFloat32, 8)), 0, 0), "no column"},
		{stateWith(table(slices.Concat(column("S", KindLen, 0), []byte{1}, column("L", KindLen, 0), []byte{0})), 0, 0), "no column"},
		{stateWith(append(table(column("N", KindInt, 2)), 9), 0, 0), "after the end"},
		{append(with(1, 0, taken), 9), "after the end"},
	} {
		var w plainExact
		err := sc.ReadState(c.data, &w)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%x: %v, want an error with %q", c.data, err, c.want)
		}
	}
}

func TestTicksOfARestoredHistoryRise(t *testing.T) {
	sc := rewindSchema(t)
	d := NewDriver[rewindWorld, testInput](&rewindWorld{}, DriverConfig{Rate: 20, Schema: sc})
	for tick := range uint32(3) {
		d.Begin(5 + tick)
		d.Capture()
	}
	b := mustCheckpoint(t, d)
	moment := []byte{1, 0, 0, 0, 0, 0, 0, 0} // one tick later: a table without slots, and a storm
	if n := len(b) - len(moment); !slices.Equal(b[n:], moment) {
		t.Fatalf("the newest moment is %x", b[n:])
	}
	for ahead, ok := range map[byte]bool{1: true, 0: false, 2: false} { // 2: after the state's own tick
		bad := slices.Clone(b)
		bad[len(b)-len(moment)] = ahead
		if err := d.Restore(bad); ok != (err == nil) || !ok && !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%d ticks after the one before: %v", ahead, err)
		}
	}
}
