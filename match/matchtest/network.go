package matchtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/client"
	"muster/internal/alone"
	"muster/internal/simnet"
	"muster/match"
	"muster/match/edge"
	"muster/match/journal"
	"muster/proto"
	"muster/proto/token"
)

// Net is a match over a network in memory. The zero value of a field means its default.
type Net struct {
	Players int           // how many join. Default: as many as the game has seats, at most 16
	For     time.Duration // how long they play, in virtual time. Default 10 s
	Latency time.Duration // of the way to the server, and of the way back
	Jitter  time.Duration // what is added to it at most
	Loss    float64       // part of the packets that are lost; TCP sends them again, which holds up what follows
	// Bandwidth is of each player's line, in bytes per second each way; 0 is no bound.
	Bandwidth int
	// Cut is how long a connection lasts at most; then it is lost, and its player comes back. In the last quarter of the
	// time none is lost. 0: none ever is.
	Cut    time.Duration
	Seed   uint64 // of the room, the bots and the network's dice
	Config any    // what the room is created with, as Config's
}

// Network plays a match with real clients, which are bots (client.NewBot), a real edge and a network between them with
// delays and losses, all in virtual time: minutes pass in moments. It ends the test when a player cannot join, gets no
// frames, loses the connection, or has another state than the server's: the view hashes, which come every second or so,
// say that. It returns what each client counted, by seat. It makes a bubble of its own (testing/synctest) and so cannot
// be called in one.
func Network(t *testing.T, game match.Game, bot client.Bot, n Net) []client.Stats {
	t.Helper()
	n = n.check(t, game)
	warm()
	stats := make([]client.Stats, n.Players)
	synctest.Test(t, func(t *testing.T) {
		f := newField(t, game, n)
		defer f.close()
		f.play(bot, stats)
	})
	return stats
}

// check returns the settings with defaults filled in. What cannot be played ends the test.
func (n Net) check(t testing.TB, game match.Game) Net {
	t.Helper()
	if game.Err() != nil {
		t.Fatalf("matchtest: the game cannot be run: %v", game.Err())
	}
	if n.Players == 0 {
		n.Players = min(16, game.Rules().Seats)
	}
	if n.For == 0 {
		n.For = 10 * time.Second
	}
	if n.Players > game.Rules().Seats {
		t.Fatalf("matchtest: %d players, and game %q has %d seats", n.Players, game.Name(), game.Rules().Seats)
	}
	if n.For < hashEvery {
		t.Fatalf("matchtest: %v is too short to compare states, at least %v is not", n.For, hashEvery)
	}
	return n
}

// hashEvery is in which time at least one view hash comes.
const hashEvery = 4 * time.Second

// warm uses the compressor once: it makes channels then, and a bubble may not use those of another.
var warm = sync.OnceFunc(func() {
	var b bytes.Buffer
	w, err := journal.NewWriter(&b, journal.Header{Room: "warm", Game: "warm"})
	if err == nil && w.Close() == nil {
		_, _ = journal.NewReader(bytes.NewReader(b.Bytes()))
	}
})

// field is a server on a network in memory.
type field struct {
	t      *testing.T
	n      Net
	config []byte
	game   match.Game
	keys   *token.Keys
	host   *match.Host
	edge   *edge.Server
	srv    *http.Server
	http   *http.Client
	served chan struct{}
}

// Open implements edge.Rooms.
func (f *field) Open(_ context.Context, room string) (edge.Room, error) {
	return f.host.Open(match.Spec{ID: room, Game: f.game.Name(), Seed: f.n.Seed, Epoch: 1, Config: f.config}) //nolint:wrapcheck // names it
}

// Running implements edge.Rooms.
func (f *field) Running(_ context.Context, room string) (edge.Room, error) {
	if rm := f.host.Room(room); rm != nil {
		return rm, nil
	}
	return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is not here"}
}

// TakeSeat implements edge.Rooms: all seats are free, and each token is used once.
func (*field) TakeSeat(context.Context, string, uint16, string, string) (uint16, error) {
	return 0, nil
}

