package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// A proto is what the load client must know of one peer's wire protocol. To
// add a peer with a protocol of its own, write one of these and name it below.
type proto interface {
	// open gives the websocket path for player idx of room, and further headers of the request, each with its line end.
	open(room, idx int) (path, headers string, err error)
	// first gives the number before a client's first input.
	first(idx int) uint32
	// input makes the payload of one input and its websocket opcode.
	input(b []byte, c *conn, dx, dy int, seq uint32) ([]byte, byte)
	// message handles one message; it reports whether it was a state frame.
	message(c *conn, op byte, p []byte) bool
	// acked reports whether a state frame shows that input seq was used.
	acked(c *conn, p []byte, seq uint32) bool
}

func newProto(name, host string) proto {
	switch name {
	case "bin":
		return &binProto{}
	case "msgpack":
		return &msgpackProto{}
	case "socketio":
		return &sioProto{}
	case "socketio-msgpack":
		return &sioProto{bin: true}
	case "muster":
		return newMusterProto(host)
	case "colyseus":
		return &colyseusProto{host: host}
	}
	panic("unknown protocol " + name)
}

// echo is what protocols have in common of which the state holds the inputs' numbers: those of the sampled clients are
// too large to stand in a frame by chance.
type echo struct{}

func (echo) first(idx int) uint32 {
	if idx < samples {
		return 0x40000000 | rand.Uint32N(1<<29) | 0x01010000
	}
	return 0
}

// binProto: /ws?room=rN; input [dx i8][dy i8][slot u8][seq u32 LE]; every binary
// message is a state frame; the seq of a sampled client appears in it as u32 LE.
type binProto struct{ echo }

func (binProto) open(room, idx int) (path, headers string, err error) {
	return fmt.Sprintf("/ws?room=r%d&i=%d", room, idx), "", nil
}

func (binProto) input(b []byte, c *conn, dx, dy int, seq uint32) ([]byte, byte) {
	b = append(b, byte(int8(dx)), byte(int8(dy)), byte(min(c.idx, 255)))
	return binary.LittleEndian.AppendUint32(b, seq), 2
}
func (binProto) message(c *conn, _ byte, _ []byte) bool { c.ready.Store(true); return true }
func (binProto) acked(_ *conn, p []byte, seq uint32) bool {
	var b [4]byte
	return bytes.Contains(p, binary.LittleEndian.AppendUint32(b[:0], seq))
}

func packInput(b []byte, dx, dy int, seq uint32) []byte {
	b = append(b, 0x83, 0xa2, 'd', 'x', byte(int8(dx)), 0xa2, 'd', 'y', byte(int8(dy)), 0xa3, 's', 'e', 'q')
	if seq < 128 {
		return append(b, byte(seq))
	}
	if seq < 65536 {
		return binary.BigEndian.AppendUint16(append(b, 0xcd), uint16(seq))
	}
	return binary.BigEndian.AppendUint32(append(b, 0xce), seq)
}

// msgpackProto: as bin, with the input as a msgpack map and seq big-endian.
type msgpackProto struct{ binProto }

func (msgpackProto) input(b []byte, _ *conn, dx, dy int, seq uint32) ([]byte, byte) {
	return packInput(b, dx, dy, seq), 2
}

func (msgpackProto) acked(_ *conn, p []byte, seq uint32) bool {
	var b [8]byte
	return bytes.Contains(p, binary.BigEndian.AppendUint32(append(b[:0], 0xce), seq))
}

// sioProto: Socket.IO 4 (Engine.IO 4) over websocket only.
type sioProto struct {
	echo
	bin bool
}

func (s *sioProto) open(int, int) (path, headers string, err error) {
	return "/socket.io/?EIO=4&transport=websocket", "", nil
}

func (s *sioProto) input(b []byte, _ *conn, dx, dy int, seq uint32) ([]byte, byte) {
	b = append(b, `42["i",`...)
	b = strconv.AppendInt(b, int64(dx), 10)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(dy), 10)
	b = append(b, ',')
	b = strconv.AppendUint(b, uint64(seq), 10)
	return append(b, ']'), 1
}

func (s *sioProto) message(c *conn, op byte, p []byte) bool {
	if op == 2 {
		return true
	}
	switch {
	case p[0] == '0':
		c.send(1, fmt.Appendf(nil, `40{"room":"r%d"}`, c.room))
	case p[0] == '2':
		c.send(1, []byte("3"))
	case bytes.HasPrefix(p, []byte("40")):
		c.ready.Store(true)
	case bytes.HasPrefix(p, []byte(`45`)):
		c.extra += len(p) // header of a binary event: its bytes count with the attachment
	case bytes.HasPrefix(p, []byte(`42["state"`)):
		return true
	}
	return false
}

func (s *sioProto) acked(_ *conn, p []byte, seq uint32) bool {
	var b [16]byte
	if s.bin {
		return bytes.Contains(p, binary.BigEndian.AppendUint32(append(b[:0], 0xce), seq))
	}
	return bytes.Contains(p, strconv.AppendUint(append(b[:0], ','), uint64(seq), 10))
}

// colyseusProto: matchmaking by HTTP, then the room protocol of Colyseus 0.18.
type colyseusProto struct {
	echo
	host  string
	mu    sync.Mutex
	rooms map[int]string
}

func (s *colyseusProto) open(room, _ int) (path, headers string, err error) {
	s.mu.Lock()
	if s.rooms == nil {
		s.rooms = map[int]string{}
	}
	id := s.rooms[room]
	s.mu.Unlock()
	url := "http://" + s.host + "/matchmake/create/arena"
	if id != "" {
		url = "http://" + s.host + "/matchmake/joinById/" + id
	}
	res, err := http.Post(url, "application/json", strings.NewReader("{}"))
	if err != nil {
		return "", "", err
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	var seat struct {
		RoomID, ProcessID, SessionID string
		Room                         struct{ RoomID, ProcessID string }
	}
	if err := json.Unmarshal(body, &seat); err != nil || seat.SessionID == "" {
		return "", "", fmt.Errorf("matchmaking: %s", body)
	}
	if seat.RoomID == "" {
		seat.RoomID, seat.ProcessID = seat.Room.RoomID, seat.Room.ProcessID
	}
	if id == "" {
		s.mu.Lock()
		s.rooms[room] = seat.RoomID
		s.mu.Unlock()
	}
	return fmt.Sprintf("/%s/%s?sessionId=%s", seat.ProcessID, seat.RoomID, seat.SessionID), "", nil
}

func (s *colyseusProto) input(b []byte, _ *conn, dx, dy int, seq uint32) ([]byte, byte) {
	b = append(b, 13, 0xa5, 'i', 'n', 'p', 'u', 't')
	return packInput(b, dx, dy, seq), 2
}

func (s *colyseusProto) message(c *conn, _ byte, p []byte) bool {
	switch p[0] & 0x1f {
	case 10:
		c.send(2, []byte{10})
	case 14:
		c.ready.Store(true)
	case 15:
		return true
	case 11:
		c.fail("colyseus error message")
	}
	return false
}

func (s *colyseusProto) acked(_ *conn, p []byte, seq uint32) bool {
	var b [8]byte
	return bytes.Contains(p, binary.LittleEndian.AppendUint32(append(b[:0], 0xce), seq))
}
