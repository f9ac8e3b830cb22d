package bridge

import (
	"math"
	"time"

	"muster/match"
	"muster/proto"
)

// What a room says to those who watch it comes to an edge once, however many they are there. Casts are numbered by the
// room. Where one is missing the edge asks for it and those after it; where the host has it no more it sends them from one
// on with which all can begin anew. The last one must arrive, and is numbered like welcomes and closes.

const (
	castLen = 14 // elements of a cast
	lastLen = 11 // elements of the last one
	// maxSaid bounds the messages for everyone that come with one cast.
	maxSaid = 4096
)

// Flags of a cast.
const (
	castBegins = 1
	castJoins  = 2
	castFresh  = 4 // what came before it does not follow: the edge begins with it, or has asked for it
)

// castHead is what a cast's message says besides.
type castHead struct {
	have, sent uint64 // as in state
	now        uint32 // the room's tick time when this was sent
	frac       uint16
	fresh      bool
}

func appendCast(w *proto.Writer, session uint64, h *castHead, c *match.Cast) {
	begin(w, castLen, kindCast, session)
	w.Uint(h.have)
	w.Uint(h.sent)
	w.Uint(uint64(h.now))
	w.Uint(uint64(h.frac))
	w.Uint(c.Seq)
	w.Uint(uint64(c.Tick))
	w.Uint(uint64(c.Event))
	w.Uint(uint64(c.Told))
	w.Uint(bit(c.Begins, castBegins) | bit(c.Joins, castJoins) | bit(h.fresh, castFresh))
	w.Bin(c.Frame)
	w.Bin(c.Entry)
	appendSaid(w, c.Said)
}

func bit(set bool, value uint64) uint64 {
	if set {
		return value
	}
	return 0
}

func appendSaid(w *proto.Writer, said [][]byte) {
	w.Array(len(said))
	for _, msg := range said {
		w.Bin(msg)
	}
}

func readSaid(r *proto.Reader) (said [][]byte) {
	for range r.Array("said", maxSaid) {
		if r.Err() != nil {
			break
		}
		said = append(said, own(r.Bin("message", proto.MaxServerMessage)))
	}
	return said
}

// readCast reads a cast, whose bytes it copies: they are kept.
func readCast(r *proto.Reader, n int) (h castHead, c *match.Cast, err error) {
	h.have, h.sent = r.Uint("have", math.MaxUint64), r.Uint("sent", math.MaxUint64)
	h.now, h.frac = r.Uint32("now"), r.Uint16("fraction")
	c = &match.Cast{Seq: r.Uint("cast", math.MaxUint64-1), Tick: r.Uint32("tick"), Event: r.Uint32("event"), Told: r.Uint32("told")}
	flags := r.Uint("flags", math.MaxUint8)
	c.Begins, c.Joins, h.fresh = flags&castBegins != 0, flags&castJoins != 0, flags&castFresh != 0
	c.Frame = own(r.Bin("frame", proto.MaxServerMessage))
	c.Entry = own(r.Bin("entry", proto.MaxServerMessage))
	c.Said = readSaid(r)
	if r.Err() == nil && (c.Told < c.Event || c.Seq == 0) {
		r.Fail("cast", "numbers that go back")
	}
	r.SkipRest("cast", n, castLen)
	return h, c, r.Done() //nolint:wrapcheck // says where already
}

// appendLast writes the last cast.
func appendLast(w *proto.Writer, session, number uint64, c *match.Cast) {
	numbered(w, lastLen, kindLast, session, number, 0)
	w.Uint(c.Seq)
	w.Uint(uint64(c.Tick))
	w.Uint(uint64(c.Event))
	w.Uint(uint64(c.Told))
	w.Uint(uint64(c.Close.Code))
	w.Str(clip(c.Close.Reason))
	appendSaid(w, c.Said)
}

func readLast(r *proto.Reader, n int) (*match.Cast, error) {
	c := &match.Cast{Seq: r.Uint("cast", math.MaxUint64-1), Tick: r.Uint32("tick"), Event: r.Uint32("event"), Told: r.Uint32("told")}
	c.Close = &proto.Close{Code: proto.Code(r.Uint16("code")), Reason: r.Str("reason", maxReason)}
	c.Said = readSaid(r)
	r.SkipRest("last cast", n, lastLen)
	return c, r.Done() //nolint:wrapcheck // says where already
}

func own(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return append([]byte(nil), b...)
}

var _ match.Audience = (*session)(nil)

// Cast implements [match.Audience]: the edge's clients that watch.
func (s *session) Cast(c *match.Cast) {
	if c.Close != nil {
		s.post(func(w *proto.Writer, number uint64) { appendLast(w, s.id, number, c) })
		return
	}
	if s.casts == nil {
		s.casts = proto.NewWriter()
	}
	h := castHead{have: s.have.Load(), sent: s.sent.Load(), fresh: c.Seq != s.lastCast+1}
	h.now, h.frac = s.inst.Clock()
	s.lastCast = c.Seq
	appendCast(s.casts, s.id, &h, c)
	if s.b.send(s.edge.id, s.casts.Bytes()) {
		s.b.metrics.casts[hostHalf].Inc()
	}
}

// again hands the edge what it has missed.
func (s *session) again(from uint64) {
	s.life.Lock()
	inst, dead := s.inst, s.dead
	s.life.Unlock()
	if inst != nil && !dead {
		inst.Again(s, from)
	}
}

// castAgain is how long an edge waits for what it has asked for.
const castAgain = 100 * time.Millisecond

// cast hands what the room says to those who watch here.
func (rm *room) cast(h head, r *proto.Reader) error {
	m, c, err := readCast(r, h.n)
	if err != nil {
		return err
	}
	rm.clock.note(m.now, m.frac, rm.feed.heard)
	rm.note(state{have: m.have, sent: m.sent})
	f := &rm.feed
	rm.mu.Lock()
	a := rm.audience
	rm.mu.Unlock()
	if a != f.audience { // another one has come since the last has left: it begins
		f.audience, f.cast = a, 0
	}
	switch {
	case c.Seq < f.cast:
		return nil // again
	case c.Seq > f.cast && !m.fresh:
		rm.b.metrics.gaps.Inc()
		rm.askCasts()
		return nil
	}
	f.cast = c.Seq + 1
	rm.b.metrics.casts[edgeHalf].Inc()
	if a != nil {
		a.Cast(c)
	}
	return nil
}

// askCasts asks for the casts that are missing, not too often.
func (rm *room) askCasts() {
	now := time.Now()
	if now.Sub(rm.feed.castAsked) < castAgain {
		return
	}
	rm.feed.castAsked = now
	rm.mu.Lock()
	defer rm.mu.Unlock()
	begin(rm.writer, 3, kindAgain, rm.session)
	rm.writer.Uint(rm.feed.cast)
	rm.b.send(rm.place.host, rm.writer.Bytes())
}

// castEnd gives the last cast to this process's audience.
func (rm *room) castEnd(c *match.Cast) {
	rm.mu.Lock()
	a := rm.audience
	rm.mu.Unlock()
	if a != nil {
		rm.feed.shown = true
		a.Cast(c)
	}
}
