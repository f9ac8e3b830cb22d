package match

import (
	"iter"
	"math/rand/v2"

	"muster/netcode"
)

// Room is what a game's hooks see of their room. Only the room's goroutine may use it, during a hook's call; hooks must
// not keep it.
type Room[S any] struct {
	state  *S
	id     string
	config any // of the type of Rules.Config
	rate   int
	tick   uint32
	dice   *rand.PCG // what rng draws from
	rng    *rand.Rand
	roster
	works
	started bool
	out     *effects
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

// Started says whether the match has started, see [Starter]: true from its Start hook on.
func (r *Room[S]) Started() bool { return r.started }

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

// SetTeam puts a player into a team, from 1 on; 0 is none. He comes with the team that the matchmaker has put him into,
// which is set before the Join hook. Events to a team reach those who are in it at the end of the tick.
func (r *Room[S]) SetTeam(seat netcode.Seat, team uint16) {
	if int(seat) < len(r.taken) && r.taken[seat] && r.players[seat].Team != team {
		r.players[seat].Team = team
		r.out.teams = true
	}
}

// SetOpen says whether new players may be sent into the room: backfill and late joins. A room is open until its rules
// close it. Those on their way already still arrive, and players who have a seat come back as ever.
func (r *Room[S]) SetOpen(open bool) {
	r.out.doors = doorsClosed
	if open {
		r.out.doors = doorsOpen
	}
}

// Kick removes a player; the reason (at most 120 bytes) is shown to him. His seat is free from the next tick on. A
// seat that nobody has is passed over.
func (r *Room[S]) Kick(seat netcode.Seat, reason string) {
	if int(seat) < len(r.taken) && r.taken[seat] {
		r.out.kicked = append(r.out.kicked, kick{seat, reason})
	}
}

// End ends the match with this result, best placement first. The first call counts. A placement that names no team gets
// that of the player in its seat.
func (r *Room[S]) End(result []Placement) {
	if r.out.ended {
		return
	}
	r.out.ended = true
	r.out.result = append([]Placement{}, result...)
	for i := range r.out.result {
		place := &r.out.result[i]
		if p, ok := r.Player(netcode.Seat(place.Seat)); ok && place.Team == 0 && place.Player == p.ID {
			place.Team = p.Team
		}
	}
}
