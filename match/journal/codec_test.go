package journal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"muster/internal/golden"
	"muster/netcode"
	"muster/proto"
)

// samples are records with everything in them, and with nothing.
func samples() []Record {
	return []Record{
		{Tick: 1, Seats: []SeatChange{
			{SeatJoined, Player{Seat: 1, ID: "alice", Name: "Alice", Team: 2}}, {SeatDropped, Player{Seat: 2, ID: "bob"}},
		}},
		{Tick: 2, Inputs: []InputRecord{{Seat: 1, Seq: 1, View: 1, Frac: 128, Body: []byte{1, 2, 3}}, {Seat: 2, Seq: 9}}, Hash: 1 << 63},
		{Tick: 3},
		{Tick: 4, Hash: 5, Sums: []uint16{1, 65535, 0}, Results: []WorkResult{
			{ID: 7, Seat: 1, Body: []byte("done")}, {ID: 8, Err: "it failed"},
		}},
		{Tick: 5, Skipped: true},
	}
}

// allSamples are those and what records have had since the golden replay was written, which has samples alone.
func allSamples() []Record { return append(samples(), Record{Tick: 6, Started: true}, orderSample()) }

// orderSample has orders, which the newer golden replay has, too.
func orderSample() Record {
	return Record{Tick: 7, Orders: []Order{
		{ID: "o1", Kind: OrderInput, Body: []byte{1, 2}},
		{ID: "o2", Kind: OrderEvent, Player: "alice", Body: []byte{3}},
		{ID: "o3", Kind: OrderEvent, Team: 2, Body: []byte{4}},
		{ID: "o4", Kind: OrderEnd, Text: "maintenance"},
		{ID: "o5", Kind: OrderKick, Player: "bob", Text: "cheating"},
	}}
}

func encode(r *Record) []byte {
	w := proto.NewWriter()
	r.AppendTo(w)
	return w.Bytes()
}

func equal(a, b any) string { return cmp.Diff(a, b, cmpopts.EquateEmpty()) }

func TestRecordsKeepTheirBytes(t *testing.T) {
	const name = "testdata/records.hex"
	var lines []string
	for _, r := range allSamples() {
		lines = append(lines, hex.EncodeToString(encode(&r)))
	}
	got := strings.Join(lines, "\n") + "\n"
	golden.Check(t, name, []byte(got), "know that journals that exist are no longer read, and run go test ./match/journal -update")
	for i, line := range lines {
		b, err := hex.DecodeString(line)
		var r Record
		if err == nil {
			err = r.Parse(b)
		}
		if d := equal(allSamples()[i], r); err != nil || d != "" {
			t.Errorf("record %d: %v %s", i, err, d)
		}
	}
}

func TestAnIdleTickTakesFewBytes(t *testing.T) {
	if b := encode(&Record{Tick: 100_000}); len(b) > 6 {
		t.Errorf("%d bytes: %x", len(b), b)
	}
}

func genRecord(t *rapid.T) Record {
	text := rapid.StringN(0, 20, maxName)
	body := rapid.SliceOfN(rapid.Byte(), 0, 40)
	seat := rapid.Uint16()
	r := Record{Tick: rapid.Uint32().Draw(t, "tick"), Hash: rapid.Uint64().Draw(t, "hash")}
	r.Sums = rapid.SliceOfN(rapid.Uint16(), 0, 5).Draw(t, "sums")
	for range rapid.IntRange(0, 3).Draw(t, "seats") {
		r.Seats = append(r.Seats, SeatChange{
			SeatChangeKind(rapid.IntRange(int(SeatJoined), int(SeatLeft)).Draw(t, "kind")),
			Player{netcode.Seat(seat.Draw(t, "seat")), text.Draw(t, "id"), text.Draw(t, "name"), seat.Draw(t, "team")},
		})
	}
	for range rapid.IntRange(0, 3).Draw(t, "results") {
		r.Results = append(r.Results, WorkResult{
			rapid.Uint32().Draw(t, "id"), netcode.Seat(seat.Draw(t, "seat")), text.Draw(t, "error"), body.Draw(t, "body"),
		})
	}
	r.Started = rapid.Bool().Draw(t, "started")
	if r.Skipped = rapid.Bool().Draw(t, "skipped"); r.Skipped {
		return r
	}
	for range rapid.IntRange(0, 3).Draw(t, "inputs") {
		r.Inputs = append(r.Inputs, InputRecord{
			seat.Draw(t, "seat"), rapid.Uint32().Draw(t, "seq"), rapid.Uint32().Draw(t, "view"), rapid.Byte().Draw(t, "frac"),
			body.Draw(t, "body"),
		})
	}
	for range rapid.IntRange(0, 3).Draw(t, "orders") {
		r.Orders = append(r.Orders, Order{
			rapid.StringN(0, 20, MaxOrderID).Draw(t, "order"), OrderKind(rapid.IntRange(int(OrderInput), int(OrderKick)).Draw(t, "order kind")),
			text.Draw(t, "player"), seat.Draw(t, "order team"), text.Draw(t, "text"), body.Draw(t, "order body"),
		})
	}
	return r
}

func TestEveryRecordComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genRecord(t)
		b := encode(&want)
		got := Record{Tick: 9, Skipped: true, Started: true, Sums: []uint16{4}, Orders: []Order{{}}} // of an earlier use
		if err := got.Parse(b); err != nil {
			t.Fatal(err)
		}
		if d := equal(want, got); d != "" {
			t.Fatal(d)
		}
		if !bytes.Equal(b, encode(&got)) {
			t.Fatal("other bytes the second time")
		}
		if tick, err := tickOf(b); err != nil || tick != want.Tick {
			t.Fatalf("tick %d, %v", tick, err)
		}
		if err := want.check(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRecordsBeyondTheBoundsAreRefusedBothWays(t *testing.T) {
	for name, r := range map[string]Record{
		"inputs":       {Inputs: make([]InputRecord, maxInputs+1)},
		"sums":         {Sums: make([]uint16, maxSums+1)},
		"body":         {Inputs: []InputRecord{{Body: make([]byte, maxBody+1)}}},
		"result":       {Results: []WorkResult{{Body: make([]byte, MaxWork+1)}}},
		"kind":         {Seats: []SeatChange{{Kind: SeatLeft + 1}}},
		"orders":       {Orders: slices.Repeat([]Order{{Kind: OrderEnd}}, maxOrders+1)},
		"order's body": {Orders: []Order{{Kind: OrderInput, Body: make([]byte, maxOrderBody+1)}}},
		"order's kind": {Orders: []Order{{Kind: OrderKick + 1}}},
		"skipped too":  {Skipped: true, Orders: []Order{{Kind: OrderInput, Body: []byte{1}}}},
		"no kind":      {Seats: []SeatChange{{}}},
		"seat changes": {Seats: make([]SeatChange, maxChanges+1)},
		"skipped":      {Skipped: true, Inputs: []InputRecord{{Seat: 1, Body: []byte{0x91, 1}}}},
	} {
		if _, err := NewEntry(&r); err == nil {
			t.Errorf("%s: written", name)
		}
		var got Record
		if err := got.Parse(encode(&r)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

func TestRecordsOfAnotherShapeAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                  "",
		"no array":                 "05",
		"no elements":              "90",
		"too many elements":        "9901900090909090c2c200",
		"a tick below zero":        "91ff",
		"bytes after the end":      "910100",
		"an empty end":             "920190",
		"not started, at the end":  "980190009090" + "90" + "c2c2",
		"an input with too little": "920191" + "9401010100",
		"a seat with too much":     "9501900090" + "91" + "96" + "0101a0a00000",
		"a result with too little": "960190009090" + "91" + "93" + "0101a0",
		"a name that is no text":   "9501900090" + "91" + "95" + "0101c0a000",
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		var r Record
		if err := r.Parse(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var r Record // one that is well formed, in the same way
	b, _ := hex.DecodeString("9501900090" + "91" + "95" + "0101a0a000")
	if err := r.Parse(b); err != nil {
		t.Error(err)
	}
}

func TestTextsBeyondTheirBoundsAreCut(t *testing.T) {
	r := Record{Tick: 1, Results: []WorkResult{{Err: strings.Repeat("é", MaxText)}}, Seats: []SeatChange{
		{SeatJoined, Player{ID: strings.Repeat("x", 2*maxName), Name: "a\xff"}},
	}}
	var got Record
	if err := got.Parse(encode(&r)); err != nil {
		t.Fatal(err)
	}
	if p := got.Seats[0].Player; len(p.ID) != maxName || p.Name != "a" || len(got.Results[0].Err) > MaxText {
		t.Errorf("%d bytes of id, name %q, %d bytes of error", len(p.ID), p.Name, len(got.Results[0].Err))
	}
}

func FuzzRecord(f *testing.F) {
	for _, r := range allSamples() {
		f.Add(encode(&r))
	}
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Record
		if r.Parse(b) != nil {
			return
		}
		if err := r.check(); err != nil {
			t.Fatalf("read, but not to be written: %v", err)
		}
		var again Record
		if err := again.Parse(encode(&r)); err != nil {
			t.Fatal(err)
		}
		if d := equal(r, again); d != "" {
			t.Fatal(d)
		}
	})
}

func header() Header {
	return Header{
		Room: "room1", Game: "arena", Rules: "3", Seed: 1 << 63, Epoch: 1_700_000_000_000, TickRate: 20, Seats: 16, Class: "ranked",
		Config: []byte{1}, Layout: []byte{2, 3}, Server: "v1.2.3", Created: 1_700_000_000_123, Reason: "journal",
	}
}

func FuzzHeader(f *testing.F) {
	w := proto.NewWriter()
	h := header()
	h.AppendTo(w)
	f.Add(w.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		var h, again Header
		if h.Parse(b) != nil {
			return
		}
		w := proto.NewWriter()
		h.AppendTo(w)
		if err := again.Parse(w.Bytes()); err != nil {
			t.Fatal(err)
		}
		if d := equal(h, again); d != "" {
			t.Fatal(d)
		}
	})
}
