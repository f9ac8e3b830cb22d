package match

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"muster/netcode"
	"muster/proto"
)

// Instance is one running room as edges and the host see it. Its methods may be called by any goroutine and do not
// block; what they tell the room takes effect at its next tick.
type Instance struct {
	game    *Game
	spec    Spec
	log     *zap.Logger
	metrics *metrics
	dir     Directory
	frees   func(room string, epoch uint64, seat uint16)

	inbox  inbox
	start  atomic.Int64 // when tick 0 was, or would have been, in nanoseconds since base
	base   time.Time
	period time.Duration
	done   chan struct{} // closed when the room has ended and its goroutine is about to return

	// What follows belongs to the room's goroutine.
	sim     simulation
	encoder *netcode.Encoder
	tick    uint32
	record  TickRecord
	fx      effects
	seats   []seat // by seat; 0 is nobody
	playing int
	emptyAt uint32 // the tick since which nobody has a seat
	began   time.Time

	list   []message
	data   []byte
	frames []Frame
	edges  []Edge // edges[i] gets frames[i]
	events proto.Events
	out    *proto.Writer
	body   *proto.Writer
	schema []byte
}

func newInstance(g *Game, spec Spec, h *Host) *Instance {
	rm := &Instance{
		game: g, spec: spec, log: h.log.With(zap.String("room", spec.ID), zap.String("game", g.name)),
		metrics: h.metrics, dir: h.dir, frees: h.freeSeat,
		base: time.Now(), period: time.Second / time.Duration(g.rules.TickRate), done: make(chan struct{}),
		sim:     g.make(g, spec),
		encoder: netcode.NewEncoder(g.schema, netcode.EncoderConfig{Key: spec.Seed, Ring: max(32, g.rules.TickRate)}),
		seats:   make([]seat, g.rules.Seats+1),
		out:     proto.NewWriter(), body: proto.NewWriter(), schema: g.schema.Binary(),
	}
	for i := range rm.seats {
		rm.seats[i].reset(&g.rules)
	}
	return rm
}

// ID is the room's id.
func (rm *Instance) ID() string { return rm.spec.ID }

// Epoch is the epoch under which this process owns the room.
func (rm *Instance) Epoch() uint64 { return rm.spec.Epoch }

// Schema is that of the room's game; an edge checks inputs against it.
func (rm *Instance) Schema() *netcode.Schema { return rm.game.schema }

// Rate is ticks per second.
func (rm *Instance) Rate() int { return rm.game.rules.TickRate }

// Mode says whether the game's inputs are samples or commands.
func (rm *Instance) Mode() proto.InputMode { return rm.game.rules.Inputs }

// Done is closed when the room has ended.
func (rm *Instance) Done() <-chan struct{} { return rm.done }

// Attach claims a seat. The room answers through the viewer: a welcome at one of its next ticks, or a close. It is
// false when the room has ended; then the viewer hears nothing of it and Detach must not be called.
func (rm *Instance) Attach(a Attach) bool {
	return rm.inbox.put(message{kind: msgAttach, viewer: a.Viewer, attach: &a})
}

// Detach reports that an attached viewer's connection is gone. Each Attach is followed by exactly one.
func (rm *Instance) Detach(v Viewer) { rm.inbox.put(message{kind: msgDetach, viewer: v}) }

// Leave gives the viewer's seat up for good.
func (rm *Instance) Leave(v Viewer) { rm.inbox.put(message{kind: msgLeave, viewer: v}) }

// Refresh says that the viewer's player has a newer token, and when that ends.
func (rm *Instance) Refresh(v Viewer, expires time.Time) {
	rm.inbox.put(message{kind: msgRefresh, viewer: v, attach: &Attach{PlayerExpires: expires}})
}

// Resync asks for a keyframe of one scope. The edge has reset its own view of it already; the room counts it.
func (rm *Instance) Resync(v Viewer, scope uint16) {
	rm.inbox.put(message{kind: msgResync, viewer: v, scope: scope})
}

// Input hands over what a viewer sent. Bodies must have passed Schema().CheckInput; they are copied.
func (rm *Instance) Input(v Viewer, p *proto.InputPacket) {
	if dropped := rm.inbox.putInputs(v, p); dropped > 0 {
		rm.metrics.inputsDropped.Add(float64(dropped))
	}
}

// Clock returns the room's tick time now: the tick whose interval this is, and how far into it in 1/65536.
func (rm *Instance) Clock() (tick uint32, frac uint16) {
	since := max(0, int64(time.Since(rm.base))-rm.start.Load())
	period := int64(rm.period)
	return uint32(since / period), uint16(since % period * 65536 / period) //nolint:gosec // 2^32 ticks take a year
}

