package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"muster/proto"
)

// Lobby calls a lobby's REST interface as one player. The zero Token is nobody: call Guest, or set it before the first
// call. Any goroutine may make calls at the same time, but for Guest.
//
// Calls return an [APIError] for what the lobby refuses, and an error where it does not answer within 30 s; within 5 s more
// than it was asked to wait where it was. What makes something has a key of its own, so that the lobby
// does not make it twice when a call is repeated below.
type Lobby struct {
	URL   string       // the lobby's address, like "https://play.example.com"
	Token string       // the player token
	HTTP  *http.Client // nil means http.DefaultClient; redirects are refused either way
	// Refresh is asked for a newer token of the same player when the lobby takes the present one no longer, and the call
	// is made again with it, once. Calls at the same time ask once. Nil: a guest's token is renewed by the lobby itself,
	// and with any other such a call fails with an APIError of status 401.
	Refresh func(ctx context.Context) (token string, err error)

	left sync.WaitGroup // what Settle waits for

	mu     sync.Mutex // guards what follows
	newer  string     // what Refresh gave, "" when it was not asked
	asking *asking    // nil while Refresh is not asked
	guest  bool       // Token is a guest's
}

// asking is one question for a newer token.
type asking struct {
	done  chan struct{} // closed when there is an answer, which follows
	token string
	err   error
	cut   bool // who asked has given up: it is no answer to others
}

// Guest is a player that a development server made up.
type Guest struct {
	Token   string    `json:"token"`
	Player  string    `json:"player"`
	Expires time.Time `json:"expires_at"`
}

// Match is a seat in a match: what [Dial] needs. Its token is good for one handshake, within seconds.
type Match struct {
	Room  string `json:"room"`
	URL   string `json:"url"`
	Token string `json:"token"`
}

const (
	// maxReply is how many bytes of a reply are read.
	maxReply = 256 << 10
	// replyTimeout bounds a request up to the last byte of its reply: a connection that is dead at the other end alone says
	// nothing for very long. A reply that the lobby was asked to hold back for a time is to be here pollSlack after that.
	replyTimeout = 30 * time.Second
	pollSlack    = 5 * time.Second
)

// Guest asks a development server for a player of this name and takes its token.
func (l *Lobby) Guest(ctx context.Context, name string) (Guest, error) {
	var g Guest
	body := struct {
		Name string `json:"name"`
	}{name}
	if err := l.call(ctx, http.MethodPost, "/v1/guests", body, &g); err != nil {
		return Guest{}, fmt.Errorf("asking for a guest: %w", err)
	}
	l.become(g)
	return g, nil
}

// GuestAgain goes on as an earlier guest, by the token that the program has kept of him: it may have ended within the last
// week. Where the server does not let it, or the token is "", it is Guest.
func (l *Lobby) GuestAgain(ctx context.Context, token, name string) (Guest, error) {
	if token == "" {
		return l.Guest(ctx, name)
	}
	g, err := l.renew(ctx, token)
	if api := (*APIError)(nil); errors.As(err, &api) && !api.Temporary() {
		return l.Guest(ctx, name)
	}
	if err != nil {
		return Guest{}, err
	}
	l.become(g)
	return g, nil
}

// become takes a guest's token.
func (l *Lobby) become(g Guest) {
	l.Token = g.Token
	l.mu.Lock()
	l.newer, l.guest = "", true
	l.mu.Unlock()
}

// renewGuest exchanges the guest's token for a newer one.
func (l *Lobby) renewGuest(ctx context.Context) (string, error) {
	g, err := l.renew(ctx, l.token())
	return g.Token, err
}

func (l *Lobby) renew(ctx context.Context, old string) (g Guest, err error) {
	body, err := json.Marshal(struct {
		Token string `json:"token"`
	}{old})
	if err != nil {
		return Guest{}, fmt.Errorf("encoding the request: %w", err)
	}
	if err := l.send(ctx, http.MethodPost, "/v1/guests/renew", "", "", body, &g); err != nil {
		return Guest{}, fmt.Errorf("renewing a guest: %w", err)
	}
	return g, nil
}

// refreshes says how newer tokens are had; nil: not at all.
func (l *Lobby) refreshes() func(context.Context) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Refresh == nil && l.guest {
		return l.renewGuest
	}
	return l.Refresh
}

// Request makes any request of the REST interface, those of operators as well: a method, a path with its query, like
// "/v1/admin/rooms?limit=5", an Idempotency-Key where it creates something, the body, which is encoded as JSON, and what
// the reply is decoded into. "" and nil are none.
func (l *Lobby) Request(ctx context.Context, method, path, key string, in, out any) error {
	if err := l.create(ctx, method, path, key, in, out); err != nil {
		return fmt.Errorf("asking the lobby for %s %s: %w", method, path, err)
	}
	return nil
}

