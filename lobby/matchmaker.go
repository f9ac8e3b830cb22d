package lobby

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"muster/lobby/simple"
	"muster/match/cluster"
)

const (
	// lookEvery is how often a queue is looked at when nothing is heard: for tickets that expire, rules that relax
	// and notices that were lost.
	lookEvery = time.Second
	// lookTimeout bounds one look.
	lookTimeout = 5 * time.Second
)

// Why no room can be had.
var (
	// errNoNode means that no live node runs the game.
	errNoNode = errors.New("no server runs this game now")
	// errCrowded means that those which run it take no new rooms.
	errCrowded = errors.New("the servers take no new matches now")
)

// matchmaker makes one queue's matches. There is one in each lobby; what two of them do at once is sorted out by the
// tickets' atomic change.
type matchmaker struct {
	lobby *Lobby
	rules simple.Rules
	game  Game
	woken chan struct{}

	mu      sync.Mutex
	reasons map[string]string // why tickets wait, by id, as of the last look

	asking sync.Mutex // held by the one request that asks whether the servers are crowded

	crowdMu sync.Mutex
	crowded error // why no match can be made now, as of askedAt
	askedAt time.Time
}

func newMatchmaker(l *Lobby, r simple.Rules, g Game) *matchmaker {
	return &matchmaker{lobby: l, rules: r, game: g, woken: make(chan struct{}, 1)}
}

// wake asks for a look. More wishes than one say nothing new.
func (m *matchmaker) wake() {
	select {
	case m.woken <- struct{}{}:
	default:
	}
}

// reason returns why a ticket waits; "" when that is not known here yet.
func (m *matchmaker) reason(id string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reasons[id]
}

func (m *matchmaker) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.woken:
		case <-timer.C:
		}
		began := time.Now()
		look, cancel := context.WithTimeout(ctx, lookTimeout)
		wait, err := m.look(look)
		cancel()
		m.lobby.metrics.looks.Observe(time.Since(began).Seconds())
		if err != nil && ctx.Err() == nil {
			m.lobby.metrics.failures.Inc()
			m.lobby.log.Warn("matching failed", zap.String("queue", m.rules.Name), zap.Error(err))
		}
		timer.Reset(wait)
	}
}

// look matches what waits now. wait is after how long it is worth looking again although nothing is heard.
func (m *matchmaker) look(ctx context.Context) (wait time.Duration, err error) {
	l := m.lobby
	seen, err := l.tickets.look(ctx, m.rules.Name, m.rules.MaxWait)
	for _, id := range seen.expired {
		l.metrics.tickets.WithLabelValues(m.rules.Name, stateExpired).Inc()
		l.publish(ctx, noticeTicket, id)
	}
	if err != nil {
		return lookEvery, err
	}
	l.metrics.waiting.WithLabelValues(m.rules.Name).Set(float64(len(seen.waiting)))
	if len(seen.waiting) == 0 {
		m.setReasons(nil)
		return lookEvery, nil
	}
	byID := make(map[string]*ticket, len(seen.waiting))
	tickets := make([]simple.Ticket, len(seen.waiting))
	for i, t := range seen.waiting {
		byID[t.id] = t
		tickets[i] = simple.Ticket{ID: t.id, Created: t.created}
	}
	live, err := l.nodes.Live(ctx)
	if err != nil {
		return lookEvery, err //nolint:wrapcheck // says what it did
	}
	rooms, err := m.openRooms(ctx, live)
	if err != nil {
		return lookEvery, err
	}
	out := simple.Match(m.rules, tickets, rooms, seen.now)
	var errs []error
	again := seen.more && len(out.Assignments) > 0
	for _, a := range out.Assignments {
		group := make([]*ticket, len(a.Tickets))
		for i, id := range a.Tickets {
			group[i] = byID[id]
		}
		switch err := m.assign(ctx, live, a.Room, group, seen.now); {
		case errors.Is(err, cluster.ErrFull), errors.Is(err, cluster.ErrNoRoom), errors.Is(err, errNotWaiting):
			again = true // the world has moved on since it was read
		case err != nil:
			errs = append(errs, err)
			for _, t := range group {
				out.Waiting = append(out.Waiting, simple.Waiting{Ticket: t.id, Reason: reasonOf(err)})
			}
		}
	}
	m.setReasons(out.Waiting)
	if err := errors.Join(errs...); err != nil {
		return lookEvery, err
	}
	if again {
		m.wake()
	}
	if out.Next.IsZero() {
		return lookEvery, nil
	}
	return min(lookEvery, max(out.Next.Sub(seen.now), time.Millisecond)), nil
}

func reasonOf(err error) string {
	for _, known := range []error{errNoNode, errCrowded} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "the match could not be made yet"
}

func (m *matchmaker) setReasons(list []simple.Waiting) {
	reasons := make(map[string]string, len(list))
	for _, w := range list {
		reasons[w.Ticket] = w.Reason
	}
	m.mu.Lock()
	m.reasons = reasons
	m.mu.Unlock()
}

// openRooms returns the queue's rooms with free seats, on nodes that live and take players, by the rules of now.
func (m *matchmaker) openRooms(ctx context.Context, live map[string]cluster.Node) ([]simple.Room, error) {
	if !m.rules.Backfill {
		return nil, nil
	}
	rooms, err := m.lobby.rooms.OpenRooms(ctx, m.rules.Name)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	var list []simple.Room
	for _, r := range rooms {
		if n, ok := live[r.Node]; ok && !n.Ends && r.Rules == m.game.Rules {
			list = append(list, simple.Room{ID: r.ID, Free: min(r.Free, m.rules.Max)})
		}
	}
	return list, nil
}

