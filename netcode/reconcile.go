package netcode

import (
	"fmt"
	"math"

	"muster/proto"
)

// keptInputs is how many of its own inputs a [Prediction] keeps; of more the oldest is forgotten.
const keptInputs = 128

// PredictionConfig configures a [Prediction]. The zero value of a field means its default.
type PredictionConfig struct {
	Rate int             // ticks per second; has no default
	Mode proto.InputMode // whether inputs are samples or commands, as the game's rules say
	Seat Seat            // whose inputs they are
	Seed uint64          // of the rules' random source, which is unrelated to the server's
	// Ahead bounds by how many ticks the prediction may be ahead of the newest state: so many ticks a state costs at
	// most, and the game stands still when the server is silent for longer. Default one second.
	Ahead int
	// HalfLife is the time in milliseconds in which half of a correction is made up for. Default 60.
	HalfLife float64
	// Snap is the largest correction, in a column's own unit, that is smoothed; a row that is off by more jumps.
	// Angles never jump alone. Default: no bound.
	Snap float64
	// Window is by how many ticks the server's row or event may be off the predicted one that it is taken for. Default a
	// fifth of a second.
	Window int
	// Rewind is how far back the server's rules look at what a player saw, in ticks: its [DriverConfig.Window]. With it
	// [Step.Viewed] says in a client what it will say there, where a table is marked with rewind. 0: it does not.
	Rewind int
	// Emitted is called for an event that the rules emit ahead of the server and that this seat is to hear, when the tick
	// has run: once, however often the tick runs. The event is a pointer to its struct, as [Schema.ReadEvent] returns it.
	Emitted func(event any, tick uint32)
	// Unconfirmed is called for an event that Emitted was called for and that the server did not send within the window.
	Unconfirmed func(event any, tick uint32)
}

func (cfg PredictionConfig) withDefaults() (PredictionConfig, error) {
	if cfg.Rate < 1 {
		return cfg, fmt.Errorf("PredictionConfig.Rate is %d, at least 1 wanted", cfg.Rate)
	}
	if cfg.Ahead <= 0 {
		cfg.Ahead = cfg.Rate
	}
	if cfg.Window <= 0 {
		cfg.Window = max(1, cfg.Rate/5)
	}
	if !(cfg.HalfLife > 0) {
		cfg.HalfLife = 60
	}
	if !(cfg.Snap > 0) {
		cfg.Snap = math.Inf(1)
	}
	if cfg.Emitted == nil {
		cfg.Emitted = func(any, uint32) {}
	}
	if cfg.Unconfirmed == nil {
		cfg.Unconfirmed = func(any, uint32) {}
	}
	return cfg, nil
}

// Prediction runs a game's rules in a client ahead of the server's states. A state that comes takes the place of what
// was predicted, and the inputs that it does not contain are run again, up to the present. It uses an input in the tick
// in which the server will: as [InputBuffer] says, and a sample holds for [HoldTicks]. What the server does not send of a
// row goes on as the rules made it, and so does the exact number of what it sends where both are the same on the wire's
// grid.
//
// What it shows is between two ticks, and differs from what it predicts by corrections that decay, so that nothing jumps.
// Rows that the rules add have provisional ids ([ID.Provisional]), which stay the same however often their tick runs,
// until the server's own row takes the place of one; one whose row does not come within the window goes again. One
// goroutine uses it. In a steady state it does not allocate.
type Prediction[S, In any] struct {
	sc     *Schema
	cfg    PredictionConfig
	step   func(*Step[S, In])
	driver *Driver[S, In]

	// The state of the server; the same at its tick with what only the rules know; the predicted one, and the one of the
	// tick before that; what was predicted before a state came; and what is shown.
	truth, base, before, predicted, was, shown []rows

	baseState, now, view *S

	into     *S     // the state that ShowIn was given last,
	intoRows []rows // and its tables

	have      bool    // a state since the start, or since Restart
	begun     bool    // a state at all
	tick      uint32  // of predicted
	time      float64 // what is shown, in ticks
	lived     uint32  // the newest tick that ran live
	state     uint32  // the tick of the truth
	processed uint32  // in it
	resumed   bool    // the next state comes after a time without a connection

	ring     [keptInputs]predictedInput[In]
	first, n int

	baseAt, beforeAt, at cursor[In]

	smooth   smoothing
	spawns   spawns
	foretold foretold
	stats    PredictionStats
	errors   errorRing
}