// call makes one request and decodes the reply into out unless that is nil.
func (l *Lobby) call(ctx context.Context, method, path string, in, out any) error {
	return l.create(ctx, method, path, "", in, out)
}

// create is call with an Idempotency-Key, "" for none.
func (l *Lobby) create(ctx context.Context, method, path, key string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encoding the request: %w", err)
		}
	}
	token := l.token()
	err := l.send(ctx, method, path, key, token, body, out)
	if api := (*APIError)(nil); l.refreshes() == nil || !errors.As(err, &api) || api.Status != http.StatusUnauthorized {
		return err
	}
	token, fresh := l.refresh(ctx, token)
	if fresh != nil {
		return errors.Join(err, fresh)
	}
	return l.send(ctx, method, path, key, token, body, out)
}

// token is the newest.
func (l *Lobby) token() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cmp.Or(l.newer, l.Token)
}

// FreshToken asks for a newer token, as Refresh says, and returns it: it is what [Options.Refresh] wants.
func (l *Lobby) FreshToken(ctx context.Context) (string, error) {
	if l.refreshes() == nil {
		return "", errors.New("the lobby has no Refresh to ask for a newer token")
	}
	return l.refresh(ctx, l.token())
}

// refresh returns a token that is newer than one. Who comes while it is asked for waits for the answer, also for a
// failure: else all who wait would ask one after the other.
func (l *Lobby) refresh(ctx context.Context, old string) (string, error) {
	for {
		l.mu.Lock()
		token, a := cmp.Or(l.newer, l.Token), l.asking
		mine := token == old && a == nil
		if mine {
			a = &asking{done: make(chan struct{})}
			l.asking = a
		}
		l.mu.Unlock()
		switch {
		case token != old:
			return token, nil
		case mine:
			l.ask(ctx, a)
			return a.token, a.err
		}
		select {
		case <-a.done:
			if !a.cut {
				return a.token, a.err
			}
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for a newer token: %w", ctx.Err())
		}
	}
}

// ask answers a question for a newer token.
func (l *Lobby) ask(ctx context.Context, a *asking) {
	token, err := l.refreshes()(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		a.err, a.cut = fmt.Errorf("asking for a newer token: %w", err), ctx.Err() != nil
	case token == "" || len(token) > proto.MaxToken:
		a.err = fmt.Errorf("asking for a newer token: it has %d bytes, 1 to %d wanted", len(token), proto.MaxToken)
	default:
		a.token, l.newer = token, token
	}
	l.asking = nil
	close(a.done)
}

// send makes a request as who has a token.
func (l *Lobby) send(ctx context.Context, method, path, key, token string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(l.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return errors.Join(errAddress, err)
	}
	within := replyTimeout
	if wait, err := time.ParseDuration(req.URL.Query().Get("wait")); err == nil && wait > 0 {
		within = wait + pollSlack
	}
	bounded, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	req = req.WithContext(bounded)
	if s := req.URL.Scheme; s != "http" && s != "https" || req.URL.Host == "" {
		return fmt.Errorf("%w: %q", errAddress, l.URL)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	err = l.exchange(req, out)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w within %v", errSilent, within)
	}
	return err
}

// exchange makes a request and reads the reply.
func (l *Lobby) exchange(req *http.Request, out any) error {
	res, err := straight(l.HTTP).Do(req)
	if err != nil {
		return err //nolint:wrapcheck // each call says what for
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxReply+1))
	switch {
	case err != nil:
		return fmt.Errorf("reading the reply: %w", err)
	case len(b) > maxReply:
		return fmt.Errorf("the reply has more than %d bytes", maxReply)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return apiError(res, b)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("decoding the reply: %w", err)
	}
	return nil
}

// key is an Idempotency-Key that nobody else has.
func key(given string) string {
	if given != "" {
		return given
	}
	return rand.Text()
}

// query is the query of a request, with a question mark; values that are "" are left out.
func query(values url.Values) string {
	for name, list := range values {
		if values[name] = slices.DeleteFunc(list, func(v string) bool { return v == "" }); len(values[name]) == 0 {
			delete(values, name)
		}
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// number is a number in a query, where 0 is none.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

var errAddress = errors.New("Lobby.URL is no address of a lobby, like https://play.example.com")

var errSilent = errors.New("the lobby did not answer")

var errRedirect = errors.New("the server redirects elsewhere, which is refused")

// straight returns a client like c that follows no redirect, so that a token goes to the address that the caller gave
// and to no other.
func straight(c *http.Client) *http.Client {
	if c == nil {
		c = http.DefaultClient
	}
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return errRedirect }
	return &own
}
