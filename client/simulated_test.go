package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/client"
	"muster/games/arena"
	"muster/internal/alone"
	"muster/internal/simnet"
	"muster/match"
	"muster/match/edge"
	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// The arena on a real host and edge, with a network in memory between them and the clients, in virtual time.

const (
	roomID   = "room"
	drawing  = time.Second / 60 // how often a page is drawn
	tickTime = time.Second / 20
)

// server runs one room.
type server struct {
	t        *testing.T
	hold     time.Duration    // how long seats are held; 0 is the game's own
	keep     match.Durability // what outlives a host
	journals journal.Store
	before   []*match.Host // hosts that nobody can reach any more
	net      simnet.Link
	keys     *token.Keys
	http     *http.Client

	// From one start to the next:
	epoch uint64
	host  *match.Host
	edge  *edge.Server
	srv   *http.Server
	done  chan struct{}

	mu      sync.Mutex
	away    bool
	current *simnet.Listener
	lines   []*simnet.Conn // the clients' ends
}

var arenaEvents = []any{arena.Hit{}, arena.Kill{}, arena.Spawned{}}

func (s *server) Open(_ context.Context, room string) (edge.Room, error) {
	return s.host.Open(match.Spec{ID: room, Game: arena.Game.Name(), Seed: 1, Epoch: s.epoch}) //nolint:wrapcheck // a test's
}

func (s *server) Running(_ context.Context, room string) (edge.Room, error) {
	if rm := s.host.Room(room); rm != nil {
		return rm, nil
	}
	return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is not here"}
}

func (*server) TakeSeat(context.Context, string, uint16, string, string) (uint16, error) {
	return 0, nil
}

// warm uses the compressor once: it makes channels then, and a bubble may not use those of another.
var warm = sync.OnceFunc(func() {
	var b bytes.Buffer
	w, err := journal.NewWriter(&b, journal.Header{Room: "warm", Game: "warm"})
	if err == nil && w.Close() == nil {
		_, _ = journal.NewReader(bytes.NewReader(b.Bytes()))
	}
})

// onLine runs a test in a bubble, with a server at the end of lines like this.
func onLine(t *testing.T, line simnet.Link, f func(t *testing.T, s *server)) {
	t.Helper()
	warm()
	synctest.Test(t, func(t *testing.T) {
		s := &server{t: t, net: line}
		var err error
		if s.keys, err = token.New(bytes.Repeat([]byte("k"), 32), nil); err != nil {
			t.Fatal(err)
		}
		s.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: s.dial}}
		defer s.stop()
		f(t, s)
	})
}

var errAway = errors.New("nobody is there")

func (s *server) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.mu.Lock()
	l, away := s.current, s.away
	s.mu.Unlock()
	if away {
		return nil, errAway
	}
	c, err := l.Dial(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // a test's
	}
	s.mu.Lock()
	s.lines = append(s.lines, c)
	s.mu.Unlock()
	return c, nil
}

// refuse has nobody answer new connections, or somebody again.
func (s *server) refuse(away bool) {
	s.mu.Lock()
	s.away = away
	s.mu.Unlock()
}

// start runs a host of the next epoch.
func (s *server) start() {
	s.t.Helper()
	rules := arena.Game.Rules()
	if s.hold > 0 {
		rules.Grace = s.hold
	}
	rules.Durability, rules.CheckpointEvery = s.keep, 2*time.Second
	game := match.Define[arena.World, arena.Input]("arena", arena.Arena{}, rules)
	var err error
	if s.host, err = match.NewHost(match.HostConfig{Games: []match.Game{game}, Directory: alone.Directory{}, Journals: s.journals}); err != nil {
		s.t.Fatal(err)
	}
	s.epoch++
	s.edge = edge.New(edge.Config{Rooms: s, Keys: s.keys})
	l := simnet.Listen(s.net)
	mux := http.NewServeMux()
	mux.Handle("GET /v1/match/{room}", s.edge)
	srv, done := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}, make(chan struct{})
	s.srv, s.done = srv, done
	s.mu.Lock()
	s.current = l
	s.mu.Unlock()
	go func() {
		defer close(done)
		_ = srv.Serve(edge.Listener{Listener: l}) // until stop
	}()
}

