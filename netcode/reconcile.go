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
}

// PredictionStats count what a [Prediction] has done.
type PredictionStats struct {
	States       uint64 // states from the server
	Mispredicted uint64 // of them, those after which the present was another than had been predicted
	Replayed     uint64 // ticks that were run again
	Forgotten    uint64 // inputs that were forgotten before the server had used them
}

// Prediction runs a game's rules in a client ahead of the server's states. A state that comes takes the place of what
// was predicted, and the inputs that it does not contain are run again, up to the present. It uses an input in the tick
// in which the server will: as [InputBuffer] says, and a sample holds for [HoldTicks].
//
// What it shows differs from what it predicts by corrections that decay, so that nothing jumps. One goroutine uses it.
// In a steady state it does not allocate. Rows that the rules add are predicted under ids that the server need not
// choose.
type Prediction[S, In any] struct {
	sc     *Schema
	cfg    PredictionConfig
	step   func(*Step[S, In])
	driver *Driver[S, In]

	truth, predicted, was, shown []rows
	now, old, view               *S

	have      bool
	tick      uint32 // of predicted
	state     uint32 // of the truth
	processed uint32 // in it
	resumed   bool   // the next state comes after a time without a connection

	ring     [keptInputs]predictedInput[In]
	first, n int
	base     heldInput[In] // the sample that counts at the truth's tick
	at       heldInput[In] // at the predicted tick
	next     int           // which kept input was not used yet

	smooth smoothing
	stats  PredictionStats
}

type predictedInput[In any] struct {
	stepInput[In]
	tick uint32
}

type heldInput[In any] struct {
	in    stepInput[In]
	until uint32 // the last tick at which it counts
}

// NewPrediction returns a prediction from the states that the caller loads into truth ([Decoder.Load]), which it only
// reads. step is the game's Step.
func NewPrediction[S, In any](
	sc *Schema, truth *S, step func(*Step[S, In]), cfg PredictionConfig,
) (*Prediction[S, In], error) {
	if cfg.Rate < 1 {
		return nil, fmt.Errorf("predicting a state: PredictionConfig.Rate is %d, at least 1 wanted", cfg.Rate)
	}
	if cfg.Ahead <= 0 {
		cfg.Ahead = cfg.Rate
	}
	if !(cfg.HalfLife > 0) {
		cfg.HalfLife = 60
	}
	if !(cfg.Snap > 0) {
		cfg.Snap = math.Inf(1)
	}
	p := &Prediction[S, In]{sc: sc, cfg: cfg, step: step, now: new(S), old: new(S), view: new(S)}
	for _, t := range []struct {
		state *S
		rows  *[]rows
	}{{truth, &p.truth}, {p.now, &p.predicted}, {p.old, &p.was}, {p.view, &p.shown}} {
		var err error
		if *t.rows, err = tablesOf(sc, t.state); err != nil {
			return nil, fmt.Errorf("predicting a state: %w", err)
		}
	}
	p.driver = NewDriver[S, In](p.now, DriverConfig{Rate: cfg.Rate, Seed: cfg.Seed})
	p.smooth = newSmoothing(sc, cfg.HalfLife, cfg.Snap)
	return p, nil
}

// Tick returns the tick of State; 0 before the first Reconcile.
func (p *Prediction[S, In]) Tick() uint32 { return p.tick }

// State returns what is predicted. It is the same memory for the life of the Prediction; the caller only reads it.
func (p *Prediction[S, In]) State() *S { return p.now }

// Stats returns the counts so far.
func (p *Prediction[S, In]) Stats() PredictionStats { return p.stats }

// Input notes an input of the own seat that was sent for a tick; in is copied. Sequences rise: others are passed over.
// It is used by Advance, in its tick or, where that was predicted already, in the next one.
func (p *Prediction[S, In]) Input(seq, tick, view uint32, frac uint8, in *In) {
	if p.n > 0 && seq <= p.kept(p.n-1).seq {
		return
	}
	if p.n == keptInputs {
		if p.kept(0).seq > p.processed {
			p.stats.Forgotten++
		}
		p.first, p.n, p.next = (p.first+1)%keptInputs, p.n-1, max(0, p.next-1)
	}
	*p.kept(p.n) = predictedInput[In]{stepInput[In]{p.cfg.Seat, seq, view, frac, *in}, tick}
	p.n++
}

func (p *Prediction[S, In]) kept(i int) *predictedInput[In] { return &p.ring[(p.first+i)%keptInputs] }

// Advance predicts up to a tick, at most Ahead ticks from the newest state. It does nothing before the first state, and
// never goes back.
func (p *Prediction[S, In]) Advance(tick uint32) {
	if p.have {
		p.run(tick, true)
	}
}

