package cmd

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/games/dashboard"
	"muster/lobby/ticket"
	"muster/match/cluster"
)

// withDashboard adds the dashboard to a server's games. Each server has it, whatever it serves: its room may run wherever
// rooms do, and whoever knows the games can look at what it recorded. source may be nil where it does not run.
func withDashboard(games []Game, source dashboard.Source) []Game {
	return append(slices.Clip(games), Game{Game: dashboard.Game(source)})
}

// checkNames refuses games that have the name of the dashboard.
func checkNames(games []Game) error {
	if slices.ContainsFunc(games, func(g Game) bool { return g.Name() == dashboard.Name }) {
		return fmt.Errorf("the name of game %q is that of the servers' own dashboard: give the game another", dashboard.Name)
	}
	return nil
}

// overview gathers what the dashboard shows, of all servers of a deployment and at any of them: from what they say of
// themselves, and from the queues that their lobbies have.
type overview struct {
	rdb       redis.UniversalClient
	namespace string
	nodes     *cluster.Nodes
}

// report is a dashboard.Source.
func (o *overview) report(ctx context.Context) (dashboard.Report, error) {
	all, err := o.nodes.Registered(ctx)
	if err != nil {
		return dashboard.Report{}, err //nolint:wrapcheck // says what it did
	}
	queues := map[string]string{}
	games := map[string]cluster.InGame{}
	r := dashboard.Report{At: count(time.Now().Unix())}
	for i := range all {
		n := nodeRow(&all[i])
		if len(r.Nodes) < dashboard.MaxNodes {
			r.Nodes = append(r.Nodes, n)
		} else {
			r.Totals.Left++
		}
		if !n.Alive {
			continue // what it did others may do by now
		}
		add(&r.Totals, &n)
		maps.Copy(queues, all[i].Queues)
		for game, in := range all[i].Playing {
			g := games[game]
			games[game] = cluster.InGame{Rooms: g.Rooms + in.Rooms, Players: g.Players + in.Players, Watching: g.Watching + in.Watching}
		}
	}
	for _, game := range firstOf(games, dashboard.MaxGames) {
		g := games[game]
		r.Games = append(r.Games, dashboard.InGame{Game: game, Rooms: count(g.Rooms), Players: count(g.Players), Watching: count(g.Watching)})
	}
	lines, err := ticket.Lines(ctx, o.rdb, o.namespace, firstOf(queues, dashboard.MaxQueues))
	if err != nil {
		return dashboard.Report{}, err //nolint:wrapcheck // says what it did
	}
	for _, l := range lines {
		r.Totals.Waiting += count(l.Waiting)
		r.Queues = append(r.Queues, dashboard.Queue{
			Name: l.Queue, Game: queues[l.Queue], Waiting: count(l.Waiting), P50: count(l.P50.Milliseconds()),
			PerMinute: count(math.Round(l.PerMinute)),
		})
	}
	return r, nil
}

// firstOf returns the first of a map's keys, in their order.
func firstOf[V any](m map[string]V, most int) []string {
	keys := slices.Sorted(maps.Keys(m))
	return keys[:min(len(keys), most)]
}

// nodeRow is a server as the dashboard shows it.
func nodeRow(r *cluster.Registered) dashboard.Node {
	l := &r.Load
	n := dashboard.Node{
		ID: r.ID, Role: cmp.Or(r.Role, cluster.RoleAll), Region: r.Region, Closed: r.Closed(), Alive: r.Left > 0, Draining: r.Draining,
		Rooms: count(l.Rooms), Asleep: count(l.Asleep), Players: count(l.Players), Watching: count(l.Watching), Sockets: count(l.Sockets),
		Busy: share(l.Tick), Late: share(l.Late), Ticks: l.Ticks, TickRate: count(math.Round(l.TickRate)), P50: count(l.P50), P99: count(l.P99),
		Out: l.Out, OutRate: uint64(max(0, l.OutRate)), Heap: count(l.Heap >> 20), Limit: count(l.Limit >> 20),
	}
	if !n.Alive {
		n.Closed = "nothing was heard of it in time"
	}
	return n
}

// add adds a server that lives.
func add(t *dashboard.Totals, n *dashboard.Node) {
	t.Nodes++
	t.Rooms += n.Rooms
	t.Asleep += n.Asleep
	t.Players += n.Players
	t.Watching += n.Watching
	t.Sockets += n.Sockets
	t.Ticks += n.Ticks
	t.TickRate += n.TickRate
	t.P50, t.P99, t.Busiest = max(t.P50, n.P50), max(t.P99, n.P99), max(t.Busiest, n.Busy)
	t.Out += n.Out
	t.OutRate += n.OutRate
}

// count is a number as the dashboard has it: not below 0, and not above what it can show.
func count[N int | int64 | float64](n N) uint32 {
	return uint32(max(0, min(float64(n), math.MaxUint32)))
}

// share is a part of one in thousandths.
func share(f float64) uint16 { return uint16(max(0, min(math.Round(f*1000), 1000))) }