type predictedInput[In any] struct {
	stepInput[In]
	tick uint32
}

// cursor is which inputs were used by a tick: those up to a sequence; and the sample that counts, up to a tick.
type cursor[In any] struct {
	seq   uint32
	held  stepInput[In]
	until uint32
}

// NewPrediction returns a prediction from the states that the caller loads into truth ([Decoder.Load]), which it only
// reads. step is the game's Step.
func NewPrediction[S, In any](
	sc *Schema, truth *S, step func(*Step[S, In]), cfg PredictionConfig,
) (*Prediction[S, In], error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("predicting a state: %w", err)
	}
	p := &Prediction[S, In]{sc: sc, cfg: cfg, step: step, baseState: new(S), now: new(S), view: new(S)}
	for _, t := range []struct {
		state *S
		rows  *[]rows
	}{
		{truth, &p.truth}, {p.baseState, &p.base}, {new(S), &p.before}, {p.now, &p.predicted}, {new(S), &p.was}, {p.view, &p.shown},
	} {
		if *t.rows, err = tablesOf(sc, t.state); err != nil {
			return nil, fmt.Errorf("predicting a state: %w", err)
		}
	}
	driver := DriverConfig{Rate: cfg.Rate, Seed: cfg.Seed}
	if sc.rewinds() {
		driver.Window = cfg.Rewind
	}
	p.driver = NewDriver[S, In](p.now, driver)
	p.smooth = newSmoothing(sc, cfg.HalfLife, cfg.Snap)
	p.spawns = newSpawns(sc, cfg.Window)
	p.foretold = foretold{sc: sc, window: uint32(cfg.Window)} //nolint:gosec // positive
	for i := range sc.Tables {
		give := func() ID { return p.spawns.give(i, p.driver.step.Tick) }
		p.base[i].predict(give)
		p.predicted[i].predict(give)
	}
	return p, nil
}

// Tick returns the tick of State; 0 before the first Reconcile.
func (p *Prediction[S, In]) Tick() uint32 { return p.tick }

// State returns what is predicted. It is the same memory for the life of the Prediction; the caller only reads it.
func (p *Prediction[S, In]) State() *S { return p.now }

// Input notes an input of the own seat that was sent for a tick; in is copied. Sequences rise: others are passed over.
// It is used in its tick or, where that is over, in the newest: if that was predicted already, it is run again, so that
// what is drawn next has the input.
func (p *Prediction[S, In]) Input(seq, tick, view uint32, frac uint8, in *In) {
	if p.n > 0 && seq <= p.kept(p.n-1).seq {
		return
	}
	if p.n == keptInputs {
		if p.kept(0).seq > p.processed {
			p.stats.Forgotten++
		}
		p.first, p.n = (p.first+1)%keptInputs, p.n-1
	}
	*p.kept(p.n) = predictedInput[In]{stepInput[In]{p.cfg.Seat, seq, view, frac, *in}, tick}
	p.n++
	if !p.have || tick > p.tick || p.tick <= p.state {
		return
	}
	p.smooth.hold(p.before, p.predicted, p.left())
	p.spawns.adopted = p.spawns.adopted[:0]
	p.again()
	p.run(p.tick+1, running{most: math.MaxUint32, tell: true})
	p.smooth.correct(p.before, p.predicted, p.left(), &p.spawns)
	p.settle()
}

