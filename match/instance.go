package match

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"muster/match/journal"
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
	host    *Host
	viewers viewers

	broadcast *broadcast
	inbox     inbox
	start     atomic.Int64 // when tick 0 was, or would have been, in nanoseconds since base
	base      time.Time
	period    time.Duration
	done      chan struct{} // closed when the room has ended and its goroutine is about to return

	shut      atomic.Bool   // new players may not be sent here
	calling   atomic.Int64  // since when the rules have been called, in nanoseconds since base; 0 while they are not; or hung
	goroutine atomic.Uint64 // the room's, as stacks name it
	begun     atomic.Bool   // the journal, if there is one, is the watchdog's to end as well
	goneOnce  sync.Once
	endedOnce sync.Once
	ready     chan struct{} // closed when the room has begun, or has ended without
	started   atomic.Bool   // the match has
	past      atomic.Bool   // see Alive
	kept      atomic.Bool   // see Alive
	roster    atomic.Pointer[[]Seated]
	teamsDue  atomic.Bool // the directory lacks the newest teams
	unfreed   unfreed
	abandoned atomic.Bool // it is another host's by now
	quit      func()      // lets the room's goroutine end

	// What follows belongs to the room's goroutine.
	sim      simulation
	encoder  *netcode.Encoder
	tick     uint32
	record   TickRecord
	fx       effects
	seats    []seat // by seat; 0 is nobody
	playing  atomic.Int32
	working  context.Context //nolint:containedctx // of work outside; ends with the room
	stopWork context.CancelFunc
	works    int  // under way outside
	unopened bool // it could not be read what the room goes on from
	outdated bool // its journal is of a newer epoch
	lost     bool // there is nothing to go on from
	quiet    bool // ticks are run again: the directory has heard of them
	ending   bool // the match is over
	posted   bool // its result is
	endedAt  time.Time

	keeper
	orders      orders
	promise     promise
	casting     casting
	public      eventLog // of those who watch
	emptyAt     uint32   // the tick since which nobody has a seat
	began       time.Time
	pastAt      uint32 // the tick at which a restored room is past where it was left; 0 when it is, or is new
	rosterStale bool   // roster lacks the newest change
	regrouped   bool   // what was restored may have other teams than the directory's record

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
		metrics: h.metrics, host: h,
		base: time.Now(), period: time.Second / time.Duration(g.rules.TickRate), done: make(chan struct{}), ready: make(chan struct{}),
		sim:     g.make(g, spec),
		encoder: newEncoder(g, spec.Seed),
		seats:   make([]seat, g.rules.Seats+1),
		keeper:  newKeeper(&g.rules, spec.Seed),
		out:     proto.NewWriter(), body: proto.NewWriter(), schema: g.schema.Binary(),
	}
	for i := range rm.seats {
		rm.seats[i].reset(&g.rules)
	}
	rm.broadcast = newBroadcast(rm)
	return rm
}

