package cluster_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"muster/match/cluster"
)

// lease is what the tests' nodes have.
const lease = 1500 * time.Millisecond

// peer is a node with its own connections to Redis, which the test can hurt, and what it was told.
type peer struct {
	*cluster.Member

	rdb   redis.UniversalClient
	wires *wires
	front *front
	logs  *observer.ObservedLogs

	mu     sync.Mutex
	until  time.Time // zero: for ever
	told   bool
	fenced []string
	dead   []string
	forgot int
}

// peerNet carries probes between the nodes of a test, in its own time.
type peerNet struct {
	mu     sync.Mutex
	fronts map[string]*front
}

// front is where a node is reached.
type front struct {
	handler http.Handler
	mu      sync.Mutex
	deaf    bool // it takes questions and says nothing
}

func newPeerNet() *peerNet { return &peerNet{fronts: map[string]*front{}} }

// join joins a node that others reach through the net, until the test ends.
func (n *peerNet) join(t *testing.T, rdb redis.UniversalClient, id string, more ...func(*cluster.MemberConfig)) *peer {
	t.Helper()
	p := &peer{front: &front{}}
	p.rdb, p.wires = rewired(t, rdb)
	cfg := cluster.MemberConfig{
		Node: cluster.Node{ID: id, Peer: "http://" + id + ".node"}, Key: []byte("the deployment's key"), Lease: lease,
		Hold: func(until time.Time) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.until, p.told = until, true
		},
		Fenced: func(old, _ string) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.fenced = append(p.fenced, old)
		},
		Dead: func(id string) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.dead = append(p.dead, id)
		},
		Forgot: func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.forgot++
		},
		Transport: n,
	}
	for _, f := range more {
		f(&cfg)
	}
	var core zapcore.Core
	core, p.logs = observer.New(zapcore.InfoLevel)
	m, err := cluster.NewNodes(p.rdb, ns, zap.New(core)).Join(t.Context(), cfg)
	must(t, err)
	p.Member = m
	t.Cleanup(func() { m.Leave(context.Background()) })
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fronts[id+".node"] = p.front
	p.front.handler = m
	return p
}

// runs says whether the node's rooms may run now.
func (p *peer) runs() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told && (p.until.IsZero() || time.Now().Before(p.until))
}

func (p *peer) wasFenced() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.fenced) > 0
}

func (p *peer) fences() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fenced
}

func (p *peer) heardOf(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.dead, id)
}

// RoundTrip implements http.RoundTripper.
func (n *peerNet) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	f := n.fronts[r.URL.Host]
	n.mu.Unlock()
	deaf := f == nil
	if f != nil {
		f.mu.Lock()
		deaf = f.deaf
		f.mu.Unlock()
	}
	if deaf {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r.Clone(context.Background()))
	return w.Result(), nil
}

func (p *peer) setDeaf(deaf bool) {
	p.front.mu.Lock()
	defer p.front.mu.Unlock()
	p.front.deaf = deaf
}

// always fails the test when what should hold at any time within d does not.
func always(t *testing.T, d time.Duration, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); time.Since(began) < d; time.Sleep(5 * time.Millisecond) {
		if !holds() {
			t.Fatalf("after %v: not any more: %s", time.Since(began), what)
		}
	}
}

func TestRoomsRunWhileTheLeaseIsRenewed(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := newPeerNet()
		a, b := n.join(t, rdb, "a"), n.join(t, rdb, "b")
		always(t, 30*time.Second, "the rooms of both run", func() bool { return a.runs() && b.runs() })
		if peers := a.Peers(); len(peers) != 1 || peers[0].ID != "b" || !a.Steady() {
			t.Errorf("a sees %+v, and is steady: %v", peers, a.Steady())
		}
	})
}

