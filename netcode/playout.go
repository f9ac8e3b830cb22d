package netcode

import (
	"fmt"
	"math"
	"slices"
)

// PlayoutMode is how a [Playout] shows a table.
type PlayoutMode uint8

// Modes of a table.
const (
	// Interpolated rows are between two states, the playout's delay ago.
	Interpolated PlayoutMode = iota
	// Extrapolated rows are where they would be at the server's present time if they went on as in the last two states,
	// for PlayoutConfig.MaxDelay at most: up to date, and wrong when they turn.
	Extrapolated
	// Raw rows are the newest state's.
	Raw
)

// PlayoutConfig configures a [Playout]. All its times are in ticks; the zero value is good for 20 ticks a second.
type PlayoutConfig struct {
	// MinDelay and MaxDelay bound how far behind the server's time the shown one is. The way from the server is part of
	// the delay. Defaults 1 and 10, at most 100. A larger MaxDelay keeps more states, and shows older ones on a bad
	// line.
	MinDelay, MaxDelay float64
	// Extrapolate is for how long rows go on as they did when no newer state has come; then they stand still. Default
	// 2, negative: not at all.
	Extrapolate float64
	// CatchUp is how much faster than time what is shown runs at most, at least 1, when it makes up for a gap in which it
	// stood still; gaps of more than 60 ticks beyond MaxDelay it jumps over. It keeps 60 states more. Default: it jumps
	// over all.
	CatchUp float64
	// Snap is by how much a column that glides, in its own unit, changes at most from one state to the next: a row in which
	// one changes by more was put elsewhere, and neither glides there nor goes on so. Angles do not count. Default: no
	// bound.
	Snap float64
	// Modes are those of tables by name; a table that is not named is Interpolated.
	Modes map[string]PlayoutMode
}

func (c PlayoutConfig) withDefaults() (PlayoutConfig, error) {
	if c.MinDelay == 0 {
		c.MinDelay = 1
	}
	if c.MaxDelay == 0 {
		c.MaxDelay = 10
	}
	if c.Extrapolate == 0 {
		c.Extrapolate = 2
	}
	if !(c.MinDelay >= 0 && c.MinDelay <= c.MaxDelay && c.MaxDelay <= 100) {
		return c, fmt.Errorf("delays from %v to %v ticks, 0 to 100 in this order allowed", c.MinDelay, c.MaxDelay)
	}
	if !(c.Extrapolate <= 100) {
		return c, fmt.Errorf("%v ticks to extrapolate, at most 100 allowed", c.Extrapolate)
	}
	c.Extrapolate = max(0, c.Extrapolate)
	if c.CatchUp == 0 {
		c.CatchUp = math.Inf(1)
	}
	if c.Snap == 0 {
		c.Snap = math.Inf(1)
	}
	if !(c.CatchUp >= 1 && c.Snap > 0) {
		return c, fmt.Errorf("CatchUp %v, Snap %v: at least 1, and more than 0 allowed", c.CatchUp, c.Snap)
	}
	return c, nil
}

// How many states are kept beyond those of the longest delay: for a server that is ahead of its estimate, and where a gap
// is made up for.
const (
	playoutSpare   = 8
	playoutCatchUp = 60
)

func (c *PlayoutConfig) most() int {
	if math.IsInf(c.CatchUp, 1) {
		return int(math.Ceil(c.MaxDelay)) + playoutSpare
	}
	return int(math.Ceil(c.MaxDelay)) + playoutCatchUp
}

// Playout is a client's buffer of states that come from the server. It shows them a little late, so that there is
// mostly a state on both sides of the time shown, and rows move evenly however unevenly frames arrive. All times that
// it is given are the server's, in ticks with their fraction, as its caller estimates them: it has no clock. One
// goroutine uses it. In a steady state it does not allocate.
type Playout[S any] struct {
	sc   *Schema
	cfg  PlayoutConfig
	mode []PlayoutMode // by table
	pace pace
	kept []*moment[S] // by tick
	most int
	// spares are moments to use again.
	spares []*moment[S]
	time   float64 // up to which there was time to show; it never goes back
	// The time that was shown last, and the server's time then.
	shown, shownAt float64

	in, out             *S // what the tables below are of
	inTables, outTables []rows
}

