package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"muster/proto"
)

const (
	// maxLiveMessage bounds a message of the lobby's, in bytes. A page of a channel's history can have half as many.
	maxLiveMessage = 1 << 20
	// maxRequest bounds a request, in bytes: a lobby ends a socket for a longer one.
	maxRequest = 8 << 10
	// liveQueue is how many messages wait for Next; beyond it the reader stops reading.
	liveQueue = 64
	// helloTimeout bounds what Lobby.Live waits for the lobby's hello, where its context does not.
	helloTimeout = 15 * time.Second
)

// LiveHello is what a lobby says first on its socket.
type LiveHello struct {
	Player string    `json:"player"`
	Name   string    `json:"name"`
	Time   time.Time `json:"time"`
	// Last is the place after the last event that there is now: what comes up to it happened before.
	Last    string `json:"last"`
	Expires uint32 `json:"expires"` // in how many seconds the token ends; 0 is never
}

// LiveEvent is something that the player must hear of.
type LiveEvent struct {
	ID   string          `json:"id"` // the place after it, for LiveOptions.After
	Kind string          `json:"kind"`
	At   time.Time       `json:"at"`
	Body json.RawMessage `json:"body"`
}

// LivePresence is how a watched player is: offline, online, in_queue or in_match.
type LivePresence struct {
	Player string `json:"player"`
	State  string `json:"state"`
}

// LiveNews is what Next returns: one of its fields is set.
type LiveNews struct {
	Event    *LiveEvent
	Presence []LivePresence
	// Published is what a backend tells those who are there; it is kept nowhere, so its ID is no place.
	Published *LiveEvent
	Missed    bool // events are gone: what they were about must be read anew

	last string // with Missed: the place from which events go on
}

// LiveOptions are how a lobby's socket is opened.
type LiveOptions struct {
	After string // the place after the last event that is known, "" for none
	HTTP  *http.Client
	// Lost is called by [Feed.Next] when the socket was lost, with why, and with nil once another one is open. Nil: nobody
	// is told; see [Feed.Lost].
	Lost func(err error)
}

// Live is a lobby's socket, as one player. It does not come back by itself ([Feed] does): after its end, Lobby.Live with
// the place that Last returns goes on without a gap. Any goroutine may use it; one at a time may call Next, and somebody must, or Do
// waits for ever behind what Next has not taken.
type Live struct {
	Hello LiveHello

	ws   *websocket.Conn
	news chan LiveNews
	done chan struct{} // closed by the reader, after err is set
	err  error
	stop chan struct{}
	once sync.Once

	mu      sync.Mutex
	n       uint32
	waiting map[uint32]chan liveMessage
	last    string
}

type liveMessage struct {
	Hello     *LiveHello      `json:"hello"`
	Event     *LiveEvent      `json:"event"`
	Published *LiveEvent      `json:"published"`
	Presence  []LivePresence  `json:"presence"`
	Missed    bool            `json:"missed"`
	Last      string          `json:"last"`
	Re        uint32          `json:"re"`
	OK        json.RawMessage `json:"ok"`
	Error     *struct {
		Status     int          `json:"status"`
		Title      string       `json:"title"`
		Detail     string       `json:"detail"`
		Errors     []FieldError `json:"errors"`
		RetryAfter int          `json:"retry_after"`
	} `json:"error"`
	Bye *struct {
		Code    proto.Code `json:"code"`
		Reason  string     `json:"reason"`
		AfterMS uint32     `json:"after_ms"`
	} `json:"bye"`
}

// Live opens the lobby's socket. ctx bounds that, not the socket. A refused upgrade is a [HandshakeError]; a token that is
// taken no longer is refreshed first, as with any call.
func (l *Lobby) Live(ctx context.Context, o LiveOptions) (*Live, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	token := l.token()
	v, err := l.openLive(ctx, o, token)
	if he := (*HandshakeError)(nil); l.refreshes() == nil || !errors.As(err, &he) || he.Status != http.StatusUnauthorized {
		return v, err
	}
	token, fresh := l.refresh(ctx, token)
	if fresh != nil {
		return nil, errors.Join(err, fresh)
	}
	return l.openLive(ctx, o, token)
}

