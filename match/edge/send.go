package edge

import (
	"time"

	"go.uber.org/zap"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// Send implements [match.Edge]: it writes one frame to each viewer that can take one.
func (s *Server) Send(f *match.Frame) {
	w := takeWriter()
	defer writers.Put(w)
	frames, bytes := 0, 0
	for i := range f.Views {
		c := f.Views[i].Viewer.(*conn) //nolint:forcetypeassert // a viewer's edge is the one that made it
		if c.frame(f, &f.Views[i].Head, w) {
			frames++
			bytes += length(w)
		}
	}
	s.metrics.framesOut.Add(float64(frames))
	s.metrics.wrote(bytes)
}

// frame writes one tick to one viewer, and says whether it did. A congested viewer is passed over: the encoder merges what
// it missed into its next frame, and nothing old waits in between.
func (c *conn) frame(f *match.Frame, head *proto.Head, w *proto.Writer) bool {
	if c.ended.Load() {
		return false
	}
	congested := c.Pipe.Congested()
	every := c.pacing(head.Tick, congested)
	if congested {
		c.server.metrics.skipped.Inc()
		if now := time.Now(); c.slow.IsZero() {
			c.slow = now
		} else if now.Sub(c.slow) > c.server.cfg.SlowAfter {
			c.Close(proto.Close{Code: proto.CodeSlowReader, Reason: "nothing was read for too long"})
		}
		return false
	}
	c.slow = time.Time{}
	if head.Tick%every != 0 {
		c.server.metrics.skipped.Inc()
		return false
	}
	if c.resync.Load() && (c.resynced == 0 || head.Tick-c.resynced >= uint32(c.room.Rate())) { //nolint:gosec // 1 to 128
		c.applyResyncs()
		c.resynced = head.Tick
	}
	blocks := f.Encoder.Prepare(&c.view, head.Scopes)
	var prev *proto.Head
	var hashes []proto.Hash
	if c.hasOne {
		prev = &c.head
		if netcode.HashDue(prev.Tick, head.Tick) {
			hashes = f.Encoder.Hashes(&c.view)
		}
	}
	begin(w)
	head.Append(w, prev, hashes, len(blocks))
	for i := range blocks {
		blocks[i].Append(w)
	}
	scopes := c.head.Scopes
	c.head, c.hasOne = *head, true
	c.processed.Store(head.Processed)
	c.head.Scopes = append(scopes[:0], head.Scopes...) //nolint:gocritic // the room's own are not kept, their memory here is
	if n := length(w); n > proto.MaxServerMessage {
		c.server.log.Error("a frame is larger than a client accepts", zap.String("room", f.Room), zap.Int("bytes", n))
		c.Close(proto.Close{Code: proto.CodeInternal, Reason: "the state is too large to be sent"})
		return false
	}
	return c.put(w)
}

// pacing returns at which ticks the viewer gets frames now: those that every divides.
func (c *conn) pacing(tick uint32, congested bool) (every uint32) {
	sent := uint32(0)
	if c.hasOne {
		sent = c.head.Tick
	}
	before := c.pace.class
	every = c.pace.next(tick, sent, c.seen.Load(), congested, uint32(c.room.Rate())) //nolint:gosec // 1 to 128
	if c.pace.class != before {
		c.count(c.pace.class)
	}
	return every
}

// applyResyncs makes the wanted scopes come as keyframes. It is done once a second at most: a keyframe may be a hundred
// times as large as what asks for it.
func (c *conn) applyResyncs() {
	c.resyncMu.Lock()
	defer c.resyncMu.Unlock()
	c.resync.Store(false)
	if len(c.resyncs) == maxResyncs {
		c.view.Reset()
	}
	for _, scope := range c.resyncs {
		c.view.Resync(scope)
	}
	c.resyncs = c.resyncs[:0]
}