// NewPlayout returns an empty buffer for the states of a schema that was compiled from S.
func NewPlayout[S any](sc *Schema, cfg PlayoutConfig) (*Playout[S], error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("playout: %w", err)
	}
	if _, err := tablesOf(sc, new(S)); err != nil {
		return nil, fmt.Errorf("playout: %w", err)
	}
	p := &Playout[S]{sc: sc, cfg: cfg, mode: make([]PlayoutMode, len(sc.Tables)), most: cfg.most()}
	for name, mode := range cfg.Modes {
		i := slices.IndexFunc(sc.Tables, func(t TableInfo) bool { return t.Name == name })
		if i < 0 || mode > Raw {
			return nil, fmt.Errorf("playout: mode %d of table %q: there is no such table or mode", mode, name)
		}
		p.mode[i] = mode
	}
	p.pace = pace{least: cfg.MinDelay, most: cfg.MaxDelay, delay: cfg.MinDelay}
	p.Reset()
	return p, nil
}

// Reset forgets all states: a new epoch may count ticks from an earlier one. What was learned of the line stays.
func (p *Playout[S]) Reset() {
	p.spares = append(p.spares, p.kept...)
	p.kept = p.kept[:0]
	p.time, p.shown, p.shownAt = math.Inf(-1), math.Inf(-1), 0
}

// Delay is how many ticks behind the server's time the shown one is meant to be.
func (p *Playout[S]) Delay() float64 { return p.pace.delay }

// Push takes in a copy of the state of a tick, which arrived when the server's time was now. States may come in any
// order; one whose tick is there already is ignored, and so is one that is older than all of a full buffer.
func (p *Playout[S]) Push(tick uint32, state *S, now float64) {
	n := len(p.kept)
	i := n
	for i > 0 && p.kept[i-1].tick >= tick {
		i--
	}
	switch {
	case i < n && p.kept[i].tick == tick, i == 0 && n == p.most:
		return
	case n == 0:
		p.pace.arrived(float64(tick), 1, now)
	case i == n:
		p.pace.arrived(float64(tick), float64(tick-p.kept[n-1].tick), now)
	}
	m := p.place(i)
	m.tick = tick
	if p.in != state {
		p.in, p.inTables = state, p.tables(state)
	}
	p.sc.copyTables(m.tables, p.inTables)
}

// place makes room for a state before that with index i. A full buffer loses its oldest.
func (p *Playout[S]) place(i int) *moment[S] {
	if len(p.kept) == p.most {
		m := p.kept[0]
		copy(p.kept, p.kept[1:i])
		p.kept[i-1] = m
		return m
	}
	var m *moment[S]
	if n := len(p.spares); n > 0 {
		m, p.spares = p.spares[n-1], p.spares[:n-1]
	} else {
		m, _ = newMoment[S](p.sc) // NewPlayout has tried it
	}
	p.kept = append(p.kept, nil)
	copy(p.kept[i+1:], p.kept[i:])
	p.kept[i] = m
	return m
}

func (p *Playout[S]) tables(state *S) []rows {
	list, _ := tablesOf(p.sc, state) // NewPlayout has tried it
	return list
}

