package cluster

import (
	"context"
	"hash/fnv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

const (
	// maxPeers bounds the nodes of which something is known. Those with whom nothing is exchanged are forgotten.
	maxPeers = 1024
	// peerActive is how long after the last message two nodes go on with signs of life, and peerKept how long they are known.
	peerActive = 30 * time.Second
	peerKept   = 2 * peerActive
	// peerGone is how long nothing is heard of an active peer before it is given up.
	peerGone = 5 * time.Second
	// clusterLanes is how many exchanges with a Redis Cluster are under way at a time.
	clusterLanes = 8
)

// LinksConfig says what Links are made of. All functions but Self are called on one goroutine and must not block, and none
// may be nil. What they are given is theirs during the call alone.
type LinksConfig struct {
	Redis     redis.UniversalClient // better not a [Batched] one: frames do not wait for scripts
	Namespace string
	Key       []byte // of the cluster: nodes with another one are not heard
	// Self returns the id of this node. It may change; then messages come to the new one, and all peers have a gap.
	Self       func() string
	Log        *zap.Logger
	Registerer prometheus.Registerer

	// Receive gets a message of another node, in their order, each at most once.
	Receive func(from string, msg []byte)
	// Gap says that messages of that node are lost, or may be. It comes before those that were sent after them.
	Gap func(from string)
	// Gone says that nothing was heard for five seconds of a node with which messages were exchanged in the last half
	// minute. Should it be heard again, Gap comes first.
	Gone func(from string)
}

// Links carry messages between nodes over Redis Pub/Sub, each node has one channel. A message arrives at most once; that
// one is lost is noticed by numbers, with the next message or sign of life. Any goroutine may send.
//
// All that waits for a node goes in one envelope, and the envelopes for all nodes in one exchange with Redis. One exchange
// is under way at a time (a few where Redis is a Cluster, each for some of the nodes), which keeps the order; what is sent
// meanwhile goes with the next one. So nothing waits for a timer, and the busier a node, the cheaper a message.
type Links struct {
	cfg     LinksConfig
	metrics *linksMetrics
	shards  bool
	lanes   []*lane
	keys

	renamed chan struct{} // Self has changed
	ready   chan struct{} // closed when the first subscription is confirmed
	once    sync.Once
	stop    context.CancelFunc
	wg      sync.WaitGroup

	mu      sync.Mutex
	self    string
	live    bool
	streams uint32
	peers   map[string]*peer
	past    pastPeers
}

// peer is what is known of another node. The lock of Links is over it.
type peer struct {
	id      string
	channel string
	lane    *lane
	out     linkQueue
	waits   bool // it stands in its lane's line
	sent    bool // something since the last look
	in      window
	suspect bool // messages may be missing since a subscription was lost
	gone    bool
	active  time.Time // when the last message came or was sent
	heard   time.Time // when the last envelope came; zero is never
}

// NewLinks returns links that carry messages once they are started.
func NewLinks(cfg LinksConfig) *Links {
	l := &Links{
		cfg: cfg, metrics: newLinksMetrics(cfg.Registerer), shards: sharded(cfg.Redis), keys: keys{cfg.Namespace},
		renamed: make(chan struct{}, 1), ready: make(chan struct{}), stop: func() {}, peers: map[string]*peer{}, past: pastPeers{},
	}
	n := 1
	if l.shards {
		n = clusterLanes
	}
	for range n {
		l.lanes = append(l.lanes, &lane{links: l, wake: make(chan struct{}, 1), sealer: newSealer(cfg.Key)})
	}
	return l
}

// Start begins to carry messages. It may be called once.
func (l *Links) Start() {
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.mu.Lock()
	l.self = l.cfg.Self()
	l.mu.Unlock()
	for _, a := range l.lanes {
		l.wg.Go(func() { a.run(ctx) })
	}
	e := &linkEar{Links: l, sealer: newSealer(l.cfg.Key)}
	l.wg.Go(func() { e.run(ctx) })
}

// Ready is closed as soon as messages can arrive.
func (l *Links) Ready() <-chan struct{} { return l.ready }

// Close ends the links and waits for their goroutines. What waits to be sent is lost.
func (l *Links) Close() {
	l.stop()
	l.wg.Wait()
}

// Live says whether this node hears what it sends to itself.
func (l *Links) Live() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.live
}

