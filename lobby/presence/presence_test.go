package presence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby/keyspace"
	"muster/match/cluster"
)

const ns = "test"

// bench is a Tracker and the notices that it sent.
type bench struct {
	*Tracker
	mu      sync.Mutex
	notices []string
}

func start(rdb redis.UniversalClient, allow func(context.Context, string, []string) ([]bool, error)) *bench {
	b := &bench{}
	b.Tracker = New(Config{Redis: rdb, Namespace: ns, Allow: allow, Publish: func(_ context.Context, n cluster.Notice) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.notices = append(b.notices, n.Kind+" "+n.ID)
		return nil
	}})
	return b
}

// sent returns how often a player's change was told.
func (b *bench) sent(player string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.notices {
		if s == Notice+" "+keyspace.Digest(player) {
			n++
		}
	}
	return n
}

// see returns a player's state, as another sees it.
func (b *bench) see(t *testing.T, player string) string {
	t.Helper()
	list, err := b.States(context.Background(), "watcher", []string{player})
	if err != nil {
		t.Fatal(err)
	}
	return list[0].State
}

// inBubble runs a test in virtual time, on an embedded Redis.
func inBubble(t *testing.T, test func(t *testing.T, rdb redis.UniversalClient)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		defer stop()
		test(t, rdb)
	})
}

func TestStateIsWhatAPlayerDoesThatCountsMost(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		a, b := start(rdb, nil), start(rdb, nil)
		defer a.Close(context.Background())
		defer b.Close(context.Background())
		for i, step := range []struct {
			do   func()
			want string
		}{
			{func() {}, Offline},
			{func() { a.Connected("p") }, Online},
			{func() { b.Connected("p"); b.Connected("p") }, Online},
			{func() { a.Queued("p", "duel", time.Hour) }, InQueue},
			{func() { b.Queued("p", "arena", time.Hour) }, InQueue},
			{func() { b.Queued("p", "duel", 0) }, InQueue},
			{func() { b.Seated("p") }, InMatch},
			{func() { b.Queued("p", "arena", 0) }, InMatch},
			{func() { a.Disconnected("p"); b.Disconnected("p"); b.Disconnected("p") }, InMatch},
			{func() { b.Unseated("p") }, Offline},
		} {
			step.do()
			time.Sleep(linger + 2*lookEvery)
			if got := a.see(t, "p"); got != step.want {
				t.Errorf("step %d: %s, want %s", i, got, step.want)
			}
		}
		if n := a.sent("p") + b.sent("p"); n != 4 { // online, in a queue, in a match, offline
			t.Errorf("%d changes were told", n)
		}
	})
}

func TestSocketThatComesBackSoonWasNeverGone(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := start(rdb, nil)
		defer b.Close(context.Background())
		b.Connected("p")
		for range 20 {
			time.Sleep(10 * time.Second)
			b.Disconnected("p")
			time.Sleep(linger - time.Second)
			b.Connected("p")
		}
		if b.see(t, "p") != Online || b.sent("p") != 1 {
			t.Errorf("%s, told %d times", b.see(t, "p"), b.sent("p"))
		}
		b.Disconnected("p")
		time.Sleep(linger + 2*lookEvery)
		if b.see(t, "p") != Offline || b.sent("p") != 2 {
			t.Errorf("%s, told %d times", b.see(t, "p"), b.sent("p"))
		}
	})
}

// What a process holds lasts while it lives, ends at once when it is closed, and by itself when it dies.
func TestProcessThatDiesTakesItsPlayersWithIt(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		stays, closed, dies := start(rdb, nil), start(rdb, nil), start(rdb, nil)
		defer stays.Close(context.Background())
		stays.Connected("stays")
		closed.Seated("closed")
		dies.Connected("dies")
		time.Sleep(10 * ttl)
		for _, p := range []string{"stays", "closed", "dies"} {
			if stays.see(t, p) == Offline {
				t.Errorf("%s is offline", p)
			}
		}
		closed.Close(context.Background())
		if stays.see(t, "closed") != Offline || closed.sent("closed") != 2 {
			t.Errorf("%s, told %d times", stays.see(t, "closed"), closed.sent("closed"))
		}
		dies.stop() // as kill -9 would
		dies.wg.Wait()
		time.Sleep(ttl)
		if stays.see(t, "dies") != Offline || stays.see(t, "stays") != Online {
			t.Errorf("the dead one is %s, the other %s", stays.see(t, "dies"), stays.see(t, "stays"))
		}
		if n := rdb.Exists(t.Context(), stays.key("dies"), stays.key("closed")).Val(); n != 0 {
			t.Errorf("%d keys are left", n)
		}
	})
}

func TestWhoMayNotWatchSeesWhatHeWouldSeeOfNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		fails := false
		b := start(rdb, func(_ context.Context, watcher string, watched []string) (may []bool, err error) {
			if fails {
				return nil, errors.New("the profiles cannot be read")
			}
			for _, p := range watched {
				may = append(may, watcher == "friend" || p == "open")
			}
			return may, nil
		})
		defer b.Close(context.Background())
		for _, p := range []string{"open", "shy", "me"} {
			b.Connected(p)
		}
		time.Sleep(time.Second)
		for watcher, want := range map[string]string{
			"stranger": "[{open online} {shy offline} {me offline} {nobody offline}]",
			"friend":   "[{open online} {shy online} {me online} {nobody offline}]",
			"me":       "[{open online} {shy offline} {me online} {nobody offline}]",
		} {
			if list, err := b.States(t.Context(), watcher, []string{"open", "shy", "me", "nobody"}); err != nil || fmt.Sprint(list) != want {
				t.Errorf("%s sees %v, %v", watcher, list, err)
			}
		}
		fails = true
		if list, err := b.States(t.Context(), "friend", []string{"open"}); err == nil {
			t.Errorf("though it is not known whether he may, he sees %v", list)
		}
		b.Changed(t.Context(), "shy")
		if b.sent("shy") != 2 {
			t.Error("that his choice has changed was not told")
		}
	})
}

