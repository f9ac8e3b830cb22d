package netcode_test

import (
	"encoding/hex"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// A small game that every client language plays: dots that are turned and pushed, between four walls, and that fire shots.
// What the server keeps to itself comes last in a row.

type kitDot struct {
	X, Y    float64 `net:"range=0:100,step=0.25"`
	Heading float64 `net:"angle,bits=8"`
	Speed   float64
	Hits    uint16
	Owner   netcode.Seat
	Ready   uint32 `net:"server"` // the tick from which it may fire
}

type kitShot struct {
	X, Y   float64 `net:"range=0:100,step=0.25,predict"`
	Owner  netcode.Seat
	VX, VY float64 `net:"server"`
}

type kitRound struct{ Ticks uint32 }

type kitWorld struct {
	Dots  netcode.Table[kitDot]  `net:"max=4"`
	Shots netcode.Table[kitShot] `net:"max=8"`
	Round netcode.Value[kitRound]
}

type kitInput struct {
	Turn, Thrust int8
	Fire         bool
}

// kitFired and kitBump are its events: of a shot, to everybody, and of a wall, to whose dot met it.
type kitFired struct {
	By   netcode.Seat
	X, Y float64 `net:"range=0:100,step=0.25"`
}

type kitBump struct{ Hits uint16 }

// kitStep is what the client's test has in its own language. An input turns its seat's dot by tenths of a radian,
// changes its speed by fifths, from 0 to 5, and fires at most every fourth tick.
func kitStep(s *netcode.Step[kitWorld, kitInput]) {
	s.State.Round.V.Ticks++
	for seat, in := range s.Inputs() {
		for _, d := range s.State.Dots.All() {
			if d.Owner == seat {
				d.Heading += float64(0.1 * float64(in.Turn))
				d.Speed = max(0, min(5, d.Speed+float64(0.2*float64(in.Thrust))))
			}
		}
	}
	for _, d := range s.State.Dots.All() {
		d.X += float64(d.Speed * netcode.Cos(d.Heading))
		d.Y += float64(d.Speed * netcode.Sin(d.Heading))
		if x, y := max(0, min(100, d.X)), max(0, min(100, d.Y)); x != d.X || y != d.Y {
			d.X, d.Y = x, y
			d.Hits++
			s.Emit(netcode.OnlyTo(d.Owner), kitBump{d.Hits})
		}
	}
	for id, shot := range s.State.Shots.All() {
		shot.X += shot.VX
		shot.Y += shot.VY
		if shot.X < 0 || shot.X > 100 || shot.Y < 0 || shot.Y > 100 {
			s.State.Shots.Remove(id)
		}
	}
	for seat, in := range s.Inputs() {
		for _, d := range s.State.Dots.All() {
			if !in.Fire || d.Owner != seat || s.Tick < d.Ready {
				continue
			}
			shot := kitShot{X: d.X, Y: d.Y, Owner: seat, VX: float64(6 * netcode.Cos(d.Heading)), VY: float64(6 * netcode.Sin(d.Heading))}
			if s.State.Shots.Add(shot) != 0 {
				d.Ready = s.Tick + 4
				s.Emit(netcode.Everyone(), kitFired{seat, d.X, d.Y})
			}
		}
	}
}

func kitSchema(t *testing.T) *netcode.Schema {
	t.Helper()
	sc, err := netcode.Compile[kitWorld, kitInput](kitFired{}, kitBump{})
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// kitRows are a state's rows by table: the id, then the columns in the schema's order, then those that are not sent. A
// provisional id is minus its number: the first row that was added ahead is -1.
type kitRows struct {
	Dots  [][]any `json:"dots"`
	Shots [][]any `json:"shots,omitempty"`
	Round []any   `json:"round,omitempty"`
}

func rowsOfKit(w *kitWorld) (r kitRows) {
	for id, d := range w.Dots.All() {
		r.Dots = append(r.Dots, columnsOf(id, *d))
	}
	for id, shot := range w.Shots.All() {
		r.Shots = append(r.Shots, columnsOf(id, *shot))
	}
	r.Round = columnsOf(1, w.Round.V)
	return r
}

func columnsOf(id netcode.ID, row any) []any {
	list := []any{id}
	if id.Provisional() {
		list[0] = 256 - int(id&0xffff)
	}
	for v, i := reflect.ValueOf(row), 0; i < v.NumField(); i++ {
		list = append(list, v.Field(i).Interface())
	}
	return list
}

// kitOp is one thing that happens to a prediction, and what it has then.
type kitOp struct {
	Op        string    `json:"op"` // input, advance, state, decay, resume, restart, event
	Seq       uint32    `json:"seq,omitempty"`
	Tick      uint32    `json:"tick,omitempty"`
	Time      float64   `json:"time,omitempty"` // of advance
	Turn      int8      `json:"turn,omitempty"`
	Thrust    int8      `json:"thrust,omitempty"`
	Fire      bool      `json:"fire,omitempty"`
	Processed uint32    `json:"processed,omitempty"`
	Rows      *kitRows  `json:"rows,omitempty"` // of the server
	MS        float64   `json:"ms,omitempty"`
	Event     *kitEvent `json:"event,omitempty"` // of the server
	Predicted bool      `json:"predicted,omitempty"`

	Want *kitWant `json:"want,omitempty"`
}

// kitEvent is an event, its fields in the schema's order.
type kitEvent struct {
	Name   string `json:"name"`
	Fields []any  `json:"fields"`
	Tick   uint32 `json:"tick"`
}

func eventOfKit(event any, tick uint32) kitEvent {
	v := reflect.Indirect(reflect.ValueOf(event))
	return kitEvent{v.Type().Name(), columnsOf(0, v.Interface())[1:], tick}
}

type kitWant struct {
	Tick      uint32     `json:"tick"`
	Predicted *kitRows   `json:"predicted,omitempty"` // where it may be another
	Shown     kitRows    `json:"shown"`
	Live      []uint32   `json:"live,omitempty"`   // the ticks that ran live
	Told      []kitEvent `json:"told,omitempty"`   // ahead of the server
	Untrue    []kitEvent `json:"untrue,omitempty"` // that were told, and never came
	Stats     [8]uint64  `json:"stats"`            // states, mispredicted, replayed, forgotten, confirmed, unconfirmed, adopted, withdrawn
	Errors    [3]float64 `json:"errors"`           // the newest, the median, the 99th percentile
}

type kitStory struct {
	Name     string  `json:"name"`
	Rate     int     `json:"rate"`
	Mode     string  `json:"mode"`
	Ahead    int     `json:"ahead"`
	HalfLife float64 `json:"halfLife"`
	Snap     float64 `json:"snap"`
	Window   int     `json:"window"`
	Ops      []kitOp `json:"ops"`

	lead, late uint32             // ticks: how far the client is ahead, and how late states come
	loss       float64            // which part of the inputs is never sent
	nudges     map[uint32]float64 // what pushes the dot, by tick
	frames     []float64          // when pictures are drawn, in ticks from the last; after the first comes the input
	fire       bool
	epoch      bool // in the end the server goes back
	restart    bool // or another host goes on from earlier
}

// kitServer is the authority: it runs the game on what an InputBuffer gives it.
type kitServer struct {
	world  kitWorld
	driver *netcode.Driver[kitWorld, kitInput]
	buffer *netcode.InputBuffer
	bodies map[uint32]kitInput // by sequence
	held   kitInput
	until  uint32
	tick   uint32
	mode   proto.InputMode
	rate   int
	events []kitEvent // for the client, of all ticks
	told   []any
}

func (s *kitServer) step() {
	s.tick++
	s.driver.Begin(s.tick)
	for _, in := range s.buffer.Take(s.tick) {
		body := s.bodies[in.Seq]
		if s.mode == proto.Commands {
			s.driver.Input(1, in.Seq, 0, 0, &body)
		}
		s.held, s.until = body, s.tick+netcode.HoldTicks(s.rate)
	}
	if s.mode == proto.Samples && s.until >= s.tick {
		s.driver.Input(1, 0, 0, 0, &s.held)
	}
	other := kitInput{Turn: int8(s.tick % 3), Thrust: 1} // a player whom the client knows nothing of
	s.driver.Input(2, s.tick, 0, 0, &other)
	s.driver.Run(kitStep)
	for _, e := range s.driver.Emitted() {
		if e.To.Includes(1, 0) {
			s.events = append(s.events, eventOfKit(e.Event, s.tick))
			s.told = append(s.told, e.Event)
		}
	}
}

// kitPlay plays a story: a client that is ahead, and states that arrive late.
func kitPlay(t *testing.T, seed uint64, story kitStory) kitStory {
	t.Helper()
	sc := kitSchema(t)
	mode := proto.Samples
	if story.Mode == "commands" {
		mode = proto.Commands
	}
	lead, late := story.lead, story.late
	rng := rand.New(rand.NewPCG(seed, 9))
	srv := &kitServer{
		buffer: netcode.NewInputBuffer(mode, story.Rate, 16), bodies: map[uint32]kitInput{}, mode: mode, rate: story.Rate,
	}
	srv.driver = netcode.NewDriver[kitWorld, kitInput](&srv.world, netcode.DriverConfig{Rate: story.Rate})
	srv.world.Dots.Add(kitDot{X: 90, Y: 30, Owner: 1})
	srv.world.Dots.Add(kitDot{X: 50, Y: 50, Owner: 2})
	enc, dec := netcode.NewEncoder(sc, netcode.EncoderConfig{}), netcode.NewDecoder(sc)
	var view netcode.View
	var prev *proto.Head
	type flight struct {
		bytes     []byte
		processed uint32
	}
	var states []flight
	var truth kitWorld
	var heard kitWant // since the last note
	pred, err := netcode.NewPrediction(sc, &truth, func(s *netcode.Step[kitWorld, kitInput]) {
		if kitStep(s); s.Live() {
			heard.Live = append(heard.Live, s.Tick)
		}
	}, netcode.PredictionConfig{
		Rate: story.Rate, Mode: mode, Seat: 1, Ahead: story.Ahead, HalfLife: story.HalfLife, Snap: story.Snap, Window: story.Window,
		Emitted:     func(event any, tick uint32) { heard.Told = append(heard.Told, eventOfKit(event, tick)) },
		Unconfirmed: func(event any, tick uint32) { heard.Untrue = append(heard.Untrue, eventOfKit(event, tick)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	note := func(op kitOp) {
		st := pred.Stats()
		want := heard
		heard = kitWant{}
		want.Tick, want.Shown = pred.Tick(), rowsOfKit(pred.Shown())
		want.Shown.Round = nil
		want.Stats = [8]uint64{
			st.States, st.Mispredicted, st.Replayed, st.Forgotten, st.Confirmed, st.Unconfirmed, st.Adopted, st.Withdrawn,
		}
		want.Errors = [3]float64{st.Error, pred.ErrorAt(0.5), pred.ErrorAt(0.99)}
		if rows := rowsOfKit(pred.State()); pred.Tick() > 0 && (op.Op == "state" || op.Op == "input" || op.Op == "advance" && op.Time == math.Trunc(op.Time)) {
			want.Predicted = &rows
		}
		op.Want = &want
		story.Ops = append(story.Ops, op)
	}
	var sent []proto.Input
	var frame proto.Frame
	var past kitWorld // the state of tick 20
	var pastProcessed uint32
	seq, events := uint32(0), 0
	for range 32 {
		for i := range sent { // a packet repeats what is not known to be processed
			srv.buffer.Push(&sent[i], srv.tick+1)
		}
		srv.step()
		for _, d := range srv.world.Dots.All() {
			if d.Owner == 1 {
				d.X = max(0, min(100, d.X+story.nudges[srv.tick]))
			}
		}
		enc.Capture(srv.tick, &srv.world)
		scopes := append([]proto.Watch(nil), enc.Scopes(1)...)
		head := proto.Head{Epoch: 1, Tick: srv.tick, Processed: srv.buffer.Processed(), Durable: srv.buffer.Processed(), Scopes: scopes}
		b := append([]byte(nil), encodeFrame(&head, prev, nil, enc.Prepare(&view, scopes))...)
		prev = &head
		states = append(states, flight{b, head.Processed})
		if srv.tick > late {
			f := states[srv.tick-1-late]
			if err := decodeFrame(f.bytes, &frame, dec); err != nil {
				t.Fatal(err)
			}
			if err := dec.Load(&truth); err != nil {
				t.Fatal(err)
			}
			tick := frame.Head.Tick
			if tick == 18 {
				pred.Resume()
				note(kitOp{Op: "resume"})
			}
			for ; events < len(srv.events) && srv.events[events].Tick <= tick; events++ {
				e := srv.events[events]
				note(kitOp{Op: "event", Event: &e, Predicted: pred.Confirm(srv.told[events], e.Tick)})
			}
			pred.Reconcile(tick, f.processed)
			rows := rowsOfKit(&truth)
			note(kitOp{Op: "state", Tick: tick, Processed: f.processed, Rows: &rows})
			if tick == 20 {
				pastProcessed = f.processed
				if err := sc.Copy(&past, &truth); err != nil {
					t.Fatal(err)
				}
			}
		}
		frames := story.frames
		if frames == nil {
			frames = []float64{1}
		} else {
			time := float64(srv.tick+lead-1) + frames[0]
			pred.Advance(time)
			note(kitOp{Op: "advance", Time: time})
			frames = frames[1:]
		}
		if rng.IntN(4) > 0 {
			seq++
			in := kitInput{Turn: int8(rng.IntN(3) - 1), Thrust: int8(rng.IntN(4) - 1)}
			in.Fire = story.fire && rng.IntN(3) > 0
			srv.bodies[seq] = in
			pred.Input(seq, srv.tick+lead, 0, 0, &in)
			note(kitOp{Op: "input", Seq: seq, Tick: srv.tick + lead, Turn: in.Turn, Thrust: in.Thrust, Fire: in.Fire})
			if rng.Float64() >= story.loss {
				sent = append(sent, proto.Input{Seq: seq, Tick: srv.tick + lead})
			}
		}
		for _, frac := range frames {
			time := float64(srv.tick+lead-1) + frac
			pred.Advance(time)
			note(kitOp{Op: "advance", Time: time})
			ms := []float64{16, 0, 33.3, 7.77}[srv.tick%4]
			pred.Decay(ms)
			note(kitOp{Op: "decay", MS: ms})
		}
	}
	if story.epoch {
		if err := sc.Copy(&truth, &past); err != nil {
			t.Fatal(err)
		}
		pred.Reconcile(20, pastProcessed)
		rows := rowsOfKit(&truth)
		note(kitOp{Op: "state", Tick: 20, Processed: pastProcessed, Rows: &rows})
		pred.Advance(24.5)
		note(kitOp{Op: "advance", Time: 24.5})
		pred.Advance(26)
		note(kitOp{Op: "advance", Time: 26})
	}
	if story.restart {
		if err := sc.Copy(&truth, &past); err != nil {
			t.Fatal(err)
		}
		pred.Restart()
		note(kitOp{Op: "restart"})
		give := func(tick uint32, in kitInput) {
			seq++
			pred.Input(seq, tick, 0, 0, &in)
			note(kitOp{Op: "input", Seq: seq, Tick: tick, Turn: in.Turn, Thrust: in.Thrust, Fire: in.Fire})
		}
		give(srv.tick, kitInput{Turn: 1}) // before the first state of the other host
		rows := rowsOfKit(&truth)
		for i, tick := range []uint32{14, 16, 22} { // the last is beyond the window of what was told ahead
			pred.Reconcile(tick, pastProcessed)
			note(kitOp{Op: "state", Tick: tick, Processed: pastProcessed, Rows: &rows})
			pred.Advance(float64(tick) + 2.5)
			note(kitOp{Op: "advance", Time: float64(tick) + 2.5})
			give(tick+3, kitInput{Thrust: 1, Fire: i == 0})
			pred.Decay(20)
			note(kitOp{Op: "decay", MS: 20})
		}
		for _, tick := range []uint32{srv.tick, srv.tick + 8} {
			pred.Reconcile(tick, seq)
			note(kitOp{Op: "state", Tick: tick, Processed: seq, Rows: &rows})
		}
	}
	return story
}

type kitVectors struct {
	Schema  string     `json:"schema"`
	Stories []kitStory `json:"stories"`
}

func kitStories(t *testing.T) kitVectors {
	list := []kitStory{
		{Name: "samples in time", lead: 3, late: 2},
		{Name: "samples, some lost for good", lead: 3, late: 2, loss: 0.3},
		{Name: "commands that come too late", Mode: "commands", late: 4},
		{
			Name: "a push that nobody foresaw, and one that is a jump", lead: 3, late: 3,
			nudges: map[uint32]float64{8: -4, 16: -40},
		},
		{Name: "states so late that the game stands still", Ahead: 6, lead: 4, late: 5},
		{
			Name: "shots and inputs between two ticks, which come true, up to a new epoch", lead: 3, late: 2, fire: true,
			frames: []float64{0.1, 0.45, 0.8}, epoch: true,
		},
		{
			Name: "shots whose inputs are lost, and a push", lead: 3, late: 2, fire: true, loss: 0.4,
			frames: []float64{0.25, 1}, nudges: map[uint32]float64{12: -3},
		},
		{
			Name: "shots up to another host, which goes on from earlier", lead: 3, late: 2, fire: true,
			frames: []float64{0.1, 0.6}, restart: true,
		},
		{Name: "shots by commands that come too late", Mode: "commands", late: 4, fire: true, frames: []float64{0.2, 0.7}},
	}
	for i := range list {
		story := &list[i]
		story.Rate, story.HalfLife, story.Snap, story.Window = 20, 60, 10, 4
		if story.Ahead == 0 {
			story.Ahead = 20
		}
		if story.Mode == "" {
			story.Mode = "samples"
		}
		*story = kitPlay(t, uint64(i)+1, *story) //nolint:gosec // an index
	}
	return kitVectors{hex.EncodeToString(kitSchema(t).Binary()), list}
}

func TestPredictionsAreTheGoldenStates(t *testing.T) {
	wantGolden(t, "../proto/testdata/reconcile.json", kitStories(t))
}