// stop ends the host, and those before it.
func (s *server) stop() {
	if s.host == nil {
		return
	}
	s.silence()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, h := range s.before {
		_ = h.Close(ctx) // its journal is another's by now
	}
}

// silence ends the server and its sockets, and leaves the host where nobody reaches it, as if it were dead.
func (s *server) silence() {
	s.mu.Lock()
	for _, c := range s.lines {
		c.Cut()
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.edge.Close(ctx); err != nil {
		s.t.Errorf("closing the edge: %v", err)
	}
	_ = s.srv.Close()
	<-s.done
	s.before = append(s.before, s.host)
	s.host = nil
}

// kill ends the host so that nobody hears of it, and another goes on from what it has kept.
func (s *server) kill() {
	s.refuse(true)
	s.silence()
	s.start()
	s.refuse(false)
}

// player is a newer token of who has a seat.
func (s *server) player(seat uint16, good time.Duration) string {
	s.t.Helper()
	bearer, err := s.keys.SignPlayer(token.Player{ID: fmt.Sprint("player-", seat), Name: "newer"}, good)
	if err != nil {
		s.t.Error(err)
	}
	return bearer
}

// line is the newest client's.
func (s *server) line() *simnet.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines[len(s.lines)-1]
}

func (s *server) seat(seat uint16, good time.Duration) client.Match {
	s.t.Helper()
	player := fmt.Sprint("player-", seat)
	bearer, err := s.keys.SignSeat(token.Seat{
		Room: roomID, Seat: seat, Player: player, Name: player, ID: player, PlayerExpires: time.Now().Add(good),
	}, time.Minute)
	if err != nil {
		s.t.Fatal(err)
	}
	return client.Match{Room: roomID, URL: "ws://server/v1/match/" + roomID, Token: bearer}
}

// play joins as a seat, with a prediction.
func (s *server) play(seat uint16, o client.Options) (*client.Conn[arena.World, arena.Input], *client.Predicted[arena.World, arena.Input]) {
	s.t.Helper()
	if s.host == nil {
		s.start()
	}
	o.HTTP, o.Events = s.http, arenaEvents
	c, err := client.Dial[arena.World, arena.Input](s.t.Context(), s.seat(seat, 24*time.Hour), o)
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := client.Predict(c, arena.Arena{}, client.PredictOptions{Ahead: 40})
	if err != nil {
		s.t.Fatal(err)
	}
	return c, p
}

// bots has other seats flown until the test's end. What is returned ends and waits for them.
func (s *server) bots(n int) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i := range n {
		m := s.seat(uint16(i+2), 24*time.Hour)
		wg.Go(func() { _, _ = arena.Bot.Play(ctx, m, client.Play{HTTP: s.http, Seed: uint64(i), Reconnect: true}) })
	}
	return func() { cancel(); wg.Wait() }
}

func shipOf(w *arena.World, seat netcode.Seat) *arena.Ship {
	for _, ship := range w.Ships.All() {
		if ship.Owner == seat {
			return ship
		}
	}
	return nil
}

// turned is how far an angle is from another, the short way.
func turned(a, b float32) float64 { return math.Abs(math.Remainder(float64(a)-float64(b), 2*math.Pi)) }

// loop is a game's loop: it polls and draws 60 times a second, and steers 20 times a second.
type loop struct {
	c    *client.Conn[arena.World, arena.Input]
	hand *rand.Rand
	held arena.Input
	left int // ticks for which it is held

	p       *client.Predicted[arena.World, arena.Input]
	foresaw map[uint32][2]float32 // where the own ship was predicted to be, by tick
	errors  []float64             // by how much it was not, of each state

	tick uint32 // of the newest state
	back uint32 // the tick up to which the own ship's place is not compared: it came back where dice said

	passes      int
	last        map[netcode.Seat][2]float32 // where ships were drawn, of those in play
	others, own float64                     // the longest jump from one pass to the next
	answered    int                         // inputs that turned, and whose next View had turned
	unanswered  int
}

