package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"muster/internal/simnet"
	"muster/proto"
)

// feedServer is a lobby whose sockets a test drives one after the other.
type feedServer struct {
	t       *testing.T
	sockets chan *feedSocket
	mu      sync.Mutex
	refuse  []int // statuses instead of sockets, the first first
	expires uint32
	meets   func() // what a handshake meets first; nil: nothing
}

// feedSocket is one socket, seen from the lobby.
type feedSocket struct {
	t      *testing.T
	ws     *websocket.Conn
	bearer string
	after  string
	asked  chan map[string]any // requests after hello; closed at the socket's end
}

func startFeed(t *testing.T) (*feedServer, *Lobby) {
	t.Helper()
	s := &feedServer{t: t, sockets: make(chan *feedSocket, 8)}
	srv := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(srv.Close)
	return s, &Lobby{URL: srv.URL, Token: "old", HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

// follow opens a feed for as long as the test takes.
func follow(t *testing.T, l *Lobby, o LiveOptions) *Feed {
	t.Helper()
	f, err := l.Follow(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func (s *feedServer) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	expires, status, meets := s.expires, 0, s.meets
	if len(s.refuse) > 0 {
		status, s.refuse = s.refuse[0], s.refuse[1:]
	}
	s.mu.Unlock()
	if meets != nil {
		meets()
	}
	if status != 0 {
		reply(w, status, `{}`)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{proto.SubprotocolLobby}})
	if err != nil {
		s.t.Error(err)
		return
	}
	defer func() { _ = ws.CloseNow() }()
	c := &feedSocket{t: s.t, ws: ws, bearer: r.Header.Get("Authorization"), asked: make(chan map[string]any, 64)}
	defer close(c.asked)
	var hello struct{ Body struct{ After string } }
	_, b, err := ws.Read(r.Context())
	if err != nil || json.Unmarshal(b, &hello) != nil {
		return
	}
	c.after = hello.Body.After
	c.say(`{"hello":{"player":"alice","last":"0-0/0-0","expires":%d}}`, expires)
	s.sockets <- c
	for {
		_, b, err := ws.Read(context.Background())
		if err != nil {
			return
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			s.t.Error(err)
		}
		c.asked <- m
	}
}

func (c *feedSocket) say(format string, a ...any) {
	_ = c.ws.Write(context.Background(), websocket.MessageText, fmt.Appendf(nil, format, a...)) // tests end sockets
}

func (c *feedSocket) event(n int) {
	c.say(`{"event":{"id":"%d-0/0-0","kind":"chat","body":{"text":"m%d"}}}`, n, n)
}

// next is the next socket.
func (s *feedServer) next() *feedSocket {
	s.t.Helper()
	select {
	case c := <-s.sockets:
		return c
	case <-time.After(waitLong):
		s.t.Fatal("nobody came back")
		return nil
	}
}

func (c *feedSocket) wants(do string) map[string]any {
	c.t.Helper()
	select {
	case m := <-c.asked:
		if m["do"] != do {
			c.t.Errorf("asked for %v, want %s", m, do)
		}
		return m
	case <-time.After(waitLong):
		c.t.Fatalf("nobody asked for %s", do)
		return nil
	}
}

// heard collects what Next returns, as text.
func heard(t *testing.T, f *Feed, n int) (list []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLong)
	defer cancel()
	for range n {
		news, err := f.Next(ctx)
		switch {
		case err != nil:
			t.Fatalf("after %q: %v", list, err)
		case news.Event != nil:
			var m ChatMessage
			if err := news.Event.Decode(&m); err != nil {
				t.Fatal(err)
			}
			list = append(list, m.Text)
		case news.Missed:
			list = append(list, "missed")
		default:
			list = append(list, news.Presence[0].Player+" "+news.Presence[0].State)
		}
	}
	return list
}

func TestAFeedGoesOnWhereItWasLost(t *testing.T) {
	s, l := startFeed(t)
	f := follow(t, l, LiveOptions{After: "5-0/0-0"})
	c := s.next()
	if c.after != "5-0/0-0" || f.Hello().Player != "alice" {
		t.Errorf("after %q, %+v", c.after, f.Hello())
	}
	c.event(6)
	c.event(7)
	got := heard(t, f, 1)
	_ = c.ws.CloseNow() // the second is here, and was not returned: it is, once
	s.mu.Lock()
	s.refuse = []int{503, 503}
	s.mu.Unlock()
	go func() {
		c := s.next()
		if c.after != "7-0/0-0" {
			t.Errorf("after %q, want the second event's place", c.after)
		}
		c.event(8)
		c.say(`{"missed":true,"last":"20-0/0-0"}`)
		c.say(`{"bye":{"code":4002,"reason":"leaving","after_ms":1}}`)
		c = s.next()
		if c.after != "20-0/0-0" {
			t.Errorf("after %q, want the place after what was missed", c.after)
		}
		c.event(21)
	}()
	got = append(got, heard(t, f, 4)...)
	if want := []string{"m6", "m7", "m8", "missed", "m21"}; !slices.Equal(got, want) || f.Last() != "21-0/0-0" {
		t.Errorf("heard %q, want %q; the last place is %s", got, want, f.Last())
	}
}

// However often a socket is lost, and wherever in what it says: each event is heard once, in order.
func TestAFeedHearsEachEventOnceHoweverOftenItIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &feedServer{t: t, sockets: make(chan *feedSocket, 8)}
		line := simnet.Listen(simnet.Link{Latency: 20 * time.Millisecond, Jitter: 20 * time.Millisecond, Seed: 1})
		ends := make(chan *simnet.Conn, 1000)
		l := &Lobby{URL: "http://lobby", Token: "t", HTTP: &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				c, err := line.Dial(ctx)
				if err == nil {
					ends <- c // attempts follow each other
				}
				return c, err //nolint:wrapcheck // a test's
			},
		}}}
		srv, served := &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: time.Minute}, make(chan struct{})
		go func() {
			defer close(served)
			_ = srv.Serve(line)
		}()
		defer func() { _ = srv.Close(); <-served }()
		f, err := l.Follow(t.Context(), LiveOptions{After: "0-0/0-0"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = f.Close()
			time.Sleep(time.Second) // until the server has heard of it
		}()
		const events = 300
		dice, sockets, driven := rand.New(rand.NewPCG(1, 1)), 0, make(chan struct{})
		go func() {
			defer close(driven)
			for c := range s.sockets {
				sockets++
				end := <-ends
				var last int
				if _, err := fmt.Sscanf(c.after, "%d-", &last); err != nil {
					t.Errorf("after %q: %v", c.after, err)
				}
				until := last + 1 + dice.IntN(20)
				for n := last + 1; n <= min(until, events); n++ {
					c.event(n)
				}
				time.Sleep(time.Duration(dice.IntN(60)) * time.Millisecond)
				if until <= events {
					end.Cut() // also in the middle of what it said
				}
			}
		}()
		for n := 1; n <= events; n++ {
			news, err := f.Next(t.Context())
			if err != nil || news.Event == nil || news.Event.ID != fmt.Sprintf("%d-0/0-0", n) {
				t.Errorf("heard %+v as number %d: %v", news.Event, n, err)
				break
			}
		}
		close(s.sockets)
		<-driven
		t.Logf("%d sockets", sockets)
		if sockets < 10 {
			t.Error("hardly a socket was lost")
		}
	})
}

