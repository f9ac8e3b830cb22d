package client

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"muster/netcode"
	"muster/proto"
)

// moves are the rules of the tests' game: an input moves its seat's dot, 9 is a boom, and 8 makes a dot.
type moves struct{}

func (moves) Step(s *netcode.Step[world, input]) {
	for seat, in := range s.Inputs() {
		for _, d := range s.State.Dots.All() {
			if d.Owner == seat {
				d.X += int16(in.DX)
			}
		}
		switch in.DX {
		case 9:
			s.Emit(netcode.Everyone(), boom{N: 9})
		case 8:
			s.State.Dots.Add(dot{X: 800, Owner: seat})
		}
	}
}

// ahead joins, in a room of commands, so that each input is used once, and predicts.
func (n *fakeNode) ahead(o Options, po PredictOptions) (*Conn[world, input], *fakeConn, *Predicted[world, input]) {
	n.t.Helper()
	n.welcome.Inputs = proto.Commands
	c, fc := n.shown(o)
	p, err := Predict(c, moves{}, po)
	if err != nil {
		n.t.Fatal(err)
	}
	return c, fc, p
}

// shownXs are the dots of a view once it shows the wanted ones: the tick of an input must have begun.
func shownXs(t *testing.T, c *Conn[world, input], want ...int16) {
	t.Helper()
	var got []int16
	for began := time.Now(); time.Since(began) < waitLong; {
		shown, ok := c.View(time.Now())
		if !ok {
			t.Fatal("nothing is shown")
		}
		got = got[:0]
		for _, d := range shown.State.Dots.All() {
			got = append(got, d.X)
		}
		if slices.Equal(got, want) {
			return
		}
	}
	t.Fatalf("dots at %v, want %v", got, want)
}

func TestAnInputShowsBeforeTheServerHasIt(t *testing.T) {
	n := startNode(t)
	c, _, p := n.ahead(Options{}, PredictOptions{})
	shownXs(t, c, 10, 20)
	for _, dx := range []int8{5, 8} {
		if err := sendNow(c, input{DX: dx}); err != nil {
			t.Fatal(err)
		}
	}
	shownXs(t, c, 23, 20, 800) // and the row that the rules add
	if got := xs(c); !slices.Equal(got, []int16{10, 20}) {
		t.Errorf("the server's state has dots at %v", got)
	}
	if p.State() == c.State() || p.Tick() <= c.Tick() {
		t.Errorf("predicted tick %d, state's %d", p.Tick(), c.Tick())
	}
}

func TestTablesThatAreNotNamedAreShownAsTheServerHasThem(t *testing.T) {
	n := startNode(t)
	c, _, _ := n.ahead(Options{}, PredictOptions{Tables: []string{"Round"}})
	if err := sendNow(c, input{DX: 5}); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		shownXs(t, c, 10, 20)
	}
}

func TestAnEventThatIsToldAheadIsToldOnce(t *testing.T) {
	n := startNode(t)
	var told []string
	c, fc, p := n.ahead(Options{}, PredictOptions{Events: []any{boom{}}})
	var at uint32
	On(c, func(b *boom, e Event) { told, at = append(told, fmt.Sprint(b.N, " ", e.Predicted)), e.Tick })
	OnUnconfirmed(p, func(b *boom, _ Event) { told = append(told, fmt.Sprint("not ", b.N)) })
	if err := sendNow(c, input{DX: 9}); err != nil {
		t.Fatal(err)
	}
	shownXs(t, c, 19, 20)
	if !slices.Equal(told, []string{"9 true"}) {
		t.Fatalf("told %q", told)
	}
	say := func(first, tick uint32, v uint16) {
		fc.send(n.booms(tick, first, v))
		fc.shows(c, 1)
	}
	n.state.Dots.Get(1).X = 19
	say(1, at, 9)
	say(2, at, 7) // another's
	if !slices.Equal(told, []string{"9 true", "7 false"}) || p.Stats().Confirmed != 1 {
		t.Errorf("told %q, %+v", told, p.Stats())
	}
	told = nil
	if err := sendNow(c, input{DX: 9}); err != nil { // the server will not have it so
		t.Fatal(err)
	}
	shownXs(t, c, 28, 20)
	for n.tick < at+40 && len(told) < 2 {
		fc.shows(c, 2)
	}
	if !slices.Equal(told, []string{"9 true", "not 9"}) || c.Stats().Prediction.Unconfirmed != 1 {
		t.Errorf("told %q, %+v", told, p.Stats())
	}
}

