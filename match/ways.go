package match

import (
	"muster/netcode"
	"muster/proto"
)

// beginEvery is how many seconds lie between two casts at which who watches can begin.
const beginEvery = 2

// Ways are the two ways through the casts of one room or replay, see [Cast]. One goroutine uses them. With the zero value
// all begin at the first cast; in place of others it makes all begin anew.
type Ways struct {
	main  way
	entry way
	joins bool   // the entries have not joined yet
	began uint32 // the tick at which one could begin last
}

// way is one of them.
type way struct {
	view  netcode.View
	head  proto.Head // of the frame before
	begun bool       // there is one
}

// Add adds the frame of the encoder's newest tick to a cast, and each two seconds, at so many ticks a second, one for those
// who begin. head is what it says besides, its scopes those that all who watch may see; none of its memory is kept. out is
// a writer for the while.
func (k *Ways) Add(c *Cast, enc *netcode.Encoder, head *proto.Head, rate int, out *proto.Writer) {
	if !k.main.begun {
		k.began, c.Begins = head.Tick, true
		c.Frame = k.main.frame(enc, head, out)
		return
	}
	if !k.joins && head.Tick-k.began >= uint32(beginEvery*rate) { //nolint:gosec // 1 to 128
		k.entry, k.began, k.joins = way{}, head.Tick, true
		c.Begins = true
	}
	c.Frame = k.main.frame(enc, head, out)
	if k.joins {
		c.Entry = k.entry.frame(enc, head, out)
		c.Joins = k.entry.view.Same(&k.main.view)
		k.joins = !c.Joins
	}
}

// frame makes the frame that follows.
func (w *way) frame(enc *netcode.Encoder, head *proto.Head, out *proto.Writer) []byte {
	blocks := enc.Prepare(&w.view, head.Scopes)
	var prev *proto.Head
	var hashes []proto.Hash
	if w.begun {
		prev = &w.head
		if netcode.HashDue(prev.Tick, head.Tick) {
			hashes = enc.Hashes(&w.view)
		}
	}
	out.Reset()
	head.Append(out, prev, hashes, len(blocks))
	for i := range blocks {
		blocks[i].Append(out)
	}
	scopes := append(w.head.Scopes[:0], head.Scopes...) //nolint:gocritic // the caller's own are not kept, their memory here is
	w.head, w.begun = *head, true
	w.head.Scopes = scopes
	return append([]byte(nil), out.Bytes()...)
}
