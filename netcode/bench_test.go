package netcode

import (
	"testing"

	"muster/internal/race"
	"muster/proto"
)

// A world of fifty ships that all move each tick, watched by sixteen seats.
type (
	benchShip struct {
		X, Y  float32 `net:"range=0:1000,step=0.05"`
		Angle float32 `net:"angle,bits=8"`
		VX    float32 `net:"server"`
		Owner Seat
		Name  string `net:"max=24"`
		HP    uint8
		Ammo  uint16 `net:"owner"`
	}
	benchWorld struct {
		Ships Table[benchShip] `net:"max=64"`
		Round Value[testRound]
	}
)

const (
	benchShips = 50
	benchSeats = 16
)

// bench is an encoder in its stride and its viewers.
type bench struct {
	sc    *Schema
	world benchWorld
	enc   *Encoder
	views [benchSeats]View
	tick  uint32
}

func newBench(tb testing.TB) *bench {
	tb.Helper()
	b := &bench{}
	var err error
	if b.sc, err = Compile[benchWorld, testInput](testEvent{}); err != nil {
		tb.Fatal(err)
	}
	if err := b.sc.Bind(&b.world); err != nil {
		tb.Fatal(err)
	}
	for i := range benchShips {
		b.world.Ships.Add(benchShip{X: float32(10 * i), Y: 500, VX: float32(i - 25), Owner: Seat(i%benchSeats + 1), Name: "a ship's name", HP: 100})
	}
	b.enc = NewEncoder(b.sc, EncoderConfig{})
	for range 100 { // every buffer has its size
		b.step()
		b.prepareAll()
		b.enc.Hashes(&b.views[0])
	}
	return b
}

func (b *bench) step() {
	b.tick++
	for _, ship := range b.world.Ships.All() {
		ship.X += ship.VX / 20
		if ship.X < 0 || ship.X > 1000 {
			ship.VX = -ship.VX
		}
		ship.Angle += 0.05
		ship.Ammo++
	}
	b.enc.Capture(b.tick, &b.world)
}

func (b *bench) prepareAll() (bytes int) {
	for i := range b.views {
		for _, block := range b.enc.Prepare(&b.views[i], b.enc.Scopes(Seat(i+1))) {
			bytes += len(block.Data)
		}
	}
	return bytes
}

func wantAllocs(t *testing.T, what string, want float64, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(200, f); n > want {
		t.Errorf("%s: %v allocations, at most %v allowed", what, n, want)
	}
}

func TestEncoderInItsStrideAllocatesNothing(t *testing.T) {
	b := newBench(t)
	wantAllocs(t, "Capture", 0, b.step)
	wantAllocs(t, "Capture and Prepare for all in step", 0, func() { b.step(); b.prepareAll() })
	skip := 0
	wantAllocs(t, "Capture and Prepare for viewers that skip", 0, func() {
		b.step()
		skip++
		for i := range b.views {
			if (skip+i)%3 == 0 {
				b.enc.Prepare(&b.views[i], b.enc.Scopes(Seat(i+1)))
			}
		}
	})
	wantAllocs(t, "keyframes", 0, func() {
		b.step()
		b.views[3].Reset()
		b.views[5].Resync(0)
		b.prepareAll()
	})
	wantAllocs(t, "Hashes", 0, func() { b.step(); b.prepareAll(); b.enc.Hashes(&b.views[0]) })
}

func TestDecoderInItsStrideAllocatesNothing(t *testing.T) {
	b := newBench(t)
	v := viewer{seat: 1, dec: NewDecoder(b.sc)}
	var seen benchWorld
	frame := proto.Frame{Head: proto.Head{Scopes: b.enc.Scopes(1)}}
	apply := func() {
		b.step()
		frame.Head.Tick = b.tick
		frame.Blocks = b.enc.Prepare(&v.view, frame.Head.Scopes)
		if err := v.dec.Apply(&frame); err != nil {
			t.Fatal(err)
		}
		if err := v.dec.Load(&seen); err != nil {
			t.Fatal(err)
		}
	}
	apply()
	wantAllocs(t, "Apply and Load", 0, apply)
	if got := seen.Ships.Len(); got != benchShips {
		t.Errorf("%d ships", got)
	}
}

func TestCheckingInputsAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes pools forget")
	}
	sc := testSchema(t)
	w := proto.NewWriter()
	if err := sc.WriteInput(w, &testInput{Turn: 3, Aim: 1, Thrust: .5, Fire: true, Say: "hello"}); err != nil {
		t.Fatal(err)
	}
	body := append([]byte(nil), w.Bytes()...)
	wantAllocs(t, "CheckInput", 0, func() {
		if err := sc.CheckInput(body); err != nil {
			t.Fatal(err)
		}
	})
	var in testInput
	wantAllocs(t, "ReadInput, but for its text", 1, func() {
		if err := sc.ReadInput(body, &in); err != nil {
			t.Fatal(err)
		}
	})
	wantAllocs(t, "WriteInput", 0, func() {
		w.Reset()
		if err := sc.WriteInput(w, &in); err != nil {
			t.Fatal(err)
		}
	})
}

func TestDriverInItsStrideAllocatesNothing(t *testing.T) {
	var world benchWorld
	d := NewDriver[benchWorld, testInput](&world, DriverConfig{Rate: 20, Seed: 1})
	in := testInput{Turn: 1}
	tick := uint32(0)
	wantAllocs(t, "a step", 0, func() {
		tick++
		d.Begin(tick)
		for seat := Seat(benchSeats); seat > 0; seat-- {
			d.Input(seat, tick, tick, 0, &in)
		}
		d.Run(func(s *Step[benchWorld, testInput]) {
			for seat, in := range s.Inputs() {
				if got, ok := s.Input(seat); !ok || got.Turn != in.Turn {
					t.Error("the inputs differ")
				}
			}
		})
	})
}

func BenchmarkCapture(b *testing.B) {
	e := newBench(b)
	b.ReportAllocs()
	for b.Loop() {
		e.step()
	}
}

func BenchmarkCaptureAndPrepare(b *testing.B) {
	e := newBench(b)
	b.ReportAllocs()
	bytes := 0
	for b.Loop() {
		e.step()
		bytes += e.prepareAll()
	}
	b.ReportMetric(float64(bytes)/float64(b.N)/benchSeats, "bytes/viewer")
}

func BenchmarkKeyframe(b *testing.B) {
	e := newBench(b)
	b.ReportAllocs()
	for b.Loop() {
		e.step()
		e.views[0].Reset()
		e.enc.Prepare(&e.views[0], e.enc.Scopes(1))
	}
}

func BenchmarkHashes(b *testing.B) {
	e := newBench(b)
	b.ReportAllocs()
	for b.Loop() {
		e.tick++
		e.enc.Capture(e.tick, &e.world)
		e.enc.Prepare(&e.views[0], e.enc.Scopes(1))
		e.enc.Hashes(&e.views[0])
	}
}

func BenchmarkApplyAndLoad(b *testing.B) {
	e := newBench(b)
	v := viewer{seat: 1, dec: NewDecoder(e.sc)}
	var seen benchWorld
	frame := proto.Frame{Head: proto.Head{Scopes: e.enc.Scopes(1)}}
	b.ReportAllocs()
	for b.Loop() {
		e.step()
		frame.Head.Tick = e.tick
		frame.Blocks = e.enc.Prepare(&v.view, frame.Head.Scopes)
		if err := v.dec.Apply(&frame); err != nil {
			b.Fatal(err)
		}
		if err := v.dec.Load(&seen); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckInput(b *testing.B) {
	sc := testSchema(b)
	w := proto.NewWriter()
	if err := sc.WriteInput(w, &testInput{Turn: 3, Fire: true, Say: "hello"}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := sc.CheckInput(w.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