func newLoop(c *client.Conn[arena.World, arena.Input], p *client.Predicted[arena.World, arena.Input]) *loop {
	return &loop{
		c: c, p: p, hand: rand.New(rand.NewPCG(7, 7)), last: map[netcode.Seat][2]float32{}, foresaw: map[uint32][2]float32{},
	}
}

// untilDrawn waits for the next drawing, and for what has arrived until then.
func untilDrawn() {
	time.Sleep(drawing)
	synctest.Wait()
}

// run plays for a time. It returns the error of Poll.
func (l *loop) run(d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); {
		untilDrawn()
		if err := l.pass(); err != nil {
			return err
		}
	}
	return nil
}

func (l *loop) pass() error {
	frame, err := l.c.Poll()
	if err != nil {
		return err //nolint:wrapcheck // a test's
	}
	if frame != nil {
		l.compare(frame.Tick)
	}
	shown, ok := l.c.View(time.Now())
	if !ok {
		return nil
	}
	l.measure(shown.State)
	l.foresee()
	own := shipOf(shown.State, l.c.Seat())
	if l.passes++; l.passes%3 == 0 && l.c.Synced() {
		return l.steer(own)
	}
	return nil
}

// compare notes how far a state has the own ship from where it was predicted to be.
func (l *loop) compare(tick uint32) {
	l.tick = tick
	truth := shipOf(l.c.State(), l.c.Seat())
	if truth == nil || !truth.Alive() {
		l.back = tick + 40
	}
	if at, ok := l.foresaw[tick]; ok && tick > l.back {
		l.errors = append(l.errors, math.Hypot(float64(at[0]-truth.X), float64(at[1]-truth.Y)))
	}
	maps.DeleteFunc(l.foresaw, func(at uint32, _ [2]float32) bool { return at <= tick })
}

// foresee notes where the own ship is predicted to be.
func (l *loop) foresee() {
	if ship := shipOf(l.p.State(), l.c.Seat()); ship != nil && ship.Alive() {
		l.foresaw[l.p.Tick()] = [2]float32{ship.X, ship.Y}
	}
}

// quantile is the error that a part of the states had at most.
func (l *loop) quantile(part float64) float64 {
	if len(l.errors) == 0 {
		return math.NaN()
	}
	slices.Sort(l.errors)
	return l.errors[int(part*float64(len(l.errors)-1))]
}

// mostError is by how many units the own ship may be off in any state on a line that does not stall: where another hits it at
// full speed, which nobody foresees, it is some 40.
const mostError = 60

// glide is how far the own ship may move from one pass to the next: at top speed, beside what is made up for, with a
// half-life of 60 ms, of the largest correction that came upon another. What hits the ship is foreseen by nobody.
func (l *loop) glide() float64 {
	share := 1 - math.Exp2(-float64(drawing)/float64(60*time.Millisecond))
	return 220*drawing.Seconds() + 2*share*l.quantile(1) + 1
}

func (l *loop) String() string {
	return fmt.Sprintf("%d inputs answered in the next view, %d not; the longest jump in 1/60 s: own ship %.1f units (of %.1f), others %.1f; "+
		"own ship's prediction error over %d states: p50 %.3f, p99 %.3f, most %.1f units",
		l.answered, l.unanswered, l.own, l.glide(), l.others, len(l.errors), l.quantile(0.5), l.quantile(0.99), l.quantile(1))
}

