package lobby_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
)

func TestMalformedRequestsAreRefusedAndTheFieldIsNamed(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	p.serve()
	id := p.enqueue("alice", "duel").ID
	long := strings.Repeat("x", 5000)
	ticket := func(body string) request { return request{method: "POST", path: "/v1/tickets", body: body} }
	guest := func(body string) request { return request{method: "POST", path: "/v1/guests", body: body} }
	get := func(path string) request { return request{method: "GET", path: path} }
	for i, c := range []struct {
		name   string
		r      request
		status int
		field  string
	}{
		{"malformed JSON", ticket(`{"queue":`), 400, "body"},
		{"two values", ticket(`{"queue":"duel"} {}`), 400, "body"},
		{"no body", request{method: "POST", path: "/v1/tickets"}, 400, ""},
		{"deep nesting", ticket(strings.Repeat("[", 8000)), 400, "body"},
		{"not an object", ticket(`["duel"]`), 422, "body"},
		{"null", ticket(`null`), 422, "body"},
		{"a missing field", ticket(`{}`), 422, "body"},
		{"a field of another type", ticket(`{"queue":7}`), 422, "body.queue"},
		{"an unknown field", ticket(`{"queue":"duel","admin":true}`), 422, "body.admin"},
		{"a prototype", ticket(`{"queue":"duel","__proto__":{}}`), 422, "body.__proto__"},
		{"a name that is a pattern", ticket(`{"queue":"*"}`), 422, "body.queue"},
		{"a name with a brace", ticket(`{"queue":"a}:x"}`), 422, "body.queue"},
		{"a long name", ticket(`{"queue":"` + long + `"}`), 422, "body.queue"},
		{"a body of 9 KB", ticket(`{"queue":"duel","x":"` + long + long + `"}`), 413, ""},
		{"XML", request{method: "POST", path: "/v1/tickets", body: "<a/>", header: http.Header{"Content-Type": {"application/xml"}}}, 415, "body"},
		{"a form", request{method: "POST", path: "/v1/tickets", body: "queue=duel", header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}, 415, "body"},
		{"text", request{method: "POST", path: "/v1/tickets", body: `{"queue":"duel"}`, header: http.Header{"Content-Type": {"text/plain"}}}, 415, "body"},
		{"an unknown query", get("/v1/tickets/" + id + "?verbose=1"), 422, "query.verbose"},
		{"a wait that is none", get("/v1/tickets/" + id + "?wait=soon"), 422, "query.wait"},
		{"a number without unit", get("/v1/tickets/" + id + "?wait=10"), 422, "query.wait"},
		{"a negative wait", get("/v1/tickets/" + id + "?wait=-1s"), 422, "query.wait"},
		{"a long wait", get("/v1/tickets/" + id + "?wait=31s"), 422, "query.wait"},
		{"an endless wait", get("/v1/tickets/" + id + "?wait=9999999999h"), 422, "query.wait"},
		{"a wait of many bytes", get("/v1/tickets/" + id + "?wait=" + long), 422, "query.wait"},
		{"a long ticket", get("/v1/tickets/" + long), 422, "path.id"},
		{"a match that is a pattern", get("/v1/matches/*"), 422, "path.id"},
		{"a match with a brace", get("/v1/matches/" + strings.Repeat("a", 25) + "%7d"), 422, "path.id"},
		{"a room of capitals", request{method: "POST", path: "/v1/rooms/" + strings.Repeat("A", 26) + "/rejoin"}, 422, "path.id"},
		{"an empty name", guest(`{"name":""}`), 422, "body.name"},
		{"a name of 25 letters", guest(`{"name":"` + strings.Repeat("x", 25) + `"}`), 422, "body.name"},
		{"a name of 72 bytes", guest(`{"name":"` + strings.Repeat("日", 24) + `"}`), 422, "body.name"},
		{"a name with a newline", guest(`{"name":"a\nb"}`), 422, "body.name"},
		{"a name with CRLF", guest(`{"name":"a\r\nSet-Cookie: x"}`), 422, "body.name"},
		{"a name with NUL", guest(`{"name":"a\u0000"}`), 422, "body.name"},
		{"a name with DEL", guest(`{"name":"a\u007f"}`), 422, "body.name"},
		{"a name with C1", guest(`{"name":"a\u0085"}`), 422, "body.name"},
		{"a name that turns text around", guest(`{"name":"a\u202eb"}`), 422, "body.name"},
		{"a name that isolates", guest(`{"name":"a\u2067b"}`), 422, "body.name"},
		{"a name with a line separator", guest(`{"name":"a\u2028b"}`), 422, "body.name"},
		{"a guest with a role", guest(`{"name":"a","roles":["admin"]}`), 422, "body.roles"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.r.token = p.player(fmt.Sprint("alice", i)) // so that no limit is reached
			if c.r.method == "GET" {
				c.r.token = p.player("alice")
			}
			got := wantProblem(t, p.send(c.r), c.status, c.field)
			for _, e := range got.Errors {
				if len(e.Message) > 100 || len(e.Location) > 100 || len(fmt.Sprint(e.Value)) > 100 {
					t.Errorf("the error repeats much of the request: %+v", e)
				}
			}
		})
	}
}

