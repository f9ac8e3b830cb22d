package match

import (
	"errors"
	"fmt"
	"runtime/debug"

	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// Replay runs a room from its records: no sockets, no time, no effect on the world outside. It serves recovery, the
// proof of a recorded match, and a studio's tests. One goroutine uses it.
type Replay struct {
	game *Game
	sim  simulation
	fx   effects
	tick uint32
	sums []uint64
}

// PanicError is the error of rules that panicked.
type PanicError struct {
	Tick  uint32
	Value any
	Stack []byte
}

// Error implements error.
func (e *PanicError) Error() string {
	return fmt.Sprintf("the rules panicked at tick %d: %v", e.Tick, e.Value)
}

// ErrReplay is what the errors of a replay wrap that are not its rules' doing: a record or a checkpoint that cannot be
// applied.
var ErrReplay = errors.New("the replay does not fit the game")

// NewReplay returns a replay of a room with this spec, before its Open hook.
func NewReplay(g Game, spec Spec) (*Replay, error) {
	if g.err != nil {
		return nil, g.err
	}
	if err := g.CheckConfig(spec.Config); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReplay, err)
	}
	return &Replay{game: &g, sim: g.make(&g, spec)}, nil
}

// SpecOf is what a recorded room was opened with.
func SpecOf(h *journal.Header) Spec {
	return Spec{ID: h.Room, Game: h.Game, Seed: h.Seed, Epoch: h.Epoch, Config: h.Config}
}

// Open runs the game's Open hook. A replay begins with it, or with Restore.
func (r *Replay) Open() (err error) {
	defer r.caught(0, &err)
	r.fx.reset()
	return r.sim.open(&r.fx)
}

// Restore brings a new replay to a checkpoint.
func (r *Replay) Restore(cp journal.Checkpoint) (err error) {
	defer r.caught(cp.Tick, &err)
	var room roomState
	rd := proto.NewReader(cp.Data)
	if err := room.parse(rd, r.sim, r.game, true); err != nil {
		return fmt.Errorf("%w: the checkpoint of tick %d: %w", ErrReplay, cp.Tick, err)
	}
	r.tick = cp.Tick
	return nil
}

// Step applies one record. An error is a *PanicError, or wraps ErrReplay.
func (r *Replay) Step(rec *TickRecord) (err error) {
	defer r.caught(rec.Tick, &err)
	r.fx.reset()
	err = r.fits(rec)
	if err == nil {
		err = r.sim.step(rec, &r.fx)
	}
	if err != nil {
		return fmt.Errorf("%w: the record of tick %d: %w", ErrReplay, rec.Tick, err)
	}
	r.tick = rec.Tick
	return nil
}

// fits says whether a record speaks of seats that the room has: it may come from a file.
func (r *Replay) fits(rec *TickRecord) error {
	seats := r.game.rules.Seats
	for i := range rec.Seats {
		if s := rec.Seats[i].Player.Seat; s == 0 || int(s) > seats {
			return fmt.Errorf("a change of seat %d, 1 to %d are there", s, seats)
		}
	}
	for i := range rec.Inputs {
		if s := rec.Inputs[i].Seat; s == 0 || int(s) > seats {
			return fmt.Errorf("an input of seat %d, 1 to %d are there", s, seats)
		}
	}
	return nil
}

// caught is deferred: a panic of the rules becomes an error.
func (r *Replay) caught(tick uint32, err *error) { //nolint:gocritic // to be set
	if p := recover(); p != nil {
		*err = &PanicError{Tick: tick, Value: p, Stack: debug.Stack()}
	}
}

// Tick is the tick of the state.
func (r *Replay) Tick() uint32 { return r.tick }

// State is a pointer to the game's state.
func (r *Replay) State() any { return r.sim.world() }

// Hash is the exact state's hash.
func (r *Replay) Hash() (hash uint64) {
	r.sums = r.sim.sums(r.sums)
	return total(r.sums)
}

// Differs names the first column of which the sum is not the recorded one, as "Ships.X"; "" when all are the same or
// the record has none.
func (r *Replay) Differs(rec *TickRecord) string {
	r.sums = r.sim.sums(r.sums)
	if len(rec.Sums) == 0 {
		return ""
	}
	if len(rec.Sums) != len(r.sums) {
		return fmt.Sprintf("the number of columns: %d were recorded, %d are here", len(rec.Sums), len(r.sums))
	}
	for i, sum := range r.sums {
		if short(sum) != rec.Sums[i] {
			return r.game.schema.ColumnName(i)
		}
	}
	return ""
}

