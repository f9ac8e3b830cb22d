package netcode_test

import (
	"encoding/hex"
	"math/rand/v2"
	"reflect"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// A small game that every client language plays: dots that are turned and pushed, between four walls.

type kitDot struct {
	X, Y    float64 `net:"range=0:100,step=0.25"`
	Heading float64 `net:"angle,bits=8"`
	Speed   float64
	Hits    uint16
	Owner   netcode.Seat
}

type kitRound struct{ Ticks uint32 }

type kitWorld struct {
	Dots  netcode.Table[kitDot] `net:"max=4"`
	Round netcode.Value[kitRound]
}

type kitInput struct{ Turn, Thrust int8 }

// kitStep is what the client's test has in its own language. An input turns its seat's dot by tenths of a radian and
// changes its speed by fifths, from 0 to 5.
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
		}
	}
}

func kitSchema(t *testing.T) *netcode.Schema {
	t.Helper()
	sc, err := netcode.Compile[kitWorld, kitInput]()
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// kitRows are a state's rows by table: the id, then the columns in the schema's order.
type kitRows struct {
	Dots  [][]any `json:"dots"`
	Round []any   `json:"round"`
}

func rowsOfKit(w *kitWorld) (r kitRows) {
	for id, d := range w.Dots.All() {
		r.Dots = append(r.Dots, columnsOf(id, *d))
	}
	r.Round = columnsOf(1, w.Round.V)
	return r
}

func columnsOf(id netcode.ID, row any) []any {
	list := []any{id}
	for v, i := reflect.ValueOf(row), 0; i < v.NumField(); i++ {
		list = append(list, v.Field(i).Interface())
	}
	return list
}

// kitOp is one thing that happens to a prediction, and what it has then.
type kitOp struct {
	Op        string   `json:"op"` // input, advance, state, decay, resume
	Seq       uint32   `json:"seq,omitempty"`
	Tick      uint32   `json:"tick,omitempty"`
	Turn      int8     `json:"turn,omitempty"`
	Thrust    int8     `json:"thrust,omitempty"`
	Processed uint32   `json:"processed,omitempty"`
	Rows      *kitRows `json:"rows,omitempty"` // of the server
	MS        float64  `json:"ms,omitempty"`

	Want *kitWant `json:"want,omitempty"`
}

type kitWant struct {
	Tick      uint32    `json:"tick"`
	Predicted *kitRows  `json:"predicted,omitempty"` // but after decay, which changes nothing of it
	Shown     [][]any   `json:"shown"`               // the dots
	Stats     [4]uint64 `json:"stats"`               // states, mispredicted, replayed, forgotten
}

type kitStory struct {
	Name     string  `json:"name"`
	Rate     int     `json:"rate"`
	Mode     string  `json:"mode"`
	Ahead    int     `json:"ahead"`
	HalfLife float64 `json:"halfLife"`
	Snap     float64 `json:"snap"`
	Ops      []kitOp `json:"ops"`
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
}

// kitPlay plays a story: a client that is lead ticks ahead, and states that arrive late.
func kitPlay(t *testing.T, seed uint64, story kitStory, lead, late uint32, loss float64, nudges map[uint32]float64) kitStory {
	t.Helper()
	sc := kitSchema(t)
	mode := proto.Samples
	if story.Mode == "commands" {
		mode = proto.Commands
	}
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
	pred, err := netcode.NewPrediction(sc, &truth, kitStep, netcode.PredictionConfig{
		Rate: story.Rate, Mode: mode, Seat: 1, Ahead: story.Ahead, HalfLife: story.HalfLife, Snap: story.Snap,
	})
	if err != nil {
		t.Fatal(err)
	}
	note := func(op kitOp) {
		st := pred.Stats()
		op.Want = &kitWant{
			Tick: pred.Tick(), Shown: rowsOfKit(pred.Shown()).Dots,
			Stats: [4]uint64{st.States, st.Mispredicted, st.Replayed, st.Forgotten},
		}
		if rows := rowsOfKit(pred.State()); op.Op != "decay" {
			op.Want.Predicted = &rows
		}
		story.Ops = append(story.Ops, op)
	}
	var sent []proto.Input
	var frame proto.Frame
	seq := uint32(0)
	for range 32 {
		for i := range sent { // a packet repeats what is not known to be processed
			srv.buffer.Push(&sent[i], srv.tick+1)
		}
		srv.step()
		for _, d := range srv.world.Dots.All() {
			if d.Owner == 1 {
				d.X = max(0, min(100, d.X+nudges[srv.tick]))
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
			if srv.tick-late == 18 {
				pred.Resume()
				note(kitOp{Op: "resume"})
			}
			pred.Reconcile(frame.Head.Tick, f.processed)
			rows := rowsOfKit(&truth)
			note(kitOp{Op: "state", Tick: frame.Head.Tick, Processed: f.processed, Rows: &rows})
		}
		if rng.IntN(4) > 0 {
			seq++
			in := kitInput{Turn: int8(rng.IntN(3) - 1), Thrust: int8(rng.IntN(4) - 1)}
			srv.bodies[seq] = in
			pred.Input(seq, srv.tick+lead, 0, 0, &in)
			story.Ops = append(story.Ops, kitOp{Op: "input", Seq: seq, Tick: srv.tick + lead, Turn: in.Turn, Thrust: in.Thrust})
			if rng.Float64() >= loss {
				sent = append(sent, proto.Input{Seq: seq, Tick: srv.tick + lead})
			}
		}
		pred.Advance(float64(srv.tick + lead))
		note(kitOp{Op: "advance", Tick: srv.tick + lead})
		ms := []float64{16, 0, 33.3, 7.77}[srv.tick%4]
		pred.Decay(ms)
		note(kitOp{Op: "decay", MS: ms})
	}
	return story
}

type kitVectors struct {
	Schema  string     `json:"schema"`
	Stories []kitStory `json:"stories"`
}

func kitStories(t *testing.T) kitVectors {
	base := kitStory{Rate: 20, Mode: "samples", Ahead: 20, HalfLife: 60, Snap: 10}
	with := func(name string, f func(*kitStory)) kitStory {
		s := base
		if s.Name = name; f != nil {
			f(&s)
		}
		return s
	}
	commands := func(s *kitStory) { s.Mode = "commands" }
	return kitVectors{hex.EncodeToString(kitSchema(t).Binary()), []kitStory{
		kitPlay(t, 1, with("samples in time", nil), 3, 2, 0, nil),
		kitPlay(t, 2, with("samples, some lost for good", nil), 3, 2, 0.3, nil),
		kitPlay(t, 3, with("commands that come too late", commands), 0, 4, 0, nil),
		kitPlay(t, 4, with("a push that nobody foresaw, and one that is a jump", nil), 3, 3, 0, map[uint32]float64{8: -4, 16: -40}),
		kitPlay(t, 5, with("states so late that the game stands still", func(s *kitStory) { s.Ahead = 6 }), 4, 5, 0, nil),
	}}
}

func TestPredictionsAreTheGoldenStates(t *testing.T) {
	golden(t, "../proto/testdata/reconcile.json", kitStories(t))
}
