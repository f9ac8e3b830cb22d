package live

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/simnet"
	"muster/lobby/presence"
	"muster/match/cluster"
	"muster/proto"
)

// watches sends presence.watch and returns what is told before the answer.
func (p *peer) watches(ctx context.Context, players ...string) map[string]string {
	p.t.Helper()
	list, _ := json.Marshal(players)
	p.n++
	p.send(ctx, fmt.Sprintf(`{"n":%d,"do":"presence.watch","body":{"players":%s}}`, p.n, list))
	states := map[string]string{}
	for {
		m := p.next(ctx)
		switch {
		case m == nil:
			p.t.Fatalf("the socket ended: %+v", p.bye)
		case m.Re == p.n:
			if m.Error != nil || string(m.OK) != fmt.Sprintf(`{"watched":%d}`, len(players)) {
				p.t.Errorf("%s, %+v", m.OK, m.Error)
			}
			return states
		}
		for _, s := range m.Presence {
			states[s.Player] = s.State
		}
	}
}

// sees reads until a player is told to be in a state, and returns how long that took.
func (p *peer) sees(ctx context.Context, player, state string) time.Duration {
	p.t.Helper()
	for began := time.Now(); ; {
		m := p.next(ctx)
		if m == nil {
			p.t.Fatalf("the socket ended before %s was %s: %+v", player, state, p.bye)
		}
		for _, s := range m.Presence {
			if s.Player == player && s.State == state {
				return time.Since(began)
			}
		}
	}
}

// pump lets a client read on, so that it answers pings.
func (p *peer) pump(ctx context.Context) { go p.closed(ctx) }

func TestWatcherIsToldHowPlayersAreAndOfEachChange(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		here, there := newSimHall(t, rdb, simnet.Link{}, nil), newSimHall(t, rdb, simnet.Link{}, nil)
		time.Sleep(time.Second)
		bob, _ := there.join(ctx, "bob", "")
		bob.pump(ctx)
		time.Sleep(time.Second)
		alice, _ := here.join(ctx, "alice", "")
		if got := fmt.Sprint(alice.watches(ctx, "bob", "carol")); got != "map[bob:online carol:offline]" {
			t.Errorf("first %s", got)
		}
		for _, c := range []struct {
			do            func()
			player, state string
			within        time.Duration
		}{
			{func() { there.tracker.Queued("bob", "duel", time.Minute) }, "bob", presence.InQueue, time.Second},
			{func() { here.tracker.Seated("bob") }, "bob", presence.InMatch, time.Second},
			{func() { here.tracker.Unseated("bob"); there.tracker.Queued("bob", "duel", 0) }, "bob", presence.Online, 8 * time.Second},
			{func() { c, _ := here.join(ctx, "carol", ""); c.pump(ctx) }, "carol", presence.Online, time.Second},
			{func() { _ = bob.CloseNow() }, "bob", presence.Offline, 8 * time.Second},
		} {
			c.do()
			if took := alice.sees(ctx, c.player, c.state); took > c.within {
				t.Errorf("%s is %s after %v", c.player, c.state, took)
			}
		}
		_ = alice.CloseNow()
		again, _ := there.join(ctx, "alice", "") // another lobby: its states are told anew
		if got := fmt.Sprint(again.watches(ctx, "bob", "carol")); got != "map[bob:offline carol:online]" {
			t.Errorf("on the next socket %s", got)
		}
	})
}

func TestChangesOfPresenceAreSeenThoughNoNoticeComes(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{}, nil)
		h.deaf.Store(true)
		alice, _ := h.join(ctx, "alice", "")
		alice.watches(ctx, "bob")
		h.tracker.Seated("bob")
		if took := alice.sees(ctx, "bob", presence.InMatch); took > lookWhoEvery+time.Second {
			t.Errorf("after %v", took)
		}
	})
}

func TestWhomOneMayNotWatchIsOfflineUntilHeAllowsIt(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		var open atomic.Bool
		h := newSimHall(t, rdb, simnet.Link{}, nil)
		h.tracker.Close(ctx)
		h.tracker = presence.New(presence.Config{
			Redis: rdb, Namespace: ns, Publish: func(ctx context.Context, n cluster.Notice) error { return h.bus.Publish(ctx, n) },
			Allow: func(_ context.Context, _ string, watched []string) ([]bool, error) {
				may := make([]bool, len(watched))
				for i := range may {
					may[i] = open.Load()
				}
				return may, nil
			},
		})
		h.server.cfg.Presence = h.tracker
		time.Sleep(time.Second)
		h.tracker.Connected("bob")
		time.Sleep(time.Second)
		alice, _ := h.join(ctx, "alice", "")
		if got := fmt.Sprint(alice.watches(ctx, "bob", "nobody")); got != "map[bob:offline nobody:offline]" {
			t.Errorf("first %s", got)
		}
		h.tracker.Seated("bob") // nothing of it is told
		time.Sleep(time.Second)
		if m := alice.ask(ctx, "unknown", "{}"); m.Error == nil {
			t.Errorf("%+v", m)
		}
		open.Store(true)
		h.tracker.Changed(ctx, "bob")
		alice.sees(ctx, "bob", presence.InMatch)
		open.Store(false)
		h.tracker.Changed(ctx, "bob")
		alice.sees(ctx, "bob", presence.Offline)
	})
}

