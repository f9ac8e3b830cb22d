package playback

import (
	"muster/match"
	"muster/netcode"
	"muster/proto"
)

const (
	// beginEvery is how many seconds lie between two casts at which who comes can begin.
	beginEvery = 2
	// maxKept bounds the casts that are kept for those who begin, in bytes. Beyond it all begin anew.
	maxKept = 8 << 20
)

// caster makes of a session's frames what edges hand to all who watch it: see [match.Cast], by which a match is shown, too.
// It belongs to the session's goroutine. The zero value has nobody who watches.
type caster struct {
	feeds []*feed
	kept  []*match.Cast // from the newest but one on at which somebody can begin
	bytes int           // of them
	seq   uint64
	began uint32 // the tick at which one could begin last
	main  way
	entry way
	joins bool // the entries have not joined yet
	out   *proto.Writer
}

// feed is an audience and how many connections it is for.
type feed struct {
	audience match.Audience
	n        int
}

// way is one of the two ways through the casts.
type way struct {
	view  netcode.View
	head  proto.Head // of the frame before
	begun bool       // there is one
}

// join counts one more who watches by an audience, which begins if it is new.
func (k *caster) join(a match.Audience) *feed {
	for _, f := range k.feeds {
		if f.audience == a {
			f.n++
			return f
		}
	}
	f := &feed{a, 1}
	k.feeds = append(k.feeds, f)
	k.give(a, k.begins(len(k.kept)))
	return f
}

// part counts one less. Without anybody nothing is kept.
func (k *caster) part(f *feed) {
	if f.n--; f.n > 0 {
		return
	}
	for i := range k.feeds {
		if k.feeds[i] == f {
			last := len(k.feeds) - 1
			k.feeds[i], k.feeds[last] = k.feeds[last], nil
			k.feeds = k.feeds[:last]
			break
		}
	}
	if len(k.feeds) == 0 {
		k.anew()
	}
}

// anew makes all begin with the next frame.
func (k *caster) anew() {
	k.main, k.entry, k.joins = way{}, way{}, false
	clear(k.kept)
	k.kept, k.bytes = k.kept[:0], 0
}

// again hands an audience what it has missed, from a number on, or from where it can begin.
func (k *caster) again(a match.Audience, from uint64) {
	for _, f := range k.feeds {
		if f.audience != a || len(k.kept) == 0 {
			continue
		}
		first := k.kept[0].Seq
		if from < first || from > k.seq {
			k.give(a, k.begins(len(k.kept)))
		} else {
			k.give(a, int(from-first)) //nolint:gosec // bounded by what is kept
		}
	}
}

// give hands an audience the casts from one on.
func (k *caster) give(a match.Audience, from int) {
	for i := max(from, 0); i < len(k.kept); i++ {
		a.Cast(k.kept[i])
	}
}

// begins returns the last of the first n casts at which somebody can begin; -1 where there is none.
func (k *caster) begins(n int) int {
	for i := n - 1; i >= 0; i-- {
		if k.kept[i].Begins {
			return i
		}
	}
	return -1
}

// newest is the tick of the newest cast and the newest event that was told; 0 and 0 where there is none.
func (k *caster) newest() (tick, event uint32) {
	if n := len(k.kept); n > 0 {
		return k.kept[n-1].Tick, k.kept[n-1].Told
	}
	return 0, 0
}

// frames adds the frame of the tick, and from time to time one for those who begin.
func (k *caster) frames(c *match.Cast, enc *netcode.Encoder, head *proto.Head, rate int) {
	if k.bytes > maxKept {
		k.anew()
	}
	if !k.main.begun {
		k.began, c.Begins = head.Tick, true
		c.Frame = k.frame(&k.main, enc, head)
		return
	}
	if !k.joins && head.Tick-k.began >= uint32(beginEvery*rate) { //nolint:gosec // 1 to 128
		k.entry, k.began, k.joins, c.Begins = way{}, head.Tick, true, true
	}
	c.Frame = k.frame(&k.main, enc, head)
	if k.joins {
		c.Entry = k.frame(&k.entry, enc, head)
		c.Joins = k.entry.view.Same(&k.main.view)
		k.joins = !c.Joins
	}
}

// frame makes the frame that follows on a way.
func (k *caster) frame(w *way, enc *netcode.Encoder, head *proto.Head) []byte {
	blocks := enc.Prepare(&w.view, head.Scopes)
	var prev *proto.Head
	var hashes []proto.Hash
	if w.begun {
		prev = &w.head
		if netcode.HashDue(prev.Tick, head.Tick) {
			hashes = enc.Hashes(&w.view)
		}
	}
	if k.out == nil {
		k.out = proto.NewWriter()
	}
	k.out.Reset()
	head.Append(k.out, prev, hashes, len(blocks))
	for i := range blocks {
		blocks[i].Append(k.out)
	}
	scopes := append(w.head.Scopes[:0], head.Scopes...) //nolint:gocritic // the session's own are not kept, their memory here is
	w.head, w.begun = *head, true
	w.head.Scopes = scopes
	return append([]byte(nil), k.out.Bytes()...)
}

// put hands a cast to all, and keeps it for those who come.
func (k *caster) put(c *match.Cast) {
	k.seq++
	c.Seq = k.seq
	k.kept = append(k.kept, c)
	k.bytes += c.Bytes()
	for _, f := range k.feeds {
		f.audience.Cast(c)
	}
	n := k.begins(k.begins(len(k.kept)))
	if n <= 0 {
		return
	}
	for _, old := range k.kept[:n] {
		k.bytes -= old.Bytes()
	}
	rest := copy(k.kept, k.kept[n:])
	clear(k.kept[rest:])
	k.kept = k.kept[:rest]
}

// end says to all why it is over.
func (k *caster) end(c proto.Close) {
	tick, event := k.newest()
	for _, f := range k.feeds {
		f.audience.Cast(&match.Cast{Seq: k.seq + 1, Tick: tick, Event: event, Told: event, Close: &c})
	}
	k.feeds = nil
	k.anew()
}
