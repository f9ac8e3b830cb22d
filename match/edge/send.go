package edge

import (
	"time"

	"github.com/lxzan/gws"

	"muster/match"
	"muster/proto"
)

// Send implements [match.Edge]: it writes one frame to each viewer that can take one.
func (s *Server) Send(f *match.Frame) {
	w := writers.Get().(*proto.Writer)
	defer writers.Put(w)
	for i := range f.Views {
		c := f.Views[i].Viewer.(*conn) // a viewer's edge is the one that made it
		c.frame(f, &f.Views[i].Head, w)
	}
}

// frame writes one tick to one viewer. A congested viewer is passed over: the encoder merges what it missed into its
// next frame, and nothing old waits in between.
func (c *conn) frame(f *match.Frame, head *proto.Head, w *proto.Writer) {
	if c.ended.Load() {
		return
	}
	if c.pipe.isCongested() {
		c.server.metrics.skipped.Inc()
		if now := time.Now(); c.slow.IsZero() {
			c.slow = now
		} else if now.Sub(c.slow) > slowAfter {
			c.Close(proto.Close{Code: proto.CodeSlowReader, Reason: "nothing was read for too long"})
		}
		return
	}
	c.slow = time.Time{}
	if c.resync.Load() {
		c.applyResyncs()
	}
	blocks := f.Encoder.Prepare(&c.view, head.Scopes)
	var prev *proto.Head
	if c.hasOne {
		prev = &c.head
	}
	w.Reset()
	head.Append(w, prev, nil, len(blocks))
	for i := range blocks {
		proto.AppendBlock(w, blocks[i].Scope, blocks[i].Data)
	}
	scopes := append(c.head.Scopes[:0], head.Scopes...)
	c.head, c.hasOne = *head, true
	c.head.Scopes = scopes
	if c.pipe.room() < w.Len()+headroom {
		c.Close(proto.Close{Code: proto.CodeSlowReader, Reason: "a frame does not fit"})
		return
	}
	if err := c.ws.WriteMessage(gws.OpcodeBinary, w.Bytes()); err == nil {
		c.server.metrics.framesOut.Inc()
		c.server.metrics.bytesOut.Add(float64(w.Len()))
	}
}

// applyResyncs makes the wanted scopes come as keyframes.
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
