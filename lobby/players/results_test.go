package players_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"muster/internal/testredis"
	"muster/lobby/keyspace"
	"muster/lobby/players"
	"muster/lobby/rating"
	"muster/match/cluster"
	"muster/proto"
)

const ns = "test"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// duel is a match that the first player won.
func duel(room string, ids ...string) proto.Result {
	r := proto.Result{
		Room: room, Game: "arena", Queue: "duel", Tick: 600, Recorded: true,
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Ended: time.Date(2026, 1, 2, 3, 5, 5, 0, time.UTC),
	}
	for i, id := range ids {
		r.Placements = append(r.Placements, proto.Placement{Seat: uint16(i), Player: id, Rank: uint16(i + 1), Score: int64(10 - i)})
	}
	return r
}

func ratings(t testing.TB, s *players.Store, ids ...string) []rating.Rating {
	t.Helper()
	list, err := s.Ratings(context.Background(), "arena", ids...)
	must(t, err)
	return list
}

func games(t testing.TB, s *players.Store, id string) int {
	t.Helper()
	p, err := s.Player(context.Background(), id)
	if errors.Is(err, players.ErrNone) {
		return 0
	}
	must(t, err)
	for _, r := range p.Ratings {
		if r.Game == "arena" {
			return r.Matches
		}
	}
	return 0
}

func TestResultMovesRatingsOnceAndStandsInTheLists(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := players.New(rdb, ns, rating.Model{})
		if got := ratings(t, s, "ann", "ben"); got[0] != (rating.Model{}).New().Rating() || got[1] != got[0] {
			t.Errorf("new players have %v", got)
		}
		for range 3 { // a result is handed over at least once
			must(t, s.Record(t.Context(), duel("r1", "ann", "ben")))
		}
		m := rating.Model{}
		after := m.Rate([][]rating.Skill{{m.New()}, {m.New()}}, []int{1, 2})
		for i, got := range ratings(t, s, "ann", "ben") {
			if got != after[i][0].Rating() {
				t.Errorf("player %d has %v, want %v", i, got, after[i][0].Rating())
			}
		}
		list, more, err := s.Matches(t.Context(), "ben", "", 10)
		must(t, err)
		if len(list) != 1 || more {
			t.Fatalf("%d matches", len(list))
		}
		want := players.Match{
			Room: "r1", Game: "arena", Queue: "duel", Rank: 2, Score: 9, Players: 2, Recorded: true, Rated: true, ID: list[0].ID,
			Started: duel("").Started, Ended: duel("").Ended, Before: m.New().Rating(), After: after[1][0].Rating(),
		}
		if list[0] != want || !players.IsMatchID(list[0].ID) {
			t.Errorf("%+v, want %+v", list[0], want)
		}
		if n := games(t, s, "ann"); n != 1 {
			t.Errorf("%d matches are rated", n)
		}
	})
}

func TestMatchesThatSayNothingAboutSkillAreListedUnrated(t *testing.T) {
	rdb := testredis.Embedded(t)
	s := players.New(rdb, ns, rating.Model{})
	together := duel("r2", "ann", "ben")
	together.Placements[0].Team, together.Placements[1].Team = 1, 1
	private := duel("r3", "ann", "ben")
	private.Queue = ""
	nobody := duel("r4", "ann", "")
	for _, r := range []proto.Result{duel("r1", "ann"), together, private, nobody} {
		must(t, s.Record(t.Context(), r))
	}
	list, _, err := s.Matches(t.Context(), "ann", "", 10)
	must(t, err)
	if len(list) != 4 || slices.ContainsFunc(list, func(m players.Match) bool { return m.Rated }) {
		t.Errorf("%+v", list)
	}
	if got := ratings(t, s, "ann"); got[0] != (rating.Model{}).New().Rating() || games(t, s, "ann") != 0 {
		t.Errorf("%v", got)
	}
}

