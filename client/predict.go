package client

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"muster/netcode"
	"muster/proto"
)

// Rules are a game's rules as far as a client runs them: its Step.
type Rules[S, In any] interface {
	Step(s *netcode.Step[S, In])
}

// PredictOptions say how a [Predicted] predicts. The zero value of a field means its default.
type PredictOptions struct {
	// Tables are those whose own rows, and rows added ahead, View shows from the prediction. Default all.
	Tables []string
	// Events are the zero values of the events that are told as soon as the rules emit them, and not again when the
	// server's come. Default none: all are told when the server says so. Take those that follow from the own inputs, as a
	// shot does; a hit is the server's to say.
	Events []any
	// Ahead bounds by how many ticks the prediction may be ahead of the newest state. Default two seconds': on a line that
	// stalls for one the own ship flies on.
	Ahead int
	// HalfLife is the time in which half of a correction is made up for. Default 60 ms.
	HalfLife time.Duration
	// Snap is the largest correction, in a column's own unit, that is smoothed: a row that is off by more jumps. Default:
	// no bound.
	Snap float64
	// Rewind is how far back the server's rules look at what a player saw: its Rules.Rewind, and by default that one's
	// default of 250 ms; negative: not at all. It makes what the rules do about lag, such as that a shot flies the time by
	// which its shooter saw the world late, the same in the prediction.
	Rewind time.Duration
	// Seed is that of the rules' random source, which is unrelated to the server's.
	Seed uint64
}

// Predicted is a match's prediction. It belongs to the goroutine that uses the [Conn], which keeps it going: [Conn.Send]
// gives it the inputs, Next and Poll the server's states, and [Conn.View] shows it. A resume or another epoch begins it
// anew from the next state; what was told ahead and counted stays.
type Predicted[S, In any] struct {
	c      *Conn[S, In]
	step   func(*netcode.Step[S, In])
	opts   PredictOptions
	only   []bool         // by table: shown from the prediction; nil all
	events []reflect.Type // that are told ahead
	sought handlers       // of events that did not come true
	now    *netcode.Prediction[S, In]
	// Events that were told ahead, and of which the server's came, or did not.
	confirmed, missed uint64

	time  float64 // that is shown, in ticks; never falls within an epoch
	shown time.Time
}

const (
	aheadSeconds  = 2                      // the default of PredictOptions.Ahead
	rewindDefault = 250 * time.Millisecond // that of Rules.Rewind
)

