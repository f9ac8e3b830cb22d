package node_test

import (
	"errors"
	"sync"
	"testing"

	"muster/match"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// ledger is a game that adds up what its players pay, and tells everybody of each payment.
type ledger struct{}

type book struct {
	Page netcode.Value[page]
}

type page struct {
	Sum  int32
	N    int32
	Ends bool `net:"server"`
}

type entry struct{ Op, Amount uint8 }

type paid struct{ N, Sum int32 }

const (
	opPay = iota
	opEnd
	opHang
)

// never is what rules wait for that do not return.
var never sync.Map // of channels, by the tests' names

func (ledger) Step(s *netcode.Step[book, entry]) {
	p := &s.State.Page.V
	for _, in := range s.Inputs() {
		switch in.Op {
		case opPay:
			p.Sum, p.N = p.Sum+int32(in.Amount), p.N+1
			s.Emit(netcode.Everyone(), paid{p.N, p.Sum})
		case opEnd:
			p.Ends = true
		case opHang:
			ch, _ := never.Load(int32(in.Amount))
			<-ch.(chan struct{})
		}
	}
}

// Feed is a payment from elsewhere.
func (ledger) Feed(r *match.Room[book], in entry) error {
	p := &r.State().Page.V
	if in.Op != opPay {
		return errors.New("payments only")
	}
	p.Sum, p.N = p.Sum+int32(in.Amount), p.N+1
	r.Emit(netcode.Everyone(), paid{p.N, p.Sum})
	return nil
}

func (ledger) After(r *match.Room[book]) {
	if p := &r.State().Page.V; p.Ends {
		r.End([]match.Placement{{Player: "alice", Score: int64(p.Sum)}})
	}
}

func ledgerGame(t testing.TB, name string, rules match.Rules) match.Game {
	t.Helper()
	rules.Inputs, rules.Events = proto.Commands, []any{paid{}}
	g := match.Define[book, entry](name, ledger{}, rules)
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	return g
}

// desk is the edge of the tests' players.
type desk struct{}

func (desk) Send(f *match.Frame) {
	for i := range f.Views {
		p := f.Views[i].Viewer.(*sitting)
		p.mu.Lock()
		p.head = f.Views[i].Head
		p.frames++
		p.mu.Unlock()
	}
}

// sitting is one connection of a player.
type sitting struct {
	t      testing.TB
	schema *netcode.Schema
	seat   netcode.Seat
	line   *line // of the process that it is to

	mu      sync.Mutex
	welcome *proto.Welcome
	resume  token.Resume
	head    proto.Head
	frames  int
	events  map[uint32]paid
	ended   *proto.End
	closed  *proto.Close
}

func (s *sitting) Edge() match.Edge   { return desk{} }
func (s *sitting) Seat() netcode.Seat { return s.seat }

func (s *sitting) Welcome(w *proto.Welcome, r token.Resume) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := *w
	s.welcome, s.resume = &c, r
}

func (s *sitting) Message(msg []byte) {
	if s.line.isCut() { // whoever is dead says nothing, though the loop of his that runs on in the test does
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := proto.NewReader(append([]byte(nil), msg...))
	kind, n, err := proto.ServerKind(r)
	switch kind {
	case proto.KindEvents:
		var m proto.Events
		if err = m.Parse(r, n); err != nil {
			break
		}
		for i, body := range m.List {
			e, rerr := s.schema.ReadEvent(body)
			if rerr != nil {
				s.t.Error(rerr)
				continue
			}
			s.events[m.First+uint32(i)] = *e.(*paid)
		}
	case proto.KindEnd:
		s.ended = &proto.End{}
		err = s.ended.Parse(r, n)
	}
	if err != nil {
		s.t.Error(err)
	}
}

func (s *sitting) Close(c proto.Close) {
	if s.line.isCut() && c.Code == proto.CodeDone {
		return // as above; that the socket is gone is heard
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed == nil {
		s.closed = &c
	}
}

// count is how many frames came.
func (s *sitting) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frames
}

// greeted returns the welcome, nil before it came, and what the player may come back by.
func (s *sitting) greeted() (*proto.Welcome, token.Resume) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.welcome, s.resume
}

func (s *sitting) code() proto.Code {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed == nil {
		return 0
	}
	return s.closed.Code
}
