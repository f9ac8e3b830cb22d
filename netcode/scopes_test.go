package netcode

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/proto"
)

type placedRow struct {
	X, Y float32 `net:"range=0:400,step=0.1"`
	HP   uint8
	Note string `net:"max=8"`
	To   uint16 `net:"server"` // 0: by place, 1: everybody, 2 to 4: the seat, 5 and 6: the team
}

type placedWorld struct {
	Rows Table[placedRow] `net:"max=60"`
}

var fourByFour = Grid{Cell: 100, Cols: 4, Rows: 4, Radius: 60}

// eyes is where the seats look; seats 1 and 2 are of team 1, seat 3 of team 2.
type eyes [4][2]float64

func (w *placedWorld) scopes(at eyes) func(*Scopes) {
	return func(sc *Scopes) {
		sc.Grid(fourByFour)
		for id, row := range w.Rows.All() {
			switch {
			case row.To == 0:
				sc.PlaceAt(&w.Rows, id, float64(row.X), float64(row.Y))
			case row.To >= 5:
				sc.Place(&w.Rows, id, Team(row.To-4))
			case row.To >= 2:
				sc.Place(&w.Rows, id, OnlySeat(Seat(row.To-1)))
			}
		}
		for seat := Seat(1); seat <= 3; seat++ {
			sc.Look(seat, at[seat][0], at[seat][1])
			sc.Join(seat, uint16(seat+1)/2)
		}
	}
}

func placedSchema(t testing.TB) *Schema {
	t.Helper()
	sc, err := Compile[placedWorld, testInput]()
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// roam changes the world and where the seats look.
func (w *placedWorld) roam(t *rapid.T, at *eyes) {
	var ids []ID
	for id := range w.Rows.All() {
		ids = append(ids, id)
	}
	for range rapid.IntRange(0, 4).Draw(t, "edits") {
		if len(ids) == 0 || rapid.IntRange(0, 3).Draw(t, "op") == 0 {
			ids = append(ids, w.Rows.Add(placedRow{
				X: rapid.Float32Range(0, 400).Draw(t, "x"), Y: rapid.Float32Range(0, 400).Draw(t, "y"),
				To: rapid.Uint16Range(0, 6).Draw(t, "to"),
			}))
			continue
		}
		i := rapid.IntRange(0, len(ids)-1).Draw(t, "row")
		row := w.Rows.Get(ids[i])
		if row == nil {
			continue
		}
		switch rapid.IntRange(0, 4).Draw(t, "what") {
		case 0:
			w.Rows.Remove(ids[i])
		case 1:
			row.To = rapid.Uint16Range(0, 6).Draw(t, "to")
		default:
			row.X += rapid.Float32Range(-60, 60).Draw(t, "dx")
			row.HP++
			row.Note = rapid.StringN(0, 3, 8).Draw(t, "note")
		}
	}
	seat := rapid.IntRange(1, 3).Draw(t, "who")
	at[seat][0] += rapid.Float64Range(-50, 50).Draw(t, "look x")
	at[seat][1] += rapid.Float64Range(-50, 50).Draw(t, "look y")
}

func TestViewersHaveExactlyTheRowsOfTheirScopes(t *testing.T) {
	sc := placedSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		var world placedWorld
		at := eyes{1: {50, 50}, 2: {200, 200}, 3: {399, 1}}
		e := NewEncoder(sc, EncoderConfig{Ring: 8, Key: 9})
		var viewers [4]*viewer
		for tick := uint32(1); tick <= 30; tick++ {
			world.roam(t, &at)
			e.CaptureScoped(tick, &world, world.scopes(at))
			for seat := Seat(1); seat <= 3; seat++ {
				v := viewers[seat]
				if v == nil {
					v = &viewer{seat: seat, dec: NewDecoder(sc)}
					viewers[seat] = v
				} else if rapid.IntRange(0, 3).Draw(t, "skip") == 0 {
					continue
				}
				if err := v.take(e, tick); err != nil {
					t.Fatalf("tick %d seat %d: %v", tick, seat, err)
				}
				var seen placedWorld
				if err := v.dec.Load(&seen); err != nil {
					t.Fatal(err)
				}
				v.dec.load.state = nil // another world each time
				scopes := e.Scopes(seat)
				for id, row := range world.Rows.All() {
					_, in := find16(scopes, e.placed[0].scope[id.slot()])
					got := seen.Rows.Get(e.placed[0].wires[id.slot()])
					if in != (got != nil) {
						t.Fatalf("tick %d seat %d row %x (to %d): seen %v, want %v", tick, seat, id, row.To, got != nil, in)
					}
					if in && (got.HP != row.HP || got.Note != row.Note) {
						t.Fatalf("tick %d seat %d: row %+v, want %+v", tick, seat, got, row)
					}
				}
				if n := seen.Rows.Len(); n > world.Rows.Len() {
					t.Fatalf("tick %d seat %d: %d rows of %d", tick, seat, n, world.Rows.Len())
				}
			}
		}
	})
}

