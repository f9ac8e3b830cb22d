package netcode_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// The golden stream of a viewer that catches up: cells at a lower rate, keyframes in parts, frames that were skipped,
// rows that went from cell to cell, and what the scopes make together.

type catchupRow struct {
	X     float64 `net:"range=0:400,step=0.5"`
	HP    uint8
	Name  string `net:"max=12"`
	Owner netcode.Seat
	Prey  netcode.ID `net:"ref=Rows"`
	Ammo  uint16     `net:"owner"`
	Plan  uint8      `net:"team"`
}

type catchupWorld struct {
	Rows  netcode.Table[catchupRow] `net:"max=40"`
	Round netcode.Value[struct{ Left uint16 }]
}

const (
	catchupTeam  = 0x401
	catchupCells = 0x800
)

// catchupGame is four cells in a line, of which the second is full. Seat 1 looks into the first, later into the third.
type catchupGame struct {
	world catchupWorld
	rng   *rand.Rand
	rows  []netcode.ID
	eye   float64
}

func newCatchupGame() *catchupGame {
	g := &catchupGame{rng: rand.New(rand.NewPCG(7, 8)), eye: 50}
	for i := range 16 {
		x := 110 + 5*float64(i)
		if i < 4 {
			x = 20 + 20*float64(i)
		}
		g.rows = append(g.rows, g.world.Rows.Add(catchupRow{
			X: x, HP: 100, Name: fmt.Sprint("row number ", i), Owner: netcode.Seat(i % 3), Ammo: uint16(i), Plan: uint8(i),
		}))
	}
	return g
}

func (g *catchupGame) row(i int) *catchupRow { return g.world.Rows.Get(g.rows[i]) }

func (g *catchupGame) step(tick uint32) {
	g.world.Round.V.Left = uint16(500 - tick/3)
	if tick%5 != 0 {
		for i := range g.rows {
			if row := g.world.Rows.Get(g.rows[i]); row != nil && i%4 == int(tick%4) {
				row.X += 0.5
				row.HP--
				row.Prey = g.rows[g.rng.IntN(len(g.rows))]
			}
		}
	}
	switch tick {
	case 9, 21, 33: // into a cell of a lower rate; at 21 and 33 some frames are skipped meanwhile
		g.row(3).X = 160
	case 14, 28, 38: // and back again
		g.row(3).X = 60
	case 17:
		g.world.Rows.Remove(g.rows[2]) // it goes, and for a client might be on its way to another cell
	case 24:
		g.row(5).Owner, g.row(5).Ammo, g.row(1).Plan = 1, 77, 200
	case 30:
		g.row(0).X = 390 // where seat 1 does not look
	case 34:
		g.eye = 250
	}
}

func (g *catchupGame) scopes(sc *netcode.Scopes) {
	sc.Grid(netcode.Grid{Cell: 100, Cols: 4, Rows: 1, Radius: 10, Far: 60, FarEvery: 4})
	for id, row := range g.world.Rows.All() {
		sc.PlaceAt(&g.world.Rows, id, row.X, 0)
	}
	sc.Every(netcode.Team(1), 2)
	sc.Join(1, 1)
	sc.Join(2, 1)
	sc.Look(1, g.eye, 0)
}

// catchupFrame is a frame, the rows by scope ("1025 team" are a team's columns) that its decoder has then, and the table
// that they make together: of rows of others the columns for an owner, and of another team those for a team, are null.
type catchupFrame struct {
	Tick   uint32             `json:"tick"`
	Hex    string             `json:"hex"`
	Rows   map[string][][]any `json:"rows"`
	Merged [][]any            `json:"merged"`
	Told   []string           `json:"told"` // of Rows, by the hooks; sorted
}

type catchupStream struct {
	Schema  string              `json:"schema"`
	Columns map[string][]string `json:"columns"`
	Frames  []catchupFrame      `json:"frames"`
}

// catchupColumns are the columns of a scope's rows, with the row's id before them.
func catchupColumns(row *netcode.Row, to string) []any {
	switch n := row.Nums; to {
	case "own":
		return []any{row.ID, n[5]}
	case "team":
		return []any{row.ID, n[6]}
	default:
		return []any{row.ID, float64(n[0]) / 2, n[1], row.Text[2], n[3], n[4]}
	}
}

func catchupRows(dec *netcode.Decoder, head *proto.Head) map[string][][]any {
	out := map[string][][]any{}
	add := func(key, to string, rows []*netcode.Row) {
		for _, row := range rows {
			out[key] = append(out[key], catchupColumns(row, to))
		}
	}
	for _, w := range head.Scopes {
		switch key := fmt.Sprint(w.Scope()); w.Scope() {
		case goldenSeat:
			add(key+" own", "own", dec.Rows(w.Scope(), "Rows"))
		case catchupTeam:
			add(key+" team", "team", dec.TeamRows(w.Scope(), "Rows"))
			add(key, "room", dec.Rows(w.Scope(), "Rows"))
		default:
			add(key, "room", dec.Rows(w.Scope(), "Rows"))
		}
	}
	return out
}

