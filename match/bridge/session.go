package bridge

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"muster/match"
	"muster/match/edge"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// session is the host's half for one room and one edge.
type session struct {
	b    *Bridge
	edge *remoteEdge
	id   uint64
	name string // the room's id

	heard atomic.Int64  // when something was last heard of the edge, in nanoseconds since the bridge's base
	have  atomic.Uint64 // the newest numbered message of the edge's that was carried out
	sent  atomic.Uint64 // the newest number that was given
	want  atomic.Uint32 // the generation that the edge wants

	// life is held while something that the edge said is carried out, and while the session ends. The room is called with
	// it. It is taken before mu.
	life sync.Mutex
	inst edge.Hosted // nil until it is found
	ans  *answer     // to the edge's hello, once there is one
	dead bool

	// mu is held for each numbered message that is sent. The room's goroutine takes it in calls of the viewers', so nothing
	// of the room's is called with it.
	mu      sync.Mutex
	out     outbox
	writer  *proto.Writer
	viewers map[uint64]*viewer
	watch   int  // of them, have no seat
	told    bool // that the room is over
	failed  bool // too much has not come
	shut    bool // no messages any more

	view roomView // of the room's goroutine

	// Of those who call Cast, one at a time.
	casts    *proto.Writer
	lastCast uint64
}

// viewer is a client of another process as its room sees it.
type viewer struct {
	session *session
	id      uint64
	seat    netcode.Seat

	// Of the room's goroutine.
	gen    uint32        // the generation in which scopes were sent
	scopes []proto.Watch // that were sent last
}

var _ match.Viewer = (*viewer)(nil)

// Edge implements [match.Viewer].
func (v *viewer) Edge() match.Edge { return v.session.edge }

// Seat implements [match.Viewer].
func (v *viewer) Seat() netcode.Seat { return v.seat }

// Welcome implements [match.Viewer]. The edge signs the secret.
func (v *viewer) Welcome(m *proto.Welcome, t token.Resume) {
	s := v.session
	s.post(func(w *proto.Writer, number uint64) { appendWelcome(w, s.id, number, v.id, m, &t) })
}

// Message implements [match.Viewer].
func (v *viewer) Message(msg []byte) {
	s := v.session
	s.post(func(w *proto.Writer, number uint64) {
		numbered(w, 5, kindMessage, s.id, number, v.id)
		w.Bin(msg)
	})
}

// Close implements [match.Viewer].
func (v *viewer) Close(c proto.Close) {
	s := v.session
	s.post(func(w *proto.Writer, number uint64) { appendClose(w, s.id, number, v.id, c) })
}

// post sends a numbered message. Where too much has not come the session is as good as dead; lookAround ends it.
func (s *session) post(write func(w *proto.Writer, number uint64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut || s.failed {
		return
	}
	write(s.writer, s.out.last+1)
	if !s.out.keep(s.writer.Bytes(), time.Now()) {
		s.failed = true
		return
	}
	s.sent.Store(s.out.last)
	s.b.send(s.edge.id, s.writer.Bytes())
}

// over tells the edge, once, that nobody can come to the room any more by this session.
func (s *session) over() {
	s.mu.Lock()
	told := s.told
	s.told = true
	s.mu.Unlock()
	if !told {
		s.post(func(w *proto.Writer, number uint64) {
			begin(w, 3, kindOver, s.id)
			w.Uint(number)
		})
	}
}

// note takes what the edge says of the numbered messages, and says whether some of its own have not come.
func (s *session) note(st state) (missing bool) {
	now := time.Now()
	s.heard.Store(int64(now.Sub(s.b.base)))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.heard(st.have, now)
	s.repeat(st.again, now)
	return st.sent > s.have.Load()
}

// repeat sends what has not come again; s.mu is held.
func (s *session) repeat(wanted bool, now time.Time) {
	s.out.repeat(wanted, now, func(msg []byte) {
		s.b.metrics.repeats.Inc()
		s.b.send(s.edge.id, msg)
	})
}

// pong says what has come, and asks for what has not.
func (s *session) pong() { s.answerPing(true, 0) }

func (s *session) answerPing(again bool, stamp uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return
	}
	begin(s.writer, 6, kindPong, s.id)
	st := state{s.have.Load(), s.out.last, again}
	st.append(s.writer)
	s.writer.Uint(stamp)
	s.b.send(s.edge.id, s.writer.Bytes())
}

// silent says whether nothing was heard for too long.
func (s *session) silent() bool {
	return time.Since(s.b.base)-time.Duration(s.heard.Load()) > silence
}

