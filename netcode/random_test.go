package netcode

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A property test over schemas that nobody wrote: whatever the columns, the edits, and who comes, skips and moves, each
// viewer has exactly what the server has quantised, in every scope and for every audience, in both forms.

// randomSchema draws tables of columns of every kind.
func randomSchema(t *rapid.T) *Schema {
	tables := make([]TableInfo, rapid.IntRange(1, 3).Draw(t, "tables"))
	for i := range tables {
		tables[i] = TableInfo{Name: fmt.Sprint("T", i), Max: rapid.SampledFrom([]int{1, 3, 20, 300}).Draw(t, "max")}
	}
	for i := range tables {
		owned := rapid.Bool().Draw(t, "owned")
		for c := range rapid.IntRange(1, 6).Draw(t, "fields") {
			f := randomField(t, len(tables))
			f.Name = fmt.Sprint("F", c)
			if owned {
				f.flags = rapid.SampledFrom([]uint8{0, flagOwner, flagTeam}).Draw(t, "flags")
			}
			tables[i].Fields = append(tables[i].Fields, f)
		}
		if owned {
			tables[i].Fields = append(tables[i].Fields, Field{Name: "Owner", Kind: KindUint, Bits: 16, flags: flagSeat})
		}
	}
	sc, err := NewSchema(tables...)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func randomField(t *rapid.T, tables int) Field {
	f := Field{Kind: Kind(rapid.IntRange(1, 12).Draw(t, "kind"))} //nolint:gosec // small
	switch f.Kind {
	case KindInt, KindUint:
		f.Bits = rapid.SampledFrom([]uint8{8, 16, 32, 64}).Draw(t, "bits")
	case KindAngle:
		f.Bits = uint8(rapid.IntRange(1, 16).Draw(t, "bits")) //nolint:gosec // small
	case KindString, KindBytes, KindLen:
		f.Max = rapid.IntRange(1, 20).Draw(t, "max")
	case KindFixed:
		f.Min, f.Step = -5, 0.25
		f.Top = rapid.SampledFrom([]int64{0, 1, 1000, 1<<40 - 1, 1 << 40, 1<<53 - 1}).Draw(t, "top")
	case KindEnum:
		f.Names = []string{"a", "b", "c", "d", "e"}[:rapid.IntRange(1, 5).Draw(t, "names")]
	case KindRef:
		f.Ref = rapid.IntRange(0, tables-1).Draw(t, "ref")
	}
	return f
}

// randomValue draws a value of a column, mostly one near the last.
func randomValue(t *rapid.T, f *Field, last int64) int64 {
	near := last + int64(rapid.IntRange(-3, 3).Draw(t, "step"))
	if rapid.IntRange(0, 3).Draw(t, "near") > 0 && f.valid(near) {
		return near
	}
	if f.width() == 64 {
		return rapid.Int64().Draw(t, "value")
	}
	v := f.fromPlain(rapid.Uint64Range(0, 1<<f.width()-1).Draw(t, "bits"))
	if !f.valid(v) || f.Kind == KindFloat32 && f.value(v) != f.value(v) { // the bits of a NaN need not survive
		return 0
	}
	return v
}

// randomGame is a state that is edited at random, and who may see what of it.
type randomGame struct {
	sc    *Schema
	state *Dynamic
	where [][]uint16 // by table and slot: 0 the room, 1–3 a seat, 4–5 a team, 6 and more a cell
	teams [4]uint16
	eyes  [4]float64
	far   bool
}

func newRandomGame(t *rapid.T) *randomGame {
	g := &randomGame{sc: randomSchema(t), far: rapid.Bool().Draw(t, "far")}
	var err error
	if g.state, err = NewDynamic(g.sc); err != nil {
		t.Fatal(err)
	}
	g.where = make([][]uint16, len(g.state.tables))
	return g
}

func (g *randomGame) edit(t *rapid.T) {
	for i, table := range g.state.tables {
		for id, row := range table.All() {
			switch rapid.IntRange(0, 9).Draw(t, "edit") {
			case 0:
				table.Remove(id)
				continue
			case 1, 2, 3:
				g.change(t, table, row)
			case 4:
				g.where[i][id.slot()] = uint16(rapid.IntRange(0, 12).Draw(t, "where")) //nolint:gosec // small
			}
		}
		for range rapid.IntRange(0, 2).Draw(t, "adds") {
			if id := table.Add(); id != 0 {
				row, _ := table.Get(id)
				g.change(t, table, row)
				for len(g.where[i]) <= id.slot() {
					g.where[i] = append(g.where[i], 0)
				}
				g.where[i][id.slot()] = uint16(rapid.IntRange(0, 12).Draw(t, "where")) //nolint:gosec // small
			}
		}
	}
	seat := rapid.IntRange(1, 3).Draw(t, "seat")
	g.teams[seat] = uint16(rapid.IntRange(0, 2).Draw(t, "team")) //nolint:gosec // small
	g.eyes[seat] = rapid.Float64Range(0, 8).Draw(t, "eye")
}

func (g *randomGame) change(t *rapid.T, table *DynamicTable, row DynamicRow) {
	for c := range table.info.Fields {
		switch f := &table.info.Fields[c]; {
		case rapid.IntRange(0, 2).Draw(t, "leave") == 0:
		case f.Name == "Owner":
			row.SetInt(c, int64(rapid.IntRange(0, 3).Draw(t, "owner")))
		case f.Kind == KindRef:
			var ids []ID
			for id := range g.state.tables[f.Ref].All() {
				ids = append(ids, id)
			}
			if len(ids) > 0 {
				row.SetInt(c, int64(rapid.SampledFrom(ids).Draw(t, "ref")))
			}
		case f.Kind == KindString:
			row.SetText(c, rapid.StringN(0, -1, f.Max).Draw(t, "text"))
		case f.Kind == KindBytes:
			row.SetText(c, string(rapid.SliceOfN(rapid.Byte(), 0, f.Max).Draw(t, "bytes")))
		default:
			row.SetInt(c, randomValue(t, f, row.Int(c)))
		}
	}
}

// scopes is the game's hook: cells are of length 1 on a line.
func (g *randomGame) scopes(sc *Scopes) {
	grid := Grid{Cell: 1, Cols: 8, Rows: 1, Radius: 0.5}
	if g.far {
		grid.Far, grid.FarEvery = 2, 3
	}
	sc.Grid(grid)
	sc.Every(Team(2), 2)
	for i, table := range g.state.tables {
		for id := range table.All() {
			switch at := g.where[i][id.slot()]; {
			case at >= 6:
				sc.PlaceAt(&table.rows, id, float64(at-6)+0.5, 0.5)
			case at >= 4:
				sc.Place(&table.rows, id, Team(at-3))
			case at >= 1:
				sc.Place(&table.rows, id, OnlySeat(Seat(at)))
			}
		}
	}
	for seat := Seat(1); seat <= 3; seat++ {
		if g.teams[seat] > 0 {
			sc.Join(seat, g.teams[seat])
		}
		sc.Look(seat, g.eyes[seat], 0.5)
	}
}

// want lists a scope's rows for an audience, as the server has them.
func (g *randomGame) want(e *Encoder, scope uint16, table int, to audience) string {
	info := &g.sc.Tables[table]
	p := &e.placed[table]
	var lines []string
	for id, row := range g.state.tables[table].All() {
		s := id.slot()
		key := p.scope[s]
		if to != everyone {
			if key = uint16(row.Int(info.owner)); to == teams && g.teams[key] > 0 { //nolint:gosec // a seat
				key = Team(g.teams[key]).n
			}
		}
		if key != scope {
			continue
		}
		line := fmt.Sprintf("%08x", p.wires[s])
		for _, c := range info.columns(to) {
			f := &info.Fields[c]
			switch {
			case f.text():
				line += fmt.Sprintf(" %q", row.Text(c))
			case f.Kind == KindRef:
				line += fmt.Sprint(" ", g.wire(e, f.Ref, ID(row.Int(c)), key)) //nolint:gosec // an id
			default:
				line += fmt.Sprint(" ", row.Int(c))
			}
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// wire is a reference as a scope has it.
func (g *randomGame) wire(e *Encoder, table int, id ID, scope uint16) ID {
	if _, ok := g.state.tables[table].Get(id); !ok {
		return 0
	}
	p := &e.placed[table]
	if at := p.scope[id.slot()]; (isSeat(at) || isTeam(at)) && at != scope {
		return 0
	}
	return p.wires[id.slot()]
}

// have lists what a decoder has.
func have(d *Decoder, info *TableInfo, scope uint16, to audience) string {
	var lines []string
	for _, row := range d.rows(scope, info.Name, to) {
		line := fmt.Sprintf("%08x", row.ID)
		for _, c := range info.columns(to) {
			if info.Fields[c].text() {
				line += fmt.Sprintf(" %q", row.Text[c])
			} else {
				line += fmt.Sprint(" ", row.Nums[c])
			}
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestViewersOfRandomSchemasHaveWhatTheServerHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newRandomGame(t)
		e := NewEncoder(g.sc, EncoderConfig{Ring: 8, Key: rapid.Uint64().Draw(t, "key"), PartBytes: rapid.SampledFrom([]int{0, 4, 40}).Draw(t, "part")})
		var viewers [4]*viewer
		for tick := uint32(1); tick <= 24; tick++ {
			g.edit(t)
			e.CaptureScoped(tick, g.state, g.scopes)
			for seat := Seat(1); seat <= 3; seat++ {
				v := viewers[seat]
				switch op := rapid.IntRange(0, 9).Draw(t, "viewer"); {
				case op == 0 && v != nil:
					viewers[seat] = nil // leaves, and joins anew later
					continue
				case v == nil:
					v = &viewer{seat: seat, dec: NewDecoder(g.sc)}
					if v.view.Plain = rapid.Bool().Draw(t, "plain"); v.view.Plain {
						v.dec = NewPlainDecoder(g.sc)
					}
					viewers[seat] = v
				case op <= 3:
					continue // skips
				}
				if err := v.take(e, tick); err != nil {
					t.Fatalf("tick %d seat %d: %v", tick, seat, err)
				}
				g.compare(t, e, v, tick)
			}
		}
	})
}

// compare looks at every scope that the viewer was brought to the newest tick in.
func (g *randomGame) compare(t *rapid.T, e *Encoder, v *viewer, tick uint32) {
	for scope, s := range v.dec.scopes { // the order does not matter: any failure fails
		if has := v.view.last(scope, new(int)); s.at[0] == tick && (has == nil || has.key != nil || has.tick != tick) {
			t.Fatalf("tick %d seat %d scope %#x: the client takes what it has for the newest, the server does not: %+v", tick, v.seat, scope, has)
		}
	}
	for _, s := range v.view.sent {
		if s.key != nil || s.tick != tick {
			continue
		}
		for i := range g.sc.Tables {
			for to := everyone; to < audiences; to++ {
				if p := (&part{to: to}); !p.of(s.scope) || len(g.sc.Tables[i].columns(to)) == 0 {
					continue
				}
				if want, got := g.want(e, s.scope, i, to), have(v.dec, &g.sc.Tables[i], s.scope, to); want != got {
					t.Fatalf("tick %d seat %d scope %#x table %d audience %d: have\n%s\nwant\n%s", tick, v.seat, s.scope, i, to, got, want)
				}
			}
		}
	}
}

// A viewer that misses nothing is in step at most one frame after the slowest scope was due.
func TestEveryScopeComesInTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newRandomGame(t)
		e := NewEncoder(g.sc, EncoderConfig{Ring: 8})
		v := viewer{seat: 1, dec: NewDecoder(g.sc)}
		phase := uint32(rapid.IntRange(1, 3).Draw(t, "every")) //nolint:gosec // small
		for tick := uint32(1); tick <= 40; tick++ {
			g.edit(t)
			e.CaptureScoped(tick, g.state, g.scopes)
			if tick%phase != 0 {
				continue
			}
			if err := v.take(e, tick); err != nil {
				t.Fatalf("tick %d: %v", tick, err)
			}
			for _, w := range e.Scopes(1) {
				if s := v.view.last(w.Scope(), new(int)); s == nil || tick-s.tick >= 2*w.Every()+phase {
					t.Fatalf("tick %d: scope %#x, due each %d ticks, is at %+v", tick, w.Scope(), w.Every(), s)
				}
			}
		}
	})
}