var errDown = errors.New("no answer of Redis")

// outage makes a Redis that can be down.
type outage struct{ down atomic.Bool }

func (o *outage) DialHook(next redis.DialHook) redis.DialHook { return next }

func (o *outage) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (o *outage) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if !o.down.Load() {
			return next(ctx, cmds)
		}
		for _, c := range cmds {
			c.SetErr(errDown)
		}
		return errDown
	}
}

func TestChangesDuringAnOutageAreWrittenAfterIt(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		b, o := start(rdb, nil), &outage{}
		rdb.AddHook(o)
		defer b.Close(context.Background())
		b.Connected("leaves")
		time.Sleep(2 * time.Second)
		o.down.Store(true)
		b.Connected("comes")
		b.Queued("waits", "duel", time.Hour)
		b.Disconnected("leaves")
		time.Sleep(30 * time.Second)
		o.down.Store(false)
		time.Sleep(2 * lookEvery)
		for player, want := range map[string]string{"comes": Online, "waits": InQueue, "leaves": Offline} {
			if got := b.see(t, player); got != want {
				t.Errorf("%s is %s", player, got)
			}
		}
	})
}

func TestChangesOfQueuesThatWaitAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		b, o := start(rdb, nil), &outage{}
		rdb.AddHook(o)
		defer b.Close(context.Background())
		o.down.Store(true)
		for n := range 3 * maxQueued {
			b.Queued(fmt.Sprint("p", n), "duel", time.Hour)
		}
		time.Sleep(5 * lookEvery)
		b.Tracker.mu.Lock()
		n := len(b.queue)
		b.Tracker.mu.Unlock()
		if n > maxQueued {
			t.Errorf("%d wait", n)
		}
		o.down.Store(false)
	})
}

func TestPlayersWhoLeaveDuringAnOutageAreNotRememberedWithoutBound(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		b, o := start(rdb, nil), &outage{}
		rdb.AddHook(o)
		defer b.Close(context.Background())
		o.down.Store(true)
		b.Connected("stays")
		for n := range 3 * maxQueued {
			b.Connected(fmt.Sprint("p", n))
			b.Disconnected(fmt.Sprint("p", n))
		}
		time.Sleep(linger + 5*lookEvery)
		b.Tracker.mu.Lock()
		n := len(b.dirty)
		b.Tracker.mu.Unlock()
		if n > maxQueued+1 {
			t.Errorf("%d are to be written", n)
		}
		o.down.Store(false)
		time.Sleep(2 * lookEvery)
		if got := b.see(t, "stays"); got != Online {
			t.Errorf("who is here all the time is %s", got)
		}
	})
}

// The same on both kinds of Redis; players' ids may be anything.
func TestManyPlayersAreWrittenAndReadInBatches(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := start(rdb, nil)
		defer b.Close(context.Background())
		var players []string
		for n := range 3*batch + 5 {
			p := fmt.Sprintf("p%d {x}*\r\n", n)
			players = append(players, p)
			b.Connected(p)
			if n%2 == 1 {
				b.Seated(p)
			}
		}
		for deadline := time.Now().Add(10 * time.Second); ; {
			list, err := b.States(t.Context(), "watcher", players)
			if err != nil {
				t.Fatal(err)
			}
			wrong := 0
			for n, s := range list {
				if want := []string{Online, InMatch}[n%2]; s.Player != players[n] || s.State != want {
					wrong++
				}
			}
			if wrong == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d are wrong", wrong, len(list))
			}
		}
		keys, err := rdb.Keys(t.Context(), "*").Result()
		if err != nil || len(keys) != len(players) {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for _, k := range keys {
			if d := rdb.PTTL(t.Context(), k).Val(); d <= 0 || d > ttl || strings.Contains(k, "x}*") {
				t.Errorf("%q ends in %v", k, d)
			}
		}
	})
}

// A script may run twice: an answer can be lost.
func TestChangeThatIsWrittenTwiceIsTheSame(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := start(rdb, nil)
		defer b.Close(context.Background())
		for i, c := range []struct {
			args []any
			want int
		}{
			{[]any{"c:1", 60_000}, 1},
			{[]any{"c:1", 60_000}, 0},
			{[]any{"m:1", 60_000, "q:duel", 60_000}, 1},
			{[]any{"m:1", 0}, 1},
			{[]any{"m:1", 0}, 0},
			{[]any{"q:duel", 0, "c:1", 0}, 1},
			{[]any{"c:1", 0}, 0},
		} {
			if got, err := rdb.Eval(t.Context(), changeScript, []string{b.key("p")}, c.args...).Int(); err != nil || got != c.want {
				t.Errorf("step %d: %d, %v", i, got, err)
			}
		}
	})
}

// Redis decides whether a state has changed, and Go what it is: they must agree on what is not ours as well.
func TestWhatIsNotOursInAHashIsNothing(t *testing.T) {
	for fields, want := range map[string]string{
		"": Offline, "c:1=2000": Online, "c:1=500": Offline, "c:1=x": Offline, "q:a=2000 c:1=2000": InQueue,
		"m:1=500 c:1=2000": Online, "m:1=2000 q:a=2000": InMatch, "z=2000": Offline,
	} {
		hash := map[string]string{}
		for _, f := range strings.Fields(fields) {
			k, v, _ := strings.Cut(f, "=")
			hash[k] = v
		}
		if got := stateOf(hash, 1000); got != want {
			t.Errorf("%s: %s, want %s", fields, got, want)
		}
	}
}
