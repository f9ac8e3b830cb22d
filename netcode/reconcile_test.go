package netcode

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/proto"
)

// walker is a game in integers: an input turns its seat's row or makes it step, between two walls.
type walker struct {
	X     int32
	Way   int8
	Sum   uint32  // of everything that was ever done to it, in order
	Shown float64 `net:"range=-1000:1000,step=0.5"` // X, for smoothing
	Owner Seat
}

type walkerWorld struct {
	Walkers Table[walker] `net:"max=8"`
	Tick    Value[struct{ N uint32 }]
}

type walkerInput struct {
	Seq  uint32 // its own, to see what is run
	Step int8
}

const walkerRate = 10

func walk(s *Step[walkerWorld, walkerInput]) {
	s.State.Tick.V.N++
	for seat, in := range s.Inputs() {
		for _, w := range s.State.Walkers.All() {
			if w.Owner == seat {
				w.Way = in.Step
				w.Sum = w.Sum*31 + in.Seq + 1
			}
		}
	}
	for _, w := range s.State.Walkers.All() {
		w.X = max(-100, min(100, w.X+int32(w.Way)))
		w.Sum = w.Sum*17 + uint32(w.X)
		w.Shown = float64(w.X)
	}
}

func walkerSchema(t testing.TB) *Schema {
	t.Helper()
	sc, err := Compile[walkerWorld, walkerInput]()
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// authority is a server of one seat: its rules run on what an InputBuffer gives it, as a room's do.
type authority struct {
	mode   proto.InputMode
	world  walkerWorld
	driver *Driver[walkerWorld, walkerInput]
	buffer *InputBuffer
	inputs map[uint32]walkerInput
	held   walkerInput
	until  uint32
	tick   uint32
	past   []walkerWorld // by tick
}

func newAuthority(mode proto.InputMode) *authority {
	a := &authority{mode: mode, buffer: NewInputBuffer(mode, walkerRate, 16), inputs: map[uint32]walkerInput{}}
	a.driver = NewDriver[walkerWorld, walkerInput](&a.world, DriverConfig{Rate: walkerRate})
	a.world.Walkers.Add(walker{Owner: 1})
	a.past = make([]walkerWorld, 1)
	return a
}

func (a *authority) step(t *rapid.T, sc *Schema) {
	a.tick++
	a.driver.Begin(a.tick)
	for _, in := range a.buffer.Take(a.tick) {
		body := a.inputs[in.Seq]
		if a.mode == proto.Commands {
			a.driver.Input(1, in.Seq, 0, 0, &body)
		}
		a.held, a.until = body, a.tick+HoldTicks(walkerRate)
	}
	if a.mode == proto.Samples && a.until >= a.tick {
		a.driver.Input(1, 0, 0, 0, &a.held)
	}
	a.driver.Run(walk)
	a.past = append(a.past, walkerWorld{})
	if err := sc.Copy(&a.past[a.tick], &a.world); err != nil {
		t.Fatal(err)
	}
}

type walkerFrame struct{ tick, processed uint32 }

// match is an authority and a client that predicts, and what is on the way between them. One unit of time is a tick.
type predictedMatch struct {
	sc   *Schema
	srv  *authority
	pred *Prediction[walkerWorld, walkerInput]
	seen *walkerWorld // what the client has loaded

	frames  clockWay[walkerFrame]
	packets clockWay[[]proto.Input]
	unacked []proto.Input
	now     float64
	seq     uint32
	late    int
	ran     []uint32 // the sequences that the newest replay ran
}

func newPredictedMatch(t *rapid.T, sc *Schema, mode proto.InputMode, down, up func() float64) *predictedMatch {
	m := &predictedMatch{
		sc: sc, srv: newAuthority(mode), seen: &walkerWorld{},
		frames: clockWay[walkerFrame]{delay: down}, packets: clockWay[[]proto.Input]{delay: up},
	}
	step := func(s *Step[walkerWorld, walkerInput]) {
		for _, in := range s.Inputs() {
			if !s.Live() && s.Tick > m.pred.state { // not up to the state, for what the server does not send
				m.ran = append(m.ran, in.Seq)
			}
		}
		walk(s)
	}
	var err error
	if m.pred, err = NewPrediction(sc, m.seen, step, PredictionConfig{Rate: walkerRate, Mode: mode, Seat: 1, Ahead: 60}); err != nil {
		t.Fatal(err)
	}
	return m
}

// serve lets what arrived by now reach the server, which runs a tick and sends its state.
func (m *predictedMatch) serve(t *rapid.T) {
	m.now++
	m.packets.receive(m.now, func(_ float64, list []proto.Input) {
		for i := range list {
			if m.srv.buffer.Push(&list[i], m.srv.tick+1) && list[i].Tick <= m.srv.tick {
				m.late++
			}
		}
	})
	m.srv.step(t, m.sc)
	m.frames.send(m.now, walkerFrame{m.srv.tick, m.srv.buffer.Processed()})
}

// receive takes up the states that have arrived by now; skip says which are lost.
func (m *predictedMatch) receive(t *rapid.T, skip func() bool, check func(walkerFrame)) {
	m.frames.receive(m.now, func(_ float64, f walkerFrame) {
		if skip() {
			return
		}
		if err := m.sc.Copy(m.seen, &m.srv.past[f.tick]); err != nil {
			t.Fatal(err)
		}
		m.ran = m.ran[:0]
		m.pred.Reconcile(f.tick, f.processed)
		m.unacked = slices.DeleteFunc(m.unacked, func(in proto.Input) bool { return in.Seq <= f.processed })
		check(f)
	})
}

// play makes an input for a tick and predicts up to it.
func (m *predictedMatch) play(tick uint32, step int8, lost bool) {
	m.seq++
	in := walkerInput{m.seq, step}
	m.srv.inputs[m.seq] = in
	m.unacked = append(m.unacked, proto.Input{Seq: m.seq, Tick: tick})
	m.pred.Input(m.seq, tick, 0, 0, &in)
	m.send(lost)
}

func (m *predictedMatch) send(lost bool) {
	if !lost {
		m.packets.send(m.now, slices.Clone(m.unacked))
	}
}

// same compares what is predicted with what the server has had at that tick.
func (m *predictedMatch) same(t *rapid.T, what string) {
	tick := m.pred.Tick()
	if tick > m.srv.tick {
		return
	}
	if got, want := everything(m.sc, m.pred.State()), everything(m.sc, &m.srv.past[tick]); got != want {
		t.Fatalf("%s at tick %d: predicted%s\nthe server had%s", what, tick, got, want)
	}
}

func ticksUpTo(t *rapid.T, most float64, what string) func() float64 {
	next := jitters(t, what, 0, most)
	return func() float64 { return math.Floor(next()) }
}

func never() bool { return false }

func TestPredictionIsWhatTheServerThenHasWhenInputsComeInTime(t *testing.T) {
	sc := walkerSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		mode := rapid.SampledFrom([]proto.InputMode{proto.Samples, proto.Commands}).Draw(t, "mode")
		up, down := float64(rapid.IntRange(0, 4).Draw(t, "up")), float64(rapid.IntRange(0, 6).Draw(t, "down"))
		lost := rapid.IntRange(0, 3).Draw(t, "packets lost in a row")
		m := newPredictedMatch(t, sc, mode, ticksUpTo(t, down, "ways down"), ticksUpTo(t, up, "ways up"))
		lead := uint32(up) + uint32(lost) + 2
		first := map[uint32]string{} // by tick, what was predicted of it when it was run first
		row, skipped := 0, ticksUpTo(t, 2, "states lost")
		for range 80 {
			m.serve(t)
			m.receive(t, func() bool { return skipped() >= 1 }, func(walkerFrame) {})
			if m.pred.Tick() == 0 {
				continue
			}
			if row = (row + 1) % (lost + 1); rapid.IntRange(0, 3).Draw(t, "makes an input") > 0 {
				m.play(m.srv.tick+lead, int8(rapid.IntRange(-3, 3).Draw(t, "step")), row != 0)
			} else {
				m.send(row != 0)
			}
			m.pred.Advance(float64(m.srv.tick + lead))
			first[m.pred.Tick()] = everything(sc, m.pred.State())
		}
		if m.late > 0 {
			t.Fatalf("%d inputs were late, which the test does not want", m.late)
		}
		checked := 0
		for tick, got := range first {
			if tick <= m.srv.tick {
				if checked++; got != everything(sc, &m.srv.past[tick]) {
					t.Fatalf("tick %d was predicted as%s\nand was%s", tick, got, everything(sc, &m.srv.past[tick]))
				}
			}
		}
		if st := m.pred.Stats(); checked < 40 || st.Mispredicted > 0 || st.Forgotten > 0 || st.States < 20 {
			t.Fatalf("%d ticks compared, %+v", checked, st)
		}
	})
}

