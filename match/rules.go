package match

import (
	"fmt"
	"time"

	"muster/proto"
)

// Rules are what a game tells the room's loop. The zero value of a field means its default.
type Rules struct {
	// Version is the author's word for "the same rules": a running room moves or resumes between equal versions
	// only. Default "1".
	Version string
	// TickRate is ticks per second, 1 to 128. Default 20.
	TickRate int
	// Seats is how many players a room holds, 1 to 1000. Default 16.
	Seats int
	// Inputs says whether inputs are samples (default) or commands.
	Inputs proto.InputMode
	// InputsPerTick is how many commands of one seat a tick applies, 1 to 16; the others wait. Default 1, so that who
	// sends faster gains nothing. Of samples a tick always uses the newest alone.
	InputsPerTick int
	// Rewind is how far back Step.Rewind shows the past, 0 to 1 s: what a player looked at before that counts as seen
	// then. A larger one favours players far away, and lets them hit those who took cover long ago. Default 250 ms.
	Rewind time.Duration
	// Spectators is how many connections may watch a room without a seat, 0 to 100,000. They see what everybody sees, and
	// the cells that [netcode.Scopes.Spectate] shows them. What a tick says to them is encoded once, however many they are.
	// Default 0.
	Spectators int
	// SpectatorDelay is how long after a tick those who watch are shown it, with its events and the match's end, 0 to 10 min:
	// where it is longer than what a watcher could tell a player is of use. A room with a delay keeps what it will show also
	// while nobody watches, up to 32 MiB. Default 0.
	SpectatorDelay time.Duration
	// Grace is how long the seat of a dropped player is held. Default 30 s.
	Grace time.Duration
	// Empty is how long a room without any player goes on before it ends without a result. Default 30 s.
	Empty time.Duration
	// Sleep lets a room stop ticking while nobody is connected. It goes on at the tick where it was when somebody comes,
	// or when a seat's grace or Empty has passed.
	Sleep bool
	// Durability says what of a match survives the end of its process. Default None.
	Durability Durability
	// CheckpointEvery is the time between checkpoints, 100 ms to 10 min: what a room goes back to when its rules panic,
	// and what a journal begins with. Default 5 s.
	CheckpointEvery time.Duration
	// PauseUndurable makes a room of Durability Journal wait when its journal cannot keep up, instead of going on with
	// what a failover would take back.
	PauseUndurable bool
	// Persist keeps the state of a room that nobody is in any more, by its id, for the next who opens it: a document, a
	// world. Such a room ends only when its rules end it. It implies Durability Checkpoint at least.
	Persist bool
	// Role is what the token of a player must have for a seat in rooms of this game, or to watch them: lobbies refuse all
	// others, but in development. For what is not for everybody, like the tools of those who run the servers: a room of such a
	// game is opened also where no server takes new rooms. Default none: the game is for all.
	Role string
	// Events are the zero values of the event types that the game emits, in the order of their wire types.
	Events []any
	// Config is the zero value of the struct that a room's config is read into, from JSON, with exported fields that have
	// names in json tags: a map, a mode, a round's length. The hooks get it by ConfigOf. A [Validator] says more of what is
	// good. Nil: rooms of this game have none.
	Config any
}

