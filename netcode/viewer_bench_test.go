package netcode

import (
	"fmt"
	"testing"

	"muster/proto"
)

// crew is viewers in step, with what their edge has of each: what is left to do for one when the shared bytes are
// there.
type crew struct {
	enc   *Encoder
	next  func() (tick uint32) // captures the next tick
	tick  uint32
	seats []watcher
	out   *proto.Writer
}

type watcher struct {
	seat Seat
	view View
	prev proto.Head
	has  bool
}

// newCrew returns n viewers in their stride; they take turns at the seats from 1 to seats, or have none.
func newCrew(enc *Encoder, next func() uint32, n, seats int) *crew {
	a := &crew{enc: enc, next: next, seats: make([]watcher, n), out: proto.NewWriter()}
	for i := range a.seats {
		if seats > 0 {
			a.seats[i].seat = Seat(i%seats + 1)
		}
	}
	for range 100 {
		a.tick = a.next()
		for i := range a.seats {
			a.serve(&a.seats[i])
		}
	}
	return a
}

// flying is an crew of ships that move, without seats.
func flying(tb testing.TB, ships, n int) *crew {
	f, e := newFlight(ships), NewEncoder(flyingSchema(tb), EncoderConfig{Key: 1})
	return newCrew(e, func() uint32 {
		f.step()
		e.Capture(f.tick, &f.world)
		return f.tick
	}, n, 0)
}

// seated is an crew of fifty ships whose owners have a scope each.
func seated(tb testing.TB, n int) *crew {
	w := newBench(tb)
	return newCrew(w.enc, func() uint32 { w.step(); return w.tick }, n, benchSeats)
}

// serve makes a viewer's message of the newest tick and returns its bytes.
func (a *crew) serve(w *watcher) int {
	w.message(a.enc, a.tick, a.out)
	return a.out.Len()
}

// message writes a viewer's frame of the newest tick, as an edge does, and returns its blocks.
func (w *watcher) message(enc *Encoder, tick uint32, out *proto.Writer) []proto.Block {
	scopes := enc.Scopes(w.seat)
	blocks := enc.Prepare(&w.view, scopes)
	w.write(tick, scopes, blocks, out)
	return blocks
}

// write writes a frame of these blocks.
func (w *watcher) write(tick uint32, scopes []proto.Watch, blocks []proto.Block, out *proto.Writer) {
	head := proto.Head{Epoch: 1, Tick: tick, Processed: tick, Durable: tick, Lead: 1, Scopes: scopes}
	var prev *proto.Head
	if w.has {
		prev = &w.prev
	}
	out.Reset()
	head.Append(out, prev, nil, len(blocks))
	for i := range blocks {
		blocks[i].Append(out)
	}
	w.prev.Scopes = append(w.prev.Scopes[:0], head.Scopes...) // the encoder's own are not kept
	head.Scopes = w.prev.Scopes
	w.prev, w.has = head, true
}

// What a viewer costs besides the shared work, which is done once a tick and is not counted here: Prepare, its head, and
// the shared bytes into its message.
func BenchmarkViewer(b *testing.B) {
	for _, c := range []struct {
		name string
		make func(testing.TB) *crew
	}{
		{"room of 200 moving rows", func(tb testing.TB) *crew { return flying(tb, 200, 1000) }},
		{"room and seat", func(tb testing.TB) *crew { return seated(tb, 1000) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			a := c.make(b)
			b.ReportAllocs()
			size, i := 0, len(a.seats)
			for b.Loop() {
				if i == len(a.seats) {
					b.StopTimer()
					a.tick = a.next()
					for i = 0; i < benchSeats; i++ {
						a.serve(&a.seats[i]) // makes the shared bytes of all scopes
					}
					b.StartTimer()
				}
				size += a.serve(&a.seats[i])
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/viewer")
			b.ReportMetric(float64(size)/float64(b.N), "B/frame")
		})
	}
}

// A tick in which nothing changes, for one viewer: captured, compared, and a head sent.
func BenchmarkIdleTick(b *testing.B) {
	for _, n := range []int{16, 200} {
		b.Run(fmt.Sprintf("%d rows", n), func(b *testing.B) {
			f, e := newFlight(n), NewEncoder(flyingSchema(b), EncoderConfig{})
			a := newCrew(e, func() uint32 {
				f.tick++
				e.Capture(f.tick, &f.world)
				return f.tick
			}, 1, 0)
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				a.tick = a.next()
				size += a.serve(&a.seats[0])
			}
			b.ReportMetric(float64(size)/float64(b.N), "B/frame")
		})
	}
}

func TestServingViewersAllocatesNothing(t *testing.T) {
	for name, a := range map[string]*crew{"moving rows": flying(t, 50, 64), "room and seat": seated(t, 64)} {
		wantAllocs(t, "a tick for 64 viewers of "+name, 0, func() {
			a.tick = a.next()
			for i := range a.seats {
				a.serve(&a.seats[i])
			}
		})
	}
}