func TestPredictionComesBackToTheServersWhateverTheWaysDo(t *testing.T) {
	sc := walkerSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		mode := rapid.SampledFrom([]proto.InputMode{proto.Samples, proto.Commands}).Draw(t, "mode")
		m := newPredictedMatch(t, sc, mode,
			ticksUpTo(t, rapid.Float64Range(0, 6).Draw(t, "down"), "ways down"),
			ticksUpTo(t, rapid.Float64Range(0, 6).Draw(t, "up"), "ways up"))
		lead := uint32(rapid.IntRange(0, 5).Draw(t, "lead"))
		// How long a sample still holds that was used while no state came is not known for sure.
		guessed := uint32(0)
		check := func(f walkerFrame) {
			for _, seq := range m.ran {
				// A sample that the state contains may still hold; a command never comes twice.
				if seq < f.processed || seq == f.processed && mode == proto.Commands {
					t.Fatalf("after a state with the inputs up to %d, %d was run again", f.processed, seq)
				}
			}
			if len(m.unacked) == 0 && (mode == proto.Commands || f.tick > guessed) {
				m.same(t, "with all inputs processed")
			}
		}
		for range rapid.IntRange(1, 3).Draw(t, "sockets") {
			for range rapid.IntRange(1, 40).Draw(t, "ticks") {
				m.serve(t)
				m.receive(t, never, check)
				if m.pred.Tick() > 0 && rapid.Bool().Draw(t, "makes an input") {
					m.play(m.srv.tick+lead, int8(rapid.IntRange(-3, 3).Draw(t, "step")), rapid.IntRange(0, 3).Draw(t, "lost") == 0)
				}
				m.pred.Advance(float64(m.srv.tick + lead))
			}
			// The socket is lost with all that is on the way, and the server lets go of the controls. A room goes on.
			m.frames.queue, m.packets.queue = nil, nil
			m.srv.until = 0
			for range rapid.IntRange(1, 10).Draw(t, "ticks without a socket") {
				m.serve(t)
				m.frames.queue = nil
				m.pred.Advance(float64(m.srv.tick + lead))
			}
			m.pred.Resume()
			m.send(false)
			guessed = m.srv.tick + 2*walkerRate
		}
		for range 40 { // nothing new: what is on the way arrives
			m.serve(t)
			m.receive(t, never, check)
			m.send(false)
			m.pred.Advance(float64(m.srv.tick))
		}
		if len(m.unacked) > 0 || m.pred.Tick() < m.srv.tick {
			t.Fatalf("%d inputs are not processed; predicted tick %d at tick %d", len(m.unacked), m.pred.Tick(), m.srv.tick)
		}
		m.same(t, "in the end")
	})
}

