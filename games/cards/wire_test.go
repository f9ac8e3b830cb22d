package cards

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"muster/client"
	"muster/internal/alone"
	"muster/match"
	"muster/match/edge"
	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// A whole match over real sockets: what was received, byte for byte, is searched for what was not to be known.

const wireRoom = "wire"

// fast is the game at ten times its pace.
func fast() match.Game {
	rules := Game.Rules()
	rules.TickRate = 100
	return match.Define[World, Input](Game.Name(), Cards{}, rules)
}

// server is one room behind a real listener.
type server struct {
	host *match.Host
	keys *token.Keys
	url  string
	game match.Game

	epoch  uint64
	config string
}

// Open implements edge.Rooms.
func (s *server) Open(_ context.Context, room string) (edge.Room, error) {
	return s.host.Open(match.Spec{ID: room, Game: s.game.Name(), Seed: 21, Epoch: s.epoch, Config: []byte(s.config)})
}

// Running implements edge.Rooms.
func (s *server) Running(_ context.Context, room string) (edge.Room, error) {
	if rm := s.host.Room(room); rm != nil {
		return rm, nil
	}
	return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is not here"}
}

// TakeSeat implements edge.Rooms.
func (*server) TakeSeat(context.Context, string, uint16, string, string) (uint16, error) {
	return 0, nil
}

// serve runs the room as a server does that is the epoch's, with what is in a directory.
func serve(t *testing.T, config string, epoch uint64, dir string) *server {
	t.Helper()
	s := &server{game: fast(), epoch: epoch, config: config}
	files, err := journal.OpenFiles(journal.FilesConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if s.keys, err = token.New(bytes.Repeat([]byte("k"), 32), nil); err != nil {
		t.Fatal(err)
	}
	if s.host, err = match.NewHost(match.HostConfig{Games: []match.Game{s.game}, Directory: alone.Directory{}, Journals: files}); err != nil {
		t.Fatal(err)
	}
	sockets := edge.New(edge.Config{Rooms: s, Keys: s.keys})
	mux := http.NewServeMux()
	mux.Handle("GET /v1/match/{room}", sockets)
	srv := httptest.NewUnstartedServer(mux)
	srv.Listener = edge.Listener{Listener: srv.Listener}
	srv.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(s.host.Close(ctx), sockets.Close(ctx)); err != nil {
			t.Errorf("closing the server: %v", err)
		}
		srv.Close()
	})
	s.url = "ws" + srv.URL[len("http"):] + "/v1/match/" + wireRoom
	return s
}

// wire keeps every byte that one client receives.
type wire struct {
	mu    sync.Mutex
	conns []net.Conn
	read  []*bytes.Buffer // by socket
}

type tapped struct {
	net.Conn
	w  *wire
	to *bytes.Buffer
}

// Read implements net.Conn.
func (c tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.to.Write(b[:n])
	return n, err //nolint:wrapcheck // the connection's own
}

func (w *wire) client() *http.Client {
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		to := &bytes.Buffer{}
		w.conns, w.read = append(w.conns, conn), append(w.read, to)
		return tapped{conn, w, to}, nil
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
}

// cut ends the newest socket.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.conns[len(w.conns)-1].Close()
}

// messages are the WebSocket messages of each socket.
func (w *wire) messages(t *testing.T) (sockets [][][]byte) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.read {
		rest, list := b.Bytes(), [][]byte{}
		end := bytes.Index(rest, []byte("\r\n\r\n"))
		if end < 0 {
			t.Fatalf("a socket without an answer: %q", rest)
		}
		for rest = rest[end+4:]; len(rest) >= 2; {
			op, n, head := rest[0]&15, int(rest[1]), 2
			switch n {
			case 126:
				n, head = int(binary.BigEndian.Uint16(rest[2:])), 4
			case 127:
				t.Fatal("a message of more than 64 KiB")
			}
			if len(rest) < head+n {
				break // it was cut off
			}
			if op == 2 {
				list = append(list, rest[head:head+n])
			}
			rest = rest[head+n:]
		}
		sockets = append(sockets, list)
	}
	return sockets
}

// person is one client and what it has seen.
type person struct {
	wire  wire
	seat  netcode.Seat // 0: a spectator
	plain bool
	goes  bool              // leaves with the first deal: a bot plays on
	hands map[uint32][]Card // by tick, while a round was played
	ended bool
	// seated is closed once the first frame is here, or there will be none.
	seated chan struct{}
	first  sync.Once
}

