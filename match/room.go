package match

import (
	"iter"
	"math/rand/v2"

	"muster/netcode"
)

// Room is what a game's hooks see of their room. Only the room's goroutine may use it, during a hook's call; hooks must
// not keep it.
type Room[S any] struct {
	state *S
	id    string
	rate  int
	tick  uint32
	rng   *rand.Rand
	roster
	out *effects
}

// roster is who has a seat, by seat; index 0 is nobody.
type roster struct {
	players []Player
	taken   []bool
}

// ID is the room's id, which is the match's.
func (r *Room[S]) ID() string { return r.id }

// State is the game's state. A hook may change it.
func (r *Room[S]) State() *S { return r.state }

// Tick is the tick whose state State is; 0 before the first Step.
func (r *Room[S]) Tick() uint32 { return r.tick }

// Rate is ticks per second.
func (r *Room[S]) Rate() int { return r.rate }

// Rand is the hooks' own random source, seeded from the room's seed.
func (r *Room[S]) Rand() *rand.Rand { return r.rng }

// Players iterates over the players who have a seat, dropped ones included, in the order of their seats.
func (r *Room[S]) Players() iter.Seq[Player] {
	return func(yield func(Player) bool) {
		for i, taken := range r.taken {
			if taken && !yield(r.players[i]) {
				return
			}
		}
	}
}

// Player returns the player who has a seat.
func (r *Room[S]) Player(seat netcode.Seat) (p Player, ok bool) {
	if int(seat) >= len(r.taken) || !r.taken[seat] {
		return Player{}, false
	}
	return r.players[seat], true
}

// Emit sends a one-off event, which must be of a type in Rules.Events and have at most 8 KiB.
func (r *Room[S]) Emit(to netcode.To, event any) {
	r.out.emitted = append(r.out.emitted, netcode.Emission{To: to, Event: event})
}

// Kick removes a player; the reason (at most 120 bytes) is shown to him. His seat is free from the next tick on.
func (r *Room[S]) Kick(seat netcode.Seat, reason string) {
	r.out.kicked = append(r.out.kicked, kick{seat, reason})
}

// End ends the match with this result, best placement first. The first call counts.
func (r *Room[S]) End(result []Placement) {
	if !r.out.ended {
		r.out.ended = true
		r.out.result = append([]Placement{}, result...)
	}
}
