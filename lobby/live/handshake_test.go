package live

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/redis/go-redis/v9"

	"muster/internal/door/doortest"
	"muster/internal/simnet"
	"muster/proto"
	"muster/proto/token"
)

func TestHandshakeIsRefusedWithAProblemBeforeTheUpgrade(t *testing.T) {
	admit := map[string]error{
		"flooder": &Problem{Status: http.StatusTooManyRequests, Detail: "too many sockets", RetryAfter: 7}, "unlucky": errDown,
	}
	h := newHall(t, func(c *Config) {
		c.Origins = []string{"App.example"}
		c.Admit = func(_ context.Context, addr, player string) error {
			if addr != "127.0.0.1" {
				t.Errorf("the address is %q", addr)
			}
			return admit[player]
		}
	})
	other, err := token.New([]byte(strings.Repeat("x", 32)), nil)
	must(t, err)
	foreign, _ := other.SignPlayer(token.Player{ID: "p"}, time.Minute)
	seat, _ := h.keys.SignSeat(token.Seat{Room: "r", Seat: 1, Player: "p", ID: "i"}, time.Minute)
	good := h.token("alice", time.Hour)
	bodies := map[string]bool{}
	for name, c := range map[string]struct {
		bearer, origin string
		want           int
		retry          string
	}{
		"no token":        {"", "", 401, ""},
		"garbage":         {"garbage", "", 401, ""},
		"another key's":   {foreign, "", 401, ""},
		"a seat token":    {seat, "", 401, ""},
		"expired":         {h.token("alice", -time.Minute), "", 401, ""},
		"alg none":        {"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhbGljZSJ9.", "", 401, ""},
		"too long":        {strings.Repeat("a", 5000), "", 401, ""},
		"a million dots":  {strings.Repeat(".", 12_000), "", 401, ""},
		"a foreign page":  {good, "https://evil-app.example", 403, ""},
		"a suffix":        {good, "https://app.example.evil", 403, ""},
		"null":            {good, "null", 403, ""},
		"a file":          {good, "file://", 403, ""},
		"the page itself": {good, "https://app.example", 101, ""},
		"no page":         {good, "", 101, ""},
		"too often":       {h.token("flooder", time.Hour), "", 429, "7"},
		"Redis is down":   {h.token("unlucky", time.Hour), "", 503, "1"},
	} {
		head := http.Header{"Authorization": {"Bearer " + c.bearer}}
		if c.origin != "" {
			head.Set("Origin", c.origin)
		}
		ws, res, err := websocket.Dial(testContext(t), h.url+"/v1/lobby", &websocket.DialOptions{HTTPHeader: head, Subprotocols: []string{proto.SubprotocolLobby}, HTTPClient: h.http})
		if res == nil || res.StatusCode != c.want || res.Header.Get("Retry-After") != c.retry {
			t.Errorf("%s: %v, want %d", name, err, c.want)
			continue
		}
		if ws != nil {
			_ = ws.CloseNow()
			continue
		}
		body, _ := io.ReadAll(res.Body)
		if res.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(string(body), `"status":`) {
			t.Errorf("%s: %s %s", name, res.Header.Get("Content-Type"), body)
		}
		if c.want == 401 {
			bodies[string(body)] = true
		}
	}
	if len(bodies) != 1 {
		t.Errorf("the causes of 401 differ: %v", bodies)
	}
	eventually(t, "all places to be free", func() bool { n, a := h.server.guard.Places.Taken(); return n == 0 && a == 0 })
}

func TestBrowserBringsItsTokenInTheSubprotocolList(t *testing.T) {
	h := newHall(t, nil)
	ctx := testContext(t)
	for origin, want := range map[string]int{"http" + strings.TrimPrefix(h.url, "ws"): 101, "": 403} {
		ws, res, err := websocket.Dial(ctx, h.url+"/v1/lobby", &websocket.DialOptions{
			HTTPHeader:   http.Header{"Origin": {origin}},
			Subprotocols: []string{proto.SubprotocolLobby, proto.BearerPrefix + h.token("alice", time.Hour)}, HTTPClient: h.http,
		})
		if res == nil || res.StatusCode != want {
			t.Errorf("from %q: %v, want %d", origin, err, want)
		}
		if ws != nil {
			if ws.Subprotocol() != proto.SubprotocolLobby {
				t.Errorf("the server chose %q", ws.Subprotocol())
			}
			_ = ws.CloseNow()
		}
	}
}

