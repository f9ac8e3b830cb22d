package cmd

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/client"
)

func trusted(t *testing.T, list ...string) proxies {
	t.Helper()
	p, err := parseProxies(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAddressOfARequestIsTheNearestThatIsNoTrustedProxy(t *testing.T) {
	p := trusted(t, "10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::ffff:172.16.0.0/108")
	long := strings.Repeat("10.1.1.1, ", 5000)
	for name, c := range map[string]struct {
		remote    string
		forwarded []string
		want      string // "" is the connection's own
	}{
		"no proxy":                        {"198.51.100.1:5", nil, ""},
		"a stranger who says he is one":   {"198.51.100.1:5", []string{"203.0.113.9"}, ""},
		"one proxy":                       {"10.0.0.1:5", []string{"203.0.113.9"}, "203.0.113.9"},
		"a proxy in IPv6 of IPv4":         {"[::ffff:10.0.0.1]:5", []string{"203.0.113.9"}, "203.0.113.9"},
		"a proxy that says nothing":       {"10.0.0.1:5", nil, ""},
		"a client that makes up hops":     {"10.0.0.1:5", []string{"127.0.0.1, 8.8.8.8, 203.0.113.9"}, "203.0.113.9"},
		"a client that makes up a proxy":  {"10.0.0.1:5", []string{"8.8.8.8, 10.0.0.2, 203.0.113.9"}, "203.0.113.9"},
		"two proxies":                     {"10.0.0.1:5", []string{"203.0.113.9, 192.0.2.7"}, "203.0.113.9"},
		"two proxies and a made-up hop":   {"10.0.0.1:5", []string{"8.8.8.8, 203.0.113.9, 192.0.2.7"}, "203.0.113.9"},
		"two headers":                     {"10.0.0.1:5", []string{"8.8.8.8", "203.0.113.9,192.0.2.7"}, "203.0.113.9"},
		"a proxy's neighbour":             {"192.0.2.8:5", []string{"203.0.113.9"}, ""},
		"only proxies":                    {"10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"a port":                          {"10.0.0.1:5", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		"IPv6":                            {"[2001:db8::1]:5", []string{"2a00::1"}, "2a00::1"},
		"IPv6 with a port":                {"10.0.0.1:5", []string{"[2a00::1]:80"}, "2a00::1"},
		"IPv6 of IPv4":                    {"172.16.0.9:5", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		"words":                           {"10.0.0.1:5", []string{"unknown"}, ""},
		"words behind a proxy":            {"10.0.0.1:5", []string{"203.0.113.9, _hidden, 10.0.0.2"}, "10.0.0.2"},
		"an empty hop":                    {"10.0.0.1:5", []string{"203.0.113.9,,10.0.0.2"}, "10.0.0.2"},
		"a way without end":               {"10.0.0.1:5", []string{"203.0.113.9, " + long + "10.2.2.2"}, "10.1.1.1"},
		"no address at all":               {"pipe", []string{"203.0.113.9"}, ""},
		"an address with CR and LF in it": {"10.0.0.1:5", []string{"203.0.113.9\r\nX: y"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.remote
			r.Header["X-Forwarded-For"] = c.forwarded
			want := c.remote
			if c.want != "" {
				want = c.want + ":0"
				if strings.Contains(c.want, ":") {
					want = "[" + c.want + "]:0"
				}
			}
			got := ""
			behind(p, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })).ServeHTTP(httptest.NewRecorder(), r)
			if got != want || r.RemoteAddr != c.remote {
				t.Errorf("the request comes from %q, want %q", got, want)
			}
		})
	}
}

func TestWithoutTrustedProxiesForwardedAddressesAreIgnored(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	got := ""
	behind(trusted(t), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })).ServeHTTP(httptest.NewRecorder(), r)
	if got != r.RemoteAddr {
		t.Errorf("the request comes from %q", got)
	}
}