func TestWhatIsWatchedIsBoundedAndReplaced(t *testing.T) {
	h := newHall(t, nil)
	ctx := testContext(t)
	p, _ := h.join(ctx, "alice", "")
	many := make([]string, maxWatched+1)
	for n := range many {
		many[n] = fmt.Sprint("p", n)
	}
	text, _ := json.Marshal(many)
	for name, body := range map[string]string{
		"too many": `{"players":` + string(text) + `}`, "no id": `{"players":[""]}`, "one twice": `{"players":["a","a"]}`,
		"a long id": `{"players":["` + strings.Repeat("x", proto.MaxID+1) + `"]}`, "a number": `{"players":[1]}`, "another field": `{"player":"a"}`,
	} {
		if m := p.ask(ctx, "presence.watch", body); m.Error == nil || m.Error.Status != 422 {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if got := p.watches(ctx, many[:maxWatched]...); len(got) != maxWatched {
		t.Errorf("%d are told", len(got))
	}
	p.watches(ctx, "bob")
	h.server.mu.Lock()
	if n := len(h.server.watchers); n != 1 {
		t.Errorf("%d are watched", n)
	}
	h.server.mu.Unlock()
	p.watches(ctx)
	h.server.mu.Lock()
	defer h.server.mu.Unlock()
	if n := len(h.server.watchers); n != 0 {
		t.Errorf("%d are watched", n)
	}
}

// Who does not read is told, once he does, how players are then.
func TestSlowWatcherIsToldTheNewestStates(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{Buffer: 1 << 10}, func(c *Config) { c.PingEvery = time.Hour })
		alice, _ := h.join(ctx, "alice", "")
		many := make([]string, maxWatched)
		for n := range many {
			many[n] = fmt.Sprintf("player-%d-%s", n, strings.Repeat("x", 15))
		}
		alice.watches(ctx, many...)
		for range 2 {
			for _, p := range many {
				h.tracker.Queued(p, "duel", time.Minute)
			}
			time.Sleep(time.Second)
			for _, p := range many {
				h.tracker.Queued(p, "duel", 0)
			}
			time.Sleep(time.Second)
		}
		h.tracker.Seated(many[7])
		time.Sleep(time.Second)
		for _, c := range h.server.all() {
			if !c.Pipe.Congested() {
				t.Error("nothing waits for the watcher")
			}
		}
		states := map[string]string{}
		for states[many[7]] != presence.InMatch {
			for _, s := range alice.next(ctx).Presence {
				states[s.Player] = s.State
			}
		}
		time.Sleep(time.Second)
		alice.send(ctx, `{"n":9999,"do":"unknown"}`)
		for m := alice.next(ctx); m.Re != 9999; m = alice.next(ctx) {
			for _, s := range m.Presence {
				states[s.Player] = s.State
			}
		}
		for n, p := range many {
			if want := presence.Offline; n != 7 && states[p] != "" && states[p] != want {
				t.Errorf("player %d is %s", n, states[p])
			}
		}
		if h.closes(proto.CodeSlowReader) != 0 {
			t.Error("it was closed")
		}
	})
}

// One small message has Redis asked about 200 players.
func TestWatchingManyCountsAsSeveralRequests(t *testing.T) {
	var left atomic.Int32
	left.Store(7)
	h := newHall(t, func(c *Config) {
		c.Count = func(context.Context, string) error {
			if left.Add(-1) < 0 {
				return &Problem{Status: http.StatusTooManyRequests, Detail: "too many requests", RetryAfter: 3}
			}
			return nil
		}
	})
	ctx := testContext(t)
	p, _ := h.join(ctx, "alice", "")
	watch := func(n int) *message {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("%q", fmt.Sprint("p", i))
		}
		return p.ask(ctx, "presence.watch", `{"players":[`+strings.Join(ids, ",")+`]}`)
	}
	for _, c := range []struct {
		n    int
		left int32
	}{{0, 6}, {50, 5}, {51, 3}, {150, 0}} {
		if m := watch(c.n); m.Error != nil || left.Load() != c.left {
			t.Errorf("watching %d: %+v; %d requests are left, want %d", c.n, m.Error, left.Load(), c.left)
		}
	}
	left.Store(3)
	if m := watch(200); m.Error == nil || m.Error.Status != http.StatusTooManyRequests || m.Error.RetryAfter != 3 {
		t.Errorf("watching 200 with 3 requests left: %+v", m)
	}
}