func TestPlayerOfTwoSeatsIsRatedByTheBetterOne(t *testing.T) {
	s := players.New(testredis.Embedded(t), ns, rating.Model{})
	must(t, s.Record(t.Context(), duel("r1", "ann", "ben", "ann")))
	if got := ratings(t, s, "ann", "ben"); got[0].Mean <= 1000 || got[1].Mean >= 1000 || games(t, s, "ann") != 1 {
		t.Errorf("%v", got)
	}
}

func TestTeamsAreRankedByTheMeanOfTheirPlayers(t *testing.T) {
	s := players.New(testredis.Embedded(t), ns, rating.Model{})
	r := duel("r1", "a1", "b1", "b2", "a2") // 1 and 4 against 2 and 3
	for i, team := range []uint16{1, 2, 2, 1} {
		r.Placements[i].Team = team
	}
	must(t, s.Record(t.Context(), r))
	if got := ratings(t, s, "a1", "a2", "b1", "b2"); got[0].Mean != 1000 || got[2].Mean != 1000 {
		t.Errorf("equal teams moved: %v", got)
	}
	r.Room, r.Placements[3].Rank = "r2", 3
	must(t, s.Record(t.Context(), r))
	if got := ratings(t, s, "a1", "a2", "b1", "b2"); got[0].Mean <= 1000 || got[1].Mean <= 1000 || got[2].Mean >= 1000 {
		t.Errorf("1 and 3 against 2 and 3: %v", got)
	}
}

// cut lets n exchanges with Redis through and fails all others, as the death of a process does: the first that fails may
// have been carried out.
type cut struct {
	mu      sync.Mutex
	left    int
	carried bool
}

func (c *cut) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *cut) pass(name string, do func() error) error {
	if name == "hello" || name == "client" {
		return do() // how a connection begins
	}
	c.mu.Lock()
	c.left--
	left := c.left
	c.mu.Unlock()
	if left >= 0 {
		return do()
	}
	if left == -1 && c.carried {
		_ = do()
	}
	return redis.ErrClosed
}

func (c *cut) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return c.pass(cmd.Name(), func() error { return next(ctx, cmd) })
	}
}

func (c *cut) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := c.pass(cmds[0].Name(), func() error { return next(ctx, cmds) }); err != nil {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
			return err
		}
		return nil
	}
}

// Whatever dies between any two exchanges with Redis, and whichever other results come in between: in the end each
// match has moved each of its players once, and all by what was first worked out.
func TestResultIsRecordedOnceWhateverDies(t *testing.T) {
	server := testredis.Start(t)
	rdb := server.Connect()
	rapid.Check(t, func(rt *rapid.T) {
		must(t, rdb.FlushAll(t.Context()).Err())
		s := players.New(rdb, ns, rating.Model{})
		names := []string{"ann", "ben", "cid", "dan"}
		var results []proto.Result
		for n := range rapid.IntRange(1, 4).Draw(rt, "matches") {
			who := rapid.Permutation(names).Draw(rt, "players")[:rapid.IntRange(2, 4).Draw(rt, "size")]
			results = append(results, duel(fmt.Sprint("r", n), who...))
		}
		planned := map[string]string{}
		for range rapid.IntRange(0, 12).Draw(rt, "deaths") {
			hurt, err := cluster.Connect(t.Context(), server.URL())
			must(t, err)
			hurt.AddHook(&cut{left: rapid.IntRange(0, 6).Draw(rt, "exchanges"), carried: rapid.Bool().Draw(rt, "carried out")})
			r := rapid.SampledFrom(results).Draw(rt, "result")
			err = players.New(hurt, ns, rating.Model{}).Record(t.Context(), r)
			if err != nil && !errors.Is(err, redis.ErrClosed) {
				rt.Fatal(err)
			}
			must(t, hurt.Close())
			key := ns + ":{match:" + r.Room + "}:rating:600:0"
			if now := rdb.Get(t.Context(), key).Val(); planned[key] == "" {
				planned[key] = now
			} else if now != planned[key] {
				rt.Fatalf("another plan of %s:\n%s\n%s", r.Room, planned[key], now)
			}
		}
		for _, r := range results {
			must(t, s.Record(t.Context(), r))
		}
		for _, id := range names {
			played := 0
			for _, r := range results {
				if slices.ContainsFunc(r.Placements, func(p proto.Placement) bool { return p.Player == id }) {
					played++
				}
			}
			list, _, err := s.Matches(t.Context(), id, "", 100)
			must(t, err)
			if len(list) != played || played > 0 && games(t, s, id) != played {
				rt.Fatalf("%s played %d, %d are listed", id, played, len(list))
			}
			// The list tells the way of the rating without a jump.
			for i := range list {
				if now := ratings(t, s, id)[0]; i == 0 && list[0].After != now {
					rt.Fatalf("%s has %v, the last match says %v", id, now, list[0].After)
				}
				if i+1 < len(list) && list[i].Before != list[i+1].After {
					rt.Fatalf("%s jumped from %v to %v", id, list[i+1].After, list[i].Before)
				}
			}
		}
	})
}