func TestAnEventThatComesTrueIsConfirmedThoughNobodyListensToIt(t *testing.T) {
	n := startNode(t)
	c, fc, p := n.ahead(Options{}, PredictOptions{Events: []any{boom{}}})
	OnUnconfirmed(p, func(b *boom, _ Event) { t.Errorf("%v is told not to have come", *b) })
	if err := sendNow(c, input{DX: 9}); err != nil {
		t.Fatal(err)
	}
	shownXs(t, c, 19, 20)
	at := p.Tick()
	fc.send(n.booms(at, 1, 9))
	n.state.Dots.Get(1).X = 19
	for n.tick < at+40 {
		fc.shows(c, 1)
	}
	if s := p.Stats(); s.Confirmed != 1 || s.Unconfirmed != 0 {
		t.Errorf("%+v", s)
	}
}

func TestANewEpochBeginsThePredictionAnew(t *testing.T) {
	n := startNode(t)
	n.tick = 1000
	n.welcome.Tick = 1000
	c, fc, p := n.ahead(Options{}, PredictOptions{})
	if err := sendNow(c, input{DX: 5}); err != nil {
		t.Fatal(err)
	}
	shownXs(t, c, 15, 20)
	before := p.Stats().States
	// Behind the same socket another host has the room, as it was half an hour ago, and without the input.
	n.tick, n.enc = 100, netcode.NewEncoder(n.schema, netcode.EncoderConfig{})
	n.welcome.Epoch, fc.view = 8, netcode.View{}
	if f := fc.shows(c, 0); f.Epoch != 8 {
		t.Fatalf("frame %+v", f)
	}
	if p.Tick() > 101+testRate+1 || p.Stats().States != before+1 {
		t.Errorf("predicted tick %d, %+v", p.Tick(), p.Stats())
	}
	shownXs(t, c, 15, 20) // the input is sent again, and used
	if shown, _ := c.View(time.Now()); shown.Tick > 140 {
		t.Errorf("tick %v is shown", shown.Tick)
	}
}

func TestPredictSaysWhatIsWrong(t *testing.T) {
	n, c, _ := join(t, Options{})
	for about, o := range map[string]PredictOptions{
		"a table": {Tables: []string{"Boats"}}, "an event": {Events: []any{round{}}},
	} {
		if _, err := Predict(c, moves{}, o); err == nil {
			t.Errorf("%s of no game is accepted", about)
		}
	}
	n.welcome.Seat, n.welcome.Resume = 0, ""
	w, _ := n.join(Options{})
	if _, err := Predict(w, moves{}, PredictOptions{}); !errors.Is(err, ErrWatching) {
		t.Errorf("who watches predicts: %v", err)
	}
}

func TestInputsSayWhatViewShowed(t *testing.T) {
	n, c, fc := join(t, Options{View: netcode.PlayoutConfig{MinDelay: 2, MaxDelay: 2}})
	if _, ok := c.View(time.Now()); ok {
		t.Error("something is shown before the first frame")
	}
	for range 6 {
		fc.shows(c, 0)
	}
	sent := func() *proto.Input {
		t.Helper()
		if err := sendNow(c, input{DX: 1}); err != nil {
			t.Fatal(err)
		}
		return &wantsInputs(t, fc).Inputs[0]
	}
	if in := sent(); in.View != 6 || in.Frac != 0 {
		t.Errorf("without View an input looks at %d + %d/256", in.View, in.Frac)
	}
	shown, _ := c.View(time.Now())
	if in := sent(); float64(in.View)+float64(in.Frac)/256 > shown.Tick || shown.Tick-float64(in.View)-float64(in.Frac)/256 >= 1.0/256 {
		t.Errorf("an input looks at %d + %d/256, shown is %v", in.View, in.Frac, shown.Tick)
	}
	c.SetView(3, 7)
	if in := sent(); in.View != 3 || in.Frac != 7 {
		t.Errorf("after SetView an input looks at %d + %d/256", in.View, in.Frac)
	}
	fc.shows(c, 0)
	if in := sent(); in.View != uint32(shown.Tick) {
		t.Errorf("with the next frame an input looks at %d, shown is %v", in.View, shown.Tick)
	}
	if _, err := Dial[world, input](t.Context(), n.match(), n.options(Options{View: netcode.PlayoutConfig{MinDelay: 200}})); err == nil {
		t.Error("a delay of 200 ticks is accepted")
	}
}

