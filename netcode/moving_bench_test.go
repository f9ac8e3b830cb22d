package netcode

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"muster/proto"
)

type flyingShip struct {
	X, Y  float32 `net:"range=0:1000,step=0.05"`
	Angle float32 `net:"angle,bits=8"`
}

type flyingWorld struct {
	Ships Table[flyingShip] `net:"max=4096"`
}

// fly moves ships as pilots would: now and then they change their minds.
type flight struct {
	world flyingWorld
	ids   []ID
	v     [][3]float32
	rng   *rand.Rand
}

func newFlight(n int) *flight {
	f := &flight{rng: rand.New(rand.NewPCG(1, 2)), v: make([][3]float32, n)}
	for range n {
		f.ids = append(f.ids, f.world.Ships.Add(flyingShip{X: f.rng.Float32() * 1000, Y: f.rng.Float32() * 1000}))
	}
	return f
}

func (f *flight) step() {
	for i, id := range f.ids {
		s, v := f.world.Ships.Get(id), &f.v[i]
		if f.rng.IntN(20) == 0 {
			*v = [3]float32{f.rng.Float32()*10 - 5, f.rng.Float32()*10 - 5, f.rng.Float32()/5 - 0.1}
		}
		s.X, s.Y, s.Angle = s.X+v[0], s.Y+v[1], s.Angle+v[2]
		if s.X < 0 || s.X > 1000 {
			v[0] = -v[0]
		}
		if s.Y < 0 || s.Y > 1000 {
			v[1] = -v[1]
		}
	}
}

func flyingSchema(b testing.TB) *Schema {
	sc, err := Compile[flyingWorld, testInput]()
	if err != nil {
		b.Fatal(err)
	}
	return sc
}

func BenchmarkEncodeMovingRows(b *testing.B) {
	for _, n := range []int{16, 50, 200} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f, e := newFlight(n), NewEncoder(flyingSchema(b), EncoderConfig{Key: 1})
			var v View
			tick := uint32(0)
			step := func() int {
				tick++
				f.step()
				b.StartTimer()
				e.Capture(tick, &f.world)
				size := 0
				for _, block := range e.Prepare(&v, []proto.Watch{0}) {
					size += len(block.Data)
				}
				b.StopTimer()
				return size
			}
			for range 50 {
				step()
			}
			b.ReportAllocs()
			b.ResetTimer()
			size := 0
			for range b.N {
				size += step()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(3*n), "ns/field")
			b.ReportMetric(float64(size)/float64(b.N)/float64(n), "B/row")
		})
	}
}

func BenchmarkDecodeMovingRows(b *testing.B) {
	const n, ticks = 200, 2000
	f, sc := newFlight(n), flyingSchema(b)
	e := NewEncoder(sc, EncoderConfig{Key: 1})
	var v View
	var frames []proto.Frame
	for tick := uint32(1); tick <= ticks; tick++ {
		f.step()
		e.Capture(tick, &f.world)
		fr := proto.Frame{Head: proto.Head{Tick: tick, Scopes: []proto.Watch{0}}}
		for _, block := range e.Prepare(&v, []proto.Watch{0}) {
			fr.Blocks = append(fr.Blocks, proto.Block{Scope: 0, Data: append([]byte(nil), block.Data...)})
		}
		frames = append(frames, fr)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var d *Decoder
	for i := range b.N {
		if i%ticks == 0 {
			d = NewDecoder(sc)
		}
		if err := d.Apply(&frames[i%ticks]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(3*n), "ns/field")
}