// Several lobbies are handed the same results at the same time.
func TestResultsRecordedByManyAtOnceCountOnce(t *testing.T) {
	rdb := testredis.Start(t).Connect()
	names := []string{"ann", "ben", "cid", "dan"}
	const n = 30
	var wg sync.WaitGroup
	for lobby := range 4 {
		wg.Go(func() {
			s := players.New(rdb, ns, rating.Model{})
			for i := range n {
				i = (i + 7*lobby) % n
				if err := s.Record(context.Background(), duel(fmt.Sprint("r", i), names[i%4], names[(i+1)%4])); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s, sum := players.New(rdb, ns, rating.Model{}), 0
	for _, id := range names {
		list, _, err := s.Matches(t.Context(), id, "", 100)
		must(t, err)
		if sum += len(list); len(list) != games(t, s, id) {
			t.Errorf("%s has %d matches, %d are rated", id, len(list), games(t, s, id))
		}
		for i := range list[1:] {
			if list[i].Before != list[i+1].After {
				t.Errorf("%s jumped from %v to %v", id, list[i+1].After, list[i].Before)
			}
		}
	}
	if sum != 2*n {
		t.Errorf("%d matches are listed, want %d", sum, 2*n)
	}
}

// meanwhile does something before the first SET.
type meanwhile struct {
	cut
	do func()
}

func (m *meanwhile) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if do := m.do; cmd.Name() == "set" && do != nil {
			m.do = nil
			do()
		}
		return next(ctx, cmd)
	}
}

// A lobby that worked a result out and wrote it down too late goes by what was written before.
func TestFirstPlanCounts(t *testing.T) {
	server := testredis.Start(t)
	rdb, slow, dying := server.Connect(), server.Connect(), server.Connect()
	s := players.New(rdb, ns, rating.Model{})
	var planned string
	key := ns + ":{match:r1}:rating:600:0"
	slow.AddHook(&meanwhile{cut: cut{left: 1000}, do: func() {
		must(t, s.Record(t.Context(), duel("r2", "ann", "cid")))
		dying.AddHook(&cut{left: 3})
		if err := players.New(dying, ns, rating.Model{}).Record(t.Context(), duel("r1", "ann", "ben")); err == nil {
			t.Error("no error")
		}
		planned = rdb.Get(t.Context(), key).Val()
	}})
	must(t, players.New(slow, ns, rating.Model{}).Record(t.Context(), duel("r1", "ann", "ben")))
	if now := rdb.Get(t.Context(), key).Val(); planned == "" || now != planned {
		t.Errorf("the plan was\n%s\nand is\n%s", planned, now)
	}
	// By the first plan ann had won before, so that ben lost less by it than a new player does to a new one.
	m := rating.Model{}
	first := m.Rate([][]rating.Skill{{m.New()}, {m.New()}}, []int{1, 2})
	second := m.Rate([][]rating.Skill{first[0], {m.New()}}, []int{1, 2})
	if got := ratings(t, s, "ann", "ben"); got[0] != second[0][0].Rating() || got[1] != second[1][0].Rating() {
		t.Errorf("%v, want %v and %v", got, second[0][0].Rating(), second[1][0].Rating())
	}
}

// Two matches of a player that are rated at once, both from the same rating, count both.
func TestMatchesRatedAtOnceBothCount(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := players.New(rdb, ns, rating.Model{})
		// The plan of r1 is written, and then not applied until r2 is.
		hook := &cut{left: 3} // the plan is read, the ratings are, the plan is written
		rdb.AddHook(hook)
		if err := s.Record(t.Context(), duel("r1", "ann", "ben")); err == nil {
			t.Fatal("no error")
		}
		hook.mu.Lock()
		hook.left = 1000
		hook.mu.Unlock()
		keys, _ := rdb.Keys(t.Context(), "*").Result()
		if !slices.Equal(keys, []string{ns + ":{match:r1}:rating:600:0"}) {
			t.Fatalf("there is %v, want the plan alone", keys)
		}
		must(t, s.Record(t.Context(), duel("r2", "ann", "cid")))
		must(t, s.Record(t.Context(), duel("r1", "ann", "ben")))
		got := ratings(t, s, "ann", "ben", "cid")
		if rise := got[1].Mean - 1000; math.Abs(got[0].Mean-1000+2*rise) > 1e-6 || got[1] != got[2] {
			t.Errorf("ann won twice from the same rating: %v", got)
		}
		if got[0].Deviation >= got[1].Deviation || games(t, s, "ann") != 2 {
			t.Errorf("%v", got)
		}
	})
}

