package netcode

import (
	"fmt"
	"slices"
	"testing"

	"muster/internal/race"
	"muster/proto"
)

// feed is the frames of a flight that comes back to where it began, as the room of ships sends them to an edge in step.
type feed struct {
	sc     *Schema
	frames []proto.Frame
	next   int
	tick   uint32
	mirror *Encoder
}

func newFeed(tb testing.TB, ships int) *feed {
	l := &feed{sc: flyingSchema(tb)}
	f, e := newFlight(ships), NewEncoder(l.sc, EncoderConfig{Key: 1})
	l.mirror = NewMirror(l.sc, EncoderConfig{})
	var view View
	for range 100 {
		f.step()
		e.Capture(f.tick, &f.world)
		l.receive(tb, &proto.Frame{Head: proto.Head{Scopes: theRoom}, Blocks: e.Prepare(&view, theRoom)})
	}
	for range 2 * flightTicks {
		f.step()
		e.Capture(f.tick, &f.world)
		frame := proto.Frame{Head: proto.Head{Scopes: theRoom}}
		for _, b := range e.Prepare(&view, theRoom) {
			frame.Blocks = append(frame.Blocks, proto.Block{Scope: b.Scope, Data: slices.Clone(b.Data)})
		}
		l.frames = append(l.frames, frame)
	}
	return l
}

// receive hands on a frame as the next tick's: blocks name ticks by distances.
func (l *feed) receive(tb testing.TB, f *proto.Frame) {
	l.tick++
	f.Head.Tick = l.tick
	if err := l.mirror.Receive(f); err != nil {
		tb.Fatal(err)
	}
}

func (l *feed) step(tb testing.TB) *proto.Frame {
	f := &l.frames[l.next%len(l.frames)]
	l.next++
	l.receive(tb, f)
	return f
}

// What an edge of another node pays for a room once a tick, however many viewers it has.
func BenchmarkMirrorReceive(b *testing.B) {
	for _, ships := range []int{50, 200} {
		b.Run(fmt.Sprintf("%d ships", ships), func(b *testing.B) {
			l := newFeed(b, ships)
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				for _, block := range l.step(b).Blocks {
					size += len(block.Data)
				}
			}
			b.ReportMetric(float64(size)/float64(b.N), "B/tick")
		})
	}
}

// And for each of the viewers: those in step, and one of many that get each third tick.
func BenchmarkMirrorViewer(b *testing.B) {
	for _, every := range []int{1, 3} {
		b.Run(map[int]string{1: "in step", 3: "each third tick"}[every], func(b *testing.B) {
			const viewers = 1000
			l := newFeed(b, 200)
			seats := make([]watcher, viewers)
			serve := func(i int) int {
				l.serve(&seats[i])
				return benchOut.Len()
			}
			for range 40 * every {
				l.step(b)
				if l.tick%uint32(every) == 0 { //nolint:gosec // small
					for i := range seats {
						serve(i)
					}
				}
			}
			b.ReportAllocs()
			size, i := 0, viewers
			for b.Loop() {
				if i == viewers {
					b.StopTimer()
					for l.step(b); l.tick%uint32(every) != 0; { //nolint:gosec // small
						l.step(b)
					}
					serve(0)
					i = 1
					b.StartTimer()
				}
				size += serve(i)
				i++
			}
			b.ReportMetric(float64(size)/float64(b.N), "B/frame")
		})
	}
}

var (
	benchOut = proto.NewWriter()
	theRoom  = []proto.Watch{0}
)

// serve makes a viewer's message of the newest tick.
func (l *feed) serve(w *watcher) {
	w.write(l.tick, theRoom, l.mirror.Prepare(&w.view, theRoom), benchOut)
}

// What a room pays for an edge of another node once a tick, besides the shared work: the union of its viewers' scopes, and
// the blocks as for one viewer. Heads, one for each viewer, come on top as they do for viewers of its own.
func BenchmarkBridgedEdge(b *testing.B) {
	for _, viewers := range []int{1, 16, 200} {
		b.Run(fmt.Sprintf("%d viewers", viewers), func(b *testing.B) {
			const edges = 1000
			f, e := newFlight(200), NewEncoder(flyingSchema(b), EncoderConfig{Key: 1})
			views := make([]View, edges)
			var union Union
			serve := func(v *View) int {
				union.Reset()
				for range viewers {
					union.Add(e.Scopes(0))
				}
				benchOut.Reset()
				for _, block := range e.Prepare(v, union.Watches()) {
					block.Append(benchOut)
				}
				return benchOut.Len()
			}
			step := func() {
				f.step()
				e.Capture(f.tick, &f.world)
			}
			for range 100 {
				step()
				for i := range views {
					serve(&views[i])
				}
			}
			b.ReportAllocs()
			size, i := 0, edges
			for b.Loop() {
				if i == edges {
					b.StopTimer()
					step()
					serve(&views[0])
					i = 1
					b.StartTimer()
				}
				size += serve(&views[i])
				i++
			}
			b.ReportMetric(float64(size)/float64(b.N), "B/tick")
		})
	}
}

