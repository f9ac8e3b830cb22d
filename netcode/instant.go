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

// have returns a scope at a tick; ok is false when that is not here, or no longer.
func (e *Encoder) have(scope uint16, tick uint32) (s instant, ok bool) {
	if k := e.pinned; k != nil && k.scope == scope && k.form.base == tick {
		return instant{alone: k.state}, true
	}
	if e.mirror != nil {
		state := e.mirror.at(scope, tick)
		return instant{alone: state}, state != nil
	}
	if s := e.at(tick); s.valid && s.tick == tick {
		return instant{scope: scope, room: s}, true
	}
	return instant{}, false
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
