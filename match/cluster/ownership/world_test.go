package ownership

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A world is a deployment in one goroutine: nodes that drive the machine as package cluster does, a Redis whose scripts are
// atomic, messages that take their time or never come, and faults. All that happens follows from the seed. Time is true time
// in nanoseconds; each node's clock runs at a rate of its own.

const (
	ms = int64(time.Millisecond)
	// The protocol's times as package cluster has them.
	ttl          = 1500 * ms
	margin       = ttl / 10
	stranger     = 10_000 * ms
	renewEvery   = ttl / 5
	renewTimeout = ttl / 5
	tendEvery    = ttl / 20
	probeTimeout = 300 * ms
	callTimeout  = 1000 * ms
	roomEvery    = 250 * ms

	maxNodes = 5
	maxIncs  = 90 // ids are single bytes
	rooms    = 3
)

// idOf names the i-th incarnation; incOf is its reverse.
func idOf(i int) string   { return string(rune('!' + i)) }
func incOf(id string) int { return int(id[0] - '!') }

// show prints an incarnation, if anybody looks.
type show string

func (s show) String() string {
	if s == "" {
		return "nobody"
	}
	return fmt.Sprint("i", incOf(string(s)))
}

type kind uint8

const (
	evLoop         kind = iota + 1 // a node's renewal loop comes round
	evRooms                        // a node's rooms do something
	evExec                         // a call reaches Redis
	evReply                        // a call's answer reaches its node
	evTend                         // a node looks whether it is time to ask
	evTimeout                      // a call's time is over
	evFence                        // a node sends a fence that it decided on
	evAsk                          // a probe reaches its node
	evAnswer                       // a probe's answer reaches its asker
	evProbeTimeout                 // a probe's time is over
	evFault                        // the next fault
	evHeal                         // a fault ends
	evStart                        // a node starts, or starts again
	evFailover                     // another server takes over, with what it had when the fault began
)

type event struct {
	at   int64
	seq  uint32
	kind kind
	node int8
	run  uint16 // the node's run that it belongs to: another one does not hear of it
	call int32  // index into calls or probes, or what a fault is
}

// world is reused from run to run.
type world struct {
	rng  *rand.Rand
	pcg  *rand.PCG
	now  int64
	seq  uint32
	heap []event
	back int64 // when Redis came back
	end  int64 // of the faults; then everything is mended
	over int64 // of the run

	nodes  [maxNodes]node
	redis  redisModel
	saved  redisModel // what the replica has
	calls  []call
	probes []probe
	incs   int

	link  [maxNodes][maxNodes]linkState // between nodes, by who sends
	state [rooms]roomModel
	// excused are incarnations that a stranger has fenced whom it could not reach: the protocol says that they may run on.
	excused [maxIncs]bool
	// forgotten are incarnations of whose fence Redis has forgotten. Whoever knows of it tells it again with its second
	// renewal; where all of them are cut off there is nothing to be done.
	forgotten [maxIncs]bool
	// late is whether one of those was told that late that it may run until it hears of it, told when it was.
	late    [maxIncs]bool
	told    [maxIncs]int64
	fences  int   // fenced by others
	stalls  int   // rooms that should run waited
	stepped bool  // the clock of Redis was moved
	forgot  int64 // when Redis lost something

	opt    options
	failed string
	trace  *strings.Builder
}

// options are what a run allows and lacks.
type options struct {
	profile profile
	without guard
	// drift is the most by which a clock runs fast or slow, in parts of a million.
	drift int64
	// stranger is how long strangers wait; 0 is as long as in package cluster.
	stranger int64
}

type linkState struct {
	cut     bool
	refuses bool  // and says so at once
	loss    int   // of 100 messages
	slow    int64 // added at most
}

// roomModel is what clients know of a room.
type roomModel struct {
	seen    uint64 // the highest epoch of which any of them has a frame
	issued  uint64 // the newest under which it ran
	by      string // which incarnation had it
	spread  bool   // others than its host know of that
	kept    int    // how often Redis had been emptied then
	durable []int32
	inputs  int32
}

// instance is a room on a node.
type instance struct {
	room       int
	epoch      uint64
	hist       []int32
	stored     int // how many of hist Redis has acknowledged
	busy       bool
	ran        bool // it has run here
	check      bool // the next append is a checkpoint
	rewrite    bool // Redis may have forgotten whose it is
	lost       bool // it has, and the node does not know yet
	recordless bool // Redis was emptied
}

// node is one machine with a process on it.
type node struct {
	m        *Machine
	up       bool
	run      uint16
	id       string
	rate     int64  // parts of a million that its clock runs fast
	paused   int64  // until when the process is stopped
	starved  int64  // until when its loop does not come round
	cutTo    int64  // until when it is cut off from Redis
	heard    uint64 // the highest epoch that it knew at its newest renewal
	toRedis  linkState
	toNode   linkState
	loopIn   bool // an attempt to renew is under way
	tending  bool
	late     bool // and the next one is due
	list     []instance
	dead     []string
	renewals int  // since Redis lost something
	claimed  bool // a claim is under way
	asked    []int32
}

