package client

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/coder/websocket"

	"muster/proto"
)

const (
	queueLen     = 8        // messages that wait for Next
	keepBuffer   = 32 << 10 // larger read buffers are not kept for reuse
	writeTimeout = 5 * time.Second
)

// socket is one WebSocket and the goroutine that reads it. Reads and writes use no context, which would cost a timer
// each: two timers of the socket's own end it when it is silent or blocked for too long.
type socket struct {
	ws    *websocket.Conn
	msgs  chan message // closed by the reader when the socket has ended, after err is set
	free  chan []byte
	err   error
	stop  chan struct{} // closed by close
	ended chan struct{} // closed by the reader

	silence time.Duration
	quiet   *time.Timer // ends a silent socket
	blocked *time.Timer // ends a blocked write
	once    sync.Once
}

// message is one whole message as it was read.
type message struct {
	data []byte
	at   time.Time
}

// newSocket starts the reader. The first message may take longer than those that follow.
func newSocket(ws *websocket.Conn, silence, first time.Duration) *socket {
	s := &socket{
		ws: ws, silence: silence,
		msgs: make(chan message, queueLen), free: make(chan []byte, queueLen+2),
		stop: make(chan struct{}), ended: make(chan struct{}),
	}
	for range cap(s.free) {
		s.free <- nil
	}
	ws.SetReadLimit(proto.MaxServerMessage)
	s.quiet = time.AfterFunc(first, s.kill)
	s.blocked = time.AfterFunc(time.Hour, s.kill)
	s.blocked.Stop()
	go s.read()
	return s
}

// kill ends the connection below the reader, which then ends too.
func (s *socket) kill() { _ = s.ws.CloseNow() }

func (s *socket) read() {
	defer close(s.ended)
	defer close(s.msgs)
	for {
		var buf []byte
		select {
		case buf = <-s.free:
		case <-s.stop:
			return
		}
		data, err := s.readOne(buf)
		if err != nil {
			s.err = err
			return
		}
		s.quiet.Reset(s.silence)
		select {
		case s.msgs <- message{data, time.Now()}:
		case <-s.stop:
			return
		}
	}
}

var errText = errors.New("the server sent a text message")

// readOne reads one message into buf, which it grows as the bytes come, never by a length that the peer claims.
func (s *socket) readOne(buf []byte) ([]byte, error) {
	typ, r, err := s.ws.Reader(context.Background())
	if err != nil {
		return nil, err //nolint:wrapcheck // closeError looks at it
	}
	if typ != websocket.MessageBinary {
		return nil, errText
	}
	if cap(buf) == 0 {
		buf = make([]byte, 0, 512)
	}
	buf = buf[:0]
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return nil, err //nolint:wrapcheck // closeError looks at it
		}
	}
}

// first waits for the first message.
func (s *socket) first(ctx context.Context) (message, error) {
	select {
	case msg, ok := <-s.msgs:
		if !ok {
			return message{}, s.closeError()
		}
		return msg, nil
	case <-ctx.Done():
		return message{}, ctx.Err()
	}
}

// done gives a message's buffer back to the reader.
func (s *socket) done(m message) {
	if cap(m.data) > keepBuffer {
		m.data = nil
	}
	select {
	case s.free <- m.data:
	default: // every buffer that was handed out came from free, so there is room
	}
}

// write sends one message; it blocks for at most writeTimeout.
func (s *socket) write(b []byte) error {
	s.blocked.Reset(writeTimeout)
	err := s.ws.Write(context.Background(), websocket.MessageBinary, b)
	s.blocked.Stop()
	return err //nolint:wrapcheck // it only ends the socket
}

// close ends the socket and waits for its reader. Any goroutine may call it, any number of times.
func (s *socket) close() {
	s.once.Do(func() {
		close(s.stop)
		s.quiet.Stop()
		s.blocked.Stop()
		s.kill()
	})
	<-s.ended
	s.quiet.Stop() // the reader may have set it again
}

// closeError says why the socket ended. It may be called once msgs is closed.
func (s *socket) closeError() *CloseError {
	var ce websocket.CloseError
	if errors.As(s.err, &ce) {
		return &CloseError{Code: proto.Code(ce.Code), Reason: ce.Reason} //nolint:gosec // a close code has 16 bits
	}
	if errors.Is(s.err, errText) {
		return &CloseError{Code: proto.CodeWrongType, Err: s.err}
	}
	return &CloseError{Code: codeLost, Err: s.err}
}

// framed returns how many bytes a message of n bytes takes with its WebSocket framing.
func framed(n int, masked bool) int {
	switch {
	case n < 126:
		n += 2
	case n < 1<<16:
		n += 4
	default:
		n += 10
	}
	if masked {
		n += 4
	}
	return n
}
