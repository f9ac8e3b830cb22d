package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"muster/internal/simnet"
	"muster/lobby/inbox"
	"muster/proto"
)

func TestEventsFromBeforeAndAfterTheHelloComeInOrder(t *testing.T) {
	h := newHall(t, nil)
	ctx := testContext(t)
	for n := range 100 { // more than a page
		h.post("alice", n)
	}
	p, hello := h.join(ctx, "alice", "")
	if hello.Player != "alice" || hello.Name != "Nalice" || hello.Expires < 3000 || hello.Expires > 3600 || time.Since(hello.Time) > time.Minute {
		t.Errorf("hello %+v", hello)
	}
	last := ""
	for n := range 200 {
		if n >= 100 {
			h.post("alice", n)
			h.post("bob", "another's")
		}
		e := p.event(ctx)
		if string(e.Body) != strconv.Itoa(n) || e.Kind != "test" || e.ID == last || e.At.IsZero() {
			t.Fatalf("event %d is %+v", n, e)
		}
		if last = e.ID; n == 99 && last != hello.Last {
			t.Errorf("hello said that %s is the last, it is %s", hello.Last, last)
		}
	}
	eventually(t, "200 events to be counted", func() bool { return h.value("muster_lobby_events_total") == 200 }) // each once it is written
	_, hello = h.join(ctx, "alice", last)
	if hello.Last != last {
		t.Errorf("the last is %s, want %s", hello.Last, last)
	}
}

func TestEachSocketOfAPlayerGetsEveryEvent(t *testing.T) {
	h := newHall(t, nil)
	ctx := testContext(t)
	a, _ := h.join(ctx, "alice", "")
	b, _ := h.join(ctx, "alice", "")
	for n := range 20 {
		h.post("alice", n)
	}
	for _, p := range []*peer{a, b} {
		for n := range 20 {
			if e := p.event(ctx); string(e.Body) != strconv.Itoa(n) {
				t.Fatalf("event %d is %s", n, e.Body)
			}
		}
	}
}

func TestEventForAllPlayersReachesEverySocket(t *testing.T) {
	h := newHall(t, nil)
	ctx := testContext(t)
	must(t, h.inbox.PostAll(ctx, "k", "notification", 1))
	var peers []*peer
	for n := range 10 {
		p, _ := h.join(ctx, fmt.Sprint("p", n), "")
		peers = append(peers, p)
	}
	must(t, h.inbox.PostAll(ctx, "k", "notification", "not again"))
	must(t, h.inbox.PostAll(ctx, "", "notification", 2))
	for _, p := range peers {
		first, second := p.event(ctx), p.event(ctx)
		if string(first.Body) != "1" || string(second.Body) != "2" {
			t.Errorf("%s, %s", first.Body, second.Body)
		}
	}
}

// reader is a player's device: it keeps the last event's id, and goes on from it on its next socket.
type reader struct {
	mu     sync.Mutex
	last   string
	bodies []int // of every event that was read
	faults []string
	sock   *peer
	done   chan struct{}
}

func (r *reader) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// open reads on by a new socket.
func (r *reader) open(ctx context.Context, h *hall, player string) {
	ws, _, err := h.dial(ctx, h.token(player, time.Hour))
	if err != nil {
		r.fault("dialling: %v", err)
		return
	}
	r.sock, r.done = &peer{Conn: ws, t: h.t}, make(chan struct{})
	go r.read(ctx, r.sock, r.done)
}

func (r *reader) read(ctx context.Context, p *peer, done chan struct{}) {
	defer close(done)
	r.mu.Lock()
	at := r.last
	r.mu.Unlock()
	if p.Write(ctx, 1, fmt.Appendf(nil, `{"do":"hello","body":{"after":%q}}`, at)) != nil {
		return
	}
	for {
		m, err := p.read(ctx)
		if err != nil {
			return
		}
		r.mu.Lock()
		switch {
		case m.Missed:
			r.fault("told that events were missed")
		case m.Event != nil:
			n, _ := strconv.Atoi(string(m.Event.Body))
			if n != len(r.bodies) {
				r.fault("event %d in the place of %d", n, len(r.bodies))
			}
			r.last, r.bodies = m.Event.ID, append(r.bodies, n)
		}
		r.mu.Unlock()
	}
}

// cut ends the socket without a word, whatever is on its way.
func (r *reader) cut() {
	if r.sock != nil {
		_ = r.sock.CloseNow()
		<-r.done
		r.sock = nil
	}
}

// noDeadline keeps rapid from asking for the test's deadline, which a bubble refuses.
type noDeadline struct{ *testing.T }

