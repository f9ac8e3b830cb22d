package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"muster/internal/pause"
	"muster/lobby/inbox"
	"muster/lobby/keyspace"
	"muster/match/cluster"
)

const (
	// carryTimeout bounds one piece of work on an attempt.
	carryTimeout = 5 * time.Second
	// busyTries is how often a player is asked for who is busy with another attempt, and busyPause the time between.
	busyTries = 4
	busyPause = 50 * time.Millisecond
	// maxSteps bounds how often an attempt is read again since it has moved on.
	maxSteps = 16
)

// carry takes an attempt on as far as it goes now. w.had is what due said, "" where the attempt was not handed out.
func (e *engine) carry(ctx context.Context, w job) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), carryTimeout)
	defer cancel()
	for range maxSteps {
		a, err := w.fresh, error(nil)
		if w.fresh = nil; a == nil {
			a, err = e.readAttempt(ctx, w.id)
		}
		if errors.Is(err, errNoAttempt) {
			if n, err := e.s.cfg.Redis.ZRem(ctx, e.keys.attempts(), w.id).Result(); err == nil && n > 0 {
				e.s.cfg.Metrics.Swept.WithLabelValues("attempt").Inc()
			}
			return
		}
		more := false
		if err == nil {
			more, err = e.step(ctx, a, w.had)
		}
		if err != nil {
			e.s.failed(e.keys.queue, err) // it comes again when its time with us is over
			return
		}
		if !more {
			return
		}
	}
}

// step takes an attempt one step on. more says that there is something to do at once.
func (e *engine) step(ctx context.Context, a *attempt, had string) (more bool, err error) {
	switch a.state {
	case attemptConfirming:
		return e.confirming(ctx, a, had)
	case attemptReserving:
		return e.seat(ctx, a)
	case attemptConnecting:
		return e.connecting(ctx, a, had)
	case attemptStarted, attemptFailed:
		return false, e.finish(ctx, a)
	}
	return false, fmt.Errorf("match attempt %s is %q", a.id, a.state)
}

// confirming waits for the players' word, and ends the attempt where one of them declined or the time is over.
func (e *engine) confirming(ctx context.Context, a *attempt, had string) (more bool, err error) {
	over := !a.now.Before(a.deadline)
	gone := false
	for i := range a.Tickets {
		gone = gone || !a.live(i)
	}
	if !over && !gone {
		if !a.told {
			e.tell(ctx, a, Confirming, "")
		}
		return false, e.again(ctx, a.id, had, a.deadline)
	}
	verdicts := make([]verdict, len(a.Tickets))
	for i := range a.Tickets {
		v := &verdicts[i]
		if *v = (verdict{action: goBack, reason: reasonSide}); !a.live(i) {
			v.reason, v.faults = reasonDeclined, e.decliner(a, i)
			continue
		}
		if !over || gone || a.disturbed(a.Confirm) {
			continue // nobody who has not answered yet is at fault for that
		}
		for j := range a.Tickets[i].Players {
			if p := a.Tickets[i].Players[j].ID; !a.accepted[keyspace.Digest(p)] {
				v.action, v.reason, v.faults = goOut, reasonUnsure, append(v.faults, p)
			}
		}
	}
	return true, e.close(ctx, a, attemptFailed, verdicts)
}

// decliner is the player who gave up a ticket of an attempt that asks for confirmation.
func (e *engine) decliner(a *attempt, i int) []string {
	t := a.tickets[i]
	if t == nil || t.attempt != a.id {
		return nil
	}
	for j := range t.Players {
		if p := t.Players[j].ID; keyspace.Digest(p) == t.by {
			return []string{p}
		}
	}
	return nil
}

// tell posts an event for all tickets of an attempt and notes that it did.
func (e *engine) tell(ctx context.Context, a *attempt, state State, reason string) {
	letters := make([]inbox.Letter, len(a.Tickets))
	for i := range a.Tickets {
		t := &a.Tickets[i]
		letters[i] = letter(t.ID, e.keys.queue, state, reason, a.id, planPlayers(t))
		e.s.cfg.Changed(t.ID)
	}
	e.announce(ctx)
	if e.s.postMany(ctx, e.keys.queue, letters...) {
		err := toldScript.Run(ctx, e.s.cfg.Redis, []string{e.keys.attempt(a.id)}, a.state).Err()
		e.s.failed(e.keys.queue, err)
	}
}