func (l *Lobby) openLive(ctx context.Context, o LiveOptions, token string) (*Live, error) {
	c := o.HTTP
	if c == nil {
		c = l.HTTP
	}
	ws, res, err := websocket.Dial(ctx, strings.TrimSuffix(l.URL, "/")+"/v1/lobby", &websocket.DialOptions{
		HTTPClient: straight(c), HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}, Subprotocols: []string{proto.SubprotocolLobby},
	})
	if err != nil {
		if res != nil && res.StatusCode != http.StatusSwitchingProtocols {
			err = handshakeError(res)
		}
		return nil, fmt.Errorf("opening the lobby's socket: %w", err)
	}
	ws.SetReadLimit(maxLiveMessage)
	v := &Live{
		ws: ws, news: make(chan LiveNews, liveQueue), done: make(chan struct{}), stop: make(chan struct{}),
		waiting: map[uint32]chan liveMessage{}, last: o.After,
	}
	if err := v.greet(ctx, o.After); err != nil {
		_ = ws.CloseNow()
		return nil, fmt.Errorf("opening the lobby's socket: %w", err)
	}
	go v.read() //nolint:gosec // the socket lives until Close, and ctx is for its opening
	return v, nil
}

// greet says hello and reads the answer.
func (v *Live) greet(ctx context.Context, after string) error {
	if err := v.send(ctx, map[string]any{"do": "hello", "body": map[string]string{"after": after}}); err != nil {
		return err
	}
	m, err := v.receive(ctx)
	switch {
	case err != nil:
		return err
	case m.Hello == nil:
		return errors.New("the lobby did not begin with hello")
	}
	v.Hello = *m.Hello
	return nil
}

func (v *Live) send(ctx context.Context, m any) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding the request: %w", err)
	}
	if len(text) > maxRequest {
		return fmt.Errorf("%w: %d bytes, at most %d allowed", errRequest, len(text), maxRequest)
	}
	return v.ws.Write(ctx, websocket.MessageText, text) //nolint:wrapcheck // each caller says what for
}

// receive reads one message. A bye and a close frame are a [CloseError].
func (v *Live) receive(ctx context.Context) (m liveMessage, err error) {
	kind, text, err := v.ws.Read(ctx)
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return m, &CloseError{Code: proto.Code(closed.Code), Reason: closed.Reason} //nolint:gosec // a close code has 16 bits
	case err != nil:
		return m, &CloseError{Code: codeLost, Err: err}
	case kind != websocket.MessageText:
		return m, &CloseError{Code: proto.CodeWrongType, Err: errors.New("the lobby sent a binary message")}
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, &CloseError{Code: proto.CodeBadPayload, Err: fmt.Errorf("decoding a message: %w", err)}
	}
	if m.Bye != nil {
		return m, &CloseError{Code: m.Bye.Code, Reason: m.Bye.Reason, After: time.Duration(m.Bye.AfterMS) * time.Millisecond}
	}
	return m, nil
}

// read takes what the lobby says until the socket's end.
func (v *Live) read() {
	defer close(v.done)
	defer func() { _ = v.ws.CloseNow() }()
	for {
		m, err := v.receive(context.Background())
		if err != nil {
			v.err = err
			return
		}
		switch {
		case m.Re != 0:
			v.mu.Lock()
			if c := v.waiting[m.Re]; c != nil {
				delete(v.waiting, m.Re)
				c <- m // it holds one
			}
			v.mu.Unlock()
			continue
		case m.Event == nil && m.Published == nil && m.Presence == nil && !m.Missed: // of a later version
			continue
		}
		select {
		case v.news <- LiveNews{m.Event, m.Presence, m.Published, m.Missed, m.Last}:
		case <-v.stop:
			v.err = ErrClosed
			return
		}
	}
}