// Whatever becomes of its sockets, and whichever lobby it comes to, a client reads every event once and in order, though
// notices are lost.
func TestClientThatComesBackReadsEveryEventInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		halls := []*hall{
			newSimHall(t, rdb, simnet.Link{Latency: 5 * time.Millisecond, Jitter: 4 * time.Millisecond}, nil),
			newSimHall(t, rdb, simnet.Link{Latency: 40 * time.Millisecond, Buffer: 4 << 10}, nil),
		}
		time.Sleep(time.Second)
		players := 0
		rapid.Check(noDeadline{t}, func(rt *rapid.T) {
			players++
			player := "p" + strconv.Itoa(players)
			r := &reader{}
			posted, cuts := 0, 0
			post := func(n int) {
				for range n {
					halls[rapid.IntRange(0, 1).Draw(rt, "poster")].post(player, posted)
					posted++
				}
			}
			for range rapid.IntRange(3, 25).Draw(rt, "steps") {
				switch rapid.IntRange(0, 6).Draw(rt, "step") {
				case 0, 1, 2:
					if posted < 200 { // fewer than are kept
						post(rapid.IntRange(1, 12).Draw(rt, "events"))
					}
				case 3:
					r.cut()
					cuts++
				case 4:
					if r.cut(); rapid.Bool().Draw(rt, "forgets") { // another device, which has nothing yet
						r.mu.Lock()
						r.last, r.bodies = "", nil
						r.mu.Unlock()
					}
					r.open(ctx, halls[rapid.IntRange(0, 1).Draw(rt, "hall")], player)
				case 5:
					time.Sleep(time.Duration(rapid.IntRange(0, 300).Draw(rt, "ms")) * time.Millisecond)
				case 6:
					halls[rapid.IntRange(0, 1).Draw(rt, "deaf hall")].deaf.Store(rapid.Bool().Draw(rt, "deaf"))
				}
			}
			r.cut()
			r.open(ctx, halls[rapid.IntRange(0, 1).Draw(rt, "last hall")], player)
			post(3)
			time.Sleep(lookEvery + time.Second)
			r.cut()
			if len(r.faults) > 0 {
				rt.Fatalf("%d cuts: %q", cuts, r.faults)
			}
			if len(r.bodies) != posted {
				rt.Fatalf("%d of %d events came: %v", len(r.bodies), posted, r.bodies)
			}
			for n, body := range r.bodies {
				if n != body {
					rt.Fatalf("event %d is %d", n, body)
				}
			}
		})
	})
}

func TestClientIsToldWhenItsInboxWasTrimmedBeyondItsLastEvent(t *testing.T) {
	h := newHall(t, nil)
	ctx := testContext(t)
	h.post("alice", 0)
	p, _ := h.join(ctx, "alice", "")
	first := p.event(ctx)
	_ = p.CloseNow()
	h.deaf.Store(true)
	for n := range 3 * inbox.Cap {
		h.post("alice", n+1)
	}
	p, _ = h.join(ctx, "alice", first.ID)
	if m := p.next(ctx); !m.Missed || !inbox.IsPlace(m.Last) {
		t.Fatalf("it is not told that events are gone, but %+v", m)
	}
	e := p.event(ctx)
	for last := 0; last < 3*inbox.Cap; e = p.event(ctx) {
		n, _ := strconv.Atoi(string(e.Body))
		if last > 0 && n != last+1 {
			t.Fatalf("event %d follows %d", n, last)
		}
		if last = n; last == 3*inbox.Cap {
			break
		}
	}
	if n := h.value("muster_lobby_missed_total"); n != 1 {
		t.Errorf("counted %v times", n)
	}
}

func TestEventsComeWithinFiveSecondsThoughNoNoticeDoes(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{}, nil)
		h.deaf.Store(true)
		p, _ := h.join(ctx, "alice", "")
		for n := range 5 {
			time.Sleep(1700 * time.Millisecond)
			began := time.Now()
			h.post("alice", n)
			if e := p.event(ctx); string(e.Body) != strconv.Itoa(n) || time.Since(began) > lookEvery+sweepEvery {
				t.Errorf("event %s came after %v", e.Body, time.Since(began))
			}
		}
	})
}

// fallible is an inbox that can be down.
type fallible struct {
	Inbox
	down  atomic.Bool
	asked atomic.Int32
}

func (f *fallible) Read(ctx context.Context, limit int64, asks ...inbox.Ask) ([]inbox.Page, error) {
	if f.asked.Add(1); f.down.Load() {
		return nil, errDown
	}
	return f.Inbox.Read(ctx, limit, asks...)
}

