package edge

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"muster/internal/door"
	"muster/match"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

const (
	// openTimeout bounds the way from the upgrade to the room, the directory's calls included.
	openTimeout = 5 * time.Second
	// slowAfter is how long a viewer may stay congested before it is closed with 4003, where Config does not say.
	slowAfter = 10 * time.Second
	// resumeFor is how long a resume secret is good, far beyond the grace of any seat.
	resumeFor = 6 * time.Hour
)

// Rates of messages that one connection may send.
const (
	// messagesPerTick is the sustained rate, for each tick of the room; pings and resyncs count too.
	messagesPerTick = 2
	leastPerSecond  = 10
	// burstTicks is how many ticks' worth may come at once, after a stall of the network.
	burstTicks = 40
	// maxLimited is how many messages over the limit may be dropped before the socket is closed with 4429. The count
	// falls by one for each message that is within the limit.
	maxLimited = 400
	// maxRefused is how many inputs of one who only watches are passed over before the socket is closed with 1008.
	maxRefused = 100
)

// conn is one client's connection, the local kind of [match.Viewer].
type conn struct {
	door.Wire
	server  *Server
	addr    string
	seat    netcode.Seat
	player  string    // the id
	watches bool      // it has no seat, and no inputs
	follow  *follower // of one that watches
	room    Room      // set before the reader starts
	meter   *door.Meter

	welcomed  atomic.Bool   // the client may speak
	ended     atomic.Bool   // Close was called
	heardAt   atomic.Int64  // when something was last heard of the client, in nanoseconds since the server's base
	expires   door.Expiry   // of the player's token; set with the welcome
	seen      atomic.Uint32 // the newest tick that the client says it has; 0 before it says any
	processed atomic.Uint32 // the newest input that the room has used, as the last frame said
	counted   atomic.Int32  // as what muster_viewers counts it: 1 + its class; 0 before the welcome, -1 after the end

	out sync.Mutex // held for each message that is written, so that none follows the bye

	// Of the reader's goroutine.
	messages *rate.Limiter
	limited  int
	refused  int           // inputs, of one who only watches
	reader   *proto.Reader // within receive
	lastSeq  uint32

	// Of the room's goroutine.
	view     netcode.View
	head     proto.Head
	hasOne   bool      // head is what was sent last
	slow     time.Time // since when the viewer is congested
	pace     pace
	resynced uint32 // the tick at which wanted keyframes were last sent; 0 before that

	resyncMu sync.Mutex
	resyncs  []uint16 // scopes that the client wants again
	resync   atomic.Bool
}

var _ match.Viewer = (*conn)(nil)

// run finds the room and attaches. The reading is another goroutine's: calls go deep here, and a stack that has grown
// would stay so for as long as the connection.
func (c *conn) run(cl claim) {
	answer := cl.refused
	if answer == nil {
		answer = c.open(cl)
	}
	if answer != nil {
		c.Close(*answer)
	}
	go c.live(answer == nil)
}

// live is the connection's goroutine: it reads until the end, after a refusal until the client has read why, and
// detaches. Whatever happens in between (gws panics on one malformed frame), the way out is the same.
func (c *conn) live(attached bool) {
	defer c.server.wg.Done() // add counted it
	defer c.server.remove(c)
	defer c.Pipe.End()
	seated := c.server.cfg.Seated
	if !attached || c.seat == 0 { // who only watches plays in no match
		seated = nil
	}
	if seated != nil {
		seated(c.player, true)
		defer seated(c.player, false)
	}
	c.read()
	if attached {
		c.room.Detach(c)
	}
	if c.follow != nil {
		c.server.rise(c)
	}
}

