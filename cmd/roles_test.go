package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"muster/client"
	"muster/games/arena"
	"muster/internal/testport"
	"muster/internal/testredis"
	"muster/proto/token"
)

var metricsLine = regexp.MustCompile(`(?m)^ +metrics +(http://\S+)/metrics`)

var idOf = regexp.MustCompile(`"id":"([a-z0-9.]+)"`)

// spawn runs "muster serve" in a process of its own until the test ends.
func spawn(t *testing.T, keyFile string, args ...string) *running {
	t.Helper()
	r := &running{t: t, keyFile: keyFile, stdout: &output{}, stderr: &output{}}
	c := exec.Command("muster", append([]string{"serve", "--listen", "127.0.0.1:0", "--key-file", keyFile}, args...)...)
	c.Stdout, c.Stderr = r.stdout, r.stderr
	must(t, c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		if err := <-ended; err != nil {
			t.Errorf("muster serve %s: %v\n%s", strings.Join(args, " "), err, r.stderr)
		}
	})
	until(t, "the banner", func() bool {
		m := metricsLine.FindStringSubmatch(r.stdout.String())
		if m != nil {
			r.url = m[1]
		}
		return m != nil
	})
	key, err := os.ReadFile(keyFile)
	must(t, err)
	r.keys, err = token.New(bytes.TrimSpace(key), nil)
	must(t, err)
	return r
}

// post makes a request with a body.
func (r *running) post(path, player, body string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(soon(r.t), http.MethodPost, r.url+path, strings.NewReader(body))
	must(r.t, err)
	req.Header.Set("Authorization", "Bearer "+r.lobby(player).Token)
	req.Header.Set("Content-Type", "application/json")
	return r.do(req)
}

// direct are arguments of a server to which clients come directly.
func direct(t *testing.T, args ...string) []string {
	t.Helper()
	addr := testport.Held(t)
	return append(args, "--listen", addr, "--public-url", "http://"+addr)
}

// Two lobbies and two servers of matches: whatever is asked of one lobby, the other answers.
func TestRolesShareTheWork(t *testing.T) {
	redis := testredis.Start(t)
	key := ownKey(t)
	lobby := []*running{spawn(t, key, "--redis", redis.URL(), "--role", "lobby"), spawn(t, key, "--redis", redis.URL(), "--role", "lobby")}
	for _, l := range lobby {
		until(t, "a lobby is ready without servers of matches", func() bool { return l.ask("GET", "/readyz", "").status == 200 })
	}
	a := lobby[0].post("/v1/tickets", "alice", `{"queue":"arena"}`)
	wantProblem(t, a, http.StatusServiceUnavailable)
	if !strings.Contains(a.body, "no server runs this game now") || a.header.Get("Retry-After") == "" {
		t.Errorf("a ticket without servers of matches: %s, Retry-After %q", a.body, a.header.Get("Retry-After"))
	}
	a = lobby[1].post("/v1/rooms", "alice", `{"game":"arena"}`)
	wantProblem(t, a, http.StatusServiceUnavailable)
	if !strings.Contains(a.body, "no server runs this game now") || a.header.Get("Retry-After") == "" {
		t.Errorf("a room without servers of matches: %s, Retry-After %q", a.body, a.header.Get("Retry-After"))
	}

	hosts := map[string]*running{}
	for range 2 {
		h := spawn(t, key, direct(t, "--redis", redis.URL(), "--role", "match")...)
		hosts[strings.TrimPrefix(h.url, "http://")] = h
	}
	for addr, h := range hosts {
		until(t, "a server of matches is ready", func() bool { return h.ask("GET", "/readyz", "").status == 200 })
		for _, path := range []string{"/v1/queues", "/v1/tickets/x", "/v1/lobby", "/docs/", "/arena", "/openapi.json"} {
			a := h.ask("GET", path, "alice")
			wantProblem(t, a, http.StatusNotFound)
			if !strings.Contains(a.body, "this server runs matches and is no lobby") {
				t.Errorf("%s of %s: %s", path, addr, a.body)
			}
		}
		if a := h.ask("GET", "/metrics", "root", "admin"); a.status != 200 || !strings.Contains(a.body, "muster_rooms 0") {
			t.Errorf("/metrics of %s: %d", addr, a.status)
		}
	}

	// A ticket is made at one lobby, waited for at the other, whose sockets hear of it.
	live, err := lobby[1].lobby("bob").Live(soon(t), client.LiveOptions{})
	must(t, err)
	defer func() { _ = live.Close() }()
	asks := 0
	until(t, "tickets are taken again", func() bool { // within a second
		asks++
		return lobby[0].post("/v1/tickets", fmt.Sprint("x", asks), `{"queue":"arena"}`).status == http.StatusCreated
	})
	id := idOf.FindStringSubmatch(lobby[0].post("/v1/tickets", "bob", `{"queue":"arena"}`).body)[1]
	m, err := lobby[1].lobby("bob").WaitTicket(soon(t), id)
	must(t, err)
	play := func(m client.Match) (addr string) {
		t.Helper()
		c, err := client.Dial[arena.World, arena.Input](soon(t), m, client.Options{Events: arena.Game.Rules().Events})
		must(t, err)
		t.Cleanup(func() { _ = c.Close() })
		_, err = c.Next(soon(t))
		must(t, err)
		return strings.TrimSuffix(strings.TrimPrefix(m.URL, "ws://"), "/v1/match/"+m.Room)
	}
	if addr := play(m); hosts[addr] == nil {
		t.Errorf("bob's match is at %s", m.URL)
	}
	for matched := false; !matched; {
		news, err := live.Next(soon(t))
		must(t, err)
		matched = news.Event != nil && strings.Contains(string(news.Event.Body), `"matched"`)
	}

	// The dashboard is at a server of matches, and knows of all four, and of the lobbies' queues.
	asked := 0
	until(t, "the lobby knows where rooms with names are", func() bool {
		asked++ // each time by another: how often one may ask is limited
		return lobby[1].ask("POST", "/v1/games/dashboard/rooms/main/join", fmt.Sprint("root-", asked), "admin").status == http.StatusOK
	})
	board := lobby[1].watchBoard("root", "admin")
	until(t, "the dashboard has all servers and their queues", func() bool {
		_, err := board.Next(soon(t))
		must(t, err)
		b := board.State()
		return b.Nodes.Len() == 4 && b.Totals.V.Nodes == 4 && b.Queues.Len() == 1 && b.Totals.V.Players >= 2 && b.Totals.V.Sockets >= 2
	})
	must(t, board.Close())

	// Rooms go to servers of matches, each seat is given by either lobby, and is taken where the room is. Which of the two gets
	// more depends on how late their ticks are, on a busy machine on that alone; how a burst spreads is tested in match/cluster.
	for i := range 12 {
		var player string
		var a answer
		asked := 0
		until(t, "a room is made", func() bool { // servers whose ticks are late, as on a busy machine, take none for a while
			player = fmt.Sprint("p", i, "-", asked)
			asked++
			a = lobby[i%2].post("/v1/rooms", player, `{"game":"arena","public":true}`)
			return a.status == http.StatusCreated
		})
		var m client.Match
		lobby[(i+1)%2].call("POST", "/v1/rooms/"+idOf.FindStringSubmatch(a.body)[1]+"/join", player, "", http.StatusOK, &m)
		if addr := play(m); hosts[addr] == nil {
			t.Errorf("a room is at %s", m.URL)
		}
	}
}

