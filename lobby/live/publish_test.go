package live

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/simnet"
	"muster/match/cluster"
	"muster/proto"
)

// publish has the hall tell players something, by its bus; nil is all.
func (h *hall) publish(id string, body any, players ...string) {
	h.t.Helper()
	text, err := json.Marshal(body)
	must(h.t, err)
	list, err := PublishNotices(&Published{ID: id, Kind: "x.test", At: time.Now().UTC(), Body: text}, players)
	must(h.t, err)
	must(h.t, h.bus.Publish(context.Background(), list...))
}

func TestWhatIsPublishedComesOnceToEachSocketItIsFor(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h, other := newSimHall(t, rdb, simnet.Link{}, nil), newSimHall(t, rdb, simnet.Link{}, nil)
		early := h.connect(ctx, h.token("alice", time.Hour)) // which has not said hello
		a, _ := h.join(ctx, "alice", "")
		b, _ := other.join(ctx, "alice", "")
		c, _ := other.join(ctx, "bob", "")
		time.Sleep(time.Second)
		h.publish("p1", 1, "alice", "nobody")
		other.publish("p2", "two") // to all
		time.Sleep(time.Second)    // events come another way, which may be the faster one
		h.post("bob", "last")
		h.post("alice", "last")
		for i, p := range []*peer{a, b, c} {
			var got []string
			for {
				m := p.next(ctx)
				if m == nil || m.Event != nil {
					break
				}
				if m.Published != nil {
					got = append(got, m.Published.ID+string(m.Published.Body))
				}
			}
			if want := []string{"[p11 p2\"two\"]", "[p11 p2\"two\"]", "[p2\"two\"]"}[i]; fmt.Sprint(got) != want {
				t.Errorf("socket %d hears %v, want %s", i, got, want)
			}
		}
		early.send(ctx, `{"do":"hello","body":{"after":""}}`)
		if m := early.next(ctx); m == nil || m.Hello == nil {
			t.Errorf("before the hello comes %+v", m)
		}
		if n := h.value("muster_lobby_published_total") + other.value("muster_lobby_published_total"); n != 5 {
			t.Errorf("%v were counted", n)
		}
	})
}

func TestWhatIsPublishedIsNotQueuedForASlowReader(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{Buffer: 4 << 10}, nil)
		p, _ := h.join(ctx, "alice", "")
		time.Sleep(time.Second)
		for n := range 200 {
			h.publish(fmt.Sprint("p", n), strings.Repeat("x", 2000), "alice")
			time.Sleep(10 * time.Millisecond)
		}
		for _, c := range h.server.all() {
			if n := c.Pipe.Waiting(); n > 24<<10 {
				t.Errorf("%d bytes wait", n)
			}
		}
		if n := h.value("muster_lobby_unpublished_total"); n < 100 {
			t.Errorf("of 200 only %v were left out", n)
		}
		first := p.next(ctx)
		if first == nil || first.Published == nil || first.Published.ID != "p0" || h.closes(proto.CodeSlowReader) != 0 {
			t.Errorf("the first is %+v; %v closed", first, h.closes(proto.CodeSlowReader))
		}
	})
}

func TestFloodOfWhatIsPublishedIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, _ context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{}, nil)
		time.Sleep(time.Second)
		list, err := PublishNotices(&Published{ID: "p", Kind: "x.test", Body: json.RawMessage("1")}, []string{"alice"})
		must(t, err)
		h.server.mu.Lock() // the publisher waits for it
		for range 10 * maxPublishing {
			h.server.Notice(list[0])
		}
		h.server.mu.Unlock()
		if n := h.value("muster_lobby_unpublished_total"); n < 9*maxPublishing-1 {
			t.Errorf("%v were left out", n)
		}
		h.server.Notice(cluster.Notice{Kind: NoticePublished, ID: "p", Body: "no such thing"}) // is logged
	})
}

func TestPlayersOfOneNoticeAreBounded(t *testing.T) {
	players := make([]string, 2500)
	for i := range players {
		players[i] = fmt.Sprint("p", i)
	}
	list, err := PublishNotices(&Published{ID: "p", Kind: "x.test", Body: json.RawMessage("1")}, players)
	must(t, err)
	seen := map[string]bool{}
	for _, n := range list {
		p, err := parsePublished(n.Body)
		must(t, err)
		for _, d := range p.players {
			seen[d] = true
		}
		if p.all || len(p.players) > maxPublishedTo || !bytes.Contains(p.text, []byte(`{"published":{"id":"p","kind":"x.test"`)) {
			t.Errorf("a notice for %d: %s", len(p.players), p.text)
		}
	}
	if len(list) != 3 || len(seen) != 2500 {
		t.Errorf("%d notices for %d players", len(list), len(seen))
	}
	if _, err := PublishNotices(&Published{Body: json.RawMessage(`"` + strings.Repeat("x", MaxPublished) + `"`)}, nil); err == nil {
		t.Error("one that is too long")
	}
}

func FuzzPublished(f *testing.F) {
	for _, players := range [][]string{nil, {"alice", "bob"}} {
		list, err := PublishNotices(&Published{ID: "p", Kind: "x.test", Body: json.RawMessage("1")}, players)
		must(f, err)
		f.Add(list[0].Body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p, err := parsePublished(body)
		if err == nil && (len(p.players) > maxPublishedTo || len(p.text) > MaxPublished) {
			t.Errorf("%d players, %d bytes", len(p.players), len(p.text))
		}
	})
}
