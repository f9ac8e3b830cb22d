package lobby_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/lobby/queue"
	"muster/match/cluster"
)

// played is a player's match and seat.
type played struct {
	player, room, token string
	seat                uint16
}

func TestManyLobbiesMakeEachMatchOnce(t *testing.T) {
	const players = 80
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		lobbies := []*place{open(t, rdb, nil), open(t, rdb, nil), open(t, rdb, nil)}
		for _, p := range lobbies {
			defer p.Close()
			p.serve()
		}
		defer join(t, rdb, someNode)()
		got := make([]played, players)
		var wg sync.WaitGroup
		for i := range players {
			wg.Go(func() {
				q := []string{"duel", "arena"}[i%2]
				name := fmt.Sprint("p", i)
				id := lobbies[i%3].enqueue(name, q).ID
				ticket := lobbies[(i+1)%3].ticket(name, id, "20s")
				if ticket.State != "matched" {
					t.Errorf("%s's ticket is %+v", name, ticket)
					return
				}
				s := lobbies[0].seat(ticket.Match)
				got[i] = played{name, s.Room, s.ID, s.Seat}
			})
		}
		wg.Wait()
		checkSeats(t, rdb, got, players)
	})
}

// checkSeats checks that each player's token claims a seat, and no two the same one.
func checkSeats(t *testing.T, rdb redis.UniversalClient, got []played, players int) {
	t.Helper()
	dir := cluster.NewDirectory(rdb, ns)
	seats := map[string]string{}
	for _, g := range got {
		if err := take(dir, t.Context(), g.room, g.seat, g.player, g.token); err != nil {
			t.Errorf("%s: %v", g.player, err)
		}
		at := fmt.Sprintf("%s/%d", g.room, g.seat)
		if other, ok := seats[at]; ok {
			t.Errorf("%s and %s have the same seat %s", g.player, other, at)
		}
		seats[at] = g.player
	}
	if len(seats) != players {
		t.Errorf("%d seats for %d players", len(seats), players)
	}
	reserved := 0
	must(t, each(rdb, ns+":{room:*}:seats", func(key string) {
		n, err := rdb.HLen(context.Background(), key).Result()
		must(t, err)
		reserved += int(n)
	}))
	if reserved != players {
		t.Errorf("%d seats are held in all rooms, want %d", reserved, players)
	}
}

// hook does something with the commands of a client.
type hook func(cmd redis.Cmder, next func() error) error

func (hook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h(cmd, func() error { return next(ctx, cmd) })
	}
}

func (h hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() == "multi" { // which is one
			return next(ctx, cmds)
		}
		var first error
		for _, cmd := range cmds {
			if err := h(cmd, func() error { return next(ctx, []redis.Cmder{cmd}) }); err != nil && first == nil {
				first = err
			}
		}
		return first
	}
}

// hurt returns another client of the same Redis, with a hook.
func hurt(t *testing.T, rdb redis.UniversalClient, h hook) redis.UniversalClient {
	t.Helper()
	c := testredis.Another(t, rdb, 0, nil)
	c.AddHook(h)
	return c
}

func TestLostNoticesDelayAMatchAndPreventNone(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		deaf := hurt(t, rdb, func(cmd redis.Cmder, next func() error) error {
			if cmd.Name() == "publish" && cmd.Args()[1] == ns+":{notices}" {
				return nil
			}
			return next()
		})
		p := open(t, deaf, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		time.Sleep(300 * time.Millisecond)
		began, id := time.Now(), p.enqueue("alice", "arena").ID
		if got := p.ticket("alice", id, "30s"); got.State != "matched" || time.Since(began) > 5*time.Second {
			t.Errorf("%s after %v", got.State, time.Since(began))
		}
	})
}

func TestMatchWaitsForANodeThatRunsTheGame(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, cluster.Node{ID: "chess", Games: map[string]string{"chess": "7"}})()
		defer join(t, rdb, cluster.Node{ID: "older", Games: map[string]string{"arena": "6"}})()
		id := p.enqueue("alice", "arena").ID
		time.Sleep(time.Second)
		if got := p.ticket("alice", id, ""); got.State != "waiting" || got.Reason != "no server runs this game now" {
			t.Errorf("without a node the ticket is %+v", got)
		}
		defer join(t, rdb, someNode)()
		began := time.Now()
		if got := p.ticket("alice", id, "30s"); got.State != "matched" || time.Since(began) > time.Second+time.Millisecond {
			t.Errorf("with a node the ticket is %s after %v", got.State, time.Since(began))
		}
	})
}

