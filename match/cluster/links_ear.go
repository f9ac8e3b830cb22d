package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/internal/complaint"
	"muster/internal/pause"
)

const (
	// earQueue is how many messages may wait; what is dropped then, the numbers show.
	earQueue = 1 << 13
	// earPaused is how long the ear was not asked before that time counts for nobody's silence: this process stood still.
	earPaused = 3 * time.Second
)

// linkEar is the half of Links that listens. All its methods run on its one goroutine.
type linkEar struct {
	*Links

	sealer *sealer
	buf    []byte
	looked time.Time
	anew   time.Time // when the newest subscription began
	gones  []string
	gaps   []string
	said   complaint.Book // what is in the log already
}

// run keeps one subscription after the other.
func (e *linkEar) run(ctx context.Context) {
	e.looked = time.Now()
	for ctx.Err() == nil {
		why := e.listen(ctx)
		e.setLive(false)
		if ctx.Err() != nil {
			return
		}
		if why == "" { // it has another name now
			continue
		}
		if repeats, say := e.said.Again("links", why, time.Now()); say {
			e.cfg.Log.Warn("the links to other nodes are down and connect again", zap.String("because", why), zap.Int("repeats", repeats))
		}
		_ = pause.For(ctx, beatEvery) // the loop looks whether it has ended
		e.look()
	}
}

// listen hands out what comes until the subscription is deaf, this node has another id or ctx ends.
func (e *linkEar) listen(ctx context.Context) (why string) {
	e.mu.Lock()
	self := e.self
	e.mu.Unlock()
	channel := e.link(self)
	beats, sealer, b := uint64(0), newSealer(e.cfg.Key), []byte(nil)
	one := &ear{
		rdb: e.cfg.Redis, channels: []string{channel}, queue: earQueue, look: e.look, end: e.renamed,
		beat: func(ctx context.Context) {
			beats++
			b = appendEnvelope(b[:0], self, self, 0, beats)
			sealer.seal(b)
			_ = publish(ctx, e.cfg.Redis, e.shards, channel, b).Err()
		},
		subscribed: func(string) bool {
			e.heardAnew()
			return true
		},
		heard: func(m *redis.Message) bool {
			own := e.take(self, m.Payload)
			if own {
				e.setLive(true)
			}
			return own
		},
	}
	return one.listen(ctx, &e.wg)
}

// heardAnew marks all peers: what they sent while there was no subscription is lost. Their gap comes with what they say
// next, or in a second.
func (e *linkEar) heardAnew() {
	e.anew = time.Now()
	e.setLive(true)
	if _, was := e.said.Over("links"); was {
		e.cfg.Log.Info("the links to other nodes are connected again")
	}
	e.mu.Lock()
	for _, p := range e.peers {
		p.suspect = true
	}
	e.mu.Unlock()
	e.once.Do(func() { close(e.ready) }) // who waits for it makes peers that missed nothing
}

// take hands out what came, and says whether it is of this node itself.
func (e *linkEar) take(self, payload string) (own bool) {
	if len(payload) > MaxLinkMessage+envelopeSize {
		e.metrics.dropped("malformed")
		return false
	}
	e.buf = append(e.buf[:0], payload...)
	env, err := e.sealer.open(e.buf)
	switch {
	case errors.Is(err, errEnvelopeVersion):
		e.metrics.dropped("version")
		return false
	case errors.Is(err, errEnvelopeMAC):
		e.metrics.dropped("mac")
		return false
	case err != nil:
		e.metrics.dropped("malformed")
		return false
	case string(env.to) != self:
		e.metrics.dropped("to")
		return false
	case string(env.from) == self:
		return true
	}
	from, gap, ok := e.accept(env)
	if !ok {
		return false
	}
	e.metrics.taken.Inc()
	e.metrics.takeBytes.Add(float64(len(payload)))
	if gap {
		e.gap(from)
	}
	for rest := env.messages; len(rest) > 0; {
		var msg []byte
		msg, rest, _ = cutMessage(rest)
		e.cfg.Receive(from, msg)
	}
	return false
}

// accept notes an envelope, and says whether it is to be handed out and whether a gap is before it.
func (e *linkEar) accept(env envelope) (from string, gap, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peers[string(env.from)] // which makes no copy
	if p == nil {
		if p = e.peer(string(env.from)); p == nil {
			e.metrics.dropped("peers")
			return "", false, false
		}
	}
	ok, gap = p.in.take(env.stream, env.seq)
	if !ok {
		e.metrics.dropped("old")
		return "", false, false
	}
	now := time.Now()
	gap = gap || p.suspect || p.gone
	p.heard, p.suspect, p.gone = now, false, false
	if len(env.messages) > 0 {
		p.active = now
	}
	return p.id, gap, true
}

func (e *linkEar) gap(from string) {
	e.metrics.gaps.Inc()
	e.cfg.Gap(from)
}

// look looks, each beat, who is silent and to whom nothing was said.
func (e *linkEar) look() {
	self, now := e.cfg.Self(), time.Now()
	paused := now.Sub(e.looked)
	if paused < earPaused {
		paused = 0
	}
	e.looked = now
	e.gones, e.gaps = e.gones[:0], e.gaps[:0]
	e.mu.Lock()
	if self != e.self {
		e.rename(self)
	}
	for id, p := range e.peers {
		if !p.heard.IsZero() {
			p.heard = p.heard.Add(paused)
		}
		silent, idle := now.Sub(p.heard), now.Sub(p.active)
		switch {
		case idle >= peerKept && silent >= peerKept && !p.waits:
			delete(e.peers, id)
			e.past.add(id, p.in)
			continue
		case idle >= peerActive:
		case !p.heard.IsZero() && !p.gone && silent >= peerGone:
			p.gone = true
			e.gones = append(e.gones, id)
		}
		if p.suspect && e.live && now.Sub(e.anew) >= 2*beatEvery {
			p.suspect = false
			e.gaps = append(e.gaps, id)
		}
		if idle < peerActive && !p.sent {
			p.out.sign()
			if e.queued(p) {
				p.lane.rouse()
			}
		}
		p.sent = false
	}
	e.metrics.peers.Set(float64(len(e.peers)))
	e.mu.Unlock()
	for _, id := range e.gaps {
		e.gap(id)
	}
	for _, id := range e.gones {
		e.metrics.gones.Inc()
		e.cfg.Gone(id)
	}
}
