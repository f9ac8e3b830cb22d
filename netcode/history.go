package netcode

import (
	"fmt"
	"math"
)

// maxHistory is the longest history, in ticks: a second of the fastest game.
const maxHistory = 128

// history holds what the tables that are marked for rewind were at past ticks, and shows them as a viewer saw them. The
// ring is rows and ticks, nothing else. In a steady state it does not allocate.
type history[S any] struct {
	sc      *Schema
	present []rows // of the state that the rules change
	ring    []*moment[S]
	n       int // how many of the ring are filled
	newest  int

	// view is what at returns. Its rewound tables are its own. Of the others it has the headers: they share their rows
	// with the present, so that showing them costs nothing however large they are. What could go wrong with two headers
	// of one table is that a row is added or removed through one of them; those of view are sealed and refuse both.
	view  S
	shown []rows
}

// moment is a state and its tick. A history's has rows in the rewound tables alone.
type moment[S any] struct {
	tick   uint32
	state  S
	tables []rows
}

func newMoment[S any](sc *Schema) (*moment[S], error) {
	m := &moment[S]{}
	var err error
	m.tables, err = tablesOf(sc, &m.state)
	return m, err
}

// newHistory returns a history of n ticks of a state's tables, or nil when none of them is marked for rewind.
func newHistory[S any](sc *Schema, present []rows, n int) *history[S] {
	if !sc.rewinds() {
		return nil
	}
	h := &history[S]{sc: sc, present: present, ring: make([]*moment[S], max(2, min(n, maxHistory)))}
	h.shown = mustTables(sc, &h.view)
	for _, t := range h.shown {
		t.setLimit(sealed)
	}
	for i := range h.ring {
		h.ring[i] = &moment[S]{}
		h.ring[i].tables = mustTables(sc, &h.ring[i].state)
	}
	return h
}

// mustTables returns the tables of a state. It panics when the state is of another type than the schema's: that is a
// mistake in the program.
func mustTables(sc *Schema, state any) []rows {
	tables, err := tablesOf(sc, state)
	if err != nil {
		panic(fmt.Errorf("a driver's schema: %w", err))
	}
	return tables
}

// rewinds says whether some table is marked for rewind.
func (sc *Schema) rewinds() bool {
	for i := range sc.Tables {
		if sc.Tables[i].rewind {
			return true
		}
	}
	return false
}

// capture notes the present as that of a tick. One that does not follow the newest begins anew.
func (h *history[S]) capture(tick uint32) {
	if h.n > 0 && tick <= h.back(0).tick {
		h.n = 0
	}
	h.newest = (h.newest + 1) % len(h.ring)
	h.n = min(h.n+1, len(h.ring))
	m := h.ring[h.newest]
	m.tick = tick
	for i := range h.present {
		if t := &h.sc.Tables[i]; t.rewind {
			t.snapTable(m.tables[i], h.present[i])
		}
	}
}

// back returns the moment that is i before the newest.
func (h *history[S]) back(i int) *moment[S] { return h.ring[(h.newest+len(h.ring)-i)%len(h.ring)] }

// at returns what one who looked at a tick and frac/256 of the way to the next saw, the oldest or the newest moment
// where that lies outside, or nil when nothing was captured. The result is valid until the next call and until the
// present changes its rows.
func (h *history[S]) at(tick uint32, frac uint8) *S {
	if h.n == 0 {
		return nil
	}
	i := 0
	for i < h.n-1 && h.back(i).tick > tick {
		i++
	}
	a := h.back(i)
	b, pos := a, 0.0
	if i > 0 && a.tick <= tick {
		b = h.back(i - 1)
		pos = (float64(tick-a.tick) + float64(frac)/256) / float64(b.tick-a.tick)
	}
	for k := range h.shown {
		if t := &h.sc.Tables[k]; t.rewind {
			t.mix(h.shown[k], a.tables[k], b.tables[k], pos, math.Inf(1))
		} else {
			h.shown[k].share(h.present[k])
		}
	}
	return &h.view
}