func newField(t *testing.T, game match.Game, n Net) *field {
	t.Helper()
	f := &field{t: t, n: n, game: game, served: make(chan struct{})}
	var err error
	if f.config, err = configBytes(n.Config); err != nil {
		t.Fatalf("matchtest: the config: %v", err)
	}
	if f.keys, err = token.New(bytes.Repeat([]byte("k"), 32), nil); err != nil {
		t.Fatalf("matchtest: %v", err)
	}
	if f.host, err = match.NewHost(match.HostConfig{Games: []match.Game{game}, Directory: alone.Directory{}}); err != nil {
		t.Fatalf("matchtest: %v", err)
	}
	f.edge = edge.New(edge.Config{Rooms: f, Keys: f.keys})
	l := simnet.Listen(simnet.Link{Latency: n.Latency, Jitter: n.Jitter, Loss: n.Loss, Bandwidth: n.Bandwidth, Seed: n.Seed})
	f.http = &http.Client{Transport: &http.Transport{DialContext: n.dialer(l), DisableKeepAlives: true}}
	mux := http.NewServeMux()
	mux.Handle("GET /v1/match/{room}", f.edge)
	f.srv = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(f.served)
		_ = f.srv.Serve(edge.Listener{Listener: l}) // until close
	}()
	return f
}

// dialer returns what opens connections to a listener.
func (n Net) dialer(l *simnet.Listener) func(ctx context.Context, network, addr string) (net.Conn, error) {
	if n.Cut == 0 {
		return l.DialContext
	}
	var mu sync.Mutex
	calm := time.Now().Add(n.For - n.For/4)
	dice := rand.New(rand.NewPCG(n.Seed, 0x637574)) //nolint:gosec // a test's
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := l.Dial(ctx)
		if err != nil {
			return nil, err //nolint:wrapcheck // the network's own
		}
		mu.Lock()
		defer mu.Unlock()
		time.AfterFunc(n.Cut/2+time.Duration(dice.Int64N(int64(n.Cut/2)+1)), func() {
			if time.Now().Before(calm) {
				c.Cut()
			}
		})
		return c, nil
	}
}

// close ends the server and waits for all of it.
func (f *field) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := errors.Join(f.host.Close(ctx), f.edge.Close(ctx)); err != nil {
		f.t.Errorf("matchtest: closing the server: %v", err)
	}
	_ = f.srv.Close()
	<-f.served
}

// play lets all players play and looks at what they counted.
func (f *field) play(bot client.Bot, stats []client.Stats) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), f.n.For)
	defer cancel()
	errs := make([]error, len(stats))
	var wg sync.WaitGroup
	for i := range stats {
		seat := uint16(i + 1)
		bearer, err := f.seatToken(seat)
		if err != nil {
			f.t.Fatalf("matchtest: seat %d: %v", seat, err)
		}
		m := client.Match{Room: roomID, URL: "ws://server/v1/match/" + roomID, Token: bearer}
		wg.Go(func() {
			stats[i], errs[i] = bot.Play(ctx, m, client.Play{HTTP: f.http, Seed: f.n.Seed + uint64(seat), Reconnect: true})
		})
	}
	wg.Wait()
	verdict(f.t, stats, errs)
}

// verdict looks at how the clients fared.
func verdict(t testing.TB, stats []client.Stats, errs []error) {
	t.Helper()
	for i, s := range stats {
		var closed *client.CloseError
		switch err := errs[i]; {
		case errors.As(err, &closed) && closed.Code == proto.CodeDone: // the match ended
		case err != nil:
			t.Errorf("matchtest: seat %d: %v", i+1, err)
		case s.Frames == 0:
			t.Errorf("matchtest: seat %d has no frame", i+1)
		}
		if s.DecodeErrors > 0 || s.HashMismatches > 0 {
			t.Errorf("matchtest: seat %d has another state than the server: %d hashes differ, %d blocks could not be read",
				i+1, s.HashMismatches, s.DecodeErrors)
		}
	}
}

func (f *field) seatToken(seat uint16) (string, error) {
	player := fmt.Sprint("player-", seat)
	return f.keys.SignSeat(token.Seat{ //nolint:wrapcheck // play says whose
		Room: roomID, Seat: seat, Player: player, Name: player, ID: player, PlayerExpires: time.Now().Add(24 * time.Hour),
	}, time.Minute)
}
