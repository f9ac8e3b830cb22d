package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/redis/go-redis/v9"

	"muster/internal/race"
	"muster/internal/simnet"
	"muster/proto"
)

type echoBody struct {
	Text string `json:"text"`
}

func (b *echoBody) Check() error {
	if len(b.Text) > 10 {
		return errors.New("text: at most 10 bytes")
	}
	return nil
}

func TestRequestsAreAnsweredByNumber(t *testing.T) {
	h := newHall(t, func(c *Config) {
		c.Count = func(_ context.Context, player string) error {
			if player == "eager" {
				return huma.ErrorWithHeaders(huma.Error429TooManyRequests("too many requests"), http.Header{"Retry-After": {"3"}})
			}
			return nil
		}
		c.Handlers = Handlers{
			"test.echo": Typed(func(_ context.Context, c Caller, b *echoBody) (any, error) {
				return map[string]string{"text": b.Text, "player": c.Player.ID, "host": c.Host}, nil
			}),
			"test.panic":  func(context.Context, Caller, json.RawMessage) (any, error) { panic("oh") },
			"test.broken": func(context.Context, Caller, json.RawMessage) (any, error) { return func() {}, nil },
			"test.down":   func(context.Context, Caller, json.RawMessage) (any, error) { return nil, errDown },
			"test.gone": func(context.Context, Caller, json.RawMessage) (any, error) {
				return nil, huma.Error404NotFound("there is no such ticket", &huma.ErrorDetail{Location: "body.id"})
			},
		}
	})
	ctx := testContext(t)
	p, _ := h.join(ctx, "alice", "")
	for _, c := range []struct {
		do, body string
		status   int // 0 is none
		text     string
	}{
		{"test.echo", `{"text":"hi"}`, 0, `"text":"hi"`},
		{"test.echo", `{"text":"hi"}`, 0, `"host":"` + strings.TrimPrefix(h.url, "ws://") + `"`},
		{"test.echo", `null`, 0, `"text":""`},
		{"test.echo", `{"txt":"hi"}`, 422, "unknown field"},
		{"test.echo", `{"text":5}`, 422, "text"},
		{"test.echo", `{"text":"much too long"}`, 422, "at most 10 bytes"},
		{"test.echo", `[]`, 422, "the body"},
		{"test.panic", `{}`, 500, "the server failed"},
		{"test.broken", `{}`, 500, "the server failed"},
		{"test.down", `{}`, 503, notNow},
		{"test.gone", `{}`, 404, "there is no such ticket"},
		{"test.unknown", `{}`, 404, "no such request"},
	} {
		m := p.ask(ctx, c.do, c.body)
		switch {
		case c.status == 0:
			if m.Error != nil || !strings.Contains(string(m.OK), c.text) {
				t.Errorf("%s %s: %s, %+v", c.do, c.body, m.OK, m.Error)
			}
		case m.Error == nil || m.Error.Status != c.status || !strings.Contains(m.Error.Detail, c.text) || m.Error.Title != http.StatusText(c.status):
			t.Errorf("%s %s: %s, %+v", c.do, c.body, m.OK, m.Error)
		case c.do == "test.gone" && !strings.Contains(string(m.Error.Errors), "body.id"):
			t.Errorf("the details are %s", m.Error.Errors)
		}
	}
	eager, _ := h.join(ctx, "eager", "")
	if m := eager.ask(ctx, "test.echo", "{}"); m.Error == nil || m.Error.Status != 429 || m.Error.RetryAfter != 3 {
		t.Errorf("%+v", m.Error)
	}
	if m := eager.ask(ctx, "ping", "{}"); m.Error != nil || string(m.OK) != "{}" { // which is not counted
		t.Errorf("a ping: %s, %+v", m.OK, m.Error)
	}
	// A request is counted after its answer is on its way.
	eventually(t, "each request is counted", func() bool { return h.value("muster_lobby_requests_total", "do=test.echo") == 8 })
	if h.value("muster_lobby_requests_total", "do=test.unknown") != 0 {
		t.Error("requests are counted by names that there are not")
	}
}

func TestRequestsOverTheRateAreRefusedAndGoOnAfterwards(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{}, func(c *Config) {
			c.Handlers = Handlers{"test.echo": Typed(func(context.Context, Caller, *struct{}) (any, error) { return 1, nil })}
		})
		p, _ := h.join(ctx, "alice", "")
		served, refused := 0, 0
		for range 60 {
			if m := p.ask(ctx, "test.echo", "{}"); m.Error == nil {
				served++
			} else if refused++; m.Error.Status != http.StatusTooManyRequests || m.Error.RetryAfter == 0 {
				t.Fatalf("%+v", m.Error)
			}
		}
		if served != messagesAtOnce-1 || refused != 60-served { // the hello was one
			t.Errorf("%d served and %d refused", served, refused)
		}
		time.Sleep(2 * time.Second)
		if m := p.ask(ctx, "test.echo", "{}"); m.Error != nil {
			t.Errorf("%+v", m.Error)
		}
	})
}