func TestCrowdedServersTakePlayersIntoRunningRoomsAndSendOthersAwayForAWhile(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		var full atomic.Bool
		leave, err := joined(rdb, cluster.Node{ID: "n1", Games: map[string]string{"arena": "7"}}, crowded(&full))
		must(t, err)
		defer leave(context.Background())
		if got := p.ticket("a", p.enqueue("a", "arena").ID, "5s"); got.State != "matched" {
			t.Fatalf("before: %+v", got)
		}
		full.Store(true)
		time.Sleep(5 * time.Second)
		if got := p.ticket("b", p.enqueue("b", "arena").ID, "5s"); got.State != "matched" {
			t.Errorf("with a seat in a running room: %+v", got)
		}
		a := p.send(request{method: "POST", path: "/v1/tickets", token: p.player("c"), body: `{"queue":"duel"}`})
		if a.status != 503 || a.header.Get("Retry-After") == "" || !strings.Contains(string(a.body), "take no new matches") {
			t.Errorf("with none: %d %v %s", a.status, a.header, a.body)
		}
		full.Store(false)
		time.Sleep(5 * time.Second)
		p.enqueue("c", "duel")
	})
}

// asksNodes says whether a command reads the register of nodes.
func asksNodes(cmd redis.Cmder) bool {
	return strings.HasPrefix(cmd.Name(), "eval") && strings.Contains(fmt.Sprint(cmd.Args()[2:]...), "{nodes}")
}

// While one request asks a Redis that stalls whether the servers are crowded, no other waits for it.
func TestTicketsDoNotQueueBehindOneThatAsksAStalledRedis(t *testing.T) {
	const n = 100
	var asked atomic.Int32
	stalled := make(chan struct{})
	goOn := sync.OnceFunc(func() { close(stalled) })
	defer goOn()
	p := open(t, hurt(t, testredis.Embedded(t), func(cmd redis.Cmder, next func() error) error {
		if !asksNodes(cmd) {
			return next()
		}
		asked.Add(1)
		<-stalled
		cmd.SetErr(context.DeadlineExceeded)
		return context.DeadlineExceeded
	}), nil)
	defer p.Close()
	p.Drain() // the matchmaker asks for nodes, too
	var answered atomic.Int32
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			p.enqueue(fmt.Sprint("p", i), "duel")
			answered.Add(1)
		})
	}
	until(t, "all but the one that asks have their tickets", func() bool { return answered.Load() == n-1 })
	goOn()
	wg.Wait()
	if asked.Load() > 3 { // one request, and perhaps a look at each of the two queues that was under way
		t.Errorf("Redis was asked %d times by requests of the same time", asked.Load())
	}
}

func TestFailureToAskWhetherServersAreCrowdedIsRememberedForASecond(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		var asked atomic.Int32
		p := open(t, hurt(t, rdb, func(cmd redis.Cmder, next func() error) error {
			if !asksNodes(cmd) {
				return next()
			}
			asked.Add(1)
			cmd.SetErr(context.DeadlineExceeded)
			return context.DeadlineExceeded
		}), nil)
		defer p.Close()
		p.Drain() // the matchmaker asks for nodes, too
		synctest.Wait()
		asked.Store(0)
		for i := range 10 {
			p.enqueue(fmt.Sprint("a", i), "duel")
		}
		if got := asked.Load(); got != 1 {
			t.Errorf("asked %d times at once", got)
		}
		time.Sleep(1100 * time.Millisecond)
		p.enqueue("b", "duel")
		if got := asked.Load(); got != 2 {
			t.Errorf("asked %d times, want once more after a second", got)
		}
	})
}

