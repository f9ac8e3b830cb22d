package bridge

import (
	"math"
	"sync"
	"time"

	"muster/match"
	"muster/proto"
)

const maxNumber = math.MaxUint64

// remoteEdge is another process that holds clients of rooms here. Rooms know it by its address in memory.
type remoteEdge struct {
	b  *Bridge
	id string // the node's

	sessions map[uint64]*session // held by Bridge.mu
}

var _ match.Edge = (*remoteEdge)(nil)

// Send implements [match.Edge]. The viewers are of one session, but for a moment when an edge has begun anew.
func (e *remoteEdge) Send(f *match.Frame) {
	first := f.Views[0].Viewer.(*viewer).session //nolint:forcetypeassert // a viewer's edge is the one that made it
	first.send(f)
	for i := range f.Views {
		s := f.Views[i].Viewer.(*viewer).session //nolint:forcetypeassert // as above
		if s != first && s.firstOf(f.Views[:i]) {
			s.send(f)
		}
	}
}

// firstOf says that none of the views is of this session.
func (s *session) firstOf(views []match.View) bool {
	for i := range views {
		if views[i].Viewer.(*viewer).session == s { //nolint:forcetypeassert // as above
			return false
		}
	}
	return true
}

// forget takes a session out that has ended.
func (b *Bridge) forgetSession(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.edge.sessions[s.id] != s {
		return
	}
	b.metrics.sessions[hostHalf].Dec()
	delete(s.edge.sessions, s.id)
	if len(s.edge.sessions) == 0 && b.edges[s.edge.id] == s.edge {
		delete(b.edges, s.edge.id)
	}
}

// session returns that of an edge with a number, or nil.
func (b *Bridge) session(node string, id uint64) *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.edges[node]; e != nil {
		return e.sessions[id]
	}
	return nil
}

// sessions returns those of a node, or of all.
func (b *Bridge) sessions(node string) (list []*session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, e := range b.edges {
		if node != "" && id != node {
			continue
		}
		for _, s := range e.sessions {
			list = append(list, s)
		}
	}
	return list
}

// lookAround looks at all sessions now and then.
func (b *Bridge) lookAround() {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-ticker.C:
		}
		for _, s := range b.sessions("") {
			s.look()
		}
	}
}

// serve carries out what an edge says.
func (b *Bridge) serve(from string, h head, r *proto.Reader) error {
	if h.kind == kindHello {
		return b.hello(from, h, r)
	}
	s := b.session(from, h.session)
	if s == nil {
		if h.kind == kindPing || h.kind == kindAttach { // not to each input
			w := proto.NewWriter()
			begin(w, 2, kindUnknown, h.session)
			b.send(from, w.Bytes())
		}
		return nil
	}
	switch h.kind {
	case kindPing:
		st, gen, stamp := readState(r), r.Uint32("generation"), r.Uint("stamp", math.MaxUint64)
		r.SkipRest("ping", h.n, 7)
		if err := r.Done(); err != nil {
			return err //nolint:wrapcheck // says where already
		}
		s.want.Store(gen)
		s.answerPing(s.note(st), stamp)
	case kindBye:
		s.end(false)
	case kindInput:
		return s.input(h, r)
	case kindAgain:
		from := r.Uint("cast", maxNumber)
		r.SkipRest("again", h.n, 3)
		if err := r.Done(); err != nil {
			return err //nolint:wrapcheck // says where already
		}
		s.again(from)
	case kindAttach, kindDetach, kindLeave, kindRefresh:
		return s.carryOut(h, r)
	}
	return nil
}

// hello begins a session, or answers again.
func (b *Bridge) hello(from string, h head, r *proto.Reader) error {
	var m hello
	if err := m.parse(r, h.n); err != nil {
		return err
	}
	if s := b.session(from, h.session); s != nil {
		s.sayAnswer()
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.edges[from]
	if b.closed || e != nil && len(e.sessions) >= maxSessions {
		return nil
	}
	select {
	case b.opening <- struct{}{}:
	default: // it is asked again
		return nil
	}
	if e == nil {
		e = &remoteEdge{b: b, id: from, sessions: map[uint64]*session{}}
		b.edges[from] = e
	}
	s := &session{b: b, edge: e, id: h.session, name: m.room, writer: proto.NewWriter(), viewers: map[uint64]*viewer{}}
	s.heard.Store(int64(time.Since(b.base)))
	s.want.Store(m.gen)
	e.sessions[s.id] = s
	b.metrics.sessions[hostHalf].Inc()
	b.wg.Go(func() {
		defer func() { <-b.opening }()
		s.open(m.open)
	})
	return nil
}

var packets = sync.Pool{New: func() any { return new(proto.InputPacket) }}

// input hands packets of clients' to the room. The edge has checked the bodies; here that is done again, since a room that
// is given what the schema does not allow takes it for a mistake of its own.
func (s *session) input(h head, r *proto.Reader) error {
	st := state{have: r.Uint("have", maxNumber), sent: r.Uint("sent", maxNumber)}
	if s.note(st) {
		s.pong()
	}
	inner := s.b.readers.Get().(*proto.Reader) //nolint:forcetypeassert // the pool's own
	defer s.b.readers.Put(inner)
	defer inner.Reset(nil)
	p := packets.Get().(*proto.InputPacket) //nolint:forcetypeassert // the pool's own
	defer packets.Put(p)
	now := r.Uint32("next tick")
	if h.n%3 != 2 {
		return errMessage
	}
	for n := 5; n < h.n && r.Err() == nil; n += 3 {
		id, then, packet := r.Uint("viewer", maxNumber), r.Uint32("next tick"), r.Bin("packet", proto.MaxClientMessage)
		if r.Err() != nil {
			break
		}
		inner.Reset(packet)
		kind, k, err := proto.ClientKind(inner)
		if err == nil && kind != proto.KindInput {
			err = errMessage
		}
		if err == nil {
			err = p.Parse(inner, k)
		}
		for i := range p.Inputs {
			p.Inputs[i].Waited = uint8(min(max(int64(now)-int64(then), 0), math.MaxUint8))
		}
		if err == nil {
			err = s.take(id, p)
		}
		if err != nil {
			return err
		}
	}
	return r.Done() //nolint:wrapcheck // says where already
}

// take hands one client's packet to the room.
func (s *session) take(id uint64, p *proto.InputPacket) error {
	v := s.viewer(id)
	if v == nil {
		return nil
	}
	for i := range p.Inputs {
		if err := s.inst.Schema().CheckInput(p.Inputs[i].Body); err != nil {
			return err //nolint:wrapcheck // says where already
		}
	}
	s.inst.Input(v, p)
	return nil
}
