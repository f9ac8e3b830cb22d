package edge

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"muster/proto"
)

// rawFrame is a WebSocket frame as its peer reads it.
type rawFrame struct {
	op      byte
	payload []byte
}

// readFrames reads unmasked, unfragmented frames until the end, strictly after RFC 6455.
func readFrames(r io.Reader) (list []rawFrame, err error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return list, err
		}
		if head[0]&0xf0 != 0x80 || head[1]&0x80 != 0 {
			return list, fmt.Errorf("frame %d begins with %x: not final, with extensions, or masked", len(list), head)
		}
		n := uint64(head[1])
		least := uint64(0)
		switch n {
		case 126:
			var long [2]byte
			_, _ = io.ReadFull(r, long[:]) // too short shows below
			n, least = uint64(binary.BigEndian.Uint16(long[:])), 126
		case 127:
			var long [8]byte
			_, _ = io.ReadFull(r, long[:])
			n, least = binary.BigEndian.Uint64(long[:]), 1<<16
		}
		if n < least || n > proto.MaxServerMessage {
			return list, fmt.Errorf("frame %d says that it has %d bytes, not in the shortest form", len(list), n)
		}
		p := make([]byte, n)
		if _, err := io.ReadFull(r, p); err != nil {
			return list, err
		}
		list = append(list, rawFrame{head[0] & 15, p})
	}
}

func TestFramedMessageHasTheShortestHeader(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 1<<16 - 1, 1 << 16, proto.MaxServerMessage} {
		msg := bytes.Repeat([]byte{7}, n)
		w := takeWriter()
		w.Raw(msg)
		got, err := readFrames(bytes.NewReader(framed(w.Bytes())))
		if err != nil || len(got) != 1 || got[0].op != 2 || !bytes.Equal(got[0].payload, msg) {
			t.Errorf("a message of %d bytes does not come out of its frame: %v", n, err)
		}
		if length(w) != n {
			t.Errorf("length is %d, want %d", length(w), n)
		}
	}
}

// A connection is closed by whoever finds a reason, while its room writes frames.
func TestNothingFollowsTheBye(t *testing.T) {
	for range 20 {
		var list []rawFrame
		read := make(chan error, 1)
		w := newWireTo(t, func(peer net.Conn) {
			go func() {
				r := bufio.NewReader(peer)
				res, err := http.ReadResponse(r, nil)
				if err == nil {
					_ = res.Body.Close()
					list, err = readFrames(r)
				}
				read <- err
			}()
		})
		begun, over := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(over)
			for i := 0; !w.c.ended.Load() || i < 200; i++ {
				if i == 100 {
					close(begun)
				}
				w.write()
			}
		}()
		<-begun
		w.c.Close(proto.Close{Code: proto.CodeKicked, Reason: "out"})
		<-over
		if err := <-read; err != nil {
			t.Fatal(err)
		}
		if n := len(list); n < 3 || list[n-1].op != 8 || list[n-2].op != 2 {
			t.Fatalf("%d frames, the last not a message and a close frame", n)
		}
		for i, f := range list[:len(list)-1] {
			r := proto.NewReader(f.payload)
			kind, _, err := proto.ServerKind(r)
			if err != nil {
				t.Fatal(err)
			}
			if last := i == len(list)-2; (kind == proto.KindBye) != last {
				t.Fatalf("message %d of %d is of kind %d", i, len(list)-1, kind)
			}
		}
	}
}

// Who has looked whether the connection goes on, and only then waits for its turn to write, looks again.
func TestMessageThatWaitedForTheByeIsNotWritten(t *testing.T) {
	w := newWire(t)
	msg := takeWriter()
	msg.Raw([]byte{1})
	if !w.c.put(msg) {
		t.Fatal("a message is not written on an open connection")
	}
	w.c.ended.Store(true) // as Close does before it writes the bye
	if w.c.put(msg) {
		t.Error("a message was written behind the bye")
	}
}
