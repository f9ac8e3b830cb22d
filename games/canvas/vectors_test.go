package canvas

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"muster/internal/golden"
	"muster/netcode"
)

// What the page's model is held against: commands and what the text says after each, the rows in the end, points and
// ranges as they are written.
type (
	goldenFile struct {
		Edits  []goldenEdits  `json:"edits"`
		Points []goldenPoints `json:"points"`
		Ranges []goldenRanges `json:"ranges"`
		// Reasons are those for which a page sends a command again.
		Reasons []string `json:"reasons"`
	}
	goldenEdits struct {
		Steps []goldenStep `json:"steps"`
		Rows  []goldenRow  `json:"rows"`
	}
	goldenStep struct {
		Author uint16      `json:"author"`
		Op     string      `json:"op"`
		N      uint32      `json:"n"`
		At     [2]uint32   `json:"at"`
		Text   string      `json:"text"`
		Which  [][3]uint32 `json:"which"`
		Says   string      `json:"says"`
	}
	goldenRow struct {
		ID    uint32    `json:"id"`
		After uint32    `json:"after"`
		Run   [3]uint32 `json:"run"` // author, n, len
		Text  string    `json:"text"`
	}
	goldenPoints struct {
		Points [][2]int `json:"points"`
		Text   string   `json:"text"`
	}
	goldenRanges struct {
		Ranges [][3]uint32 `json:"ranges"`
		Which  string      `json:"which"` // hexadecimal
	}
)

func edits(t *testing.T, seed uint64, people, steps int) (g goldenEdits) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 9))
	p := newPaper(t, people)
	letters := []rune("abc dé😀\n")
	known := []Place{{}}
	for range steps {
		seat := netcode.Seat(1 + rng.IntN(people)) //nolint:gosec // few
		a := p.author(p.cursor(seat).Author)
		in := Input{Op: Insert, N: a.Next, At: known[max(0, len(known)-1-rng.IntN(8))]}
		step := goldenStep{Author: a.Number, Which: [][3]uint32{}}
		if rng.IntN(5) < 2 && len(known) > 4 {
			in = Input{Op: Delete + Op(rng.IntN(2))} //nolint:gosec // Delete or Restore
			for _, author := range []uint16{1, 2} {
				first := uint32(1)
				for next := p.author(author).Next; first < next && len(step.Which) < 4; {
					from := first + rng.Uint32N(next-first)
					count := 1 + rng.Uint32N(min(4, next-from))
					step.Which = append(step.Which, [3]uint32{uint32(author), from, count})
					in.Which = AppendRange(in.Which, author, from, count)
					first = from + count
				}
			}
		} else {
			text := make([]rune, 1+rng.IntN(4))
			for i := range text {
				text[i] = letters[rng.IntN(len(letters))]
				known = append(known, Place{a.Number, in.N + uint32(i)}) //nolint:gosec // few
			}
			in.Text = string(text)
		}
		p.does(seat, in)
		step.Op, step.N, step.At, step.Text = in.Op.EnumNames()[in.Op], in.N, [2]uint32{uint32(in.At.Author), in.At.N}, in.Text
		step.Says = p.Text()
		g.Steps = append(g.Steps, step)
	}
	for id, r := range p.Runs.All() {
		g.Rows = append(g.Rows, goldenRow{uint32(id), uint32(r.After), [3]uint32{uint32(r.Author), r.N, uint32(r.Len)}, r.Text})
	}
	return g
}

func TestThePagesGoldenFileIsWhatTheRulesDo(t *testing.T) {
	const file = "testdata/golden.json"
	g := goldenFile{Reasons: []string{refusedPlace, refusedNumber, refusedChars, refusedPieces}, Edits: []goldenEdits{edits(t, 1, 2, 60), edits(t, 2, 3, 150)}}
	rng := rand.New(rand.NewPCG(3, 9))
	for n := range 6 {
		var one goldenPoints
		var list []point
		for range n * n {
			list = append(list, point{rng.IntN(BoardWidth + 1), rng.IntN(BoardHeight + 1)})
		}
		one.Points = [][2]int{}
		for _, p := range list {
			one.Points = append(one.Points, [2]int{p.x, p.y})
		}
		one.Text = textOf(list)
		g.Points = append(g.Points, one)
	}
	for _, list := range [][][3]uint32{{{1, 1, 1}}, {{1, 127, 128}, {2, 300, 70000}}, {{65535, 1 << 31, 1<<31 - 2}}} {
		var b []byte
		for _, r := range list {
			b = AppendRange(b, uint16(r[0]), r[1], r[2]) //nolint:gosec // a uint16
		}
		if _, ok := ranges(b); !ok {
			t.Fatalf("%v are no ranges", list)
		}
		g.Ranges = append(g.Ranges, goldenRanges{list, hex.EncodeToString(b)})
	}
	got, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	got = append(bytes.ReplaceAll(got, []byte(`{"author"`), []byte("\n{\"author\"")), '\n')
	golden.Check(t, file, got, "run go test ./games/canvas -update")
	if !slices.ContainsFunc(g.Edits[1].Steps, func(s goldenStep) bool { return s.Op == "Restore" }) {
		t.Error("nothing is brought back")
	}
}
