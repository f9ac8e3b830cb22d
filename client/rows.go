package client

import (
	"fmt"
	"reflect"
	"slices"

	"muster/netcode"
)

// Rows tells what frames change in one table: see [RowsOf].
//
// Functions are called by the call of Next or Poll that brings a change, when the whole state is the new one, but those of
// OnRemove: when the row is about to go. They may not call the Conn's Next, Poll, Close or Leave. What each registration
// returns ends it.
type Rows[T any] struct {
	info    *netcode.TableInfo
	table   *netcode.Table[T]
	added   listeners[func(netcode.ID, *T)]
	changed listeners[func(netcode.ID, *T, *T)]
	removed listeners[func(netcode.ID, *T)]
	before  map[netcode.ID]*T // the rows as they were told last; nil where nobody asks
	spares  []*T
}

// listeners is a list that is never changed but replaced, so that a listener may add and take out others.
type listeners[F any] struct{ list []*F }

func (l *listeners[F]) add(f F) (off func()) {
	l.list = append(slices.Clone(l.list), &f)
	return func() {
		l.list = slices.DeleteFunc(slices.Clone(l.list), func(other *F) bool { return other == &f })
	}
}

// rowsTold is a Rows of any type.
type rowsTold interface {
	add(id netcode.ID)
	change(id netcode.ID)
	remove(id netcode.ID)
}

// RowsOf returns what tells of a table's changes, the same for each call.
//
//	ships := client.RowsOf(conn, func(w *arena.World) *netcode.Table[arena.Ship] { return &w.Ships })
//	ships.OnAdd(func(id netcode.ID, ship *arena.Ship) { … })
//
// After a resume the differences to the state before are told, nothing twice; what is gone is told once all is here that
// the new socket brings, which takes some frames where it is much. table must return the address of a field
// of its argument, else RowsOf panics.
func RowsOf[T, S, In any](c *Conn[S, In], table func(*S) *netcode.Table[T]) *Rows[T] {
	t := table(&c.state)
	info := c.tableAt(t)
	if have, ok := c.rows[info.Name].(*Rows[T]); ok {
		return have
	}
	r := &Rows[T]{info: info, table: t}
	c.watchRows(info.Name, r)
	return r
}

// OnAdd has f called with each row that comes. Those that are there already are not told.
func (r *Rows[T]) OnAdd(f func(id netcode.ID, row *T)) (off func()) { return r.added.add(f) }

// OnChange has f called with each row of which a frame changes something, and with what it was before.
func (r *Rows[T]) OnChange(f func(id netcode.ID, row, before *T)) (off func()) {
	if r.before == nil {
		r.before = map[netcode.ID]*T{}
		for id := range r.table.All() {
			r.keep(id)
		}
	}
	return r.changed.add(f)
}

// OnField has f called with a part of a row when a frame changes it, and with what it was before.
//
//	client.OnField(ships, func(s *arena.Ship) uint8 { return s.HP }, func(id netcode.ID, hp, before uint8) { … })
func OnField[V comparable, T any](r *Rows[T], part func(*T) V, f func(id netcode.ID, now, before V)) (off func()) {
	return r.OnChange(func(id netcode.ID, row, before *T) {
		if now, was := part(row), part(before); now != was {
			f(id, now, was)
		}
	})
}

// OnRemove has f called with each row that goes, as it was last.
func (r *Rows[T]) OnRemove(f func(id netcode.ID, before *T)) (off func()) { return r.removed.add(f) }

func (r *Rows[T]) add(id netcode.ID) {
	r.keep(id)
	for _, f := range r.added.list {
		(*f)(id, r.table.Get(id))
	}
}

func (r *Rows[T]) change(id netcode.ID) {
	before := r.before[id]
	if before == nil {
		return // nobody asks
	}
	for _, f := range r.changed.list {
		(*f)(id, r.table.Get(id), before)
	}
	r.keep(id)
}

func (r *Rows[T]) remove(id netcode.ID) {
	for _, f := range r.removed.list {
		(*f)(id, r.table.Get(id))
	}
	if b := r.before[id]; b != nil {
		delete(r.before, id)
		r.spares = append(r.spares, b)
	}
}

// keep notes a row for the next change of it.
func (r *Rows[T]) keep(id netcode.ID) {
	if r.before == nil {
		return
	}
	b := r.before[id]
	if b == nil {
		if n := len(r.spares); n > 0 {
			b, r.spares = r.spares[n-1], r.spares[:n-1]
		} else {
			b = new(T)
		}
		r.before[id] = b
	}
	netcode.CopyRow(r.info, b, r.table.Get(id))
}

// OnValue has f called with a single row of the state when a frame changes something of it, and with what it was before.
//
//	client.OnValue(conn, func(w *arena.World) *netcode.Value[arena.Round] { return &w.Round }, func(now, before *arena.Round) { … })
func OnValue[T, S, In any](c *Conn[S, In], value func(*S) *netcode.Value[T], f func(now, before *T)) (off func()) {
	v := value(&c.state)
	info := c.tableAt(v)
	told, ok := c.rows[info.Name].(*valueTold[T])
	if !ok {
		told = &valueTold[T]{info: info, value: v}
		netcode.CopyRow(info, &told.before, &v.V)
		c.watchRows(info.Name, told)
	}
	return told.changed.add(f)
}

type valueTold[T any] struct {
	info    *netcode.TableInfo
	value   *netcode.Value[T]
	before  T
	changed listeners[func(*T, *T)]
}

func (v *valueTold[T]) change(netcode.ID) {
	for _, f := range v.changed.list {
		(*f)(&v.value.V, &v.before)
	}
	netcode.CopyRow(v.info, &v.before, &v.value.V)
}

func (v *valueTold[T]) add(netcode.ID)    {}
func (v *valueTold[T]) remove(netcode.ID) {}

// tableAt returns which table of the state is at an address.
func (c *Conn[S, In]) tableAt(table any) *netcode.TableInfo {
	state := reflect.ValueOf(&c.state).Elem()
	for i := range c.schema.Tables {
		info := &c.schema.Tables[i]
		if f := state.FieldByName(info.Name); f.IsValid() && f.Addr().Interface() == table {
			return info
		}
	}
	panic(fmt.Sprintf("client: a %T that is no field of the state %T", table, c.state))
}

func (c *Conn[S, In]) watchRows(table string, r rowsTold) {
	c.rows[table] = r
	c.hook()
}

// hook tells the decoder whom to tell of rows.
func (c *Conn[S, In]) hook() {
	c.decoder.Hook(netcode.Hooks{
		Added: func(table string, id netcode.ID) {
			if r := c.rows[table]; r != nil {
				r.add(id)
			}
		},
		Changed: func(table string, id netcode.ID) {
			if r := c.rows[table]; r != nil {
				r.change(id)
			}
		},
		Removed: func(table string, id netcode.ID) {
			if r := c.rows[table]; r != nil {
				r.remove(id)
			}
		},
	})
}