// A client that goes away while it asks says nothing of the servers: the next request asks again.
func TestClientThatGoesAwayWhileItAsksLeavesNoAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, goAway := context.WithCancel(t.Context())
		p := open(t, hurt(t, rdb, func(cmd redis.Cmder, next func() error) error {
			if !asksNodes(cmd) || ctx.Err() != nil {
				return next()
			}
			goAway()
			cmd.SetErr(ctx.Err())
			return ctx.Err()
		}), nil)
		defer p.Close()
		p.Drain() // the matchmaker asks for nodes, too
		full := atomic.Bool{}
		full.Store(true)
		leave, err := joined(rdb, cluster.Node{ID: "n1", Games: map[string]string{"arena": "7"}}, crowded(&full))
		must(t, err)
		defer leave(context.Background())
		ticket := request{method: "POST", path: "/v1/tickets", body: `{"queue":"duel"}`}
		ticket.token, ticket.context = p.player("gone"), ctx
		p.send(ticket)
		ticket.token, ticket.context = p.player("alice"), t.Context()
		if a := p.send(ticket); ctx.Err() == nil || a.status != 503 || !strings.Contains(string(a.body), "take no new matches") {
			t.Errorf("%d %s, want the answer of servers that are crowded", a.status, a.body)
		}
	})
}

func TestServerThatShouldBeReplacedGetsNoNewPlayers(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		var ends atomic.Bool
		leave, err := joined(rdb, cluster.Node{ID: "n1", Games: map[string]string{"arena": "7"}}, func(n *cluster.Node) {
			if n.Ends = ends.Load(); n.Ends {
				n.Full = "the rules of a game did not return"
			}
		})
		must(t, err)
		defer leave(context.Background())
		first := p.ticket("a", p.enqueue("a", "arena").ID, "5s")
		ends.Store(true)
		time.Sleep(5 * time.Second)
		if a := p.send(request{method: "POST", path: "/v1/tickets", token: p.player("b"), body: `{"queue":"arena"}`}); a.status != 503 {
			t.Errorf("with a free seat on it alone: %d %s", a.status, a.body)
		}
		defer join(t, rdb, cluster.Node{ID: "n2"})()
		time.Sleep(5 * time.Second)
		if got := p.ticket("b", p.enqueue("b", "arena").ID, "5s"); got.State != "matched" || got.Match.Room == first.Match.Room {
			t.Errorf("with another server: %+v; the first was in %s", got, first.Match.Room)
		}
	})
}

func TestFullRoomIsFollowedByANewOneAndAFreedSeatIsFilled(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		dir := cluster.NewDirectory(rdb, ns)
		var rooms []string
		for i := range 4 {
			name := fmt.Sprint("p", i)
			m, seat := p.play(name, "arena")
			must(t, take(dir, t.Context(), m.Room, seat.Seat, name, seat.ID))
			rooms = append(rooms, m.Room)
		}
		if rooms[1] != rooms[0] || rooms[2] != rooms[0] || rooms[3] == rooms[0] {
			t.Fatalf("four players are in rooms %q, want three in the first", rooms)
		}
		rec, err := dir.Room(t.Context(), rooms[0])
		must(t, err)
		must(t, dir.FreeSeat(t.Context(), rooms[0], rec.Epoch, 2, nil))
		must(t, dir.EndRoom(t.Context(), rooms[3], mustRoom(t, dir, rooms[3]).Epoch))
		if m, seat := p.play("p4", "arena"); m.Room != rooms[0] || seat.Seat != 2 {
			t.Errorf("the fifth player is in seat %d of %s, want the freed seat 2 of %s", seat.Seat, m.Room, rooms[0])
		}
	})
}

func mustRoom(t *testing.T, dir *cluster.Directory, id string) cluster.Room {
	t.Helper()
	r, err := dir.Room(t.Context(), id)
	must(t, err)
	return r
}

func TestRoomsOfDeadNodesAndOtherRulesAreNotFilled(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		dir := cluster.NewDirectory(rdb, ns)
		for _, n := range []cluster.NewRoom{
			{Game: "arena", Rules: "7", Queue: "arena", Node: "dead", Seats: 3},
			{Game: "arena", Rules: "6", Queue: "arena", Node: "n1", Seats: 3},
		} {
			_, err := dir.Create(t.Context(), n)
			must(t, err)
		}
		m, _ := p.play("alice", "arena")
		if rec := mustRoom(t, dir, m.Room); rec.Node != "n1" || rec.Rules != "7" {
			t.Errorf("the player was sent to %+v", rec)
		}
	})
}

