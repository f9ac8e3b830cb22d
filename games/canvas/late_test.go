package canvas

import (
	"slices"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// Who comes late to a full room has all of it within a few seconds, in parts that are no larger than others' frames may
// be, while people go on writing.
func TestWhoComesLateHasTheWholeRoom(t *testing.T) {
	w := full(t)
	sc, err := netcode.Compile[World, Input]()
	if err != nil {
		t.Fatal(err)
	}
	enc, view, dec := netcode.NewEncoder(sc, netcode.EncoderConfig{Key: 3}), netcode.View{}, netcode.NewDecoder(sc)
	all, most, frames := 0, 0, 0
	for tick := uint32(20); tick < 120; tick++ {
		a := w.author(1)
		in := Input{Op: Insert, N: a.Next, At: w.cursor(1).Caret, Text: "x"}
		if why := w.do(1, &in, tick); why != "" {
			t.Fatal(why)
		}
		enc.Capture(tick, w)
		if tick < 50 {
			continue
		}
		frame := proto.Frame{Head: proto.Head{Epoch: 1, Tick: tick, Scopes: []proto.Watch{0}}}
		scopes := frame.Head.Scopes
		size := 0
		for _, b := range enc.Prepare(&view, scopes) {
			b.Data = slices.Clone(b.Data)
			size += len(b.Data)
			frame.Blocks = append(frame.Blocks, b)
		}
		frame.Hashes = append(frame.Hashes, enc.Hashes(&view)...)
		if err := dec.Apply(&frame); err != nil {
			t.Fatal(err)
		}
		all, most = all+size, max(most, size)
		if size > 1000 {
			frames++
		}
	}
	var late World
	if err := dec.Load(&late); err != nil {
		t.Fatal(err)
	}
	if late.Text() != w.Text() || late.Strokes.Len() != w.Strokes.Len() || late.Board != w.Board {
		t.Error("who came late has another document")
	}
	if frames < 5 || frames > 40 || most > 70_000 {
		t.Errorf("%d bytes came in %d frames, one had %d", all, frames, most)
	}
	t.Logf("%d bytes of text and %d lines: %d bytes in %d frames, at most %d", len(w.Text()), w.Board.V.Lines, all, frames, most)
}