func TestSocketsWaitForARedisThatIsDownAndThenGoOn(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		f := &fallible{}
		h := newSimHall(t, rdb, simnet.Link{}, func(c *Config) { f.Inbox, c.Inbox, c.PingEvery = c.Inbox, f, time.Hour })
		f.down.Store(true)
		p := h.connect(ctx, h.token("alice", time.Hour))
		p.send(ctx, `{"do":"hello"}`)
		h.post("alice", 1)
		time.Sleep(20 * time.Second)
		if n := f.asked.Load(); n < 10 || n > 40 {
			t.Errorf("it was asked %d times in 20 s", n)
		}
		f.down.Store(false)
		began := time.Now()
		if m := p.next(ctx); m == nil || m.Hello == nil {
			t.Errorf("%+v", m)
		}
		if e := p.event(ctx); string(e.Body) != "1" || time.Since(began) > 2*time.Second {
			t.Errorf("event %s after %v", e.Body, time.Since(began))
		}
	})
}

func TestEventGoesOutWithWhatIsTrueNow(t *testing.T) {
	var calls atomic.Int32
	h := newHall(t, func(c *Config) {
		c.Expand = func(_ context.Context, c Caller, e inbox.Event) (json.RawMessage, error) {
			calls.Add(1)
			switch string(e.Body) {
			case `"fails"`:
				return nil, errors.New("it cannot be read")
			case `"plain"`:
				return nil, nil
			case `"broken"`:
				return json.RawMessage("{"), nil
			}
			return json.Marshal("fresh for " + c.Player.ID)
		}
	})
	ctx := testContext(t)
	p, _ := h.join(ctx, "alice", "")
	for body, want := range map[string]string{
		"ticket": `"fresh for alice"`, "fails": `"fails"`, "plain": `"plain"`, "broken": "null",
	} {
		h.post("alice", body)
		if e := p.event(ctx); string(e.Body) != want {
			t.Errorf("%s went out as %s", body, e.Body)
		}
	}
}

// A client that does not read holds nothing but its tail: what it has not read stays in Redis, and comes once it reads.
func TestSlowReaderIsBoundedAndReadsOnWithoutAGap(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{Buffer: 4 << 10}, nil)
		text := string(make([]byte, 500))
		for n := range 200 { // 650 KB as JSON; a page of them is 100
			h.post("alice", fmt.Sprintf("%d%s", n, text))
		}
		p, _ := h.join(ctx, "alice", "")
		time.Sleep(5 * time.Second)
		for _, c := range h.server.all() {
			if n := c.Pipe.Waiting(); n > 64<<10 || !c.Pipe.Congested() {
				t.Errorf("%d bytes wait", n)
			}
		}
		began := time.Now()
		for n := range 200 {
			var body string
			if err := json.Unmarshal(p.event(ctx).Body, &body); err != nil || body != fmt.Sprintf("%d%s", n, text) {
				t.Fatalf("event %d is %.40q", n, body)
			}
		}
		if took := time.Since(began); took > 2*time.Second || h.closes(proto.CodeSlowReader) != 0 {
			t.Errorf("it took %v to read on; %v closed", took, h.closes(proto.CodeSlowReader))
		}
	})
}

func TestReaderThatStaysSlowIsClosed4003(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{Buffer: 4 << 10}, func(c *Config) { c.PingEvery = time.Hour })
		good, _ := h.join(ctx, "bob", "")
		raw := h.raw("alice")
		_, err := io.WriteString(raw, "\x81\x8e\x00\x00\x00\x00"+`{"do":"hello"}`)
		must(t, err)
		time.Sleep(time.Second)
		for range 100 {
			h.post("alice", string(make([]byte, 500)))
		}
		time.Sleep(9 * time.Second)
		if h.closes(proto.CodeSlowReader) != 0 || h.open() != 2 {
			t.Error("it was closed too soon")
		}
		h.post("bob", 1)
		if e := good.event(ctx); time.Since(e.At) > time.Second {
			t.Errorf("the other waited %v for an event", time.Since(e.At))
		}
		time.Sleep(4 * time.Second)
		if h.closes(proto.CodeSlowReader) != 1 || h.open() != 1 {
			t.Errorf("%v closed with 4003, %v sockets", h.closes(proto.CodeSlowReader), h.open())
		}
	})
}

// Answers cannot be read again: of a client that asks and does not read one waits, and nothing more is read of it.
func TestClientThatAsksAndDoesNotReadIsClosed4003(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{Buffer: 4 << 10}, func(c *Config) {
			c.Handlers = Handlers{"much": Typed(func(context.Context, Caller, *struct{}) (any, error) { return string(make([]byte, 3000)), nil })}
		})
		p, _ := h.join(ctx, "alice", "")
		for n := range 4 {
			p.send(ctx, fmt.Sprintf(`{"n":%d,"do":"much"}`, n+1))
		}
		time.Sleep(9 * time.Second)
		for _, c := range h.server.all() {
			if n := c.Pipe.Waiting(); n > 64<<10 || !c.Pipe.Congested() {
				t.Errorf("%d bytes wait", n)
			}
		}
		if h.closes(proto.CodeSlowReader) != 0 {
			t.Error("it was closed too soon")
		}
		time.Sleep(4 * time.Second)
		if h.closes(proto.CodeSlowReader) != 1 {
			t.Error("it was not closed")
		}
		p.closed(ctx)
	})
}