// run is the room's goroutine: it opens the game, ticks until the match ends or ctx does, and reports the result.
func (rm *Instance) run(ctx context.Context, phase time.Duration) {
	defer close(rm.done)
	rm.began = time.Now()
	c := rm.open()
	if c == nil && rm.fx.ended {
		c = rm.over(0) // Open ended the match
	}
	if c == nil {
		c = rm.loop(ctx, phase)
	}
	rm.finish(ctx, *c)
}

// open runs the game's Open hook; a close is why the room cannot start.
func (rm *Instance) open() (c *proto.Close) {
	defer rm.recovered("open", &c)
	if err := rm.sim.open(&rm.fx); err != nil {
		rm.log.Error("the game's Open hook failed", zap.Error(err))
		return &proto.Close{Code: proto.CodeRulesFailed, Reason: "the room could not be opened"}
	}
	return nil
}

// recovered is deferred around calls of a game's rules: a panic ends this room, with a reason, alone.
func (rm *Instance) recovered(doing string, c **proto.Close) {
	if p := recover(); p != nil {
		rm.metrics.panics.Inc()
		rm.log.Error("the game's rules panicked", zap.String("doing", doing), zap.Uint32("tick", rm.tick),
			zap.Any("panic", p), zap.Stack("stack"))
		*c = &proto.Close{Code: proto.CodeRulesFailed, Reason: "the game's rules failed"}
	}
}

// late is after how many missed ticks the schedule starts anew instead of being caught up with.
const late = 5

// loop ticks on a fixed schedule: tick n is due at start + n × period, by the monotonic clock, so lateness does not add
// up. phase spreads the rooms of a process over the interval.
func (rm *Instance) loop(ctx context.Context, phase time.Duration) *proto.Close {
	rm.start.Store(int64(time.Since(rm.base) + phase))
	timer := time.NewTimer(phase + rm.period)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return &proto.Close{Code: proto.CodeNodeLeaving, Reason: "the server is shutting down"}
		case <-timer.C:
		}
		began := time.Since(rm.base)
		due := time.Duration(rm.start.Load()) + time.Duration(rm.tick+1)*rm.period
		lateness := began - due
		rm.metrics.lateness.Observe(max(0, lateness).Seconds())
		if lateness > late*rm.period {
			rm.metrics.overruns.Inc()
			rm.start.Add(int64(lateness))
			due = began
		}
		c := rm.step()
		took := time.Since(rm.base) - began
		rm.metrics.duration.Observe(took.Seconds())
		if c != nil {
			return c
		}
		timer.Reset(due + rm.period - time.Since(rm.base))
	}
}

// finish tells every viewer why the room is over, then the directory: the result until it is stored, whatever a
// client or Redis does, as long as the host gives it time.
func (rm *Instance) finish(ctx context.Context, c proto.Close) {
	for _, m := range rm.inbox.close() {
		if m.kind == msgAttach {
			m.viewer.Close(proto.Close{Code: proto.CodeMatchGone, Reason: "the match is over"})
		}
	}
	for i := range rm.seats {
		if s := &rm.seats[i]; s.viewer != nil {
			s.viewer.Close(c)
			s.viewer = nil
		}
	}
	rm.metrics.players.Sub(float64(rm.playing))
	rm.playing = 0
	if c.Code == proto.CodeDone && rm.fx.ended {
		result := proto.Result{
			Room: rm.spec.ID, Game: rm.game.name, Rules: rm.game.rules.Version, Epoch: rm.spec.Epoch,
			Tick: rm.tick, Placements: rm.fx.result, Started: rm.began.UTC(), Ended: time.Now().UTC(),
		}
		rm.retry(ctx, "posting the result", func(ctx context.Context) error { return rm.dir.PostResult(ctx, result) })
	}
	rm.retry(ctx, "ending the room", func(ctx context.Context) error {
		return rm.dir.EndRoom(ctx, rm.spec.ID, rm.spec.Epoch)
	})
}

// Times of the calls that end a room.
const (
	callTimeout  = 2 * time.Second
	retryFirst   = 100 * time.Millisecond
	retryLongest = 5 * time.Second
)

// retry calls do until it succeeds or the host stops, when it has one last try.
func (rm *Instance) retry(ctx context.Context, doing string, do func(context.Context) error) {
	for wait := retryFirst; ; wait = min(2*wait, retryLongest) {
		last := ctx.Err() != nil
		call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		err := do(call)
		cancel()
		if err == nil {
			return
		}
		rm.log.Warn(doing+" failed", zap.Error(err), zap.Bool("last", last))
		if last {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}
