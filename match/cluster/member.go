package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"muster/internal/complaint"
	"muster/match/cluster/ownership"
)

// MemberConfig is what a node needs to be one of a deployment's. The zero value of a field that is not required means its
// default.
type MemberConfig struct {
	// Node is what it says of itself. Its ID is that of the first incarnation; "" makes one.
	Node Node
	// Now brings what changes up to date before each renewal; it must not block. It may be nil.
	Now func(*Node)
	// Hold is told until when rooms may run, by the monotonic clock: the zero time means for ever. It must not block. It may
	// be nil.
	Hold func(until time.Time)
	// Fenced is called when others have taken over what ran under the incarnation old: it ends that, and returns when it
	// has. Hold was told before that nothing may run. It may be nil.
	Fenced func(old, next string)
	// Dead is called once for each other incarnation that is fenced, whoever has done it: its rooms may be claimed. At the
	// start it is called for those that were fenced lately. One call at a time; renewals wait for it, so it must not block.
	Dead func(id string)
	// Forgot is called when Redis may have lost the last writes, or all: the records of what runs here are to be written
	// again, soon. It must not block. It may be nil.
	Forgot func()
	// Key is what peers know each other's probes by. Without one nobody answers nobody.
	Key []byte
	// Lease is how long others leave alone what runs here after the last renewal. Default 1.5 s. More rides out longer
	// stalls, and takes longer to notice a death.
	Lease time.Duration
	// Alone says that no other node uses this Redis, so that nobody is asked whether rooms may go on without it.
	Alone bool
	// Transport carries probes. Nil: the network.
	Transport http.RoundTripper
	// Registerer counts. It may be nil.
	Registerer prometheus.Registerer
}

const (
	defaultLease = 1500 * time.Millisecond
	// A lease is renewed five times within it, and an attempt is given up when the next one is due. Thirty times it is looked
	// at what else is to be done.
	renewalsEach = 5
	looksEach    = 30
	// marginShare of a lease is what its owner keeps off: clocks that run at rates up to 5 % different are no harm.
	marginShare = 10
	// joinTries is how often a node tries to register where Redis does not answer in time: a machine is busy while it starts.
	joinTries = 5
	// strangerWait is how long an incarnation waits with one that does not know it.
	strangerWait = 10 * time.Second
)

// Member is a node's place in the deployment: its lease, who the others are, and who is no more. Any goroutine may use it.
type Member struct {
	nodes  *Nodes
	cfg    MemberConfig
	log    *zap.Logger
	base   time.Time
	probes *probes
	counts *leaseMetrics
	id     atomic.Pointer[string]
	now    chan struct{}  // renew at once
	said   complaint.Book // what is in the log already

	stop context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex
	m      *ownership.Machine
	peers  map[string]Node // of the newest renewal
	askers askers
	held   time.Duration // what Hold was told
	told   bool

	// Of the goroutine that renews.
	node Node
	dead map[string]bool
}

// Join registers a node and keeps its lease until Leave. Its error is that Redis did not take the registration, or did not
// answer for some seconds.
func (n *Nodes) Join(ctx context.Context, cfg MemberConfig) (*Member, error) {
	if cfg.Lease == 0 {
		cfg.Lease = defaultLease
	}
	if cfg.Node.ID == "" {
		cfg.Node.ID = NewID()
	}
	b := &Member{
		nodes: n, cfg: cfg, log: n.log, base: time.Now(), node: cfg.Node, now: make(chan struct{}, 1), dead: map[string]bool{},
		counts: newLeaseMetrics(cfg.Registerer),
	}
	if b.log == nil {
		b.log = zap.NewNop()
	}
	b.probes = newProbes(cfg.Key, cfg.Transport, b.counts)
	b.begin(cfg.Node.ID)
	err := b.renew(ctx, callTimeout)
	for range joinTries - 1 {
		var late interface{ Timeout() bool } // of a context, or of a socket
		if ctx.Err() != nil || !errors.As(err, &late) || !late.Timeout() {
			break
		}
		err = b.renew(ctx, callTimeout)
	}
	if err != nil {
		b.probes.close()
		return nil, fmt.Errorf("registering node %s: %w", cfg.Node.ID, err)
	}
	renewing, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.wg.Go(func() { b.run(renewing) })
	b.wg.Go(func() { b.tend(renewing) })
	return b, nil
}