// A client that reads is not closed because an answer comes to stand behind events that it has not read yet.
func TestLargeAnswerWaitsForWhatTheClientIsReading(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		long := strings.Repeat("x", 60_000)
		h := newSimHall(t, rdb, simnet.Link{Buffer: 4 << 10}, func(c *Config) {
			c.Handlers = Handlers{"much": Typed(func(context.Context, Caller, *struct{}) (any, error) { return long, nil })}
		})
		for n := range 200 {
			h.post("alice", fmt.Sprint(n, string(make([]byte, 500))))
		}
		p, _ := h.join(ctx, "alice", "")
		time.Sleep(time.Second) // its tail is full
		events := 0
		for n := range 3 {
			p.send(ctx, fmt.Sprintf(`{"n":%d,"do":"much"}`, n+1))
		}
		for answers := 0; answers < 3 || events < 200; {
			switch m := p.next(ctx); {
			case m == nil:
				t.Fatalf("after %d events and %d answers the socket ended: %+v", events, answers, p.bye)
			case m.Event != nil:
				events++
			case m.Re != 0:
				answers++
				if string(m.OK) != `"`+long+`"` {
					t.Errorf("answer %d is %.60s", m.Re, m.OK)
				}
			}
		}
		if events != 200 {
			t.Errorf("%d events came, want 200", events)
		}
	})
}

func TestClientThatVanishesWhileAnAnswerWaitsIsGoneSoon(t *testing.T) {
	inBubble(t, func(t *testing.T, _ context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{Buffer: 4 << 10}, func(c *Config) {
			c.Handlers = Handlers{"much": Typed(func(context.Context, Caller, *struct{}) (any, error) { return string(make([]byte, 3000)), nil })}
		})
		raw := h.raw("alice")
		for _, text := range []string{`{"do":"hello"}`, `{"n":1,"do":"much"}`, `{"n":2,"do":"much"}`, `{"n":3,"do":"much"}`} {
			_, err := io.WriteString(raw, string([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0})+text)
			must(t, err)
		}
		time.Sleep(time.Second)
		for _, c := range h.server.all() {
			if !c.replying.Load() {
				t.Error("no answer waits")
			}
		}
		if h.open() != 1 {
			t.Fatalf("%v sockets, want one", h.open())
		}
		must(t, raw.Close())
		time.Sleep(12 * time.Second)
		if h.open() != 0 {
			t.Error("it is still counted")
		}
	})
}

// lateInbox answers after a moment, as one of a busy Redis.
type lateInbox struct{ Inbox }

func (l lateInbox) Read(ctx context.Context, limit int64, asks ...inbox.Ask) ([]inbox.Page, error) {
	<-time.After(100 * time.Millisecond)
	return l.Inbox.Read(ctx, limit, asks...)
}

// A client may ask before the hello has come. An answer that is then under way does not take the hello's place.
func TestHelloWaitsForAnAnswerThatIsReadSlowly(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		long := strings.Repeat("x", 60_000)
		h := newSimHall(t, rdb, simnet.Link{Buffer: 4 << 10}, func(c *Config) {
			c.Inbox = lateInbox{c.Inbox}
			c.Handlers = Handlers{"much": Typed(func(context.Context, Caller, *struct{}) (any, error) { return long, nil })}
		})
		for n := range 5 {
			h.post("alice", n)
		}
		p := h.connect(ctx, h.token("alice", time.Hour))
		p.send(ctx, `{"do":"hello","body":{"after":"9-3/0-0"}}`) // a place of which nothing is there any more
		time.Sleep(50 * time.Millisecond)                        // its inbox is being read
		p.send(ctx, `{"n":1,"do":"much"}`)
		time.Sleep(time.Second)
		said := ""
		for !strings.HasSuffix(said, "4") {
			switch m := p.next(ctx); {
			case m == nil:
				t.Fatalf("after %q the socket ended: %+v", said, p.bye)
			case m.Hello != nil:
				said += "hello "
			case m.Re == 1:
				said += "answer "
			case m.Missed:
				said += "missed "
			case m.Event != nil:
				said += string(m.Event.Body)
			}
		}
		if said != "answer hello missed 01234" {
			t.Errorf("it was told %q", said)
		}
	})
}
