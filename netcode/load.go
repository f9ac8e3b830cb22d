package netcode

import (
	"fmt"
	"slices"
)

// Hooks are told what a [Decoder.Load] changed in the state that it loaded, row by row. Those that are nil are not
// called. They are called by the goroutine that loads and must not load themselves.
type Hooks struct {
	// Added and Changed are called when all of the state is loaded; each at most once for a row, Changed not for one that
	// was added. The single row of a Value is only ever changed.
	Added, Changed func(table string, id ID)
	// Removed is called while the row can still be read; of others some are loaded by then and some are not.
	Removed func(table string, id ID)
}

// Hook sets the hooks of all later calls of Load.
func (d *Decoder) Hook(h Hooks) { d.load.hooks = h }

// loader puts what the scopes have of rows together in a state.
type loader struct {
	sc      *Schema
	state   any
	tables  []rows
	known   [][]slotState // by table and slot
	held    [][]int       // by table: the slots in which the state has a row
	touched []touch       // what the hooks are to be told
	hooks   Hooks
	loads   uint32
	back    bool     // its client came back, and no frame since was loaded
	awaited []uint16 // the scopes that it watched then, and that are not here yet
}

// slotState is what the loader knows of a slot of a table.
type slotState struct {
	seen  [audiences]uint32 // the load in which each audience's part had it
	at    uint32            // the tick of the state that it was loaded from,
	scope uint16            // and the scope
	left  uint32            // the tick of the first frame in which it was in no scope any more
	told  uint8             // touchAdded or touchChanged: noted for the hooks
}

type touch struct {
	table int
	slot  int
}

const (
	touchChanged = 1
	touchAdded   = 2
)

func (l *loader) begin(sc *Schema) {
	l.sc = sc
	l.known = make([][]slotState, len(sc.Tables))
	l.held = make([][]int, len(sc.Tables))
}

// hold makes the loader load into a state from now on.
func (l *loader) hold(state any) error {
	tables, err := tablesOf(l.sc, state)
	if err != nil {
		return fmt.Errorf("loading a state: %w", err)
	}
	l.state, l.tables = state, tables
	for t, table := range tables {
		l.held[t] = l.held[t][:0]
		for slot := range table.slots() {
			if id, _ := table.at(slot); id != 0 {
				l.held[t] = append(l.held[t], slot)
			}
		}
	}
	return nil
}

// Load brings a state that nobody else changes, an *S or a *[Dynamic] of the same schema, up to what was decoded. Ids
// are those of the wire. Of a row that several scopes have it takes what is newest; a row that left a cell is kept, as
// it was, until the cells of a lower rate had the time to say that it is theirs.
func (d *Decoder) Load(state any) error {
	l := &d.load
	if l.state != state {
		if err := l.hold(state); err != nil {
			return err
		}
	}
	l.loads++
	stays := d.awaits()
	for to := everyone; to < audiences; to++ {
		for i := range d.parts {
			if p := &d.parts[i]; p.to == to {
				d.loadPart(i, p)
			}
		}
		for t := range l.tables {
			if to == everyone {
				d.sweep(t, stays)
			} else if !stays {
				l.clearUnseen(t, to)
			}
		}
	}
	l.tell()
	return nil
}

// Follow makes d, which has loaded nothing, go on with the state that another decoder of the same schema has loaded, and
// with its hooks: its client was away, and is sent everything anew. Until all scopes that it watches in the first frame
// are here, which takes several frames where they are large, rows that are in none of them stay as they were: they may
// come yet. The other decoder must not be used any more.
func (d *Decoder) Follow(before *Decoder) {
	d.load = before.load
	d.load.back, d.load.awaited = true, nil
}

// awaits says whether some scope is not here yet that the client watched when it came back.
func (d *Decoder) awaits() bool {
	l := &d.load
	if l.back {
		l.back = false
		for _, w := range d.watched {
			l.awaited = append(l.awaited, w.Scope())
		}
	}
	l.awaited = slices.DeleteFunc(l.awaited, func(scope uint16) bool { return d.scopes[scope] != nil || !d.watches(scope) })
	return len(l.awaited) > 0
}

// slot returns what is known of a slot.
func (l *loader) slot(table, slot int) *slotState {
	for len(l.known[table]) <= slot {
		l.known[table] = append(l.known[table], slotState{})
	}
	return &l.known[table][slot]
}

