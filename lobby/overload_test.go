package lobby_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
)

// dam holds what makes tickets in Redis until it is opened.
type dam struct {
	shut atomic.Bool
	held chan struct{} // one for each that is held
	flow chan struct{} // lets one go on
}

func (d *dam) DialHook(next redis.DialHook) redis.DialHook { return next }

func (d *dam) hold(ctx context.Context, cmds ...redis.Cmder) {
	for _, c := range cmds {
		if d.shut.Load() && strings.Contains(fmt.Sprint(c.Args()...), "{queue:duel}:next:") {
			d.held <- struct{}{}
			select {
			case <-d.flow:
			case <-ctx.Done():
			}
			return
		}
	}
}

func (d *dam) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { d.hold(ctx, cmd); return next(ctx, cmd) }
}

func (d *dam) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { d.hold(ctx, cmds...); return next(ctx, cmds) }
}

// So many make tickets at once that a process answers none of them in time.
func TestOverloadRefusesWhatIsNewAndNothingElse(t *testing.T) {
	const places = 16
	rdb, d := testredis.Embedded(t), &dam{held: make(chan struct{}, places), flow: make(chan struct{})}
	rdb.AddHook(d)
	p := open(t, rdb, nil)
	defer p.Close()
	if n := p.Narrow(places); n != 1024 {
		t.Errorf("there are %d places", n)
	}
	waiting := p.enqueue("alice", "duel").ID
	d.shut.Store(true)
	answers := make(chan answer, places)
	for n := range places {
		go func() { answers <- p.post(fmt.Sprint("player", n), "/v1/tickets", `{"queue":"duel"}`) }()
		<-d.held
	}
	if got := p.count("muster_requests_creating"); got != places {
		t.Fatalf("%v places are taken", got)
	}
	for n, path := range []string{"/v1/tickets", "/v1/rooms", "/v1/parties", "/v1/groups"} {
		body := map[string]string{"/v1/tickets": `{"queue":"duel"}`, "/v1/rooms": `{"game":"arena"}`, "/v1/parties": `{}`, "/v1/groups": `{"title":"friends"}`}[path]
		a := p.post(fmt.Sprint("late", n), path, body)
		wantProblem(t, a, http.StatusServiceUnavailable, "")
		if a.header.Get("Retry-After") == "" || !strings.Contains(string(a.body), "too much to do") {
			t.Errorf("%s: %v %s", path, a.header, a.body)
		}
	}
	if got := p.count("muster_requests_overloaded_total"); got != 4 {
		t.Errorf("%v are counted as refused", got)
	}
	for _, r := range []request{
		{method: "GET", path: "/v1/tickets/" + waiting},
		{method: "GET", path: "/v1/queues"},
		{method: "GET", path: "/v1/me"},
		{method: "DELETE", path: "/v1/tickets/" + waiting},
	} {
		r.token = p.player("alice")
		if a := p.send(r); a.status >= 300 {
			t.Errorf("%s %s: %d %s", r.method, r.path, a.status, a.body)
		}
	}
	d.shut.Store(false)
	for range places {
		d.flow <- struct{}{}
		if a := <-answers; a.status != http.StatusCreated {
			t.Errorf("who had a place is answered %d %s", a.status, a.body)
		}
	}
	if got := p.count("muster_requests_creating"); got != 0 {
		t.Errorf("%v places are taken in the end", got)
	}
	p.enqueue("bob", "duel")
}