// At fills out, which the caller keeps and nobody else changes, with what is shown when the server's time is now, and
// returns the time shown: its whole part and its fraction are what the player's inputs say that he looks at. It never
// goes back: where the delay grows, time stands still for as long. It is false while there is no state at all.
//
// Between two states rows are interpolated: floats, also raw ones, glide, angles the shorter way, and everything else
// is the earlier state's until the later one is reached; so are rows that are in one of the two alone. PlayoutConfig.Modes
// names tables that are shown otherwise. The fields of out's rows that are no part of the state stay as they are.
func (p *Playout[S]) At(now float64, out *S) (shown float64, ok bool) {
	n := len(p.kept)
	if n == 0 {
		return 0, false
	}
	if t := now - p.pace.delay; t > p.time {
		p.time = t
	}
	p.time = max(p.time, float64(p.kept[0].tick)) // what is older can still come, and is not shown any more
	if p.out != out {
		p.out, p.outTables = out, p.tables(out)
	}
	last := p.kept[n-1]
	shown = p.steady(min(p.time, float64(last.tick)+p.cfg.Extrapolate), now)
	past, present := p.between(shown), p.ahead(now)
	for k := range p.outTables {
		t, b := &p.sc.Tables[k], past
		switch p.mode[k] {
		case Raw:
			t.copyTable(p.outTables[k], last.tables[k])
			continue
		case Extrapolated:
			b = present
		case Interpolated:
		}
		t.mix(p.outTables[k], b.earlier.tables[k], b.later.tables[k], b.pos, p.cfg.Snap)
	}
	p.shown, p.shownAt = past.shown(shown), now
	return p.shown, true
}

// steady is the time to show where there is time to show one: it catches up with it.
func (p *Playout[S]) steady(wanted, now float64) float64 {
	if math.IsInf(p.cfg.CatchUp, 1) {
		return wanted
	}
	most := float64(max(0, now-p.shownAt) * p.cfg.CatchUp)
	if late := wanted - p.shown; late > most && late < float64(p.most) {
		return max(p.shown+most, float64(p.kept[0].tick))
	}
	return wanted
}

// between is a time between two states, or after the last.
type between[S any] struct {
	earlier, later *moment[S]
	pos            float64
}

func (p *Playout[S]) between(at float64) between[S] {
	i := len(p.kept) - 1 // the first state after the time, or the last there is
	for i > 0 && float64(p.kept[i-1].tick) > at {
		i--
	}
	b := between[S]{p.kept[max(0, i-1)], p.kept[i], 1}
	if b.earlier != b.later {
		b.pos = (at - float64(b.earlier.tick)) / float64(b.later.tick-b.earlier.tick)
	}
	return b
}

// ahead is a time after the last two states, MaxDelay at most.
func (p *Playout[S]) ahead(at float64) between[S] {
	n := len(p.kept)
	b := between[S]{p.kept[max(0, n-2)], p.kept[n-1], 1}
	if b.earlier != b.later {
		at = min(at, float64(b.later.tick)+p.cfg.MaxDelay)
		b.pos = max(1, (at-float64(b.earlier.tick))/float64(b.later.tick-b.earlier.tick))
	}
	return b
}

// shown is the time that is shown where a time was wanted.
func (b *between[S]) shown(at float64) float64 {
	if b.earlier == b.later { // nothing to go on from
		return min(at, float64(b.later.tick))
	}
	return at
}

// pace measures how late states come and says how far behind to show them. When a state arrives, the time since the one
// before it is what the delay would have had to be for the buffer not to run dry: the way, its jitter and the gap
// between frames in one number. The delay is at least its smoothed mean and three mean deviations (as the
// retransmission timer of RFC 6298 has four). It grows at once to what was needed and shrinks slowly.
type pace struct {
	least, most  float64
	delay        float64
	mean, spread float64
	known        bool
}

const (
	paceFollow = 1.0 / 16 // how fast, per state, mean and deviation follow
	paceSpread = 3        // deviations
	paceFirst  = 0.5      // the deviation, in ticks, before it was measured
	paceShrink = 1.0 / 32 // by how much the delay shrinks, per tick: so much faster than time the shown one runs
)

// arrived notes that the state of a tick arrived, which is gap ticks after the one before it.
func (p *pace) arrived(tick, gap, now float64) {
	need := now - (tick - gap)
	if !(need > 0) {
		need = 0
	}
	need = min(need, p.most)
	if !p.known {
		p.mean, p.spread, p.known = need, paceFirst, true
	} else {
		miss := need - p.mean
		p.mean += float64(miss * paceFollow)
		p.spread += float64((math.Abs(miss) - p.spread) * paceFollow)
	}
	steady := p.mean + float64(paceSpread*p.spread)
	p.delay = max(steady, need, p.delay-float64(gap*paceShrink))
	p.delay = max(p.least, min(p.delay, p.most))
}