func TestErrorRepeatsOnlyAShortPartOfTheRequest(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	long := strings.Repeat("日", 2000)
	for name, r := range map[string]request{
		"a value":           {method: "POST", path: "/v1/tickets", body: `{"queue":"` + long + `"}`},
		"a field's name":    {method: "POST", path: "/v1/tickets", body: `{"queue":"duel","` + long + `":1}`},
		"an unknown object": {method: "POST", path: "/v1/tickets", body: `{"queue":"duel","a":{"b":"` + long + `"}}`},
		"malformed":         {method: "POST", path: "/v1/tickets", body: long},
		"another type":      {method: "POST", path: "/v1/tickets", body: `{"queue":["` + long + `"]}`},
		"a query's name":    {method: "GET", path: "/v1/tickets/duel.x?" + strings.Repeat("x", 6000) + "=1"},
		"a ticket":          {method: "GET", path: "/v1/tickets/" + strings.Repeat("x", 6000)},
	} {
		t.Run(name, func(t *testing.T) {
			r.token = p.player("alice")
			if a := p.send(r); a.status < 400 || len(a.body) > 600 {
				t.Errorf("%d with %d bytes: %.700s", a.status, len(a.body), a.body)
			}
		})
	}
}

func TestFloodOfAPlayerIsLimited(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		here, there := open(t, rdb, nil), open(t, rdb, nil)
		defer here.Close()
		defer there.Close()
		flood := func(player string, n int) (ok, limited int, last answer) {
			for i := range n {
				p := []*place{here, there}[i%2] // all lobbies count together
				a := p.send(request{
					method: "GET", path: "/v1/tickets/duel.x", token: p.player(player),
					header: http.Header{"X-Forwarded-For": {fmt.Sprint("10.0.0.", i)}},
				})
				switch a.status {
				case http.StatusNotFound:
					ok++
				case http.StatusTooManyRequests:
					limited++
					last = a
				default:
					t.Fatalf("status %d: %s", a.status, a.body)
				}
			}
			return ok, limited, last
		}
		ok, limited, last := flood("mallory", 100)
		if ok < 29 || ok > 30 || limited != 100-ok { // the limiter counts in floating point
			t.Errorf("of 100 requests at once %d were answered and %d refused, want 30 and 70", ok, limited)
		}
		wantProblem(t, last, http.StatusTooManyRequests, "")
		if ok, _, _ := flood("alice", 1); ok != 1 {
			t.Error("another player suffers for it")
		}
		seconds, err := strconv.Atoi(last.header.Get("Retry-After"))
		must(t, err)
		time.Sleep(time.Duration(seconds) * time.Second)
		if ok, _, _ := flood("mallory", 100); ok < 10*seconds-1 || ok > 10*seconds+1 {
			t.Errorf("after %d s %d requests were answered, want 10 for each second", seconds, ok)
		}
	})
}

