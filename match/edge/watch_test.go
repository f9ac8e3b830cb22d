package edge

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"muster/internal/door"
	"muster/internal/simnet"
	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// vault is a game in which something is hidden in every way that there is.
type vault struct{}

type vaultState struct {
	Chests netcode.Table[chest] `net:"max=8"`
	Notes  netcode.Table[note]  `net:"max=16"`
}

type chest struct {
	Owner  netcode.Seat
	Title  string `net:"max=24"`
	Own    string `net:"max=24,owner"`
	Team   string `net:"max=24,team"`
	Server string `net:"max=24,server"`
	Moves  uint32
}

type note struct {
	Text string `net:"max=24"`
}

type said struct {
	Text string `net:"max=24"`
}

func (vault) Open(r *match.Room[vaultState]) error {
	for _, text := range []string{"opennote", "seatnote", "teamnote", "nearnote", "farnote"} {
		r.State().Notes.Add(note{text})
	}
	return nil
}

func (vault) Join(r *match.Room[vaultState], p match.Player) error {
	r.SetTeam(p.Seat, 1)
	r.State().Chests.Add(chest{Owner: p.Seat})
	return nil
}

func (vault) Step(s *netcode.Step[vaultState, input]) {
	n := s.Tick % 1000
	for _, c := range s.State.Chests.All() {
		c.Title, c.Own = fmt.Sprint("openchest ", n), fmt.Sprint("ownsecret ", n)
		c.Team, c.Server = fmt.Sprint("teamsecret ", n), fmt.Sprint("serversecret ", n)
	}
	for seat := range s.Inputs() {
		for _, c := range s.State.Chests.All() {
			if c.Owner == seat {
				c.Moves++
			}
		}
	}
	for _, row := range s.State.Notes.All() {
		row.Text = row.Text[:bytes.IndexByte([]byte(row.Text+" "), ' ')] + fmt.Sprint(" ", n)
	}
	s.Emit(netcode.Everyone(), said{fmt.Sprint("openword ", n)})
	s.Emit(netcode.OnlyTo(1), said{fmt.Sprint("seatword ", n)})
	s.Emit(netcode.ToTeam(1), said{fmt.Sprint("teamword ", n)})
	s.Emit(netcode.AllBut(9), said{fmt.Sprint("butword ", n)})
}

func (vault) Scopes(w *vaultState, sc *netcode.Scopes) {
	sc.Grid(netcode.Grid{Cell: 10, Cols: 10, Rows: 10, Radius: 5})
	for id, row := range w.Notes.All() {
		switch row.Text[0] {
		case 's':
			sc.Place(&w.Notes, id, netcode.OnlySeat(1))
		case 't':
			sc.Place(&w.Notes, id, netcode.Team(1))
		case 'n':
			sc.PlaceAt(&w.Notes, id, 15, 15)
		case 'f':
			sc.PlaceAt(&w.Notes, id, 85, 85)
		}
	}
	for seat := netcode.Seat(0); seat <= 2; seat++ { // seat 0 is nobody's, and a mistake here is no reason to show anything
		sc.Join(seat, 1)
		sc.Look(seat, 85, 85)
		sc.Look(seat, 15, 15)
	}
	sc.Spectate(15, 15)
}

// What spectators may see, what somebody else may, and what nobody may.
var (
	openWords   = []string{"openchest", "opennote", "nearnote", "openword"}
	hiddenWords = []string{"ownsecret", "teamsecret", "seatnote", "teamnote", "farnote", "seatword", "teamword", "butword"}
	neverWords  = []string{"serversecret"}
)

// holds says whether a word stands in bytes, beginning at any bit: blocks are strings of bits, lowest first.
func holds(b []byte, word string) bool {
	shifted := make([]byte, len(b))
	for shift := range 8 {
		for i := range b {
			shifted[i] = b[i] >> shift
			if i+1 < len(b) && shift > 0 {
				shifted[i] |= b[i+1] << (8 - shift)
			}
		}
		if bytes.Contains(shifted, []byte(word)) {
			return true
		}
	}
	return false
}

// listener keeps all that a socket was sent; what is deflated in it is kept inflated, too.
type listener struct {
	*peer
	plain  bool
	all    []byte
	scopes map[uint16]bool
	events []uint32 // the numbers
}