// dial takes the seat, or looks on.
func (p *person) dial(ctx context.Context, s *server) (*client.Conn[World, Input], error) {
	var bearer string
	var err error
	name, far := fmt.Sprint("player-", p.seat), time.Now().Add(time.Hour)
	if p.seat == 0 {
		bearer, err = s.keys.SignWatch(token.Watch{Room: wireRoom, Player: "watcher", ID: "w", PlayerExpires: far}, time.Minute)
	} else {
		bearer, err = s.keys.SignSeat(token.Seat{Room: wireRoom, Seat: uint16(p.seat), Player: name, Name: name, ID: name, PlayerExpires: far}, time.Minute)
	}
	if err != nil {
		return nil, err
	}
	m := client.Match{Room: wireRoom, URL: s.url, Token: bearer}
	c, err := client.Dial[World, Input](ctx, m, client.Options{HTTP: p.wire.client(), Events: events, Reconnect: p.seat != 0, Plain: p.plain})
	if err != nil {
		return nil, fmt.Errorf("seat %d: %w", p.seat, err)
	}
	return c, nil
}

// play plays until the match is over; a socket is cut after so many frames.
func (p *person) play(ctx context.Context, s *server, cutAfter int) error {
	seated := func() { p.first.Do(func() { close(p.seated) }) }
	defer seated()
	c, err := p.dial(ctx, s)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	p.hands = map[uint32][]Card{}
	brain := player{}
	view := client.BotView[World]{State: c.State(), Seat: p.seat, Rand: rand.New(rand.NewPCG(uint64(p.seat), 1))}
	for frames := 1; ; frames++ {
		frame, err := c.Next(ctx)
		var over *client.CloseError
		switch {
		case errors.As(err, &over) && over.Code == proto.CodeDone:
			p.ended = true
			return nil
		case err != nil:
			return fmt.Errorf("seat %d: %w", p.seat, err)
		}
		seated()
		if p.goes && c.State().Round.V.Phase == Playing {
			return c.Leave(ctx)
		}
		if c.State().Round.V.Phase == Playing {
			list := []Card{}
			for _, held := range c.State().Hands.All() {
				if held.Owner != p.seat || p.seat == 0 {
					return fmt.Errorf("tick %d: seat %d sees a card of seat %d: %v", frame.Tick, p.seat, held.Owner, held.Card)
				}
				list = append(list, held.Card)
			}
			p.hands[frame.Tick] = list
		}
		full := c.State().Round.V.Phase != Waiting // a full table begins by itself
		if view.Tick = frame.Tick; p.seat != 0 && full {
			if in, ok := brain.think(&view); ok {
				if err := c.Send(in); err != nil {
					return fmt.Errorf("seat %d: %w", p.seat, err)
				}
			}
		}
		if frames == cutAfter {
			p.wire.cut()
		}
	}
}

