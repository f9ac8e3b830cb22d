package edge

import (
	"runtime"
	"sync"
	"time"

	"muster/match"
)

// A small audience is written to as soon as there is something; a large one in turns, several ticks in one write, so that
// what it costs is spread over the time between ticks.
const (
	atOnce    = 256                    // connections up to which each cast is written by itself
	manyConns = 4096                   // and above which writes are rarer
	writeFew  = 100 * time.Millisecond // between two writes to one connection
	writeMany = 200 * time.Millisecond // the same in a large audience
	turnEvery = 10 * time.Millisecond  // between two turns
	breath    = 32                     // writes after which others may run
	quietFor  = 4 * time.Second        // after so long without anything to write something is written
	lookEvery = 2 * time.Second        // how often that is looked for
)

// rhythm is how an audience of so many is written to: in how many turns, of which there is one each turnEvery.
func rhythm(conns int) (turns int) {
	switch {
	case conns <= atOnce:
		return 1
	case conns <= manyConns:
		return int(writeFew / turnEvery)
	}
	return int(writeMany / turnEvery)
}

// shard writes to some of an audience's connections.
type shard struct {
	a    *audience
	wake chan struct{}

	mu    sync.Mutex // held while connections are written to; no write blocks
	conns []*conn

	// Of its goroutine.
	now    time.Duration // of the flush, since the server's base
	ring   []*shot
	heard  bool
	holed  bool
	bursts []burst // by where they begin
	used   int     // of those
	rest   []byte  // memory of what one alone is sent
	skips  int     // since the last flush
	writes int
	frames int
	bytes  int
}

func newShard(a *audience) *shard { return &shard{a: a, wake: make(chan struct{}, 1)} }

// add takes a connection, if there is a place; nothing is written to it before it is greeted.
func (s *shard) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) >= perShard {
		return false
	}
	c.follow.shard, c.follow.at = s, len(s.conns)
	s.conns = append(s.conns, c)
	return true
}

// remove takes a connection out. The last one moves to its place, which may have had its turn already: another round is
// due, or that one would hear nothing before the next cast, and nothing at all after the last.
func (s *shard) remove(c *conn) {
	defer s.rouse()
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.conns) - 1
	moved := s.conns[last]
	s.conns[c.follow.at], s.conns[last] = moved, nil
	moved.follow.at = c.follow.at
	s.conns = s.conns[:last]
}

func (s *shard) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run is the shard's goroutine.
func (s *shard) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	armed, turn, turns, more := false, 0, 1, false
	arm := func(d time.Duration) { armed = true; timer.Reset(d) }
	for {
		select {
		case <-s.a.quit:
			return
		case <-s.a.server.ctx.Done():
			return
		case <-s.wake:
			if armed && rhythm(s.a.size()) > 1 {
				more = true // somebody has had his turn already
				continue
			}
		case <-look.C:
			s.reassure()
			continue
		case <-timer.C:
			armed = false
		}
		switch now := rhythm(s.a.size()); { // fewer turns within a round would leave some connections without one
		case now > turns: // those who had none in the round before have theirs in the next
			turns, more = now, true
		case turn >= turns:
			turn, turns, more = 0, now, false
		}
		more = s.flush(turn, turns) || more
		turn++
		switch {
		case turns == 1 && more:
			arm(writeFew)
		case turn < turns:
			arm(turnEvery)
		case more:
			arm(turnEvery)
		}
	}
}

// reassure writes to those to whom nothing was written for a while.
func (s *shard) reassure() {
	now := time.Since(s.a.server.base)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.reassure(now)
	}
}

// flush writes what is new to those connections whose turn it is. It says whether some are to be looked at again even
// where nothing new comes.
func (s *shard) flush(turn, turns int) (more bool) {
	s.ring, s.heard, s.holed = s.a.look(s.ring)
	s.used, s.now = 0, time.Since(s.a.server.base)
	s.mu.Lock()
	for i, n := turn, 0; i < len(s.conns); i += turns {
		c := s.conns[i]
		if s.serve(c) {
			more = true
		}
		if n++; n%breath == 0 {
			s.mu.Unlock()
			runtime.Gosched()
			s.mu.Lock()
		}
	}
	s.mu.Unlock()
	clear(s.ring)
	m := s.a.server.metrics
	m.framesOut.Add(float64(s.frames))
	m.bytesOut.Add(float64(s.bytes))
	m.watchWrites.Add(float64(s.writes))
	m.watchSkips.Add(float64(s.skips))
	s.frames, s.bytes, s.writes, s.skips = 0, 0, 0, 0
	return more
}

// burst is the bytes from a place in the casts to another, for everybody who is at the first.
type burst struct {
	at     place
	to     place
	told   uint32
	data   []byte
	frames int
	last   *match.Cast // the room's last one, where the burst ends with it
}

// place is where somebody is in the casts: which one he is sent next, and by which way.
type place struct {
	seq   uint64
	entry bool
}

// maxBurst is how much one write has at most, in bytes, if it has more than one cast.
const maxBurst = 64 << 10

// maxBursts is how many bursts are kept for others within one turn. Nearly all connections are at one of two places.
const maxBursts = 8

// burst returns what follows a place that is in the ring.
func (s *shard) burst(at place) *burst {
	for i := range s.used {
		if s.bursts[i].at == at {
			return &s.bursts[i]
		}
	}
	if s.used == len(s.bursts) && s.used < maxBursts {
		s.bursts = append(s.bursts, burst{})
	}
	if s.used < len(s.bursts) {
		s.used++
	}
	b := &s.bursts[s.used-1]
	*b = burst{at: at, to: at, data: b.data[:0]}
	for _, shot := range s.ring[at.seq-s.ring[0].Seq:] {
		if len(b.data) > 0 && len(b.data)+len(shot.said)+max(len(shot.frame), len(shot.entry)) > maxBurst {
			break
		}
		b.add(shot)
	}
	return b
}

// add appends what one who is at b.to is sent of a shot.
func (b *burst) add(shot *shot) {
	b.data = append(b.data, shot.said...)
	part := shot.frame
	if b.to.entry = b.to.entry && (!shot.Begins || shot.entry != nil); b.to.entry {
		part = shot.entry
	}
	b.data = append(b.data, part...)
	if len(part) > 0 {
		b.frames++
	}
	b.to = place{shot.Seq + 1, b.to.entry && !shot.Joins}
	b.told = shot.Told
	if shot.Close != nil {
		b.last = shot.Cast
	}
}