// open brings the connection to its room.
func (c *conn) open(cl claim) *proto.Close {
	ctx, cancel := context.WithTimeout(c.server.ctx, openTimeout)
	defer cancel()
	find := c.server.cfg.Rooms.Open
	if cl.watch {
		find = c.server.cfg.Rooms.Running
	}
	rm, err := find(ctx, cl.room)
	if err == nil && cl.tokenID != "" {
		cl.player.Team, err = c.server.cfg.Rooms.TakeSeat(ctx, cl.room, uint16(cl.player.Seat), cl.player.ID, cl.tokenID)
	}
	if err != nil {
		var answer *proto.Close
		if errors.As(err, &answer) {
			return answer
		}
		c.server.log.Warn("finding a seat's room failed", zap.String("room", cl.room), zap.Error(err))
		return &proto.Close{Code: proto.CodeOverloaded, Reason: "the match cannot be reached now"}
	}
	c.room = rm
	c.messages.SetLimit(rate.Limit(max(messagesPerTick*rm.Rate(), leastPerSecond)))
	a := match.Attach{
		Viewer: c, Player: cl.player, PlayerExpires: cl.playerExpires, Resume: cl.resume, Counter: cl.counter,
		Claim: cl.tokenID, Watch: cl.watch,
	}
	if cl.watch {
		c.server.sit(c, rm)
		a.Audience = c.follow.audience
	}
	if !rm.Attach(a) {
		return &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is over"}
	}
	return nil
}

// Edge implements [match.Viewer].
func (c *conn) Edge() match.Edge { return c.server }

// Seat implements [match.Viewer].
func (c *conn) Seat() netcode.Seat { return c.seat }

// Welcome implements [match.Viewer].
func (c *conn) Welcome(m *proto.Welcome, r token.Resume) {
	if c.watches {
		c.greet(m, r.PlayerExpires)
		return
	}
	if r.Seat != 0 {
		secret, err := c.server.cfg.Keys.SignResume(r, resumeFor)
		if err != nil {
			c.server.log.Error("no resume secret", zap.Error(err))
			c.Close(proto.Close{Code: proto.CodeInternal, Reason: "the server failed"})
			return
		}
		m.Resume = secret
	}
	c.expires.Set(r.PlayerExpires)
	m.Expires = c.expires.Left(c.server.cfg.Keys)
	if c.expires.Over(c.server.cfg.Keys) { // a resume secret outlives the token
		c.Close(tokenEnded)
		return
	}
	w := takeWriter()
	defer writers.Put(w)
	m.Append(w)
	c.welcomed.Store(true)
	c.count(c.pace.class)
	c.message(w)
}

// Message implements [match.Viewer].
func (c *conn) Message(msg []byte) {
	w := takeWriter()
	defer writers.Put(w)
	w.Raw(msg)
	c.message(w)
}

// message writes a message that is no frame. One that no longer fits behind what the client has not read closes it.
func (c *conn) message(w *proto.Writer) {
	if c.ended.Load() {
		return
	}
	if !c.Pipe.Fits(length(w)) {
		c.Close(proto.Close{Code: proto.CodeSlowReader, Reason: "too much waits to be read"})
		return
	}
	if c.put(w) {
		c.server.metrics.wrote(length(w))
	}
}

// Close implements [match.Viewer]. The first call counts. The bye says the same as the close frame, which can be lost.
func (c *conn) Close(cl proto.Close) {
	if !c.ended.CompareAndSwap(false, true) {
		return
	}
	c.server.metrics.closes.WithLabelValues(cl.Code.Info().Name).Inc()
	cl.Reason = strings.ToValidUTF8(cl.Reason[:min(len(cl.Reason), maxReason)], "")
	w := takeWriter()
	defer writers.Put(w)
	bye := proto.Bye{Code: cl.Code, Reason: cl.Reason}
	if cl.Code.Action() == proto.ActionReconnect {
		bye.AfterMS = reconnectAfter
	}
	bye.Append(w)
	c.putBye(w)
	_ = c.WS.WriteClose(uint16(cl.Code), []byte(cl.Reason))
}

// maxReason is what a close frame can hold of a reason, in bytes, with room to spare.
const maxReason = 120

// reconnectAfter is what a bye asks a client to wait before it reconnects, in milliseconds; clients add jitter.
const reconnectAfter = 250
