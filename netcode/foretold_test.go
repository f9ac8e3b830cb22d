package netcode_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/netcode"
	"muster/proto"
)

// kitClient is a client of seat 1 that predicts the kit's game from a state that the test makes.
type kitClient struct {
	truth  kitWorld
	pred   *netcode.Prediction[kitWorld, kitInput]
	told   []string
	untrue []string
	lived  []uint32

	onUntrue func() // nil: nothing
}

func newKitClient(t testing.TB, mode proto.InputMode) *kitClient {
	t.Helper()
	sc, err := netcode.Compile[kitWorld, kitInput](kitFired{}, kitBump{})
	if err != nil {
		t.Fatal(err)
	}
	c := &kitClient{}
	c.truth.Dots.Add(kitDot{X: 50, Y: 50, Speed: 1, Owner: 1})
	c.pred, err = netcode.NewPrediction(sc, &c.truth, func(s *netcode.Step[kitWorld, kitInput]) {
		if kitStep(s); s.Live() {
			c.lived = append(c.lived, s.Tick)
		}
	}, netcode.PredictionConfig{
		Rate: 20, Mode: mode, Seat: 1, Window: 3,
		Emitted: func(e any, tick uint32) { c.told = append(c.told, fmt.Sprint(tick, " ", e)) },
		Unconfirmed: func(e any, tick uint32) {
			if c.untrue = append(c.untrue, fmt.Sprint(tick, " ", e)); c.onUntrue != nil {
				c.onUntrue()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve brings the truth on by a tick: what the server makes of an own dot without inputs.
func (c *kitClient) serve() {
	c.truth.Round.V.Ticks++
	for _, d := range c.truth.Dots.All() {
		d.X += float64(d.Speed * netcode.Cos(d.Heading))
		d.Y += float64(d.Speed * netcode.Sin(d.Heading))
	}
}

func (c *kitClient) dot() *kitDot {
	for _, d := range c.pred.Shown().Dots.All() {
		if d.Owner == 1 {
			return d
		}
	}
	return nil
}

func (c *kitClient) shots() (ids []netcode.ID) {
	for id := range c.pred.Shown().Shots.All() {
		ids = append(ids, id)
	}
	return ids
}

func TestPredictedEventIsToldAtOnceAndOnce(t *testing.T) {
	c := newKitClient(t, proto.Commands)
	c.pred.Reconcile(10, 0)
	c.pred.Advance(12.3)
	c.pred.Input(1, 13, 0, 0, &kitInput{Fire: true})
	want := []string{"13 &{1 53 50}"}
	if !slices.Equal(c.told, want) {
		t.Fatalf("told %q right after the input, want %q", c.told, want)
	}
	c.pred.Input(2, 13, 0, 0, &kitInput{}) // 13 runs again, then live
	c.pred.Advance(14)
	c.serve()
	c.pred.Reconcile(11, 0)
	c.serve()
	c.pred.Reconcile(12, 0)
	c.pred.Advance(15)
	if !slices.Equal(c.told, want) {
		t.Errorf("told %q in the end, want %q", c.told, want)
	}
	// The server used the input a tick later. X is off by less than its grid.
	if !c.pred.Confirm(&kitFired{By: 1, X: 53.1, Y: 50}, 14) {
		t.Error("the server's event is not the predicted one")
	}
	if c.pred.Confirm(&kitFired{By: 1, X: 53.1, Y: 50}, 14) {
		t.Error("one predicted event confirmed two")
	}
	c.pred.Reconcile(20, 2)
	if len(c.untrue) > 0 || c.pred.Stats().Confirmed != 1 {
		t.Errorf("%q are untrue; %+v", c.untrue, c.pred.Stats())
	}
}

func TestEventThatDoesNotComeTrueIsReportedAfterTheWindow(t *testing.T) {
	c := newKitClient(t, proto.Commands)
	c.pred.Reconcile(10, 0)
	c.pred.Input(1, 12, 0, 0, &kitInput{Fire: true})
	c.pred.Advance(13)
	for _, other := range []struct {
		event any
		tick  uint32
	}{
		{&kitFired{By: 2, X: 52, Y: 50}, 12},
		{&kitFired{By: 1, X: 53, Y: 50}, 12},
		{&kitFired{By: 1, X: 52, Y: 50}, 16},
		{&kitFired{By: 1, X: 52, Y: 50}, 8},
		{&kitBump{}, 12},
		{&netcode.Refused{}, 12},
	} {
		if c.pred.Confirm(other.event, other.tick) {
			t.Errorf("%+v of tick %d confirmed another event", other.event, other.tick)
		}
	}
	for tick := uint32(11); tick <= 15; tick++ {
		c.serve()
		c.pred.Reconcile(tick, 1)
	}
	if len(c.untrue) > 0 {
		t.Fatalf("%q given up within the window", c.untrue)
	}
	c.pred.Reconcile(16, 1)
	if want := []string{"12 &{1 52 50}"}; !slices.Equal(c.untrue, want) {
		t.Errorf("%q are untrue, want %q", c.untrue, want)
	}
	if st := c.pred.Stats(); st.Unconfirmed != 1 || st.Confirmed != 0 {
		t.Errorf("%+v", st)
	}
}

func TestWhoHearsThatAnEventDidNotComeMayGiveAnInput(t *testing.T) {
	c := newKitClient(t, proto.Commands)
	c.pred.Reconcile(10, 0)
	c.pred.Input(1, 12, 0, 0, &kitInput{Fire: true})
	c.pred.Input(2, 16, 0, 0, &kitInput{Fire: true})
	c.pred.Advance(20)
	c.onUntrue = func() { c.pred.Input(3, 20, 0, 0, &kitInput{Fire: true}) }
	for tick := uint32(11); tick <= 16; tick++ {
		c.serve()
		c.pred.Reconcile(tick, tick/12+tick/16)
	}
	if len(c.untrue) != 1 || len(c.told) != 3 {
		t.Fatalf("%q are untrue, %q were told", c.untrue, c.told)
	}
	c.onUntrue = nil
	if !c.pred.Confirm(&kitFired{By: 1, X: 60, Y: 50}, 20) {
		t.Errorf("an event told meanwhile, of %q, is forgotten", c.told)
	}
	c.pred.Reconcile(19, 2)
	c.pred.Reconcile(24, 3)
	if want := []string{"12 &{1 52 50}", "16 &{1 56 50}"}; !slices.Equal(c.untrue, want) {
		t.Errorf("%q are untrue, want %q", c.untrue, want)
	}
}

func TestProvisionalRowIsTakenOverWithoutAJump(t *testing.T) {
	c := newKitClient(t, proto.Commands)
	c.pred.Reconcile(10, 0)
	c.pred.Input(1, 12, 0, 0, &kitInput{Fire: true})
	c.pred.Advance(14)
	ids := c.shots()
	if len(ids) != 1 || !ids[0].Provisional() {
		t.Fatalf("shots %v, want a provisional one", ids)
	}
	for tick := uint32(11); tick <= 12; tick++ { // the server is a tick late with it
		c.serve()
		c.pred.Reconcile(tick, 0)
		if got := c.shots(); !slices.Equal(got, ids) {
			t.Fatalf("after the state of tick %d: shots %v, want %v", tick, got, ids)
		}
	}
	c.serve()
	before := *c.pred.Shown().Shots.Get(ids[0])
	mine := c.truth.Shots.Add(kitShot{X: 53, Y: 51, Owner: 1}) // where it is put, not where it was predicted to be by now
	c.truth.Shots.Add(kitShot{X: 53, Y: 51, Owner: 2})
	c.pred.Reconcile(13, 1)
	after := c.pred.Shown().Shots.Get(mine)
	if after == nil || c.pred.Shown().Shots.Len() != 2 {
		t.Fatalf("shots %v after the server's came", c.shots())
	}
	if math.Abs(after.X-before.X) > 1e-9 || math.Abs(after.Y-before.Y) > 1e-9 {
		t.Errorf("shown at %v, %v, then at %v, %v", before.X, before.Y, after.X, after.Y)
	}
	if after.VX != 6 {
		t.Errorf("its velocity, which the server does not send, is %v", after.VX)
	}
	c.pred.Decay(1e4)
	if at := c.pred.Shown().Shots.Get(mine); at.X != 59 || at.Y != 51 {
		t.Errorf("in the end at %v, %v, want 59, 51", at.X, at.Y)
	}
	if st := c.pred.Stats(); st.Adopted != 1 || st.Withdrawn != 0 {
		t.Errorf("%+v", st)
	}
}

func TestProvisionalRowGoesWhenTheServersDoesNotCome(t *testing.T) {
	c := newKitClient(t, proto.Commands)
	c.pred.Reconcile(10, 0)
	c.pred.Input(1, 12, 0, 0, &kitInput{Fire: true})
	c.pred.Advance(14)
	for tick := uint32(11); tick <= 15; tick++ {
		c.serve()
		c.truth.Shots.Add(kitShot{X: 53, Y: 50, Owner: 2}) // another's is not ours
		c.pred.Reconcile(tick, min(1, tick/12))
		if got, want := slices.ContainsFunc(c.shots(), netcode.ID.Provisional), tick < 15; got != want {
			t.Errorf("after the state of tick %d a provisional row is there: %v, want %v", tick, got, want)
		}
	}
	if st := c.pred.Stats(); st.Withdrawn != 1 || st.Adopted != 0 {
		t.Errorf("%+v", st)
	}
	// One whose input is taken back goes at once: the tick runs again without it.
	c = newKitClient(t, proto.Samples)
	c.pred.Reconcile(10, 0)
	c.pred.Input(1, 12, 0, 0, &kitInput{Fire: true})
	c.pred.Advance(12)
	had := len(c.shots())
	c.pred.Input(2, 12, 0, 0, &kitInput{})
	if got := c.shots(); had != 1 || len(got) != 0 {
		t.Errorf("%d shots, then %v", had, got)
	}
}

func TestRowsBeyondTheBoundAreNotAddedAhead(t *testing.T) {
	type pile struct {
		Stones netcode.Table[struct {
			N     uint16
			Owner netcode.Seat
		}] `net:"max=1000"`
	}
	sc, err := netcode.Compile[pile, kitInput]()
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	seen := map[netcode.ID]bool{}
	p, err := netcode.NewPrediction(sc, &pile{}, func(s *netcode.Step[pile, kitInput]) {
		id := s.State.Stones.Add(struct {
			N     uint16
			Owner netcode.Seat
		}{1, 1})
		if seen[id] = true; id == 0 {
			refused++
		}
	}, netcode.PredictionConfig{Rate: 100, Ahead: 100, Seat: 1})
	if err != nil {
		t.Fatal(err)
	}
	p.Reconcile(1, 0)
	if p.Advance(101); refused != 100-64 || len(seen) != 65 || p.State().Stones.Len() != 64 {
		t.Errorf("of 100 rows %d were refused, %d ids were given", refused, len(seen)-1)
	}
}

func TestInputIsInTheVeryNextPicture(t *testing.T) {
	c := newKitClient(t, proto.Samples)
	c.pred.Reconcile(10, 0)
	c.pred.Advance(12.4)
	before := *c.dot()
	c.pred.Input(1, 13, 0, 0, &kitInput{Turn: 3, Thrust: 5})
	if at := *c.dot(); at.X != before.X || at.Y != before.Y || at.Heading != before.Heading {
		t.Errorf("the input made the picture jump from %+v to %+v", before, at)
	}
	c.pred.Advance(12.7)
	c.pred.Decay(16)
	if at := c.dot(); at.Heading < before.Heading+0.09 || at.X < before.X+0.5 {
		t.Errorf("a frame later the dot is at %+v, before at %+v: nothing of the input shows", at, before)
	}
}

func TestMotionBetweenTicksIsEven(t *testing.T) {
	c := newKitClient(t, proto.Samples)
	c.pred.Reconcile(10, 0)
	c.pred.Advance(12)
	last := c.dot().X
	for frame := 1; frame <= 60; frame++ { // 60 a second at 20 ticks a second
		if frame%3 == 1 {
			c.serve()
			c.pred.Reconcile(10+uint32(frame/3)+1, 0)
		}
		c.pred.Advance(12 + float64(frame)/3)
		x := c.dot().X
		if math.Abs(x-last-1.0/3) > 1e-9 {
			t.Fatalf("frame %d: moved by %v, want a third", frame, x-last)
		}
		last = x
	}
	if st := c.pred.Stats(); st.Mispredicted != 0 || st.Error > 1e-9 {
		t.Errorf("%+v", st)
	}
}

func TestEachTickRunsLiveOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newKitClient(t, proto.Samples)
		c.pred.Reconcile(1, 0)
		state, seq, time := uint32(1), uint32(0), 1.0
		for range 60 {
			switch rapid.IntRange(0, 3).Draw(rt, "op") {
			case 0:
				state++
				c.serve()
				c.pred.Reconcile(state, seq)
			case 1:
				seq++
				c.pred.Input(seq, uint32(time)+rapid.Uint32Range(0, 2).Draw(rt, "tick"), 0, 0, &kitInput{Turn: 1})
			default:
				time += rapid.Float64Range(0, 1.5).Draw(rt, "time")
				c.pred.Advance(time)
			}
		}
		for i := 1; i < len(c.lived); i++ {
			if c.lived[i] <= c.lived[i-1] {
				rt.Fatalf("ticks ran live in the order %v", c.lived)
			}
		}
		if n := len(c.lived); n > 0 && float64(c.lived[n-1]) > time {
			rt.Fatalf("tick %d was live at %v", c.lived[n-1], time)
		}
	})
}

func TestWhatTheServerDoesNotSendGoesOn(t *testing.T) {
	c := newKitClient(t, proto.Commands)
	c.pred.Reconcile(10, 0)
	c.pred.Input(1, 11, 0, 0, &kitInput{Fire: true})
	c.pred.Advance(12)
	c.serve()
	c.truth.Shots.Add(kitShot{X: 51, Y: 50, Owner: 1})
	c.pred.Reconcile(11, 1)
	c.pred.Input(2, 13, 0, 0, &kitInput{Fire: true}) // the server's gun is not ready, and so is ours
	if c.pred.Advance(14); len(c.shots()) != 1 {
		t.Errorf("shots %v: the gun was fired before it was ready", c.shots())
	}
	for id, d := range c.pred.State().Dots.All() {
		if d.Ready != 15 {
			t.Errorf("dot %v is ready at %d, want 15", id, d.Ready)
		}
	}
	// After a drop nothing of it is known.
	c.pred.Resume()
	c.serve()
	c.pred.Reconcile(12, 2)
	for id, d := range c.pred.State().Dots.All() {
		if d.Ready != 0 {
			t.Errorf("after a drop dot %v is ready at %d", id, d.Ready)
		}
	}
}

func TestErrorIsHowFarTheNewestStateMovedTheOwnRow(t *testing.T) {
	c := newKitClient(t, proto.Samples)
	c.pred.Reconcile(10, 0)
	c.pred.Advance(12)
	for i := range uint32(300) {
		c.serve()
		for _, d := range c.truth.Dots.All() {
			d.X, d.Y, d.Speed = 50, 50, 0
			if i == 299 {
				d.X, d.Y = 53, 46
			}
		}
		c.pred.Reconcile(11+i, 0)
		c.pred.Advance(float64(13 + i))
	}
	if st := c.pred.Stats(); st.Error != 5 {
		t.Errorf("error %v, want 5", st.Error)
	}
	if half, most := c.pred.ErrorAt(0.5), c.pred.ErrorAt(1); half != 0 || most != 5 {
		t.Errorf("median %v, greatest %v", half, most)
	}
}

// kitVolley is a player who fires all the time, and a server that takes some shots and not others; play plays a tick of it,
// with three pictures.
type kitVolley struct {
	truth kitWorld
	pred  *netcode.Prediction[kitWorld, kitInput]
	tick  uint32
}

func newKitVolley(t testing.TB) *kitVolley {
	t.Helper()
	sc, err := netcode.Compile[kitWorld, kitInput](kitFired{}, kitBump{})
	if err != nil {
		t.Fatal(err)
	}
	v := &kitVolley{}
	v.truth.Dots.Add(kitDot{X: 50, Y: 50, Owner: 1})
	v.pred, err = netcode.NewPrediction(sc, &v.truth, func(s *netcode.Step[kitWorld, kitInput]) {
		for _, shot := range s.State.Shots.All() {
			shot.X += shot.VX
		}
		for seat, in := range s.Inputs() {
			if in.Fire && s.Tick%4 == 0 {
				s.State.Shots.Add(kitShot{X: 50, Y: 50, Owner: seat, VX: 1})
			}
		}
	}, netcode.PredictionConfig{Rate: 20, Mode: proto.Samples, Seat: 1})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *kitVolley) play() {
	v.tick++
	switch v.tick % 8 {
	case 0:
		v.truth.Shots.Add(kitShot{X: 50, Y: 50, Owner: 1})
	case 4:
		for id := range v.truth.Shots.All() {
			v.truth.Shots.Remove(id)
		}
	}
	v.pred.Reconcile(v.tick, max(v.tick, 6)-6)
	for i := range 3 {
		v.pred.Advance(float64(v.tick) + 4.2 + float64(i)/3)
		if v.pred.Decay(16); i == 0 {
			v.pred.Input(v.tick, v.tick+5, 0, 0, &kitInput{Fire: true})
		}
		v.pred.Shown()
	}
}

func TestPredictionWithShotsAllocatesNothing(t *testing.T) {
	v := newKitVolley(t)
	for range 300 {
		v.play()
	}
	if st := v.pred.Stats(); st.Adopted < 20 || st.Withdrawn < 20 {
		t.Fatalf("%+v: this is not what is to be measured", st)
	}
	if n := testing.AllocsPerRun(200, v.play); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
}

func BenchmarkPredictionOfShotsAndPictures(b *testing.B) {
	v := newKitVolley(b)
	b.ReportAllocs()
	for b.Loop() {
		v.play()
	}
}

func TestNeitherStatesNorInputsMakeThePictureJump(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newKitClient(t, rapid.SampledFrom([]proto.InputMode{proto.Samples, proto.Commands}).Draw(rt, "mode"))
		c.pred.Reconcile(1, 0)
		state, seq, time := uint32(1), uint32(0), 1.0
		for range 60 {
			before, shots := *c.dot(), map[netcode.ID]kitShot{}
			for id, shot := range c.pred.Shown().Shots.All() {
				shots[id] = *shot
			}
			switch rapid.IntRange(0, 3).Draw(rt, "op") {
			case 0:
				state += rapid.Uint32Range(1, 3).Draw(rt, "ticks")
				c.serve()
				for _, d := range c.truth.Dots.All() { // nobody can foresee what becomes of it
					d.X += rapid.Float64Range(-20, 20).Draw(rt, "x")
					d.Heading += rapid.Float64Range(-3, 3).Draw(rt, "heading")
				}
				c.pred.Reconcile(state, rapid.Uint32Range(0, seq).Draw(rt, "processed"))
			case 1:
				seq++
				in := kitInput{Turn: rapid.Int8Range(-5, 5).Draw(rt, "turn"), Thrust: 3, Fire: rapid.Bool().Draw(rt, "fire")}
				c.pred.Input(seq, uint32(time)+rapid.Uint32Range(0, 2).Draw(rt, "tick"), 0, 0, &in)
			default:
				time = max(time, float64(state)) + rapid.Float64Range(0, 1.5).Draw(rt, "time")
				c.pred.Advance(time)
				c.pred.Decay(16)
				continue
			}
			after := *c.dot()
			turn := math.Remainder(after.Heading-before.Heading, 2*math.Pi)
			if math.Abs(after.X-before.X) > 1e-9 || math.Abs(after.Y-before.Y) > 1e-9 || math.Abs(turn) > 1e-9 {
				rt.Fatalf("the picture jumped from %+v to %+v", before, after)
			}
			for id, shot := range c.pred.Shown().Shots.All() {
				if was, ok := shots[id]; ok && math.Abs(shot.X-was.X)+math.Abs(shot.Y-was.Y) > 1e-9 {
					rt.Fatalf("shot %v jumped from %+v to %+v", id, was, *shot)
				}
			}
		}
	})
}