func TestRequestEndsWithItsSocket(t *testing.T) {
	began, ended := make(chan struct{}), make(chan error, 1)
	h := newHall(t, func(c *Config) {
		c.Handlers = Handlers{"test.wait": Typed(func(ctx context.Context, _ Caller, _ *struct{}) (any, error) {
			close(began)
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		})}
	})
	p, _ := h.join(testContext(t), "alice", "")
	p.send(testContext(t), `{"n":1,"do":"test.wait"}`)
	<-began
	h.server.Drain()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestSocketWithoutAHelloIsClosedAfterFiveSeconds(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{}, nil)
		h.post("alice", 1)
		p := h.connect(ctx, h.token("alice", time.Hour))
		began := time.Now()
		m := p.next(ctx)
		if took := time.Since(began); m == nil || m.Bye == nil || m.Bye.Code != proto.CodeIdle || took < helloWithin || took > helloWithin+time.Second {
			t.Errorf("%+v after %v", m, took)
		}
	})
}

func TestPeerThatIsGoneIsNoticedWithinTwoPings(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{}, nil)
		p, _ := h.join(ctx, "alice", "")
		dead := h.raw("bob") // it answers no ping
		_, err := dead.Write([]byte("\x81\x8e\x00\x00\x00\x00" + `{"do":"hello"}`))
		must(t, err)
		read := make(chan struct{})
		go func() { // and this one does
			defer close(read)
			p.event(ctx)
		}()
		time.Sleep(21 * time.Second)
		if h.closes(proto.CodeIdle) != 1 || h.open() != 1 {
			t.Errorf("%v closed as idle, %v sockets", h.closes(proto.CodeIdle), h.open())
		}
		time.Sleep(time.Minute)
		h.post("alice", 1)
		<-read
	})
}

func TestTokenThatEndsClosesItsSocketUnlessItIsRefreshed(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{}, func(c *Config) {
			c.PingEvery = time.Hour
			c.Handlers = Handlers{"test.expires": Typed(func(_ context.Context, c Caller, _ *struct{}) (any, error) { return c.Player.Expires.Unix(), nil })}
		})
		dial := func() *peer {
			p := h.connect(ctx, h.token("alice", 20*time.Second))
			p.send(ctx, `{"do":"hello"}`)
			return p
		}
		keeps, stays := dial(), dial()
		newer := h.token("alice", 40*time.Second)
		if m := keeps.ask(ctx, "refresh", fmt.Sprintf(`{"token":%q}`, newer)); m.Error != nil || string(m.OK) != `{"expires":40}` {
			t.Errorf("%s, %+v", m.OK, m.Error)
		}
		if m := keeps.ask(ctx, "test.expires", "{}"); string(m.OK) != fmt.Sprint(time.Now().Add(40*time.Second).Unix()) {
			t.Errorf("requests see a token that ends at %s", m.OK)
		}
		if m := keeps.ask(ctx, "refresh", fmt.Sprintf(`{"token":%q}`, h.token("alice", -time.Minute))); m.Error == nil || m.Error.Status != 401 {
			t.Errorf("a token that has ended: %+v", m)
		}
		began := time.Now()
		if said, frame := stays.closed(ctx); said != proto.CodeTokenExpiry || frame != proto.CodeTokenExpiry {
			t.Errorf("bye %d, close frame %d, want 4205", said, frame)
		}
		if took := time.Since(began); took < 24*time.Second || took > 27*time.Second {
			t.Errorf("closed after %v", took)
		}
		keeps.closed(ctx)
		if took := time.Since(began); keeps.bye.Code != proto.CodeTokenExpiry || took < 44*time.Second || took > 47*time.Second {
			t.Errorf("%+v after %v", keeps.bye, took)
		}
		for name, c := range map[string]struct {
			token string
			want  proto.Code
		}{"garbage": {"x", proto.CodeTokenBad}, "another player's": {h.token("bob", time.Hour), proto.CodeNotYourSeat}} {
			p, _ := h.join(ctx, "alice", "")
			p.send(ctx, fmt.Sprintf(`{"n":1,"do":"refresh","body":{"token":%q}}`, c.token))
			if said, _ := p.closed(ctx); said != c.want {
				t.Errorf("%s: bye %d, want %d", name, said, c.want)
			}
		}
	})
}