var toldScript = script("", `
if redis.call('HGET', KEYS[1], 'state') == ARGV[1] then redis.call('HSET', KEYS[1], 'told', '1') end
return 'ok'`)

// allBack are the verdicts of an attempt that failed for no ticket's fault.
func (a *attempt) allBack(reason string) []verdict {
	verdicts := make([]verdict, len(a.Tickets))
	for i := range verdicts {
		verdicts[i] = verdict{action: goBack, reason: reason}
	}
	return verdicts
}

// seat reserves seats for an attempt's players and makes its tickets matched.
func (e *engine) seat(ctx context.Context, a *attempt) (more bool, err error) {
	for i := range a.Tickets {
		if !a.live(i) {
			return true, e.close(ctx, a, attemptFailed, a.allBack(reasonSeats))
		}
	}
	found, taken, err := e.take(ctx, a)
	if err != nil {
		return false, err
	}
	if taken != "" {
		verdicts := a.allBack(reasonSeats)
		for i := range a.Tickets {
			if slices.Contains(planPlayers(&a.Tickets[i]), taken) {
				verdicts[i] = verdict{action: goOut, reason: reasonElsewhere}
			}
		}
		return true, e.close(ctx, a, attemptFailed, verdicts)
	}
	room, node, err := e.room(ctx, a)
	var got cluster.Seats
	claims := e.claims(a)
	if err == nil {
		got, err = e.s.cfg.Rooms.ReserveIf(ctx, room.ID, a.Version, a.Connect+late, claims)
	}
	if isRefusal(err) { // the world has moved on since it was read
		e.s.cfg.Log.Debug("a match could not be made", zap.String("queue", e.keys.queue), zap.Error(err))
		return true, e.close(ctx, a, attemptFailed, a.allBack(reasonSeats))
	}
	if err != nil {
		return false, err //nolint:wrapcheck // says what it did
	}
	seats := make([]Seat, len(claims))
	n := 0
	for i := range a.Tickets {
		for range a.Tickets[i].Players {
			seats[n] = Seat{Seat: got.List[n], Team: a.Tickets[i].Team, Token: claims[n].Token}
			n++
		}
	}
	if a.Room != "" {
		if err := e.joins(ctx, a); err != nil {
			return false, err
		}
	}
	ok, err := e.seated(ctx, a, room, node, seats)
	if err != nil {
		return false, err // perhaps they are matched, so the seats stay reserved until that ends by itself
	}
	if !ok {
		return true, wrap(e.s.cfg.Rooms.Release(ctx, room.ID, claims), "giving seats back")
	}
	e.matched(ctx, a, found)
	return false, nil
}

// isRefusal says whether an error means that the match cannot be made as it was planned, rather than that it is not known.
func isRefusal(err error) bool {
	return errors.Is(err, cluster.ErrFull) || errors.Is(err, cluster.ErrNoRoom) || errors.Is(err, cluster.ErrStale) || errors.Is(err, ErrNoNode) || errors.Is(err, ErrCrowded)
}

// matched does what follows when an attempt's tickets are matched.
func (e *engine) matched(ctx context.Context, a *attempt, found []claimed) {
	m := e.s.cfg.Metrics
	for _, t := range a.tickets {
		m.Tickets.WithLabelValues(e.keys.queue, string(Matched)).Inc()
		m.Waited.Observe(a.now.Sub(t.Created).Seconds())
	}
	a.state = attemptConnecting
	e.tell(ctx, a, Matched, "")
	mine := a.ids()
	for _, f := range found {
		for _, id := range f.others {
			if !slices.Contains(mine, id) {
				e.s.failed(e.keys.queue, e.s.endElsewhere(ctx, id))
			}
		}
	}
}

// endElsewhere ends a ticket whose player has found a match with another one.
func (s *Service) endElsewhere(ctx context.Context, id string) error {
	name, ok := QueueOf(id)
	if !ok {
		return nil
	}
	list, err := s.read(ctx, keysOf(s.cfg.Namespace, name), []string{id})
	if err != nil || list[0] == nil || list[0].State.ended() || list[0].State == Matched {
		return err
	}
	return s.cancel(ctx, list[0], byElsewhere, "")
}