// Named rooms are kept for ever, so nobody may open them without end; those that are open anybody may join.
func TestOpeningNamedRoomsWithoutEndIsLimitedAndJoiningThemIsNot(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		here, there := open(t, rdb, withDocs), open(t, rdb, withDocs)
		defer here.Close()
		defer there.Close()
		defer join(t, rdb, docsNode("n1"))()
		opened, refused := 0, answer{}
		ask := func(player, name string) answer {
			time.Sleep(100 * time.Millisecond) // so that the limit of all requests is not reached
			return []*place{here, there}[opened%2].joinNamed(player, name)
		}
		for ; opened <= 40; opened++ {
			if refused = ask("mallory", fmt.Sprint("world", opened)); refused.status != http.StatusOK {
				break
			}
		}
		if opened < 19 || opened > 20 { // the limiter counts in floating point
			t.Errorf("%d rooms were opened at once, want 20", opened)
		}
		wantProblem(t, refused, http.StatusTooManyRequests, "")
		if keys, err := rdb.Keys(t.Context(), ns+":{room:*:record").Result(); err != nil || len(keys) != opened {
			t.Errorf("%d rooms have records, want %d (%v)", len(keys), opened, err)
		}
		for range 40 {
			want[lobby.Match](t, ask("mallory", "world0"), http.StatusOK)
		}
		want[lobby.Match](t, ask("alice", "another"), http.StatusOK)
		want[lobby.Match](t, ask("mallory", "another"), http.StatusOK)
		seconds, err := strconv.Atoi(refused.header.Get("Retry-After"))
		must(t, err)
		if seconds < 60 || seconds > 181 {
			t.Errorf("it may come again in %d s, want one room in each 3 minutes", seconds)
		}
		time.Sleep(time.Duration(seconds) * time.Second)
		want[lobby.Match](t, ask("mallory", "later"), http.StatusOK)
		wantProblem(t, ask("mallory", "later2"), http.StatusTooManyRequests, "")
	})
}

func TestFloodOfGuestsFromOneAddressIsLimited(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		statuses := map[int]int{}
		for i := range 300 {
			a := p.send(request{
				method: "POST", path: "/v1/guests", body: `{"name":"x"}`,
				header: http.Header{"X-Forwarded-For": {fmt.Sprint("10.0.1.", i)}, "X-Real-Ip": {fmt.Sprint("10.0.2.", i)}},
			})
			if statuses[a.status]++; a.status == http.StatusTooManyRequests {
				wantProblem(t, a, http.StatusTooManyRequests, "")
			}
		}
		if n := statuses[201]; n < 199 || n > 200 || statuses[429] != 300-n {
			t.Errorf("statuses of 300 guests at once: %v, want 200 made and 100 refused", statuses)
		}
	})
}

func TestLobbyAnswers503WithoutRedisAndRecovers(t *testing.T) {
	s := testredis.Start(t)
	rdb := s.Connect()
	p := open(t, rdb, nil)
	defer p.Close()
	p.serve()
	until(t, "ready", func() bool { return p.Ready(t.Context()) == "" })
	id := p.enqueue("alice", "duel").ID
	s.Kill()
	room := strings.Repeat("a", 26)
	for _, r := range []request{
		{method: "POST", path: "/v1/tickets", body: `{"queue":"arena"}`},
		{method: "GET", path: "/v1/tickets/" + id},
		{method: "GET", path: "/v1/tickets/" + id + "?wait=20s"},
		{method: "DELETE", path: "/v1/tickets/" + id},
		{method: "POST", path: "/v1/rooms/" + room + "/rejoin"},
		{method: "POST", path: "/v1/rooms/" + room + "/join"},
		{method: "GET", path: "/v1/rooms"},
		{method: "POST", path: "/v1/rooms", body: `{"game":"arena"}`},
		{method: "GET", path: "/v1/matches/" + room},
		{method: "POST", path: "/v1/guests", body: `{"name":"x"}`},
	} {
		r.token = p.player("alice")
		began := time.Now()
		a := p.send(r)
		got := wantProblem(t, a, http.StatusServiceUnavailable, "")
		if got.Detail != "the lobby cannot answer now" || strings.Contains(string(a.body), s.Addr) {
			t.Errorf("the answer tells what is inside: %s", a.body)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s %s took %v", r.method, r.path, took)
		}
	}
	if got := p.Ready(t.Context()); got != "Redis does not answer" {
		t.Errorf("it says of itself %q", got)
	}
	s.Restart()
	until(t, "ready again", func() bool { return p.Ready(t.Context()) == "" })
	defer join(t, rdb, someNode)()
	p.play("alice", "arena")
	wantProblem(t, p.send(request{method: "GET", path: "/v1/tickets/" + id, token: p.player("alice")}), http.StatusNotFound, "")
}

