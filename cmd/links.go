package cmd

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"muster/match/bridge"
	"muster/match/cluster"
)

// links are the server's way to other nodes: none before it has its place among them, and none where Redis is embedded,
// which has no other nodes.
type links struct{ to atomic.Pointer[cluster.Links] }

var _ bridge.Network = (*links)(nil)

// Send implements [bridge.Network].
func (l *links) Send(to string, msg []byte) bool {
	links := l.to.Load()
	return links != nil && links.Send(to, msg)
}

func (l *links) close() {
	if links := l.to.Load(); links != nil {
		links.Close()
	}
}

// link begins to exchange messages with other nodes.
func (s *server) link(reg prometheus.Registerer) {
	if s.set.Redis == "" {
		return
	}
	links := cluster.NewLinks(cluster.LinksConfig{
		Redis: s.rdb, Namespace: s.set.Namespace, Key: s.keys.Subkey("links"), Self: s.member.ID, Log: s.log, Registerer: reg,
		Receive: s.bridge.Receive, Gap: s.bridge.Gap, Gone: s.bridge.Gone,
	})
	s.links.to.Store(links)
	links.Start()
}
