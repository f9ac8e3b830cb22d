package edge

import (
	"errors"
	"sync"
	"time"

	"github.com/lxzan/gws"
	"go.uber.org/zap"

	"muster/internal/door"
	"muster/proto"
)

// handler receives gws's events for every connection.
type handler struct{}

func of(socket *gws.Conn) *conn { return door.Held(socket).(*conn) } //nolint:forcetypeassert // what upgrades are made with

// read reads until the connection ends.
func (c *conn) read() {
	door.Read(c.WS, func(p any) {
		c.server.metrics.panics.Inc()
		c.server.log.Warn("reading a socket panicked", zap.Any("panic", p), zap.Stack("stack"))
		c.Close(proto.Close{Code: proto.CodeProtocol, Reason: "malformed frame"})
	})
}

// OnOpen implements gws.Event.
func (handler) OnOpen(*gws.Conn) {}

// OnClose implements gws.Event. What follows is in live, after the loop.
func (handler) OnClose(socket *gws.Conn, err error) {
	c := of(socket)
	var ce *gws.CloseError
	if c.ended.CompareAndSwap(false, true) && err != nil && !errors.As(err, &ce) {
		// gws closed it for what the peer sent, or the network did; the peer's own close is not ours to count.
		c.server.metrics.closes.WithLabelValues(door.ClosedBy(err)).Inc()
	}
}

// OnPing implements gws.Event. Pings and pongs count against the limit like messages.
func (handler) OnPing(socket *gws.Conn, payload []byte) {
	if c := of(socket); c.allow() && c.Pipe.Fits(len(payload)) {
		_ = socket.WritePong(payload)
	}
}

// OnPong implements gws.Event.
func (handler) OnPong(socket *gws.Conn, _ []byte) { of(socket).allow() }

// OnMessage implements gws.Event.
func (handler) OnMessage(socket *gws.Conn, message *gws.Message) {
	c := of(socket)
	if c.allow() {
		if err := c.receive(message.Opcode, message.Bytes()); err != nil {
			c.Close(*err)
		}
	}
	_ = message.Close() // gives the buffer back
}

// silence returns for how long nothing was heard of the client.
func (c *conn) silence() time.Duration {
	return time.Since(c.server.base) - time.Duration(c.heardAt.Load())
}

