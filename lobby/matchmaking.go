package lobby

import (
	"cmp"
	"context"

	"muster/lobby/queue"
	"muster/lobby/ticket"
	"muster/match/cluster"
)

// Why no room can be had.
var (
	errNoNode  = ticket.ErrNoNode
	errCrowded = ticket.ErrCrowded
)

// startTickets starts matchmaking.
func (l *Lobby) startTickets() (err error) {
	games := make([]ticket.Game, len(l.cfg.Games))
	for i, g := range l.cfg.Games {
		games[i] = g.matched()
	}
	l.tickets, err = ticket.Start(ticket.Config{
		Redis: l.cfg.Redis, Namespace: l.cfg.Namespace, Keys: l.cfg.Keys, Rooms: l.rooms, Nodes: l.nodes, Games: games,
		Inbox: l.inbox, Placer: l.placer, Hostless: l.cfg.Hostless,
		Notify: func(ctx context.Context, queue string) { l.publish(ctx, cluster.Notice{Kind: noticeQueue, ID: queue}) },
		Changed: func(id string) {
			if id == "" {
				l.waiters.wakeAll()
				return
			}
			l.waiters.wake(id)
		},
		Queued: l.queued,
		Log:    l.log, Metrics: ticket.NewMetrics(l.cfg.Registerer, l.metrics.failures),
	}, l.cfg.Queues)
	return err //nolint:wrapcheck // names the queue
}

// SetQueues replaces the queues' rules: tickets that wait are held to the new ones, and those of a queue that is there no
// longer expire. Where one of the rules is wrong nothing changes.
func (l *Lobby) SetQueues(rules []queue.Rules) error {
	return l.tickets.SetQueues(rules) //nolint:wrapcheck // names the queue
}

// Queues returns the names of the queues, and the game of each.
func (l *Lobby) Queues() map[string]string {
	games := map[string]string{}
	for _, name := range l.tickets.Queues() {
		if rules, ok := l.tickets.Rules(name); ok {
			games[name] = rules.Game
		}
	}
	return games
}

func (g Game) matched() ticket.Game { return ticket.Game{Name: g.Name, Rules: g.Rules, Seats: g.Seats} }

// want is what a new room of the game needs of its node; region is "" for anywhere, and on are tags that the node must
// have.
func (g Game) want(region string, on map[string]string) cluster.Want {
	m := g.matched()
	want := m.Want(region, on)
	want.Anyway = g.Role != "" // what is for those who run the servers is needed when these are full
	return want
}

func reasonOf(err error) string {
	return cmp.Or(cluster.NoPlace(err), "the match could not be made yet")
}
