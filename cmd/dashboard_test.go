package cmd

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/client"
	"muster/games/arena"
	"muster/games/dashboard"
	"muster/internal/testredis"
	"muster/match"
	"muster/match/cluster"
	"muster/proto/token"
)

// watchBoard opens the dashboard as an operator does.
func (r *running) watchBoard(who string, roles ...string) *client.Conn[dashboard.Board, dashboard.Input] {
	r.t.Helper()
	m, err := r.lobby(who, roles...).Rooms().JoinNamed(soon(r.t), dashboard.Name, dashboard.Main)
	must(r.t, err)
	c, err := client.Dial[dashboard.Board, dashboard.Input](soon(r.t), m, client.Options{})
	must(r.t, err)
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// metrics reads what /metrics says, by a sample's name with its labels.
func metrics(t *testing.T, url string) map[string]float64 {
	t.Helper()
	req, err := http.NewRequestWithContext(soon(t), http.MethodGet, url+"/metrics", nil)
	must(t, err)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	samples := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil && name != "#" {
			samples[name] = v
		}
	}
	return samples
}

// shape is what of a dashboard and of /metrics can be compared while nobody comes or goes.
type shape struct{ Rooms, Players, Watching, Sockets, Duel, Arena float64 }

func shapeOf(samples map[string]float64) shape {
	return shape{
		samples["muster_rooms"], samples["muster_players"], samples["muster_spectators"], samples["muster_connections"],
		samples[`muster_tickets_waiting{queue="duel"}`], samples[`muster_tickets_waiting{queue="arena"}`],
	}
}

func shapeOfBoard(b *dashboard.Board) shape {
	waiting := map[string]float64{}
	for _, q := range b.Queues.All() {
		waiting[q.Name] = float64(q.Waiting)
	}
	t := &b.Totals.V
	return shape{float64(t.Rooms), float64(t.Players), float64(t.Watching), float64(t.Sockets), waiting["duel"], waiting["arena"]}
}

// quantiles are in microseconds, as the dashboard has them.
type quantiles struct{ p50, p99 float64 }

func quantilesOf(samples map[string]float64) quantiles {
	us := func(q string) float64 {
		return math.Round(samples[`muster_tick_quantile_seconds{quantile="`+q+`"}`] * 1e6)
	}
	return quantiles{us("0.5"), us("0.99")}
}

const ticksMade = "muster_tick_duration_seconds_count"

func TestDashboardSaysWhatTheMetricsSay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "queues.yaml")
	must(t, os.WriteFile(file, []byte(goodQueues+"  arena: {game: arena, team_size: 16, start: {min: 1, wait_for_more: 0s}, backfill: true}\n"), 0o600))
	r := serve(t, withArena, "--queues", file)
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	defer func() { stop(); wg.Wait() }()
	for i := range 5 {
		c, err := client.Dial[arena.World, arena.Input](soon(t), r.match(fmt.Sprint("p", i), "arena"), client.Options{Events: arena.Game.Rules().Events})
		must(t, err)
		wg.Go(func() {
			defer func() { _ = c.Close() }()
			for {
				if _, err := c.Next(ctx); err != nil {
					return
				}
				_ = c.Send(arena.Input{Thrust: arena.Full})
			}
		})
	}
	_, err := r.lobby("alone").Queue(soon(t), client.NewTicket{Queue: "duel", Attributes: map[string]any{"level": 3}})
	must(t, err)
	board := r.watchBoard("ann")
	next := func() {
		t.Helper()
		_, err := board.Next(soon(t))
		must(t, err)
	}
	want := shape{Rooms: 2, Players: 6, Sockets: 6, Duel: 1} // the dashboard's own room, and who watches it
	until(t, "dashboard and metrics say the same", func() bool {
		before := shapeOf(metrics(t, r.url))
		next()
		after := shapeOf(metrics(t, r.url))
		return before == want && after == want && shapeOfBoard(board.State()) == want
	})
	made := metrics(t, r.url)[ticksMade]
	until(t, "the dashboard has heard of all ticks that were made, and of no more", func() bool {
		next()
		ticks := float64(board.State().Totals.V.Ticks)
		if now := metrics(t, r.url)[ticksMade]; ticks > now {
			t.Fatalf("%v ticks are shown, and %v were made", ticks, now)
		}
		return ticks >= made
	})
	seen := map[quantiles]bool{}
	until(t, "the dashboard has the quantiles of the metrics", func() bool {
		seen[quantilesOf(metrics(t, r.url))] = true
		next()
		b := board.State().Totals.V
		return b.P99 > 0 && b.P50 <= b.P99 && seen[quantiles{float64(b.P50), float64(b.P99)}]
	})
	b := board.State()
	if b.Nodes.Len() != 1 || b.Totals.V.Nodes != 1 || b.Status.V.Stale || b.Status.V.Trouble != "" || b.History.Len() == 0 {
		t.Errorf("status %+v, totals %+v, %d nodes, %d points", b.Status.V, b.Totals.V, b.Nodes.Len(), b.History.Len())
	}
	games := map[string]dashboard.InGame{}
	for _, g := range b.Games.All() {
		games[g.Game] = *g
	}
	if games["arena"].Rooms != 1 || games["arena"].Players != 5 || games[dashboard.Name].Players != 1 {
		t.Errorf("games: %+v", games)
	}
}

