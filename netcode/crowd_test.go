package netcode

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"muster/internal/race"
	"muster/proto"
)

// A crowd: many rows that move on a plane of many cells, and viewers who each see a few of them. What a tick costs must
// grow with cells and viewers, not with their product.

const (
	crowdRows  = 2000
	crowdCells = 64 // on a side
	crowdCell  = 16 // units on a side
	crowdSize  = crowdCells * crowdCell
)

type roamer struct {
	X, Y  float32 `net:"range=0:1024,step=0.0625"`
	Angle float32 `net:"angle,bits=8"`
}

type crowdWorld struct {
	Walkers Table[roamer] `net:"max=2048"`
}

type crowd struct {
	world   crowdWorld
	ids     []ID
	rows    []*roamer
	v       []roamer // per tick
	rng     *rand.Rand
	tick    uint32
	enc     *Encoder
	eyes    []watcher // viewer i looks from where row look[i] is
	look    []int
	out     *proto.Writer
	scoping func(*Scopes)
}

// newCrowd returns viewers in their stride, each of whom looks from the row that look names.
func newCrowd(tb testing.TB, look []int) *crowd {
	tb.Helper()
	sc, err := Compile[crowdWorld, testInput]()
	if err != nil {
		tb.Fatal(err)
	}
	c := &crowd{
		rng: rand.New(rand.NewPCG(5, 6)), enc: NewEncoder(sc, EncoderConfig{Key: 1}), out: proto.NewWriter(),
		eyes: make([]watcher, len(look)), look: look, v: make([]roamer, crowdRows),
	}
	if err := sc.Bind(&c.world); err != nil {
		tb.Fatal(err)
	}
	for range crowdRows {
		id := c.world.Walkers.Add(roamer{X: c.rng.Float32() * crowdSize, Y: c.rng.Float32() * crowdSize})
		c.ids, c.rows = append(c.ids, id), append(c.rows, c.world.Walkers.Get(id))
	}
	c.scoping = c.scopes // made once: a method value allocates
	for i := range c.eyes {
		c.eyes[i].seat = Seat(i + 1)
	}
	for range 60 {
		c.step()
		c.serve(nil)
	}
	return c
}

// spread is n viewers who look from different rows.
func spread(n int) (look []int) {
	for i := range n {
		look = append(look, i*crowdRows/n)
	}
	return look
}

// step moves everybody and captures the tick. People change their minds every second or so.
func (c *crowd) step() {
	c.tick++
	for i, row := range c.rows {
		v := &c.v[i]
		if c.rng.IntN(20) == 0 {
			*v = roamer{c.rng.Float32()*2 - 1, c.rng.Float32()*2 - 1, c.rng.Float32()/5 - 0.1}
		}
		row.X, row.Y = min(max(row.X+v.X, 0), crowdSize), min(max(row.Y+v.Y, 0), crowdSize)
		row.Angle += v.Angle
	}
	c.enc.CaptureScoped(c.tick, &c.world, c.scoping)
}

// scopes lets each viewer see 9 to 25 cells.
func (c *crowd) scopes(s *Scopes) {
	s.Grid(Grid{Cell: crowdCell, Cols: crowdCells, Rows: crowdCells, Radius: 1.5 * crowdCell})
	for i, id := range c.ids {
		s.PlaceAt(&c.world.Walkers, id, float64(c.rows[i].X), float64(c.rows[i].Y))
	}
	for i, row := range c.look {
		s.Look(Seat(i+1), float64(c.rows[row].X), float64(c.rows[row].Y))
	}
}

// made is what was encoded of a tick: each block counts once, however many viewers get it.
type made struct {
	blocks, bytes int             // encoded
	sent          int             // blocks that went out
	looks         int             // cells that viewers have, together
	cells         map[uint16]bool // that anyone has
	seen          map[*byte]bool  // the first bytes of the blocks
}

// add counts a viewer's blocks and cells. Where the same memory comes twice it was encoded once.
func (m *made) add(blocks []proto.Block, scopes []proto.Watch) {
	for i := range blocks {
		m.sent++
		if at := &blocks[i].Data[0]; !m.seen[at] {
			m.seen[at] = true
			m.blocks++
			m.bytes += len(blocks[i].Data)
		}
	}
	for _, w := range scopes {
		if isCell(w.Scope()) {
			m.looks++
			m.cells[w.Scope()] = true
		}
	}
}

// serve makes every viewer's message and returns their bytes.
func (c *crowd) serve(m *made) (size int) {
	for i := range c.eyes {
		w := &c.eyes[i]
		blocks := w.message(c.enc, c.tick, c.out)
		if m != nil {
			m.add(blocks, w.prev.Scopes)
		}
		size += c.out.Len()
	}
	return size
}

