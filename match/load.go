package match

import (
	"math"
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// load is how well a host keeps up. Its rooms count their ticks; the watchdog weighs them.
type load struct {
	ticks, late atomic.Uint64 // see lateTick
	busy        atomic.Int64  // nanoseconds that ticks took
	took        spread        // how long each of them did
	asleep      atomic.Int32  // rooms
	level       atomic.Int32
	full        atomic.Pointer[string] // why no new rooms are taken
	newest      atomic.Pointer[Load]
	memory      []runtimemetrics.Sample

	// Of the watchdog.
	next          time.Time // when the window ends
	ticks0, late0 uint64    // when it began
	calm          int       // windows without trouble, one after the other
	lateShare     float64   // of the ticks of the last window
	measured      time.Time // when the load was measured last
	busy0         int64     // when it was
	done0         uint64    // ticks, then
	lately        lately
}

// Load is how busy a host is.
type Load struct {
	Tick    float64 // share of the processors' time that ticks took within the last second, from 0 to 1
	Late    float64 // share of the ticks that began late, over the last two seconds; 0 where there are too few to say
	Rooms   int     // that run
	Players int     // who have a seat in them
	Heap    int64   // bytes that were alive at the last collection
	Limit   int64   // bytes that the process may use; 0 is no bound

	Watching int               // connections that watch a room without a seat
	Asleep   int               // rooms that do not tick
	Ticks    uint64            // that were made since the process began
	Rate     float64           // of them a second, within the last one
	P50, P99 time.Duration     // half of the last five seconds' ticks took no longer, and 99 in 100, to an eighth of it; 0: there were none
	Games    map[string]InGame // what of it is each game's, by the game's name; not to be changed
}

// InGame is what a host runs of a game.
type InGame struct{ Rooms, Players, Watching int }

// Load returns the host's load as it was measured last, which is done each second. Until then it is zero.
func (h *Host) Load() Load {
	if l := h.load.newest.Load(); l != nil {
		return *l
	}
	return Load{}
}

// measure measures the load, once a second.
func (h *Host) measure(now time.Time) {
	l := &h.load
	took := now.Sub(l.measured)
	if took < measureEvery {
		return
	}
	busy, ticks := l.busy.Load(), l.ticks.Load()
	n := Load{Late: l.lateShare, Tick: float64(busy-l.busy0) / float64(took) / float64(runtime.GOMAXPROCS(0))}
	if l.measured.IsZero() {
		n.Tick = 0
	} else {
		n.Rate = float64(ticks-l.done0) / took.Seconds()
	}
	n.Tick = min(n.Tick, 1) // what is done at once on fewer processors than goroutines takes longer than it costs
	l.measured, l.busy0, l.done0 = now, busy, ticks
	n.Asleep, n.Ticks, n.Games = int(l.asleep.Load()), ticks, map[string]InGame{}
	n.P50, n.P99 = l.lately.quantiles(&l.took)
	for _, rm := range h.all() {
		g := n.Games[rm.game.name]
		players, watching := int(rm.playing.Load()), rm.broadcast.watching()
		n.Games[rm.game.name] = InGame{g.Rooms + 1, g.Players + players, g.Watching + watching}
		n.Rooms++
		n.Players += players
		n.Watching += watching
	}
	n.Heap, n.Limit = l.heap(), memoryLimit()
	h.metrics.tickShare.Set(n.Tick)
	h.metrics.tickP50.Set(n.P50.Seconds())
	h.metrics.tickP99.Set(n.P99.Seconds())
	l.newest.Store(&n)
}

// lateTick says whether a tick that began so long after it was due is late: by half its interval, and by what a player
// may notice.
func lateTick(lateness, period time.Duration) bool {
	return lateness > period/2 && lateness > 10*time.Millisecond
}

const (
	// weighEvery is the window over which ticks are weighed.
	weighEvery = 2 * time.Second
	// measureEvery is how often the load is measured that others decide by.
	measureEvery = time.Second
	// leastTicks is how many ticks say something.
	leastTicks = 20
	// maxLevel is the level at which frames are sent at every third tick.
	maxLevel = 2
	// calmWindows is how many windows without trouble it takes to go one level back.
	calmWindows = 3
	// memoryShare is how much of the process's memory limit may be alive when a room is opened.
	memoryShare = 0.8
)

// look decides at each look of the watchdog whether new rooms are taken: memory is used up faster than ticks are weighed.
func (h *Host) look(now time.Time) {
	h.weigh(now)
	h.measure(now)
	why := ""
	switch {
	case h.load.outOfMemory():
		why = noMemory
	case h.load.level.Load() > 0:
		why = "its rooms' ticks are late"
	}
	if before := h.load.full.Load(); before == nil || *before != why {
		h.load.full.Store(&why)
	}
}

// weigh looks at the window that ends now. Where more than a tenth of the ticks were late the host goes up one level:
// frames go out at every second tick, then at every third, while the rooms tick on; new rooms are refused. Where less
// than one in a hundred was late for three windows it goes one level back.
func (h *Host) weigh(now time.Time) {
	l := &h.load
	if now.Before(l.next) {
		return
	}
	first := l.next.IsZero()
	l.next = now.Add(weighEvery)
	ticks, late := l.ticks.Load(), l.late.Load()
	n, bad := ticks-l.ticks0, late-l.late0
	l.ticks0, l.late0 = ticks, late
	if first {
		return // a window begins
	}
	l.lateShare = 0
	if n >= leastTicks {
		l.lateShare = float64(bad) / float64(n)
	}
	before := l.level.Load()
	level := before
	switch {
	case n >= leastTicks && bad*10 > n:
		level, l.calm = min(level+1, maxLevel), 0
	case bad*100 > n:
		l.calm = 0
	default:
		if l.calm++; l.calm >= calmWindows && level > 0 {
			level, l.calm = level-1, 0
		}
	}
	if level != before {
		l.level.Store(level)
		h.metrics.overload.Set(float64(level))
		fields := []zap.Field{zap.Int32("level", level), zap.Uint32("frame_every_ticks", l.sendEvery()), zap.Uint64("ticks", n), zap.Uint64("late", bad)}
		if level > before {
			h.log.Warn("too many ticks are late: frames go out less often, and no new rooms are taken", fields...)
		} else {
			h.log.Info("ticks are on time again: frames go out more often", append(fields, zap.Bool("new_rooms", level == 0))...)
		}
	}
}

// outOfMemory says whether the process is near the memory limit that it was given (GOMEMLIMIT).
func (l *load) outOfMemory() bool {
	limit := memoryLimit()
	return limit > 0 && float64(l.heap()) > memoryShare*float64(limit)
}

// memoryLimit is that of the process, in bytes; 0 is none.
func memoryLimit() int64 {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return limit
	}
	return 0
}

