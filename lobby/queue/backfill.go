package queue

import (
	"cmp"
	"math"
	"slices"
)

// filler looks for tickets that a running match takes.
type filler struct {
	*cycle
	room   *Room
	e      *entry   // the match's players as one ticket
	inside []*entry // its tickets, and whoever came with none that is known as one more
	base   []agreed // what all of them say
	limit  float64  // the widest distance of ratings that all of them want
	region int      // -1 is any
	near   []near
	set    []*entry
	stage  int
	states []agreed
	next   []agreed
	low    float64
	high   float64
	most   float64
	split  splitter
}

// backfill puts tickets into running matches: those with the nearest ratings are looked at, and of these the oldest
// are taken first. A room gets at most one assignment, with all that fit.
func (c *cycle) backfill(rooms []Room) {
	order := make([]*Room, 0, len(rooms))
	for i := range rooms {
		order = append(order, &rooms[i])
	}
	slices.SortStableFunc(order, func(a, b *Room) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(b.Version, a.Version)) })
	f := newFiller(c)
	for i, room := range order {
		if i > 0 && order[i-1].ID == room.ID || !room.asks() || !f.enter(room) {
			continue
		}
		if f.look() {
			f.choose()
		}
	}
}

func newFiller(c *cycle) *filler {
	f := &filler{cycle: c}
	f.split.p = c.plan
	return f
}

// asks says whether a match has seats for anybody.
func (r *Room) asks() bool {
	return len(r.Free) > 0 && len(r.Free) <= maxTeams && slices.Max(r.Free) > 0
}

// look collects the tickets that fit into a match each by itself, oldest first.
func (f *filler) look() bool {
	f.near = f.near[:0]
	for _, b := range f.bucketsOf() {
		for size := 1; size <= min(f.plan.PartyMax, slices.Max(f.room.Free)); size++ {
			if f.region >= 0 || len(f.plan.Regions) == 0 {
				f.walk(b.list(f.plan, max(f.region, 0), size-1), size)
				continue
			}
			for region := range f.plan.Regions {
				f.walk(b.list(f.plan, region, size-1), size)
			}
		}
	}
	slices.SortFunc(f.near, func(a, b near) int {
		if a.e.head != b.e.head {
			if a.e.head {
				return -1
			}
			return 1
		}
		return older(a.e, b.e)
	})
	f.near = slices.CompactFunc(f.near, func(a, b near) bool { return a.e == b.e })
	return len(f.near) > 0
}

// enter works out what a match's tickets say, and want. False is that it is in no region of the queue's.
func (f *filler) enter(room *Room) bool {
	f.region = -1
	if room.Region != "" && len(f.plan.Regions) > 0 {
		r, ok := f.plan.regions[room.Region]
		if !ok {
			return false
		}
		f.region = r
	}
	f.room, f.e = room, f.plan.entry(&Ticket{ID: room.ID, Created: f.time, Players: room.Players, Attributes: room.Attributes})
	f.inside, f.limit = f.inside[:0], math.Inf(1)
	known := map[string]bool{}
	for _, t := range room.Tickets {
		for i := range t.Players {
			known[t.Players[i].ID] = true
		}
		t.Created = f.time // the wait of those who come counts
		e := f.plan.entry(&t)
		f.inside, f.limit = append(f.inside, e), min(f.limit, e.most)
	}
	rest := f.e
	if len(known) > 0 {
		others := Ticket{ID: room.ID, Created: f.time, Attributes: room.Attributes}
		for _, p := range room.Players {
			if !known[p.ID] {
				others.Players = append(others.Players, p)
			}
		}
		rest = f.plan.entry(&others)
	}
	f.inside = append(f.inside, rest)
	f.base = make([]agreed, len(f.plan.Attributes))
	for _, e := range f.inside {
		f.plan.add(f.base, e.values)
	}
	return true
}

// bucketsOf are the buckets whose tickets agree with the match.
func (f *filler) bucketsOf() []*bucket {
	key, open, ok := f.plan.key(f.e.values)
	if !ok || open {
		return f.agreeing(f.e.values, true, nil)
	}
	var list []*bucket
	if b := f.buckets[key]; b != nil && b.lists != nil {
		list = append(list, b)
	}
	return f.agreeing(f.e.values, false, list)
}

