package playback

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"muster/internal/pause"
	"muster/proto"
)

const (
	// stallAfter is how long the rules may take for one call: a tick, what is seen, a hash, or to read a state.
	stallAfter = 2 * time.Second
	// watchEvery is how often that is looked at.
	watchEvery = 200 * time.Millisecond
	// ownShare is how much of a core a session's rules may have in the long run; allShare is that of all sessions of a process
	// together, as a part of its cores, and leastShare the least of it, in cores.
	ownShare   = 0.5
	allShare   = 0.25
	leastShare = 0.5
	// ownBurst and allBurst are how much may be had at once, if nothing was had before.
	ownBurst = 100 * time.Millisecond
	allBurst = 500 * time.Millisecond
)

// allowance is how much running time may be had: a share of the time that passes. Who has had more waits until it is made
// up for. Any goroutine may use it.
type allowance struct {
	share float64 // of one core
	most  time.Duration

	mu   sync.Mutex
	left time.Duration
	at   time.Time
}

func newAllowance(share float64, most time.Duration) *allowance {
	return &allowance{share: share, most: most, left: most, at: time.Now()}
}

// may says whether there is some left.
func (a *allowance) may() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.left = min(a.most, a.left+time.Duration(a.share*float64(now.Sub(a.at))))
	a.at = now
	return a.left > 0
}

// divide makes the share what it is from now on.
func (a *allowance) divide(share float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.share = share
}

func (a *allowance) spend(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left -= d
}

// may says whether a session may run, as far as it is up to what all have together: while some of that is left, and where the
// session has not had as much as it has if all have the same. Who takes more than that does not starve the others.
func (m *Sessions) may(equal *allowance) bool {
	m.mu.Lock()
	n := max(1, len(m.list))
	m.mu.Unlock()
	equal.divide(m.allowed.share / float64(n))
	some, own := m.allowed.may(), equal.may() // both are filled up to now
	return some || own
}

// watch looks after the sessions, and after files that are read: one whose rules do not return is given up. What keeps the
// whole process from running is not held against them: a look that is late itself starts the count anew.
func (m *Sessions) watch() {
	for _, paused := range pause.Looks(m.ctx, watchEvery) {
		for _, s := range m.all() {
			if since, over := s.calls.look(paused); over {
				m.giveUp(s, since)
			}
		}
		for _, r := range m.reading() {
			if since, over := r.calls.look(paused); over {
				m.lose(r, since)
			}
		}
		if m.cfg.LowMemory != nil && m.cfg.LowMemory() {
			for _, s := range m.all() {
				s.End(proto.Close{Code: proto.CodeOverloaded, Reason: "the server needs its memory for matches"})
			}
		}
	}
}

func (m *Sessions) all() []*Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]*Session, 0, len(m.list))
	for _, s := range m.list {
		list = append(list, s)
	}
	return list
}

func (m *Sessions) reading() []*reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.reads))
}

// giveUp ends a session whose rules do not return, for everybody but its goroutine, which cannot be stopped.
func (m *Sessions) giveUp(s *Session, since int64) {
	if !s.calls.giveUp(since) {
		return // they have just returned
	}
	c := proto.Close{Code: proto.CodeRulesFailed, Reason: fmt.Sprintf("the game's rules do not return after tick %d of the recording", s.State().Tick)}
	s.abandon(c)
	m.mu.Lock()
	m.forget(s)
	m.mu.Unlock()
	m.condemn(s.game.Name())
	s.part()
}

// condemn notes that a goroutine keeps a core busy until the process ends. Nothing more is shown, so that a file that does
// this costs one core.
func (m *Sessions) condemn(game string) {
	m.metrics.stalls.Inc()
	m.log.Error("the rules of a recorded match do not return: a core is lost until the process is replaced", zap.String("game", game))
	m.stalled.Store(true)
	if m.cfg.Stalled != nil {
		m.cfg.Stalled(fmt.Sprintf("the rules of game %s did not return in a replay", game))
	}
}