func TestAWholeMatchOverRealSocketsShowsNobodyAnothersHand(t *testing.T) {
	s := serve(t, `{"target":25,"gather_seconds":600}`, 1, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	people := []*person{{seat: 1, plain: true}, {seat: 2}, {seat: 3, plain: true}, {seat: 4, goes: true}}
	watchers := []*person{{plain: true}, {}}
	for _, p := range slices.Concat(people, watchers) {
		p.seated = make(chan struct{})
	}
	var wg sync.WaitGroup
	errs := make([]error, len(people)+len(watchers))
	run := func(i int, p *person, cutAfter int) {
		wg.Go(func() { errs[i] = p.play(ctx, s, cutAfter) })
	}
	for i, p := range people {
		run(i, p, 60*(i+1)) // each loses the socket once
	}
	for i, p := range watchers {
		<-people[0].seated // who watches opens no room
		run(len(people)+i, p, 0)
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	truth := map[uint32][]Held{}
	for _, p := range people {
		for tick, cards := range p.hands {
			for _, c := range cards {
				truth[tick] = append(truth[tick], Held{p.seat, c})
			}
		}
	}
	for tick, list := range truth {
		seen := map[Card]netcode.Seat{}
		for _, held := range list {
			if other, twice := seen[held.Card]; twice {
				t.Fatalf("tick %d: seats %d and %d both see %v", tick, held.Owner, other, held.Card)
			}
			seen[held.Card] = held.Owner
		}
	}
	for _, p := range slices.Concat(people[:3], watchers) {
		search(t, s, p, truth)
	}
}

// search reads what a client received again, without the client, and searches it.
func search(t *testing.T, s *server, p *person, truth map[uint32][]Held) {
	t.Helper()
	frames, own, sockets := 0, 0, p.wire.messages(t)
	for _, messages := range sockets {
		var f proto.Frame
		decoder := netcode.NewDecoder(s.game.Schema())
		if p.plain {
			decoder = netcode.NewPlainDecoder(s.game.Schema())
		}
		for _, m := range messages {
			r := proto.NewReader(m)
			kind, n, err := proto.ServerKind(r)
			if err != nil {
				t.Fatal(err)
			}
			if kind < proto.KindFrame {
				continue
			}
			if err := f.Parse(r, kind, n); err != nil {
				t.Fatal(err)
			}
			if err := decoder.Apply(&f); err != nil {
				t.Fatal(err)
			}
			frames++
			for _, b := range f.Blocks {
				if b.Scope != 0 && b.Scope != uint16(p.seat) {
					t.Fatalf("tick %d: seat %d is sent scope %#x", f.Head.Tick, p.seat, b.Scope)
				}
			}
			if _, playing := p.hands[f.Head.Tick]; !playing {
				continue
			}
			if rows := decoder.Rows(0, "Hands"); len(rows) > 0 {
				t.Fatalf("tick %d: seat %d finds %d cards of hands where all can see them", f.Head.Tick, p.seat, len(rows))
			}
			if !p.plain {
				continue
			}
			for _, held := range truth[f.Head.Tick] {
				found := slices.ContainsFunc(f.Blocks, func(b proto.Block) bool { return contains(t, b.Data, held) })
				switch {
				case held.Owner == p.seat && found:
					own++
				case found && held.Owner != p.seat:
					t.Fatalf("tick %d: the bytes of seat %d have %v of seat %d", f.Head.Tick, p.seat, held.Card, held.Owner)
				}
			}
		}
	}
	if frames < 150 || !p.ended || p.seat != 0 && len(sockets) < 2 {
		t.Errorf("seat %d: %d frames over %d sockets, ended %v: that is not a whole match", p.seat, frames, len(sockets), p.ended)
	}
	if p.plain && p.seat != 0 && own < 20 {
		t.Errorf("seat %d: the search finds own cards %d times: it would find others' neither", p.seat, own)
	}
}

// contains says whether a block in the plain form has the row of a card: an array of four, which are its id, owner, rank
// and suit.
func contains(t *testing.T, block []byte, held Held) bool {
	t.Helper()
	if block[0] == 1 {
		inflated, err := io.ReadAll(flate.NewReader(bytes.NewReader(block[1:])))
		if err != nil {
			t.Fatal(err)
		}
		block = inflated
	}
	row := []byte{byte(held.Owner), byte(held.Card.Rank), byte(held.Card.Suit)}
	for at := 0; ; at++ {
		next := bytes.Index(block[at:], row)
		if next < 0 {
			return false
		}
		at += next
		for _, id := range []struct {
			size int
			tag  byte
		}{{5, 0xce}, {3, 0xcd}, {2, 0xcc}} {
			if at > id.size && block[at-id.size-1] == 0x94 && block[at-id.size] == id.tag {
				return true
			}
		}
		if at >= 2 && block[at-2] == 0x94 && block[at-1] < 0x80 {
			return true
		}
	}
}

// What a player was told is durable is in his hand when another server goes on with the match.
func TestAHandOutlivesItsServer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const config = `{"bots":3,"turn_seconds":120}`
	dir := t.TempDir()
	first := serve(t, config, 1, dir)
	anna := &person{seat: 1}
	c, err := anna.dial(ctx, first)
	if err != nil {
		t.Fatal(err)
	}
	until := func(c *client.Conn[World, Input], done func(*client.Frame) bool) {
		t.Helper()
		for {
			if frame, err := c.Next(ctx); err != nil {
				t.Fatal(err)
			} else if done(frame) {
				return
			}
		}
	}
	until(c, func(*client.Frame) bool { return c.State().Round.V.Turn == 1 })
	if err := c.Send(Input{Act: Draw}); err != nil {
		t.Fatal(err)
	}
	until(c, func(f *client.Frame) bool { return f.Durable == 1 })
	before := c.State().handOf(1)
	left := t.TempDir()
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil { // the first knows nothing of what comes
		t.Fatal(err)
	}
	_ = c.Close()

	second := serve(t, config, 2, left)
	back := &person{seat: 1}
	c, err = back.dial(ctx, second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	until(c, func(*client.Frame) bool { return c.Synced() && c.State().Hands.Len() > 0 })
	after := c.State().handOf(1)
	slices.SortFunc(before.cards[:before.n], func(a, b Card) int { return int(a.code()) - int(b.code()) })
	slices.SortFunc(after.cards[:after.n], func(a, b Card) int { return int(a.code()) - int(b.code()) })
	if before.n < handOfOther || !slices.Equal(before.cards[:before.n], after.cards[:after.n]) || !c.State().Round.V.Drawn {
		t.Errorf("a hand of %v became %v", before.cards[:before.n], after.cards[:after.n])
	}
}