func TestWhoIsWatchedIsWatchedAnew(t *testing.T) {
	s, l := startFeed(t)
	f := follow(t, l, LiveOptions{})
	c := s.next()
	go func() {
		m := c.wants("presence.watch")
		c.say(`{"presence":[{"player":"bob","state":"online"}]}`)
		c.say(`{"re":%v,"ok":{"watched":1}}`, m["n"])
	}()
	done := make(chan error, 1)
	go func() { done <- f.Watch(t.Context(), "bob") }()
	got := heard(t, f, 1)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	_ = c.ws.CloseNow()
	go func() {
		c := s.next()
		m := c.wants("presence.watch")
		if list := m["body"].(map[string]any)["players"].([]any); len(list) != 1 || list[0] != "bob" {
			t.Errorf("watches %v", list)
		}
		c.say(`{"presence":[{"player":"bob","state":"in_match"}]}`)
	}()
	if got = append(got, heard(t, f, 1)...); !slices.Equal(got, []string{"bob online", "bob in_match"}) {
		t.Errorf("heard %q", got)
	}
}

// deafConn blocks a write, and says so, until it is closed.
type deafConn struct {
	net.Conn
	left    int // writes that go through
	blocked chan<- struct{}
	closed  chan struct{}
	once    sync.Once
}

func (c *deafConn) Write(b []byte) (int, error) {
	if c.left--; c.left >= 0 {
		return c.Conn.Write(b)
	}
	c.blocked <- struct{}{}
	<-c.closed
	return 0, net.ErrClosed
}

func (c *deafConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func TestALobbyThatDoesNotReadDoesNotHoldUpAFeedsEnd(t *testing.T) {
	s, l := startFeed(t)
	blocked, deaf := make(chan struct{}, 1), false
	l.HTTP = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil || !deaf {
			return conn, err
		}
		return &deafConn{Conn: conn, left: 2, blocked: blocked, closed: make(chan struct{})}, nil // the handshake and the hello
	}}}
	f, err := l.Follow(t.Context(), LiveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c := s.next()
	f.mu.Lock()
	f.watched = []string{"bob"}
	f.mu.Unlock()
	deaf = true // before the attempt that follows
	_ = c.ws.CloseNow()
	ended := make(chan error, 1)
	go func() {
		_, err := f.Next(context.Background())
		ended <- err
	}()
	<-blocked
	closed := make(chan struct{})
	go func() { _ = f.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(waitLong):
		t.Fatal("Close waits for the lobby")
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("Next: %v", err)
	}
}

