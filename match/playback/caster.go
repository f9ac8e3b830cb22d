package playback

import (
	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// maxKept bounds the casts that are kept for those who begin, in bytes. Beyond it all begin anew.
const maxKept = 8 << 20

// caster makes of a session's frames what edges hand to all who watch it: see [match.Cast], by which a match is shown, too.
// It belongs to the session's goroutine. The zero value has nobody who watches.
type caster struct {
	feeds []*feed
	kept  []*match.Cast // from the newest but one on at which somebody can begin
	bytes int           // of them
	seq   uint64
	ways  match.Ways
}

// feed is an audience and how many connections it is for.
type feed struct {
	audience match.Audience
	n        int
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
	k.ways = match.Ways{}
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

// frames adds the frame of the tick, and from time to time one for those who begin. out is a writer for the while.
func (k *caster) frames(c *match.Cast, enc *netcode.Encoder, head *proto.Head, rate int, out *proto.Writer) {
	if k.bytes > maxKept {
		k.anew()
	}
	k.ways.Add(c, enc, head, rate, out)
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
