package cmd

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"muster/match/cluster"
)

// node describes this process to the others, as far as it does not change.
func (s *server) node(addr net.Addr, games []Game) cluster.Node {
	n := cluster.Node{
		ID: cluster.NewID(), Process: cluster.NewID(), URL: strings.TrimSuffix(s.set.PublicURL, "/"), Region: s.set.Region, Role: s.set.role(),
		Tags: s.set.tags(), Capacity: s.set.Capacity, Games: map[string]string{},
		Version: version(), Began: time.Now().UnixMilli(), Key: hex.EncodeToString(s.keys.Subkey("which")[:8]),
	}
	if n.URL == "" {
		n.URL, n.Asked = "http://"+addr.String(), true
	}
	if n.Peer = strings.TrimSuffix(s.set.PeerURL, "/"); n.Peer == "" {
		n.Peer = cluster.PeerURL(addr, s.set.Redis)
	}
	n.Place = cluster.PlaceOf(addr)
	if !s.set.hosts() {
		return n
	}
	for _, g := range games {
		n.Games[g.Name()] = g.Rules().Version
	}
	return n
}

// sameKey refuses to join servers that have another key: what they sign and send is nothing here, and the other way round,
// so that players would find half of the rooms.
func sameKey(ctx context.Context, nodes *cluster.Nodes, self cluster.Node) error {
	live, err := nodes.Live(ctx)
	if err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	for id, n := range live {
		if n.Key == "" || n.Key == self.Key || n.Place != "" && n.Place == self.Place { // of a release that does not say, or dead
			continue
		}
		return fmt.Errorf("the server %s at %s has another signing key: all servers of a deployment have one, "+
			"and one with another key needs another --namespace", id, n.Peer)
	}
	return nil
}

// describe brings what changes of a node up to date.
func (s *server) describe(n *cluster.Node) {
	n.Full, n.Ends, n.Draining = s.host.Full(), s.host.Unfit() != "", s.draining.Load()
	if s.ends.Load() && n.Full == "" {
		n.Full = "it stops"
	}
	l := s.host.Load()
	n.Load = cluster.Load{
		Tick: l.Tick, Late: l.Late, Rooms: l.Rooms, Players: l.Players, Sockets: s.edge.Sockets(), Heap: l.Heap, Limit: l.Limit,
		Watching: l.Watching, Asleep: l.Asleep, Ticks: l.Ticks, TickRate: l.Rate, P50: l.P50.Microseconds(), P99: l.P99.Microseconds(),
	}
	n.Load.Out, n.Load.OutRate = s.sent.look(s.edge.Written(), time.Now())
	n.Playing = make(map[string]cluster.InGame, len(l.Games))
	for game, in := range l.Games {
		n.Playing[game] = cluster.InGame(in)
	}
	n.Queues = nil
	if s.set.serves() {
		n.Queues = s.lobby.Queues()
	}
}

// flow is how fast something grows.
type flow struct {
	total  uint64
	at     time.Time
	perSec float64
}

// look returns the total and what it has grown by in a second, measured over a second at least.
func (f *flow) look(total uint64, now time.Time) (uint64, float64) {
	switch took := now.Sub(f.at); {
	case f.at.IsZero():
		f.total, f.at = total, now
	case took >= time.Second:
		f.perSec = float64(total-f.total) / took.Seconds()
		f.total, f.at = total, now
	}
	return total, f.perSec
}

// drainEvery is how often a node asks whether it drains. Placement knows it at once; this is for what the node says.
const drainEvery = time.Second

// followDrain keeps s.draining up to date until the server is closed.
func (s *server) followDrain(nodes *cluster.Nodes, node cluster.Node) {
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		ticker := time.NewTicker(drainEvery)
		defer ticker.Stop()
		for {
			asking, cancel := context.WithTimeout(ctx, readyTimeout)
			drains, err := nodes.Drains(asking, node)
			cancel()
			if err == nil && s.draining.Swap(drains) != drains { // else it is as it was
				s.log.Info("an operator has said whether this server drains", zap.Bool("drains", drains))
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
	s.onClose(func(ctx context.Context) error {
		stop()
		wg.Wait()
		if err := nodes.Drained(ctx, node); err != nil {
			s.log.Warn("it ends by itself", zap.Error(err))
		}
		return nil
	})
}