// Rooms that nobody looks for must not pile up in an index.
func TestQueueWithoutBackfillIndexesNoRooms(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		id := p.enqueue("alice", "duel").ID
		p.play("bob", "duel")
		p.ticket("alice", id, "20s")
		if n, err := rdb.Exists(t.Context(), ns+":{queue:duel}:open").Result(); n != 0 || err != nil {
			t.Errorf("the queue has an index (%v)", err)
		}
	})
}

// The answer to the change that matches tickets may be lost although the change was made.
func TestPlayersKeepTheirSeatsWhenTheLobbyDoesNotHearThatTheyAreMatched(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		var once sync.Once
		p := open(t, hurt(t, rdb, func(cmd redis.Cmder, next func() error) error {
			err := next()
			if s := fmt.Sprint(cmd.Args()...); err == nil && strings.HasPrefix(cmd.Name(), "eval") && strings.Contains(s, someNode.URL) {
				once.Do(func() {
					err = errors.New("connection reset")
					cmd.SetErr(err)
				})
			}
			return err
		}), nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		id := p.enqueue("alice", "arena").ID
		var ticket lobby.Ticket
		until(t, "the ticket is matched", func() bool {
			ticket = p.ticket("alice", id, "100ms")
			return ticket.State == "matched"
		})
		until(t, "the lobby has failed", func() bool { return p.logs.FilterMessage("matching failed").Len() == 1 })
		s := p.seat(ticket.Match)
		checkSeats(t, rdb, []played{{"alice", s.Room, s.ID, s.Seat}}, 1)
	})
}

func TestWhatKeepsMatchesFromBeingMadeIsLoggedOnceAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, hurt(t, rdb, func(cmd redis.Cmder, next func() error) error {
			if s := fmt.Sprint(cmd.Args()...); strings.HasPrefix(cmd.Name(), "eval") && strings.Contains(s, someNode.URL) {
				cmd.SetErr(errors.New("no room is made"))
				return cmd.Err()
			}
			return next()
		}), nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		p.enqueue("alice", "arena")
		lines := func() int { return p.logs.FilterMessage("matching failed").Len() }
		until(t, "the first line", func() bool { return lines() == 1 })
		time.Sleep(50 * time.Second)
		if lines() != 1 {
			t.Errorf("%d lines within a minute", lines())
		}
		until(t, "the second line", func() bool { return lines() == 2 })
		if repeats, _ := p.logs.FilterMessage("matching failed").All()[1].ContextMap()["repeats"].(int64); repeats < 10 {
			t.Errorf("it says that it came %d times", repeats)
		}
	})
}

// A lobby may die between any two steps of making a match.
func TestMatchOfALobbyThatDiesHalfwayIsMadeByAnother(t *testing.T) {
	for step, words := range map[string][]string{ // what the step's command holds
		"hold": {":ticket:", "10000"}, "create": {":record", "n1"}, "reserve": {":seats", "alice"},
	} {
		t.Run("after "+step, func(t *testing.T) {
			inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
				var dead atomic.Bool
				dying := open(t, hurt(t, rdb, func(cmd redis.Cmder, next func() error) error {
					if dead.Load() {
						return errors.New("dead")
					}
					err := next()
					args := fmt.Sprint(cmd.Args()...)
					if err == nil && cmd.Name() != "hgetall" && strings.Contains(args, words[0]) && strings.Contains(args, words[1]) {
						dead.Store(true)
					}
					return err
				}), nil)
				defer dying.Close()
				defer join(t, rdb, someNode)()
				id := dying.enqueue("alice", "arena").ID
				time.Sleep(2 * time.Second)
				if !dead.Load() {
					t.Fatal("the lobby did not die")
				}
				p := open(t, rdb, nil)
				defer p.Close()
				began, got := time.Now(), p.ticket("alice", id, "30s")
				if got.State != "matched" || time.Since(began) > 10*time.Second {
					t.Fatalf("%+v after %v", got, time.Since(began))
				}
				s := p.seat(got.Match)
				checkSeats(t, rdb, []played{{"alice", s.Room, s.ID, s.Seat}}, 1)
			})
		})
	}
}