func (p *Prediction[S, In]) kept(i int) *predictedInput[In] { return &p.ring[(p.first+i)%keptInputs] }

// Advance predicts up to a time in ticks, at most Ahead of them from the newest state, and shows it: the tick that the
// time is within is run, and run again when an input for it comes. It does nothing before the first state. A time before
// the last one's tick does not take anything back.
func (p *Prediction[S, In]) Advance(time float64) {
	if !p.have || !(time >= 0) {
		return
	}
	p.time = time
	if p.tick > p.lived && float64(p.tick) <= time && p.tick > p.state {
		p.again() // it is over
	}
	p.run(uint32(min(math.Ceil(time), math.MaxUint32)), running{most: math.MaxUint32, tell: true, time: time})
	p.settle()
}

// left is which part of the newest tick the shown time is before its end.
func (p *Prediction[S, In]) left() float64 { return max(0, min(1, float64(p.tick)-p.time)) }

// running is how ticks are run.
type running struct {
	most uint32  // the sequence up to which inputs are used
	time float64 // up to which ticks are over
	tell bool    // whether events are told: not while a state is made up for
}

// run runs the rules up to a tick, the last so that it can be taken back.
func (p *Prediction[S, In]) run(to uint32, how running) {
	to = min(to, p.state+uint32(p.cfg.Ahead)) //nolint:gosec // positive
	for p.tick < to {
		if p.tick++; p.tick == to {
			p.sc.copyTables(p.before, p.predicted)
			p.beforeAt = p.at
		}
		p.one(p.now, p.tick, &p.at, how)
	}
}

// again takes the newest tick back.
func (p *Prediction[S, In]) again() {
	p.spawns.unclaim(p.tick)
	p.tick--
	p.sc.copyTables(p.predicted, p.before)
	p.at = p.beforeAt
}

// one runs a tick on a state.
func (p *Prediction[S, In]) one(state *S, tick uint32, at *cursor[In], how running) {
	s := &p.driver.step
	s.State, s.live = state, false
	if !how.tell {
		p.stats.Replayed++
	} else if tick > p.lived && float64(tick) <= how.time {
		p.lived, s.live = tick, true
	}
	p.driver.Begin(tick)
	p.inputs(tick, at, how.most)
	p.driver.dice.Seed(p.cfg.Seed, uint64(tick)) // a tick that runs again draws the same
	p.driver.Run(p.step)
	if how.tell {
		p.foretold.emitted(p.driver.Emitted(), p.cfg.Seat, tick)
	}
}

// inputs gives the driver the inputs of a tick, up to a sequence.
func (p *Prediction[S, In]) inputs(tick uint32, at *cursor[In], most uint32) {
	used := 0
	for i := range p.n {
		in := p.kept(i)
		if in.seq <= at.seq {
			continue
		}
		if in.tick > tick || in.seq > most || used == commandsATick {
			break
		}
		at.seq = in.seq
		if p.cfg.Mode == proto.Commands {
			p.give(&in.stepInput)
			used++
			continue
		}
		at.held, at.until = in.stepInput, tick+HoldTicks(p.cfg.Rate) // an older one for the same tick gives way
	}
	if p.cfg.Mode == proto.Samples && at.until >= tick {
		p.give(&at.held)
	}
}

func (p *Prediction[S, In]) give(in *stepInput[In]) {
	p.driver.Input(in.seat, in.seq, in.view, in.frac, &in.in)
}

// settle ends what runs ticks: rows that the rules add no more are gone, and events are told.
func (p *Prediction[S, In]) settle() {
	p.stats.Withdrawn += p.spawns.settle()
	p.foretold.tell(p.cfg.Emitted)
}

