package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"muster/client"
	"muster/internal/alone"
	"muster/internal/simnet"
	"muster/internal/testmetric"
	"muster/match"
	"muster/match/edge"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// bank is a game of which nothing may be lost: each player counts, by orders that the rules look at one after the other,
// and is told each number once.
type bank struct {
	Accounts netcode.Table[account] `net:"max=64"`
}

type account struct {
	Owner netcode.Seat
	N     uint32
	X     float32 `net:"range=0:1000,step=0.5"`
	Wrong uint32
	Away  bool
	Pin   uint32 `net:"owner"`
}

type order struct{ N uint32 }

type receipt struct{ N uint32 }

type teller struct {
	wrong, left, drops atomic.Int32
	end                atomic.Bool
}

func (t *teller) Step(s *netcode.Step[bank, order]) {
	for _, a := range s.State.Accounts.All() {
		a.X += 0.5
		if a.X > 900 {
			a.X = 0
		}
		a.Pin = s.Tick
	}
	for seat, in := range s.Inputs() {
		for _, a := range s.State.Accounts.All() {
			if a.Owner != seat {
				continue
			}
			if in.N != a.N+1 {
				a.Wrong++
				t.wrong.Add(1)
			}
			a.N = in.N
			s.Emit(netcode.OnlyTo(seat), receipt{in.N})
		}
	}
}

func (*teller) Join(r *match.Room[bank], p match.Player) error {
	r.State().Accounts.Add(account{Owner: p.Seat, X: float32(p.Seat)})
	return nil
}

func (t *teller) Drop(r *match.Room[bank], p match.Player) {
	t.drops.Add(1)
	for _, a := range r.State().Accounts.All() {
		a.Away = a.Away || a.Owner == p.Seat
	}
}

func (t *teller) After(r *match.Room[bank]) {
	if !t.end.Load() {
		return
	}
	for p := range r.Players() {
		r.End([]match.Placement{{Seat: uint16(p.Seat), Player: p.ID, Rank: 1}})
	}
}

func (t *teller) Leave(*match.Room[bank], match.Player) { t.left.Add(1) }

func bankGame(t *teller, rules match.Rules) match.Game {
	if rules.Seats == 0 {
		rules.Seats = 16
	}
	rules.Inputs, rules.InputsPerTick, rules.Events = proto.Commands, 8, []any{receipt{}}
	return match.Define[bank, order]("bank", t, rules)
}

// field is a few processes and the network between them. Rooms run at n0 if nothing else is said.
type field struct {
	t      testing.TB
	net    *fakeNetwork
	link   func(id string, b func() *Bridge) Network // instead of net
	keys   *token.Keys
	nodes  map[string]*process
	epoch  atomic.Uint64
	events []any // of the game, besides receipts

	mu    sync.Mutex
	where map[string]string
}

// process is a host, an edge and a bridge.
type process struct {
	f      *field
	id     string
	host   *match.Host
	edge   *edge.Server
	bridge *Bridge
	metric *prometheus.Registry
	srv    *http.Server
	http   *http.Client
	served chan struct{}
}

func newField(t testing.TB, seed uint64, game match.Game, ids ...string) *field {
	t.Helper()
	f := &field{t: t, net: newFakeNetwork(seed), nodes: map[string]*process{}, where: map[string]string{}}
	f.epoch.Store(1)
	var err error
	if f.keys, err = token.New(bytes.Repeat([]byte("k"), 32), nil); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		f.add(id, game)
	}
	return f
}

// network is a node's way to the others.
func (f *field) network(id string, b func() *Bridge) Network {
	if f.link != nil {
		return f.link(id, b)
	}
	return f.net.from(id)
}

