package edge

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestBadTokenGets401AndNoSocket(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	other, err := token.New([]byte(strings.Repeat("x", 32)), nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign, _ := other.SignSeat(token.Seat{Room: "r", Seat: 1, Player: "p", ID: "i"}, time.Minute)
	player, _ := b.keys.SignPlayer(token.Player{ID: "p"}, time.Minute)
	stale, _ := b.keys.SignPlayer(token.Player{ID: "p"}, -time.Minute)
	var body []byte
	for name, bearer := range map[string]string{
		"none": "", "garbage": "garbage", "other key": foreign, "player token": player, "expired player token": stale,
		"too long": strings.Repeat("a", 5000), "dots": strings.Repeat(".", 4000),
	} {
		_, res, err := b.dial(ctx, "r", bearer)
		if err == nil || res == nil || res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %v, want 401", name, err)
			continue
		}
		// The socket package gives the first KiB of the body.
		got, _ := io.ReadAll(res.Body)
		if body == nil {
			body = got
		}
		if !bytes.Equal(body, got) || len(got) == 0 || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: body %q, another cause's is %q", name, got, body)
		}
	}
	if n := b.metricValue("muster_connections"); n != 0 {
		t.Errorf("%v connections", n)
	}
}

func TestBrowserBringsItsTokenInTheSubprotocolList(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	ws, _, err := websocket.Dial(ctx, b.url+"/v1/match/r", &websocket.DialOptions{
		HTTPHeader:   http.Header{"Origin": {"http" + strings.TrimPrefix(b.url, "ws")}},
		Subprotocols: []string{proto.Subprotocol, proto.BearerPrefix + b.seatToken("r", 1, "alice")},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	if ws.Subprotocol() != proto.Subprotocol {
		t.Errorf("the server chose %q", ws.Subprotocol())
	}
	p := &peer{Conn: ws, t: t}
	p.until(ctx, proto.KindFrame)
}

func TestForeignOriginsGet403(t *testing.T) {
	b := newBench(t, grow{}, func(c *Config) { c.Origins = []string{"game.example"} })
	ctx := testContext(t)
	for origin, want := range map[string]int{
		"https://evil.example": 403, "null": 403, "https://game.example.evil.example": 403, "http://evil-game.example": 403,
		"https://game.example": 101,
	} {
		ws, res, err := websocket.Dial(ctx, b.url+"/v1/match/r", &websocket.DialOptions{
			HTTPHeader: http.Header{"Origin": {origin}, "Authorization": {"Bearer " + b.seatToken("r", 1, "alice")}},
		})
		if res == nil || res.StatusCode != want {
			t.Errorf("%s: %v, want %d", origin, err, want)
		}
		if err == nil {
			_ = ws.CloseNow()
		}
	}
	_, res, _ := websocket.Dial(ctx, b.url+"/v1/match/r", &websocket.DialOptions{ // no origin and no header: not a browser
		Subprotocols: []string{proto.Subprotocol, proto.BearerPrefix + b.seatToken("r", 1, "alice")},
	})
	if res == nil || res.StatusCode != http.StatusForbidden {
		t.Error("a request without an origin may bring its token in the subprotocol list")
	}
}

func TestGenuineTokenThatIsLateUsedOrForeignGetsACloseCode(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	used := b.seatToken("r", 1, "alice")
	b.connect(ctx, "r", used)
	late, _ := b.keys.SignSeat(token.Seat{Room: "r", Seat: 1, Player: "alice", ID: "x"}, -time.Minute)
	for name, c := range map[string]struct {
		room, bearer string
		want         proto.Code
	}{
		"used":            {"r", used, proto.CodeNotYourSeat},
		"late":            {"r", late, proto.CodeSeatExpired},
		"another match's": {"r", b.seatToken("elsewhere", 1, "bob"), proto.CodeNotYourSeat},
		"another's seat":  {"r", b.seatToken("r", 1, "bob"), proto.CodeNotYourSeat},
		"no such seat":    {"r", b.seatToken("r", 999, "bob"), proto.CodeNotYourSeat},
		"match is gone":   {"gone", b.seatToken("gone", 1, "bob"), proto.CodeMatchGone},
		"directory fails": {"broken", b.seatToken("broken", 1, "bob"), proto.CodeOverloaded},
	} {
		ws, _, err := b.dial(ctx, c.room, c.bearer)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p := &peer{Conn: ws, t: t}
		if bye, frame := p.closed(ctx); bye != c.want || frame != c.want || p.bye.Reason == "" {
			t.Errorf("%s: bye %d (%q), close frame %d, want %d", name, bye, p.bye.Reason, frame, c.want)
		}
		_ = ws.CloseNow()
	}
}

func TestConnectionsOverTheLimitAreRefusedBeforeTheUpgrade(t *testing.T) {
	b := newBench(t, grow{}, func(c *Config) { c.MaxPerAddress = 2 })
	ctx := testContext(t)
	b.join(ctx, "r", 1, "a")
	second := b.join(ctx, "r", 2, "b")
	_, res, err := b.dial(ctx, "r", b.seatToken("r", 3, "c"))
	if err == nil || res == nil || res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("third connection: %v", err)
	}
	_ = second.CloseNow()
	eventually(t, "the place to be free", func() bool {
		ws, _, err := b.dial(ctx, "r", b.seatToken("r", 3, "c"))
		if err == nil {
			_ = ws.CloseNow()
		}
		return err == nil
	})
}

func TestPlainRequestIsToldToUpgrade(t *testing.T) {
	b := newBench(t, grow{}, nil)
	req, _ := http.NewRequestWithContext(testContext(t), http.MethodGet, "http"+strings.TrimPrefix(b.url, "ws")+"/v1/match/r", http.NoBody)
	req.Header.Set("Authorization", "Bearer "+b.seatToken("r", 1, "a"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if res.StatusCode != http.StatusUpgradeRequired || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("status %d, %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
}

func TestClientOfAnotherVersionIsToldSoOnTheSocket(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	for name, offers := range map[string][]string{
		"with a header": {"muster.v2"}, "as a browser": {"muster.v2", proto.BearerPrefix + b.seatToken("r", 1, "alice")},
	} {
		head := http.Header{"Origin": {"http" + strings.TrimPrefix(b.url, "ws")}}
		if len(offers) == 1 {
			head.Set("Authorization", "Bearer "+b.seatToken("r", 1, "alice"))
		}
		ws, _, err := websocket.Dial(ctx, b.url+"/v1/match/r", &websocket.DialOptions{HTTPClient: b.http, HTTPHeader: head, Subprotocols: offers})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if ws.Subprotocol() != "muster.v2" { // else a browser gives the socket up before it hears why
			t.Errorf("%s: the socket's protocol is %q", name, ws.Subprotocol())
		}
		p := &peer{Conn: ws, t: t}
		if bye, frame := p.closed(ctx); bye != proto.CodeVersion || frame != proto.CodeVersion ||
			!strings.Contains(p.bye.Reason, proto.Subprotocol) || !strings.Contains(p.bye.Reason, "muster.v2") || strings.Contains(p.bye.Reason, "eyJ") {
			t.Errorf("%s: bye %d (%q), close frame %d, want 4426", name, bye, p.bye.Reason, frame)
		}
		_ = ws.CloseNow()
	}
}

func TestHandshakeThatCannotBeTakenOverIsRefused(t *testing.T) {
	b := newBench(t, grow{}, func(c *Config) { c.MaxConnections = 1 })
	for range 2 { // the place is given back
		r := httptest.NewRequestWithContext(testContext(t), http.MethodGet, "/v1/match/r", http.NoBody)
		r.SetPathValue("room", "r")
		for k, v := range map[string]string{
			"Authorization": "Bearer " + b.seatToken("r", 1, "alice"), "Upgrade": "websocket", "Sec-Websocket-Key": "x",
		} {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder() // like HTTP/2, it has no connection to give
		b.edge.ServeHTTP(w, r)
		if w.Code != http.StatusHTTPVersionNotSupported {
			t.Errorf("status %d", w.Code)
		}
	}
}

func TestTheSubprotocolChoosesTheForm(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	for _, c := range []struct {
		offers []string
		want   string
		plain  bool
	}{
		{[]string{proto.SubprotocolPlain}, proto.SubprotocolPlain, true},
		{[]string{proto.SubprotocolPlain, proto.Subprotocol}, proto.Subprotocol, false},
		{[]string{proto.Subprotocol}, proto.Subprotocol, false},
	} {
		ws, _, err := websocket.Dial(ctx, b.url+"/v1/match/r", &websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {"Bearer " + b.seatToken("r", 1, "alice")}}, Subprotocols: c.offers,
		})
		if err != nil {
			t.Fatal(err)
		}
		if ws.Subprotocol() != c.want {
			t.Errorf("%v: the server chose %q", c.offers, ws.Subprotocol())
		}
		p := &peer{Conn: ws, t: t}
		p.until(ctx, proto.KindFrame)
		dec := netcode.NewDecoder(b.host.Room("r").Schema())
		if c.plain {
			dec = netcode.NewPlainDecoder(b.host.Room("r").Schema())
		}
		if err := dec.Apply(&p.frame); err != nil {
			t.Errorf("%v: %v", c.offers, err)
		}
		_ = ws.CloseNow()
	}
}
