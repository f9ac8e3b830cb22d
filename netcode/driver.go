package netcode

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// DriverConfig configures a [Driver].
type DriverConfig struct {
	Rate int    // ticks per second
	Seed uint64 // of the rules' random source
	// Replaying says that the driver runs ticks again whose effects were seen already.
	Replaying bool
	// Schema is that of the state. With it the past of the tables that are marked with rewind is kept, for
	// [Step.Rewind], and the driver writes checkpoints; a predicting client leaves it nil. A schema of another state
	// panics.
	Schema *Schema
	// Window is how far back Step.Rewind goes, in ticks before the newest that a player can have seen: whoever looked at
	// an older one gets the oldest of the window, so that a slow line is no advantage without end. 0: as far as the
	// history goes.
	Window int
	// History is how many ticks are kept, 2 to 128; other values are brought to these bounds. Default: the window's, or
	// a second's where there is none. Each costs the memory of the rewound rows.
	History int
}

// Driver runs a game's Step: on the server, in a predicting client, in a replay. One goroutine uses it. In a steady
// state it does not allocate.
type Driver[S, In any] struct {
	step   Step[S, In]
	dice   *rand.PCG // what the step's random source draws from
	schema *Schema   // nil in a predicting client
	tables []rows    // of the state
}

// NewDriver returns a driver for the state, which the caller keeps.
func NewDriver[S, In any](state *S, cfg DriverConfig) *Driver[S, In] {
	dice := rand.NewPCG(cfg.Seed, 0x6d7573746572)
	d := &Driver[S, In]{dice: dice, step: Step[S, In]{
		State: state, rate: cfg.Rate, live: !cfg.Replaying,
		window: uint32(max(0, cfg.Window)), //nolint:gosec // not negative
		rng:    rand.New(dice),             //nolint:gosec // a game's dice, the same in a replay
	}}
	if cfg.Schema == nil {
		return d
	}
	d.schema, d.tables = cfg.Schema, mustTables(cfg.Schema, state)
	if d.step.past = newHistory[S](d.schema, d.tables, cfg.ticks()); d.step.past == nil {
		d.step.window = 0 // nothing is rewound, so Viewed must not say that it is
	}
	return d
}

// ticks is how many ticks the history has.
func (cfg *DriverConfig) ticks() int {
	switch {
	case cfg.History != 0:
		return cfg.History
	case cfg.Window > 0:
		return min(cfg.Window, maxHistory) + 2 // both of its ends, and the tick at hand once it is captured
	default:
		return cfg.Rate + 1 // the states at both ends of a second
	}
}

// Begin starts a tick without inputs.
func (d *Driver[S, In]) Begin(tick uint32) {
	s := &d.step
	s.Tick = tick
	s.inputs = s.inputs[:0]
	clear(s.emitted)
	s.emitted, s.refused = s.emitted[:0], s.refused[:0]
}

// Input adds an input for the tick; in is copied.
func (d *Driver[S, In]) Input(seat Seat, seq, view uint32, frac uint8, in *In) {
	d.step.inputs = append(d.step.inputs, stepInput[In]{seat, seq, view, frac, *in})
}

// Run calls the rules.
func (d *Driver[S, In]) Run(step func(*Step[S, In])) {
	s := &d.step
	slices.SortStableFunc(s.inputs, func(a, b stepInput[In]) int {
		return cmp.Or(cmp.Compare(a.seat, b.seat), cmp.Compare(a.seq, b.seq))
	})
	s.at = len(s.inputs)
	step(s)
}

// Capture notes the state as that of the tick, for the Rewind of later ones. The caller does so once a tick, when
// nothing changes the state any more: what it is then is what clients are sent.
func (d *Driver[S, In]) Capture() {
	if d.step.past != nil {
		d.step.past.capture(d.step.Tick)
	}
}

// Emitted returns the events of the tick, valid until the next Begin.
func (d *Driver[S, In]) Emitted() []Emission { return d.step.emitted }

// Refused returns the commands that the tick refused, valid until the next Begin.
func (d *Driver[S, In]) Refused() []Refusal { return d.step.refused }