func TestServerThatDrainsIsNotReadyUntilItMayTakeRoomsAgain(t *testing.T) {
	r := serve(t, withArena, "--tag", "disk=fast", "--capacity", "7", "--region", "eu")
	until(t, "ready", func() bool { return r.ask("GET", "/readyz", "").status == http.StatusOK })
	var nodes struct {
		Nodes []struct {
			ID, Role, Region, Closed string
			Tags, Games              map[string]string
			Capacity                 int
			Draining                 bool
			Load                     struct {
				Rooms, Players, Sockets int
				Tick                    float64
				Heap                    int64 `json:"heap_bytes"`
			}
		}
	}
	look := func() {
		t.Helper()
		must(t, json.Unmarshal([]byte(r.ask("GET", "/v1/admin/nodes", "").body), &nodes))
		if len(nodes.Nodes) != 1 {
			t.Fatalf("the servers are %+v", nodes)
		}
	}
	look()
	if n := nodes.Nodes[0]; n.Role != "all" || n.Region != "eu" || n.Tags["disk"] != "fast" || n.Capacity != 7 || n.Games["arena"] == "" || n.Closed != "" {
		t.Errorf("the server says of itself %+v", n)
	}
	c, err := client.Dial[arena.World, arena.Input](soon(t), r.match("alice", "arena"), client.Options{Events: arena.Game.Rules().Events})
	must(t, err)
	defer func() { _ = c.Close() }()
	until(t, "its load has the room", func() bool {
		_, err := c.Next(soon(t))
		must(t, err)
		look()
		l := nodes.Nodes[0].Load
		return l.Rooms == 1 && l.Players == 1 && l.Sockets == 1 && l.Tick > 0 && l.Heap > 0
	})
	drain := "/v1/admin/nodes/" + nodes.Nodes[0].ID + "/drain"
	if a := r.ask("POST", drain, ""); a.status != http.StatusNoContent {
		t.Fatalf("draining: %d %s", a.status, a.body)
	}
	if look(); nodes.Nodes[0].Closed != "it drains" {
		t.Errorf("the server says %+v", nodes.Nodes[0])
	}
	until(t, "it is not ready", func() bool { return strings.Contains(r.ask("GET", "/readyz", "").body, "the server drains") })
	_, err = c.Next(soon(t)) // its room goes on
	must(t, err)
	if a := r.ask("DELETE", drain, ""); a.status != http.StatusNoContent {
		t.Fatalf("no longer draining: %d %s", a.status, a.body)
	}
	until(t, "it is ready again", func() bool { // or late, as a test machine may be
		a := r.ask("GET", "/readyz", "")
		return a.status == http.StatusOK || !strings.Contains(a.body, "the server drains")
	})
}