func TestSampleHoldsFromTheTickThatUsedIt(t *testing.T) {
	type state struct{ tick, processed uint32 }
	for _, c := range []struct {
		what   string
		input  uint32 // its tick
		states []state
		resume bool
		want   []uint32 // the ticks that are run with it after the last state, up to tick 12
	}{
		{"not processed", 8, []state{{6, 0}}, false, []uint32{8, 9, 10, 11, 12}},
		{"not processed, late", 3, []state{{6, 0}}, false, []uint32{7, 8, 9, 10, 11, 12}},
		{"used in its tick", 6, []state{{5, 0}, {6, 1}}, false, []uint32{7, 8, 9, 10, 11}},
		{"used in its tick, whose state was skipped", 4, []state{{1, 0}, {6, 1}}, false, []uint32{7, 8, 9}},
		{"used late", 2, []state{{4, 0}, {5, 1}, {6, 1}}, false, []uint32{7, 8, 9, 10}},
		{"held for long enough", 1, []state{{1, 1}, {6, 1}}, false, nil},
		{"let go of by a drop", 6, []state{{5, 0}, {6, 1}}, true, nil},
	} {
		var truth walkerWorld
		var ran []uint32
		p, err := NewPrediction(walkerSchema(t), &truth, func(s *Step[walkerWorld, walkerInput]) {
			if in, ok := s.Input(1); ok && in.Seq == 1 {
				ran = append(ran, s.Tick)
			}
		}, PredictionConfig{Rate: walkerRate, Mode: proto.Samples, Seat: 1})
		if err != nil {
			t.Fatal(err)
		}
		p.Input(1, c.input, 0, 0, &walkerInput{Seq: 1})
		for i, s := range c.states {
			if c.resume && i == len(c.states)-1 {
				p.Resume()
			}
			p.Reconcile(s.tick, s.processed)
		}
		ran = nil
		if p.Advance(12); !slices.Equal(ran, c.want) {
			t.Errorf("%s: run with it in ticks %v, want %v", c.what, ran, c.want)
		}
	}
}

