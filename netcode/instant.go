package netcode

// instant is one scope at one tick: a part of what a room was, or alone. The zero value has no rows.
type instant struct {
	scope uint16
	room  *snapshot
	alone *decoded
}

// part returns the scope's rows of a part.
func (s instant) part(i int) span {
	switch {
	case s.room != nil:
		return s.room.scope(i, s.scope)
	case s.alone != nil:
		return s.alone.part(i)
	}
	return span{}
}

// have returns a scope at a tick at which it is here.
func (e *Encoder) have(scope uint16, tick uint32) instant {
	switch k := e.pinned; {
	case k != nil && k.scope == scope && k.form.base == tick:
		return instant{alone: k.state}
	case e.mirror != nil:
		return instant{alone: e.mirror.at(scope, tick)}
	}
	return instant{scope: scope, room: e.at(tick)}
}

// has says whether a scope at a tick is here.
func (e *Encoder) has(scope uint16, tick uint32) bool {
	if e.mirror != nil {
		return e.mirror.at(scope, tick) != nil
	}
	s := e.at(tick)
	return s.valid && s.tick == tick
}

// current says whether a scope is here at the newest tick. Only a mirror may not have it.
func (e *Encoder) current(scope uint16) bool {
	return e.mirror == nil || e.mirror.at(scope, e.tick) != nil
}

// reaches says whether a viewer can be brought on from what it has of a scope since a tick.
func (e *Encoder) reaches(scope uint16, tick uint32) bool {
	return e.has(scope, tick) && (e.mirror == nil || e.mirror.scopes[scope].since <= tick)
}
