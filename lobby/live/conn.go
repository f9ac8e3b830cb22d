package live

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lxzan/gws"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"muster/internal/door"
	"muster/proto"
)

const (
	// messagesPerSecond and messagesAtOnce bound what a client may send; pings and pongs count too.
	messagesPerSecond = 10
	messagesAtOnce    = 40
	// maxLimited is how many messages over the limit may be refused before the socket is closed with 4429. The count
	// falls by one for each message that is within the limit.
	maxLimited = 100
	// helloWithin is how long a client may take to say hello.
	helloWithin = 5 * time.Second
	// callTimeout bounds a request, and what a hook may take.
	callTimeout = 5 * time.Second
	// maxReason is what a close frame can hold of a reason, in bytes, with room to spare.
	maxReason = 120
	// reconnectAfter is what a bye asks a client to wait before it reconnects, in milliseconds; clients add jitter.
	reconnectAfter = 250
)

// conn is one socket.
type conn struct {
	door.Wire
	server *Server
	addr   string
	digest string                 // the player's
	player string                 // the id
	caller atomic.Pointer[Caller] // its player changes with a newer token
	meter  *door.Meter
	opened time.Duration // since the server's base

	ctx    context.Context //nolint:containedctx // the socket's lifetime
	cancel context.CancelFunc

	ended    atomic.Bool  // Close was called
	heardAt  atomic.Int64 // when something was last heard of the client, in nanoseconds since the server's base
	greeted  atomic.Bool  // the client has said hello
	telling  sync.Mutex   // held while the lobby's hello is written and told is set
	told     bool         // the lobby's hello was written; under telling
	expires  door.Expiry  // of the player's token
	out      sync.Mutex   // held for each message that is written, so that none follows the bye
	watching sync.Mutex   // held while what is watched is changed, or looked at and told

	replying atomic.Bool   // an answer waits for what stands before it: events and presence let it go first
	empty    chan struct{} // has one when nothing waits for the client any more

	// Of the reader's goroutine.
	messages *rate.Limiter
	limited  int

	// Under the server's lock.
	state    marks
	pending  want
	changed  map[string]struct{} // players that are to be looked at again
	lookAt   time.Duration       // when the inbox is read unasked, since the server's base
	lookWho  time.Duration       // the same for who is watched
	pingAt   time.Duration
	slowFrom time.Duration // since when what was written waits to be read; 0 while nothing does
	indexed  []string      // whom Server.watchers has for it

	// Of the worker that serves the socket.
	after   string // the place after the last event that was written
	welcome bool   // the hello was written
	resumed bool   // after is the server's word, no longer the client's

	// Under watching.
	watched map[string]string // by player: the state that was written last
}

func (s *Server) newConn(addr string, caller Caller) *conn {
	c := &conn{
		server: s, addr: addr, player: caller.Player.ID, digest: digestOf(caller.Player.ID), opened: time.Since(s.base),
		messages: rate.NewLimiter(messagesPerSecond, messagesAtOnce), empty: make(chan struct{}, 1),
	}
	c.caller.Store(&caller)
	c.meter = door.NewMeter(s.base, func() { c.Close(proto.Close{Code: proto.CodeRate, Reason: "far too many bytes"}) })
	c.expires.Set(caller.Player.Expires)
	c.pingAt = c.opened + s.cfg.PingEvery
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	return c
}

// live is the socket's goroutine: it reads until the end, after a refusal until the client has read why.
func (c *conn) live() {
	defer c.server.wg.Done() // add counted it
	defer c.server.remove(c)
	defer c.Pipe.End()
	defer c.cancel()
	door.Read(c.WS, func(p any) {
		c.server.metrics.panics.Inc()
		c.server.log.Warn("reading a lobby socket panicked", zap.Any("panic", p), zap.Stack("stack"))
		c.Close(proto.Close{Code: proto.CodeProtocol, Reason: "malformed frame"})
	})
}

// Messages to the client. Each is an object with one key, but answers.
type (
	helloMessage struct {
		Hello hello `json:"hello"`
	}
	hello struct {
		Player  string    `json:"player"`
		Name    string    `json:"name"`
		Time    time.Time `json:"time"`
		Last    string    `json:"last"`
		Expires uint32    `json:"expires"`
	}
	missedMessage struct {
		Missed bool   `json:"missed"`
		Last   string `json:"last"`
	}
	eventMessage struct {
		Event any `json:"event"`
	}
	presenceMessage struct {
		Presence any `json:"presence"`
	}
	okMessage struct {
		Re uint32 `json:"re"`
		OK any    `json:"ok"`
	}
	errorMessage struct {
		Re    uint32   `json:"re"`
		Error *Problem `json:"error"`
	}
	byeMessage struct {
		Bye bye `json:"bye"`
	}
	bye struct {
		Code    proto.Code `json:"code"`
		Reason  string     `json:"reason"`
		AfterMS int        `json:"after_ms,omitempty"`
	}
)