// A Redis whose memory is full refuses what would need more. Nothing new comes about then, in half or whole, and all is
// well when there is memory again.
func TestLobbyAnswers503WhileTheMemoryOfRedisIsFullAndRecovers(t *testing.T) {
	s := testredis.Start(t)
	rdb := s.Connect()
	p := open(t, rdb, nil)
	defer p.Close()
	p.serve()
	defer join(t, rdb, someNode)()
	until(t, "ready", func() bool { return p.Ready(t.Context()) == "" })
	id := p.enqueue("alice", "duel").ID
	must(t, rdb.ConfigSet(t.Context(), "maxmemory", "1").Err())
	for _, r := range []request{
		{method: "POST", path: "/v1/tickets", body: `{"queue":"arena"}`},
		{method: "POST", path: "/v1/rooms", body: `{"game":"arena"}`},
		{method: "POST", path: "/v1/guests", body: `{"name":"x"}`},
	} {
		r.token = p.player("bob")
		a := p.send(r)
		wantProblem(t, a, http.StatusServiceUnavailable, "")
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s %s does not say when to come again", r.method, r.path)
		}
	}
	must(t, rdb.ConfigSet(t.Context(), "maxmemory", "0").Err())
	until(t, "ready again", func() bool { return p.Ready(t.Context()) == "" })
	p.play("bob", "arena")
	if got := p.ticket("alice", id, ""); got.State != "waiting" {
		t.Errorf("the ticket from before is %s", got.State)
	}
}

// Redis may fail in the middle of a request.
func TestErrorsOfRedisStayInTheLog(t *testing.T) {
	rdb := testredis.Embedded(t)
	broken := hurt(t, rdb, func(cmd redis.Cmder, next func() error) error {
		if args := fmt.Sprint(cmd.Args()...); strings.Contains(args, "{queue:") || strings.Contains(args, "{room:") || strings.Contains(args, "{match:") {
			err := fmt.Errorf("WRONGTYPE secret detail of %s", cmd.Name())
			cmd.SetErr(err)
			return err
		}
		return next()
	})
	p := open(t, broken, nil)
	defer p.Close()
	for _, r := range []request{
		{method: "POST", path: "/v1/tickets", body: `{"queue":"arena"}`},
		{method: "GET", path: "/v1/tickets/duel." + strings.Repeat("a", 26)},
		{method: "DELETE", path: "/v1/tickets/duel." + strings.Repeat("a", 26)},
		{method: "POST", path: "/v1/rooms/" + strings.Repeat("a", 26) + "/rejoin"},
		{method: "GET", path: "/v1/matches/" + strings.Repeat("a", 26)},
	} {
		r.token = p.player("alice")
		before := p.logs.Len()
		a := p.send(r)
		wantProblem(t, a, http.StatusServiceUnavailable, "")
		if strings.Contains(string(a.body), "secret") {
			t.Errorf("%s %s: %s", r.method, r.path, a.body)
		}
		if p.logs.Len() == before {
			t.Errorf("%s %s: the cause is not in the log", r.method, r.path)
		}
	}
}

// A player's words come back as they are, and end up in no key.
func TestHostileNamesStayWords(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, func(c *lobby.Config) { c.Guests = false })
	defer p.Close()
	defer join(t, rdb, someNode)()
	for _, name := range []string{"<script>alert(1)</script>", "__proto__", "*", "a|b", "}{queue:duel", "a:b", "'; DROP TABLE x", "%n%s", "{}"} {
		m, seat := p.play(name, "arena")
		if seat.Player != name || seat.Name != name {
			t.Errorf("%q came back as %q and %q", name, seat.Player, seat.Name)
		}
		if strings.Contains(m.URL, name) && name != "*" {
			t.Errorf("%q is in %s", name, m.URL)
		}
	}
	must(t, each(rdb, "*", func(key string) {
		if strings.ContainsAny(key, "<>|*;%'") || strings.Contains(key, "__proto__") {
			t.Errorf("a player's words are in key %q", key)
		}
	}))
}

