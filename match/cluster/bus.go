package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/internal/complaint"
	"muster/internal/pause"
	"muster/proto"
)

// Bounds of a notice and of what waits for its listeners.
const (
	maxNoticeField = 128      // bytes
	maxNoticeBody  = 64 << 10 // bytes
	noticeQueue    = 4096     // messages
)

// Notice says that something in Redis has changed and is worth reading again.
type Notice struct {
	Kind string // what changed: "ticket", "queue"
	ID   string
	Body string // bytes: what is in nothing that could be read; of most kinds there is none. At most 64 KiB
}

// Bus carries notices between the processes of a deployment over Redis Pub/Sub. A notice can be lost; then, and
// whenever that cannot be ruled out, listeners are told of a gap. Publish may be called by any goroutine.
type Bus struct {
	rdb    redis.UniversalClient
	shards bool // it is a Cluster's
	log    *zap.Logger
	self   string         // the channel of this bus's own beats
	said   complaint.Book // what is in the log already
	keys

	// Called on the bus's goroutine; they must not block.
	onNotice func(Notice)
	onGap    func()

	stop context.CancelFunc
	wg   sync.WaitGroup

	mu   sync.Mutex
	live bool
}

// StartBus returns a bus that listens, see NewBus.
func StartBus(rdb redis.UniversalClient, namespace string, log *zap.Logger, notice func(Notice), gap func()) *Bus {
	b := NewBus(rdb, namespace, log, notice, gap)
	b.Start()
	return b
}

// NewBus returns a bus that publishes, and listens once it is started. Its connection is made in the background and made
// again whenever it is lost; each time that it is ready gap is called, since notices may have been missed before. Both
// functions are called on the bus's one goroutine and must not block.
func NewBus(rdb redis.UniversalClient, namespace string, log *zap.Logger, notice func(Notice), gap func()) *Bus {
	b := &Bus{rdb: rdb, shards: sharded(rdb), log: log, keys: keys{namespace}, onNotice: notice, onGap: gap, stop: func() {}}
	b.self = b.beat(NewID())
	return b
}

// Start begins to listen. It may be called once.
func (b *Bus) Start() {
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.wg.Go(func() { b.run(ctx) })
}

// Close ends the bus and waits for its goroutines.
func (b *Bus) Close() {
	b.stop()
	b.wg.Wait()
}

// Live says whether the bus hears itself.
func (b *Bus) Live() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.live
}

func (b *Bus) setLive(live bool) {
	b.mu.Lock()
	b.live = live
	b.mu.Unlock()
}

// Publish sends notices to every process, this one too.
func (b *Bus) Publish(ctx context.Context, notices ...Notice) error {
	pipe := b.rdb.Pipeline()
	for _, n := range notices {
		w := proto.NewWriter()
		if len(n.Body) > maxNoticeBody {
			return fmt.Errorf("publishing a notice of %s %s: its body has %d bytes, at most %d allowed", n.Kind, n.ID, len(n.Body), maxNoticeBody)
		}
		k := 2
		if n.Body != "" {
			k = 3
		}
		w.Array(k)
		w.Str(n.Kind)
		w.Str(n.ID)
		if k > 2 {
			w.Bin([]byte(n.Body))
		}
		publish(ctx, pipe, b.shards, b.notices(), w.Bytes())
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("publishing a notice of %s %s, or one of %d with it: %w", notices[0].Kind, notices[0].ID, len(notices)-1, err)
	}
	return nil
}

func parseNotice(payload string) (n Notice, err error) {
	r := proto.NewReader([]byte(payload))
	k := r.Array("notice", 16)
	n.Kind = r.Str("kind", maxNoticeField)
	n.ID = r.Str("id", maxNoticeField)
	read := min(k, 3)
	if read > 2 {
		n.Body = string(r.Bin("body", maxNoticeBody))
	}
	r.SkipRest("notice", k, max(read, 2))
	if err := r.Done(); err != nil {
		return Notice{}, fmt.Errorf("notice: %w", err)
	}
	return n, nil
}

// run keeps one subscription after the other.
func (b *Bus) run(ctx context.Context) {
	for ctx.Err() == nil {
		why := b.listen(ctx)
		b.setLive(false)
		if ctx.Err() == nil {
			if repeats, say := b.said.Again("bus", why, time.Now()); say {
				b.log.Warn("the notice bus is down and connects again", zap.String("because", why), zap.Int("repeats", repeats))
			}
			_ = pause.For(ctx, beatEvery) // the loop looks whether it has ended
		}
	}
}

// listen hands out what comes until the subscription is deaf or ctx ends.
func (b *Bus) listen(ctx context.Context) (why string) {
	e := &ear{
		rdb: b.rdb, channels: []string{b.notices(), b.self}, queue: noticeQueue,
		beat: func(ctx context.Context) { _ = publish(ctx, b.rdb, b.shards, b.self, nil).Err() },
		subscribed: func(channel string) bool {
			if channel != b.self { // one command subscribes to both
				return false
			}
			b.setLive(true)
			if _, was := b.said.Over("bus"); was {
				b.log.Info("the notice bus is connected again")
			}
			b.onGap()
			return true
		},
		heard: b.heard,
	}
	return e.listen(ctx, &b.wg)
}

// heard hands a notice out, and says whether it is a beat instead.
func (b *Bus) heard(m *redis.Message) bool {
	if m.Channel == b.self {
		b.setLive(true)
		return true
	}
	n, err := parseNotice(m.Payload)
	if err != nil {
		b.log.Warn("a notice that cannot be read", zap.Error(err))
		return false
	}
	b.onNotice(n)
	return false
}