func TestAFeedRefreshesOnceAtATime(t *testing.T) {
	s, l := startFeed(t)
	asked, answer := make(chan struct{}, 8), make(chan struct{})
	l.Refresh = func(ctx context.Context) (string, error) {
		asked <- struct{}{}
		select {
		case <-answer:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		return "newer", nil
	}
	f := follow(t, l, LiveOptions{})
	c := s.next()
	live, _, _ := f.now()
	f.refresh(live)
	<-asked
	for range 3 { // the answer is late
		f.refresh(live)
	}
	close(answer)
	go func() {
		m := c.wants("refresh")
		c.say(`{"re":%v,"ok":{"expires":3600}}`, m["n"])
		c.event(1)
	}()
	heard(t, f, 1)
	f.wg.Wait()
	if len(c.asked) > 0 || len(asked) > 0 {
		t.Errorf("%d more requests on the socket, %d more calls of Refresh", len(c.asked), len(asked))
	}
	if until := time.Until(f.due); until < 40*time.Minute {
		t.Errorf("refreshed again in %v, the lobby said 3600 s", until)
	}
}

func TestAFeedWhoseTokenEndedComesBackWithANewerOne(t *testing.T) {
	for about, end := range map[string]func(s *feedServer, c *feedSocket){
		"closed with 4205": func(_ *feedServer, c *feedSocket) { c.say(`{"bye":{"code":4205,"reason":"the token ended"}}`) },
		"refused with 401": func(s *feedServer, c *feedSocket) {
			s.mu.Lock()
			s.refuse = []int{401}
			s.mu.Unlock()
			_ = c.ws.CloseNow()
		},
	} {
		t.Run(about, func(t *testing.T) {
			s, l := startFeed(t)
			l.Refresh = func(context.Context) (string, error) { return "newer", nil }
			f := follow(t, l, LiveOptions{})
			end(s, s.next())
			go func() {
				c := s.next()
				if c.bearer != "Bearer newer" {
					t.Errorf("came back as %q", c.bearer)
				}
				c.event(1)
			}()
			if got := heard(t, f, 1); got[0] != "m1" {
				t.Errorf("heard %q", got)
			}
		})
	}
}

func TestAFeedRefreshesItsTokenAheadOfTime(t *testing.T) {
	s, l := startFeed(t)
	s.expires = 1
	l.Refresh = func(context.Context) (string, error) { return "newer", nil }
	f := follow(t, l, LiveOptions{})
	c := s.next()
	go func() {
		m := c.wants("refresh")
		if m["body"].(map[string]any)["token"] != "newer" {
			t.Errorf("refreshes with %v", m)
		}
		c.say(`{"re":%v,"ok":{"expires":3600}}`, m["n"])
		c.event(1)
	}()
	if got := heard(t, f, 1); got[0] != "m1" {
		t.Errorf("heard %q", got)
	}
}

func TestAFeedEndsWhereComingBackIsNoUse(t *testing.T) {
	for about, test := range map[string]struct {
		bye    string
		refuse int
		ok     func(error) bool
	}{
		"out": {bye: `{"bye":{"code":4406,"reason":"another socket"}}`, ok: func(err error) bool {
			var ce *CloseError
			return errors.As(err, &ce) && ce.Code == 4406
		}},
		"no token": {refuse: 401, ok: func(err error) bool {
			var he *HandshakeError
			return errors.As(err, &he) && he.Status == 401
		}},
	} {
		t.Run(about, func(t *testing.T) {
			s, l := startFeed(t)
			f := follow(t, l, LiveOptions{})
			c := s.next()
			if test.refuse != 0 {
				s.mu.Lock()
				s.refuse = []int{test.refuse}
				s.mu.Unlock()
				_ = c.ws.CloseNow()
			} else {
				c.say("%s", test.bye)
			}
			_, err := f.Next(t.Context())
			if !test.ok(err) {
				t.Errorf("error %v", err)
			}
			if _, again := f.Next(t.Context()); !test.ok(again) {
				t.Errorf("then %v", again)
			}
			if err := f.Do(t.Context(), "ticket.get", nil, nil); !test.ok(err) {
				t.Errorf("a request: %v", err)
			}
		})
	}
}

func TestANextOfAFeedThatEndsWithItsContextLosesNothing(t *testing.T) {
	s, l := startFeed(t)
	f, err := l.Follow(t.Context(), LiveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c := s.next()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := f.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	c.event(1)
	if got := heard(t, f, 1); got[0] != "m1" {
		t.Errorf("heard %q", got)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := f.Next(context.Background())
		ended <- err
	}()
	_ = f.Close()
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := f.Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("then: %v", err)
	}
}
