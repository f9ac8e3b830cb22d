package cmd

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"muster/client"
	"muster/games/arena"
	"muster/internal/testredis"
	"muster/match/cluster"
	"muster/proto/token"
)

// newTestServer serves a handler and returns its address.
func newTestServer(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestHealthIsToldToAnybody(t *testing.T) {
	r := serve(t, withArena)
	if a := r.ask("GET", "/livez", ""); a.status != 200 || a.body != "ok\n" {
		t.Errorf("/livez: %d %q", a.status, a.body)
	}
	until(t, "ready", func() bool { return r.ask("GET", "/readyz", "").status == 200 })
	if a := r.ask("GET", "/readyz", ""); a.body != "ready\n" {
		t.Errorf("/readyz: %q", a.body)
	}
	var stdout, stderr output
	if code := run(t.Context(), func() {}, []string{"health", "--url", r.url + "/"}, nil, &stdout, &stderr); code != 0 || stdout.String() != "ready\n" {
		t.Errorf("muster health: %d, %s%s", code, &stdout, &stderr)
	}
}

func TestReadinessFollowsRedis(t *testing.T) {
	redis := testredis.Start(t)
	r := serve(t, withArena, "--redis", redis.URL(), "--log-level", "error")
	until(t, "ready", func() bool { return r.ask("GET", "/readyz", "").status == 200 })
	redis.Kill()
	a := r.ask("GET", "/readyz", "")
	wantProblem(t, a, http.StatusServiceUnavailable)
	if !strings.Contains(a.body, "Redis does not answer") || strings.Contains(a.body, redis.Addr) {
		t.Errorf("/readyz without Redis: %s", a.body)
	}
	if a := r.ask("GET", "/livez", ""); a.status != 200 {
		t.Errorf("/livez without Redis: %d", a.status)
	}
	var stdout, stderr output
	code := run(t.Context(), func() {}, []string{"health", "--url", r.url}, nil, &stdout, &stderr)
	if code != 1 || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "is not ready: Redis does not answer\n") {
		t.Errorf("muster health: %d, %s%s", code, &stdout, &stderr)
	}
	redis.Restart()
	until(t, "ready again", func() bool { return r.ask("GET", "/readyz", "").status == 200 })
	until(t, "a match again", func() bool { // its node is registered again soon
		l := r.lobby("alice")
		ticket, err := l.CreateTicket(soon(t), "arena")
		if err != nil {
			return false
		}
		_, err = l.WaitTicket(soon(t), ticket.ID)
		return err == nil
	})
}

