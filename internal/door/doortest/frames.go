// Package doortest is for tests alone: WebSocket frames made and read by hand, good ones and bad ones.
package doortest

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"muster/proto"
)

// First bytes of frames.
const (
	FinText        = 0x81
	FinBinary      = 0x82
	FirstFragment  = 0x02
	MiddleFragment = 0x00
	FinPing        = 0x89
	FinPong        = 0x8a
)

// Frame returns a WebSocket frame as a client sends it, masked with zeros.
func Frame(head byte, body []byte) []byte {
	f := []byte{head}
	switch n := len(body); {
	case n < 126:
		f = append(f, 0x80|byte(n))
	default:
		f = append(f, 0x80|126, byte(n>>8), byte(n)) //nolint:gosec // tests send less than 64 KiB
	}
	return append(append(f, 0, 0, 0, 0), body...)
}

// NegativeLength is a frame whose 64-bit length has its top bit set: gws slices out of range, outside of its recovery.
func NegativeLength() []byte {
	return []byte{FinBinary, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}
}

// Handshake makes a handshake by hand on a bare connection; it must be answered with 101.
func Handshake(t testing.TB, c net.Conn, path, bearer string) {
	t.Helper()
	_, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer "+bearer+"\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 0, 512)
	one := make([]byte, 1)
	for !strings.HasSuffix(string(head), "\r\n\r\n") {
		if _, err := c.Read(one); err != nil {
			t.Fatal(err)
		}
		head = append(head, one[0])
	}
	if !strings.HasPrefix(string(head), "HTTP/1.1 101") {
		t.Fatalf("handshake: %s", head)
	}
}

// Goodbye reads frames from a bare connection until the close frame, and returns its code, 0 when there was none. What
// else comes is given to message, which may be nil.
func Goodbye(t testing.TB, c net.Conn, within time.Duration, message func(body []byte)) (code proto.Code, reason string) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(within))
	r := bufio.NewReader(c)
	for {
		head := make([]byte, 2)
		if _, err := io.ReadFull(r, head); err != nil {
			return 0, ""
		}
		n := int(head[1] & 127)
		if n == 126 {
			ext := make([]byte, 2)
			if _, err := io.ReadFull(r, ext); err != nil {
				return 0, ""
			}
			n = int(binary.BigEndian.Uint16(ext))
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			return 0, ""
		}
		switch head[0] & 15 {
		case 1, 2:
			if message != nil {
				message(body)
			}
		case 8:
			if n >= 2 {
				code, reason = proto.Code(binary.BigEndian.Uint16(body)), string(body[2:])
			}
			return code, reason
		}
	}
}
