package netcode_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// vectors reads a golden file into what v points at.
func vectors(f testing.TB, file string, v any) {
	f.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		f.Fatal(err)
	}
}

func unhex(f *testing.F, s string) []byte {
	f.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

// client is the far end of a socket: the frame before, and what was decoded.
type client struct {
	frame proto.Frame
	dec   *netcode.Decoder
	world goldenWorld
}

// read takes a message and shows what the client has then.
func (c *client) read(msg []byte) error { return decodeFrame(msg, &c.frame, c.dec) }

// rows are what a decoder has of the golden game.
func rows(d *netcode.Decoder) (list [][]*netcode.Row) {
	for _, scope := range []uint16{0, goldenSeat} {
		for _, table := range []string{"Ships", "Dots", "Round"} {
			list = append(list, d.Rows(scope, table))
		}
	}
	return list
}

// inParts is a frame again, of scopes at a lower rate, with so many of the two parts that each keyframe is cut into.
func inParts(f *proto.Frame, parts int) []byte {
	head := f.Head
	head.Scopes = []proto.Watch{proto.Watching(0, 4), proto.Watching(goldenSeat, 256)}
	var blocks []proto.Block
	for _, b := range f.Blocks {
		half := len(b.Data) / 2
		blocks = append(blocks, []proto.Block{
			{Scope: b.Scope, Data: b.Data[:half], Part: proto.Part{Tick: head.Tick, Size: len(b.Data)}},
			{Scope: b.Scope, Data: b.Data[half:], Part: proto.Part{Tick: head.Tick, From: half, Size: len(b.Data)}},
		}[:parts]...)
	}
	return encodeFrame(&head, nil, nil, blocks)
}

// FuzzFrames gives a client that has had the first golden frames anything as the next message. It must not panic, nor
// allocate more than the bound, nor be broken by it: the first golden frame, whose head is absolute and which has
// keyframes, brings it to the very same rows as one that has had nothing else.
func FuzzFrames(f *testing.F) {
	var golden goldenState
	vectors(f, "../proto/testdata/state.json", &golden)
	var frames [][]byte
	for i, frame := range golden.Frames {
		frames = append(frames, unhex(f, frame.Hex))
		f.Add(uint8(i), frames[i])
		if i > 0 {
			f.Add(uint8(i-1), frames[i]) // its base is missing
		}
	}
	sc := goldenSchema(f)
	want := client{dec: netcode.NewDecoder(sc)}
	if err := want.read(frames[0]); err != nil {
		f.Fatal(err)
	}
	for _, parts := range []int{1, 2} {
		f.Add(uint8(0), inParts(&want.frame, parts))
		f.Add(uint8(9), inParts(&want.frame, parts))
	}
	f.Fuzz(func(t *testing.T, had uint8, msg []byte) {
		if len(msg) > proto.MaxServerMessage {
			return
		}
		var c client
		var err error
		bound := netcode.FuzzBound(len(msg))
		least := bound + 1
		for try := 0; try < 3 && least > bound; try++ { // other goroutines may add to one
			c = client{dec: netcode.NewDecoder(sc)}
			for i := range min(int(had), len(frames)) {
				if err := c.read(frames[i]); err != nil {
					t.Fatal(err)
				}
			}
			least = netcode.Allocated(1<<62, func() { err = c.read(msg) })
		}
		if least > bound {
			t.Errorf("%d bytes allocated for %d", least, len(msg))
		}
		var scope *netcode.ScopeError
		if err != nil && !errors.As(err, &scope) && !errors.Is(err, proto.ErrMalformed) {
			t.Errorf("an error of another kind: %v", err)
		}
		if err := c.dec.Load(&c.world); err != nil {
			t.Error(err)
		}
		for i := range sc.Tables {
			for _, scope := range c.frame.Head.Scopes {
				if n := len(c.dec.Rows(scope.Scope(), sc.Tables[i].Name)); n > sc.Tables[i].Max {
					t.Errorf("%d rows of %s", n, sc.Tables[i].Name)
				}
			}
		}
		c.frame = proto.Frame{}
		if err := c.read(frames[0]); err != nil {
			t.Fatalf("it does not heal: %v", err)
		}
		if !reflect.DeepEqual(rows(c.dec), rows(want.dec)) {
			t.Error("after a keyframe it has other rows than one that had nothing before")
		}
	})
}

// FuzzEvent looks for events that panic, allocate, or change when they are written again.
func FuzzEvent(f *testing.F) {
	var list []valueVector
	vectors(f, "../proto/testdata/events.json", &list)
	for _, v := range list {
		f.Add(unhex(f, v.Hex))
	}
	f.Add(append([]byte{0x93, proto.EventRefused, 7, 0xa2}, "no"...))
	sc := goldenSchema(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > proto.MaxServerMessage {
			return
		}
		var event any
		var err error
		bound := netcode.FuzzBound(len(body))
		if n := netcode.Allocated(bound, func() { event, err = sc.ReadEvent(body) }); n > bound {
			t.Errorf("%d bytes allocated for %d", n, len(body))
		}
		if err != nil {
			if !errors.Is(err, proto.ErrMalformed) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if _, ok := event.(*netcode.Refused); ok {
			return // rooms write these themselves
		}
		w, again := proto.NewWriter(), proto.NewWriter()
		if err := sc.WriteEvent(w, event); err != nil {
			t.Fatal(err)
		}
		read, err := sc.ReadEvent(w.Bytes())
		if err != nil {
			t.Fatalf("%x, written again: %v", body, err)
		}
		if err := sc.WriteEvent(again, read); err != nil || !bytes.Equal(w.Bytes(), again.Bytes()) {
			t.Errorf("%x is written as %x, then as %x, %v", body, w.Bytes(), again.Bytes(), err)
		}
	})
}