func (b *bench) listen(ctx context.Context, room, bearer, subprotocol string) *listener {
	b.t.Helper()
	ws, _, err := websocket.Dial(ctx, b.url+"/v1/match/"+room, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + bearer}}, Subprotocols: []string{subprotocol}, HTTPClient: b.http,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	ws.SetReadLimit(proto.MaxServerMessage)
	b.t.Cleanup(func() { _ = ws.CloseNow() })
	return &listener{peer: &peer{Conn: ws, t: b.t}, plain: subprotocol == proto.SubprotocolPlain, scopes: map[uint16]bool{}}
}

// take reads one message and keeps it; its kind is 0 at the end.
func (l *listener) take(ctx context.Context) int {
	l.t.Helper()
	_, msg, err := l.Read(ctx)
	if err != nil {
		return 0
	}
	l.all = append(append(l.all, msg...), 0)
	r := proto.NewReader(msg)
	kind, n, err := proto.ServerKind(r)
	switch {
	case err != nil:
	case kind == proto.KindWelcome:
		err = l.welcome.Parse(r, n)
	case kind == proto.KindBye:
		err = l.bye.Parse(r, n)
	case kind == proto.KindEvents:
		var m proto.Events
		err = m.Parse(r, n)
		for i := range m.List {
			l.events = append(l.events, m.First+uint32(i))
		}
	case kind >= proto.KindFrame:
		err, kind = l.frame.Parse(r, kind, n), proto.KindFrame
		for _, w := range l.frame.Head.Scopes {
			l.scopes[w.Scope()] = true
		}
		for _, block := range l.frame.Blocks {
			l.scopes[block.Scope] = true
			if l.plain && len(block.Data) > 0 && block.Data[0] == 1 {
				inflated, err := io.ReadAll(flate.NewReader(bytes.NewReader(block.Data[1:])))
				if err != nil {
					l.t.Fatal(err)
				}
				l.all = append(append(l.all, inflated...), 0)
			}
		}
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return kind
}

// listensFor reads so many frames.
func (l *listener) listensFor(ctx context.Context, frames int) {
	l.t.Helper()
	for frames > 0 {
		switch l.take(ctx) {
		case proto.KindFrame:
			frames--
			l.ack(ctx)
		case 0:
			l.t.Fatalf("the socket ended: %+v", l.bye)
		}
	}
}

// inVault runs a test with a server of vault in virtual time.
func inVault(t *testing.T, f func(t *testing.T, ctx context.Context, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		g := match.Define[vaultState, input]("vault", vault{}, match.Rules{Seats: 4, Spectators: 3, Events: []any{said{}}})
		l := simnet.Listen(simnet.Link{Latency: 5 * time.Millisecond})
		b := newBenchOf(t, g, nil, Listener{Listener: l})
		b.url, b.http = "ws://server", &http.Client{Transport: &http.Transport{DialContext: l.DialContext, DisableKeepAlives: true}}
		b.dialer = func() (net.Conn, error) { return l.Dial(t.Context()) }
		f(t, ctx, b)
	})
}