func TestClientOfAnotherVersionIsToldSoOnTheSocket(t *testing.T) {
	h := newHall(t, nil)
	ctx := testContext(t)
	ws, _, err := websocket.Dial(ctx, h.url+"/v1/lobby", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + h.token("alice", time.Hour)}}, Subprotocols: []string{"muster.lobby.v9"}, HTTPClient: h.http,
	})
	must(t, err)
	defer func() { _ = ws.CloseNow() }()
	p := &peer{Conn: ws, t: t}
	said, frame := p.closed(ctx)
	if ws.Subprotocol() != "muster.lobby.v9" || said != proto.CodeVersion || frame != proto.CodeVersion || !strings.Contains(p.bye.Reason, proto.SubprotocolLobby) {
		t.Errorf("protocol %q, bye %+v, close frame %d, want 4426", ws.Subprotocol(), p.bye, frame)
	}
}

func TestWhatIsNoWebSocketGets426Or505AndHoldsNoPlace(t *testing.T) {
	h := newHall(t, func(c *Config) { c.MaxConnections = 1 })
	for range 2 {
		for _, upgrade := range []bool{false, true} {
			r := httptest.NewRequestWithContext(testContext(t), http.MethodGet, "/v1/lobby", http.NoBody)
			r.Header.Set("Authorization", "Bearer "+h.token("alice", time.Hour))
			want := http.StatusUpgradeRequired
			if upgrade {
				r.Header.Set("Upgrade", "websocket")
				r.Header.Set("Sec-Websocket-Key", "x")
				want = http.StatusHTTPVersionNotSupported
			}
			w := httptest.NewRecorder() // like HTTP/2, it has no connection to give
			h.server.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("status %d, want %d", w.Code, want)
			}
		}
	}
	ctx := testContext(t)
	h.join(ctx, "alice", "")
	_, res, err := h.dial(ctx, h.token("bob", time.Hour))
	if res == nil || res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("one more than there are places: %v", err)
	}
}

func TestHalfAHandshakeHoldsNothingAndDelaysNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) {
		h := newSimHall(t, rdb, simnet.Link{}, nil)
		var held []net.Conn
		for _, part := range []string{
			"", "GET", "GET /v1/lobby HTTP/1.1\r\n", "GET /v1/lobby HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n", "\x16\x03\x01 not HTTP at all",
		} {
			for range 20 {
				c, err := h.dialer()
				must(t, err)
				t.Cleanup(func() { _ = c.Close() })
				_, err = io.WriteString(c, part)
				must(t, err)
				held = append(held, c)
			}
		}
		h.join(ctx, "alice", "")
		if n := h.open(); n != 1 {
			t.Errorf("%v sockets", n)
		}
		ends := time.Now().Add(headerTimeout + time.Second)
		for _, c := range held {
			_ = c.SetReadDeadline(ends)
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Fatalf("a half handshake is still held after %v: %v", headerTimeout+time.Second, err)
			}
		}
	})
}