// assign makes a match of tickets, in a new room where none is named: the tickets are held, their seats reserved, the
// tickets matched, each all or none. What fails in between is given back, or ends by itself. now is Redis's.
func (m *matchmaker) assign(ctx context.Context, live map[string]cluster.Node, room string, group []*ticket, now time.Time) error {
	by := cluster.NewID()
	if err := m.lobby.tickets.hold(ctx, m.rules.Name, by, group); err != nil {
		return err
	}
	if err := m.seat(ctx, live, room, by, group); err != nil {
		return errors.Join(err, m.lobby.tickets.letGo(ctx, m.rules.Name, by, group))
	}
	for _, t := range group {
		m.lobby.metrics.tickets.WithLabelValues(m.rules.Name, stateMatched).Inc()
		m.lobby.metrics.waited.Observe(now.Sub(t.created).Seconds())
		m.lobby.publish(ctx, noticeTicket, t.id)
	}
	return nil
}

// seat reserves seats for held tickets and matches them.
func (m *matchmaker) seat(ctx context.Context, live map[string]cluster.Node, room, by string, group []*ticket) error {
	rec, err := m.room(ctx, live, room)
	if err != nil {
		return err
	}
	claims := make([]cluster.Claim, len(group))
	for i, t := range group {
		claims[i] = cluster.Claim{Player: t.player, Token: cluster.NewID()}
	}
	till := time.Now().Add(seatTTL)
	seats, err := m.lobby.rooms.Reserve(ctx, rec.ID, reserveTTL, claims)
	if err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	infos := make([]seatInfo, len(group))
	for i := range group {
		infos[i] = seatInfo{room: rec.ID, seat: seats.List[i], token: claims[i].Token, till: till, node: live[rec.Node]}
	}
	err = m.lobby.tickets.match(ctx, m.rules.Name, by, group, infos)
	if errors.Is(err, errNotWaiting) {
		return errors.Join(err, m.lobby.rooms.Release(ctx, rec.ID, claims))
	}
	return err // another error: perhaps they are matched, so the seats stay reserved until that ends by itself
}

// room returns the record of a running room, or makes a new one on a node that can run the game.
func (m *matchmaker) room(ctx context.Context, live map[string]cluster.Node, id string) (cluster.Room, error) {
	if id != "" {
		return m.lobby.rooms.Room(ctx, id) //nolint:wrapcheck // says what it did
	}
	able, err := ableNodes(live, m.game)
	if err != nil {
		return cluster.Room{}, err
	}
	n := cluster.NewRoom{
		Game: m.game.Name, Rules: m.game.Rules, Node: able[rand.IntN(len(able))], Seats: m.rules.Max, //nolint:gosec // nobody gains by guessing it
	}
	if m.rules.Backfill {
		n.Queue = m.rules.Name // else nobody looks for its free seats
	}
	return m.lobby.rooms.Create(ctx, n) //nolint:wrapcheck // says what it did
}

// ableNodes returns the nodes on which a new room of a game can be made, or why there is none.
func ableNodes(live map[string]cluster.Node, g Game) (ids []string, err error) {
	err = errNoNode
	for _, node := range live {
		if node.Games[g.Name] != g.Rules {
			continue
		}
		if err = errCrowded; node.Full == "" {
			ids = append(ids, node.ID)
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("game %s with rules %s: %w", g.Name, g.Rules, err)
	}
	return ids, nil
}

// crowdedFor is how long an answer of isCrowded serves all who ask.
const crowdedFor = time.Second

// isCrowded says whether a new ticket would wait for a server that has room again: then its player had better come
// later. Free seats in running rooms are taken all the same. One request at a time asks; the others take the last answer
// at once. What cannot be found out counts as not crowded: creating the ticket will fail by itself.
func (m *matchmaker) isCrowded(ctx context.Context) error {
	old, last := m.lastCrowded()
	if !old || !m.asking.TryLock() {
		return last
	}
	defer m.asking.Unlock()
	if old, last = m.lastCrowded(); !old { // another has asked meanwhile
		return last
	}
	crowded, err := m.askCrowded(ctx)
	if err != nil && ctx.Err() != nil {
		return last // the client has gone away, which says nothing of the servers
	}
	if err != nil {
		m.lobby.log.Warn("whether the servers are crowded is not known", zap.String("queue", m.rules.Name), zap.Error(err))
	}
	m.crowdMu.Lock()
	defer m.crowdMu.Unlock()
	m.crowded, m.askedAt = crowded, time.Now()
	return crowded
}

// lastCrowded returns the last answer, and whether it is so old that a request may ask anew.
func (m *matchmaker) lastCrowded() (old bool, crowded error) {
	m.crowdMu.Lock()
	defer m.crowdMu.Unlock()
	return m.askedAt.IsZero() || time.Since(m.askedAt) > crowdedFor, m.crowded
}

// askCrowded asks Redis. crowded is nil where err is not.
func (m *matchmaker) askCrowded(ctx context.Context) (crowded, err error) {
	live, err := m.lobby.nodes.Live(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	_, crowded = ableNodes(live, m.game)
	if !errors.Is(crowded, errCrowded) {
		return nil, nil
	}
	rooms, err := m.openRooms(ctx, live)
	if err != nil || len(rooms) > 0 {
		return nil, err
	}
	return crowded, nil
}
