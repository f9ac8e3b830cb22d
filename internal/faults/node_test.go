package faults

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"muster/client"
	"muster/internal/alone"
	"muster/internal/testmetric"
	"muster/match"
	"muster/match/edge"
	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// testKeys sign for every server of these tests.
func testKeys() *token.Keys {
	keys, err := token.New([]byte("a signing key for these tests, 32 bytes or more"), nil)
	if err != nil {
		panic(err)
	}
	return keys
}

// nodeConfig is what a node runs with.
type nodeConfig struct {
	games  []match.Game
	store  journal.Store
	epoch  uint64 // of every room
	log    *zap.Logger
	stall  time.Duration // how long a call of the rules may take; 0 is the usual
	limits func(*edge.Config)
}

// node is one process's rooms and sockets: what cmd wires, without a lobby. Rooms are named GAME-ANYTHING.
type node struct {
	host     *match.Host
	edge     *edge.Server
	http     *http.Server
	registry *prometheus.Registry
	addr     string
	served   chan struct{}
}

func newNode(cfg nodeConfig) (*node, error) {
	n := &node{registry: prometheus.NewRegistry(), served: make(chan struct{})}
	host, err := match.NewHost(match.HostConfig{
		Games: cfg.games, Directory: alone.Directory{}, Journals: cfg.store, Log: cfg.log, Registerer: n.registry, StallAfter: cfg.stall,
	})
	if err != nil {
		return nil, err
	}
	n.host = host
	ec := edge.Config{Rooms: anyRoom{host, cfg.epoch}, Keys: testKeys(), Log: cfg.log, Registerer: n.registry}
	if cfg.limits != nil {
		cfg.limits(&ec)
	}
	n.edge = edge.New(ec)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n.addr = listener.Addr().String()
	mux := http.NewServeMux()
	mux.Handle("GET /v1/match/{room}", n.edge)
	n.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(n.served)
		_ = n.http.Serve(edge.Listener{Listener: listener})
	}()
	return n, nil
}

// close ends rooms, then sockets, then the port.
func (n *node) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := errors.Join(n.host.Close(ctx), n.edge.Close(ctx), n.http.Close())
	<-n.served
	return err
}

// startNode starts a node within this process; the test may close it before its end.
func startNode(t *testing.T, cfg nodeConfig) *node {
	t.Helper()
	n, err := newNode(cfg)
	must(t, err)
	t.Cleanup(func() { _ = n.close() })
	return n
}

// metric returns the value of a counter or gauge, its labels summed up.
func (n *node) metric(t *testing.T, name string) float64 {
	t.Helper()
	return testmetric.Value(t, n.registry, name)
}

// anyRoom opens every room that is asked for.
type anyRoom struct {
	host  *match.Host
	epoch uint64
}

func (a anyRoom) Open(_ context.Context, room string) (edge.Room, error) {
	game, _, _ := strings.Cut(room, "-")
	rm, err := a.host.Open(match.Spec{ID: room, Game: game, Seed: 7, Epoch: a.epoch})
	if errors.Is(err, match.ErrLoaded) {
		return nil, &proto.Close{Code: proto.CodeOverloaded, Reason: err.Error()}
	}
	return rm, err
}

func (a anyRoom) Running(ctx context.Context, room string) (edge.Room, error) {
	return a.Open(ctx, room)
}

func (anyRoom) TakeSeat(context.Context, string, uint16, string, string) (uint16, error) {
	return 0, nil
}

// seatIn is what a lobby would say: a seat of a room, for a server that a route leads to.
func seatIn(t testing.TB, room string, seat netcode.Seat, player string) client.Match {
	t.Helper()
	bearer, err := testKeys().SignSeat(token.Seat{
		Room: room, Seat: uint16(seat), Player: player, Name: player, ID: room + player,
	}, time.Minute)
	must(t, err)
	return client.Match{Room: room, URL: "ws://node.example/v1/match/" + room, Token: bearer}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for what others bring about.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// serve serves on a port of the loopback until the test's end.
func serve(t *testing.T, h http.Handler) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() { _ = s.Close(); <-served })
	return l.Addr().String()
}
