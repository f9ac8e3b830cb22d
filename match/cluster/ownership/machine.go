package ownership

import (
	"math"
	"slices"
	"time"
)

// Config is the protocol's. All incarnations of a deployment may have their own.
type Config struct {
	TTL      time.Duration // of the lease; required
	Margin   time.Duration // by which the owner takes it to be shorter: clocks run at different rates
	Stranger time.Duration // how long an incarnation waits with one that does not know it
	Alone    bool          // there is no other node: nobody is asked, and nobody waits as a stranger
}

// ForEver is later than any time.
const ForEver = time.Duration(math.MaxInt64)

// Machine is one incarnation's part of the protocol. Its times are those of the node's own monotonic clock, since any
// moment. One goroutine at a time may use it.
type Machine struct {
	cfg Config
	id  string

	joined bool
	fenced bool

	// What Redis said and when.
	beat    uint64        // of the newest attempt to renew
	acked   uint64        // of the newest that was answered
	sentAt  time.Duration // when the newest attempt was sent
	own     time.Duration // until when the lease is held
	since   time.Duration // since when it has been held without a break
	lineage string        // which run of which server answered
	cut     bool          // the newest attempt that ended had no answer
	news    uint64        // up to which fence this incarnation has heard of them
	epoch   uint64        // the highest that it knows of

	// Going on without Redis.
	known    []string      // whom the newest answered renewal named
	live     []string      // whom its answer showed to be alive: whom the next one names
	promised time.Duration // until when every peer has promised not to fence
	gap      bool          // it had paused since the newest answer
	yielded  bool          // a claimer was told that it has paused: only a renewal brings it back
	doubtful bool          // it came back to a Redis that may have forgotten that it is fenced
	asking   round

	others   []other
	fences   []string // incarnations that were fenced, the oldest first
	reassert bool     // Redis may have forgotten them
}

// round is one question to all peers.
type round struct {
	n       uint64
	at      time.Duration
	waiting []string // who has not promised yet
	open    bool
	refused bool
}

// maxFences bounds how many fences are remembered; the oldest are forgotten.
const maxFences = 512

// New returns the machine of a new incarnation, which has no lease yet.
func New(id string, cfg Config) *Machine { return &Machine{id: id, cfg: cfg} }

// ID is the incarnation's.
func (m *Machine) ID() string { return m.id }

// Fenced says that the incarnation is over: its rooms are others'.
func (m *Machine) Fenced() bool { return m.fenced }

// Cut says that Redis did not answer when it was last asked.
func (m *Machine) Cut() bool { return m.cut }

// Until is until when rooms may run; at a time that is not before it they must not.
func (m *Machine) Until() time.Duration {
	switch {
	case m.fenced || !m.joined || m.doubtful:
		return math.MinInt64
	case m.cfg.Alone:
		return ForEver
	}
	return max(m.own, m.promised)
}

// runs says whether rooms may run now.
func (m *Machine) runs(now time.Duration) bool { return now < m.Until() }

// Held says whether Redis has renewed the lease lately enough.
func (m *Machine) Held(now time.Duration) bool { return m.joined && !m.fenced && now < m.own }

// Epoch is the highest epoch that this incarnation knows of; a new one must be higher, whatever Redis and its clock say.
func (m *Machine) Epoch() uint64 { return m.epoch }

// Saw notes an epoch.
func (m *Machine) Saw(epoch uint64) { m.epoch = max(m.epoch, epoch) }

// Renewal is what a renewal tells Redis. Its slices are the machine's, valid until it is told of the outcome.
type Renewal struct {
	Beat   uint64
	Acked  uint64 // the beat of the newest renewal that was answered
	TTL    time.Duration
	Knows  []string // who may fence this incarnation
	News   uint64   // up to which fence it has heard of them
	Epoch  uint64   // the highest that it knows of
	Fences []string // what Redis may have forgotten
}

// Renew begins an attempt to renew, or to register. It ends with Renewed, Failed or Lost.
func (m *Machine) Renew(now time.Duration) Renewal {
	m.beat++
	m.sentAt = now
	r := Renewal{Beat: m.beat, Acked: m.acked, TTL: m.cfg.TTL, Knows: m.live, News: m.news, Epoch: m.epoch}
	if m.reassert {
		r.Fences = m.fences
	}
	return r
}

// Answer is what Redis says to a renewal.
type Answer struct {
	Lineage string   // names the run of the server: another one may have forgotten the last writes
	Born    uint64   // the beat with which the incarnation's entry was made
	Epoch   uint64   // the highest that the deployment knows of
	Others  []Entry  // the other incarnations that are registered and not fenced
	Fenced  []string // those fenced since News
	News    uint64   // the newest fence
}

// Entry is what Redis has of another incarnation.
type Entry struct {
	ID    string
	Beat  uint64
	TTL   time.Duration
	Knows bool // whether it named this incarnation in its newest renewal
	Here  bool // it had what only one process at a time can have, and this incarnation's has now: it is dead
}

// Renewed takes the answer to the attempt. forgot says that Redis may have forgotten what it was told last, or all, or what
// ended by itself while the lease had a break: the records of what runs are to be written again.
func (m *Machine) Renewed(now time.Duration, a Answer) (forgot bool) {
	if m.fenced {
		return false
	}
	changed := m.joined && (a.Lineage != m.lineage || a.Born > m.acked)
	if changed {
		m.doubtful = m.doubtful || m.gap || !m.runs(now)
		m.reassert = len(m.fences) > 0
		m.news = 0
	} else {
		m.reassert = false
		m.news = max(m.news, a.News)
	}
	broke := m.joined && now >= m.own
	if now >= m.own || changed { // what was seen of others in another Redis may have been undone, but only until then
		m.since = now
	}
	m.known = append(m.known[:0], m.live...)
	m.joined, m.cut, m.gap, m.yielded = true, false, false, false
	m.acked, m.lineage = m.beat, a.Lineage
	m.own = max(m.own, m.sentAt+m.cfg.TTL-m.cfg.Margin)
	m.asking.open = false
	m.doubtful = m.doubtful && !m.Steady(now) // whoever knows that it is fenced has said so by then
	m.Saw(a.Epoch)
	for _, id := range a.Fenced {
		m.remember(id)
	}
	m.look(now, a.Others)
	return changed || broke || m.doubtful
}

// Failed says that the attempt had no answer. Redis may have taken it.
func (m *Machine) Failed() { m.cut = true }

// Lost says that the attempt was refused, since the incarnation is fenced. It is over.
func (m *Machine) Lost() { m.fenced = true }

// remember notes that an incarnation is fenced.
func (m *Machine) remember(id string) {
	if slices.Contains(m.fences, id) {
		return
	}
	if len(m.fences) == maxFences {
		m.fences = m.fences[:copy(m.fences, m.fences[1:])]
	}
	m.fences = append(m.fences, id)
	m.others = slices.DeleteFunc(m.others, func(o other) bool { return o.id == id })
}