// allow counts a message against the connection's limit. After Close what still comes is read and not looked at.
func (c *conn) allow() bool {
	if c.ended.Load() {
		return false
	}
	at := c.meter.At()
	c.heardAt.Store(int64(at))
	c.server.metrics.messagesIn.Inc()
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

// readers and packets are shared by all connections: each is used for one message, and a connection that is silent holds
// none.
var (
	readers = sync.Pool{New: func() any { return proto.NewReader(nil) }}
	packets = sync.Pool{New: func() any { return new(proto.InputPacket) }}
)

// receive checks one message and hands it over. Nothing of a malformed one reaches the room.
func (c *conn) receive(op gws.Opcode, msg []byte) *proto.Close {
	if op != gws.OpcodeBinary {
		return &proto.Close{Code: proto.CodeWrongType, Reason: "text message; only binary ones are understood"}
	}
	if !c.welcomed.Load() { // the room is set before that
		return &proto.Close{Code: proto.CodeProtocol, Reason: "a message before the welcome"}
	}
	c.reader = readers.Get().(*proto.Reader) //nolint:forcetypeassert // the pool's own
	defer func() {
		c.reader.Reset(nil) // the message's memory is gws's
		readers.Put(c.reader)
		c.reader = nil
	}()
	c.reader.Reset(msg)
	kind, n, err := proto.ClientKind(c.reader)
	if err != nil {
		return malformed(err)
	}
	switch kind {
	case proto.KindInput:
		err = c.input(n)
	case proto.KindPing:
		var m proto.Ping
		if err = m.Parse(c.reader, n); err == nil {
			c.pong(m)
		}
	case proto.KindResync:
		var m proto.Resync
		if err = m.Parse(c.reader, n); err == nil {
			c.wantResync(m.Scope)
		}
	case proto.KindRefresh:
		var m proto.Refresh
		if err = m.Parse(c.reader, n); err == nil {
			return c.refresh(m.Token)
		}
	case proto.KindLeave:
		var m proto.Leave
		if err = m.Parse(c.reader, n); err == nil {
			c.room.Leave(c)
		}
	default:
		return &proto.Close{Code: proto.CodeProtocol, Reason: "unknown kind of message"}
	}
	if err != nil {
		return malformed(err)
	}
	return nil
}

func malformed(err error) *proto.Close {
	reason := err.Error() // names the field and the bound, nothing that the peer sent but numbers
	return &proto.Close{Code: proto.CodeBadPayload, Reason: reason[:min(len(reason), 120)]}
}

// input checks an input packet to the last field and hands over what is new in it. Repeats of samples are of no use, but
// where the first may have been lost on its way to the room; repeats of commands are, where the room had no place for the
// first.
func (c *conn) input(n int) error {
	p := packets.Get().(*proto.InputPacket) //nolint:forcetypeassert // the pool's own
	defer packets.Put(p)
	if err := p.Parse(c.reader, n); err != nil {
		return err //nolint:wrapcheck // says where already
	}
	if c.watches && len(p.Inputs) > 0 {
		c.refuseInputs(len(p.Inputs))
		return nil
	}
	if p.Epoch == c.room.Epoch() && p.Last > c.seen.Load() {
		c.seen.Store(p.Last)
	}
	if c.watches {
		return nil // it said what has arrived
	}
	known := c.lastSeq
	switch {
	case c.room.Mode() != proto.Samples:
		known = 0
	case c.room.Lossy():
		known = c.processed.Load()
	}
	fresh := 0
	for fresh < len(p.Inputs) && p.Inputs[fresh].Seq > known {
		if err := c.room.Schema().CheckInput(p.Inputs[fresh].Body); err != nil {
			return err //nolint:wrapcheck // says where already
		}
		fresh++
	}
	if fresh > 0 {
		c.lastSeq = p.Inputs[0].Seq
	}
	p.Inputs = p.Inputs[:fresh]
	c.room.Input(c, p)
	return nil
}

// refuseInputs passes over what one who only watches would have the rules do.
func (c *conn) refuseInputs(n int) {
	c.server.metrics.watchers.Add(float64(n))
	if c.refused += n; c.refused > maxRefused {
		c.Close(proto.Close{Code: proto.CodePolicy, Reason: "one who watches has no inputs"})
	}
}

// pong answers with the room's tick time.
func (c *conn) pong(m proto.Ping) {
	tick, frac := c.room.Clock()
	if c.watches {
		tick, frac = behind(tick, frac, c.room.Behind(), c.room.Rate())
	}
	w := takeWriter()
	defer writers.Put(w)
	answer := proto.Pong{Stamp: m.Stamp, Tick: tick, Frac: frac}
	answer.Append(w)
	c.message(w)
}

// behind is a tick time as it was so long ago; 0 where it was not yet.
func behind(tick uint32, frac uint16, ago time.Duration, rate int) (uint32, uint16) {
	then := int64(tick)<<16 | int64(frac)
	then = max(0, then-int64(ago/time.Microsecond)*int64(rate)*(1<<16)/int64(time.Second/time.Microsecond))
	return uint32(then >> 16), uint16(then) //nolint:gosec // no more than before; the low bits
}

// maxResyncs bounds the scopes that may wait to be sent again; a client that wants more gets all of them.
const maxResyncs = 64

// wantResync notes a scope for the room's next frame.
func (c *conn) wantResync(scope uint16) {
	c.resyncMu.Lock()
	if len(c.resyncs) < maxResyncs {
		c.resyncs = append(c.resyncs, scope)
	}
	c.resyncMu.Unlock()
	c.resync.Store(true)
	c.room.Resync(c, scope)
}