func TestUnreadableRatingCountsAsANewPlayers(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := players.New(rdb, ns, rating.Model{})
		for i, text := range []string{"x", "NaN NaN 1", "1e999 1 1", "25 -3 1", "25 8", "25 8 -1", "25 8 99999999999999999999", "inf inf 3"} {
			id := fmt.Sprint("p", i)
			must(t, rdb.HSet(t.Context(), keyspace.Player(ns, id)+":rating", "arena", text).Err())
			must(t, s.Record(t.Context(), duel("r"+id, id, "q"+id)))
			if got := ratings(t, s, id)[0]; !(got.Mean > 0 && got.Mean < 2000 && got.Deviation > 0 && got.Deviation < 400) {
				t.Errorf("%q became %v", text, got)
			}
		}
	})
}

func TestListOfMatchesIsCappedAndPagedStably(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := players.New(rdb, ns, rating.Model{})
		for n := range 105 {
			must(t, s.Record(t.Context(), duel(fmt.Sprintf("r%03d", n), "ann", "ben")))
		}
		var seen []string
		after, more := "", true
		for page := 0; more; page++ {
			var list []players.Match
			var err error
			list, more, err = s.Matches(t.Context(), "ann", after, 30)
			must(t, err)
			for _, m := range list {
				seen = append(seen, m.Room)
				after = m.ID
			}
			must(t, s.Record(t.Context(), duel(fmt.Sprint("new", page), "ann", "cid"))) // pages do not move by it
		}
		if len(seen) < 96 || seen[0] != "r104" || !slices.IsSortedFunc(seen, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Errorf("%d: %v", len(seen), seen)
		}
		if n := rdb.XLen(t.Context(), keyspace.Player(ns, "ann")+":matches").Val(); n != 100 {
			t.Errorf("%d are kept", n)
		}
	})
}

func TestPageAfterAPlaceThatIsNoneIsEmptyOrTheNewest(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := players.New(rdb, ns, rating.Model{})
		must(t, s.Record(t.Context(), duel("r1", "ann", "ben")))
		for cursor, want := range map[string]int{"0-0": 0, "000-00": 0, "0-1": 0, "999999999999999-9999999999": 1} {
			list, more, err := s.Matches(t.Context(), "ann", cursor, 10)
			if err != nil || len(list) != want || more {
				t.Errorf("after %s come %d and more %v, %v", cursor, len(list), more, err)
			}
		}
	})
}