// walk collects those of a list whose ratings are nearest to the middle of the match's.
func (f *filler) walk(l *list, size int) {
	free := 0
	for _, n := range f.room.Free {
		free += n
	}
	want := free/size + spare
	middle := f.middle()
	up := l.from(middle)
	down := up - 1
	for scanned := 0; want > 0 && scanned < long.scans && (up < len(l.items) || down >= 0); {
		var e *entry
		if up < len(l.items) && (down < 0 || l.items[up].rating-middle < middle-l.items[down].rating) {
			e = l.items[up].e
			up++
		} else {
			e = l.items[down].e
			down--
		}
		if e.gone {
			continue
		}
		scanned++
		if f.alone(e) {
			f.near = append(f.near, near{e: e})
			want--
		}
	}
}

// middle is a rating in the middle of the match's.
func (f *filler) middle() float64 {
	if n := len(f.room.Players); !f.rated() && n > 0 {
		return f.e.sum / float64(n)
	}
	return (f.room.Low + f.room.High) / 2
}

// rated says whether the match says how good its players are.
func (f *filler) rated() bool { return f.room.Low != 0 || f.room.High != 0 || len(f.room.Tickets) > 0 }

// alone says whether a ticket fits into the match, if nobody else comes.
func (f *filler) alone(e *entry) bool {
	if e.t.NewOnly {
		return false
	}
	f.start(e.stage)
	return f.joins(e)
}

// start empties the set: the match's own tickets are left.
func (f *filler) start(stage int) {
	f.set, f.stage = f.set[:0], stage
	f.low, f.high, f.most = math.Inf(1), math.Inf(-1), f.limit
	if f.rated() {
		f.low, f.high = f.room.Low, f.room.High
	}
	n := len(f.plan.Attributes)
	if len(f.states) != n {
		f.states, f.next = make([]agreed, n), make([]agreed, n)
	}
	copy(f.states, f.base)
}

// joins says whether the match and the set take a ticket.
func (f *filler) joins(e *entry) bool {
	st := &f.plan.stages[max(f.stage, e.stage)]
	if max(f.high, e.rating)-min(f.low, e.rating) > min(st.spread, f.most, e.most) {
		return false
	}
	if f.region >= 0 && float64(e.latency[f.region]) > st.latency {
		return false
	}
	if !f.plan.agrees(st, f.states, e.values, f.next) {
		return false
	}
	for _, list := range [...][]*entry{f.inside, f.set} {
		for _, other := range list {
			if !f.accepts(st, other, e) {
				return false
			}
		}
	}
	return f.seats(append(f.set, e)...)
}

// accepts says whether two tickets accept each other, and have no player in common.
func (f *filler) accepts(st *stage, a, b *entry) bool {
	if a.shares(b) {
		return false
	}
	s := f.search
	s.st, s.wait = st, max(a.waited(f.now), b.waited(f.now))
	if len(a.t.Players) == 0 {
		return true
	}
	return s.together(a, b)
}

// shares says whether two tickets have a player in common.
func (e *entry) shares(other *entry) bool {
	for i := range e.t.Players {
		for j := range other.t.Players {
			if e.t.Players[i].ID == other.t.Players[j].ID {
				return true
			}
		}
	}
	return false
}

// seats gives tickets seats, and places for their roles where the match says which are free; false is that not all have.
func (f *filler) seats(set ...*entry) bool {
	sp := &f.split
	sp.free, sp.roles = append(sp.free[:0], f.room.Free...), sp.roles[:0]
	for team := range f.room.Free {
		if len(f.plan.Roles) == 0 {
			break
		}
		places := f.plan.perTeam()
		if f.room.Roles != nil {
			for i, r := range f.plan.Roles {
				places[i] = 0
				if team < len(f.room.Roles) {
					places[i] = f.room.Roles[team][r.Name]
				}
			}
		}
		sp.roles = append(sp.roles, places)
	}
	sp.same, sp.lonely = false, true
	return sp.run(set)
}

// choose takes the oldest who fit, and all who fit with them.
func (f *filler) choose() {
	f.start(0)
	for _, n := range f.near {
		if !f.joins(n.e) {
			continue
		}
		f.set = append(f.set, n.e)
		f.stage = max(f.stage, n.e.stage)
		f.states, f.next = f.next, f.states
		f.low, f.high, f.most = min(f.low, n.e.rating), max(f.high, n.e.rating), min(f.most, n.e.most)
	}
	if len(f.set) > 0 {
		f.assign()
	}
}

func (f *filler) assign() {
	f.seats(f.set...)
	sp := &f.split
	a := f.plan.assignment(sp.tickets, sp.best, len(f.room.Free), f.now)
	a.Room, a.Version, a.Region = f.room.ID, f.room.Version, f.room.Region
	a.Spread = f.high - f.low
	a.Roles = f.plan.rolesOf(sp.tickets, sp.best, sp.roles)
	a.Attributes = f.plan.attributesOf(slices.Concat(f.inside, sp.tickets))
	f.emit(a, sp.tickets)
}