// begin makes the machine of a new incarnation.
func (b *Member) begin(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.m != nil && b.node.Process == "" {
		b.node.Process = b.m.ID() // which names the process whatever it is called
	}
	b.m = ownership.New(id, ownership.Config{
		TTL: b.cfg.Lease, Margin: b.cfg.Lease / marginShare, Stranger: max(strangerWait, 2*b.cfg.Lease), Alone: b.cfg.Alone,
	})
	b.id.Store(&id)
	b.askers = askers{}
	b.holdLocked()
}

// ID is the incarnation's. It changes when the node was fenced, before Fenced is called.
func (b *Member) ID() string { return *b.id.Load() }

// Peers returns the other nodes whose leases were not over when this one's was last renewed, sorted by id.
func (b *Member) Peers() []Node {
	b.mu.Lock()
	defer b.mu.Unlock()
	peers := make([]Node, 0, len(b.peers))
	for _, id := range b.m.Live() {
		if p, ok := b.peers[id]; ok {
			peers = append(peers, p)
		}
	}
	slices.SortFunc(peers, func(p, q Node) int { return cmp.Compare(p.ID, q.ID) })
	return peers
}

// Steady says whether the node has held its lease for a whole lease without a break. Until then it claims nothing, and
// opens no room under a name that another node may be running it by: after an outage others come back a moment later.
func (b *Member) Steady() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.m.Steady(b.since())
}

// Epoch is the highest epoch that this node knows of. A claim's epoch must be higher, whatever Redis has stored.
func (b *Member) Epoch() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.m.Epoch()
}

// Saw notes the epoch of a room, so that this node and, from the next renewal on, all others claim with higher ones.
func (b *Member) Saw(epoch uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.m.Saw(epoch)
}

// Gone says whether an incarnation is fenced, so that its rooms may be claimed. One that Redis does not know at all is
// watched from then on, and fenced if it does not come for 10 s.
func (b *Member) Gone(ctx context.Context, id string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	fenced, known, err := b.nodes.gone(ctx, id)
	if err == nil && !known {
		b.mu.Lock()
		b.m.Watch(b.since(), id)
		b.mu.Unlock()
	}
	return fenced, err
}

// Cut says that Redis did not answer the last attempt to renew, and paused that rooms here wait for it: the lease is over,
// and not all peers have promised to leave them alone.
func (b *Member) Cut() (cut, paused bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.since()
	return b.m.Cut(), now >= b.m.Until()
}

// Refresh renews at once, so that others soon see what Now says.
func (b *Member) Refresh() {
	select {
	case b.now <- struct{}{}:
	default: // it is about to
	}
}

// Leave gives the lease back: whatever ran here may be claimed at once, so it must have ended.
func (b *Member) Leave(ctx context.Context) {
	b.stop()
	b.wg.Wait()
	b.probes.close()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := b.nodes.leave(ctx, b.ID()); err != nil {
		b.log.Warn("this node's lease was not given back; it ends by itself", zap.Error(err))
	}
}

// since is the machine's time.
func (b *Member) since() time.Duration { return time.Since(b.base) }

// run renews the lease.
func (b *Member) run(ctx context.Context) {
	ticker := time.NewTicker(b.cfg.Lease / renewalsEach)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-b.now:
		}
		err := b.renew(ctx, b.cfg.Lease/renewalsEach)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errFenced):
			b.fenced()
			continue
		case err != nil:
			if repeats, say := b.said.Again("lease", err.Error(), time.Now()); say {
				b.log.Warn("the lease was not renewed", zap.Error(err), zap.Int("repeats", repeats))
			}
		default:
			if repeats, was := b.said.Over("lease"); was {
				b.log.Info("the lease is renewed again", zap.Int("repeats", repeats))
			}
		}
	}
}

// tend asks the peers while the lease is not renewed, and fences those whose leases are over: whatever a renewal waits for.
func (b *Member) tend(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	ticker := time.NewTicker(b.cfg.Lease / looksEach)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		b.ask(ctx, &asking)
		b.suspect(ctx, &asking)
	}
}