// Reconcile takes up that the truth has the state of a tick, with the own inputs up to processed in it. It predicts the
// present anew from there, whatever that tick is. In a new epoch ticks and processed may have fallen: see Restart.
func (p *Prediction[S, In]) Reconcile(tick, processed uint32) {
	p.stats.States++
	present := p.tick
	if !p.have {
		present = 0
		for i := range p.n {
			if in := p.kept(i); p.begun {
				in.tick = min(in.tick, tick)
			}
		}
	}
	p.sc.copyTables(p.was, p.predicted)
	p.smooth.hold(p.before, p.predicted, p.left())
	next := p.rebase(tick, processed)
	if !p.have || p.resumed || tick < p.state || tick-p.state > uint32(p.cfg.Ahead) { //nolint:gosec // positive
		p.forget() // nothing goes on from there
		p.state = tick
	}
	p.resumed = false
	p.spawns.restart(p.state)
	for p.state < tick {
		p.state++
		p.one(p.baseState, p.state, &p.baseAt, running{most: processed})
	}
	p.adopt()
	p.processed, p.baseAt, p.at = processed, next, next
	p.tick = tick
	p.sc.copyTables(p.predicted, p.base)
	p.sc.copyTables(p.before, p.base)
	p.run(present, running{most: math.MaxUint32})
	p.settle()
	p.lived = min(max(p.lived, tick), p.tick)
	had := p.have
	if p.have = true; !p.begun {
		p.begun = true
		return
	}
	if had && p.tick == present {
		p.measure()
	}
	p.smooth.correct(p.before, p.predicted, p.left(), &p.spawns)
	p.stats.Unconfirmed += p.foretold.expire(p.state, p.cfg.Unconfirmed)
}

// forget empties the base.
func (p *Prediction[S, In]) forget() {
	for i, t := range p.base {
		for slot := range t.slots() {
			if t.mirror(slot, 0); t.single() {
				_, at := t.at(0)
				for c := range p.sc.Tables[i].Fields {
					p.sc.Tables[i].Fields[c].clear(at)
				}
			}
		}
	}
	p.spawns.forget()
}

// rebase works out which inputs a state does not have, and which sample holds in it.
func (p *Prediction[S, In]) rebase(tick, processed uint32) cursor[In] {
	next := cursor[In]{seq: processed}
	switch {
	case p.resumed: // a drop lets go of the controls
	case processed == p.processed:
		next.held, next.until = p.baseAt.held, p.baseAt.until
	default:
		// It was used in its tick or, if it was late, in the first one since the state before: right, but where a state
		// was skipped as well, and then wrong for the end of the hold alone.
		for i := range p.n {
			if in := p.kept(i); in.seq == processed {
				next.held, next.until = in.stepInput, min(tick, max(in.tick, p.state+1))+HoldTicks(p.cfg.Rate)
			}
		}
	}
	return next
}

// Confirm takes up an event that the server sent, of a tick: true where it was predicted, and told. The caller asks before
// it reconciles with the state of that tick.
func (p *Prediction[S, In]) Confirm(event any, tick uint32) bool {
	if !p.foretold.confirm(event, tick) {
		return false
	}
	p.stats.Confirmed++
	return true
}

// Resume takes up that the connection was lost and is there again: the server has let go of the sample that it held.
func (p *Prediction[S, In]) Resume() { p.resumed = true }

// Restart takes up that ticks count anew from the next state on: another host has the room. Inputs that it does not contain
// are then for its tick at the latest, as they are where they are sent again; what was told and counted stays.
func (p *Prediction[S, In]) Restart() { p.resumed, p.have, p.lived = true, false, 0 }

// Decay lets what is shown approach what is predicted, by the milliseconds that have passed.
func (p *Prediction[S, In]) Decay(ms float64) { p.smooth.decay(ms) }

// Shown returns what a player should see: floats and angles as they are at the time of the last Advance, between two
// ticks, with corrections smoothed; all else as it is in the newest tick. It is the same memory each time, brought up to
// date by the call.
func (p *Prediction[S, In]) Shown() *S {
	p.sc.copyTables(p.shown, p.predicted)
	p.smooth.show(p.shown, p.before, p.left())
	return p.view
}
