package cluster

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// placedFor is how long a room that was placed counts by itself. A load is of the last second, is published when that
	// is over, and a room begins with its first player.
	placedFor = 2 * time.Second
	// maxPlaced bounds how many are remembered; the oldest count no longer.
	maxPlaced = 4096
)

// Placer places the rooms of one process. It counts those of the last seconds to their nodes' loads, which do not show
// them yet: a burst spreads. Any goroutine may use it.
type Placer struct {
	placements *prometheus.CounterVec

	mu     sync.Mutex
	rng    *rand.Rand
	recent []placed // the oldest first
	count  map[string]int
}

type placed struct {
	node string
	at   time.Time
}

// NewPlacer returns a placer whose metrics r has, which may be nil.
func NewPlacer(r prometheus.Registerer) *Placer {
	p := &Placer{
		placements: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_placements_total", Help: "New rooms that this process sought a node for: placed, none or crowded.",
		}, []string{"outcome"}),
		rng:   rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), //nolint:gosec // nobody gains by guessing it
		count: map[string]int{},
	}
	for _, outcome := range []string{"placed", "none", "crowded"} {
		p.placements.WithLabelValues(outcome)
	}
	if r != nil {
		r.MustRegister(p.placements)
	}
	return p
}

// Place is [Place] among the live nodes. Errors: ErrNoNode, ErrCrowded.
func (p *Placer) Place(live map[string]Node, want Want) (Node, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.forget(now)
	want.Placed = p.count
	n, _, err := Place(slices.Collect(maps.Values(live)), want, p.rng)
	switch {
	case errors.Is(err, ErrCrowded):
		p.placements.WithLabelValues("crowded").Inc()
		return n, err
	case err != nil:
		p.placements.WithLabelValues("none").Inc()
		return n, err
	}
	p.placements.WithLabelValues("placed").Inc()
	p.recent = append(p.recent, placed{n.ID, now})
	p.count[n.ID]++
	return n, nil
}

// Explain says where a room would go now, without placing it: the next one may go elsewhere.
func (p *Placer) Explain(live map[string]Node, want Want) (Node, Explanation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(time.Now())
	want.Placed = p.count
	return Place(slices.Collect(maps.Values(live)), want, p.rng)
}

// forget takes out what was placed so long ago that loads show it. The caller holds mu.
func (p *Placer) forget(now time.Time) {
	n := max(0, len(p.recent)-maxPlaced+1)
	for n < len(p.recent) && now.Sub(p.recent[n].at) >= placedFor {
		n++
	}
	for _, old := range p.recent[:n] {
		if p.count[old.node]--; p.count[old.node] == 0 {
			delete(p.count, old.node)
		}
	}
	p.recent = slices.Delete(p.recent, 0, n)
}