func TestOnlyATrustedProxySaysThatItsClientUsesTLS(t *testing.T) {
	for name, c := range map[string]struct {
		p      proxies
		remote string
		want   string
	}{
		"a trusted proxy":       {trusted(t, "10.0.0.0/8"), "10.0.0.1:5", "https"},
		"a stranger":            {trusted(t, "10.0.0.0/8"), "198.51.100.1:5", ""},
		"anybody, none trusted": {trusted(t), "10.0.0.1:5", ""},
		"no address at all":     {trusted(t, "10.0.0.0/8"), "pipe", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.remote
			r.Header.Set("X-Forwarded-For", "203.0.113.9")
			r.Header.Set(forwardedProto, "https")
			got := ""
			behind(c.p, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get(forwardedProto) })).ServeHTTP(httptest.NewRecorder(), r)
			if got != c.want || r.Header.Get(forwardedProto) != "https" {
				t.Errorf("%s is %q, want %q", forwardedProto, got, c.want)
			}
		})
	}
}

// A page that was loaded by https may open no ws:// socket.
func TestAddressOfAMatchIsSecureForWhomATrustedProxySaysSoOnTheSocketAsOverREST(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a trusted proxy": {[]string{"--trusted-proxy", "127.0.0.0/8"}, "wss://"},
		"a stranger":      {nil, "ws://"},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t, withArena, c.args...)
			l := r.lobby("alice")
			l.HTTP = &http.Client{Transport: saying{forwardedProto, "https"}}
			live, err := l.Live(soon(t), client.LiveOptions{HTTP: l.HTTP})
			must(t, err)
			defer func() { _ = live.Close() }()
			made, err := l.CreateTicket(soon(t), "arena")
			must(t, err)
			m, err := l.WaitTicket(soon(t), made.ID)
			must(t, err)
			if !strings.HasPrefix(m.URL, c.want) {
				t.Errorf("over REST the match is at %s", m.URL)
			}
			var tk, asked struct{ Match *client.Match }
			for tk.Match == nil {
				news, err := live.Next(soon(t))
				must(t, err)
				if news.Event != nil && news.Event.Kind == "ticket" {
					must(t, json.Unmarshal(news.Event.Body, &tk))
				}
			}
			if !strings.HasPrefix(tk.Match.URL, c.want) {
				t.Errorf("the event says that the match is at %s", tk.Match.URL)
			}
			must(t, live.Do(soon(t), "ticket.get", map[string]any{"ticket": made.ID}, &asked))
			if asked.Match == nil || !strings.HasPrefix(asked.Match.URL, c.want) {
				t.Errorf("the socket answers that the match is at %+v", asked.Match)
			}
		})
	}
}

// saying adds a header to each request.
type saying struct{ name, value string }

func (s saying) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(s.name, s.value)
	return http.DefaultTransport.RoundTrip(r)
}

func TestNetworksOfProxiesAreChecked(t *testing.T) {
	for _, s := range []string{"", "x", "10.0.0.0/33", "10.0.0.0-10.0.0.9", "fe80::1%eth0", "example.com", "10.0.0.1:80"} {
		if _, err := parseProxies([]string{"10.0.0.1", s}); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestConnectionsToMatchesAreLimitedByTheClientsAddress(t *testing.T) {
	r := serve(t, withArena, "--address-rate", "1", "--trusted-proxy", "127.0.0.0/8")
	open := func(forwarded string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/v1/match/x", nil)
		must(t, err)
		req.Header.Set("X-Forwarded-For", forwarded)
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		_ = res.Body.Close()
		if res.StatusCode == http.StatusTooManyRequests && res.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
		return res.StatusCode
	}
	limited := 0
	for range 20 {
		switch status := open("8.8.8.8, 203.0.113.9"); status {
		case http.StatusTooManyRequests:
			limited++
		case http.StatusUnauthorized:
		default:
			t.Fatalf("status %d", status)
		}
	}
	if limited < 5 || limited > 15 {
		t.Errorf("%d of 20 were refused, want all but five and one a second", limited)
	}
	if status := open("203.0.113.10"); status != http.StatusUnauthorized {
		t.Errorf("another client behind the same proxy gets %d", status)
	}
}
