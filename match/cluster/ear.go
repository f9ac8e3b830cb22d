package cluster

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Who listens sends itself a beat each beatEvery; when none has come back for deafAfter, the connection is as good as
// gone, whatever TCP says: go-redis writes health checks and waits for no answer.
const (
	beatEvery = 500 * time.Millisecond
	deafAfter = 3 * beatEvery
	// lookEvery is how often who listens looks at the time, stoppedFor how late that may be without that it was stopped.
	lookEvery  = beatEvery / 2
	stoppedFor = beatEvery
)

// earWait bounds how long go-redis waits for one whose queue is full, before it drops.
const earWait = 50 * time.Millisecond

// ear is what one subscription that hears itself does. Its functions, but beat, are called on one goroutine.
type ear struct {
	rdb      redis.UniversalClient
	channels []string // one of them carries the beats
	queue    int      // messages that may wait
	// beat publishes what heard knows again. A lost one is what the ear is there to notice.
	beat func(ctx context.Context)
	// subscribed says that a channel is subscribed to, by the first connection or one that go-redis made anew: what came in
	// between is lost. It is true for the one with the beats.
	subscribed func(channel string) bool
	// heard takes a message, and says whether it is a beat.
	heard func(m *redis.Message) bool
	look  func()          // after each beat, whatever became of it; may be nil
	end   <-chan struct{} // may be nil
}

// listen subscribes and hands out what comes until the subscription is deaf, something comes from end, for which why is "",
// or ctx ends. wg is of whoever waits for the goroutine that beats: it may take a second more, where Redis is silent.
func (e *ear) listen(ctx context.Context, wg *sync.WaitGroup) (why string) {
	sub := subscribe(ctx, e.rdb, e.channels...)
	beating, stop := context.WithCancel(ctx)
	beats := make(chan struct{}, 1)
	defer stop()
	defer func() {
		_ = sub.Close()
		if ctx.Err() == nil && why != "" {
			reload(ctx, e.rdb) // the channel may be another server's by now
		}
	}()
	wg.Go(func() { e.keepBeating(beating, beats) })

	// Unlike Channel, this one tells of every subscription.
	msgs := sub.ChannelWithSubscriptions(
		redis.WithChannelSize(e.queue), redis.WithChannelSendTimeout(earWait), redis.WithChannelHealthCheckInterval(0))
	deaf := time.NewTimer(deafAfter)
	defer deaf.Stop()
	looks := time.NewTicker(lookEvery)
	defer looks.Stop()
	looked := time.Now()
	// A process that was stopped heard nothing, either: then it listens as long again before it says that nothing came.
	stopped := func() bool {
		gap := time.Since(looked)
		looked = looked.Add(gap)
		return gap > stoppedFor
	}
	for {
		own := false
		select {
		case <-ctx.Done():
			return "closing"
		case <-e.end:
			return ""
		case <-looks.C:
			own = stopped()
		case <-deaf.C:
			if !stopped() {
				return "nothing of their own came back"
			}
			own = true
		case <-beats:
			if e.look != nil {
				e.look()
			}
		case m, ok := <-msgs:
			if !ok {
				return "the subscription ended"
			}
			switch m := m.(type) {
			case *redis.Subscription:
				own = e.subscribed(m.Channel)
			case *redis.Message:
				own = e.heard(m)
			}
		}
		if own {
			deaf.Reset(deafAfter)
		}
	}
}

// keepBeating publishes what listen wants to hear, and says each time that time has passed.
func (e *ear) keepBeating(ctx context.Context, beats chan<- struct{}) {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		call, cancel := context.WithTimeout(ctx, laneTimeout)
		e.beat(call)
		cancel()
		select {
		case beats <- struct{}{}:
		default:
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