func TestFullPredictionForgetsItsOldestInput(t *testing.T) {
	sc := walkerSchema(t)
	var truth walkerWorld
	truth.Walkers.Add(walker{Owner: 1})
	var ran []uint32
	p, err := NewPrediction(sc, &truth, func(s *Step[walkerWorld, walkerInput]) {
		for _, in := range s.Inputs() {
			ran = append(ran, in.Seq)
		}
	}, PredictionConfig{Rate: walkerRate, Mode: proto.Commands, Seat: 1})
	if err != nil {
		t.Fatal(err)
	}
	p.Advance(5)
	if p.Tick() != 0 {
		t.Error("something was predicted before the first state")
	}
	p.Reconcile(1, 0)
	for seq := uint32(1); seq <= keptInputs+3; seq++ {
		p.Input(seq, 2, 0, 0, &walkerInput{Seq: seq})
	}
	p.Input(7, 2, 0, 0, &walkerInput{Seq: 7}) // a sequence that was there
	p.Advance(3)
	if len(ran) != 2*commandsATick || ran[0] != 4 || ran[len(ran)-1] != 4+2*commandsATick-1 {
		t.Errorf("two ticks ran %v", ran)
	}
	if st := p.Stats(); st.Forgotten != 3 {
		t.Errorf("%+v, want 3 forgotten", st)
	}
	p.Advance(1000)
	if p.Tick() != 1+walkerRate {
		t.Errorf("tick %d, want a second from the newest state", p.Tick())
	}
}

func TestTicksThatRunAgainDrawTheSameDice(t *testing.T) {
	sc := walkerSchema(t)
	var truth walkerWorld
	drawn := map[uint32][]uint64{}
	p, err := NewPrediction(sc, &truth, func(s *Step[walkerWorld, walkerInput]) {
		drawn[s.Tick] = append(drawn[s.Tick], s.Rand().Uint64())
	}, PredictionConfig{Rate: walkerRate, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	p.Reconcile(1, 0)
	p.Advance(6)
	p.Reconcile(3, 0)
	p.Reconcile(4, 0)
	seen := map[uint64]bool{}
	for tick := uint32(2); tick <= 6; tick++ {
		if d := drawn[tick]; len(slices.Compact(slices.Clone(d))) != 1 || seen[d[0]] {
			t.Errorf("tick %d drew %v", tick, d)
		}
		seen[drawn[tick][0]] = true
	}
	if len(drawn[6]) != 3 {
		t.Errorf("tick 6 ran %d times", len(drawn[6]))
	}
}

func TestPredictionRefusesWhatItCannotRun(t *testing.T) {
	sc := walkerSchema(t)
	if _, err := NewPrediction(sc, &walkerWorld{}, walk, PredictionConfig{}); err == nil {
		t.Error("no rate, no error")
	}
	if _, err := NewPrediction(sc, &benchWorld{}, func(*Step[benchWorld, walkerInput]) {}, PredictionConfig{Rate: 1}); err == nil {
		t.Error("the state of another game, no error")
	}
}

func TestPredictionInItsStrideAllocatesNothing(t *testing.T) {
	for _, mode := range []proto.InputMode{proto.Samples, proto.Commands} {
		b := newBench(t)
		p, err := NewPrediction(b.sc, &b.world, func(s *Step[benchWorld, testInput]) {
			for seat, in := range s.Inputs() {
				for _, ship := range s.State.Ships.All() {
					if ship.Owner == seat {
						ship.X += in.Thrust
					}
				}
			}
		}, PredictionConfig{Rate: 20, Mode: mode, Seat: 1})
		if err != nil {
			t.Fatal(err)
		}
		seq, in := uint32(0), testInput{Thrust: 1}
		frame := func() {
			seq++
			b.step()
			p.Input(seq, seq+8, 0, 0, &in)
			p.Reconcile(seq, max(seq, 8)-8)
			p.Advance(float64(seq + 8))
			p.Decay(16)
			p.Shown()
		}
		for range 300 {
			frame()
		}
		wantAllocs(t, fmt.Sprintf("a state of mode %d, and eight ticks again", mode), 0, frame)
		if st := p.Stats(); st.Replayed < 7*200 {
			t.Errorf("%+v", st)
		}
	}
}

func BenchmarkReconcileEightTicks(b *testing.B) {
	w := newBench(b)
	p, err := NewPrediction(w.sc, &w.world, func(s *Step[benchWorld, testInput]) {
		for _, ship := range s.State.Ships.All() {
			ship.X += ship.VX
		}
	}, PredictionConfig{Rate: 20, Seat: 1})
	if err != nil {
		b.Fatal(err)
	}
	tick := uint32(1)
	b.ReportAllocs()
	for b.Loop() {
		p.Reconcile(tick, 0)
		p.Advance(float64(tick + 8))
		tick++
	}
}