// Next returns what the lobby says next. After the socket's end it returns what is left, and then the [CloseError].
func (v *Live) Next(ctx context.Context) (LiveNews, error) {
	select {
	case n := <-v.news:
		return v.took(n), nil
	default:
	}
	select {
	case n := <-v.news:
		return v.took(n), nil
	case <-v.done:
	case <-ctx.Done():
		return LiveNews{}, fmt.Errorf("waiting for the lobby: %w", ctx.Err())
	}
	select {
	case n := <-v.news:
		return v.took(n), nil
	default:
		return LiveNews{}, v.end()
	}
}

// took notes the place after what Next returns.
func (v *Live) took(n LiveNews) LiveNews {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case n.Event != nil:
		v.last = n.Event.ID
	case n.Missed:
		v.last = n.last
	}
	return n
}

// Last returns the place after the last event that Next returned.
func (v *Live) Last() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last
}

func (v *Live) end() error {
	if v.err == nil {
		return ErrClosed
	}
	return v.err
}

var errRequest = errors.New("the request is too long")

// Do makes a request and decodes its answer into out unless that is nil. What the lobby refuses is an [APIError].
func (v *Live) Do(ctx context.Context, name string, body, out any) error {
	q, err := v.begin(ctx, name, body)
	if err != nil {
		return err
	}
	ok, err := q.answer(ctx)
	if err != nil {
		return err
	}
	return q.decode(ok, out)
}

// request is one that was made, and whose answer somebody waits for.
type request struct {
	live *Live
	name string
	n    uint32
	got  chan liveMessage
}

// begin makes a request. The caller asks for the answer.
func (v *Live) begin(ctx context.Context, name string, body any) (*request, error) {
	q := &request{live: v, name: name, got: make(chan liveMessage, 1)}
	v.mu.Lock()
	v.n++
	q.n = v.n
	v.waiting[q.n] = q.got
	v.mu.Unlock()
	if body == nil {
		body = struct{}{}
	}
	if err := v.send(ctx, map[string]any{"n": q.n, "do": name, "body": body}); err != nil {
		q.end()
		return nil, fmt.Errorf("asking the lobby for %s: %w", name, err)
	}
	return q, nil
}

func (q *request) end() {
	q.live.mu.Lock()
	defer q.live.mu.Unlock()
	delete(q.live.waiting, q.n)
}

// answer waits for the answer.
func (q *request) answer(ctx context.Context) (json.RawMessage, error) {
	defer q.end()
	m, err := q.live.await(ctx, q.got)
	switch {
	case err != nil:
		return nil, fmt.Errorf("asking the lobby for %s: %w", q.name, err)
	case m.Error != nil:
		e := m.Error
		return nil, fmt.Errorf("asking the lobby for %s: %w", q.name, &APIError{
			Status: e.Status, Title: cut(e.Title), Detail: cut(e.Detail), Errors: e.Errors,
			RetryAfter: time.Duration(max(0, min(e.RetryAfter, 60))) * time.Second,
		})
	}
	return m.OK, nil
}

func (q *request) decode(ok json.RawMessage, out any) error {
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(ok, out); err != nil {
		return fmt.Errorf("decoding the answer to %s: %w", q.name, err)
	}
	return nil
}

// await waits for an answer. One that came before the socket's end counts.
func (v *Live) await(ctx context.Context, answer <-chan liveMessage) (m liveMessage, err error) {
	select {
	case m = <-answer:
		return m, nil
	case <-v.done:
	case <-ctx.Done():
		return m, ctx.Err()
	}
	select {
	case m = <-answer:
		return m, nil
	default:
		return m, v.end()
	}
}

// Close ends the socket and waits for its reader. It may be called any number of times.
func (v *Live) Close() error {
	v.once.Do(func() {
		close(v.stop)
		_ = v.ws.CloseNow()
	})
	<-v.done
	return nil
}

var _ io.Closer = (*Live)(nil)