// withDefaults returns the rules with defaults filled in, or what is wrong with them.
func (r Rules) withDefaults() (Rules, error) {
	if r.Version == "" {
		r.Version = "1"
	}
	if r.TickRate == 0 {
		r.TickRate = 20
	}
	if r.Seats == 0 {
		r.Seats = 16
	}
	if r.Grace == 0 {
		r.Grace = 30 * time.Second
	}
	if r.Empty == 0 {
		r.Empty = 30 * time.Second
	}
	if r.InputsPerTick == 0 {
		r.InputsPerTick = 1
	}
	if r.Rewind == 0 {
		r.Rewind = 250 * time.Millisecond
	}
	if r.CheckpointEvery == 0 {
		r.CheckpointEvery = 5 * time.Second
	}
	if r.Persist && r.Durability == None {
		r.Durability = Checkpoint
	}
	switch {
	case len(r.Version) > proto.MaxID:
		return r, fmt.Errorf("Rules.Version has %d bytes, at most %d allowed", len(r.Version), proto.MaxID)
	case r.TickRate < 1 || r.TickRate > 128:
		return r, fmt.Errorf("Rules.TickRate is %d, 1 to 128 allowed", r.TickRate)
	case r.Seats < 1 || r.Seats > 1000:
		return r, fmt.Errorf("Rules.Seats is %d, 1 to 1000 allowed", r.Seats)
	case r.Role != "" && !gameName.MatchString(r.Role):
		return r, fmt.Errorf("Rules.Role is %q, a lower-case letter and up to 30 of a-z, 0-9, _ and - allowed", r.Role)
	case r.Spectators < 0 || r.Spectators > maxSpectators:
		return r, fmt.Errorf("Rules.Spectators is %d, 0 to %d allowed", r.Spectators, maxSpectators)
	case r.SpectatorDelay < 0 || r.SpectatorDelay > maxDelay:
		return r, fmt.Errorf("Rules.SpectatorDelay is %v, 0 to %v allowed", r.SpectatorDelay, maxDelay)
	case r.SpectatorDelay > 0 && r.Spectators == 0:
		return r, fmt.Errorf("Rules.SpectatorDelay is %v, and Rules.Spectators is 0", r.SpectatorDelay)
	case r.Inputs > proto.Commands:
		return r, fmt.Errorf("Rules.Inputs is %d, Samples or Commands allowed", r.Inputs)
	case r.InputsPerTick < 1 || r.InputsPerTick > 16:
		return r, fmt.Errorf("Rules.InputsPerTick is %d, 1 to 16 allowed", r.InputsPerTick)
	case r.InputsPerTick > 1 && r.Inputs == proto.Samples:
		return r, fmt.Errorf("Rules.InputsPerTick is %d, and of samples a tick uses one alone", r.InputsPerTick)
	case r.Rewind < 0 || r.Rewind > time.Second:
		return r, fmt.Errorf("Rules.Rewind is %v, 0 to %v allowed", r.Rewind, time.Second)
	case r.Durability > Journal:
		return r, fmt.Errorf("Rules.Durability is %d, None, Checkpoint or Journal allowed", r.Durability)
	case r.CheckpointEvery < 100*time.Millisecond || r.CheckpointEvery > 10*time.Minute:
		return r, fmt.Errorf("Rules.CheckpointEvery is %v, 100ms to 10m allowed", r.CheckpointEvery)
	case r.Grace < 0 || r.Empty < 0 || r.Grace > maxHold || r.Empty > maxHold:
		return r, fmt.Errorf("Rules.Grace is %v and Rules.Empty is %v, 0 to %v allowed", r.Grace, r.Empty, maxHold)
	}
	err := checkConfigType(&r)
	return r, err
}

// Durability says what of a match survives the end of its process.
type Durability uint8

// The classes of durability. What a room keeps it keeps beside its ticks, which never wait for it.
const (
	// None: a match ends with its process.
	None Durability = iota
	// Checkpoint: a match goes on from its last checkpoint; Rules.CheckpointEvery of it is lost at most.
	Checkpoint
	// Journal: no input that a client was told is durable is lost, and no event.
	Journal
)

// maxHold is the longest that a seat or an empty room is held: far within what a tick's number can count.
const maxHold = 30 * 24 * time.Hour

// ticks converts a duration to ticks, at least one.
func (r *Rules) ticks(d time.Duration) uint32 {
	return uint32(max(1, int64(d)*int64(r.TickRate)/int64(time.Second))) //nolint:gosec // 2^32 ticks take a year
}

// Placement is one player's part of a match's result.
type Placement = proto.Placement