// count is what the next ticks make.
func (c *crowd) count(ticks int) (list []made) {
	for range ticks {
		c.step()
		m := made{seen: map[*byte]bool{}, cells: map[uint16]bool{}}
		c.serve(&m)
		list = append(list, m)
	}
	return list
}

func TestViewersWhoSeeTheSameCostNoEncoding(t *testing.T) {
	look := spread(200)
	one, two := newCrowd(t, look), newCrowd(t, append(look, look...))
	a, b := one.count(50), two.count(50)
	for i := range a {
		if a[i].blocks != b[i].blocks || a[i].bytes != b[i].bytes {
			t.Errorf("200 viewers: %d blocks encoded, %d bytes; twice as many: %d and %d", a[i].blocks, a[i].bytes, b[i].blocks, b[i].bytes)
		}
		if b[i].sent != 2*a[i].sent || a[i].blocks == 0 {
			t.Errorf("%d blocks sent of %d encoded, to twice as many %d", a[i].sent, a[i].blocks, b[i].sent)
		}
	}
}

// A cell that is watched has two forms at most: the one for who saw it in the tick before, and a keyframe for who comes.
// So what is encoded is bounded by the cells, however many watch them.
func TestEncodingsAreBoundedByTheCellsThatAreWatched(t *testing.T) {
	if race.Enabled {
		t.Skip("slow under the race detector, which has nothing to find in one goroutine")
	}
	const ticks = 20
	total := map[int]made{}
	for _, viewers := range []int{125, 500, 1000} {
		c := newCrowd(t, spread(viewers))
		var sum made
		cells := 0
		for _, m := range c.count(ticks) {
			if m.blocks > 2*len(m.cells) {
				t.Errorf("%d viewers: %d encodings of %d cells", viewers, m.blocks, len(m.cells))
			}
			sum.blocks, sum.bytes, sum.sent, sum.looks = sum.blocks+m.blocks, sum.bytes+m.bytes, sum.sent+m.sent, sum.looks+m.looks
			cells += len(m.cells)
		}
		total[viewers] = sum
		each := float64(sum.looks) / ticks / float64(viewers)
		t.Logf("%d viewers of %.1f cells each: %d cells watched, %d blocks of %d bytes encoded, %d blocks sent",
			viewers, each, cells/ticks, sum.blocks/ticks, sum.bytes/ticks, sum.sent/ticks)
		if each < 9 || each > 25 {
			t.Errorf("a viewer sees %.1f cells: this is not the crowd that is meant", each)
		}
	}
	few, many := total[500], total[1000]
	if many.sent < few.sent*19/10 || many.blocks > few.blocks*13/10 || many.bytes > few.bytes*13/10 {
		t.Errorf("from 500 to 1000 viewers: blocks sent %d to %d, encoded %d to %d, bytes encoded %d to %d",
			few.sent, many.sent, few.blocks, many.blocks, few.bytes, many.bytes)
	}
}

// A tick's encodings share their memory, which has found its size after a while. A viewer's own lists still grow when it
// sees more cells than ever before: that is rarer than once a tick.
func TestACrowdInItsStrideAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("slow under the race detector, which has nothing to find in one goroutine")
	}
	c := newCrowd(t, spread(250))
	tick := func() { c.step(); c.serve(nil) }
	for range 200 {
		tick()
	}
	wantAllocs(t, "a tick of a crowd of 2,000 rows and 250 viewers", 0, tick)
}

func BenchmarkCrowd(b *testing.B) {
	for _, viewers := range []int{50, 125, 250, 500, 1000} {
		b.Run(fmt.Sprintf("%d viewers", viewers), func(b *testing.B) {
			c := newCrowd(b, spread(viewers))
			var sum made
			cells := 0
			for _, m := range c.count(50) {
				sum.blocks, sum.bytes, cells = sum.blocks+m.blocks, sum.bytes+m.bytes, cells+len(m.cells)
			}
			for range 300 { // until each viewer's lists have their size
				c.step()
				c.serve(nil)
			}
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				c.step()
				size += c.serve(nil)
			}
			b.ReportMetric(float64(cells)/50, "cells/tick")
			b.ReportMetric(float64(sum.blocks)/50, "encodings/tick")
			b.ReportMetric(float64(sum.bytes)/50, "encodedB/tick")
			b.ReportMetric(float64(size)/float64(b.N)/float64(viewers), "B/frame")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(viewers), "ns/viewer")
		})
	}
}
