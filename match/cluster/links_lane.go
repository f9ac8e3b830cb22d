package cluster

import (
	"context"

	"go.uber.org/zap"
)

const (
	// laneBytes is about how much goes in one exchange.
	laneBytes = 1 << 20
	// laneTimeout bounds one exchange. A Redis that takes half a second for each answer can still be connected to.
	laneTimeout = 3 * callTimeout
)

// lane sends what waits for its peers, one exchange after the other.
type lane struct {
	links  *Links
	wake   chan struct{} // there is somebody in line
	line   []*peer       // those for whom something waits, who came first first; under the lock of Links
	sealer *sealer

	// What one exchange carries, kept for the next.
	parcels []parcel
	batch   [][]byte
}

// parcel is an envelope under way.
type parcel struct {
	to   *peer
	data []byte
}

func (a *lane) rouse() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *lane) run(ctx context.Context) {
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		}
		for a.load() && ctx.Err() == nil {
			err := a.exchange(ctx)
			if err != nil && !failing && ctx.Err() == nil {
				a.links.cfg.Log.Warn("messages to other nodes are lost", zap.Error(err))
			}
			failing = err != nil
			a.unload()
		}
	}
}

// load takes envelopes from those in line; who has more stands behind the others then.
func (a *lane) load() bool {
	l := a.links
	l.mu.Lock()
	defer l.mu.Unlock()
	done := 0
	for size := 0; done < len(a.line) && size < laneBytes; done++ {
		p := a.line[done]
		var n int
		a.batch, n = p.out.take(a.batch[:0], laneBytes-size)
		size += n
		for _, b := range a.batch {
			a.parcels = append(a.parcels, parcel{p, b})
		}
		p.waits = len(p.out.list) > 0
		if p.waits {
			a.line = append(a.line, p)
		}
	}
	kept := copy(a.line, a.line[done:])
	clear(a.line[kept:])
	a.line = a.line[:kept]
	clear(a.batch)
	return len(a.parcels) > 0
}

// exchange publishes what was loaded. What fails is lost: the next envelope's number tells.
func (a *lane) exchange(ctx context.Context) error {
	l := a.links
	ctx, cancel := context.WithTimeout(ctx, laneTimeout)
	defer cancel()
	pipe := l.cfg.Redis.Pipeline()
	size := 0
	for _, p := range a.parcels {
		a.sealer.seal(p.data)
		publish(ctx, pipe, l.shards, p.to.channel, p.data)
		size += len(p.data)
	}
	l.metrics.sent.Add(float64(len(a.parcels)))
	l.metrics.sentBytes.Add(float64(size))
	cmds, err := pipe.Exec(ctx)
	if err != nil {
		for _, c := range cmds {
			if c.Err() != nil {
				l.metrics.dropped("redis")
			}
		}
	}
	return err //nolint:wrapcheck // run says what it did
}

func (a *lane) unload() {
	a.links.mu.Lock()
	defer a.links.mu.Unlock()
	for _, p := range a.parcels {
		p.to.out.recycle(p.data)
	}
	clear(a.parcels)
	a.parcels = a.parcels[:0]
}