func TestMetricsTellWhatTheServerDoes(t *testing.T) {
	r := serve(t, withArena)
	c, err := client.Dial[arena.World, arena.Input](soon(t), r.match("alice", "arena"), client.Options{Events: arena.Game.Rules().Events})
	must(t, err)
	defer func() { _ = c.Close() }()
	for range 5 {
		_, err = c.Next(soon(t))
		must(t, err)
		must(t, c.Send(arena.Input{Thrust: 1}))
	}
	r.ask("GET", "/v1/alice", "")
	var a answer
	until(t, "an input is counted", func() bool {
		a = r.ask("GET", "/metrics", "")
		return regexp.MustCompile(`(?m)^muster_inputs_total [1-9]`).MatchString(a.body)
	})
	for _, want := range []string{
		`muster_connections 1`, `muster_rooms 1`, `muster_players 1`, `muster_tick_duration_seconds_bucket\{le="0\.001"\} [0-9]+`,
		`muster_tick_duration_seconds_count [1-9].*`, `muster_tick_lateness_seconds_count [1-9].*`, `muster_bytes_out_total [1-9].*`,
		`muster_frames_out_total [1-9].*`, `muster_messages_in_total [1-9].*`, `muster_closes_total\{code="slow_reader"\} 0`,
		`muster_requests_total\{route="POST /v1/tickets",status="201"\} 1`, `muster_requests_total\{route="GET /v1/match/\{room\}",status="101"\} 1`,
		`muster_requests_total\{route="/v1/",status="404"\} 1`, `muster_request_seconds_count\{route="POST /v1/tickets"\} 1`,
		`muster_info\{region="",role="all",version=".+"\} 1`, `muster_queue_file_loads_total\{outcome="bad"\} 0`,
		`muster_tickets_total\{queue="arena",state="matched"\} 1`, `go_goroutines [1-9].*`, `process_resident_memory_bytes .*`,
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(a.body) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(a.body, `muster_request_seconds_count{route="GET /v1/match/{room}"}`) {
		t.Error("a socket counts as a request that took its life")
	}
	if m := regexp.MustCompile(`(?m)^muster_.*alice.*$`).FindString(a.body); m != "" {
		t.Errorf("a metric names a player: %s", m)
	}
}

func TestProductionIsClosed(t *testing.T) {
	r := serve(t, withArena, "--key-file", ownKey(t))
	req, err := http.NewRequestWithContext(t.Context(), "POST", r.url+"/v1/guests", strings.NewReader(`{"name":"x"}`))
	must(t, err)
	none := r.do(req)
	if wantProblem(t, none, http.StatusNotFound); !strings.Contains(none.body, "this server takes no guests") { // pages show it
		t.Errorf("who would be a guest is told %s", none.body)
	}
	if a := r.ask("GET", "/openapi.json", ""); a.status != 200 || strings.Contains(a.body, "/v1/guests") {
		t.Errorf("the description: %d %.200s", a.status, a.body)
	}
	a := r.ask("GET", "/metrics", "")
	wantProblem(t, a, http.StatusUnauthorized)
	if a.header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("WWW-Authenticate is %q", a.header.Get("WWW-Authenticate"))
	}
	wantProblem(t, r.ask("GET", "/metrics", "alice"), http.StatusForbidden)
	wantProblem(t, r.ask("GET", "/metrics", "alice", "moderator", "Admin"), http.StatusForbidden)
	for _, role := range []string{"metrics", "admin"} {
		if a := r.ask("GET", "/metrics", "alice", "player", role); a.status != 200 || !strings.Contains(a.body, "muster_rooms 0") {
			t.Errorf("/metrics with the role %s: %d", role, a.status)
		}
	}
	for _, path := range []string{"/livez", "/docs/", "/arena"} {
		if a := r.ask("GET", path, ""); a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if strings.Contains(r.stdout.String(), "DEVELOPMENT") {
		t.Errorf("the banner calls the key a development key:\n%s", r.stdout)
	}
}

// What nodes ask each other is answered to nodes alone, whatever tokens a stranger has.
func TestProbesOfStrangersAreForbidden(t *testing.T) {
	r := serve(t, withArena)
	signed, err := r.keys.SignPlayer(token.Player{ID: "root", Roles: []string{"admin"}}, time.Hour)
	must(t, err)
	for name, body := range map[string]io.Reader{
		"nothing": nil, "garbage": strings.NewReader("\x97\x01\x01"), "a megabyte": strings.NewReader(strings.Repeat("x", 1<<20)),
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", r.url+cluster.ProbePath, body)
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+signed)
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		text, err := io.ReadAll(res.Body)
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != http.StatusForbidden || string(text) != "forbidden\n" {
			t.Errorf("%s: %d %q, want 403", name, res.StatusCode, text)
		}
	}
	if a := r.ask("GET", cluster.ProbePath, ""); a.status == http.StatusOK && !strings.Contains(a.body, "<html") {
		t.Errorf("GET: %d %q", a.status, a.body)
	}
	metrics := r.ask("GET", "/metrics", "").body
	for _, want := range []string{"muster_lease_state 0", "muster_lease_probes_refused_total 3", "muster_lease_peers 0"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics have no %q", want)
		}
	}
}

func TestUnknownRoutesAreProblems(t *testing.T) {
	r := serve(t, withArena)
	for _, c := range []struct{ method, path string }{
		{"GET", "/v1/"},
		{"GET", "/v1/nothing"},
		{"PUT", "/v1/tickets"},
		{"GET", "/v1/tickets"},
		{"POST", "/v1/match/x"},
		{"GET", "/v1/match/"},
		{"GET", "/v1/tickets/x/y"},
		{strings.Repeat("X", 3000), "/v1/tickets"},
	} {
		a := r.ask(c.method, c.path, "alice")
		if len(a.body) > 200 {
			t.Errorf("%.10s %s: an answer of %d bytes", c.method, c.path, len(a.body))
		}
		wantProblem(t, a, http.StatusNotFound)
	}
	if a := r.ask("GET", "/nothing", ""); a.status != http.StatusNotFound {
		t.Errorf("/nothing: %d", a.status)
	}
}

