package bridge

import (
	"errors"
	"math"
	"strings"
	"time"

	"muster/match"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// Messages between the halves are MessagePack arrays: a kind, the session's number, and what the kind says. A kind that is
// not known is from a newer node and is passed over, and so are elements behind those that are known.
//
// What must arrive is numbered, by session and direction, from 1; see [outbox].
const (
	// From an edge to a host.
	kindHello   = 1 // session, generation, room, open
	kindPing    = 2 // session, have, sent, again, generation, stamp
	kindBye     = 3 // session
	kindInput   = 4 // session, have, sent, the next tick now, and for each packet viewer, the next tick when it came, packet
	kindAttach  = 5 // session, number, viewer, …; numbered, like all up to kindRefresh
	kindDetach  = 6 // session, number, viewer
	kindLeave   = 7 // session, number, viewer
	kindRefresh = 8 // session, number, viewer, expires
	kindAgain   = 9 // session, the first cast that is missing

	// From a host to an edge.
	kindAnswer  = 16 // session, code, reason, epoch, rate, inputs, schema
	kindPong    = 17 // session, have, sent, again, the ping's stamp or 0
	kindUnknown = 18 // session
	kindTick    = 19 // see tick.append
	kindWelcome = 20 // session, number, viewer, …; numbered, like all up to kindOver
	kindMessage = 21 // session, number, viewer, message
	kindClose   = 22 // session, number, viewer, code, reason
	kindOver    = 23 // session, number
	kindCast    = 24 // see appendCast
	kindLast    = 25 // see appendLast; numbered
)

// Bounds of what a message may hold.
const (
	maxReason  = 120     // of a close, in bytes
	maxName    = 4 << 10 // of a player's name and of a claim's id, in bytes, as tokens have them
	maxViewers = 4096    // of one session, who have a seat
	maxWatch   = 100_000 // of one session, who watch
	maxBehind  = 600_000 // of what is shown to those who watch, in milliseconds
	maxWatched = 1 << 16 // scopes that one edge sees of a room: there are no more
)

var errMessage = errors.New("malformed message between nodes")

// head is what every message begins with.
type head struct {
	kind    int
	n       int // elements
	session uint64
}

func readHead(r *proto.Reader) (h head, err error) {
	h.n = r.Array("message", math.MaxInt32)
	if r.Err() == nil && h.n < 2 {
		r.Fail("message", "no kind and session")
	}
	h.kind = int(r.Uint8("kind"))
	h.session = r.Uint("session", math.MaxUint64)
	return h, r.Err()
}

func begin(w *proto.Writer, n, kind int, session uint64) {
	w.Reset()
	w.Array(n)
	w.Uint(uint64(kind)) //nolint:gosec // one of the constants
	w.Uint(session)
}

// hello asks for a room. It is repeated until there is an answer.
type hello struct {
	gen  uint32
	room string
	open bool // it is opened where it does not run
}

func (m *hello) append(w *proto.Writer, session uint64) {
	begin(w, 5, kindHello, session)
	w.Uint(uint64(m.gen))
	w.Str(m.room)
	w.Bool(m.open)
}

func (m *hello) parse(r *proto.Reader, n int) error {
	*m = hello{gen: r.Uint32("generation"), room: r.Str("room", proto.MaxID), open: r.Bool("open")}
	r.SkipRest("hello", n, 5)
	return r.Done() //nolint:wrapcheck // says where already
}

// answer is what a host says of the room that was asked for: why there is none, or what it is.
type answer struct {
	refused proto.Close // Code 0: it is there
	epoch   uint64
	rate    uint8
	inputs  proto.InputMode
	schema  []byte
	behind  time.Duration // how long after a tick those who watch are shown it
}

func (m *answer) append(w *proto.Writer, session uint64) {
	begin(w, 9, kindAnswer, session)
	w.Uint(uint64(m.refused.Code))
	w.Str(clip(m.refused.Reason))
	w.Uint(m.epoch)
	w.Uint(uint64(m.rate))
	w.Uint(uint64(m.inputs))
	w.Bin(m.schema)
	w.Uint(uint64(m.behind.Milliseconds())) //nolint:gosec // not negative
}

func (m *answer) parse(r *proto.Reader, n int) error {
	*m = answer{
		refused: proto.Close{Code: proto.Code(r.Uint16("code")), Reason: r.Str("reason", maxReason)},
		epoch:   r.Uint("epoch", math.MaxUint64),
		rate:    uint8(r.Uint("rate", 128)),           //nolint:gosec // bounded
		inputs:  proto.InputMode(r.Uint("inputs", 1)), //nolint:gosec // bounded
		schema:  append([]byte(nil), r.Bin("schema", proto.MaxSchema)...),
	}
	if r.Err() == nil && m.refused.Code == 0 && m.rate == 0 {
		r.Fail("rate", "zero")
	}
	known := 8
	if n > known {
		known++
		m.behind = time.Duration(r.Uint("delay", maxBehind)) * time.Millisecond //nolint:gosec // bounded
	}
	r.SkipRest("answer", n, known)
	return r.Done() //nolint:wrapcheck // says where already
}

// state is what both sides tell each other of the numbered messages.
type state struct {
	have  uint64 // all of the other's up to this number have come
	sent  uint64 // the newest number that was sent
	again bool   // some are missing: those after have are wanted again
}

func (s *state) append(w *proto.Writer) {
	w.Uint(s.have)
	w.Uint(s.sent)
	w.Bool(s.again)
}

func readState(r *proto.Reader) (s state) {
	return state{r.Uint("have", math.MaxUint64), r.Uint("sent", math.MaxUint64), r.Bool("again")}
}

// numbered is the head of a numbered message.
func numbered(w *proto.Writer, n, kind int, session, number, viewer uint64) {
	begin(w, n, kind, session)
	w.Uint(number)
	w.Uint(viewer)
}

func appendAttach(w *proto.Writer, session, number, viewer uint64, a *match.Attach) {
	numbered(w, 13, kindAttach, session, number, viewer)
	w.Uint(uint64(a.Player.Seat))
	w.Str(a.Player.ID)
	w.Str(a.Player.Name)
	w.Uint(uint64(a.Player.Team))
	w.Int(millis(a.PlayerExpires))
	w.Bool(a.Watch)
	w.Bool(a.Resume)
	w.Uint(uint64(a.Counter))
	w.Str(a.Claim)
}

func readAttach(r *proto.Reader, n int) (a match.Attach, err error) {
	a.Player = match.Player{
		Seat: netcode.Seat(r.Uint16("seat")), ID: r.Str("player", proto.MaxID), Name: r.Str("name", maxName), Team: r.Uint16("team"),
	}
	a.PlayerExpires = moment(r)
	a.Watch, a.Resume = r.Bool("watch"), r.Bool("resume")
	a.Counter = r.Uint32("counter")
	a.Claim = r.Str("claim", maxName)
	r.SkipRest("attach", n, 13)
	return a, r.Done() //nolint:wrapcheck // says where already
}

func appendRefresh(w *proto.Writer, session, number, viewer uint64, expires time.Time) {
	numbered(w, 5, kindRefresh, session, number, viewer)
	w.Int(millis(expires))
}

// appendWelcome writes a welcome without its schema, which the edge has.
func appendWelcome(w *proto.Writer, session, number, viewer uint64, m *proto.Welcome, t *token.Resume) {
	numbered(w, 9, kindWelcome, session, number, viewer)
	w.Uint(uint64(t.Seat))
	w.Str(t.Name)
	w.Uint(uint64(t.Counter))
	w.Int(millis(t.PlayerExpires))
	// The welcome is the last element, and whole.
	bare := *m
	bare.Schema = nil
	bare.Append(w)
}

func readWelcome(r *proto.Reader, n int) (m proto.Welcome, t token.Resume, err error) {
	if n != 9 {
		return m, t, errMessage
	}
	t.Seat = r.Uint16("seat")
	t.Name = r.Str("name", maxName)
	t.Counter = r.Uint32("counter")
	t.PlayerExpires = moment(r)
	kind, k, err := proto.ServerKind(r)
	if err == nil && kind != proto.KindWelcome {
		err = errMessage
	}
	if err == nil {
		err = m.Parse(r, k)
	}
	t.Room, t.Player = m.Room, m.Player
	return m, t, err //nolint:wrapcheck // says where already
}

func appendClose(w *proto.Writer, session, number, viewer uint64, c proto.Close) {
	numbered(w, 6, kindClose, session, number, viewer)
	w.Uint(uint64(c.Code))
	w.Str(clip(c.Reason))
}

func readClose(r *proto.Reader, n int) (c proto.Close, err error) {
	c = proto.Close{Code: proto.Code(r.Uint16("code")), Reason: r.Str("reason", maxReason)}
	r.SkipRest("close", n, 6)
	return c, r.Done() //nolint:wrapcheck // says where already
}

// millis is a time in milliseconds since 1970; one that does not exist is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(r *proto.Reader) time.Time {
	if ms := r.Int("time", math.MinInt64, math.MaxInt64); ms != 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}

// clip shortens a reason to what a close frame can hold.
func clip(reason string) string {
	return strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
}