func TestAtRestTheDashboardHasEveryTickAndByteOfTheMetrics(t *testing.T) {
	var key [token.MinKey]byte
	_, _ = rand.Read(key[:])
	keys, err := token.New(key[:], nil)
	must(t, err)
	set := &settings{Listen: "127.0.0.1:0", Namespace: "rest", LogLevel: "error", Journal: journalRedis, KeepFor: leastKeepFor, AddrRate: mostAddressRate}
	s, err := startServer(t.Context(), set, withArena, keys, zap.NewNop())
	must(t, err)
	defer func() { must(t, s.Close(soon(t))) }()
	signed, err := keys.SignPlayer(token.Player{ID: "ann"}, 1<<40)
	must(t, err)
	m, err := (&client.Lobby{URL: s.url, Token: signed}).Rooms().JoinNamed(soon(t), dashboard.Name, dashboard.Main)
	must(t, err)
	c, err := client.Dial[dashboard.Board, dashboard.Input](soon(t), m, client.Options{})
	must(t, err)
	for range 3 {
		_, err := c.Next(soon(t))
		must(t, err)
	}
	must(t, c.Close()) // its seat is held; the room sleeps
	until(t, "all that was done is known", func() bool {
		before := metrics(t, s.url)
		r, err := s.overview.report(soon(t))
		must(t, err)
		after := metrics(t, s.url)
		got := r.Totals
		return before["muster_rooms_asleep"] == 1 && before[ticksMade] == after[ticksMade] && before[ticksMade] >= 3 &&
			float64(got.Ticks) == before[ticksMade] && float64(got.Out) == before["muster_bytes_out_total"] && got.Out > 0 &&
			got.Asleep == 1 && got.Rooms == 1 && got.Players == 1 && got.Sockets == 0
	})
}

func TestDashboardShowsAllServersAndForgetsWhatTheDeadOnesDid(t *testing.T) {
	rdb := testredis.Embedded(t)
	nodes := cluster.NewNodes(rdb, "muster", zap.NewNop())
	join := func(n cluster.Node) *cluster.Member {
		m, err := nodes.Join(t.Context(), cluster.MemberConfig{Node: n})
		must(t, err)
		return m
	}
	playing := map[string]cluster.InGame{"arena": {Rooms: 2, Players: 7, Watching: 1}, "chess": {Rooms: 1, Players: 2}}
	a := join(cluster.Node{
		ID: "a", Role: cluster.RoleMatch, Region: "eu", Playing: playing,
		Load: cluster.Load{Tick: 0.25, Rooms: 3, Players: 9, Watching: 1, Sockets: 4, Ticks: 100, TickRate: 59.6, P50: 100, P99: 900, Out: 10, OutRate: 2.5, Heap: 3 << 20},
	})
	defer a.Leave(context.Background())
	b := join(cluster.Node{
		ID: "b", Role: cluster.RoleLobby, Queues: map[string]string{"duel": "chess", "arena": "arena"},
		Load: cluster.Load{Sockets: 6, Ticks: 1, P50: 300, P99: 400},
	})
	defer b.Leave(context.Background())
	old := join(cluster.Node{ID: "old", Load: cluster.Load{Rooms: 1, Players: 1}}) // of a release that says less
	o := &overview{rdb, "muster", nodes}
	look := func() dashboard.Report {
		r, err := o.report(t.Context())
		must(t, err)
		return r
	}
	r := look()
	if got, want := r.Totals, (dashboard.Totals{
		Nodes: 3, Rooms: 4, Players: 10, Watching: 1, Sockets: 10, Ticks: 101, TickRate: 60, P50: 300, P99: 900, Busiest: 250, Out: 10, OutRate: 2,
	}); got != want {
		t.Errorf("totals %+v, want %+v", got, want)
	}
	if len(r.Nodes) != 3 || r.Nodes[0].ID != "a" || r.Nodes[1].Closed != "it is a lobby and runs no rooms" || !r.Nodes[2].Alive {
		t.Errorf("nodes %+v", r.Nodes)
	}
	if len(r.Games) != 2 || r.Games[0] != (dashboard.InGame{Game: "arena", Rooms: 2, Players: 7, Watching: 1}) || r.Games[1].Game != "chess" {
		t.Errorf("games %+v", r.Games)
	}
	if len(r.Queues) != 2 || r.Queues[0].Name != "arena" || r.Queues[1] != (dashboard.Queue{Name: "duel", Game: "chess"}) {
		t.Errorf("queues %+v", r.Queues)
	}
	old.Leave(context.Background())
	if r := look(); r.Totals.Nodes != 2 || r.Totals.Rooms != 3 {
		t.Errorf("without it the totals are %+v", r.Totals)
	}
}

