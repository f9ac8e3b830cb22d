package edge

import (
	"encoding/binary"
	"sync"

	"github.com/lxzan/gws"

	"muster/match"
)

const (
	// maxRing bounds the casts that an audience keeps, in bytes, for those who begin and for those who are behind. The
	// oldest give way: whoever needs them is closed as a slow reader.
	maxRing = 8 << 20
	// perShard is how many connections one goroutine writes to.
	perShard = 4096
	// spareRing is how much longer than a reader may be slow casts are kept, in seconds: whoever begins anew is told the
	// events that came before.
	spareRing = 2
)

// audience is those of this process's connections that watch one room. The room, or what stands for it, hands it casts,
// which it frames once; goroutines of its own write the same bytes to everybody. Any goroutine may use it.
type audience struct {
	server *Server
	room   Room
	quit   chan struct{} // closed when nobody is left
	refs   int           // connections; the server's lock is held

	seating sync.Mutex // held while shards are added: they are changed with both locks, and read with either

	mu     sync.Mutex // no lock is taken with it
	ring   []*shot
	bytes  int
	next   uint64 // the number of the cast that follows; 0 before the first
	holed  bool   // events were lost on their way here
	over   bool   // the last cast has come
	gone   bool   // nobody is left
	shards []*shard
	plain  *plainShard
}

var _ match.Audience = (*audience)(nil)

// shot is a cast as it is written. It does not change.
type shot struct {
	*match.Cast
	frame, entry, said []byte // WebSocket frames, whole
	before             int64  // bytes of all shots before it that one who follows is sent
}

// framedCopy appends the WebSocket frame of a message.
func framedCopy(dst, msg []byte) []byte {
	switch n := len(msg); {
	case n <= 125:
		dst = append(dst, 0, byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0, 127), uint64(n))
	}
	dst[len(dst)-headerLen(len(msg))] = 0x80 | byte(gws.OpcodeBinary) // final: the whole message
	return append(dst, msg...)
}

// headerLen is how long the header of a WebSocket frame from a server is.
func headerLen(n int) int {
	switch {
	case n <= 125:
		return 2
	case n < 1<<16:
		return 4
	}
	return headroom
}

func newShot(c *match.Cast, before int64) *shot {
	n := len(c.Frame) + len(c.Entry) + 2*headroom
	for _, msg := range c.Said {
		n += len(msg) + headroom
	}
	all := make([]byte, 0, n)
	s := &shot{Cast: c, before: before}
	for _, msg := range c.Said {
		all = framedCopy(all, msg)
	}
	s.said = all[:len(all):len(all)]
	if len(c.Frame) > 0 {
		from := len(all)
		all = framedCopy(all, c.Frame)
		s.frame = all[from:len(all):len(all)]
	}
	if len(c.Entry) > 0 {
		from := len(all)
		all = framedCopy(all, c.Entry)
		s.entry = all[from:len(all):len(all)]
	}
	return s
}

// size is how much memory the shot has, roughly.
func (s *shot) size() int { return s.Bytes() + len(s.frame) + len(s.entry) + len(s.said) }

// Cast implements [match.Audience].
func (a *audience) Cast(c *match.Cast) {
	a.mu.Lock()
	if a.gone || a.over || a.next > 0 && c.Seq < a.next {
		a.mu.Unlock()
		return // again, or for nobody
	}
	if a.next == 0 {
		a.server.rings.rooms.Add(1)
	}
	before := int64(0)
	if n := len(a.ring); n > 0 {
		last := a.ring[n-1]
		before = last.before + int64(len(last.said)+len(last.frame))
		switch {
		case c.Seq == a.next:
		case c.Close != nil: // it needs nothing of what is missing
			own := *c
			own.Seq = a.next
			c = &own
		default: // what is here leads no further
			a.holed = a.holed || c.Event != last.Told
			clear(a.ring)
			a.ring = a.ring[:0]
			a.keep(-a.bytes)
		}
	}
	s := newShot(c, before)
	a.next, a.over = c.Seq+1, c.Close != nil
	a.ring = append(a.ring, s)
	a.keep(s.size())
	a.trim(c.Tick)
	shards, plain := a.shards, a.plain
	a.mu.Unlock()
	for _, sh := range shards {
		sh.rouse()
	}
	if plain != nil {
		plain.rouse()
	}
}

// trim forgets what is too old, or too much; a.mu is held.
func (a *audience) trim(tick uint32) {
	keep := uint32((a.server.cfg.SlowAfter.Seconds() + spareRing) * float64(a.room.Rate()))
	begin := a.newest(len(a.ring))
	n := 0
	for n < len(a.ring)-1 && (a.bytes > a.server.rings.part() || n < begin && tick-a.ring[n].Tick > keep) {
		a.keep(-a.ring[n].size())
		n++
	}
	if n > 0 {
		rest := copy(a.ring, a.ring[n:])
		clear(a.ring[rest:])
		a.ring = a.ring[:rest]
	}
}

// newest returns the last of the first n shots at which somebody can begin; -1 where there is none. a.mu is held.
func (a *audience) newest(n int) int { return newest(a.ring[:n]) }

func newest(ring []*shot) int {
	for i := len(ring) - 1; i >= 0; i-- {
		if ring[i].Begins {
			return i
		}
	}
	return -1
}

// look returns what there is now, in memory of the caller's.
func (a *audience) look(into []*shot) (ring []*shot, heard, holed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append(into[:0], a.ring...), a.next > 0, a.holed
}

// size is how many connections watch.
func (a *audience) size() int {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	return a.refs
}

// sit makes a connection one of the audience of its room. The connection is one of the server's, so that Close waits for
// what this begins.
func (s *Server) sit(c *conn, rm Room) {
	s.mu.Lock()
	a := s.audiences[rm]
	if a == nil {
		a = &audience{server: s, room: rm, quit: make(chan struct{})}
		s.audiences[rm] = a
	}
	a.refs++
	s.mu.Unlock()
	c.follow = &follower{audience: a}
	a.seating.Lock()
	defer a.seating.Unlock()
	if c.view.Plain {
		if a.plain == nil {
			p := newPlainShard(a)
			a.change(func() { a.plain = p })
			s.wg.Go(p.run)
		}
		c.follow.plain = a.plain
		a.plain.add(c)
		return
	}
	for _, sh := range a.shards {
		if sh.add(c) {
			return
		}
	}
	sh := newShard(a)
	sh.add(c)
	a.change(func() { a.shards = append(a.shards[:len(a.shards):len(a.shards)], sh) })
	s.wg.Go(sh.run)
}

func (a *audience) change(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// rise ends that; the last one ends the audience.
func (s *Server) rise(c *conn) {
	a := c.follow.audience
	if sh := c.follow.shard; sh != nil {
		sh.remove(c)
	} else {
		c.follow.plain.remove(c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.refs--; a.refs == 0 {
		delete(s.audiences, a.room)
		close(a.quit)
		a.leave()
	}
}