// open finds the room and answers the edge.
func (s *session) open(open bool) {
	ctx, cancel := context.WithTimeout(s.b.ctx, openTimeout)
	defer cancel()
	inst, err := s.b.cfg.Find(ctx, s.name, open)
	if err != nil {
		inst = nil // not a room that is none
	}
	ans := &answer{}
	var refused *proto.Close
	switch {
	case errors.As(err, &refused):
		ans.refused = *refused
	case err != nil:
		s.b.log.Warn("finding a room for another node failed", zap.String("room", s.name), zap.Error(err))
		ans.refused = proto.Close{Code: proto.CodeOverloaded, Reason: "the match cannot be reached now"}
	default:
		ans.epoch, ans.rate, ans.inputs = inst.Epoch(), uint8(inst.Rate()), inst.Mode() //nolint:gosec // 1 to 128
		ans.schema, ans.behind = inst.Schema().Binary(), inst.Behind()
	}
	s.life.Lock()
	s.inst, s.ans = inst, ans
	s.life.Unlock()
	s.sayAnswer()
	if inst == nil {
		s.end(false)
	}
}

// sayAnswer answers the hello, where there is an answer.
func (s *session) sayAnswer() {
	s.life.Lock()
	ans := s.ans
	s.life.Unlock()
	if ans == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ans.append(s.writer, s.id)
	s.b.send(s.edge.id, s.writer.Bytes())
}

// carryOut does what a numbered message says, once and in its turn.
func (s *session) carryOut(h head, r *proto.Reader) error {
	number, id := r.Uint("number", maxNumber), r.Uint("viewer", maxNumber)
	if r.Err() != nil {
		return r.Err()
	}
	s.heard.Store(int64(time.Since(s.b.base)))
	s.life.Lock()
	defer s.life.Unlock()
	if s.dead || s.inst == nil {
		return nil
	}
	switch have := s.have.Load(); {
	case number > have+1:
		s.pong()
		return nil
	case number <= have:
		return nil // again
	}
	s.have.Store(number) // also where it cannot be read: it would not get better
	switch h.kind {
	case kindAttach:
		a, err := readAttach(r, h.n)
		if err != nil {
			return err
		}
		s.attach(id, a)
	case kindDetach:
		s.detach(id)
	case kindLeave:
		if v := s.viewer(id); v != nil {
			s.inst.Leave(v)
		}
	case kindRefresh:
		if v, expires := s.viewer(id), moment(r); v != nil && r.Err() == nil {
			s.inst.Refresh(v, expires)
		}
	}
	return r.Err()
}

func (s *session) viewer(id uint64) *viewer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.viewers[id]
}

// attach brings a client to the room; s.life is held.
func (s *session) attach(id uint64, a match.Attach) {
	v := &viewer{session: s, id: id, seat: a.Player.Seat}
	if a.Watch {
		v.seat = 0
	}
	s.mu.Lock()
	known, full := s.viewers[id] != nil, len(s.viewers)-s.watch >= maxViewers
	if a.Watch {
		a.Audience, full = s, s.watch >= maxWatch
	}
	if !known && !full {
		s.viewers[id] = v
		s.count(v, 1)
	}
	s.mu.Unlock()
	switch {
	case known:
		return
	case full:
		v.Close(proto.Close{Code: proto.CodeOverloaded, Reason: "too many come to the match from this server"})
		return
	}
	s.b.metrics.viewers[hostHalf].Inc()
	a.Viewer = v
	if !s.inst.Attach(a) { // it has ended, and may have begun anew
		s.remove(id)
		s.over()
	}
}

// detach reports that a client is gone; s.life is held.
func (s *session) detach(id uint64) {
	if v := s.remove(id); v != nil {
		s.inst.Detach(v)
	}
}

func (s *session) remove(id uint64) *viewer {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.viewers[id]
	if v != nil {
		delete(s.viewers, id)
		s.count(v, -1)
		s.b.metrics.viewers[hostHalf].Dec()
	}
	return v
}

// count counts those who have no seat; s.mu is held.
func (s *session) count(v *viewer, n int) {
	if v.seat == 0 {
		s.watch += n
	}
}

// look repeats what has not come, and ends the session where the edge is not there or the room is not.
func (s *session) look() {
	s.life.Lock()
	inst, dead := s.inst, s.dead
	s.life.Unlock()
	if dead || inst == nil {
		return
	}
	s.mu.Lock()
	failed := s.failed
	s.repeat(false, time.Now())
	s.mu.Unlock()
	if failed || s.silent() {
		s.b.metrics.givenUp[hostHalf].Inc()
		s.end(true)
		return
	}
	select {
	case <-inst.Done():
	default:
		return
	}
	select {
	case <-inst.Shown():
		s.over()
	default: // those who watch are not at the end yet
	}
}

// end forgets the session; its viewers' seats are held by the room. tell says whether the edge is to know.
func (s *session) end(tell bool) {
	s.life.Lock()
	defer s.life.Unlock()
	if s.dead {
		return
	}
	s.dead = true
	s.mu.Lock()
	s.shut = true
	list := make([]*viewer, 0, len(s.viewers))
	for _, v := range s.viewers {
		list = append(list, v)
	}
	clear(s.viewers)
	s.watch = 0
	if tell {
		begin(s.writer, 2, kindUnknown, s.id)
		s.b.send(s.edge.id, s.writer.Bytes())
	}
	s.mu.Unlock()
	s.b.metrics.viewers[hostHalf].Sub(float64(len(list)))
	for _, v := range list {
		s.inst.Detach(v)
	}
	s.b.forgetSession(s)
}
