package netcode

import (
	"bytes"
	"errors"
	"testing"

	"muster/proto"
)

// cutKey is a keyframe of scope 0 at a tick, in three parts.
func cutKey(t *testing.T, sc *Schema, plain bool, tick uint32, hp uint8) (whole []byte, parts [3]proto.Block) {
	t.Helper()
	e := NewEncoder(sc, EncoderConfig{})
	var world testWorld
	world.Rows.Add(testRow{Name: "a row with a name", HP: hp})
	e.Capture(tick, &world)
	blocks := e.Prepare(&View{Plain: plain}, []proto.Watch{0})
	whole = bytes.Clone(blocks[0].Data)
	at := [4]int{0, len(whole) / 3, len(whole) / 2, len(whole)}
	for i := range parts {
		parts[i] = proto.Block{Data: whole[at[i]:at[i+1]], Part: proto.Part{Tick: tick, From: at[i], Size: len(whole)}}
	}
	return whole, parts
}

// hpOf is what a decoder has of the only row, or -1.
func hpOf(d *Decoder) int {
	rows := d.Rows(0, "Rows")
	if len(rows) != 1 {
		return -1
	}
	for c, f := range d.sc.Tables[0].Fields {
		if f.Name == "HP" {
			return int(rows[0].Nums[c])
		}
	}
	return -1
}

func TestPartsOfAKeyframeAreOneOrAnErrorOfTheirScope(t *testing.T) {
	for _, plain := range []bool{false, true} {
		sc := testSchema(t)
		_, first := cutKey(t, sc, plain, 7, 1)
		whole, second := cutKey(t, sc, plain, 9, 2)
		size := second[1]
		size.Part.Size++
		room, none := []proto.Watch{0}, []proto.Watch{1}
		type frame struct {
			scopes []proto.Watch
			blocks []proto.Block
			hp     int // what is there then
			err    error
		}
		block := func(b ...proto.Block) []proto.Block { return b }
		for name, frames := range map[string][]frame{
			"in one frame":            {{room, second[:], 2, nil}},
			"in three":                {{room, second[:1], -1, nil}, {room, second[1:2], -1, nil}, {room, second[2:], 2, nil}},
			"with silence in between": {{room, second[:2], -1, nil}, {room, nil, -1, nil}, {room, second[2:], 2, nil}},
			"what was there stays":    {{room, first[:], 1, nil}, {room, second[:2], 1, nil}, {room, second[2:], 2, nil}},
			"the first again":         {{room, second[:2], -1, nil}, {room, second[:], 2, nil}},
			"another keyframe":        {{room, first[:2], -1, nil}, {room, second[:], 2, nil}},
			"out of order":            {{room, block(second[0], second[2]), -1, ErrBase}},
			"without the first":       {{room, second[1:2], -1, ErrBase}},
			"of another tick":         {{room, block(second[0], first[1]), -1, ErrBase}},
			"of another size":         {{room, block(second[0], size), -1, ErrBase}},
			"twice":                   {{room, block(second[0], second[1], second[1]), -1, ErrBase}},
			"an error takes what was there": {
				{room, first[:], 1, nil}, {room, second[1:2], -1, ErrBase}, {room, second[2:], -1, ErrBase}, {room, second[:], 2, nil},
			},
			"forgotten in between":     {{room, second[:2], -1, nil}, {none, nil, -1, nil}, {room, second[2:], -1, ErrBase}},
			"a whole block drops them": {{room, second[:2], -1, nil}, {room, block(proto.Block{Data: whole}), 2, nil}, {room, second[2:], -1, ErrBase}},
		} {
			d := NewDecoder(sc)
			d.plain = plain
			for i, f := range frames {
				err := d.Apply(&proto.Frame{Head: proto.Head{Tick: 9 + uint32(i), Scopes: f.scopes}, Blocks: f.blocks}) //nolint:gosec // small
				if f.err == nil && err != nil || f.err != nil && !errors.Is(err, f.err) {
					t.Errorf("%s, plain %v, frame %d: error %v, want %v", name, plain, i, err, f.err)
				}
				if hp := hpOf(d); hp != f.hp {
					t.Errorf("%s, plain %v, frame %d: HP %d, want %d", name, plain, i, hp, f.hp)
				}
			}
			if len(d.halves) > 0 {
				t.Errorf("%s, plain %v: a half keyframe is left", name, plain)
			}
		}
	}
}

// A scope of a lower rate says nothing by silence at a tick at which it is not due.
func TestSilenceCountsAtTicksThatAreDue(t *testing.T) {
	sc := testSchema(t)
	whole, parts := cutKey(t, sc, false, 9, 1)
	slow := []proto.Watch{proto.Watching(0, 4)}
	d := NewDecoder(sc)
	apply := func(tick uint32, blocks ...proto.Block) {
		t.Helper()
		if err := d.Apply(&proto.Frame{Head: proto.Head{Tick: tick, Scopes: slow}, Blocks: blocks}); err != nil {
			t.Fatalf("tick %d: %v", tick, err)
		}
	}
	apply(9, proto.Block{Data: whole})
	for _, step := range []struct{ tick, is uint32 }{{10, 9}, {11, 9}, {12, 12}, {13, 12}, {15, 12}, {17, 12}, {20, 20}} {
		apply(step.tick)
		if at := d.scopes[0].at[0]; at != step.is {
			t.Errorf("tick %d: the scope is that of %d, want %d", step.tick, at, step.is)
		}
	}
	parts[0].Part.Tick = 21
	apply(21, parts[0])
	apply(24)
	if at := d.scopes[0].at[0]; at != 20 {
		t.Errorf("while half a keyframe is here silence says that it is at %d", at)
	}
}
