package doctor

import (
	"context"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// States of tickets, as lobby/ticket writes them.
const (
	stateWaiting    = "waiting"
	stateConfirming = "confirming"
	stateReserving  = "reserving"
	stateMatched    = "matched"
)

// forgotten is how long an attempt's record is kept after its end.
const forgotten = time.Minute

// afterParty is how long a player's mark outlives a party that ended by itself.
const afterParty = time.Hour

// queueOf is the queue that a ticket's id names.
func queueOf(ticket string) string {
	queue, _, _ := strings.Cut(ticket, ".")
	return queue
}

// waitingRule: a queue whose tickets wait needs a lobby that leads it, and each needs a ticket that waits.
func waitingRule(ctx context.Context, l *look, keys []*key) error {
	for _, k := range keys {
		until, err := l.fields(ctx, []string{l.key("{queue:$1}:leader", k.ids...)}, "until")
		if err != nil {
			return err
		}
		if t := until[0][0]; len(t) < len(millis(l.now)) || t < millis(l.now) {
			l.suspect(k, "", whyNoLobby)
		}
	}
	return members(ticketOfQueue, whyNoTicket)(ctx, l, keys)
}

// ticketOfQueue: who stands in a queue is a ticket that waits.
func ticketOfQueue(ctx context.Context, l *look, _ *key, list []string) ([]bool, error) {
	return ticketsIn(ctx, l, list, stateWaiting)
}

// anyTicket: a player's index names tickets that are there, or ended lately.
func anyTicket(ctx context.Context, l *look, _ *key, list []string) ([]bool, error) {
	names := make([]string, len(list))
	for i, id := range list {
		names[i] = l.key("{queue:$1}:ticket:$2", queueOf(id), id)
	}
	return l.existing(ctx, names)
}

func ticketsIn(ctx context.Context, l *look, list []string, states ...string) ([]bool, error) {
	names := make([]string, len(list))
	for i, id := range list {
		names[i] = l.key("{queue:$1}:ticket:$2", queueOf(id), id)
	}
	found, err := l.fields(ctx, names, "state", "final")
	if err != nil {
		return nil, err
	}
	there := make([]bool, len(list))
	for i, f := range found {
		for _, s := range states {
			there[i] = there[i] || f[0] == s && f[1] == ""
		}
	}
	return there, nil
}

// ticketRule: one that waits stands in its queue, and one that is in an attempt needs that attempt. What has ended is
// kept for a while for those who ask.
func ticketRule(ctx context.Context, l *look, keys []*key) error {
	list, err := l.fields(ctx, namesOf(keys), "state", "attempt", "final")
	if err != nil {
		return err
	}
	pipe := l.cfg.Redis.Pipeline()
	places, attempts := map[*key]*redis.FloatCmd{}, map[*key]*redis.IntCmd{}
	for i, k := range keys {
		switch state, final := list[i][0], list[i][2] != ""; {
		case state == stateWaiting:
			places[k] = pipe.ZScore(ctx, l.key("{queue:$1}:waiting", k.ids...), k.ids[1])
		case state == stateConfirming, state == stateReserving, state == stateMatched && !final:
			attempts[k] = pipe.Exists(ctx, l.key("{queue:$1}:attempt:$2", k.ids[0], list[i][1]))
		}
	}
	if err := exec(ctx, pipe); err != nil {
		return err
	}
	for k, cmd := range places {
		if cmd.Err() != nil {
			l.suspect(k, "", whyLost)
		}
	}
	for k, cmd := range attempts {
		if cmd.Val() == 0 {
			l.suspect(k, "", whyNoAttempt)
		}
	}
	return nil
}

// markRule: the mark that a player waits in a queue names a ticket that is not matched yet.
func markRule(ctx context.Context, l *look, keys []*key) error {
	texts, err := l.texts(ctx, keys)
	if err != nil {
		return err
	}
	tickets := make([]string, len(keys))
	for i, k := range keys {
		tickets[i] = texts[k]
	}
	there, err := ticketsIn(ctx, l, tickets, stateWaiting, stateConfirming, stateReserving)
	for i, k := range keys {
		if err == nil && !there[i] {
			l.suspect(k, "", whyNoTicket)
		}
	}
	return err
}

// attemptsRule: an attempt that is due is carried on, and each is there.
func attemptsRule(ctx context.Context, l *look, keys []*key) error {
	for _, k := range keys {
		due, err := l.cfg.Redis.ZRangeByScore(ctx, k.name, until(l.now.Add(-overdue))).Result()
		if err != nil {
			return err //nolint:wrapcheck // says the rule's caller
		}
		for _, id := range due {
			l.found(k, id, whyDue)
		}
	}
	return members(func(ctx context.Context, l *look, k *key, list []string) ([]bool, error) {
		names := make([]string, len(list))
		for i, id := range list {
			names[i] = l.key("{queue:$1}:attempt:$2", k.ids[0], id)
		}
		return l.existing(ctx, names)
	}, whyNoAttempt)(ctx, l, keys)
}

// attemptRule: an attempt stands among those of its queue until it is over.
func attemptRule(ctx context.Context, l *look, keys []*key) error {
	pipe, cmds := l.cfg.Redis.Pipeline(), map[*key]*redis.FloatCmd{}
	for _, k := range keys {
		if k.ttl < 0 || k.ttl > forgotten {
			cmds[k] = pipe.ZScore(ctx, l.key("{queue:$1}:attempts", k.ids...), k.ids[1])
		}
	}
	if err := exec(ctx, pipe); err != nil {
		return err
	}
	for k, cmd := range cmds {
		if cmd.Err() != nil {
			l.suspect(k, "", whyAttempt)
		}
	}
	return nil
}

// busyRule: a player is busy with an attempt, QUEUE/ID.
func busyRule(ctx context.Context, l *look, keys []*key) error {
	texts, err := l.texts(ctx, keys)
	if err != nil {
		return err
	}
	there, err := l.exist(ctx, keys, func(k *key) string {
		queue, id, _ := strings.Cut(texts[k], "/")
		return l.key("{queue:$1}:attempt:$2", queue, id)
	})
	for _, k := range keys {
		if err == nil && !there[k] {
			l.suspect(k, "", whyNoAttempt)
		}
	}
	return err
}

// partyMarkRule: a player's mark names his party, PARTY JOIN with a ? before it while he is on his way. A party that ended
// by itself leaves its members' marks, which end after it.
func partyMarkRule(ctx context.Context, l *look, keys []*key) error {
	texts, err := l.texts(ctx, keys)
	if err != nil {
		return err
	}
	there, err := l.exist(ctx, keys, func(k *key) string {
		id, _, _ := strings.Cut(strings.TrimPrefix(texts[k], "?"), " ")
		return l.key("{party:$1}:record", id)
	})
	for _, k := range keys {
		if err == nil && !there[k] && (k.ttl < 0 || k.ttl > afterParty) {
			l.suspect(k, "", whyNoParty)
		}
	}
	return err
}