// note keeps for the hooks that a row was touched.
func (l *loader) note(table, slot int, what uint8) {
	s := l.slot(table, slot)
	if s.told == 0 {
		l.touched = append(l.touched, touch{table, slot})
	}
	s.told = max(s.told, what)
}

// loadPart stores the rows of a part, scope by scope. The columns of its owner or a team go to rows that are there.
func (d *Decoder) loadPart(i int, p *part) {
	l := &d.load
	table := l.tables[p.table]
	for _, w := range d.watched {
		scope := w.Scope()
		s := d.scopes[scope]
		if s == nil || !p.of(scope) {
			continue
		}
		set := s.state[0].sets[i]
		for k, id := range set.ids {
			slot := id.slot()
			var have ID
			if slot < table.slots() {
				have, _ = table.at(slot)
			}
			known := l.slot(p.table, slot)
			if p.to != everyone && !p.info.Single && (have != id || known.seen[everyone] != l.loads) {
				continue // a row that is kept for now stays as it was
			}
			if p.to == everyone && known.seen[p.to] == l.loads && known.at > s.at[0] {
				continue // a scope of a later tick has it
			}
			if have != id && !p.info.Single {
				l.remove(p.table, have)
				l.note(p.table, slot, touchAdded)
				if have == 0 {
					l.held[p.table] = append(l.held[p.table], slot)
				}
			}
			known.seen[p.to] = l.loads
			if p.to == everyone {
				known.at, known.scope = s.at[0], scope
			}
			at := table.mirror(slot, id)
			changed := false
			for c, f := range p.fields {
				if f.text() {
					changed = f.storeText(at, set.text[c][k]) || changed
				} else {
					changed = f.store(at, set.nums[c][k]) || changed
				}
			}
			if changed {
				l.note(p.table, slot, touchChanged)
			}
		}
	}
}

// sweep takes out the rows that are in no scope any more, unless all that is there stays.
func (d *Decoder) sweep(t int, stays bool) {
	l := &d.load
	table, info := l.tables[t], &d.sc.Tables[t]
	slowest := uint32(1)
	for _, w := range d.watched {
		slowest = max(slowest, w.Every())
	}
	held := l.held[t][:0]
	for _, slot := range l.held[t] {
		known := l.slot(t, slot)
		if known.seen[everyone] == l.loads-1 { // frames before this one may not have come: from here on it is waited for
			known.left = d.tick
		}
		id, at := table.at(slot)
		switch {
		case known.seen[everyone] == l.loads:
		case stays:
			known.seen[everyone] = l.loads // from the load on in which it does not stay it may be waited for
		case info.Single:
			if info.clear(at, info.room) {
				l.note(t, slot, touchChanged)
			}
		case isCell(known.scope) && d.tick-known.left < slowest-1:
		default:
			l.remove(t, id)
			table.mirror(slot, 0)
			continue
		}
		held = append(held, slot)
	}
	l.held[t] = held
}

// clearUnseen clears what only an owner or a team sees where that is not seen any more.
func (l *loader) clearUnseen(t int, to audience) {
	table, info := l.tables[t], &l.sc.Tables[t]
	if len(info.columns(to)) == 0 {
		return
	}
	for _, slot := range l.held[t] {
		known := l.slot(t, slot)
		_, at := table.at(slot)
		if kept := known.seen[everyone] != l.loads && !info.Single; kept || known.seen[to] == l.loads {
			continue
		}
		if info.clear(at, info.columns(to)) {
			l.note(t, slot, touchChanged)
		}
	}
}

// remove tells that a row is about to go.
func (l *loader) remove(t int, id ID) {
	if id != 0 && l.hooks.Removed != nil {
		l.hooks.Removed(l.sc.Tables[t].Name, id)
	}
}

// tell calls the hooks for the rows that were touched.
func (l *loader) tell() {
	for _, touched := range l.touched {
		s := l.slot(touched.table, touched.slot)
		hook := l.hooks.Changed
		if s.told == touchAdded {
			hook = l.hooks.Added
		}
		s.told = 0
		if id, _ := l.tables[touched.table].at(touched.slot); id != 0 && hook != nil {
			hook(l.sc.Tables[touched.table].Name, id)
		}
	}
	l.touched = l.touched[:0]
}