// catchupMerged is what Load made of it. A row that is kept for now has the columns that it had before.
func catchupMerged(dec *netcode.Decoder, w *catchupWorld, before [][]any, in map[any]int) [][]any {
	has := func(rows []*netcode.Row, id netcode.ID) bool {
		return slices.ContainsFunc(rows, func(r *netcode.Row) bool { return r.ID == id })
	}
	out := [][]any{}
	for id, r := range w.Rows.All() {
		row := []any{id, r.X, r.HP, r.Name, r.Owner, r.Prey, nil, nil}
		if has(dec.Rows(goldenSeat, "Rows"), id) {
			row[6] = r.Ammo
		}
		if has(dec.TeamRows(catchupTeam, "Rows"), id) {
			row[7] = r.Plan
		}
		if in[id] == 0 {
			was := before[slices.IndexFunc(before, func(b []any) bool { return b[0] == id })]
			for i, v := range []any{r.Ammo, r.Plan} {
				if row[6+i] = nil; was[6+i] != nil {
					row[6+i] = v
				}
			}
		}
		out = append(out, row)
	}
	return out
}

// catchup makes the stream, and says what it has of what it is for.
func catchup(t *testing.T) (s catchupStream, has map[string]int) {
	t.Helper()
	sc, err := netcode.Compile[catchupWorld, struct{}]()
	if err != nil {
		t.Fatal(err)
	}
	s = catchupStream{
		Schema:  hex.EncodeToString(sc.Binary()),
		Columns: map[string][]string{"room": columns(catchupRow{}, ""), "own": {"Ammo"}, "team": {"Plan"}},
	}
	has = map[string]int{}
	skipped := []uint32{11, 12, 22, 23, 34, 35}
	g := newCatchupGame()
	enc := netcode.NewEncoder(sc, netcode.EncoderConfig{Key: 5, PartBytes: 60})
	dec := netcode.NewDecoder(sc)
	var told []string
	note := func(what string) func(string, netcode.ID) {
		return func(table string, id netcode.ID) {
			if table == "Rows" {
				told = append(told, fmt.Sprintf("%s %d", what, id))
			}
		}
	}
	dec.Hook(netcode.Hooks{Added: note("add"), Changed: note("change"), Removed: note("remove")})
	var view netcode.View
	var prev *proto.Head
	var frame proto.Frame
	var world catchupWorld
	var merged [][]any
	for tick := uint32(1); tick <= 44; tick++ {
		g.step(tick)
		enc.CaptureScoped(tick, &g.world, g.scopes)
		if slices.Contains(skipped, tick) {
			continue
		}
		if tick == 26 {
			view.Resync(catchupCells + 1) // the client does not ask; it is shown what it has until the last part
		}
		head := proto.Head{Epoch: 7, Tick: tick, Lead: 1, Scopes: slices.Clone(enc.Scopes(goldenSeat))}
		blocks := enc.Prepare(&view, head.Scopes)
		for _, b := range blocks {
			if b.Part.Size > 0 {
				has["parts"]++
			}
		}
		var hashes []proto.Hash
		if tick%3 == 0 {
			hashes = enc.Hashes(&view)
			has["hashes"] += len(hashes)
		}
		b := encodeFrame(&head, prev, hashes, blocks)
		prev = &head
		if err := decodeFrame(b, &frame, dec); err != nil {
			t.Fatalf("tick %d: %v", tick, err)
		}
		told = []string{}
		if err := dec.Load(&world); err != nil {
			t.Fatal(err)
		}
		slices.Sort(told)
		f := catchupFrame{Tick: tick, Hex: hex.EncodeToString(b), Rows: catchupRows(dec, &head), Told: told}
		in := map[any]int{} // by id, in how many scopes a row is
		for _, rows := range f.Rows {
			for _, r := range rows {
				if len(r) == 6 {
					in[r[0]]++
				}
			}
		}
		f.Merged = catchupMerged(dec, &world, merged, in)
		merged = f.Merged
		for _, r := range f.Merged {
			switch in[r[0]] {
			case 0:
				has["lingering"]++
			case 2:
				has["in two scopes"]++
			}
		}
		s.Frames = append(s.Frames, f)
	}
	return s, has
}

func TestACatchingUpViewerIsTheGoldenStream(t *testing.T) {
	stream, has := catchup(t)
	for what, least := range map[string]int{"parts": 10, "hashes": 20, "lingering": 8, "in two scopes": 3} {
		if has[what] < least {
			t.Errorf("%d %s; the stream is meant to have %d", has[what], what, least)
		}
	}
	wantGolden(t, "../proto/testdata/catchup.json", stream)
}