// Predict runs the game's rules ahead of the server from the next state on, so that own rows answer inputs at once: what
// is sent shows in the next View. There is one prediction for a Conn, and none for who only watches.
//
//	ahead, err := client.Predict(conn, arena.Arena{}, client.PredictOptions{})
//
// The rules see what this seat sees and its inputs alone. What is not sent of a row goes on as the rules made it.
func Predict[S, In any](c *Conn[S, In], rules Rules[S, In], o PredictOptions) (*Predicted[S, In], error) {
	p := &Predicted[S, In]{c: c, step: rules.Step, opts: o, sought: handlers{}}
	if c.info.Seat == 0 {
		return nil, fmt.Errorf("predicting match %s: %w", c.match.Room, ErrWatching)
	}
	for _, name := range o.Tables {
		i := slices.IndexFunc(c.schema.Tables, func(t netcode.TableInfo) bool { return t.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("predicting match %s: PredictOptions.Tables: there is no table %q", c.match.Room, name)
		}
		if p.only == nil {
			p.only = make([]bool, len(c.schema.Tables))
		}
		p.only[i] = true
	}
	for _, e := range o.Events {
		if err := c.schema.WriteEvent(proto.NewWriter(), e); err != nil {
			return nil, fmt.Errorf("predicting match %s: PredictOptions.Events: %w", c.match.Room, err)
		}
		p.events = append(p.events, reflect.PointerTo(reflect.TypeOf(e)))
	}
	if p.opts.Ahead <= 0 {
		p.opts.Ahead = aheadSeconds * c.info.Rate
	}
	if p.opts.Rewind == 0 {
		p.opts.Rewind = rewindDefault
	}
	if err := p.begin(); err != nil {
		return nil, fmt.Errorf("predicting match %s: %w", c.match.Room, err)
	}
	if c.have {
		p.now.Reconcile(c.frame.Tick, c.frame.Processed)
	}
	c.predicted = p
	return p, nil
}

// begin starts over with the inputs that no frame has contained.
func (p *Predicted[S, In]) begin() error {
	c := p.c
	now, err := netcode.NewPrediction(c.schema, &c.state, p.step, netcode.PredictionConfig{
		Rate: c.info.Rate, Mode: c.info.Inputs, Seat: c.info.Seat, Seed: p.opts.Seed, Ahead: p.opts.Ahead, Rewind: p.rewind(),
		HalfLife: float64(p.opts.HalfLife) / float64(time.Millisecond), Snap: p.opts.Snap,
		Emitted: p.emitted, Unconfirmed: p.unconfirmed,
	})
	if err != nil {
		return err //nolint:wrapcheck // Predict says of what
	}
	p.now = now
	for i := c.out.open(); i < c.out.n; i++ {
		var body In
		in := c.out.at(i)
		if c.schema.ReadInput(in.Body, &body) == nil { // Send wrote it
			now.Input(in.Seq, in.Tick, in.View, in.Frac, &body)
		}
	}
	return nil
}

// rewind is PredictOptions.Rewind in ticks, as the server reckons it.
func (p *Predicted[S, In]) rewind() int {
	if p.opts.Rewind < 0 {
		return 0
	}
	return max(1, int(int64(p.opts.Rewind)*int64(p.c.info.Rate)/int64(time.Second)))
}

// State returns what is predicted for the tick that Tick returns, without smoothing. It is the same memory for good; the
// caller only reads it. [Conn.View] returns what to draw.
func (p *Predicted[S, In]) State() *S { return p.now.State() }

// Tick returns the tick up to which the rules ran; 0 before the first state.
func (p *Predicted[S, In]) Tick() uint32 { return p.now.Tick() }

// Stats returns the counts so far, over all epochs; of events those alone count that are told ahead.
func (p *Predicted[S, In]) Stats() netcode.PredictionStats {
	s := p.now.Stats()
	s.Confirmed, s.Unconfirmed = p.confirmed, p.missed
	return s
}

// ErrorAt returns the error that a part of the newest 256 states had at most, 0.99 for all but the worst: by how much a
// state moved the own row that was off most, before smoothing, in the columns' unit.
func (p *Predicted[S, In]) ErrorAt(part float64) float64 { return p.now.ErrorAt(part) }

// OnUnconfirmed has f called for each event of type E that was told ahead, see [PredictOptions], and that the server did
// not send. off ends that.
func OnUnconfirmed[E, S, In any](p *Predicted[S, In], f func(value *E, e Event)) (off func()) {
	return p.sought.add(reflect.TypeFor[*E](), &handler{func(value any, e Event) {
		f(value.(*E), e) //nolint:forcetypeassert // it is found by this type
	}})
}

func (p *Predicted[S, In]) emitted(event any, tick uint32) {
	if slices.Contains(p.events, reflect.TypeOf(event)) {
		p.c.tell(Event{Tick: tick, Value: event, Predicted: true})
	}
}

func (p *Predicted[S, In]) unconfirmed(event any, tick uint32) {
	if slices.Contains(p.events, reflect.TypeOf(event)) {
		p.missed++
		for _, h := range p.sought[reflect.TypeOf(event)] {
			h.call(event, Event{Tick: tick, Value: event, Predicted: true})
		}
	}
}

// tells says whether any event is told ahead.
func (p *Predicted[S, In]) tells() bool { return p != nil && len(p.events) > 0 }

// told says whether an event of the server's was told ahead.
func (p *Predicted[S, In]) told(event any, tick uint32) bool {
	if !p.tells() || !slices.Contains(p.events, reflect.TypeOf(event)) || !p.now.Confirm(event, tick) {
		return false
	}
	p.confirmed++
	return true
}

// input takes an input that was sent, and has it run at once: what is shown follows an estimate slowly, and where it is
// behind, the input is not to wait for it. It counts in the tick that is shown, and is put right by the server's state if
// it came later there.
func (p *Predicted[S, In]) input(in *In, seq, tick, view uint32, frac uint8, now time.Time) {
	if p == nil {
		return
	}
	p.follow(now)
	p.now.Input(seq, min(tick, uint32(math.Ceil(p.time))), view, frac, in)
	p.now.Advance(p.time)
}

// follow lets the shown time come up to now.
func (p *Predicted[S, In]) follow(now time.Time) {
	if passed := now.Sub(p.shown); passed > 0 {
		if !p.shown.IsZero() {
			p.now.Decay(float64(passed) / float64(time.Millisecond))
		}
		p.shown = now
	}
	p.time = max(p.time, p.c.clock.InputTick(p.c.ms(now)))
}

// view puts what is predicted into what is shown.
func (p *Predicted[S, In]) view(state *S, now time.Time) {
	if p != nil {
		p.follow(now)
		p.now.Advance(p.time)
		p.now.ShowIn(state, p.only)
	}
}

// resume notes that what comes does not follow what was: the server has let go of the controls.
func (p *Predicted[S, In]) resume() {
	if p != nil {
		p.now.Resume()
	}
}

// restart notes that ticks count anew from the next state on.
func (p *Predicted[S, In]) restart() {
	if p != nil {
		p.now.Restart()
		p.time = 0
	}
}

// state takes the server's newest.
func (p *Predicted[S, In]) state(f *Frame) {
	if p != nil {
		p.now.Reconcile(f.Tick, f.Processed)
	}
}