// Redis is a black hole for all: every peer has lost it, so all go on, and come back when it does.
func TestRoomsGoOnWhileEverybodyHasLostRedis(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := newPeerNet()
		peers := []*peer{n.join(t, rdb, "a"), n.join(t, rdb, "b"), n.join(t, rdb, "c")}
		time.Sleep(3 * lease)
		for _, p := range peers {
			p.wires.swallowAll(true)
		}
		run := func() bool {
			return !slices.ContainsFunc(peers, func(p *peer) bool { return !p.runs() })
		}
		always(t, 30*time.Second, "all rooms run without Redis", run)
		for _, p := range peers {
			p.wires.swallowAll(false)
		}
		always(t, 10*time.Second, "all rooms run with Redis again", run)
		within(t, 0, "all are steady again", func() bool { return peers[0].Steady() && peers[1].Steady() && peers[2].Steady() })
		for _, p := range peers {
			if p.wasFenced() {
				t.Errorf("%s is what was fenced by an outage", p.ID())
			}
		}
	})
}

// One node alone is cut off: it pauses at its lease's end, is fenced, and comes back as another one.
func TestNodeThatIsCutOffAlonePausesAtItsLeasesEndAndIsFenced(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := newPeerNet()
		a, b, c := n.join(t, rdb, "a"), n.join(t, rdb, "b"), n.join(t, rdb, "c")
		time.Sleep(3 * lease)
		a.wires.swallowAll(true)
		within(t, lease, "its rooms wait", func() bool { return !a.runs() })
		if b.heardOf("a") || c.heardOf("a") {
			t.Error("it was fenced while its lease could have been renewed")
		}
		within(t, lease, "it is fenced", func() bool { return b.heardOf("a") && c.heardOf("a") })
		always(t, 5*time.Second, "its rooms wait", func() bool { return !a.runs() })
		a.wires.swallowAll(false)
		within(t, lease, "it goes on as another one", func() bool { return a.wasFenced() && a.runs() })
		if a.ID() == "a" {
			t.Error("it has the id that was fenced")
		}
		always(t, 5*time.Second, "the others run", func() bool { return b.runs() && c.runs() })
	})
}

// A node is alone with Redis, and has lost its only peer to a stopped machine: whoever is silent may have Redis.
func TestNodeWithoutRedisPausesIfOnePeerIsSilent(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := newPeerNet()
		a, b, c := n.join(t, rdb, "a"), n.join(t, rdb, "b"), n.join(t, rdb, "c")
		time.Sleep(3 * lease)
		c.setDeaf(true)
		for _, p := range []*peer{a, b, c} {
			p.wires.swallowAll(true)
		}
		within(t, lease, "the rooms of a and b wait", func() bool { return !a.runs() && !b.runs() })
		always(t, 5*time.Second, "c hears both and goes on", c.runs)
		c.setDeaf(false)
		within(t, lease, "all run when it answers", func() bool { return a.runs() && b.runs() && c.runs() })
	})
}

func TestNodeThatIsAloneByItsSettingsGoesOnWithoutRedis(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := newPeerNet()
		a := n.join(t, rdb, "a", func(cfg *cluster.MemberConfig) { cfg.Alone = true })
		a.wires.swallowAll(true)
		always(t, 30*time.Second, "it runs", a.runs)
		if lines := a.logs.FilterMessage("the lease was not renewed").Len(); lines < 1 || lines > 2 {
			t.Errorf("an outage of half a minute is %d lines, want one for each kind of error", lines)
		}
		a.wires.swallowAll(false)
		within(t, 5*time.Second, "the log says that it is over", func() bool {
			return a.logs.FilterMessage("the lease is renewed again").Len() == 1
		})
	})
}