// steer sends the input of a tick, as somebody with keys does. One that begins to turn must show in the next View.
func (l *loop) steer(own *arena.Ship) error {
	was := l.held
	if l.left--; l.left < 0 {
		l.held = arena.Input{Turn: arena.Full * int8(l.hand.IntN(3)-1), Thrust: arena.Full * int8(l.hand.IntN(3)-1), Fire: l.hand.IntN(3) == 0}
		l.left = 3 + l.hand.IntN(20)
	}
	begins := was.Turn == 0 && l.held.Turn != 0 && own != nil && own.Alive()
	var before float32
	if own != nil {
		before = own.Angle
	}
	if err := l.c.Send(l.held); err != nil {
		return err //nolint:wrapcheck // a test's
	}
	if !begins {
		return nil
	}
	untilDrawn()
	shown, _ := l.c.View(time.Now())
	if after := shipOf(shown.State, l.c.Seat()); after != nil && after.Alive() && turned(after.Angle, before) < 0.01 {
		l.unanswered++
	} else {
		l.answered++
	}
	l.passes++
	l.measure(shown.State)
	return nil
}

// measure notes how far ships jump.
func (l *loop) measure(w *arena.World) {
	for _, ship := range w.Ships.All() {
		at, was := [2]float32{ship.X, ship.Y}, l.last[ship.Owner]
		if !ship.Alive() || w.Round.V.Phase != arena.Playing {
			delete(l.last, ship.Owner)
			continue
		}
		if was != [2]float32{} {
			jump := math.Hypot(float64(at[0]-was[0]), float64(at[1]-was[1]))
			switch {
			case ship.Owner != l.c.Seat():
				if l.tick > ship.Spawn+40 { // not where it came back: a stall just then shows it flying on from there
					l.others = max(l.others, jump)
				}
			case l.tick > l.back:
				l.own = max(l.own, jump)
			}
		}
		l.last[ship.Owner] = at
	}
}

func TestOnABadLineTheOwnShipAnswersInTheNextView(t *testing.T) {
	// 120 ms ± 40 ms each way.
	onLine(t, simnet.Link{Latency: 80 * time.Millisecond, Jitter: 80 * time.Millisecond, Seed: 3}, func(t *testing.T, s *server) {
		c, p := s.play(1, client.Options{Reconnect: true})
		defer func() { _ = c.Close() }()
		line := s.line()
		defer s.bots(5)()
		l := newLoop(c, p)
		if err := l.run(3 * time.Second); err != nil { // clocks settle
			t.Fatal(err)
		}
		*l = *newLoop(c, p)
		if err := l.run(50 * time.Second); err != nil {
			t.Fatal(err)
		}
		t.Logf("120 ms ± 40 ms each way: %v", l)
		if l.answered < 5 || l.unanswered > 0 || l.own > l.glide() || l.others > 8 ||
			!(l.quantile(0.5) < 1) || !(l.quantile(0.99) < 20) || !(l.quantile(1) < mostError) {
			t.Error("it feels like a bad line")
		}
		*l = *newLoop(c, p)
		healed := newLoop(c, p)
		for range 6 {
			line.Peer().Stall()
			line.Stall()
			if err := l.run(time.Second); err != nil {
				t.Fatal(err)
			}
			line.Peer().Resume()
			line.Resume()
			if err := l.run(2 * time.Second); err != nil {
				t.Fatal(err)
			}
			n := len(l.errors)
			if err := l.run(2 * time.Second); err != nil {
				t.Fatal(err)
			}
			healed.errors = append(healed.errors, l.errors[n:]...)
		}
		t.Logf("and stalls of 1 s every 5 s: %v; from 2 s after each stall on p50 %.3f, p99 %.3f units; RTT %v",
			l, healed.quantile(0.5), healed.quantile(0.99), c.Clock().RTT)
		if l.answered < 5 || l.unanswered > 0 || l.others > 30 || !(healed.quantile(0.5) < 1) || !(healed.quantile(0.99) < 100) {
			t.Error("it feels like a worse line than it is")
		}
	})
}
