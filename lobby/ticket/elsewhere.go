package ticket

import (
	"context"
	"errors"
	"slices"

	"github.com/redis/go-redis/v9"
)

// brought ends all else with which the players of an attempt wait who have seats now, and tells them of their match. Until
// both are done whoever carries the attempt on, or wants one of the players for another, does it again before he looks who
// came: who has come may be had by another attempt, and that must not be of a ticket from before.
func (e *engine) brought(ctx context.Context, a *attempt) error {
	if a.told {
		return nil
	}
	err := e.endOthers(ctx, a)
	if e.tell(ctx, a, Matched) && err == nil {
		e.toldAll(ctx, a)
	}
	return err
}

// endOthers ends the tickets of an attempt's players, in all queues, that were made before they got their seats. The indices
// are read only now: a ticket may have been made while seats were being reserved.
func (e *engine) endOthers(ctx context.Context, a *attempt) error {
	players := a.players()
	pipe, cmds := e.s.cfg.Redis.Pipeline(), make([]*redis.StringSliceCmd, len(players))
	for i, p := range players {
		cmds[i] = pipe.ZRange(ctx, playerOf(e.s.cfg.Namespace, p).tickets(), 0, -1)
	}
	if err := answers(ctx, pipe); err != nil {
		return wrap(err, "reading the other tickets of match attempt %s", a.id)
	}
	mine, others := a.ids(), []string(nil)
	for _, cmd := range cmds {
		others = append(others, cmd.Val()...)
	}
	return e.s.endThose(ctx, others, byElsewhere, func(t *Ticket) bool {
		return !slices.Contains(mine, t.ID) && !t.Created.After(a.given())
	})
}

// endThose ends those of these tickets, of any queues, that still wait or are asked to confirm a match.
func (s *Service) endThose(ctx context.Context, ids []string, way string, which func(*Ticket) bool) error {
	byQueue := map[string][]string{}
	for _, id := range ids {
		if name, ok := QueueOf(id); ok && !slices.Contains(byQueue[name], id) { // a party's is each member's
			byQueue[name] = append(byQueue[name], id)
		}
	}
	errs := make([]error, 0, len(byQueue))
	for name, ids := range byQueue {
		list, err := s.read(ctx, keysOf(s.cfg.Namespace, name), ids)
		if err == nil {
			list = slices.DeleteFunc(list, func(t *Ticket) bool { return t == nil || t.State == Matched || t.State.ended() || !which(t) })
			_, err = s.endAll(ctx, list, way, "", 0)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