func TestDashboardCutsAListThatIsTooLong(t *testing.T) {
	rdb := testredis.Embedded(t)
	nodes := cluster.NewNodes(rdb, "muster", zap.NewNop())
	queues, playing := map[string]string{}, map[string]cluster.InGame{}
	for i := range 2 * dashboard.MaxQueues {
		queues[fmt.Sprint("q", i)], playing[fmt.Sprint("g", i)] = "arena", cluster.InGame{Rooms: 1}
	}
	n := cluster.Node{Queues: queues, Playing: playing, Load: cluster.Load{Rooms: 1}}
	for i := range dashboard.MaxNodes + 2 {
		info := n
		info.ID = fmt.Sprintf("n%03d", i)
		text, err := json.Marshal(info)
		must(t, err)
		must(t, rdb.HSet(t.Context(), "muster:{nodes}:info", info.ID, text).Err())
		must(t, rdb.ZAdd(t.Context(), "muster:{nodes}:live", redis.Z{Score: float64(time.Now().Add(time.Minute).UnixMilli()), Member: info.ID}).Err())
	}
	r, err := (&overview{rdb, "muster", nodes}).report(t.Context())
	must(t, err)
	if len(r.Nodes) != dashboard.MaxNodes || r.Totals.Left != 2 || r.Totals.Rooms != dashboard.MaxNodes+2 || r.Totals.Nodes != dashboard.MaxNodes+2 ||
		len(r.Games) != dashboard.MaxGames || len(r.Queues) != dashboard.MaxQueues {
		t.Errorf("%d nodes, %d games, %d queues, totals %+v", len(r.Nodes), len(r.Games), len(r.Queues), r.Totals)
	}
}

func TestDashboardIsForAdminsAloneAndTakesNoPlaceAmongTheGames(t *testing.T) {
	r := serve(t, withArena, "--key-file", ownKey(t))
	for _, roles := range [][]string{nil, {"player"}, {"Admin", "metrics", "moderator"}} {
		wantProblem(t, r.ask("POST", "/v1/games/dashboard/rooms/main/join", "mallory", roles...), http.StatusForbidden)
		wantProblem(t, r.ask("POST", "/v1/rooms/dashboard.main/rejoin", "mallory", roles...), http.StatusNotFound)
	}
	board := r.watchBoard("root", "admin")
	until(t, "it shows the server", func() bool {
		_, err := board.Next(soon(t))
		must(t, err)
		return board.State().Nodes.Len() == 1
	})
	for _, roles := range [][]string{nil, {"player"}} { // the room is there now
		wantProblem(t, r.ask("POST", "/v1/rooms/dashboard.main/rejoin", "mallory", roles...), http.StatusForbidden)
		if a := r.ask("POST", "/v1/rooms/dashboard.main/join", "mallory", roles...); a.status/100 == 2 {
			t.Errorf("joined by its id: %d", a.status)
		}
	}
	if a := r.ask("GET", "/v1/queues", "root", "admin"); strings.Contains(a.body, dashboard.Name) || !strings.Contains(a.body, "arena") {
		t.Errorf("the queues are %s", a.body)
	}
	if out := r.stdout.String(); strings.Contains(out, "play     "+r.url+"/dashboard") {
		t.Errorf("the banner offers it to players:\n%s", out)
	}
}

func TestGameOfOnesOwnCannotHaveTheDashboardsName(t *testing.T) {
	own := Game{Game: match.Define[arena.World, arena.Input](dashboard.Name, arena.Arena{}, arena.Game.Rules())}
	var stdout, stderr output
	code := run(t.Context(), func() {}, []string{"serve", "--listen", "127.0.0.1:0", "--key-file", ownKey(t)}, []Game{own}, &stdout, &stderr)
	if code != 1 || !strings.Contains(stderr.String(), "give the game another") {
		t.Errorf("%d, %s", code, &stderr)
	}
}

// What the page of operators knows is what the dashboard sends. Generated by
//
//	go run ./cmd/muster types --game dashboard > web/src/admin/types.ts
func TestPageOfOperatorsHasTheTypesOfTheDashboard(t *testing.T) {
	want, err := os.ReadFile("../web/src/admin/types.ts")
	must(t, err)
	var got bytes.Buffer
	must(t, WriteTypes(&got, dashboard.Game(nil)))
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("web/src/admin/types.ts is not what muster types prints")
	}
}