func (l *Links) setLive(live bool) {
	l.mu.Lock()
	l.live = live
	l.mu.Unlock()
	if live {
		l.metrics.live.Set(1)
	} else {
		l.metrics.live.Set(0)
	}
}

// Send copies a message of at most [MaxLinkMessage] bytes for a node and returns at once. False says that it is dropped,
// since too much waits, and that node has a gap then, or that this node has no id yet.
func (l *Links) Send(to string, msg []byte) bool {
	self := l.cfg.Self()
	l.mu.Lock()
	if self != l.self {
		l.rename(self)
	}
	p := l.peer(to)
	if p == nil {
		l.mu.Unlock()
		l.metrics.dropped("peers")
		return false
	}
	p.active = time.Now()
	ok := p.out.add(msg)
	first := l.queued(p)
	l.mu.Unlock()
	if first {
		p.lane.rouse()
	}
	if !ok {
		l.metrics.dropped("full")
	}
	return ok
}

// queued puts a peer into its lane's line, and says whether somebody must be told. The caller holds the lock.
func (l *Links) queued(p *peer) bool {
	if p.waits || len(p.out.list) == 0 {
		return false
	}
	p.waits, p.sent = true, true
	p.lane.line = append(p.lane.line, p)
	return true
}

// peer returns a peer, a new one where there is room, or nil. The caller holds the lock.
func (l *Links) peer(id string) *peer {
	if p := l.peers[id]; p != nil {
		return p
	}
	if id == "" || len(id) > maxNodeID || len(l.peers) >= maxPeers || l.self == "" {
		return nil
	}
	l.streams++
	p := &peer{id: id, channel: l.link(id), out: linkQueue{from: l.self, to: id, stream: l.streams}, lane: l.laneOf(id), in: l.past.take(id)}
	l.peers[id] = p
	l.metrics.peers.Set(float64(len(l.peers)))
	return p
}

func (l *Links) laneOf(id string) *lane {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return l.lanes[h.Sum32()%uint32(len(l.lanes))] //nolint:gosec // a few
}

// rename goes on as another node. What waits was of the one before and is lost, as that one is. The caller holds the lock.
func (l *Links) rename(self string) {
	l.self = self
	for _, p := range l.peers {
		l.streams++
		p.out = linkQueue{from: self, to: p.id, stream: l.streams}
	}
	select {
	case l.renamed <- struct{}{}:
	default:
	}
}

// sharded says whether a client is one of a Redis Cluster, which carries a message to the subscribers of one slot only if it
// is sent so; the other way each message goes to all of its servers.
func sharded(rdb redis.UniversalClient) bool {
	switch c := rdb.(type) {
	case *batched:
		return sharded(c.UniversalClient)
	case *redis.ClusterClient:
		return true
	}
	return false
}

// subscribe subscribes in the way of the server; all channels have one hash tag.
func subscribe(ctx context.Context, rdb redis.UniversalClient, channels ...string) *redis.PubSub {
	if sharded(rdb) {
		return rdb.SSubscribe(ctx, channels...)
	}
	return rdb.Subscribe(ctx, channels...)
}

// publisher is a client or a pipeline.
type publisher interface {
	Publish(ctx context.Context, channel string, message any) *redis.IntCmd
	SPublish(ctx context.Context, channel string, message any) *redis.IntCmd
}

// publish publishes by p in the way of the server.
func publish(ctx context.Context, p publisher, shards bool, channel string, message []byte) *redis.IntCmd {
	if shards {
		return p.SPublish(ctx, channel, message)
	}
	return p.Publish(ctx, channel, message)
}