func TestFloodOfAnAddressIsLimitedWhoeverItsPlayersAre(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		few := func(c *lobby.Config) { c.AddressRate = 10 }
		here, there := open(t, rdb, few), open(t, rdb, few)
		defer here.Close()
		defer there.Close()
		flood := func(n int) (ok int) {
			for i := range n {
				a := []*place{here, there}[i%2].send(request{
					method: "GET", path: "/v1/tickets/duel.x", token: here.player(fmt.Sprint("player", i)),
					header: http.Header{"X-Forwarded-For": {fmt.Sprint("10.0.0.", i)}},
				})
				if a.status == http.StatusNotFound {
					ok++
					continue
				}
				wantProblem(t, a, http.StatusTooManyRequests, "")
			}
			return ok
		}
		if ok := flood(200); ok != 50 {
			t.Errorf("of 200 requests of one address %d were answered, want 50", ok)
		}
		time.Sleep(2 * time.Second)
		if ok := flood(200); ok != 20 {
			t.Errorf("two seconds later %d were answered, want 20", ok)
		}
	})
}

func TestTicketFloodIsLimited(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		made := 0
		for range 50 {
			time.Sleep(250 * time.Millisecond) // within the requests that a player may make
			a := p.post("mallory", "/v1/tickets", `{"queue":"duel"}`)
			if a.status != http.StatusCreated {
				wantProblem(t, a, http.StatusTooManyRequests, "")
				continue
			}
			made++
			p.send(request{method: "DELETE", path: "/v1/tickets/" + want[lobby.Ticket](t, a, 201).ID, token: p.player("mallory")})
		}
		if made < 30 || made > 37 {
			t.Errorf("%d tickets were made in 12 s, want 30 and one for each two seconds", made)
		}
	})
}

// Whoever checks a signature for each forged token works for whoever sends them.
func TestForgedTokensAreCountedAgainstTheirAddressBeforeTheyAreLookedAt(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, func(c *lobby.Config) { c.AddressRate = 4 })
		defer p.Close()
		for _, path := range []string{"/v1/queues", "/v1/lobby"} {
			ask := func(address, token string) answer {
				req := httptest.NewRequest(http.MethodGet, "http://lobby.example"+path, nil)
				req.RemoteAddr = address
				req.Header.Set("Authorization", "Bearer "+token)
				rec := httptest.NewRecorder()
				p.mux.ServeHTTP(rec, req)
				return answer{rec.Code, rec.Header(), rec.Body.Bytes()}
			}
			refused, limited := 0, 0
			for i := range 100 {
				switch a := ask(fmt.Sprintf("192.0.2.1:%d", i+1), "eyJhbGciOiJIUzI1NiJ9.e30.forged"); a.status {
				case http.StatusUnauthorized:
					refused++
				case http.StatusTooManyRequests:
					wantProblem(t, a, http.StatusTooManyRequests, "")
					limited++
				default:
					t.Fatalf("%s: status %d: %s", path, a.status, a.body)
				}
			}
			if refused != 20 || limited != 80 {
				t.Errorf("%s: of 100 forged tokens %d were looked at and %d not, want 20 and 80", path, refused, limited)
			}
			if a := ask("192.0.2.1:999", p.player("alice")); a.status != http.StatusTooManyRequests {
				t.Errorf("%s: a good one from there: status %d", path, a.status)
			}
			if a := ask("192.0.2.2:1", "forged"); a.status != http.StatusUnauthorized {
				t.Errorf("%s: one from another address: status %d", path, a.status)
			}
			time.Sleep(time.Second)
			if a := ask("192.0.2.1:1", "forged"); a.status != http.StatusUnauthorized {
				t.Errorf("%s: one a second later: status %d", path, a.status)
			}
		}
		if a := p.send(request{method: "POST", path: "/v1/guests", body: `{"name":"carol"}`}); a.status != 200 && a.status != 201 {
			t.Errorf("a guest, who brings no token: %d %s", a.status, a.body)
		}
	})
}
