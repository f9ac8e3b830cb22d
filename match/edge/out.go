package edge

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"

	"github.com/lxzan/gws"

	"muster/proto"
)

// Messages are written as WebSocket frames here and not by gws, which copies each into a buffer of its own and takes an
// interface for it: the header goes into room that is kept for it in front of the message, and one call writes both.
// What gws writes by itself (pings, pongs, close frames) is a whole frame in one call as well, and the carrier writes
// calls whole and in order.

// headroom is the longest header of a frame from a server, in bytes.
const headroom = 10

var header [headroom]byte

// writers are shared by all connections: a message is built and written at once.
var writers = sync.Pool{New: func() any { return proto.NewWriter() }}

// takeWriter returns an empty message with headroom; give it back to writers.
func takeWriter() *proto.Writer {
	w := writers.Get().(*proto.Writer) //nolint:forcetypeassert // the pool's own
	begin(w)
	return w
}

// begin makes w an empty message with headroom.
func begin(w *proto.Writer) {
	w.Reset()
	w.Raw(header[:])
}

// length is how many bytes of message w has.
func length(w *proto.Writer) int { return w.Len() - headroom }

// framed returns the WebSocket frame of a message with headroom, in the same memory.
func framed(b []byte) []byte {
	switch n := len(b) - headroom; {
	case n <= 125:
		b = b[headroom-2:]
		b[1] = byte(n) //nolint:gosec // not negative
	case n < 1<<16:
		b = b[headroom-4:]
		b[1] = 126
		binary.BigEndian.PutUint16(b[2:], uint16(n))
	default:
		b[1] = 127
		binary.BigEndian.PutUint64(b[2:], uint64(n))
	}
	b[0] = 0x80 | byte(gws.OpcodeBinary) // final: the whole message
	return b
}

// put writes a message. It is false where the connection is over; nothing follows the bye.
func (c *conn) put(w *proto.Writer) bool {
	c.out.Lock()
	defer c.out.Unlock()
	return !c.ended.Load() && c.write(w)
}

// putBye writes the last message, once ended is set.
func (c *conn) putBye(w *proto.Writer) {
	c.out.Lock()
	defer c.out.Unlock()
	c.write(w) // the connection is given up either way
}

// write writes a message to the carrier; an error, which no later write can mend, ends the reader. c.out is held.
func (c *conn) write(w *proto.Writer) bool {
	_, err := c.Carrier.Write(framed(w.Bytes()))
	if err == nil {
		return true
	}
	if !errors.Is(err, net.ErrClosed) {
		_ = c.Carrier.Close()
	}
	return false
}
