package bridge

import (
	"math"
	"time"

	"go.uber.org/zap"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// feed is what the goroutine of a bridged room knows of the host's ticks.
type feed struct {
	reader *proto.Reader
	mail   [][]byte
	gen    uint32 // the beginning that is wanted
	seq    uint32 // the newest of it that was applied
	tick   tick
	mirror *netcode.Encoder
	frame  match.Frame
	heard  time.Time // when anything was last heard of the host
	asked  time.Time // when it was last asked for what is missing
	pinged time.Time
	unsaid int // bytes of numbered messages since then

	cast      uint64         // the number of the next cast; 0 before the first
	castAsked time.Time      // when those that are missing were last asked for
	audience  match.Audience // whom they are for
	shown     bool           // the last one has come
}

func newFeed() feed { return feed{reader: proto.NewReader(nil), gen: 1} }

func (f *feed) begin(sc *netcode.Schema, rate int) {
	f.mirror = netcode.NewMirror(sc, netcode.EncoderConfig{Ring: max(32, rate)})
	f.heard = time.Now()
}

// follow carries out what the host says, until the session is over; it returns what those who are still there are told.
func (rm *room) follow() proto.Close {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	rm.ping(false)
	for {
		select {
		case <-rm.b.ctx.Done():
			return proto.Close{Code: proto.CodeNodeLeaving, Reason: "the server is shutting down"}
		case <-ticker.C:
			if over, c := rm.look(); over {
				return c
			}
		case <-rm.mail.wake:
			list, gap, gone := rm.mail.take(rm.feed.mail)
			rm.feed.mail = list
			if gone {
				rm.b.metrics.givenUp[edgeHalf].Inc()
				return elsewhere
			}
			for _, msg := range list {
				over, err := rm.hear(msg)
				if err != nil {
					rm.b.malformed(rm.place.host, 0, err)
				}
				if over {
					return elsewhere
				}
			}
			if gap {
				rm.ping(true)
			}
		}
	}
}

// look says that the edge is there, repeats what has not come, and sees whether the session is over.
func (rm *room) look() (over bool, c proto.Close) {
	now := time.Now()
	rm.mu.Lock()
	failed := rm.failed
	idle := len(rm.guests) == 0 && now.Sub(rm.used) > idleFor
	players := rm.players > 0
	rm.repeat(false, now)
	rm.mu.Unlock()
	switch {
	case idle && rm.close():
		return true, elsewhere // nobody is told
	case failed, now.Sub(rm.feed.heard) > silence:
		rm.b.metrics.givenUp[edgeHalf].Inc()
		return true, proto.Close{Code: proto.CodeNodeLeaving, Reason: "the match's server is not heard"}
	case now.Sub(rm.feed.pinged) >= pingEvery, rm.feed.seq == 0 && players:
		rm.ping(false)
	}
	return false, c
}

// close ends the session if still nobody uses it.
func (rm *room) close() bool {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	rm.ended = len(rm.guests) == 0 && time.Since(rm.used) > idleFor
	return rm.ended
}

// repeat sends what has not come again; rm.mu is held.
func (rm *room) repeat(wanted bool, now time.Time) {
	rm.out.repeat(wanted, now, func(msg []byte) {
		rm.b.metrics.repeats.Inc()
		rm.b.send(rm.place.host, msg)
	})
}

// ping says what has come and which beginning is wanted, and where again says so asks for what has not come.
func (rm *room) ping(again bool) {
	rm.feed.pinged, rm.feed.unsaid = time.Now(), 0
	rm.mu.Lock()
	defer rm.mu.Unlock()
	begin(rm.writer, 7, kindPing, rm.session)
	st := state{rm.have.Load(), rm.out.last, again}
	st.append(rm.writer)
	rm.writer.Uint(uint64(rm.feed.gen))
	rm.writer.Uint(uint64(rm.feed.pinged.Sub(rm.b.base))) //nolint:gosec // not negative
	rm.b.send(rm.place.host, rm.writer.Bytes())
}

// askAgain asks for the numbered messages that are missing, not too often.
func (rm *room) askAgain() {
	if now := time.Now(); now.Sub(rm.feed.asked) >= askEvery {
		rm.feed.asked = now
		rm.ping(true)
	}
}

// note takes what the host says of the numbered messages.
func (rm *room) note(st state) {
	now := time.Now()
	rm.mu.Lock()
	rm.out.heard(st.have, now)
	rm.repeat(st.again, now)
	rm.mu.Unlock()
	if st.sent > rm.have.Load() {
		rm.askAgain()
	}
}

// hear carries out one message; over says that it was the last.
func (rm *room) hear(msg []byte) (over bool, err error) {
	r := rm.feed.reader
	r.Reset(msg)
	h, err := readHead(r)
	if err != nil {
		return false, err
	}
	rm.feed.heard = time.Now()
	switch h.kind {
	case kindTick:
		return false, rm.apply(h, r)
	case kindCast:
		return false, rm.cast(h, r)
	case kindPong:
		st, stamp := readState(r), r.Uint("stamp", math.MaxInt64)
		r.SkipRest("pong", h.n, 6)
		if err = r.Done(); err == nil {
			rm.note(st)
			if stamp > 0 {
				rm.clock.took(rm.feed.heard.Sub(rm.b.base) - time.Duration(stamp)) //nolint:gosec // bounded
			}
		}
		return false, err //nolint:wrapcheck // says where already
	case kindUnknown:
		return true, nil
	case kindWelcome, kindMessage, kindClose, kindOver, kindLast:
		over, err = rm.carryOut(h, r)
		if rm.feed.unsaid += len(msg); rm.feed.unsaid >= sayAfter {
			rm.ping(false)
		}
		return over, err
	}
	return false, nil
}

// carryOut does what a numbered message says, once and in its turn.
func (rm *room) carryOut(h head, r *proto.Reader) (over bool, err error) {
	number := r.Uint("number", maxNumber)
	if r.Err() != nil {
		return false, r.Err()
	}
	switch have := rm.have.Load(); {
	case number > have+1:
		rm.askAgain()
		return false, nil
	case number <= have:
		return false, nil // again
	}
	rm.have.Store(number) // also where it cannot be read: it would not get better
	if h.kind == kindOver {
		return true, nil
	}
	id := r.Uint("viewer", maxNumber)
	if h.kind == kindLast {
		c, err := readLast(r, h.n)
		if err == nil {
			rm.castEnd(c)
		}
		return false, err
	}
	rm.mu.Lock()
	g := rm.byID[id]
	rm.mu.Unlock()
	if g == nil || r.Err() != nil {
		return false, r.Err()
	}
	switch h.kind {
	case kindWelcome:
		m, t, err := readWelcome(r, h.n)
		if err != nil {
			return false, err
		}
		m.Schema = rm.ans.schema
		g.viewer.Welcome(&m, t)
		g.welcomed = true
	case kindMessage:
		msg := r.Bin("message", proto.MaxServerMessage)
		if r.Err() == nil {
			g.viewer.Message(msg)
		}
	case kindClose:
		c, err := readClose(r, h.n)
		if err != nil {
			return false, err
		}
		g.viewer.Close(c)
		g.closed = true
	}
	return false, r.Err()
}

// apply brings the mirror to a tick, and the viewers with it.
func (rm *room) apply(h head, r *proto.Reader) error {
	f := &rm.feed
	m := &f.tick
	if err := m.parse(r, h.n); err != nil {
		rm.lost()
		return err
	}
	rm.clock.note(m.now, m.frac, f.heard)
	rm.note(state{have: m.have, sent: m.sent})
	switch {
	case m.gen != f.gen:
		return nil // from before what was asked for
	case m.seq <= f.seq:
		return nil // again
	case m.seq != f.seq+1:
		rm.b.metrics.gaps.Inc()
		rm.lost()
		return nil
	}
	f.seq = m.seq
	m.frame.Head.Epoch = rm.ans.epoch
	if err := f.mirror.Receive(&m.frame); err != nil {
		rm.b.log.Warn("a bridged tick cannot be applied", zap.String("room", rm.place.room), zap.Uint32("tick", m.frame.Head.Tick), zap.Error(err))
		rm.lost()
		return nil
	}
	rm.b.metrics.ticks[edgeHalf].Inc()
	rm.show(m)
	return nil
}

// lost asks for a new beginning: what came next would be built on what is not here.
func (rm *room) lost() {
	rm.feed.gen++
	rm.feed.seq = 0
	rm.feed.mirror.Lost()
	rm.ping(false)
}

// show hands a tick to the viewers who are welcomed.
func (rm *room) show(m *tick) {
	f := &rm.feed.frame
	f.Room, f.Encoder = rm.place.room, rm.feed.mirror
	clear(f.Views)
	f.Views = f.Views[:0]
	rm.mu.Lock()
	for i := range m.parts {
		p := &m.parts[i]
		g := rm.byID[p.viewer]
		if g == nil {
			continue
		}
		if p.listed {
			g.scopes = append(g.scopes[:0], p.scopes...)
		}
		if g.welcomed && !g.closed && !g.watches {
			f.Views = append(f.Views, match.View{Viewer: g.viewer, Head: proto.Head{
				Epoch: rm.ans.epoch, Tick: m.frame.Head.Tick, Processed: p.processed, Durable: p.durable, Lead: p.lead, Scopes: g.scopes,
			}})
		}
	}
	rm.mu.Unlock()
	if len(f.Views) > 0 {
		f.Views[0].Viewer.Edge().Send(f) // all are sockets of this process
	}
}
