package simulate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"muster/lobby/queue"
)

// Matcher is what matches: queue.Pool, or what it is compared with.
type Matcher interface {
	Put(t *queue.Ticket)
	Remove(id string) bool
	Len() int
	Match(rooms []queue.Room, now time.Time) queue.Outcome
}

var _ Matcher = (*queue.Pool)(nil)

// Options are how a simulation runs. Zero means the default.
type Options struct {
	// Every is the time between two cycles. Default 1 s.
	Every time.Duration
	// Until is when it ends, whoever waits then. Default: when nobody comes and nobody waits any more.
	Until time.Duration
	// Lasts is how long a match goes on, and so asks for players where the rules say backfill. Default 10 min.
	Lasts time.Duration
}

// Result is what became of tickets.
type Result struct {
	Fates   []Fate  // in the order of arrivals
	Matches []Match // in the order of their making
	Cycles  int
}

// Fate is what became of a ticket.
type Fate struct {
	At      time.Duration // when it came
	Players int
	Rating  float64 // by which it is matched
	Wait    time.Duration
	Match   int // index of its match; -1 is none
	Expired bool
	Latency float64 // milliseconds to its match's region, the worst of its players'; NaN where none is known
}

// Match is a match that was made.
type Match struct {
	At       time.Duration
	Region   string
	Players  int     // when it ended
	Joined   int     // of these, after its beginning
	Bots     int     // at its beginning
	Spread   float64 // of the highest and the lowest rating of its tickets
	Strength float64 // how likely the strongest team beats the weakest; 0.5 is even, NaN where there is one team
}

// epoch is when simulations begin: a midnight.
var epoch = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)

// waiting is a ticket in the queue.
type waiting struct {
	ticket *queue.Ticket
	at     int // index of its arrival
}

// room is a match that goes on and may ask for players.
type room struct {
	queue.Room
	match int
	ends  time.Duration
	teams [][]*queue.Ticket
}

// run is a simulation under way.
type run struct {
	Options
	rules    *queue.Rules
	arrivals []Arrival
	matcher  Matcher
	result   *Result
	tickets  map[string]waiting
	rooms    []*room
	now      time.Duration
}