// run runs the rules up to a tick.
func (p *Prediction[S, In]) run(tick uint32, live bool) {
	for p.tick < tick && p.tick-p.state < uint32(p.cfg.Ahead) { //nolint:gosec // positive
		p.tick++
		if !live {
			p.stats.Replayed++
		}
		p.driver.Begin(p.tick)
		p.inputs()
		p.driver.step.live = live
		p.driver.dice.Seed(p.cfg.Seed, uint64(p.tick)) // a tick that runs again draws the same
		p.driver.Run(p.step)
	}
}

// inputs gives the driver the inputs of the tick.
func (p *Prediction[S, In]) inputs() {
	for used := 0; p.next < p.n && used < commandsATick; used++ {
		in := p.kept(p.next)
		if in.tick > p.tick {
			break
		}
		p.next++
		if p.cfg.Mode == proto.Commands {
			p.give(&in.stepInput)
			continue
		}
		p.at = heldInput[In]{in.stepInput, p.tick + HoldTicks(p.cfg.Rate)}
		used = 0 // an older one for the same tick gives way
	}
	if p.cfg.Mode == proto.Samples && p.at.until >= p.tick {
		p.give(&p.at.in)
	}
}

func (p *Prediction[S, In]) give(in *stepInput[In]) {
	p.driver.Input(in.seat, in.seq, in.view, in.frac, &in.in)
}

// Reconcile takes up that the truth has the state of a tick, with the own inputs up to processed in it. It predicts the
// present anew from there, whatever that tick is: in a new epoch ticks and processed may have fallen.
func (p *Prediction[S, In]) Reconcile(tick, processed uint32) {
	p.stats.States++
	present := p.tick
	if p.have {
		p.sc.copyTables(p.was, p.predicted)
	}
	p.sc.copyTables(p.predicted, p.truth)
	p.rebase(tick, processed)
	p.tick = tick
	p.run(present, false)
	if !p.have {
		p.have = true
		return
	}
	if p.tick == present && !p.foreseen() {
		p.stats.Mispredicted++
	}
	p.smooth.correct(p.was, p.predicted)
}

// rebase works out which inputs the truth does not have, and which sample holds in it.
func (p *Prediction[S, In]) rebase(tick, processed uint32) {
	p.next = 0
	for p.next < p.n && p.kept(p.next).seq <= processed {
		p.next++
	}
	switch {
	case p.resumed: // a drop lets go of the controls
		p.base.until = 0
	case processed != p.processed:
		p.base.until = 0
		if p.next == 0 || p.kept(p.next-1).seq != processed {
			break
		}
		// It was used in its tick or, if it was late, in the first one since the state before: right, but where a state
		// was skipped as well, and then wrong for the end of the hold alone.
		in := p.kept(p.next - 1)
		used := min(tick, max(in.tick, p.state+1))
		p.base = heldInput[In]{in.stepInput, used + HoldTicks(p.cfg.Rate)}
	}
	p.resumed = false
	p.at = p.base
	p.state, p.processed = tick, processed
}

// Resume takes up that the connection was lost and is there again: the server has let go of the sample that it held.
func (p *Prediction[S, In]) Resume() { p.resumed = true }

// foreseen says whether what is predicted is what was. Rows of other seats do not count: nobody can know what their
// players do.
func (p *Prediction[S, In]) foreseen() bool {
	for i := range p.sc.Tables {
		t := &p.sc.Tables[i]
		for slot := range max(p.was[i].slots(), p.predicted[i].slots()) {
			if !p.sameRow(t, p.was[i], p.predicted[i], slot) {
				return false
			}
		}
	}
	return true
}

func (p *Prediction[S, In]) sameRow(t *TableInfo, was, now rows, slot int) bool {
	own := func(r rows) (ID, bool) {
		if slot >= r.slots() {
			return 0, false
		}
		id, at := r.at(slot)
		return id, id != 0 && (t.owner < 0 || Seat(t.Fields[t.owner].load(at)) == p.cfg.Seat) //nolint:gosec // a Seat
	}
	before, mineBefore := own(was)
	after, mine := own(now)
	if !mineBefore && !mine {
		return true
	}
	if mineBefore != mine || before != after {
		return false
	}
	_, a := was.at(slot)
	_, b := now.at(slot)
	for c := range t.Fields {
		if f := &t.Fields[c]; f.Sent() && !f.near(a, b) {
			return false
		}
	}
	return true
}

// Decay lets what is shown approach what is predicted, by the milliseconds that have passed.
func (p *Prediction[S, In]) Decay(ms float64) { p.smooth.decay(ms) }

// Shown returns what is predicted with corrections smoothed: what a player should see. It is the same memory each time,
// brought up to date by the call.
func (p *Prediction[S, In]) Shown() *S {
	p.sc.copyTables(p.shown, p.predicted)
	p.smooth.show(p.shown)
	return p.view
}
