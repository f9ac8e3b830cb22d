package netcode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
)

// AppendState appends the exact state, an *S or a *[Dynamic] of this schema, to dst: all columns, also those that are
// never sent, floats by their bits, texts and slices whole, and what decides the ids of rows to come. Unexported fields
// are not state. Equal states give equal bytes. It begins with the layout, the names and types of all tables and columns,
// so that it can be read under newer rules. It allocates only where dst has no room.
func (sc *Schema) AppendState(dst []byte, state any) ([]byte, error) {
	s, err := sc.stateOf(state)
	if err != nil {
		return dst, fmt.Errorf("writing a state: %w", err)
	}
	dst = sc.appendHead(dst)
	for i := range sc.exact {
		dst = sc.exact[i].appendTable(dst, s.table(i))
	}
	return dst, nil
}

func (sc *Schema) appendHead(dst []byte) []byte {
	dst = append(dst, exactForm)
	dst = binary.AppendUvarint(dst, uint64(len(sc.layout)))
	return append(dst, sc.layout...)
}

// ReadState reads what AppendState wrote into a state, an *S or a *[Dynamic] of this schema, of which nothing that was
// there is left. Where the layout was another it goes by names: tables and columns that are new are empty and zero,
// those that are gone are dropped, a number of another type and the value of an enum with other names are taken over
// where they are the same afterwards. Where that cannot be, the error names the table and the column.
//
// The bytes may be damaged: what is allocated is bounded by their number times the size of the largest row. Errors wrap
// [ErrCheckpoint]. After one the state is not to be used.
func (sc *Schema) ReadState(data []byte, state any) error {
	s, err := sc.emptied(state)
	if err != nil {
		return fmt.Errorf("reading a state: %w", err)
	}
	r := exactReader{b: data}
	plan, _ := r.head(sc)
	r.tables(plan, sc, s.table)
	return r.done()
}

// SameLayout says whether a state, or a driver's checkpoint, was written with the very layout that this schema has. A
// room that opens under newer rules asks, to know whether there is something to convert.
func (sc *Schema) SameLayout(data []byte) bool {
	r := exactReader{b: data}
	return bytes.Equal(r.rawLayout(), sc.layout)
}

// emptied makes a state as new.
func (sc *Schema) emptied(state any) (stateRef, error) {
	s, err := sc.stateOf(state)
	if err != nil {
		return s, err
	}
	if s.dyn == nil {
		reflect.ValueOf(state).Elem().SetZero()
		for i := range sc.Tables {
			s.table(i) // has its bound again, whether something is read into it or not
		}
		return s, nil
	}
	for _, t := range s.dyn.tables {
		t.empty()
	}
	return s, nil
}

// rawLayout reads the head of a state and returns the layout in it.
func (r *exactReader) rawLayout() []byte {
	if form := r.byte("form"); r.err == nil && form != exactForm {
		r.fail("form %d, only %d is known", form, exactForm)
	}
	return r.text("layout")
}

// head reads the head and says whether the layout is the schema's own.
func (r *exactReader) head(sc *Schema) (plan []tablePlan, same bool) {
	layout := exactReader{b: r.rawLayout()}
	if r.err != nil {
		return nil, false
	}
	same = bytes.Equal(layout.b, sc.layout)
	plan = layout.plan(sc)
	if err := layout.done(); err != nil {
		r.err, r.b = err, nil
	}
	return plan, same
}

// tables reads the tables of a plan into those that into returns, which are empty.
func (r *exactReader) tables(plan []tablePlan, sc *Schema, into func(int) rows) {
	for i := range plan {
		p := &plan[i]
		switch {
		case r.err != nil:
			return
		case p.to < 0:
			r.table(p, nil, 0)
		default:
			r.table(p, into(p.to), sc.Tables[p.to].Max)
		}
	}
}