// take marks the attempt's players as busy. taken is one who stays busy with another attempt, which has him then.
func (e *engine) take(ctx context.Context, a *attempt) (found []claimed, taken string, err error) {
	ref, players := busyRef(e.keys.queue, a.id), a.players()
	for frees, pauses := 0, 0; ; {
		if found, err = e.s.busy(ctx, ref, players); err != nil {
			return nil, "", err
		}
		last := found[len(found)-1]
		if last.holder == "" {
			return found, "", nil
		}
		if pauses == busyTries || frees == 4*len(players) { // settling, finishing, and the same once more
			return nil, players[len(found)-1], nil
		}
		free, err := e.freed(ctx, players[len(found)-1], last.holder)
		switch {
		case err != nil:
			return nil, "", err
		case free:
			frees++
			continue
		}
		pauses++
		if err := pause.For(ctx, busyPause); err != nil {
			return nil, "", err
		}
	}
}

// freed looks at the attempt with which a player is busy, which may be over without anybody having looked, or may have
// him already: once he has come to a match he may look for another, as one does who has left. It says whether he is free.
func (e *engine) freed(ctx context.Context, player, ref string) (bool, error) {
	name, id, _ := strings.Cut(ref, "/")
	other := e.s.carrier(name)
	a, err := other.readAttempt(ctx, id)
	switch {
	case errors.Is(err, errNoAttempt):
		e.s.cfg.Metrics.Swept.WithLabelValues("busy").Inc()
		return true, e.unmark(ctx, player, ref)
	case err != nil:
		return false, err
	case a.state == attemptFailed || a.state == attemptStarted:
		return true, other.finish(ctx, a)
	case a.state != attemptConnecting:
		return false, nil
	}
	at, err := other.arrivals(ctx, a)
	switch {
	case err != nil:
		return false, err
	case at.came[player]:
		return true, e.unmark(ctx, player, ref)
	case at.state == cluster.Waiting:
		return false, nil
	}
	return true, other.settle(ctx, a, at) // the next look finishes it
}

// unmark frees a player of an attempt that needs him no longer.
func (e *engine) unmark(ctx context.Context, player, ref string) error {
	err := dropScript.Run(ctx, e.s.cfg.Redis, []string{playerOf(e.s.cfg.Namespace, player).busy()}, ref).Err()
	return wrap(err, "freeing a player")
}

// room returns the room of an attempt: the running one that it names, or the one with its id, which is made where there is
// none.
func (e *engine) room(ctx context.Context, a *attempt) (cluster.Room, cluster.Node, error) {
	live, err := e.s.cfg.Nodes.Live(ctx)
	if err != nil {
		return cluster.Room{}, cluster.Node{}, err //nolint:wrapcheck // says what it did
	}
	if a.Room != "" {
		room, err := e.s.cfg.Rooms.Room(ctx, a.Room)
		return room, live[room.Node], err //nolint:wrapcheck // says what it did
	}
	room, err := cluster.Room{}, cluster.ErrNoRoom
	if !a.fresh {
		room, err = e.s.cfg.Rooms.Room(ctx, a.id) // whoever had the attempt before may have made it
	}
	if errors.Is(err, cluster.ErrNoRoom) {
		room, err = e.create(ctx, a, live)
	}
	if _, ok := live[room.Node]; err == nil && !ok {
		room, err = e.replace(ctx, a, room, live)
	}
	return room, live[room.Node], err
}

// replace gives the room of an attempt, which nobody was told of, another node: its own died meanwhile.
func (e *engine) replace(ctx context.Context, a *attempt, room cluster.Room, live map[string]cluster.Node) (cluster.Room, error) {
	node, err := e.s.cfg.Placer.Place(live, e.game.Want(a.Region, a.On))
	if err != nil {
		return cluster.Room{}, err //nolint:wrapcheck // names the game
	}
	return e.s.cfg.Rooms.Move(ctx, room, node.ID, e.game.Rules) //nolint:wrapcheck // says what it did
}
