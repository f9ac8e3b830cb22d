package bridge

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"muster/match/edge"
	"muster/proto"
)

const (
	// silence is after how long without a message a session is given up.
	silence = 5 * time.Second
	// lookEvery is how often sessions are looked at: whether something is to be repeated, or is over.
	lookEvery = 250 * time.Millisecond
	// pingEvery is how often an edge says that it is there.
	pingEvery = time.Second
	// openTimeout bounds the search for a room, on both sides.
	openTimeout = 5 * time.Second
	// lastWords is how long Close gives the network for what sessions say last.
	lastWords = 100 * time.Millisecond
	// idleFor is how long an edge keeps a session that nobody uses. It is longer than a connection takes from having found
	// its room to having a viewer there.
	idleFor = 2 * openTimeout
	// maxSessions is how many rooms one edge may use here at a time.
	maxSessions = 20_000
	// maxOpening is how many rooms may be looked for at once for other nodes; who comes later asks again.
	maxOpening = 64
)

// Network carries messages to other nodes: at most once, in order, and such that nobody but they can have sent them.
type Network interface {
	// Send copies msg and never blocks. It is false where the message was dropped since too much waits for that node.
	Send(to string, msg []byte) bool
}

// Config is what a Bridge needs.
type Config struct {
	Network Network // required
	// Find returns a room that runs in this process, opened first where open says so and it is to run here. An error that
	// is a *proto.Close is the answer to the client. Required.
	Find       func(ctx context.Context, room string, open bool) (edge.Hosted, error)
	Log        *zap.Logger
	Registerer prometheus.Registerer
}

// Bridge is both halves of the way between this process and the others. Any goroutine may use it, but Receive and Gap
// are called one at a time for each other node, in the order of what they tell.
type Bridge struct {
	cfg     Config
	log     *zap.Logger
	metrics *metrics

	ctx     context.Context //nolint:containedctx // of all that Close ends
	stop    context.CancelFunc
	wg      sync.WaitGroup
	base    time.Time     // what times are counted from
	opening chan struct{} // one for each search under way
	readers sync.Pool

	mu     sync.Mutex // held for lookups; of other locks only a room's is taken under it
	closed bool
	last   uint64           // the newest session's number
	rooms  map[uint64]*room // those elsewhere, by session
	places map[place]*room  // the same
	edges  map[string]*remoteEdge
	lines  map[string]*line // by host
}

// place is where a room is.
type place struct{ host, room string }

// New returns a running Bridge; Close stops it.
func New(cfg Config) *Bridge {
	b := &Bridge{
		cfg: cfg, log: cfg.Log, metrics: newMetrics(cfg.Registerer), base: time.Now(), opening: make(chan struct{}, maxOpening),
		rooms: map[uint64]*room{}, places: map[place]*room{}, edges: map[string]*remoteEdge{}, lines: map[string]*line{},
		readers: sync.Pool{New: func() any { return proto.NewReader(nil) }},
	}
	if b.log == nil {
		b.log = zap.NewNop()
	}
	b.ctx, b.stop = context.WithCancel(context.Background())
	b.wg.Go(b.lookAround)
	return b
}

// Close gives all sessions up and waits for what they run, at most as long as ctx lives. Those who watch or play over them
// are told to come back: elsewhere.
func (b *Bridge) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.wg.Wait()
		list := b.sessions("")
		for _, s := range list {
			s.end(true)
		}
		if len(list) > 0 { // the network has been handed what it is to carry, and not yet carried it
			timer := time.NewTimer(lastWords)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		}
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for bridged rooms to end: %w", ctx.Err())
	}
}

// Open returns a room that is at another node, opened there first where open says so. An error that is a *proto.Close is
// the answer to the client.
func (b *Bridge) Open(ctx context.Context, node, id string, open bool) (edge.Room, error) {
	for {
		rm, err := b.at(place{node, id}, open)
		if err != nil {
			return nil, err
		}
		select {
		case <-rm.ready:
		case <-ctx.Done():
			return nil, fmt.Errorf("asking node %s for room %s: %w", node, id, ctx.Err())
		}
		if rm.err == nil {
			return rm, nil
		}
		if rm.open || !open { // else it was asked for by one who only watches
			return nil, rm.err
		}
	}
}

// at returns the room of a place; it may still be asked for.
func (b *Bridge) at(p place, open bool) (*room, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, &proto.Close{Code: proto.CodeNodeLeaving, Reason: "the server is shutting down"}
	}
	if rm := b.places[p]; rm != nil && rm.use() {
		return rm, nil
	}
	b.last++
	rm := newRoom(b, p, b.last, open)
	rm.line = b.lineTo(p.host)
	b.rooms[rm.session], b.places[p] = rm, rm
	b.metrics.sessions[edgeHalf].Inc()
	b.wg.Go(rm.run)
	return rm, nil
}

// lineTo returns the line of a host, for one more room; b.mu is held.
func (b *Bridge) lineTo(host string) *line {
	l := b.lines[host]
	if l == nil {
		l = &line{}
		b.lines[host] = l
	}
	l.users++
	return l
}

// forget takes a room out that has ended.
func (b *Bridge) forget(rm *room) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.rooms, rm.session)
	if rm.line.users--; rm.line.users == 0 {
		delete(b.lines, rm.place.host)
	}
	if b.places[rm.place] == rm {
		delete(b.places, rm.place)
	}
	b.metrics.sessions[edgeHalf].Dec()
}

// Receive takes a message from another node. It keeps nothing of msg. What is not understood is passed over: it may be a
// newer node's.
func (b *Bridge) Receive(from string, msg []byte) {
	r := b.readers.Get().(*proto.Reader) //nolint:forcetypeassert // the pool's own
	defer b.readers.Put(r)
	r.Reset(msg)
	defer r.Reset(nil)
	h, err := readHead(r)
	if err != nil {
		b.malformed(from, h.kind, err)
		return
	}
	if h.kind >= kindAnswer {
		b.mu.Lock()
		rm := b.rooms[h.session]
		b.mu.Unlock()
		if rm != nil && rm.place.host == from {
			rm.mail.put(msg)
		}
		return
	}
	if err := b.serve(from, h, r); err != nil {
		b.malformed(from, h.kind, err)
	}
}

func (b *Bridge) malformed(from string, kind int, err error) {
	b.metrics.malformed.Inc()
	b.log.Warn("a message from another node cannot be read", zap.String("node", from), zap.Int("kind", kind), zap.Error(err))
}

// Gap says that messages from a node were lost, or may have been.
func (b *Bridge) Gap(from string) {
	for _, rm := range b.roomsAt(from) {
		rm.mail.gap()
	}
	for _, s := range b.sessions(from) {
		s.pong()
	}
}

// Gone says that a node is no more, or that nothing was heard of it for so long that it is as good as that.
func (b *Bridge) Gone(from string) {
	for _, rm := range b.roomsAt(from) {
		rm.mail.gone()
	}
	for _, s := range b.sessions(from) {
		s.end(false)
	}
}

func (b *Bridge) roomsAt(host string) (list []*room) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for p, rm := range b.places {
		if p.host == host {
			list = append(list, rm)
		}
	}
	return list
}

// send hands a message to the network.
func (b *Bridge) send(to string, msg []byte) bool {
	if b.cfg.Network.Send(to, msg) {
		return true
	}
	b.metrics.unsent.Inc()
	return false
}