// renew makes one attempt, within a time.
func (b *Member) renew(ctx context.Context, within time.Duration) error {
	if b.cfg.Now != nil {
		b.cfg.Now(&b.node)
	}
	b.node.ID = b.ID()
	info, err := json.Marshal(b.node)
	if err != nil {
		return fmt.Errorf("what the node says of itself: %w", err)
	}
	began := b.since()
	b.mu.Lock()
	r := b.m.Renew(began)
	r.Knows, r.Fences = slices.Clone(r.Knows), slices.Clone(r.Fences)
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	answer, infos, err := b.nodes.renew(ctx, b.node.ID, info, r)

	forgot := false
	b.mu.Lock()
	switch {
	case errors.Is(err, errFenced):
		b.m.Lost()
	case err != nil:
		b.m.Failed()
		b.counts.failures.Inc()
	default:
		known := b.peers
		b.peers = readInfos(infos)
		for i := range answer.Others {
			o := &answer.Others[i]
			if _, ok := known[o.ID]; !ok {
				b.Refresh() // the sooner it is named, the sooner it may take over what runs here
			}
			o.Here = b.node.Place != "" && b.peers[o.ID].Place == b.node.Place
		}
		forgot = b.m.Renewed(b.since(), answer)
		b.counts.seconds.Observe((b.since() - began).Seconds())
	}
	b.holdLocked()
	b.mu.Unlock()
	if forgot && b.cfg.Forgot != nil {
		b.cfg.Forgot()
	}
	if err == nil {
		b.bury(answer.Fenced)
	}
	return err
}

// readInfos reads what nodes say of themselves. What another release says may be none to this one.
func readInfos(infos map[string]string) map[string]Node {
	nodes := make(map[string]Node, len(infos))
	for id, info := range infos {
		var n Node
		if json.Unmarshal([]byte(info), &n) == nil && n.ID == id {
			nodes[id] = n
		}
	}
	return nodes
}

// holdLocked tells until when rooms may run, where that has changed.
func (b *Member) holdLocked() {
	now := b.since()
	until := b.m.Until()
	b.counts.note(b.m, now)
	if b.cfg.Hold == nil || b.told && until == b.held {
		return
	}
	b.held, b.told = until, true
	if until == ownership.ForEver {
		b.cfg.Hold(time.Time{})
		return
	}
	b.cfg.Hold(b.base.Add(max(0, until)))
}

// fenced ends the incarnation and begins another one.
func (b *Member) fenced() {
	old, next := b.ID(), NewID()
	b.log.Error("others have taken over what ran here; this node goes on as a new one", zap.String("was", old), zap.String("is", next))
	b.counts.lost.Inc()
	b.begin(next)
	if b.cfg.Fenced != nil {
		b.cfg.Fenced(old, next)
	}
	b.Refresh()
}

// bury tells of incarnations that are fenced, once of each.
func (b *Member) bury(ids []string) {
	for _, id := range ids {
		if b.dead[id] {
			continue
		}
		if len(b.dead) >= maxFenced {
			clear(b.dead) // who is told twice looks twice
		}
		b.dead[id] = true
		if b.cfg.Dead != nil {
			b.cfg.Dead(id)
		}
	}
}

// ask asks the peers whether this node may go on without Redis, where it is time for that.
func (b *Member) ask(ctx context.Context, asking *sync.WaitGroup) {
	b.mu.Lock()
	m := b.m
	n, waiting := m.Ask(b.since())
	waiting = slices.Clone(waiting)
	peers := b.peers
	b.holdLocked()
	b.mu.Unlock()
	for _, id := range waiting {
		asking.Go(func() {
			r := b.probes.ask(ctx, peers[id].Peer, m.ID(), id, b.cfg.Lease, ownership.MayIGoOn)
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.m == m {
				m.Answered(b.since(), n, id, r)
				b.holdLocked()
			}
		})
	}
}

// suspect asks those whose leases are over whether they are there, and fences them where they are not.
func (b *Member) suspect(ctx context.Context, asking *sync.WaitGroup) {
	b.mu.Lock()
	m := b.m
	suspects := m.Suspects(b.since())
	peers := b.peers
	b.mu.Unlock()
	for _, id := range suspects {
		asking.Go(func() {
			r := b.probes.ask(ctx, peers[id].Peer, m.ID(), id, b.cfg.Lease, ownership.AreYouThere)
			b.mu.Lock()
			var f ownership.Fence
			ok := b.m == m
			if ok {
				f, ok = m.Probed(b.since(), id, r)
			}
			b.mu.Unlock()
			if !ok || ctx.Err() != nil {
				return
			}
			ctx, cancel := context.WithTimeout(ctx, callTimeout)
			defer cancel()
			done, err := b.nodes.fence(ctx, f)
			if err != nil {
				b.log.Warn("fencing a node whose lease is over failed", zap.Error(err))
				return
			}
			if done {
				b.counts.fences.Inc()
				b.log.Warn("a node whose lease is over is fenced", zap.String("node", id), zap.String("url", peers[id].URL))
			}
			b.mu.Lock()
			if b.m == m {
				m.FenceDone(id, done)
			}
			b.mu.Unlock()
			b.Refresh() // which brings the news of it
		})
	}
}