// Emitted returns the events of the tick, valid until the next Step.
func (r *Replay) Emitted() []netcode.Emission { return r.fx.emitted }

// Refused returns the commands that the tick refused, valid until the next Step.
func (r *Replay) Refused() []netcode.Refusal { return r.fx.refused }

// RefusedOrders says why orders of the tick were refused, in their order; valid until the next Step.
func (r *Replay) RefusedOrders() (whys []string) {
	for i := range r.fx.ordered {
		if o := &r.fx.ordered[i]; o.outcome != OrderIsDone {
			whys = append(whys, o.why)
		}
	}
	return whys
}

// Started says whether the match has started, see [Starter].
func (r *Replay) Started() bool { return r.sim.started() }

// Capture hands the state to an encoder of the game's schema as that of a tick of the encoder's own, greater than any
// before, with what the Scopes hook says of it.
func (r *Replay) Capture(tick uint32, enc *netcode.Encoder) (err error) {
	defer r.caught(r.tick, &err)
	r.sim.capture(tick, enc)
	return nil
}

// Team is that of the player who has the seat now; 0 is none.
func (r *Replay) Team(seat netcode.Seat) uint16 {
	if int(seat) > r.game.rules.Seats {
		return 0
	}
	return r.sim.team(seat)
}

// Players are those who have a seat, by seat.
func (r *Replay) Players() []Player { return r.sim.players() }

// Works returns the work that the tick's rules began, of which a replay does nothing: its results are in later records.
// Valid until the next Step.
func (r *Replay) Works() []BegunWork { return r.fx.works }

// RefusedJoins returns the seats whose players the Join hook refused in the tick, and why.
func (r *Replay) RefusedJoins() map[netcode.Seat]string {
	m := map[netcode.Seat]string{}
	for _, j := range r.fx.refusedJoins {
		m[j.player.Seat] = j.reason
	}
	return m
}

// Kicked returns the seats that the tick's hooks kicked.
func (r *Replay) Kicked() (list []netcode.Seat) {
	for _, k := range r.fx.kicked {
		list = append(list, k.seat)
	}
	return list
}

// End runs the game's End hook, as a room does after the tick in which the match ended. What it emitted is in Emitted.
func (r *Replay) End() (err error) {
	defer r.caught(r.tick, &err)
	result, ended := r.fx.result, r.fx.ended
	r.fx.reset()
	r.sim.end(&r.fx)
	r.fx.result, r.fx.ended = result, ended
	return nil
}

// Checkpoint returns what Restore goes on from.
func (r *Replay) Checkpoint() (journal.Checkpoint, error) {
	w := proto.NewWriter()
	w.Array(6)
	w.Uint(checkpointVersion)
	if err := r.sim.appendCheckpoint(w); err != nil {
		return journal.Checkpoint{}, err
	}
	w.Bin(nil) // how rows are named on the wire
	w.Uint(0)  // since when it is empty, its doors and what waits at its seats are a running room's affair
	w.Bool(false)
	w.Array(0)
	return journal.Checkpoint{Tick: r.tick, Data: w.Bytes()}, nil
}

// Seal gives the record of the tick the sums that the state has after it, for whoever verifies it later.
func (r *Replay) Seal(rec *TickRecord) {
	r.sums = r.sim.sums(r.sums)
	seal(rec, r.sums)
}

// seal notes the sums of the columns after a record's tick.
func seal(rec *TickRecord, sums []uint64) {
	rec.Hash, rec.Sums = total(sums), rec.Sums[:0]
	for _, s := range sums {
		rec.Sums = append(rec.Sums, short(s))
	}
}

// Ended says whether the match ended in the tick, and with what result.
func (r *Replay) Ended() (result []Placement, ended bool) { return r.fx.result, r.fx.ended }

// total is a state's hash from the sums of its columns.
func total(sums []uint64) (hash uint64) {
	for _, s := range sums {
		hash += s
	}
	return hash
}

// short is what a record keeps of a column's sum: enough that another one is not met by chance in one tick after the
// other.
func short(sum uint64) uint16 { return uint16(sum ^ sum>>16 ^ sum>>32 ^ sum>>48) } //nolint:gosec // folded