// heap is what lives, not what the collector has yet to find, in bytes: stacks, too.
func (l *load) heap() int64 {
	if l.memory == nil {
		l.memory = []runtimemetrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	}
	runtimemetrics.Read(l.memory)
	return int64(l.memory[0].Value.Uint64() + l.memory[1].Value.Uint64()) //nolint:gosec // of one machine
}

// sendEvery is at which ticks frames go out: at every one, or at those that it divides.
func (l *load) sendEvery() uint32 { return uint32(l.level.Load()) + 1 } //nolint:gosec // 0 to maxLevel

// Full says why the host takes no new rooms now; "" when it does.
func (h *Host) Full() string {
	if why := h.Unfit(); why != "" {
		return why
	}
	if why := h.load.full.Load(); why != nil {
		return *why
	}
	return ""
}

// refuses says why not even a room whose seats are given already can be opened; "" when it can.
func (h *Host) refuses() string {
	if why := h.Unfit(); why != "" {
		return why
	}
	if h.LowMemory() {
		return noMemory
	}
	return ""
}

// LowMemory says whether the process is near its memory limit, by the load's last look. Any goroutine may call it.
func (h *Host) LowMemory() bool {
	why := h.load.full.Load()
	return why != nil && *why == noMemory
}

const noMemory = "its memory limit is near"