// What one release writes another may not be able to read.
func TestTicketThatCannotBeReadDoesNotBlockTheQueue(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		for _, fields := range [][]any{{"created", "once", "state", "waiting"}, {"state", "dancing", "created", 1, "expires", 1}, nil} {
			id := "arena." + cluster.NewID()
			if fields != nil {
				must(t, rdb.HSet(t.Context(), ns+":{queue:arena}:ticket:"+id, fields...).Err())
			}
			must(t, rdb.ZAdd(t.Context(), ns+":{queue:arena}:waiting", redis.Z{Member: id}).Err())
		}
		defer join(t, rdb, someNode)()
		p.play("alice", "arena")
		until(t, "the queue is empty", func() bool { return rdb.ZCard(t.Context(), ns+":{queue:arena}:waiting").Val() == 0 })
	})
}

// The clocks of lobbies and of Redis may differ; what is waited for is time by Redis's.
func TestGatheringPlayersGoesByOneClock(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		q := queue.Rules{Name: "arena", Game: "arena", Min: 2, TeamSize: 4, Gather: 10 * time.Second}
		p := open(t, rdb, func(c *lobby.Config) { c.Queues = []queue.Rules{q} })
		defer p.Close()
		defer join(t, rdb, someNode)()
		began, id := time.Now(), p.enqueue("alice", "arena").ID
		time.Sleep(3300 * time.Millisecond)
		p.enqueue("bob", "arena")
		if got := p.ticket("alice", id, "30s"); got.State != "matched" || time.Since(began) > 10*time.Second+2*time.Millisecond ||
			time.Since(began) < 10*time.Second {
			t.Errorf("%s after %v, want matched after 10 s", got.State, time.Since(began))
		}
	})
}

// One look reads so many tickets; a longer queue must not wait for the next one.
func TestLongQueueIsMatchedInOneGo(t *testing.T) {
	const matches, each = 144, 16 // more tickets than two looks read
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		pipe, waiting := rdb.Pipeline(), ns+":{queue:big}:waiting"
		for i := range matches * each {
			id, now := "big."+cluster.NewID(), time.Now().UnixMilli()
			body := fmt.Sprintf(`{"players":[{"id":"p%d"}]}`, i)
			pipe.HSet(t.Context(), ns+":{queue:big}:ticket:"+id, "state", "waiting", "body", body, "created", now)
			pipe.ZAdd(t.Context(), waiting, redis.Z{Member: id, Score: float64(now)})
		}
		_, err := pipe.Exec(t.Context())
		must(t, err)
		defer join(t, rdb, someNode)()
		p := open(t, rdb, func(c *lobby.Config) {
			c.Queues = []queue.Rules{{Name: "big", Game: "arena", TeamSize: each}}
		})
		defer p.Close()
		time.Sleep(500 * time.Millisecond) // the next look that nothing asks for comes after a second
		if n := rdb.ZCard(t.Context(), waiting).Val(); n != 0 {
			t.Errorf("%d tickets wait for the next look", n)
		}
	})
}

func TestLobbyRefusesQueuesThatCannotWork(t *testing.T) {
	rdb := testredis.Embedded(t)
	for _, c := range []struct {
		name   string
		queues []queue.Rules
		want   []string
	}{
		{"an unknown game", []queue.Rules{{Name: "q", Game: "chess", Min: 1, TeamSize: 2}}, []string{`queue "q": there is no game "chess"`}},
		{"more players than seats", []queue.Rules{{Name: "q", Game: "arena", Min: 1, TeamSize: 17}}, []string{`17 players`, "16 seats"}},
		{"two of one name", []queue.Rules{duel, duel}, []string{`queue "duel" is declared twice`}},
		{"wrong rules", []queue.Rules{{Name: "q", Game: "arena"}, {Name: "-", Game: "arena", TeamSize: 1}}, []string{`queue "q"`, `queue "-"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := lobby.New(lobby.Config{Redis: rdb, Namespace: ns, Keys: testKeys(t), Queues: c.queues, Games: games})
			if err == nil || slices.ContainsFunc(c.want, func(s string) bool { return !strings.Contains(err.Error(), s) }) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