func (f *field) add(id string, game match.Game) {
	f.t.Helper()
	p := &process{f: f, id: id, served: make(chan struct{}), metric: prometheus.NewRegistry()}
	log := zaptest.NewLogger(f.t, zaptest.Level(zap.ErrorLevel)).Named(id)
	var err error
	if p.host, err = match.NewHost(match.HostConfig{Games: []match.Game{game}, Directory: alone.Directory{}, Log: log}); err != nil {
		f.t.Fatal(err)
	}
	p.bridge = New(Config{Network: f.network(id, func() *Bridge { return p.bridge }), Find: p.find, Log: log, Registerer: p.metric})
	p.edge = edge.New(edge.Config{Rooms: p, Keys: f.keys, Log: log, Registerer: p.metric})
	l := simnet.Listen(simnet.Link{Latency: 5 * time.Millisecond})
	p.http = &http.Client{Transport: &http.Transport{DialContext: l.DialContext, DisableKeepAlives: true}}
	mux := http.NewServeMux()
	mux.Handle("GET /v1/match/{room}", p.edge)
	p.srv = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(p.served)
		_ = p.srv.Serve(edge.Listener{Listener: l}) // until close
	}()
	f.nodes[id] = p
	f.net.change(func() { f.net.bridges[id] = p.bridge })
}

func (f *field) close() {
	f.t.Helper()
	for id := range f.nodes {
		f.kill(id)
	}
	f.net.close()
}

// kill ends a process.
func (f *field) kill(id string) {
	f.t.Helper()
	p := f.nodes[id]
	delete(f.nodes, id)
	f.net.change(func() { delete(f.net.bridges, id) })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := errors.Join(p.host.Close(ctx), p.edge.Close(ctx), p.bridge.Close(ctx)); err != nil {
		f.t.Errorf("closing %s: %v", id, err)
	}
	_ = p.srv.Close()
	<-p.served
}

func (f *field) place(room string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id := f.where[room]; id != "" {
		return id
	}
	return "n0"
}

// find is the host's half's way to a room.
func (p *process) find(_ context.Context, room string, open bool) (edge.Hosted, error) {
	if rm := p.host.Room(room); rm != nil {
		return rm, nil
	}
	if !open || p.f.place(room) != p.id {
		return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is not here"}
	}
	return p.host.Open(match.Spec{ID: room, Game: "bank", Seed: 7, Epoch: p.f.epoch.Load()})
}

// Open implements edge.Rooms.
func (p *process) Open(ctx context.Context, room string) (edge.Room, error) {
	return p.look(ctx, room, true)
}

// Running implements edge.Rooms.
func (p *process) Running(ctx context.Context, room string) (edge.Room, error) {
	return p.look(ctx, room, false)
}

func (p *process) look(ctx context.Context, room string, open bool) (edge.Room, error) {
	if at := p.f.place(room); at != p.id {
		return p.bridge.Open(ctx, at, room, open)
	}
	return p.find(ctx, room, open)
}

// TakeSeat implements edge.Rooms: all seats are free, and each token is used once.
func (*process) TakeSeat(context.Context, string, uint16, string, string) (uint16, error) {
	return 0, nil
}

