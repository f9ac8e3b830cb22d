package match

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// dots is a small game with every hook.
type dots struct{ panicAt uint32 }

type dot struct {
	X     float32 `net:"range=0:100,step=0.5"`
	Owner netcode.Seat
	Ammo  uint8 `net:"owner"`
	Gone  bool
}

type dotWorld struct {
	Dots netcode.Table[dot] `net:"max=8"`
}

type dotInput struct{ DX int8 }

type moved struct{ By netcode.Seat }

func (d dots) Step(s *netcode.Step[dotWorld, dotInput]) {
	if d.panicAt != 0 && s.Tick == d.panicAt {
		panic("a bug in the rules")
	}
	for _, p := range s.State.Dots.All() {
		if in, ok := s.Input(p.Owner); ok && in.DX != 0 {
			p.X += float32(in.DX)
			s.Emit(netcode.AllBut(p.Owner), moved{p.Owner})
		}
	}
}

func (dots) Join(r *Room[dotWorld], p Player) error {
	if p.Name == "refused" {
		return errors.New("not today")
	}
	r.State().Dots.Add(dot{X: 50, Owner: p.Seat, Ammo: uint8(r.Rand().IntN(100))})
	return nil
}

func (dots) each(r *Room[dotWorld], seat netcode.Seat, f func(netcode.ID, *dot)) {
	for id, p := range r.State().Dots.All() {
		if p.Owner == seat {
			f(id, p)
		}
	}
}

func (d dots) Drop(r *Room[dotWorld], p Player) {
	d.each(r, p.Seat, func(_ netcode.ID, row *dot) { row.Gone = true })
}

func (d dots) Resume(r *Room[dotWorld], p Player) {
	d.each(r, p.Seat, func(_ netcode.ID, row *dot) { row.Gone = false })
}

func (d dots) Leave(r *Room[dotWorld], p Player) {
	d.each(r, p.Seat, func(id netcode.ID, _ *dot) { r.State().Dots.Remove(id) })
}

func (d dots) After(r *Room[dotWorld]) {
	for _, p := range r.State().Dots.All() {
		if p.X >= 60 {
			r.End([]Placement{{Seat: uint16(p.Owner), Rank: 1, Score: 10}})
		}
		if p.X <= 40 {
			r.Kick(p.Owner, "wrong way")
		}
	}
}

func dotGame(t testing.TB, d dots, rules Rules) Game {
	t.Helper()
	rules.Events = []any{moved{}}
	g := Define[dotWorld, dotInput]("dots", d, rules)
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	return g
}

// fakeDirectory keeps results; the first posts fail.
type fakeDirectory struct {
	mu      sync.Mutex
	fail    int
	results []proto.Result
	ended   []string
	hung    []string
	freed   []uint16
	claims  [][]string // of the freed seats
	renewed int
	open    bool // as of the last renewal
	alive   Alive
	over    []string      // rooms that were handed over
	failed  []proto.Close // what those are told who come to rooms that failed
	off     bool          // Renew says that the match was called off
	settle  func() (Settlement, error)
	settled []time.Time // when Settle was asked

	deaf        int   // renewals with new teams that are not answered
	regrouped   Alive // the last renewal that had new teams
	regroupings int
}

func (d *fakeDirectory) Settle(context.Context, string) (Settlement, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settled = append(d.settled, time.Now())
	return d.settle()
}

func (d *fakeDirectory) FreeSeat(_ context.Context, _ string, _ uint64, seat uint16, claims []string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.freed = append(d.freed, seat)
	d.claims = append(d.claims, claims)
	return nil
}

func (d *fakeDirectory) Renew(_ context.Context, _ string, _ uint64, a Alive) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.deaf > 0 && a.Teams {
		d.deaf--
		return errors.New("Redis is down")
	}
	d.renewed++
	if a.Teams {
		d.regrouped = a
		d.regroupings++
	}
	d.open, d.alive = a.Open, a
	if d.off {
		return fmt.Errorf("renewing: %w", ErrCalledOff)
	}
	return nil
}

func (d *fakeDirectory) Hung(_ context.Context, room string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hung = append(d.hung, room)
	return nil
}

func (d *fakeDirectory) HandOver(_ context.Context, room string, _ uint64, _ bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = append(d.over, room)
	return nil
}

func (d *fakeDirectory) Fail(_ context.Context, _ string, _ uint64, c proto.Close) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed = append(d.failed, c)
	return nil
}

func (d *fakeDirectory) EndRoom(_ context.Context, room string, _ uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = append(d.ended, room)
	return nil
}

func (d *fakeDirectory) PostResult(_ context.Context, r proto.Result) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail > 0 {
		d.fail--
		return errors.New("Redis is down")
	}
	d.results = append(d.results, r)
	return nil
}

// fakeEdge delivers frames to fakeViewers through the real wire form.
type fakeEdge struct{}