func newEncoder(g *Game, seed uint64) *netcode.Encoder {
	return netcode.NewEncoder(g.schema, netcode.EncoderConfig{Key: seed, Ring: max(32, g.rules.TickRate)})
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

// Behind is how long after a tick those who watch are shown it.
func (rm *Instance) Behind() time.Duration { return rm.game.rules.SpectatorDelay }

// Shown is closed when the room has ended for those who watch it, too: after Done, by the delay at most.
func (rm *Instance) Shown() <-chan struct{} { return rm.broadcast.over }

// Again hands an audience what it has missed of the casts: those from a number on, or where that is too long ago from one
// on with which it can begin.
func (rm *Instance) Again(a Audience, from uint64) { rm.broadcast.again(a, from) }

// Lossy says whether inputs may be lost on their way here.
func (rm *Instance) Lossy() bool { return false }

// Done is closed when the room has ended.
func (rm *Instance) Done() <-chan struct{} { return rm.done }

// Opened says, of a room that is Ready or has ended, that it has begun: it could read what it was to go on from.
func (rm *Instance) Opened() bool { return !rm.unopened }

// Outdated says, of a room that is Ready or has ended, that it has not begun since its journal knows a newer epoch.
func (rm *Instance) Outdated() bool { return rm.outdated }

// Ready is closed when the room is about to tick, or has ended before.
func (rm *Instance) Ready() <-chan struct{} { return rm.ready }

// Attach claims a seat. The room answers through the viewer: a welcome at one of its next ticks, or a close. It is
// false when the room has ended; then the viewer hears nothing of it and Detach must not be called.
func (rm *Instance) Attach(a Attach) bool {
	if a.Watch {
		return rm.broadcast.admit(&a)
	}
	if rm.inbox.crowded() {
		a.Viewer.Close(proto.Close{Code: proto.CodeOverloaded, Reason: "the match does not answer now"})
		return true
	}
	rm.viewers.add(a.Viewer)
	if !rm.inbox.put(message{kind: msgAttach, viewer: a.Viewer, attach: &a}) {
		rm.viewers.remove(a.Viewer)
		return false
	}
	return true
}

// Detach reports that an attached viewer's connection is gone. Each Attach is followed by exactly one.
func (rm *Instance) Detach(v Viewer) {
	if v.Seat() == 0 {
		rm.broadcast.remove(v)
		return
	}
	if rm.viewers.remove(v) { // else it was sent away
		rm.inbox.put(message{kind: msgDetach, viewer: v})
	}
}

// Leave gives the viewer's seat up for good.
func (rm *Instance) Leave(v Viewer) {
	if v.Seat() != 0 {
		rm.inbox.put(message{kind: msgLeave, viewer: v})
	} else if rm.broadcast.remove(v) {
		v.Close(proto.Close{Code: proto.CodeDone, Reason: "you left the match"})
	}
}

// Refresh says that the viewer's player has a newer token, and when that ends.
func (rm *Instance) Refresh(v Viewer, expires time.Time) {
	if v.Seat() != 0 { // of one who watches the edge alone knows it
		rm.inbox.put(message{kind: msgRefresh, viewer: v, attach: &Attach{PlayerExpires: expires}})
	}
}

// Resync asks for a keyframe of one scope. The edge has reset its own view of it already; the room counts it.
func (rm *Instance) Resync(v Viewer, scope uint16) {
	if v.Seat() == 0 { // it wakes nobody
		rm.metrics.resyncs.Inc()
		return
	}
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

// now is the time in nanoseconds since base.
func (rm *Instance) now() int64 { return int64(time.Since(rm.base)) }

// run is the room's goroutine: it opens the game, ticks until the match ends or ctx does, and reports the result. It says
// whether all is written that was to be.
func (rm *Instance) run(ctx context.Context, phase time.Duration) bool {
	defer rm.gone()
	rm.began = time.Now()
	rm.goroutine.Store(thisGoroutine())
	rm.working, rm.stopWork = context.WithCancel(ctx)
	defer rm.stopWork()
	c := rm.begin(ctx)
	close(rm.ready)
	rm.host.Ordered(rm.spec.ID, true) // some may wait since before it came here
	if c == nil && !rm.givenUp() {
		c = rm.loop(ctx, phase)
	}
	if rm.givenUp() {
		return false // the watchdog has told everybody, and writes it
	}
	if rm.abandoned.Load() { // its clients have been told
		rm.dropJournal()
		return false
	}
	rm.dismiss(*c)
	return rm.finish(ctx, *c)
}

// begin opens the game, or brings it to where it was left. A close is why the room does not begin.
func (rm *Instance) begin(ctx context.Context) *proto.Close {
	saved, c := rm.load(ctx)
	if c != nil {
		rm.unopened = !rm.lost
		return c
	}
	if saved != nil {
		c = rm.restore(saved)
	} else {
		c = rm.open()
	}
	if c != nil || rm.givenUp() {
		return c
	}
	rm.startJournal(saved != nil)
	rm.regrouped = saved != nil
	rm.begun.Store(true)
	if saved == nil {
		rm.opened = &openedAs{rm.hash()}
		rm.outside() // what Open wants; nobody is there yet to be told of anything
	}
	if rm.fx.ended {
		return rm.over(rm.tick) // Open ended the match, or it had ended when its process died
	}
	rm.promised()
	if rm.wanted = !rm.settled(); !rm.wanted {
		rm.checkpoint()
	}
	return nil
}

// open runs the game's Open hook; a close is why the room cannot start.
func (rm *Instance) open() *proto.Close {
	err := rm.guarded(func() error { return rm.sim.open(&rm.fx) })
	if err != nil {
		rm.log.Error("the game's Open hook failed", zap.Error(err))
		return &proto.Close{Code: proto.CodeRulesFailed, Reason: "the room could not be opened"}
	}
	return nil
}

// call and returned stand around calls of the game's rules, for the watchdog.
func (rm *Instance) call()     { rm.called(max(1, rm.now())) }
func (rm *Instance) returned() { rm.called(0) }

// hung, in place of since when the rules have been called, says that the watchdog has given the room up. From then on the
// room's goroutine does nothing more with what is the room's.
const hung = -1

func (rm *Instance) called(now int64) {
	for since := rm.calling.Load(); since != hung && !rm.calling.CompareAndSwap(since, now); {
		since = rm.calling.Load()
	}
}

// givenUp says that the rules did not return: the watchdog has ended the room.
func (rm *Instance) givenUp() bool { return rm.calling.Load() == hung }

// leaving is what clients hear when the process ends.
var leaving = proto.Close{Code: proto.CodeNodeLeaving, Reason: "the server is shutting down"}

// late is after how many missed ticks the schedule starts anew instead of being caught up with.
const late = 5

// loop ticks on a fixed schedule: tick n is due at start + n × period, by the monotonic clock, so lateness does not add
// up. phase spreads the rooms of a process over the interval.
func (rm *Instance) loop(ctx context.Context, phase time.Duration) *proto.Close {
	rm.start.Store(int64(time.Since(rm.base)+phase) - int64(rm.tick)*int64(rm.period))
	timer := time.NewTimer(phase + rm.period)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return &leaving
		case <-timer.C:
		}
		if !rm.await(ctx) {
			continue // ctx is over
		}
		if rm.elsewhere() {
			return &proto.Close{Code: proto.CodeNodeLeaving, Reason: "the match goes on elsewhere"}
		}
		if rm.journal != nil {
			if rm.game.rules.PauseUndurable && rm.behind() { // nothing happens that might be taken back
				if rm.journal.NeedsCheckpoint() && rm.settled() {
					rm.checkpoint()
				}
				rm.start.Add(int64(rm.period))
				timer.Reset(rm.period)
				continue
			}
		}
		began := time.Since(rm.base)
		due := rm.due()
		lateness := began - due
		rm.observe(lateness)
		if lateness > late*rm.period {
			rm.metrics.overruns.Inc()
			rm.start.Add(int64(lateness))
			due = began
		}
		c := rm.step()
		took := time.Since(rm.base) - began
		rm.metrics.duration.Observe(took.Seconds())
		rm.host.load.busy.Add(int64(took))
		rm.host.load.took.add(took)
		if c != nil || rm.givenUp() {
			return c
		}
		if rm.sleepy() {
			rm.sleep(ctx)
			due = rm.due() - rm.period
		}
		timer.Reset(due + rm.period - time.Since(rm.base))
	}
}