// What a process does that was stopped (SIGSTOP) for longer than its lease: its rooms do not run from the moment on at
// which it goes on, and it hears that it was fenced.
func TestNodeThatWasStoppedIsFencedAndHearsOfItWhenItGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := newPeerNet()
		a, b := n.join(t, rdb, "a"), n.join(t, rdb, "b")
		time.Sleep(3 * lease)
		a.wires.swallowAll(true) // nothing that it says leaves it, and it answers nobody: as good as stopped
		a.setDeaf(true)
		within(t, 2*lease, "it is fenced", func() bool { return b.heardOf("a") })
		if a.runs() {
			t.Error("its rooms may run")
		}
		a.setDeaf(false)
		a.wires.swallowAll(false)
		within(t, lease, "it is another one", func() bool { return a.wasFenced() && a.ID() != "a" && a.runs() })
	})
}

func TestNodeIsToldToWriteItsRecordsAgainWhenRedisWasEmptied(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := newPeerNet()
		a, b := n.join(t, rdb, "a"), n.join(t, rdb, "b")
		a.Saw(1 << 45)
		time.Sleep(3 * lease)
		must(t, rdb.FlushAll(t.Context()).Err())
		within(t, lease, "both hear of it", func() bool { return a.forgotten() && b.forgotten() })
		if a.Steady() || b.Steady() {
			t.Error("they may claim at once from a Redis that has forgotten everything")
		}
		always(t, 2*lease, "both run", func() bool { return a.runs() && b.runs() })
		if !a.Steady() || b.Epoch() < 1<<45 {
			t.Errorf("steady: %v; the highest epoch is %d", a.Steady(), b.Epoch())
		}
	})
}

// Records live for a minute, and end during a longer outage though Redis itself has forgotten nothing.
func TestNodeIsToldToWriteItsRecordsAgainAfterALongOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := newPeerNet()
		a, b := n.join(t, rdb, "a"), n.join(t, rdb, "b")
		time.Sleep(3 * lease)
		a.wires.swallowAll(true)
		b.wires.swallowAll(true)
		time.Sleep(2 * time.Minute)
		if !a.runs() || !b.runs() || a.forgotten() || b.forgotten() {
			t.Fatalf("without Redis they run: %v, %v; and have forgotten: %v, %v", a.runs(), b.runs(), a.forgotten(), b.forgotten())
		}
		a.wires.swallowAll(false)
		b.wires.swallowAll(false)
		within(t, lease, "both hear of it", func() bool { return a.forgotten() && b.forgotten() })
		if a.Steady() || b.Steady() {
			t.Error("they may claim, and open rooms that have no record, before others have written theirs")
		}
	})
}

func (p *peer) forgotten() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.forgot > 0
}

// A node whose wall clock, or Redis's, jumps by an hour loses nothing: leases are told by beats.
func TestLeaseOutlivesAJumpOfRedisClock(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := newPeerNet()
		a, b := n.join(t, rdb, "a"), n.join(t, rdb, "b")
		time.Sleep(3 * lease)
		for _, end := range []float64{0, 1e15} { // as if the clock had jumped: all leases are over, or none ever is
			must(t, rdb.ZAdd(t.Context(), ns+":{nodes}:live", redis.Z{Score: end, Member: "a"}, redis.Z{Score: end, Member: "b"}).Err())
			always(t, 2*lease, "both run and nobody is fenced", func() bool { return a.runs() && b.runs() && !a.heardOf("b") && !b.heardOf("a") })
		}
	})
}

func TestIncarnationThatRedisDoesNotKnowIsFencedAfterAWhile(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := newPeerNet()
		a := n.join(t, rdb, "a")
		time.Sleep(2 * lease)
		gone := func() bool {
			gone, err := a.Gone(t.Context(), "stray")
			must(t, err)
			return gone
		}
		if gone() {
			t.Error("a node of which nothing is known is over at once")
		}
		always(t, 9*time.Second, "it may still come", func() bool { return !gone() })
		within(t, 2*time.Second, "it is over", gone)
		if yes, err := a.Gone(t.Context(), "a"); yes || err != nil {
			t.Errorf("the node itself is over: %v (%v)", yes, err)
		}
	})
}