// local is the node's clock.
func (n *node) local(t int64) time.Duration { return time.Duration(t + t/1_000_000*n.rate) }

// after is how long d of the node's time is.
func (n *node) after(d int64) int64 { return d - d/1_000_000*n.rate - d%1_000_000*n.rate/1_000_000 }

func newWorld() *world {
	w := &world{pcg: rand.NewPCG(0, 0)}
	w.rng = rand.New(w.pcg)
	return w
}

// explore makes one run; "" is that nothing was violated.
func (w *world) explore(seed uint64, opt options, trace *strings.Builder) string {
	w.reset(seed, opt, trace)
	for w.failed == "" && len(w.heap) > 0 {
		e := w.pop()
		if e.at > w.over {
			break
		}
		w.now = max(w.now, e.at)
		w.handle(e)
		w.check()
	}
	if w.failed == "" {
		w.settled()
	}
	return w.failed
}

func (w *world) reset(seed uint64, opt options, trace *strings.Builder) {
	w.pcg.Seed(seed, 77)
	if opt.stranger == 0 {
		opt.stranger = stranger
	}
	w.forgot = 0
	w.now, w.seq, w.back, w.heap, w.incs, w.opt, w.failed, w.trace = 0, 0, 0, w.heap[:0], 0, opt, "", trace
	w.calls, w.probes,
		w.fences, w.stalls, w.stepped = w.calls[:0], w.probes[:0], 0, 0, false
	w.excused, w.forgotten, w.late = [maxIncs]bool{}, [maxIncs]bool{}, [maxIncs]bool{}
	w.redis.reset(1)
	w.saved.reset(1)
	for i := range w.state {
		r := &w.state[i]
		*r = roomModel{durable: r.durable[:0]}
	}
	w.link = [maxNodes][maxNodes]linkState{}
	for i := range w.nodes {
		n := &w.nodes[i]
		*n = node{list: n.list[:0], dead: n.dead[:0], run: 1}
		switch w.rng.IntN(3) {
		case 0:
			n.rate = opt.drift
		case 1:
			n.rate = -opt.drift
		default:
			n.rate = w.rng.Int64N(2*opt.drift+1) - opt.drift
		}
	}
	first := opt.profile.nodes(w)
	for i := range first {
		w.at(w.upTo(50*ms), event{kind: evStart, node: int8(i)})
	}
	w.end = opt.profile.length(w)
	w.over = w.end + ttl
	if opt.profile.settles {
		w.over = w.end + 2*stranger
	}
	w.at(3*ttl, event{kind: evFault})
}

// upTo is a random time below d.
func (w *world) upTo(d int64) int64 { return w.rng.Int64N(max(1, d)) }

// one says yes once in n times.
func (w *world) one(n int) bool { return w.rng.IntN(n) == 0 }

func (w *world) log(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, "%9.3f ", float64(w.now)/1e9)
		fmt.Fprintf(w.trace, format+"\n", args...)
	}
}

func (w *world) fail(format string, args ...any) {
	if w.failed == "" {
		w.failed = fmt.Sprintf("%.3f s: ", float64(w.now)/1e9) + fmt.Sprintf(format, args...)
		w.log("VIOLATED: %s", w.failed)
	}
}

// at lets an event happen in d from now on.
func (w *world) at(d int64, e event) {
	w.seq++
	e.at, e.seq = w.now+d, w.seq
	w.push(e)
}

func less(a, b *event) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

func (w *world) push(e event) {
	w.heap = append(w.heap, e)
	h := w.heap
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !less(&h[i], &h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

func (w *world) pop() event {
	h := w.heap
	top := h[0]
	last := len(h) - 1
	h[0] = h[last]
	h = h[:last]
	for i := 0; ; {
		c := 2*i + 1
		if c >= last {
			break
		}
		if c+1 < last && less(&h[c+1], &h[c]) {
			c++
		}
		if !less(&h[c], &h[i]) {
			break
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
	w.heap = h
	return top
}

func (w *world) handle(e event) {
	switch e.kind {
	case evExec:
		w.exec(e.call)
		return
	case evFault:
		w.fault()
		return
	case evHeal:
		w.heal(e)
		return
	case evFailover:
		w.failover()
		return
	case evStart:
		w.start(int(e.node))
		return
	}
	n := &w.nodes[e.node]
	if !n.up || e.run != n.run {
		return // of a process that is gone
	}
	if w.now < n.paused {
		w.at(n.paused-w.now, e)
		return
	}
	switch e.kind {
	case evLoop:
		w.loop(n, int(e.node))
	case evTend:
		n.tending = false
		w.tend(n, int(e.node))
	case evRooms:
		w.roomsOf(n, int(e.node))
	case evReply:
		w.reply(n, e.call)
	case evTimeout:
		w.timeout(n, e.call)
	case evFence:
		w.send(e.call)
	case evAsk:
		w.asked(n, int(e.node), e.call)
	case evAnswer, evProbeTimeout:
		w.answered(n, e.call, e.kind == evProbeTimeout)
	}
}