// bridged is a crowd of which all viewers are at an edge of another node.
type bridged struct {
	*crowd
	union  Union
	edge   View
	mirror *Encoder
	frame  proto.Frame
}

func newBridged(tb testing.TB, viewers int) *bridged {
	b := &bridged{crowd: newCrowd(tb, spread(viewers))}
	b.mirror = NewMirror(b.enc.sc, EncoderConfig{})
	for i := range b.eyes {
		b.eyes[i].view, b.eyes[i].has = View{}, false
	}
	for range 60 {
		b.step()
		b.carry(tb)
		b.relay(nil)
	}
	return b
}

// prepare makes the room's frame for the edge.
func (b *bridged) prepare() (size int) {
	b.union.Reset()
	for i := range b.eyes {
		b.union.Add(b.enc.Scopes(b.eyes[i].seat))
	}
	b.frame.Head.Tick, b.frame.Head.Scopes = b.tick, b.union.Watches()
	b.frame.Blocks = b.enc.Prepare(&b.edge, b.frame.Head.Scopes)
	b.out.Reset()
	for i := range b.frame.Blocks {
		b.frame.Blocks[i].Append(b.out)
	}
	return b.out.Len()
}

func (b *bridged) carry(tb testing.TB) (size int) {
	size = b.prepare()
	if err := b.mirror.Receive(&b.frame); err != nil {
		tb.Fatal(err)
	}
	return size
}

// relay makes every viewer's message at the edge and returns their bytes.
func (b *bridged) relay(each func(at int, blocks []proto.Block)) (size int) {
	for i := range b.eyes {
		w := &b.eyes[i]
		scopes := b.enc.Scopes(w.seat)
		blocks := b.mirror.Prepare(&w.view, scopes)
		w.write(b.tick, scopes, blocks, b.out)
		size += b.out.Len()
		if each != nil {
			each(i, blocks)
		}
	}
	return size
}

// A crowd of 250 that all watch from another node: what the room pays for it, what the edge does, and for comparison what
// the room pays when they are its own.
func BenchmarkBridgedCrowd(b *testing.B) {
	const viewers = 250
	run := func(name string, once func(c *bridged) int) {
		b.Run(name, func(b *testing.B) {
			c := newBridged(b, viewers)
			for range 200 {
				c.step()
				c.carry(b)
				c.relay(nil)
			}
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				size += once(c)
			}
			b.ReportMetric(float64(size)/float64(b.N), "B/tick")
		})
	}
	run("room, captured alone", func(c *bridged) int { c.step(); return 0 })
	run("room, for the edge", func(c *bridged) int { c.step(); return c.prepare() })
	run("room and edge", func(c *bridged) int { c.step(); c.carry(b); return c.relay(nil) })
	b.Run("room, for its own", func(b *testing.B) {
		c := newCrowd(b, spread(viewers))
		for range 200 {
			c.step()
			c.serve(nil)
		}
		b.ReportAllocs()
		size := 0
		for b.Loop() {
			c.step()
			size += c.serve(nil)
		}
		b.ReportMetric(float64(size)/float64(b.N), "B/tick")
	})
}

func TestAMirrorInItsStrideAllocatesNothing(t *testing.T) {
	l := newFeed(t, 200)
	seats := make([]watcher, 64)
	tick := func() {
		l.step(t)
		for i := range seats {
			if i%4 == 0 || l.tick%3 == 0 {
				l.serve(&seats[i])
			}
		}
		l.mirror.Hashes(&seats[0].view)
	}
	for range 100 {
		tick()
	}
	wantAllocs(t, "a tick of 200 ships for 64 viewers, most of whom get each third one", 0, tick)
}

// Rows that go from cell to cell make states grow now and then, and cells come that nobody looked at before: far fewer
// allocations than blocks, of which there are more than a thousand in a tick.
func TestABridgedCrowdAllocatesLittle(t *testing.T) {
	if race.Enabled {
		t.Skip("slow under the race detector, which has nothing to find in one goroutine")
	}
	c := newBridged(t, 250)
	tick := func() { c.step(); c.carry(t); c.relay(nil) }
	for range 200 {
		tick()
	}
	wantAllocs(t, "a tick of a crowd behind a mirror", 800, tick)
}