// PROTOCOL.md [50] and [51].
func TestSpectatorsAreSentWhatEverybodySeesAndNothingElse(t *testing.T) {
	for _, form := range []string{proto.Subprotocol, proto.SubprotocolPlain} {
		t.Run(form, func(t *testing.T) {
			inVault(t, func(t *testing.T, ctx context.Context, b *bench) {
				player := b.listen(ctx, "r", b.seatToken("r", 1, "alice"), form)
				player.listensFor(ctx, 20)
				watcher := b.listen(ctx, "r", b.watchToken("r", "walter"), form)
				watcher.listensFor(ctx, 20)
				for _, scope := range []uint16{1, 0x401, 0x800 + 88, 0} { // as one who wants more would ask
					w := proto.NewWriter()
					(&proto.Resync{Scope: scope}).Append(w)
					if err := watcher.Write(ctx, websocket.MessageBinary, w.Bytes()); err != nil {
						t.Fatal(err)
					}
				}
				go func() { // both are there at the same time
					for player.take(ctx) != 0 {
						player.ack(ctx)
					}
				}()
				watcher.listensFor(ctx, 100)
				_ = player.CloseNow()
				synctest.Wait()
				for _, word := range openWords {
					if !holds(watcher.all, word) {
						t.Errorf("the spectator is not sent %q", word)
					}
				}
				for _, word := range hiddenWords {
					if !holds(player.all, word) {
						t.Errorf("the player is not sent %q, so not finding it proves nothing", word)
					}
					if holds(watcher.all, word) {
						t.Errorf("the spectator is sent %q", word)
					}
				}
				for _, word := range neverWords {
					if holds(player.all, word) || holds(watcher.all, word) {
						t.Errorf("somebody is sent %q", word)
					}
				}
				for scope := range watcher.scopes {
					if scope != 0 && scope < 0x800 || scope == 0x800+88 {
						t.Errorf("the spectator has scope %#x", scope)
					}
				}
				if w := watcher.welcome; w.Seat != 0 || w.Player != "walter" || w.Resume != "" || w.Expires == 0 || w.Seq != 0 {
					t.Errorf("the welcome: %+v", w)
				}
				for i, n := range watcher.events {
					if n != watcher.welcome.Event+1+uint32(i) {
						t.Fatalf("the events' numbers after %d: %v", watcher.welcome.Event, watcher.events)
					}
				}
				if watcher.frame.Head.Processed != 0 || watcher.frame.Head.Durable != 0 {
					t.Errorf("the head says something of a player: %+v", watcher.frame.Head)
				}
			})
		})
	}
}

func TestSpectatorsCannotAct(t *testing.T) {
	inVault(t, func(t *testing.T, ctx context.Context, b *bench) {
		player := b.listen(ctx, "r", b.seatToken("r", 1, "alice"), proto.Subprotocol)
		player.listensFor(ctx, 3)
		watcher := b.listen(ctx, "r", b.watchToken("r", "walter"), proto.Subprotocol)
		watcher.listensFor(ctx, 3)
		send := func(seq uint32) {
			if err := watcher.Write(ctx, websocket.MessageBinary, inputMessage(t, watcher.peer, seq, 1)); err != nil {
				t.Fatal(err)
			}
		}
		for seq := range uint32(maxRefused) {
			send(1 + seq)
			watcher.listensFor(ctx, 1)
		}
		rm := b.host.Room("r")
		if n := b.metricValue("muster_spectator_inputs_total"); n != maxRefused {
			t.Errorf("%v inputs were refused, want %d", n, maxRefused)
		}
		send(1 + maxRefused)
		for watcher.take(ctx) != 0 {
		}
		if watcher.bye.Code != proto.CodePolicy {
			t.Errorf("after a flood the bye says %d, want 1008", watcher.bye.Code)
		}
		player.listensFor(ctx, 3)
		if player.frame.Head.Processed != 0 || b.host.Room("r") != rm || holds(player.all, "left") {
			t.Errorf("the player notices: %+v", player.frame.Head)
		}
		again := b.listen(ctx, "r", b.watchToken("r", "walter"), proto.Subprotocol)
		again.listensFor(ctx, 3)
		w := proto.NewWriter()
		(&proto.Leave{}).Append(w)
		if err := again.Write(ctx, websocket.MessageBinary, w.Bytes()); err != nil {
			t.Fatal(err)
		}
		for again.take(ctx) != 0 {
		}
		if again.bye.Code != proto.CodeDone {
			t.Errorf("who leaves hears %d", again.bye.Code)
		}
	})
}

func TestASpectatorTakesNobodysPlace(t *testing.T) {
	inVault(t, func(t *testing.T, ctx context.Context, b *bench) {
		player := b.listen(ctx, "r", b.seatToken("r", 1, "alice"), proto.Subprotocol)
		player.listensFor(ctx, 2)
		var open []*listener
		for _, name := range []string{"alice", "alice", "walter"} { // she may watch her own match
			w := b.listen(ctx, "r", b.watchToken("r", name), proto.Subprotocol)
			w.listensFor(ctx, 2)
			open = append(open, w)
		}
		refused := func(name string, want proto.Code) {
			t.Helper()
			w := b.listen(ctx, "r", b.watchToken("r", name), proto.Subprotocol)
			for w.take(ctx) != 0 {
			}
			if w.bye.Code != want {
				t.Errorf("%s is told %d (%s), want %d", name, w.bye.Code, w.bye.Reason, want)
			}
		}
		refused("wilma", proto.CodeMatchFull)
		for _, l := range append(open, player) {
			l.listensFor(ctx, 3)
		}
		_ = open[2].CloseNow()
		time.Sleep(time.Second)
		refused("alice", proto.CodeMatchFull) // a third of hers, though a place is free
		last := b.listen(ctx, "r", b.watchToken("r", "wilma"), proto.Subprotocol)
		last.listensFor(ctx, 3)
		for _, l := range append(open[:2:2], player) {
			l.listensFor(ctx, 3)
		}
	})
}

