package canvas

import (
	"math/rand/v2"
	"strings"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// full is a room with 100 KB of text, typed by four in turns, and 10,000 lines.
func full(tb testing.TB) *World {
	tb.Helper()
	sc, err := netcode.Compile[World, Input]()
	if err != nil {
		tb.Fatal(err)
	}
	w := &World{}
	if err := sc.Bind(w); err != nil {
		tb.Fatal(err)
	}
	const people = 4
	for i := range people {
		a := w.authorOf(string(rune('a' + i)))
		w.Cursors.Add(Cursor{Owner: netcode.Seat(i + 1), Author: a.Number})
	}
	rng := rand.New(rand.NewPCG(1, 2))
	do := func(seat netcode.Seat, in Input) {
		if why := w.do(seat, &in, 1); why != "" {
			tb.Fatalf("%v: %s", in.Op, why)
		}
	}
	words := strings.Repeat("lorem ipsum dolor sit amet ", 4)
	for at := (Place{}); w.indexed().text < 100_000; {
		seat := netcode.Seat(rng.IntN(people) + 1)
		a := w.author(w.cursor(seat).Author)
		text := words[:20+rng.IntN(70)]
		do(seat, Input{Op: Insert, N: a.Next, At: at, Text: text})
		at = Place{a.Number, a.Next - 1}
	}
	for range 10_000 {
		seat := netcode.Seat(rng.IntN(people) + 1)
		b := AppendPoint(nil, rng.IntN(BoardWidth-1000)+500, rng.IntN(BoardHeight-1000)+500)
		for range 40 + rng.IntN(40) {
			b = AppendPoint(b, rng.IntN(25)-12, rng.IntN(25)-12)
		}
		do(seat, Input{Op: Draw, N: w.Board.V.Clock + 1, Colour: 3, Width: 4, Text: string(b)})
	}
	return w
}

// BenchmarkTick is what a tick of a full room costs its server, for its rules, the state's sums, the encoder and the
// frames of one viewer, when nobody does anything, when one types, and when one draws.
func BenchmarkTick(b *testing.B) {
	for name, do := range map[string]func(w *World, tick uint32) Input{
		"idle": nil,
		"types": func(w *World, _ uint32) Input {
			a := w.author(1)
			return Input{Op: Insert, N: a.Next, At: w.cursor(1).Caret, Text: "x"}
		},
		"draws": func(w *World, tick uint32) Input {
			p := AppendPoint(nil, 100+int(tick%1000), 100+int(tick%77))
			if tick%10 == 0 {
				return Input{Op: Draw, N: w.Board.V.Clock + 1, Colour: 1, Width: 1, Text: string(p)}
			}
			return Input{Op: Extend, N: w.author(1).Last, Text: string(p)}
		},
	} {
		b.Run(name, func(b *testing.B) {
			w := full(b)
			sc, _ := netcode.Compile[World, Input]()
			driver := netcode.NewDriver[World, Input](w, netcode.DriverConfig{Rate: tickRate, Schema: sc})
			enc, view := netcode.NewEncoder(sc, netcode.EncoderConfig{Key: 5}), netcode.View{}
			var sums []uint64
			known := sc.NewSums()
			tick, bytes := uint32(20), 0
			run := func() {
				tick++
				driver.Begin(tick)
				if do != nil {
					in := do(w, tick)
					driver.Input(1, tick, tick, 0, &in)
				}
				driver.Run(Canvas{}.Step)
				if refused := driver.Refused(); len(refused) > 0 {
					b.Fatal(refused)
				}
				sums, _ = known.ColumnSums(w, sums[:0])
				enc.Capture(tick, w)
				for _, block := range enc.Prepare(&view, []proto.Watch{0}) {
					bytes += len(block.Data)
				}
			}
			for range 100 {
				run()
			}
			bytes = 0
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
			b.ReportMetric(float64(bytes)/float64(b.N), "wire-B/op")
		})
	}
}