// The bytes for a viewer must not change with what the viewer may not see: not with values, nor with how many such rows
// there are or how often they come and go.
func TestBytesDoNotDependOnHiddenRows(t *testing.T) {
	sc := placedSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		var worlds [2]placedWorld
		var encoders [2]*Encoder
		var views [2]View
		at := eyes{1: {50, 50}, 2: {50, 50}, 3: {399, 399}}
		for i := range worlds {
			encoders[i] = NewEncoder(sc, EncoderConfig{Ring: 8, Key: 9})
			worlds[i].Rows.Add(placedRow{X: 50, Y: 50})
			worlds[i].Rows.Add(placedRow{To: 5})
		}
		for tick := uint32(1); tick <= 20; tick++ {
			for i := range worlds {
				for id, row := range worlds[i].Rows.All() {
					if id.slot() == 0 {
						row.X, row.HP = 50+float32(tick), uint8(tick)
					}
				}
			}
			// In the second world things happen that seat 1 may not see: in a far cell, another seat's hand, another team.
			hiddenRow := placedRow{X: 350, Y: 350, To: rapid.SampledFrom([]uint16{0, 3, 6}).Draw(t, "to"), HP: uint8(tick)}
			if id := worlds[1].Rows.Add(hiddenRow); rapid.Bool().Draw(t, "remove") {
				worlds[1].Rows.Remove(id)
			}
			var got [2][]byte
			for i := range worlds {
				encoders[i].CaptureScoped(tick, &worlds[i], worlds[i].scopes(at))
				w := proto.NewWriter()
				for _, b := range encoders[i].Prepare(&views[i], encoders[i].Scopes(1)) {
					b.Append(w)
				}
				got[i] = append(got[i], w.Bytes()...)
			}
			if !bytes.Equal(got[0], got[1]) {
				t.Fatalf("tick %d: with hidden rows %x, without %x", tick, got[1], got[0])
			}
		}
	})
}

func TestRowsThatGoAlongABorderDoNotFlicker(t *testing.T) {
	sc := placedSchema(t)
	var world placedWorld
	id := world.Rows.Add(placedRow{X: 99, Y: 50})
	e := NewEncoder(sc, EncoderConfig{})
	changes, last := 0, uint16(0)
	for tick := uint32(1); tick <= 40; tick++ {
		world.Rows.Get(id).X = 99 + 2*float32(tick%2)
		e.CaptureScoped(tick, &world, world.scopes(eyes{}))
		if now := e.placed[0].scope[0]; now != last {
			changes, last = changes+1, now
		}
	}
	if changes != 1 {
		t.Errorf("the row changed its cell %d times", changes-1)
	}
	world.Rows.Get(id).X = 240
	e.CaptureScoped(41, &world, world.scopes(eyes{}))
	if now := e.placed[0].scope[0]; now == last {
		t.Error("the row did not change its cell although it is far into the next")
	}
}

// A card that goes through a hand must not be known again by who saw it before.
func TestRowThatComesOutOfAHiddenScopeHasAnotherName(t *testing.T) {
	sc := placedSchema(t)
	var world placedWorld
	id := world.Rows.Add(placedRow{To: 1})
	e := NewEncoder(sc, EncoderConfig{Key: 3})
	var names []ID
	for tick, to := range []uint16{1, 1, 2, 2, 1} {
		world.Rows.Get(id).To = to
		e.CaptureScoped(uint32(tick+1), &world, world.scopes(eyes{}))
		names = append(names, e.placed[0].wires[id.slot()])
	}
	if names[0] != names[1] || names[1] == names[2] || names[2] != names[3] || names[4] == names[1] {
		t.Errorf("names %x", names)
	}
}