// elsewhere says whether another host has the room by now.
func (rm *Instance) elsewhere() bool {
	return rm.abandoned.Load() || rm.journal != nil && rm.journal.Fenced()
}

// due is when the next tick is, since base.
func (rm *Instance) due() time.Duration {
	return time.Duration(rm.start.Load()) + time.Duration(rm.tick+1)*rm.period
}

// observe counts a tick that began so long after it was due.
func (rm *Instance) observe(lateness time.Duration) {
	rm.metrics.lateness.Observe(max(0, lateness).Seconds())
	rm.host.load.ticks.Add(1)
	if lateTick(lateness, rm.period) {
		rm.host.load.late.Add(1)
	}
}

// dismiss closes the doors and tells every viewer why the room is over. The watchdog calls it for a room that does not.
func (rm *Instance) dismiss(c proto.Close) {
	for _, m := range rm.inbox.close() {
		if m.kind == msgAttach && c.Code == proto.CodeDone { // who comes now has played nothing
			m.viewer.Close(proto.Close{Code: proto.CodeMatchGone, Reason: "the match is over"})
		}
	}
	rm.viewers.closeAll(c)
	rm.metrics.players.Sub(float64(rm.playing.Swap(0)))
	rm.broadcast.end(c)
}

// gone closes done.
func (rm *Instance) gone() { rm.goneOnce.Do(func() { close(rm.done) }) }

