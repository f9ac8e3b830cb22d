package proto

import "math"

// Bounds of the welcome's parts, in bytes.
const (
	MaxID     = 64
	MaxSchema = 32 << 10
	MaxToken  = 4 << 10
)

// InputMode says how a room treats what its players send.
type InputMode uint8

// The two input modes.
const (
	// Samples: the newest counts, at most one for each tick (steering).
	Samples InputMode = iota
	// Commands: each is applied once, in order, or refused with a reason (a card, an edit).
	Commands
)

// Welcome is the first message on a socket: who the client is in the match and how to read what follows.
// A keyframe follows it.
type Welcome struct {
	Version int
	Room    string
	Game    string
	Rules   string // the version of the game's rules
	Seat    uint16 // 0 for one who only watches
	Player  string
	Epoch   uint64
	Tick    uint32
	Rate    uint8 // ticks per second, 1 to 128
	Inputs  InputMode
	Seq     uint32 // the newest input of this seat that the room has; the client counts on from here
	Event   uint32 // the events up to this number do not come: they are acknowledged, or were too many to keep
	Schema  []byte // netcode's binary form of the game's schema
	Resume  string // the resume secret: a bearer token for the next socket of this seat
	Expires uint32 // seconds until the player's own token ends; 0: never
	Kept    uint32 // events of earlier epochs up to this number are what they were; later numbers are given anew
}

const welcomeLen = 17

// Append writes the message.
func (m *Welcome) Append(w *Writer) {
	w.Array(welcomeLen)
	w.Uint(KindWelcome)
	w.Int(int64(m.Version))
	w.Str(m.Room)
	w.Str(m.Game)
	w.Str(m.Rules)
	w.Uint(uint64(m.Seat))
	w.Str(m.Player)
	w.Uint(m.Epoch)
	w.Uint(uint64(m.Tick))
	w.Uint(uint64(m.Rate))
	w.Uint(uint64(m.Inputs))
	w.Uint(uint64(m.Seq))
	w.Uint(uint64(m.Event))
	w.Bin(m.Schema)
	w.Str(m.Resume)
	w.Uint(uint64(m.Expires))
	w.Uint(uint64(m.Kept))
}

// Parse reads the message after [ServerKind]; n is the array's length. Schema stays a part of the message's bytes.
func (m *Welcome) Parse(r *Reader, n int) error {
	*m = Welcome{
		Version: int(r.Uint("version", 1<<15)), //nolint:gosec // bounded
		Room:    r.Str("room", MaxID),
		Game:    r.Str("game", MaxID),
		Rules:   r.Str("rules", MaxID),
		Seat:    r.Uint16("seat"),
		Player:  r.Str("player", MaxID),
		Epoch:   r.Uint("epoch", math.MaxUint64),
		Tick:    r.Uint32("tick"),
		Rate:    uint8(r.Uint("rate", 128)),     //nolint:gosec // bounded
		Inputs:  InputMode(r.Uint("inputs", 1)), //nolint:gosec // bounded
		Seq:     r.Uint32("seq"),
		Event:   r.Uint32("event"),
		Schema:  r.Bin("schema", MaxSchema),
		Resume:  r.Str("resume", MaxToken),
		Expires: r.Uint32("expires"),
		Kept:    r.Uint32("kept"),
	}
	if r.err == nil && m.Rate == 0 {
		r.Fail("rate", "zero")
	}
	r.SkipRest("welcome", n, welcomeLen)
	return r.Done()
}