// A seat sees the cells that are near enough to any point that it looks at, as if all had been measured.
func TestLookSeesTheCellsWithinReach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := Grid{
			MinX: -20, MinY: 5, Cell: 10, Cols: rapid.IntRange(1, 9).Draw(t, "cols"), Rows: rapid.IntRange(1, 9).Draw(t, "rows"),
			Radius: rapid.Float64Range(0, 25).Draw(t, "radius"), Far: rapid.Float64Range(0, 40).Draw(t, "far"),
		}
		var s Scopes
		var before []proto.Watch
		x, y := rapid.Float64Range(-60, 120).Draw(t, "x"), rapid.Float64Range(-60, 120).Draw(t, "y")
		for range 8 {
			s.begin(nil, nil)
			s.Grid(g)
			rates := map[uint16]int{}
			for range rapid.IntRange(0, 3).Draw(t, "looks") {
				x += rapid.Float64Range(-8, 8).Draw(t, "dx")
				y += rapid.Float64Range(-8, 8).Draw(t, "dy")
				s.Look(1, x, y)
				for cell := range uint16(g.Cols * g.Rows) {
					was := 0
					if at, had := find16(before, scopeCells+cell); had {
						was = int(before[at].Every())
					}
					every := s.grid.every(s.grid.distance(cell, x, y), was)
					if had := rates[scopeCells+cell]; every > 0 && (had == 0 || every < had) {
						rates[scopeCells+cell] = every
					}
				}
			}
			var want []proto.Watch
			for scope, every := range rates {
				want = append(want, proto.Watching(scope, every))
			}
			slices.SortFunc(want, func(a, b proto.Watch) int { return int(a.Scope()) - int(b.Scope()) })
			var got []proto.Watch
			if len(s.looks) > 1 {
				got = s.looks[1]
			}
			if !slices.Equal(got, want) {
				t.Fatalf("at %v, %v: %x, want %x", x, y, got, want)
			}
			before = slices.Clone(got)
		}
	})
}

// However viewers skip, what is encoded of a scope in a tick is bounded by the ring: a form is a distance to the newest
// state that it builds on, times one to four states.
func TestFormsAreBoundedByTheRingAndNotByTheViewers(t *testing.T) {
	sc := testSchema(t)
	var world testWorld
	id := world.Rows.Add(testRow{})
	const ring = 8
	e := NewEncoder(sc, EncoderConfig{Ring: ring})
	views := make([]View, 2000)
	most := 0
	for tick := uint32(1); tick <= 60; tick++ {
		world.Rows.Get(id).HP++
		e.Capture(tick, &world)
		for i := range views {
			if mix(uint64(i)<<32|uint64(tick))%uint64(1+i%9) == 0 { // each skips in its own way
				e.Prepare(&views[i], e.Scopes(1))
			}
		}
		forms := 0
		for i := e.cache(0).first; i > 0; i = e.made[i-1].next {
			forms++
		}
		most = max(most, forms)
	}
	if most < ring || most > states*ring {
		t.Errorf("%d forms of one scope in a tick, want %d to %d", most, ring, states*ring)
	}
}

// A viewer on a slow link gets every third tick, predicted from its last four, in bytes that it shares with the others of
// its class.
func TestViewersOfASlowClassShareBytesAndPredictFromTheirOwnFourStates(t *testing.T) {
	sc := testSchema(t)
	var world testWorld
	id := world.Rows.Add(testRow{})
	e := NewEncoder(sc, EncoderConfig{})
	var views [3]View
	dec := NewDecoder(sc)
	for tick := uint32(1); tick <= 60; tick++ {
		world.Rows.Get(id).X += 0.5
		e.Capture(tick, &world)
		if tick%3 != 0 {
			continue
		}
		var first []proto.Block
		for i := range views {
			if i == 2 && tick < 30 {
				continue // it comes later
			}
			blocks := e.Prepare(&views[i], []proto.Watch{0})
			if i == 0 {
				first = append(first, blocks...)
				if err := dec.Apply(&proto.Frame{Head: proto.Head{Tick: tick, Scopes: []proto.Watch{0}}, Blocks: blocks}); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if tick > 45 && (len(blocks) != 1 || &blocks[0].Data[0] != &first[0].Data[0]) {
				t.Fatalf("tick %d: viewer %d has bytes of its own", tick, i)
			}
		}
		if s := views[0].sent[0]; tick > 15 && (s.n != states || s.gap != 3) {
			t.Fatalf("tick %d: the viewer has %+v", tick, s)
		}
		if tick > 15 && len(first[0].Data) > 2 {
			t.Errorf("tick %d: even movement takes %d bytes", tick, len(first[0].Data))
		}
	}
}
