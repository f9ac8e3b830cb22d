package netcode

import (
	"iter"
	"math/rand/v2"
)

// Step is what a game's rules see while they advance the world by one tick: state, inputs, tick and a seeded source of
// randomness. The same type serves the server's truth, a client's prediction and a replay's proof.
type Step[S, In any] struct {
	// State is the world; the rules change it in place.
	State *S
	// Tick is the tick that the state has after this step.
	Tick uint32

	rate    int
	live    bool
	rng     *rand.Rand
	inputs  []stepInput[In]
	at      int // the input being iterated over, for Refuse
	emitted []Emission
	refused []Refusal
	past    *history[S] // nil: none is kept
	window  uint32      // how far back Rewind goes, in ticks; 0: as far as the history does, without one not at all
}

type stepInput[In any] struct {
	seat Seat
	seq  uint32
	view uint32
	frac uint8
	in   In
}

// Emission is an event and whom it is for.
type Emission struct {
	To    To
	Event any
}

// Refusal is a command that the rules refused.
type Refusal struct {
	Seat   Seat
	Seq    uint32
	Reason string
}

// Rate is ticks per second.
func (s *Step[S, In]) Rate() int { return s.rate }

// Dt is the length of a tick in seconds.
func (s *Step[S, In]) Dt() float64 { return 1 / float64(s.rate) }

// Live is false when a client runs a tick again that it predicted before: sounds and sparks must not come twice.
func (s *Step[S, In]) Live() bool { return s.live }

// Rand is a random source that depends on the room's seed alone. A client's is unrelated to the server's.
func (s *Step[S, In]) Rand() *rand.Rand { return s.rng }

// Inputs iterates over the tick's inputs in the order of seats, those of a seat in the order in which they were made.
// The input is valid until the step ends.
func (s *Step[S, In]) Inputs() iter.Seq2[Seat, *In] {
	return func(yield func(Seat, *In) bool) {
		for i := range s.inputs {
			s.at = i
			if !yield(s.inputs[i].seat, &s.inputs[i].in) {
				return
			}
		}
	}
}

// Input returns the newest input of a seat in this tick.
func (s *Step[S, In]) Input(seat Seat) (in *In, ok bool) {
	for i := len(s.inputs) - 1; i >= 0; i-- {
		if s.inputs[i].seat == seat {
			return &s.inputs[i].in, true
		}
	}
	return nil, false
}

// Emit sends a one-off event, a struct of one of the types that the game declares, of at most 8 KiB.
func (s *Step[S, In]) Emit(to To, event any) { s.emitted = append(s.emitted, Emission{to, event}) }

// Refuse tells a seat that the command of its which Inputs yielded last was refused, with a reason for people of at
// most 120 bytes.
func (s *Step[S, In]) Refuse(seat Seat, reason string) {
	if s.at < len(s.inputs) && s.inputs[s.at].seat == seat {
		s.refused = append(s.refused, Refusal{seat, s.inputs[s.at].seq, reason})
	}
}

// Rewind returns the state as a seat saw it when it made its input: the tables that are marked with rewind as they were
// at the tick that the seat looked at, between two ticks as an interpolating client shows them; the others as they are
// now. Of several inputs of the seat it is the one that Inputs yielded last, else the newest in this tick. A seat that
// looked at what is older than the window, or the history (a second), gets the oldest; where there is no input of the
// seat, no history, or the step runs in a client, the result is the present state itself.
//
// Rules read the result and change nothing in it. It is valid until the next Rewind and until the step ends; what the
// step does meanwhile to tables that are not rewound may show in it or not. Rows have the ids of the present, so that a
// hit on one is given to State's row of the same id, which is nil when that row is gone by now. Every value that is
// sent is on the wire's grid, as a client has it. What the seat did not see, a hidden row or a column for another row's
// owner, is there all the same.
func (s *Step[S, In]) Rewind(seat Seat) *S {
	if s.past == nil {
		return s.State
	}
	if in := s.inputOf(seat); in != nil {
		if saw := s.past.at(s.within(in.view, in.frac)); saw != nil {
			return saw
		}
	}
	return s.State
}

// Viewed returns the moment that Rewind(seat) shows: a tick and the fraction of the way to the next, in 1/256. It is
// never before the window or the history, and never after the newest state that a player can have seen, that of the tick
// before: this is what it returns where Rewind returns the present. In a client that knows the window
// ([PredictionConfig]) it is what it will be on the server, though Rewind returns the present there.
func (s *Step[S, In]) Viewed(seat Seat) (tick uint32, frac uint8) {
	newest := max(s.Tick, 1) - 1
	in := s.inputOf(seat)
	if in == nil || s.past == nil && s.window == 0 || s.past != nil && s.past.n == 0 {
		return newest, 0
	}
	tick, frac = s.within(in.view, in.frac)
	oldest := uint32(0)
	if s.past != nil {
		oldest = s.past.back(s.past.n - 1).tick
	}
	switch {
	case tick >= newest:
		return newest, 0
	case tick < oldest:
		return oldest, 0
	}
	return tick, frac
}

// RewindTo returns the state after a tick, for rules that follow something through the past: from Viewed on, say, to
// this tick, whose state is State. All that is said of Rewind's result holds for it, and each ends the other's. A tick
// before the history gets the oldest of it; without a history, and in a client, the result is the present.
func (s *Step[S, In]) RewindTo(tick uint32) *S {
	if s.past != nil && tick < s.Tick {
		if was := s.past.at(tick, 0); was != nil {
			return was
		}
	}
	return s.State
}

// within brings a view to the window before the newest state that a player can have seen, that of the tick before.
func (s *Step[S, In]) within(view uint32, frac uint8) (uint32, uint8) {
	if oldest := int64(s.Tick) - 1 - int64(s.window); s.window > 0 && int64(view) < oldest {
		return uint32(oldest), 0 //nolint:gosec // above view
	}
	return view, frac
}

// inputOf returns the input of a seat that Inputs yielded last, else its newest, or nil.
func (s *Step[S, In]) inputOf(seat Seat) *stepInput[In] {
	if s.at < len(s.inputs) && s.inputs[s.at].seat == seat {
		return &s.inputs[s.at]
	}
	for i := len(s.inputs) - 1; i >= 0; i-- {
		if s.inputs[i].seat == seat {
			return &s.inputs[i]
		}
	}
	return nil
}
