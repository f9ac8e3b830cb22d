package bridge

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"muster/internal/testredis"
	"muster/match"
	"muster/match/cluster"
)

// newLinkedField is a field whose processes talk over a Redis server.
func newLinkedField(t *testing.T, srv *testredis.Server, game match.Game, ids ...string) *field {
	t.Helper()
	f := newField(t, 1, game)
	var all []*cluster.Links
	f.link = func(id string, b func() *Bridge) Network {
		rdb := srv.Connect()
		links := cluster.NewLinks(cluster.LinksConfig{
			Redis: rdb, Namespace: "test", Key: bytes.Repeat([]byte("l"), 32), Self: func() string { return id },
			Log: zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel)), Registerer: prometheus.NewRegistry(),
			Receive: func(from string, msg []byte) { b().Receive(from, msg) },
			Gap:     func(from string) { b().Gap(from) },
			Gone:    func(from string) { b().Gone(from) },
		})
		all = append(all, links)
		t.Cleanup(func() {
			links.Close()
			_ = rdb.Close()
		})
		return links
	}
	for _, id := range ids {
		f.add(id, game)
	}
	t.Cleanup(f.close)
	for _, l := range all {
		l.Start() // all bridges are there
	}
	for _, l := range all {
		<-l.Ready()
	}
	return f
}

func TestClientsPlayOverARedisServer(t *testing.T) {
	game := &teller{}
	f := newLinkedField(t, testredis.Start(t), bankGame(game, match.Rules{}), "n0", "n1", "n2")
	var players []*player
	for seat := range uint16(9) {
		players = append(players, f.join(t.Context(), &player{room: "r", seat: seat + 1, at: fmt.Sprint("n", seat%3)}))
	}
	defer closeAll(players)
	f.playOn(players, 2*time.Second, 3)
	if game.wrong.Load() > 0 || game.drops.Load() > 0 {
		t.Errorf("%d orders not in their turn, %d players dropped", game.wrong.Load(), game.drops.Load())
	}
	until(t, "n1 has had ten ticks", func() bool { return f.nodes["n1"].gauge("muster_bridge_ticks_total") >= 10 })
}

// until waits for what must come about, for a minute at most.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for began := time.Now(); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func TestARedisThatIsAwayForSecondsCostsFramesAlone(t *testing.T) {
	game := &teller{}
	srv := testredis.Start(t)
	f := newLinkedField(t, srv, bankGame(game, match.Rules{}), "n0", "n1")
	var players []*player
	for seat := range uint16(4) {
		players = append(players, f.join(t.Context(), &player{room: "r", seat: seat + 1, at: fmt.Sprint("n", seat%2)}))
	}
	defer closeAll(players)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.playOn(players, 6*time.Second, 3)
	}()
	until(t, "n1 has had twenty ticks", func() bool { return f.nodes["n1"].gauge("muster_bridge_ticks_total") >= 20 })
	ticks := func() float64 {
		return f.nodes["n0"].gauge("muster_bridge_ticks_total") + f.nodes["n1"].gauge("muster_bridge_ticks_total")
	}
	srv.Kill()
	before := ticks()
	until(t, "the host sends on, and nobody hears it", func() bool { return ticks() >= before+6 })
	srv.Restart()
	<-done
	if game.wrong.Load() > 0 || game.drops.Load() > 0 {
		t.Errorf("%d orders not in their turn, %d players dropped", game.wrong.Load(), game.drops.Load())
	}
	if f.nodes["n1"].gauge("muster_bridge_gaps_total") == 0 {
		t.Error("there was no gap")
	}
	for _, p := range players {
		if n := p.conn.Stats().Resumes; n > 0 {
			t.Errorf("seat %d came back %d times", p.seat, n)
		}
	}
}