func (f *field) seatToken(room string, seat uint16) string {
	f.t.Helper()
	player := fmt.Sprint("player-", seat)
	s, err := f.keys.SignSeat(token.Seat{
		Room: room, Seat: seat, Player: player, Name: player, ID: player, PlayerExpires: time.Now().Add(24 * time.Hour),
	}, time.Minute)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

// player counts in a room, by way of a process.
type player struct {
	room  string
	seat  uint16
	at    string
	conn  *client.Conn[bank, order]
	sent  uint32
	told  uint32
	wrong []string
	err   error
	each  int // an order each so many frames; default 3
}

// join opens the player's socket.
func (f *field) join(ctx context.Context, p *player) *player {
	f.t.Helper()
	c, err := client.Dial[bank, order](ctx, client.Match{
		Room: p.room, URL: "ws://server/v1/match/" + p.room, Token: f.seatToken(p.room, p.seat),
	}, client.Options{HTTP: f.nodes[p.at].http, Events: append([]any{receipt{}}, f.events...), Reconnect: true, OnEvent: func(e client.Event) {
		r, own := e.Value.(*receipt)
		if !own {
			return
		}
		if r.N != p.told+1 {
			p.wrong = append(p.wrong, fmt.Sprintf("told %d after %d", r.N, p.told))
		}
		p.told = r.N
	}})
	if err != nil {
		f.t.Fatalf("seat %d joins: %v", p.seat, err)
	}
	p.conn = c
	return p
}

// play sends orders until ctx ends.
func (p *player) play(ctx context.Context) {
	for n := 0; ; n++ {
		if _, err := p.conn.Next(ctx); err != nil {
			if ctx.Err() == nil {
				p.err = err
			}
			return
		}
		if n%max(p.each, 3) != 0 {
			continue
		}
		if err := p.conn.Send(order{p.sent + 1}); err == nil {
			p.sent++
		} else if !errors.Is(err, client.ErrBacklog) {
			p.err = err
			return
		}
	}
}

// account is the player's own, as the player's state has it.
func (p *player) account() (own account) {
	for _, a := range p.conn.State().Accounts.All() {
		if uint16(a.Owner) == p.seat {
			own = *a
		}
	}
	return own
}

// settle waits until all that was sent has been told and is in the state.
func (p *player) settle(ctx context.Context) {
	for p.err == nil && (p.told < p.sent || p.account().N < p.sent) {
		if _, err := p.conn.Next(ctx); err != nil {
			p.err = fmt.Errorf("at %d sent, %d told, %d in the state of tick %d: %w", p.sent, p.told, p.account().N, p.conn.Tick(), err)
		}
	}
}

// check says what went wrong with a player.
func (p *player) check(t testing.TB, least uint32) {
	t.Helper()
	s := p.conn.Stats()
	switch {
	case p.err != nil:
		t.Errorf("seat %d: %v", p.seat, p.err)
	case len(p.wrong) > 0:
		t.Errorf("seat %d: %v", p.seat, p.wrong)
	case p.account().N != p.sent || p.account().Pin != p.conn.Tick():
		t.Errorf("seat %d: %d orders sent, at tick %d the state has %+v", p.seat, p.sent, p.conn.Tick(), p.account())
	case p.sent < least || p.told != p.sent:
		t.Errorf("seat %d: %d orders sent, %d told, at least %d wanted", p.seat, p.sent, p.told, least)
	case s.DecodeErrors > 0 || s.HashMismatches > 0:
		t.Errorf("seat %d: %d blocks could not be read, %d hashes differ", p.seat, s.DecodeErrors, s.HashMismatches)
	}
}

// playAll lets players play for a while, looks at them and closes their sockets.
func (f *field) playAll(players []*player, d time.Duration, least uint32) {
	f.t.Helper()
	f.playOn(players, d, least)
	closeAll(players)
}

// closeAll closes players' sockets: their seats are dropped, as soon as the server reads of it.
func closeAll(players []*player) {
	for _, p := range players {
		_ = p.conn.Close()
	}
}

// playOn lets players play for a while and looks at them, and leaves them where they are.
func (f *field) playOn(players []*player, d time.Duration, least uint32) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	var wg sync.WaitGroup
	for _, p := range players {
		wg.Go(func() { p.play(ctx) })
	}
	wg.Wait()
	late, cancelLate := context.WithTimeout(context.Background(), time.Minute)
	defer cancelLate()
	for _, p := range players {
		wg.Go(func() { p.settle(late) })
	}
	wg.Wait()
	for _, p := range players {
		p.check(f.t, least)
	}
}

// inBubble runs a test with virtual time.
func inBubble(t *testing.T, do func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		do(t)
	})
}

// gauge sums up a metric of a process over its labels.
func (p *process) gauge(name string) float64 {
	p.f.t.Helper()
	return testmetric.Sum(p.f.t, p.metric, name)
}