// Run simulates. The arrivals must be in the order of time, with ids that differ; the matcher must be empty and have the
// rules. An error is the matcher's mistake: a ticket that does not wait, a team with too many players; or ctx's.
func Run(ctx context.Context, rules *queue.Rules, arrivals []Arrival, m Matcher, o Options) (*Result, error) {
	if o.Every <= 0 {
		o.Every = time.Second
	}
	if o.Lasts <= 0 {
		o.Lasts = 10 * time.Minute
	}
	s := &run{
		Options: o, rules: rules, arrivals: arrivals, matcher: m, tickets: map[string]waiting{},
		result: &Result{Fates: make([]Fate, len(arrivals))},
	}
	come, old := 0, 0 // the next to come, and the first that may still wait
	for come < len(arrivals) || m.Len() > 0 {
		if m.Len() == 0 && arrivals[come].At > s.now {
			s.now = arrivals[come].At / s.Every * s.Every
		}
		if s.now += s.Every; o.Until > 0 && s.now > o.Until {
			s.now = o.Until
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for ; come < len(arrivals) && arrivals[come].At <= s.now; come++ {
			if err := s.put(come); err != nil {
				return nil, err
			}
		}
		for ; old < come && arrivals[old].At+rules.MaxWait <= s.now; old++ {
			s.expire(old)
		}
		if err := s.cycle(); err != nil {
			return nil, fmt.Errorf("after %v: %w", s.now, err)
		}
	}
	for i := come; i < len(arrivals); i++ { // who never came
		s.result.Fates[i].Match = -1
	}
	for _, w := range s.tickets {
		s.result.Fates[w.at].Wait = s.now - arrivals[w.at].At
	}
	s.result.Fates = s.result.Fates[:come]
	return s.result, nil
}

func (s *run) put(i int) error {
	t := s.arrivals[i].Ticket
	t.Created = epoch.Add(s.arrivals[i].At)
	if _, ok := s.tickets[t.ID]; ok || len(t.Players) == 0 {
		return fmt.Errorf("ticket %q waits already, or has no players", t.ID)
	}
	s.tickets[t.ID] = waiting{&t, i}
	s.matcher.Put(&t)
	s.result.Fates[i] = Fate{At: s.arrivals[i].At, Players: len(t.Players), Rating: t.Rating(), Match: -1, Latency: math.NaN()}
	return nil
}

func (s *run) expire(i int) {
	id := s.arrivals[i].Ticket.ID
	if w, ok := s.tickets[id]; ok && w.at == i {
		delete(s.tickets, id)
		s.matcher.Remove(id)
		s.result.Fates[i].Expired, s.result.Fates[i].Wait = true, s.now-s.arrivals[i].At
	}
}

// cycle matches once.
func (s *run) cycle() error {
	s.result.Cycles++
	s.rooms = slices.DeleteFunc(s.rooms, func(r *room) bool { return r.ends <= s.now })
	open := make([]queue.Room, 0, len(s.rooms))
	for _, r := range s.rooms {
		open = append(open, r.Room)
	}
	for _, a := range s.matcher.Match(open, epoch.Add(s.now)).Assignments {
		if err := s.assign(&a); err != nil {
			return err
		}
	}
	return nil
}

// assign carries an assignment out.
func (s *run) assign(a *queue.Assignment) error {
	if len(a.Teams) > s.rules.Teams {
		return fmt.Errorf("a match has %d teams", len(a.Teams))
	}
	r := &room{match: len(s.result.Matches), ends: s.now + s.Lasts, teams: make([][]*queue.Ticket, s.rules.Teams)}
	r.ID, r.Region, r.Attributes = fmt.Sprintf("m%d", r.match), a.Region, a.Attributes
	if a.Room != "" {
		i := slices.IndexFunc(s.rooms, func(r *room) bool { return r.ID == a.Room && r.Version == a.Version })
		if i < 0 {
			return fmt.Errorf("room %q of version %d asks for nobody", a.Room, a.Version)
		}
		r = s.rooms[i]
	} else {
		s.result.Matches = append(s.result.Matches, Match{At: s.now, Region: a.Region, Bots: a.Bots})
	}
	m := &s.result.Matches[r.match]
	for team, ids := range a.Teams {
		for _, id := range ids {
			w, ok := s.tickets[id]
			if !ok {
				return fmt.Errorf("ticket %q is assigned and does not wait", id)
			}
			delete(s.tickets, id)
			f := &s.result.Fates[w.at]
			f.Match, f.Wait, f.Latency = r.match, s.now-f.At, worst(w.ticket, r.Region)
			r.teams[team] = append(r.teams[team], w.ticket)
			r.Players, r.Tickets = append(r.Players, w.ticket.Players...), append(r.Tickets, *w.ticket)
			m.Players += len(w.ticket.Players)
			if a.Room != "" {
				m.Joined += len(w.ticket.Players)
			}
		}
	}
	return s.settle(r, m, a.Room == "")
}

// settle works out what a match is like after players came to it.
func (s *run) settle(r *room, m *Match, fresh bool) error {
	r.Version++
	r.Free, r.Low, r.High = r.Free[:0:0], math.Inf(1), math.Inf(-1)
	full := true
	for i, team := range r.teams {
		n := 0
		for _, t := range team {
			n += len(t.Players)
			r.Low, r.High = min(r.Low, t.Rating()), max(r.High, t.Rating())
		}
		if n > s.rules.TeamSize {
			return fmt.Errorf("team %d of a match has %d players, at most %d fit", i, n, s.rules.TeamSize)
		}
		r.Free, full = append(r.Free, s.rules.TeamSize-n), full && n == s.rules.TeamSize
	}
	m.Spread, m.Strength = r.High-r.Low, strength(r.teams)
	if fresh && !full && s.rules.Backfill {
		s.rooms = append(s.rooms, r)
	}
	if full {
		s.rooms = slices.DeleteFunc(s.rooms, func(o *room) bool { return o == r })
	}
	return nil
}

// worst is the highest latency of a ticket's players to a region; NaN where none is known.
func worst(t *queue.Ticket, region string) float64 {
	most := math.NaN()
	for i := range t.Players {
		if ms, ok := t.Players[i].Latency[region]; ok && !(ms <= most) {
			most = ms
		}
	}
	return most
}