// AppendCheckpoint appends all that the ticks to come depend on: the exact state, the tick, the random source and the
// history of the rewound tables. It is taken between two ticks, after Capture. Inputs that wait are not in it, nor
// events that were emitted: those are the caller's. It allocates only where dst has no room, and fails for a driver
// without a Schema.
func (d *Driver[S, In]) AppendCheckpoint(dst []byte) ([]byte, error) {
	sc := d.schema
	if sc == nil {
		return dst, fmt.Errorf("writing a checkpoint: the driver has no schema")
	}
	dst = sc.appendHead(dst)
	dst = binary.AppendUvarint(dst, uint64(d.step.Tick))
	size := len(dst)
	dst = append(dst, 0)
	dst, err := d.dice.AppendBinary(dst)
	if err != nil {
		return dst, fmt.Errorf("writing a checkpoint's random source: %w", err)
	}
	dst[size] = byte(len(dst) - size - 1) //nolint:gosec // 20
	for i := range sc.exact {
		dst = sc.exact[i].appendTable(dst, d.tables[i])
	}
	if d.step.past == nil {
		return binary.AppendUvarint(dst, 0), nil
	}
	return d.step.past.append(dst), nil
}

// Restore puts the driver, and the state that it was made for, where AppendCheckpoint was called: the same inputs then
// give the same states, ids, random numbers, events and views of the past. Under another layout it is as with
// [Schema.ReadState], and the past begins anew. The bytes may be damaged; after an error neither the driver nor the
// state is to be used.
func (d *Driver[S, In]) Restore(data []byte) error {
	sc := d.schema
	if sc == nil {
		return fmt.Errorf("restoring a checkpoint: the driver has no schema")
	}
	s, err := sc.emptied(d.step.State)
	if err != nil {
		return fmt.Errorf("restoring a checkpoint: %w", err)
	}
	r := exactReader{b: data}
	plan, same := r.head(sc)
	d.Begin(r.uint32("tick"))
	d.step.at = 0
	if dice := r.text("random source"); r.err == nil {
		if err := d.dice.UnmarshalBinary(dice); err != nil {
			r.fail("random source: %s", err.Error())
		}
	}
	r.tables(plan, sc, s.table)
	switch past := d.step.past; {
	case past != nil && same:
		past.read(&r, plan, d.step.Tick)
	case past != nil:
		past.n = 0
	case same && r.uint("history", 0) != 0: // an error
	}
	if !same {
		return r.err
	}
	return r.done()
}

// append appends the ring: how many moments, and for each, the oldest first, by how much its tick is above that of the
// one before, and the rewound tables.
func (h *history[S]) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(h.n)) //nolint:gosec // not negative
	last := uint32(0)
	for i := h.n - 1; i >= 0; i-- {
		m := h.back(i)
		dst = binary.AppendUvarint(dst, uint64(m.tick-last))
		last = m.tick
		for k := range h.sc.exact {
			if t := &h.sc.exact[k]; t.rewind {
				dst = t.appendTable(dst, m.tables[k])
			}
		}
	}
	return dst
}

// read fills the ring with what append wrote; of more than it holds the newest are kept.
func (h *history[S]) read(r *exactReader, plan []tablePlan, now uint32) {
	h.n, h.newest = 0, 0
	last := uint32(0)
	for i := range r.uint("history", maxHistory) {
		m := &moment[S]{}
		m.tables = mustTables(h.sc, &m.state)
		ahead := r.uint("tick of the history", uint64(now-last))
		if i > 0 && ahead == 0 {
			r.fail("history: tick %d comes twice", last)
		}
		last += uint32(ahead) //nolint:gosec // bounded
		m.tick = last
		for k := range plan {
			if p := &plan[k]; p.from.rewind {
				r.table(p, m.tables[p.to], h.sc.Tables[p.to].Max)
			}
		}
		if r.err != nil {
			return
		}
		h.newest = (h.newest + 1) % len(h.ring)
		h.n = min(h.n+1, len(h.ring))
		h.ring[h.newest] = m
	}
}