// finish brings what the room leaves to its place: the journal to its end, the result to the directory until it is
// stored, whatever a client or Redis does, as long as the host gives it time. A room that may go on, here or elsewhere,
// keeps its journal. It says whether all is written: else the record still says that the room is this node's, or it is
// another's.
func (rm *Instance) finish(ctx context.Context, c proto.Close) bool {
	if rm.unopened {
		return false // what it would have gone on from is another's, or cannot be read now
	}
	if rm.lost {
		return rm.fail(ctx, c)
	}
	fenced := rm.elsewhere()
	// Also where its rules failed: with what was stored before. But a room to which nobody did anything is not worth it.
	blank := c.Code == proto.CodeMatchGone && rm.untouched()
	kept := rm.game.rules.Persist && !rm.fx.ended && !blank && !rm.promise.off
	goesOn := rm.journal != nil && (c.Code == proto.CodeNodeLeaving || kept)
	if goesOn && !fenced && rm.host.mayRun() && (c.Code == proto.CodeNodeLeaving || c.Code == proto.CodeMatchGone) && rm.settled() {
		rm.checkpoint()
	}
	rm.closeJournal()
	if fenced || rm.elsewhere() {
		return false
	}
	if !goesOn {
		rm.endOrders(ctx)
	}
	if (c.Code == proto.CodeDone || rm.fx.endedFor != "") && rm.fx.ended && !rm.posted &&
		!rm.retry(ctx, "posting the result", rm.post) {
		return false // whoever has the room by now does it, or, where the host had no time, whoever takes it over
	}
	journaled := goesOn || rm.endJournal(ctx, !kept)
	if rm.promise.off {
		return journaled // its record says so for a while, and ends by itself
	}
	switch {
	case c.Code != proto.CodeNodeLeaving:
		return rm.endRecord(ctx) && journaled
	case goesOn:
		return rm.retry(ctx, "handing the room over", func(ctx context.Context) error {
			return rm.host.dir.HandOver(ctx, rm.spec.ID, rm.spec.Epoch, false)
		})
	default:
		return rm.fail(ctx, proto.Close{Code: proto.CodeMatchGone, Reason: "the match's server was shut down"}) && journaled
	}
}

// post posts the match's result.
func (rm *Instance) post(ctx context.Context) error {
	if rm.endedAt.IsZero() {
		rm.endedAt = time.Now().UTC()
	}
	err := rm.host.dir.PostResult(ctx, proto.Result{
		Room: rm.spec.ID, Game: rm.game.name, Rules: rm.game.rules.Version, Epoch: rm.spec.Epoch,
		Tick: rm.tick, Placements: rm.fx.result, Started: rm.began.UTC(), Ended: rm.endedAt,
		Recorded: rm.journal != nil,
	})
	rm.posted = err == nil
	return err //nolint:wrapcheck // logged with what was done
}

// postEarly posts the result of a match before its players hear of the end, where its journal has no ticks from which
// another host could come to that: once told they do not come back. Where Redis does not answer they hear it all the same.
func (rm *Instance) postEarly() {
	if rm.journal == nil || rm.game.rules.Durability != Checkpoint || rm.elsewhere() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(rm.working), callTimeout)
	defer cancel()
	if err := rm.post(ctx); err != nil {
		rm.log.Warn("posting the result failed; it is tried again", zap.Error(err))
	}
}

// fail ends the room's record with a reason that who comes is told, and says whether it has.
func (rm *Instance) fail(ctx context.Context, c proto.Close) bool {
	return rm.retry(ctx, "failing the room", func(ctx context.Context) error {
		return rm.host.dir.Fail(ctx, rm.spec.ID, rm.spec.Epoch, c)
	})
}

// endJournal ends the room's journal: nobody goes on from it, and its replay stays for as long as the store keeps those. A
// room that persists keeps what it has until its rules end it. It says whether that is done.
func (rm *Instance) endJournal(ctx context.Context, ended bool) bool {
	if rm.host.cfg.Journals == nil || rm.game.rules.Durability == None || rm.game.rules.Persist && !ended {
		return true
	}
	return rm.retry(ctx, "ending the journal", func(ctx context.Context) error {
		return journal.EndOwn(ctx, rm.host.cfg.Journals, rm.spec.ID, rm.spec.Epoch)
	})
}

// endRecord ends the room's record in the directory, and says whether it has.
func (rm *Instance) endRecord(ctx context.Context) bool {
	return rm.retry(ctx, "ending the room", func(ctx context.Context) error {
		return rm.host.dir.EndRoom(ctx, rm.spec.ID, rm.spec.Epoch)
	})
}

// Times of the calls that end a room.
const (
	callTimeout  = 2 * time.Second
	retryFirst   = 100 * time.Millisecond
	retryLongest = 5 * time.Second
)

// retry calls do until it succeeds, the room is another's, or the host stops, when it has one last try. It says whether it
// succeeded.
func (rm *Instance) retry(ctx context.Context, doing string, do func(context.Context) error) bool {
	for wait := retryFirst; !rm.abandoned.Load(); wait = min(2*wait, retryLongest) {
		last := ctx.Err() != nil
		call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		err := do(call)
		cancel()
		if err == nil {
			return true
		}
		last = last || errors.Is(err, ErrFenced)
		rm.log.Warn(doing+" failed", zap.Error(err), zap.Bool("last", last))
		if last {
			return false
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return false
}
