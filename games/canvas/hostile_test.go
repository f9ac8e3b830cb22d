package canvas

import (
	"testing"

	"muster/netcode"
	"muster/proto"
)

// FuzzCommands gives the rules whatever a client may send: each command that the schema takes is done or refused, and
// what must be so of the state is so. The bytes are commands, each behind its length.
func FuzzCommands(f *testing.F) {
	sc, err := netcode.Compile[World, Input]()
	if err != nil {
		f.Fatal(err)
	}
	seed := func(list ...Input) {
		var b []byte
		for _, in := range list {
			w := proto.NewWriter()
			if err := sc.WriteInput(w, &in); err != nil {
				f.Fatal(err)
			}
			b = append(append(b, byte(w.Len())), w.Bytes()...) //nolint:gosec // short ones
		}
		f.Add(b)
	}
	seed(
		Input{Op: Insert, N: 1, Text: "héllo\n"}, Input{Op: Insert, N: 7, At: Place{1, 2}, Text: "x"},
		Input{Op: Delete, Which: which(1, 2, 3)}, Input{Op: Insert, N: 8, At: Place{1, 3}, Text: "y"},
		Input{Op: Restore, Which: which(1, 3, 1)}, Input{Op: Caret, At: Place{1, 4}},
	)
	seed(
		Input{Op: Draw, N: 1, Width: 3, Text: "????"}, Input{Op: Extend, N: 1, Text: "AAAA"}, Input{Op: Point, X: 9, Y: 4096},
		Input{Op: Erase, Which: which(1, 1, 1)}, Input{Op: Draw, N: 9, Width: 3, Text: "??"}, Input{Op: Clear}, Input{Op: Hide},
	)
	f.Fuzz(func(t *testing.T, b []byte) {
		p := newPaper(t, 3)
		for n := 0; len(b) > 0 && n < 60; n++ {
			size := min(int(b[0]), len(b)-1)
			body := b[1 : 1+size]
			b = b[1+size:]
			var in Input
			if sc.CheckInput(body) != nil || sc.ReadInput(body, &in) != nil {
				continue
			}
			if in.Op > Clear {
				t.Fatalf("the schema takes the command %d", in.Op)
			}
			before := p.Text()
			if why := p.do(netcode.Seat(1+n%3), &in, p.tick); why != "" && p.Text() != before {
				t.Fatalf("%+v was refused (%s) and done", in, why)
			}
			p.tick += 1 + uint32(n%2)*keepSeconds*tickRate
			p.forget(p.tick, tickRate)
			p.whole()
		}
	})
}