func TestFramesAndMessagesThatAreNoneCloseTheSocketWithTheirCode(t *testing.T) {
	text := func(s string) []byte { return doortest.Frame(doortest.FinText, []byte(s)) }
	hello := text(`{"do":"hello"}`)
	after := func(f []byte) []byte { return append(append([]byte{}, hello...), f...) }
	for name, c := range map[string]struct {
		send []byte
		want proto.Code
		gws  bool // it is the frame that is wrong: then there is no bye
	}{
		"binary":                {after(doortest.Frame(doortest.FinBinary, []byte("{}"))), proto.CodeWrongType, false},
		"not UTF-8":             {after(text("\xff\xfe")), proto.CodeBadPayload, true},
		"too large":             {after(text(strings.Repeat(" ", MaxMessage+1))), proto.CodeTooBig, true},
		"large by claim":        {[]byte{doortest.FinText, 0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, proto.CodeTooBig, true},
		"negative length":       {after(doortest.NegativeLength()), proto.CodeProtocol, false},
		"fragments":             {append(doortest.Frame(1, make([]byte, 8000)), doortest.Frame(doortest.MiddleFragment, make([]byte, 8000))...), proto.CodeTooBig, true},
		"stray fragment":        {after(doortest.Frame(doortest.MiddleFragment, []byte("1"))), proto.CodeProtocol, true},
		"unmasked":              {[]byte{0x81, 0x01, '1'}, proto.CodeProtocol, true},
		"reserved bits":         {[]byte{0xf1, 0x81, 0, 0, 0, 0, 0}, proto.CodeProtocol, true},
		"control too large":     {append([]byte{0x89, 0x80 | 126, 0, 200, 0, 0, 0, 0}, make([]byte, 200)...), proto.CodeProtocol, true},
		"before hello":          {text(`{"n":1,"do":"echo"}`), proto.CodeProtocol, false},
		"hello twice":           {after(hello), proto.CodeProtocol, false},
		"hello of no event":     {text(`{"do":"hello","body":{"after":"x"}}`), proto.CodeBadPayload, false},
		"hello with surplus":    {text(`{"do":"hello","body":{"since":"1-1/0-0"}}`), proto.CodeBadPayload, false},
		"not JSON":              {after(text(`{"n":1,`)), proto.CodeBadPayload, false},
		"not an object":         {after(text(`[1]`)), proto.CodeBadPayload, false},
		"no n":                  {after(text(`{"do":"echo"}`)), proto.CodeBadPayload, false},
		"negative n":            {after(text(`{"n":-1,"do":"echo"}`)), proto.CodeBadPayload, false},
		"fraction":              {after(text(`{"n":1.5,"do":"echo"}`)), proto.CodeBadPayload, false},
		"unknown field":         {after(text(`{"n":1,"do":"echo","x":1}`)), proto.CodeBadPayload, false},
		"field in capitals":     {after(text(`{"n":1,"DO":"echo"}`)), proto.CodeBadPayload, false},
		"a key twice":           {after(text(`{"n":1,"do":"echo","do":"other"}`)), proto.CodeBadPayload, false},
		"a key twice, below":    {after(text(`{"n":1,"do":"echo","body":{"a":1,"a":2}}`)), proto.CodeBadPayload, false},
		"two messages in one":   {after(text(`{"n":1,"do":"echo"}{}`)), proto.CodeBadPayload, false},
		"deep":                  {after(text(`{"n":1,"do":"echo","body":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`)), proto.CodeBadPayload, false},
		"a name that is no one": {after(text(`{"n":1,"do":"a\r\nb"}`)), proto.CodeBadPayload, false},
	} {
		t.Run(name, func(t *testing.T) {
			called := make(chan string, 10)
			h := newHall(t, func(c *Config) {
				c.Handlers = Handlers{"echo": Typed(func(context.Context, Caller, *struct{}) (any, error) { called <- "echo"; return nil, nil })}
			})
			conn := h.raw("alice")
			// In one write, so that what is good lies behind what is bad whatever the server does meanwhile.
			_, err := conn.Write(append(c.send[:len(c.send):len(c.send)], text(`{"n":9,"do":"echo"}`)...))
			must(t, err)
			code, reason, said := h.goodbye(conn)
			if code != c.want || reason == "" || len(reason) > 123 || !c.gws && (said == nil || said.Code != c.want || said.Reason != reason) {
				t.Errorf("closed with %d %q, bye %+v, want %d", code, reason, said, c.want)
			}
			_ = conn.Close()
			eventually(t, "the socket to be gone", func() bool { return h.open() == 0 })
			if n := h.closes(c.want); n != 1 {
				t.Errorf("%v closes are counted as %s", n, c.want.Info().Name)
			}
			if len(called) > 0 {
				t.Error("a request after it was carried out")
			}
		})
	}
}

func TestFloodsEndWith4429(t *testing.T) {
	for name, frame := range map[string][]byte{
		"requests":        doortest.Frame(doortest.FinText, []byte(`{"n":1,"do":"nothing"}`)),
		"pings":           doortest.Frame(doortest.FinPing, nil),
		"pongs":           doortest.Frame(doortest.FinPong, nil),
		"empty fragments": doortest.Frame(doortest.MiddleFragment, nil),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, ctx context.Context, rdb redis.UniversalClient) { // no time passes before the limit is reached
				h := newSimHall(t, rdb, simnet.Link{}, nil)
				other, _ := h.join(ctx, "bob", "")
				c := h.raw("alice")
				_, err := c.Write(doortest.Frame(doortest.FinText, []byte(`{"do":"hello"}`)))
				must(t, err)
				if frame[0] == doortest.MiddleFragment {
					_, err := c.Write(doortest.Frame(1, nil))
					must(t, err)
				}
				flood := strings.Repeat(string(frame), 200)
				writing := make(chan struct{})
				go func() {
					defer close(writing)
					for {
						if _, err := io.WriteString(c, flood); err != nil {
							return
						}
					}
				}()
				code, _, said := h.goodbye(c)
				_ = c.Close()
				<-writing
				if code != proto.CodeRate || said == nil || said.Code != proto.CodeRate || h.closes(proto.CodeRate) != 1 {
					t.Errorf("closed with %d, bye %+v, want 4429", code, said)
				}
				if m := other.ask(ctx, "nothing", "{}"); m.Error == nil || m.Error.Status != http.StatusNotFound {
					t.Errorf("the other socket is answered %+v", m)
				}
			})
		})
	}
}