func TestWatchTokensAreGoodForWatchingOneRunningRoom(t *testing.T) {
	inVault(t, func(t *testing.T, ctx context.Context, b *bench) {
		code := func(room, bearer string) proto.Code {
			l := b.listen(ctx, room, bearer, proto.Subprotocol)
			for l.take(ctx) != 0 {
			}
			return l.bye.Code
		}
		if got := code("r", b.watchToken("r", "walter")); got != proto.CodeMatchGone || b.host.Room("r") != nil {
			t.Errorf("a room that does not run: %d, and it runs now: %v", got, b.host.Room("r") != nil)
		}
		player := b.listen(ctx, "r", b.seatToken("r", 1, "alice"), proto.Subprotocol)
		player.listensFor(ctx, 1)
		if got := code("r", b.watchToken("other", "walter")); got != proto.CodeNotYourSeat {
			t.Errorf("another room's token: %d", got)
		}
		old := b.watchToken("r", "walter")
		time.Sleep(70 * time.Second)
		if got := code("r", old); got != proto.CodeSeatExpired {
			t.Errorf("an old token: %d", got)
		}
	})
}

func TestSlowSpectatorsArePassedOverAndDelayNobody(t *testing.T) {
	inBubble(t, grow{bulk: 32_000}, simnet.Link{Latency: 10 * time.Millisecond, Buffer: 32 << 10}, func(t *testing.T, ctx context.Context, b *bench) {
		good := b.join(ctx, "r", 20, "bob")
		good.until(ctx, proto.KindFrame)
		var conns []net.Conn
		for range 2 {
			conns = append(conns, b.rawDial("r", b.watchToken("r", "walter")))
		}
		var worst time.Duration
		began := time.Now()
		for last := began; time.Since(began) < slowAfter+3*time.Second+door.LastTimeout; last = time.Now() {
			good.until(ctx, proto.KindFrame)
			worst = max(worst, time.Since(last))
		}
		if b.closes("slow_reader") != 2 || b.metricValue("muster_connections") != 1 || worst > 60*time.Millisecond {
			t.Errorf("%v closed with 4003, %v connections, and the player waited %v", b.closes("slow_reader"), b.metricValue("muster_connections"), worst)
		}
		if n := b.metricValue("muster_frames_skipped_total"); n < 200 {
			t.Errorf("%v frames were skipped", n)
		}
		for _, c := range conns {
			_ = c.Close()
		}
	})
}

func TestASpectatorsOwnTokenEndsAndIsRefreshed(t *testing.T) {
	inVault(t, func(t *testing.T, ctx context.Context, b *bench) {
		b.listen(ctx, "r", b.seatToken("r", 1, "alice"), proto.Subprotocol).listensFor(ctx, 1)
		for _, refreshed := range []bool{false, true} {
			l := b.listen(ctx, "r", b.watchTokenUntil("r", "walter", time.Now().Add(20*time.Second)), proto.Subprotocol)
			l.listensFor(ctx, 1)
			if refreshed {
				w := proto.NewWriter()
				(&proto.Refresh{Token: b.playerToken("walter", time.Hour)}).Append(w)
				if err := l.Write(ctx, websocket.MessageBinary, w.Bytes()); err != nil {
					t.Fatal(err)
				}
			}
			began, kinds := time.Now(), []int{}
			for time.Since(began) < 40*time.Second {
				kind := l.take(ctx)
				if kind == 0 {
					break
				}
				kinds = append(kinds, kind)
				if kind == proto.KindFrame {
					l.ack(ctx)
				}
			}
			if ended := l.bye.Code == proto.CodeTokenExpiry; ended == refreshed || slices.Contains(kinds, proto.KindRefreshed) != refreshed {
				t.Errorf("refreshed %v: the bye says %d", refreshed, l.bye.Code)
			}
		}
	})
}