func (fakeEdge) Send(f *Frame) {
	for i := range f.Views {
		f.Views[i].Viewer.(*fakeViewer).frame(f, &f.Views[i].Head)
	}
}

// fakeViewer is a connection and the client behind it.
type fakeViewer struct {
	t    testing.TB
	edge Edge
	seat netcode.Seat

	mu      sync.Mutex
	welcome *proto.Welcome
	resume  token.Resume
	closed  *proto.Close
	events  []any
	numbers []uint32
	end     *proto.End
	head    proto.Head
	dec     *netcode.Decoder
	world   dotWorld
	dots    bool // the game is dots: world is kept
	schema  *netcode.Schema
	view    netcode.View
	prev    *proto.Head
	in      proto.Frame
	frames  int
}

func newViewer(t testing.TB, g Game, seat netcode.Seat) *fakeViewer {
	return &fakeViewer{t: t, edge: fakeEdge{}, seat: seat, schema: g.Schema(), dec: netcode.NewDecoder(g.Schema()), dots: g.Name() == "dots"}
}

func (v *fakeViewer) Edge() Edge         { return v.edge }
func (v *fakeViewer) Seat() netcode.Seat { return v.seat }

func (v *fakeViewer) Welcome(w *proto.Welcome, r token.Resume) {
	barrier.Lock()
	defer barrier.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	c := *w
	v.welcome, v.resume = &c, r
}

func (v *fakeViewer) Message(msg []byte) {
	barrier.Lock()
	defer barrier.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	r := proto.NewReader(append([]byte(nil), msg...))
	kind, n, err := proto.ServerKind(r)
	if err != nil {
		v.t.Error(err)
	}
	switch kind {
	case proto.KindEvents:
		var m proto.Events
		if err := m.Parse(r, n); err != nil {
			v.t.Error(err)
		}
		for i, body := range m.List {
			e, err := v.schema.ReadEvent(body)
			if err != nil {
				v.t.Error(err)
			}
			v.events = append(v.events, e)
			v.numbers = append(v.numbers, m.First+uint32(i))
		}
	case proto.KindEnd:
		v.end = &proto.End{}
		if err := v.end.Parse(r, n); err != nil {
			v.t.Error(err)
		}
	}
}

func (v *fakeViewer) Close(c proto.Close) {
	barrier.Lock()
	defer barrier.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed == nil {
		v.closed = &c
	}
}

func (v *fakeViewer) frame(f *Frame, head *proto.Head) {
	barrier.Lock()
	defer barrier.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.welcome == nil {
		v.t.Error("a frame before the welcome")
	}
	w := proto.NewWriter()
	blocks := f.Encoder.Prepare(&v.view, head.Scopes)
	head.Append(w, v.prev, nil, len(blocks))
	for _, b := range blocks {
		b.Append(w)
	}
	c := *head
	c.Scopes = append([]proto.Watch(nil), head.Scopes...)
	v.prev = &c
	v.read(w.Bytes())
}

// see is frame for a message that was made elsewhere.
func (v *fakeViewer) see(msg []byte) {
	barrier.Lock()
	defer barrier.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.read(msg)
}

// read applies a frame; v.mu is held.
func (v *fakeViewer) read(msg []byte) {
	r := proto.NewReader(msg)
	kind, n, err := proto.ServerKind(r)
	if err == nil {
		err = v.in.Parse(r, kind, n)
	}
	if err == nil {
		err = v.dec.Apply(&v.in)
	}
	if err == nil && v.dots {
		err = v.dec.Load(&v.world)
	}
	if err != nil {
		v.t.Error(err)
	}
	v.head = v.in.Head
	v.frames++
}

// dotOf returns a seat's dot as the viewer sees it.
func (v *fakeViewer) dotOf(seat netcode.Seat) (dot, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, row := range v.world.Dots.All() {
		if row.Owner == seat {
			return *row, true
		}
	}
	return dot{}, false
}

func (v *fakeViewer) code() proto.Code {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed == nil {
		return 0
	}
	return v.closed.Code
}

// send hands an input for the next tick to the room.
func (v *fakeViewer) send(rm *Instance, seq uint32, dx int8) {
	w := proto.NewWriter()
	if err := v.schema.WriteInput(w, &dotInput{dx}); err != nil {
		v.t.Fatal(err)
	}
	rm.Input(v, &proto.InputPacket{
		Epoch: rm.Epoch(), Last: v.head.Tick, Event: uint32(len(v.numbers)),
		Inputs: []proto.Input{{Seq: seq, Tick: v.head.Tick + 1, View: v.head.Tick, Body: w.Bytes()}},
	})
}

func (v *fakeViewer) attach(rm *Instance, name string) {
	v.t.Helper()
	if !rm.Attach(Attach{Viewer: v, Player: Player{Seat: v.seat, ID: name, Name: name}, PlayerExpires: time.Now().Add(time.Hour)}) {
		v.t.Fatal("the room takes nobody")
	}
}
