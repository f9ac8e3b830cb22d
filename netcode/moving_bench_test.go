package netcode

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"muster/proto"
)

type flyingShip struct {
	X, Y  float32 `net:"range=0:1000,step=0.05"`
	Angle float32 `net:"angle,bits=8"`
}

type flyingWorld struct {
	Ships Table[flyingShip] `net:"max=4096"`
}

// flight is ships that have flown already: what is measured is not their flying.
type flight struct {
	world flyingWorld
	rows  []*flyingShip
	track [][]flyingShip // by tick
	tick  uint32
}

const flightTicks = 512

// newFlight flies ships as pilots would: now and then they change their minds.
func newFlight(n int) *flight {
	f := &flight{}
	rng := rand.New(rand.NewPCG(1, 2))
	v := make([]flyingShip, n) // per tick
	now := make([]flyingShip, n)
	for i := range now {
		now[i] = flyingShip{X: rng.Float32() * 1000, Y: rng.Float32() * 1000}
		f.rows = append(f.rows, f.world.Ships.Get(f.world.Ships.Add(now[i])))
	}
	for range flightTicks {
		for i := range now {
			s, v := &now[i], &v[i]
			if rng.IntN(20) == 0 {
				*v = flyingShip{rng.Float32()*10 - 5, rng.Float32()*10 - 5, rng.Float32()/5 - 0.1}
			}
			s.X, s.Y, s.Angle = s.X+v.X, s.Y+v.Y, s.Angle+v.Angle
			if s.X < 0 || s.X > 1000 {
				v.X = -v.X
			}
			if s.Y < 0 || s.Y > 1000 {
				v.Y = -v.Y
			}
		}
		f.track = append(f.track, append([]flyingShip(nil), now...))
	}
	return f
}

// step brings the next tick. After the last one the ships fly backwards, so that none ever jumps.
func (f *flight) step() {
	f.tick++
	at := int(f.tick % (2 * flightTicks))
	if at >= flightTicks {
		at = 2*flightTicks - 1 - at
	}
	for i, row := range f.track[at] {
		*f.rows[i] = row
	}
}

func flyingSchema(b testing.TB) *Schema {
	sc, err := Compile[flyingWorld, testInput]()
	if err != nil {
		b.Fatal(err)
	}
	return sc
}

func reportFields(b *testing.B, fields int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(fields), "ns/field")
}

// One tick: the state is captured and encoded for one viewer in step. The ships' new places are copied in, too.
func BenchmarkEncodeMoving(b *testing.B) {
	for _, n := range []int{16, 50, 200} {
		b.Run(fmt.Sprintf("%d rows", n), func(b *testing.B) {
			f, e := newFlight(n), NewEncoder(flyingSchema(b), EncoderConfig{Key: 1})
			var v View
			step := func() (size int) {
				f.step()
				e.Capture(f.tick, &f.world)
				for _, block := range e.Prepare(&v, []proto.Watch{0}) {
					size += len(block.Data)
				}
				return size
			}
			for range 100 {
				step()
			}
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				size += step()
			}
			reportFields(b, 3*n)
			b.ReportMetric(float64(size)/float64(b.N)/float64(n), "B/row")
		})
	}
}

// frames are the flight's ticks as a viewer in step gets them.
func (f *flight) frames(sc *Schema) (list []proto.Frame) {
	e := NewEncoder(sc, EncoderConfig{Key: 1})
	var v View
	for range flightTicks {
		f.step()
		e.Capture(f.tick, &f.world)
		frame := proto.Frame{Head: proto.Head{Tick: f.tick, Scopes: []proto.Watch{0}}}
		for _, block := range e.Prepare(&v, frame.Head.Scopes) {
			frame.Blocks = append(frame.Blocks, proto.Block{Scope: 0, Data: append([]byte(nil), block.Data...)})
		}
		list = append(list, frame)
	}
	return list
}

// One tick at the other end. The first frame of the flight is a keyframe.
func BenchmarkDecodeMoving(b *testing.B) {
	for _, load := range []bool{false, true} {
		b.Run(map[bool]string{false: "Apply 200 rows", true: "Apply and Load 200 rows"}[load], func(b *testing.B) {
			const n = 200
			sc := flyingSchema(b)
			frames := newFlight(n).frames(sc)
			d := NewDecoder(sc)
			var seen flyingWorld
			at := 0
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Apply(&frames[at]); err != nil {
					b.Fatal(err)
				}
				if load {
					if err := d.Load(&seen); err != nil {
						b.Fatal(err)
					}
				}
				at = (at + 1) % flightTicks
			}
			reportFields(b, 3*n)
		})
	}
}

// For scale: the same rows whole, as MessagePack, each tick. By name is what the library does when it is told nothing.
func BenchmarkFullStateMessagePack(b *testing.B) {
	for _, arrays := range []bool{false, true} {
		b.Run(map[bool]string{false: "200 rows by name", true: "200 rows as arrays"}[arrays], func(b *testing.B) {
			const n = 200
			f := newFlight(n)
			var buf bytes.Buffer
			enc := msgpack.NewEncoder(&buf)
			enc.UseArrayEncodedStructs(arrays)
			rows := make([]flyingShip, n)
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				f.step()
				for i, row := range f.rows {
					rows[i] = *row
				}
				buf.Reset()
				if err := enc.Encode(rows); err != nil {
					b.Fatal(err)
				}
				size += buf.Len()
			}
			reportFields(b, 3*n)
			b.ReportMetric(float64(size)/float64(b.N)/n, "B/row")
		})
	}
}

func TestMovingRowsAllocateNothing(t *testing.T) {
	sc := flyingSchema(t)
	f, e, d := newFlight(200), NewEncoder(sc, EncoderConfig{Key: 1}), NewDecoder(sc)
	var v View
	var seen flyingWorld
	frame := proto.Frame{Head: proto.Head{Scopes: []proto.Watch{0}}}
	tick := func() {
		f.step()
		e.Capture(f.tick, &f.world)
		frame.Head.Tick = f.tick
		frame.Blocks = e.Prepare(&v, frame.Head.Scopes)
		if err := d.Apply(&frame); err != nil {
			t.Fatal(err)
		}
		if err := d.Load(&seen); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		tick()
	}
	wantAllocs(t, "a tick of 200 moving rows at both ends", 0, tick)
}