// reply writes an answer. Where it does not fit behind what the client has not read, it waits until nothing is left of
// that, and what the client asks for next waits behind it: a client that does not read is closed by the sweep.
func (c *conn) reply(m any) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err //nolint:wrapcheck // the handler's answer is at fault
	}
	if c.fits(text) {
		return c.write(text)
	}
	c.replying.Store(true)
	for !c.fits(text) {
		select {
		case <-c.empty:
		case <-c.ctx.Done():
			return errEnded
		}
	}
	err = c.write(text)
	c.replying.Store(false)
	c.server.mark(c, wantInbox|wantWho) // which may have found that it must wait
	return err
}

// fits says whether a message may be written now. Where it does not, something waits, and drained comes when nothing
// does any more.
func (c *conn) fits(text []byte) bool { return c.Pipe.Fits(len(text)) }

// tell writes a message of a worker's, and says whether it did. Where it does not fit, or an answer waits, the worker
// comes again.
func (c *conn) tell(text []byte) bool {
	return !c.replying.Load() && c.fits(text) && c.write(text) == nil
}

// write writes a message that fits.
func (c *conn) write(text []byte) error {
	c.out.Lock()
	defer c.out.Unlock()
	if c.ended.Load() {
		return errEnded
	}
	return c.WS.WriteMessage(gws.OpcodeText, text) //nolint:wrapcheck // it ends the reader
}

// Close ends the socket. The first call counts. The bye says the same as the close frame, which can be lost.
func (c *conn) Close(cl proto.Close) {
	if !c.ended.CompareAndSwap(false, true) {
		return
	}
	c.cancel()
	c.server.metrics.closes.WithLabelValues(cl.Code.Info().Name).Inc()
	cl.Reason = strings.ToValidUTF8(cl.Reason[:min(len(cl.Reason), maxReason)], "")
	b := bye{Code: cl.Code, Reason: cl.Reason}
	if cl.Code.Action() == proto.ActionReconnect {
		b.AfterMS = reconnectAfter
	}
	text, _ := json.Marshal(byeMessage{b}) // it has no field that could fail
	c.out.Lock()
	_ = c.WS.WriteMessage(gws.OpcodeText, text) // the socket is given up either way
	c.out.Unlock()
	_ = c.WS.WriteClose(uint16(cl.Code), []byte(cl.Reason))
}

// handler receives gws's events for every socket.
type handler struct{}

func of(ws *gws.Conn) *conn { return door.Held(ws).(*conn) } //nolint:forcetypeassert // what upgrades are made with

// OnOpen implements gws.Event.
func (handler) OnOpen(*gws.Conn) {}

// OnClose implements gws.Event. What follows is in live, after the loop.
func (handler) OnClose(ws *gws.Conn, err error) {
	c := of(ws)
	c.cancel()
	var ce *gws.CloseError
	if c.ended.CompareAndSwap(false, true) && err != nil && !errors.As(err, &ce) {
		// gws closed it for what the peer sent, or the network did; the peer's own close is not ours to count.
		c.server.metrics.closes.WithLabelValues(door.ClosedBy(err)).Inc()
	}
}

// OnPing implements gws.Event.
func (handler) OnPing(ws *gws.Conn, payload []byte) {
	if c := of(ws); c.allow() && c.Pipe.Fits(len(payload)) {
		_ = ws.WritePong(payload) // an error ends the reader
	}
}

// OnPong implements gws.Event.
func (handler) OnPong(ws *gws.Conn, _ []byte) { of(ws).allow() }

// OnMessage implements gws.Event.
func (handler) OnMessage(ws *gws.Conn, message *gws.Message) {
	of(ws).receive(message.Opcode, message.Bytes())
	_ = message.Close() // gives the buffer back
}

// allow counts a message against the socket's limit. After Close what still comes is read and not looked at.
func (c *conn) allow() bool {
	if c.ended.Load() {
		return false
	}
	at := c.meter.At()
	c.heardAt.Store(int64(at))
	if c.messages.AllowN(c.server.base.Add(at), 1) {
		c.limited = max(0, c.limited-1)
		return true
	}
	c.server.metrics.limited.Inc()
	if c.limited++; c.limited > maxLimited {
		c.Close(proto.Close{Code: proto.CodeRate, Reason: "far too many messages"})
	}
	return false
}

// silence returns for how long nothing was heard of the client.
func (c *conn) silence() time.Duration {
	return time.Since(c.server.base) - time.Duration(c.heardAt.Load())
}