func TestOldestSocketOfAPlayerGivesWay(t *testing.T) {
	h := newHall(t, func(c *Config) { c.MaxPerPlayer = 3 })
	ctx := testContext(t)
	var peers []*peer
	for range 10 {
		p, _ := h.join(ctx, "alice", "")
		peers = append(peers, p)
	}
	for i, p := range peers[:7] {
		if said, frame := p.closed(ctx); said != proto.CodeReplaced || frame != proto.CodeReplaced {
			t.Errorf("socket %d: bye %d, close frame %d, want 4406", i, said, frame)
		}
	}
	h.post("alice", 1)
	for _, p := range peers[7:] {
		p.event(ctx)
	}
	if h.closes(proto.CodeReplaced) != 7 {
		t.Errorf("%v are counted", h.closes(proto.CodeReplaced))
	}
}

func TestDrainSendsClientsElsewhere(t *testing.T) {
	h := newHall(t, nil)
	ctx := testContext(t)
	p, _ := h.join(ctx, "alice", "")
	h.server.Drain()
	if said, frame := p.closed(ctx); said != proto.CodeNodeLeaving || frame != proto.CodeNodeLeaving || p.bye.AfterMS == 0 {
		t.Errorf("bye %+v, close frame %d, want 4002", p.bye, frame)
	}
	_, res, err := h.dial(ctx, h.token("alice", time.Hour))
	if res == nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new one: %v", err)
	}
}

func TestLobbyHearsEachTenSecondsWhoIsThere(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		var mu sync.Mutex
		var heard [][]string
		h := newSimHall(t, rdb, simnet.Link{}, func(c *Config) {
			c.Alive = func(_ context.Context, players []string) {
				mu.Lock()
				defer mu.Unlock()
				slices.Sort(players)
				heard = append(heard, players)
			}
		})
		for _, player := range []string{"bob", "alice", "alice"} {
			p, _ := h.join(ctx, player, "")
			go p.closed(ctx) // it answers pings
		}
		h.connect(ctx, h.token("silent", time.Hour)) // has said no hello
		time.Sleep(31 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		if got := fmt.Sprint(heard); got != "[[alice bob] [alice bob] [alice bob]]" {
			t.Errorf("heard %s", got)
		}
	})
}

// goroutines returns the stacks of all goroutines by their numbers, but for those of clients and servers of Redis, which have
// as many as they need.
func goroutines() map[string]string {
	all := map[string]string{}
	stacks := make([]byte, 8<<20)
	for _, one := range strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if !strings.Contains(one, "redis/go-redis") && !strings.Contains(one, "miniredis") {
			number, _, _ := strings.Cut(one, " [")
			all[number] = one
		}
	}
	return all
}

func TestSocketsThatComeAndGoLeaveNothing(t *testing.T) {
	h := newHall(t, nil)
	ctx := testContext(t)
	visit := func() {
		p, _ := h.join(ctx, "alice", "")
		p.ask(ctx, "presence.watch", `{"players":["bob","carol"]}`)
		_ = p.CloseNow()
	}
	visit() // what is begun at the first and stays is no leak
	eventually(t, "it to be gone", func() bool { return h.open() == 0 })
	before := goroutines()
	for range 120 {
		visit()
	}
	eventually(t, "all to be gone", func() bool {
		left := goroutines()
		maps.DeleteFunc(left, func(number, _ string) bool { return before[number] != "" })
		return h.open() == 0 && len(left) == 0
	})
	h.server.mu.Lock()
	defer h.server.mu.Unlock()
	if len(h.server.byPlayer)+len(h.server.watchers)+len(h.server.conns)+len(h.server.marked) > 0 {
		t.Errorf("%d players, %d watched, %d sockets, %d marked are left", len(h.server.byPlayer), len(h.server.watchers), len(h.server.conns), len(h.server.marked))
	}
}

// What a socket costs that says nothing, at the server's end: its goroutine, its buffers, its place in the indexes. The
// client's end is a bare connection.
func TestIdleSocketsCostLittle(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector has memory of its own")
	}
	const sockets, most = 1000, 24 << 10 // bytes each
	h := newHall(t, nil)
	memory := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	h.raw("first")
	before := memory()
	for n := range sockets {
		c := h.raw(fmt.Sprint("p", n))
		_, err := c.Write([]byte("\x81\x8e\x00\x00\x00\x00" + `{"do":"hello"}`))
		must(t, err)
	}
	eventually(t, "all hellos", func() bool {
		h.server.mu.Lock()
		defer h.server.mu.Unlock()
		return len(h.server.marked) == 0 && len(h.server.conns) > sockets
	})
	each := (memory() - before) / sockets
	t.Logf("%.1f KiB for each of %d idle sockets, the client's end and what Redis keeps in this process included", float64(each)/1024, sockets)
	if each > most {
		t.Errorf("%d bytes each, want %d at most", each, most)
	}
}