func TestWhatTheBytesWereForIsCounted(t *testing.T) {
	n, c, fc := shown(t, Options{Reconnect: true})
	first := c.Traffic()
	if first.Scopes[0] == 0 || first.Scopes[testSeat] == 0 || first.Tables["Dots"] == 0 {
		t.Errorf("%+v", first)
	}
	_ = fc.ws.CloseNow()
	done := drive(c)
	fc = n.next()
	n.step()
	fc.frame(0)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	both := c.Traffic()
	if both.Tables["Dots"] < 2*first.Tables["Dots"] || both.Scopes[0] != 2*first.Scopes[0] {
		t.Errorf("%+v after a resume, %+v before", both, first)
	}
	var sum int64
	for _, b := range both.Tables {
		sum += b
	}
	if all := both.Scopes[0] + both.Scopes[testSeat]; sum > all {
		t.Errorf("%d bytes in tables of %d", sum, all)
	}
	if c.Stats().FrameGap < 0 {
		t.Errorf("%+v", c.Stats())
	}
}

func TestASilentServerDoesNotGetEachSample(t *testing.T) {
	_, c, fc := shown(t, Options{})
	c.frame.At = time.Now().Add(-time.Hour)
	c.written = time.Now().Add(time.Hour) // just now, for as long as the test takes
	for range 5 {
		if err := sendNow(c, input{DX: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if s := c.Stats(); s.InputsShed != 5 || s.InputsSent != 5 {
		t.Fatalf("%+v", s)
	}
	c.written = time.Time{}
	if err := sendNow(c, input{DX: 1}); err != nil {
		t.Fatal(err)
	}
	if p := wantsInputs(t, fc); len(p.Inputs) != 6 {
		t.Errorf("%d inputs with the next packet, want all 6", len(p.Inputs))
	}
}

func TestWhatWasToldAheadIsNotToldAgainByAnotherHost(t *testing.T) {
	n := startNode(t)
	n.tick = 1000
	n.welcome.Tick = 1000
	var told []string
	c, fc, p := n.ahead(Options{}, PredictOptions{Events: []any{boom{}}})
	On(c, func(b *boom, e Event) { told = append(told, fmt.Sprint(b.N, " ", e.Predicted)) })
	OnUnconfirmed(p, func(b *boom, _ Event) { told = append(told, fmt.Sprint("not ", b.N)) })
	if err := sendNow(c, input{DX: 9}); err != nil {
		t.Fatal(err)
	}
	shownXs(t, c, 19, 20)
	fc.send(n.booms(p.Tick(), 1, 9))
	// Another host has the room, from some ticks earlier on, and without the input.
	n.tick, n.enc = 990, netcode.NewEncoder(n.schema, netcode.EncoderConfig{})
	n.welcome.Epoch, fc.view = 8, netcode.View{}
	fc.shows(c, 0)
	if !slices.Equal(told, []string{"9 true"}) || p.Stats().Confirmed != 1 {
		t.Errorf("told %q, %+v", told, p.Stats())
	}
	if p.Tick() > 991+2*testRate+1 {
		t.Errorf("predicted tick %d", p.Tick())
	}
}

func TestWhatViewShowsGoesOnWhenALostSocketIsTakenUpAgain(t *testing.T) {
	_, c, fc := shown(t, Options{Reconnect: true, View: netcode.PlayoutConfig{MinDelay: 1, MaxDelay: 1}})
	before, _ := c.View(time.Now())
	tick := before.Tick
	_ = fc.ws.CloseNow()
	for c.Lost() == nil || c.Stats().Resumes == 0 {
		if _, err := c.Poll(); err != nil {
			t.Fatal(err)
		}
		if shown, ok := c.View(time.Now()); !ok || shown.Tick < tick || shown.State.Dots.Len() != 2 {
			t.Fatalf("shown %+v, %v", shown, ok)
		}
		if c.Lost() == nil && c.Stats().Resumes > 0 {
			break
		}
	}
	if in, frac := c.looksAt(); in != 0 || frac != 0 {
		t.Errorf("before the new socket's first frame an input looks at %d + %d/256", in, frac)
	}
}
