package edge

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"muster/proto"
)

// follower is what a connection that watches is besides. What is not atomic belongs to the goroutine that writes to it.
type follower struct {
	audience *audience
	shard    *shard      // nil for one that reads the plain form
	plain    *plainShard // the other way round
	at       int         // its index in the shard, whose lock is held

	greeting atomic.Pointer[proto.Welcome] // from the welcome on until it is written

	begun bool
	place place
	told  uint32        // the newest event
	wrote time.Duration // when something was last written, since the server's base
}

// greet takes the room's welcome. It is written when there is something to begin with, since only then it is known which
// events follow, or at once where nothing has been shown yet.
func (c *conn) greet(m *proto.Welcome, expires time.Time) {
	c.expires.Set(expires)
	if c.expires.Over(c.server.cfg.Keys) {
		c.Close(tokenEnded)
		return
	}
	own := *m
	c.follow.greeting.Store(&own)
	if c.follow.shard != nil {
		c.follow.shard.rouse()
	} else {
		c.follow.plain.rouse()
	}
}

// welcome writes the welcome of one who watches, if that was not done.
func (c *conn) welcome(tick, event uint32) {
	m := c.follow.greeting.Swap(nil)
	if m == nil {
		return
	}
	m.Tick, m.Event, m.Expires = tick, event, c.expires.Left(c.server.cfg.Keys)
	c.follow.told = event
	w := takeWriter()
	defer writers.Put(w)
	m.Append(w)
	c.welcomed.Store(true)
	c.count(0)
	c.message(w)
	c.follow.wrote = time.Since(c.server.base)
}

// reassure writes something to one that was sent nothing for a while, since its room has nothing to show yet, or sleeps: a
// client takes silence for the end of the socket.
func (c *conn) reassure(now time.Duration) {
	f := c.follow
	if !c.welcomed.Load() || c.ended.Load() || now-f.wrote < quietFor || c.Pipe.Congested() {
		return
	}
	f.wrote = now
	w := takeWriter()
	defer writers.Put(w)
	m := proto.Refreshed{Expires: c.expires.Left(c.server.cfg.Keys)}
	m.Append(w)
	c.message(w)
}

// serve writes to one connection what is new for it; c is one of the shard's, whose lock is held. It says whether it is to
// be looked at again even where nothing new comes.
func (s *shard) serve(c *conn) (more bool) {
	f := c.follow
	if c.ended.Load() || len(s.ring) == 0 && !c.due(s.heard) {
		return false
	}
	if c.Pipe.Congested() {
		c.server.metrics.skipped.Inc()
		c.stuck()
		return true
	}
	c.slow = time.Time{}
	if len(s.ring) == 0 {
		c.welcome(0, 0)
		return false
	}
	end := s.ring[len(s.ring)-1]
	switch {
	case !f.begun && !s.begin(c):
		return false
	case f.place.seq > end.Seq:
		return false
	case !s.skip(c):
		return false
	}
	b := s.burst(f.place)
	if !c.putFramed(b.data) {
		return false
	}
	f.place, f.told, f.wrote = b.to, b.told, s.now
	s.sent(len(b.data), b.frames)
	if b.last != nil {
		c.Close(*b.last.Close)
		return false
	}
	return f.place.seq <= end.Seq
}

// due says whether a connection is to be greeted now although there is nothing: nothing has ever been shown to it.
func (c *conn) due(heard bool) bool {
	m := c.follow.greeting.Load()
	return m != nil && !heard && m.Tick == 0 && m.Event == 0
}

func (s *shard) sent(bytes, frames int) {
	s.bytes, s.frames, s.writes = s.bytes+bytes, s.frames+frames, s.writes+1
}

// begin brings a connection to where it can begin, if there is such a place.
func (s *shard) begin(c *conn) bool {
	f := c.follow
	last := s.ring[len(s.ring)-1]
	i := newest(s.ring)
	switch {
	case i < 0 && last.Close != nil: // it has seen nothing, and will not
		i = len(s.ring) - 1
	case i < 0:
		return false
	}
	first := s.ring[i]
	switch {
	case f.greeting.Load() != nil:
		c.welcome(max(first.Tick, 1)-1, first.Event)
	case !c.welcomed.Load():
		return false // not greeted
	case f.told != first.Event:
		c.Close(proto.Close{Code: proto.CodeNodeLeaving, Reason: "events were lost on their way"})
		return false
	}
	f.begun, f.place = true, place{first.Seq, first.entry != nil}
	return true
}

// skip brings a connection that is behind to where it can begin anew, with what was said in between, where that is less
// than what it lacks, where what it lacks is gone, or where it could not read what it was sent. It is false where the
// connection is over.
func (s *shard) skip(c *conn) bool {
	f := c.follow
	first, end := s.ring[0], s.ring[len(s.ring)-1]
	gone := f.place.seq < first.Seq
	if gone && f.told != first.Event {
		code := proto.Close{Code: proto.CodeSlowReader, Reason: "too much was missed"}
		if s.holed {
			code = proto.Close{Code: proto.CodeNodeLeaving, Reason: "events were lost on their way"}
		}
		c.Close(code)
		return false
	}
	from := 0
	if !gone {
		from = int(f.place.seq - first.Seq) //nolint:gosec // bounded by the ring
	}
	anew := c.resync.Load()
	late := end.Tick-s.ring[from].Tick > uint32(c.room.Rate()) //nolint:gosec // 1 to 128
	if !gone && !anew && !late {
		return true
	}
	j := from + newest(s.ring[from:])
	switch {
	case j < from && gone && end.Close == nil:
		f.begun = false // it waits for one
		return false
	case j < from && gone: // there will be none: what was said, and the end, is all that follows
		j = len(s.ring) - 1
	case j < from, j == from && !gone && !anew:
		return true
	}
	said, skipped := 0, s.ring[j].before-s.ring[from].before
	for _, shot := range s.ring[from:j] {
		said += len(shot.said)
	}
	if !gone && !anew && int64(said+len(s.ring[j].entry)) >= skipped+int64(len(s.ring[j].frame)) {
		return true // it is less to send all
	}
	s.rest = s.rest[:0]
	for _, shot := range s.ring[from:j] {
		s.rest = append(s.rest, shot.said...)
	}
	if len(s.rest) > 0 && !c.putFramed(s.rest) {
		return false
	}
	if anew {
		c.resync.Store(false)
		c.forgetResyncs()
	} else {
		s.skips++
	}
	f.place = place{s.ring[j].Seq, s.ring[j].entry != nil}
	f.told = s.ring[j].Event
	return true
}

// stuck closes a connection that has taken nothing for too long.
func (c *conn) stuck() {
	if now := time.Now(); c.slow.IsZero() {
		c.slow = now
	} else if now.Sub(c.slow) > c.server.cfg.SlowAfter {
		c.Close(proto.Close{Code: proto.CodeSlowReader, Reason: "nothing was read for too long"})
	}
}

// forgetResyncs forgets which scopes are wanted: all of them come.
func (c *conn) forgetResyncs() {
	c.resyncMu.Lock()
	c.resyncs = c.resyncs[:0]
	c.resyncMu.Unlock()
}

// putFramed writes WebSocket frames that are whole. It is false where the connection is over.
func (c *conn) putFramed(b []byte) bool {
	c.out.Lock()
	defer c.out.Unlock()
	if c.ended.Load() {
		return false
	}
	_, err := c.Carrier.Write(b)
	if err == nil {
		return true
	}
	if !errors.Is(err, net.ErrClosed) {
		_ = c.Carrier.Close()
	}
	return false
}