func TestEveryAnswerHasSecurityHeaders(t *testing.T) {
	r := serve(t, withArena)
	for path, csp := range map[string]string{
		"/v1/nothing": "default-src 'none'; frame-ancestors 'none'", "/v1/tickets/x": "default-src 'none'; frame-ancestors 'none'",
		"/livez": "default-src 'none'; frame-ancestors 'none'", "/metrics": "default-src 'none'; frame-ancestors 'none'",
		"/openapi.json": "default-src 'none'; frame-ancestors 'none'", "/v1/match/x": "default-src 'none'; frame-ancestors 'none'",
		"/docs/": "default-src 'self'; script-src 'self' 'unsafe-inline'; ", "/arena": "default-src 'self'; ", "/nothing": "default-src 'self'; ",
	} {
		h := r.ask("GET", path, "").header
		if got := h.Get("Content-Security-Policy"); !strings.HasPrefix(got, csp) || !strings.Contains(got, "frame-ancestors 'none'") {
			t.Errorf("%s: Content-Security-Policy %q, want %q", path, got, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") == "" {
			t.Errorf("%s: headers %v", path, h)
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: any page may read it", path)
		}
	}
}

func TestDocumentationBringsAllThatItLoads(t *testing.T) {
	r := serve(t, withArena)
	if a := r.ask("GET", "/docs", ""); a.status != http.StatusFound || a.header.Get("Location") != "/docs/" {
		t.Errorf("/docs: %d to %q", a.status, a.header.Get("Location"))
	}
	page := r.ask("GET", "/docs/", "")
	if page.status != 200 || !strings.Contains(page.body, "/openapi.json") {
		t.Fatalf("/docs/: %d %s", page.status, page.body)
	}
	loads := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.body, -1)
	if len(loads) < 3 {
		t.Errorf("the page loads %d files, want scripts and a style", len(loads))
	}
	for _, m := range loads {
		if !strings.HasPrefix(m[1], "/docs/") {
			t.Errorf("the page loads %s", m[1])
			continue
		}
		if a := r.ask("GET", m[1], ""); a.status != 200 || a.body == "" {
			t.Errorf("%s: %d with %d bytes", m[1], a.status, len(a.body))
		}
	}
	if m := regexp.MustCompile(`(?:src|href|url)\s*[=(:]\s*["']?(?:https?:)?//[^"')\s]+`).FindString(page.body); m != "" {
		t.Errorf("the page goes elsewhere: %s", m)
	}
}

func TestPagesOfAllowedHostsMayCallTheLobby(t *testing.T) {
	r := serve(t, withArena, "--origin", "play.example.com", "--origin", "localhost:5173")
	preflight := func(origin string) answer {
		req, err := http.NewRequestWithContext(t.Context(), "OPTIONS", r.url+"/v1/tickets", nil)
		must(t, err)
		req.Header = http.Header{
			"Origin": {origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization,content-type"},
		}
		return r.do(req)
	}
	for _, origin := range []string{"https://play.example.com", "http://localhost:5173"} {
		if a := preflight(origin); a.header.Get("Access-Control-Allow-Origin") != origin || a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v", origin, a.status, a.header)
		}
	}
	for _, origin := range []string{"https://evil-play.example.com", "https://play.example.com.evil.example", "null", "https://play.example.com:1"} {
		if a := preflight(origin); a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s is allowed: %v", origin, a.header)
		}
	}
}

func TestHugeHeadersAreRefused(t *testing.T) {
	r := serve(t, withArena)
	req, err := http.NewRequestWithContext(t.Context(), "GET", r.url+"/livez", nil)
	must(t, err)
	req.Header.Set("X-Big", strings.Repeat("x", 32<<10))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return // the connection was closed before the client read why
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("32 KiB of headers: %d", res.StatusCode)
	}
}

// Half a request must not hold a connection.
func TestHalfARequestIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	s := start(t)
	began := time.Now()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	must(t, err)
	must(t, c.SetReadDeadline(began.Add(time.Minute)))
	_, err = io.Copy(io.Discard, c)
	if took := time.Since(began); err != nil || took < headerTimeout || took >= readTimeout {
		t.Errorf("the connection ended after %v: %v", took, err)
	}
}
