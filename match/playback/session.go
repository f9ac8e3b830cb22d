package playback

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"go.uber.org/zap"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// Bounds of one session.
const (
	// Slowest is the least speed, Fastest the greatest: how many times as fast as the match was played.
	Slowest = 0.125
	Fastest = 16
	// idleFor is after how long without anybody who watches a session ends, mostFor after how long in any case.
	idleFor = time.Minute
	mostFor = 6 * time.Hour
	// sliceTicks is how many ticks a seek runs in one tick of the session's, however fast they are.
	sliceTicks = 512
)

// Control is what a session's owner wants of it; nil is no change.
type Control struct {
	Tick   *int64 // where to go on from; beyond the recording it is its first or last tick
	Speed  *float64
	Paused *bool
}

// ErrSpeed is the error of a speed that is out of bounds.
var ErrSpeed = fmt.Errorf("a speed is %v to %v", Slowest, float64(Fastest))

// State is how a session stands.
type State struct {
	Tick     uint32 // of the state that is shown
	Target   uint32 // where a seek is going; Tick when there is none
	Seeking  bool
	Speed    float64
	Paused   bool
	Viewers  int
	Hash     uint64 // of the state at HashTick, as the rules made it here
	Recorded uint64 // the same as it was recorded; 0: it was not
	HashTick uint32
	Failed   string // why the recording cannot be played further; "" while it can
	From, To uint32 // what can be played
}

// Session shows one recording. It is a room to edges, of type [muster/match/edge.Room]. Any goroutine may use it; what its
// methods tell it takes effect at its next tick.
type Session struct {
	id     string
	owner  string
	key    string
	view   View
	game   match.Game
	info   *Info
	bytes  int64
	all    *Sessions
	log    *zap.Logger
	epoch  uint64
	base   time.Time
	period time.Duration
	schema []byte
	done   chan struct{}
	quit   context.CancelFunc // lets the session's goroutine end
	part   func()             // done with it: called once
	own    *allowance         // what its rules may have, whoever else there is
	equal  *allowance         // what they may have in any case of what all have together

	calls calls

	mu     sync.Mutex
	want   Control
	shown  State
	news   []attachment
	ending *proto.Close
	closed bool
	seen   map[match.Viewer]struct{} // who watches, for when the goroutine does not answer
	leave  func()                    // gives the newest seek's turn back; may be nil

	// What follows belongs to the session's goroutine.
	cur      *cursor
	enc      *netcode.Encoder
	tick     uint32 // on the wire
	st       State
	owed     float64 // parts of ticks that are to be shown
	under    bool    // a seek has chosen its way
	proved   uint32  // the tick on the wire of the newest hash
	watchers []watcher
	idle     time.Time // since when nobody watches
	sender
}

// ID is the session's, which is a room's to clients.
func (s *Session) ID() string { return s.id }

// Owner is the player who opened it.
func (s *Session) Owner() string { return s.owner }

// Key is what its owner may give to others who are to control it.
func (s *Session) Key() string { return s.key }

// Info is what the file has. It must not be changed.
func (s *Session) Info() *Info { return s.info }

// Game is the recorded one.
func (s *Session) Game() match.Game { return s.game }

// View says whose eyes it is seen with.
func (s *Session) View() View { return s.view }

// State is how the session stands, as of its newest tick.
func (s *Session) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown
}

// Control changes what is shown. The newest seek takes the place of one that is under way. It returns how the session will
// stand, and whether the tick was out of the recording and is its first or last one instead. The error is ErrSpeed.
func (s *Session) Control(c Control) (st State, clamped bool, err error) {
	if c.Speed != nil && !(*c.Speed >= Slowest && *c.Speed <= Fastest) { // NaN is neither
		return State{}, false, ErrSpeed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Tick != nil {
		tick := min(max(*c.Tick, int64(s.shown.From)), int64(s.shown.To))
		clamped = tick != *c.Tick
		s.want.Tick = &tick
		s.shown.Target, s.shown.Seeking = uint32(tick), true //nolint:gosec // within the recording
	}
	if c.Speed != nil {
		s.want.Speed, s.shown.Speed = c.Speed, *c.Speed
	}
	if c.Paused != nil {
		s.want.Paused, s.shown.Paused = c.Paused, *c.Paused
	}
	return s.shown, clamped, nil
}

// End ends the session: those who watch are told why.
func (s *Session) End(c proto.Close) {
	s.mu.Lock()
	s.ending = &c
	s.mu.Unlock()
	s.quit()
}

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Shown is closed when those who watch have been told so.
func (s *Session) Shown() <-chan struct{} { return s.done }

// run is the session's goroutine.
func (s *Session) run(ctx context.Context) {
	timer := time.NewTimer(s.period)
	defer timer.Stop()
	s.idle = s.base
	for n := time.Duration(1); ; n++ {
		select {
		case <-ctx.Done():
			s.dismiss()
			return
		case <-timer.C:
		}
		if missed := time.Since(s.base)/s.period - n; missed > late {
			n += missed // they are not caught up with: that would take as long again
		}
		s.tick = uint32(n)
		s.calls.begin()
		s.step()
		if _, ok := s.calls.end(); !ok {
			return // everybody was told
		}
		if c := s.over(); c != nil {
			s.mu.Lock()
			if s.ending == nil {
				s.ending = c
			}
			s.mu.Unlock()
			s.dismiss()
			return
		}
		timer.Reset(time.Until(s.base.Add((n + 1) * s.period)))
	}
}

// late is after how many missed ticks the session leaves them out.
const late = 5

// over says whether the session ends by itself.
func (s *Session) over() *proto.Close {
	now := time.Now()
	if len(s.watchers) > 0 {
		s.idle = now
	}
	switch {
	case now.Sub(s.idle) >= idleFor:
		return &proto.Close{Code: proto.CodeDone, Reason: "nobody watches"}
	case now.Sub(s.base) >= s.all.most:
		return &proto.Close{Code: proto.CodeDone, Reason: "the replay was shown for as long as one is"}
	}
	return nil
}

// step is one tick of the session, or none where it has had its share of the machine. A panic of what is called without the
// replay's care ends the session.
func (s *Session) step() {
	defer func() {
		if p := recover(); p != nil {
			s.all.metrics.failed.Inc()
			s.log.Error("a recording cannot be shown", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			s.End(proto.Close{Code: proto.CodeRulesFailed, Reason: "the game's rules failed"})
		}
	}()
	s.receive()
	if !s.own.may() || !s.all.may(s.equal) {
		s.all.metrics.late.Inc()
		s.publish()
		return
	}
	s.calls.begin()
	defer func() {
		if took, ok := s.calls.end(); ok { // else others need not make up for what has not returned for long
			s.own.spend(took)
			s.equal.spend(took)
			s.all.allowed.spend(took)
		}
	}()
	s.emitted = s.emitted[:0]
	if s.st.Seeking {
		s.seek()
	} else if !s.st.Paused {
		s.play()
	}
	if !s.capture() {
		return
	}
	s.prove()
	s.send()
	s.publish()
}

// receive takes what was told since the last tick.
func (s *Session) receive() {
	s.mu.Lock()
	news, want := s.news, s.want
	s.news, s.want = nil, Control{}
	s.mu.Unlock()
	for i := range news {
		s.come(&news[i])
	}
	s.mu.Lock()
	clear(s.seen)
	for i := range s.watchers {
		if s.seen != nil { // else all of them were told that it is over
			s.seen[s.watchers[i].viewer] = struct{}{}
		}
	}
	s.mu.Unlock()
	if want.Speed != nil {
		s.st.Speed = *want.Speed
	}
	if want.Paused != nil {
		s.st.Paused = *want.Paused
	}
	if want.Tick != nil {
		s.st.Target, s.st.Seeking = uint32(*want.Tick), true //nolint:gosec // within the recording
		s.under, s.owed = false, 0
	}
}

// publish makes how it stands known. What was asked for meanwhile is as good as done.
func (s *Session) publish() {
	s.st.Viewers = len(s.watchers)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return // given up, as is known already
	}
	s.shown = s.st
	if s.want.Tick != nil {
		s.shown.Target, s.shown.Seeking = uint32(*s.want.Tick), true //nolint:gosec // within the recording
	}
	if s.want.Speed != nil {
		s.shown.Speed = *s.want.Speed
	}
	if s.want.Paused != nil {
		s.shown.Paused = *s.want.Paused
	}
}

// seek goes on towards the target, for a part of a tick's time. Few sessions do so at a time; the others wait.
func (s *Session) seek() {
	leave, ok := s.all.turn()
	if !ok {
		return
	}
	s.mu.Lock()
	s.leave = leave
	s.mu.Unlock()
	defer leave()
	if s.st.Target = min(s.st.Target, s.st.To); !s.under {
		s.under = true
		if err := s.cur.approach(s.st.Target); err != nil {
			s.broken(err)
			return
		}
	}
	began, ticks := time.Now(), 0
	for ; ticks < sliceTicks; ticks++ {
		if ticks > 0 && time.Since(began) > s.period/4 {
			break
		}
		s.calls.next()
		moved, err := s.cur.step(s.st.Target)
		if err != nil {
			s.broken(err)
			return
		}
		if !moved {
			s.st.Seeking = false
			break
		}
	}
	s.all.metrics.ticks.WithLabelValues("seek").Add(float64(ticks))
	s.st.Tick = s.cur.tick
}

// play goes on by as many ticks as the speed wants, or as there is time for.
func (s *Session) play() {
	s.owed += s.st.Speed
	began, n := time.Now(), int(s.owed)
	s.owed -= float64(n)
	for i := range n {
		s.calls.next()
		moved, err := s.cur.step(s.st.To)
		if err != nil {
			s.broken(err)
			return
		}
		if !moved {
			break
		}
		s.all.metrics.ticks.WithLabelValues("play").Inc()
		s.overhear()
		if i < n-1 && time.Since(began) > s.period/2 {
			s.all.metrics.late.Inc()
			break
		}
	}
	s.st.Tick = s.cur.tick
	if s.st.Tick >= s.st.To {
		s.st.Paused = true
	}
}

// broken is told of a tick that could not be run. What comes from there on cannot be shown; where that is the rules' doing,
// the way to it can.
func (s *Session) broken(err error) {
	s.all.metrics.failed.Inc()
	s.log.Warn("a recording cannot be played further", zap.Error(err))
	var panicked *match.PanicError
	s.calls.next()
	if !errors.As(err, &panicked) || panicked.Tick <= s.st.From || s.cur.jump(panicked.Tick-1) != nil {
		s.st.Failed, s.st.Seeking, s.st.Paused = "the recording cannot be played further", false, true
		s.End(proto.Close{Code: proto.CodeRulesFailed, Reason: s.st.Failed})
		return
	}
	s.st.Failed = fmt.Sprintf("the game's rules fail at tick %d", panicked.Tick)
	s.st.To = panicked.Tick - 1
	s.st.Target, s.st.Seeking, s.st.Paused, s.under = s.st.To, true, true, true
}

// prove works out the hash of the state that is shown: at once where it stands still, else once a second, or at the first
// tick after it that is not left out.
func (s *Session) prove() {
	still := s.st.Paused && !s.st.Seeking
	if s.st.HashTick == s.st.Tick && s.st.Hash != 0 || !still && s.tick-s.proved < uint32(s.Rate()) { //nolint:gosec // 1 to 128
		return
	}
	s.calls.next()
	s.proved = s.tick
	s.st.HashTick, s.st.Hash, s.st.Recorded = s.st.Tick, s.cur.replay.Hash(), s.cur.recorded
}
