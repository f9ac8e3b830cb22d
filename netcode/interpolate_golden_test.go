package netcode_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"muster/netcode"
)

// rowMix is two states of a row and what it shows at positions between and beyond them. Rows are those of a client with
// seat 1: of others' it has no columns that are the owner's.
type rowMix struct {
	About string         `json:"about"`
	A     map[string]any `json:"a"`
	B     map[string]any `json:"b"`
	Shown []rowShown     `json:"shown"`
}

// rowShown has the columns that differ from those of the row from which all else comes: a, or b where it is reached.
type rowShown struct {
	At     float64        `json:"at"`
	Glides map[string]any `json:"glides"`
}

// seenRow is a row as a client with seat 1 has it.
func seenRow(r *goldenRow) map[string]any {
	out := map[string]any{}
	for _, l := range leaves(reflect.ValueOf(*r), "", "", nil) {
		if l.audience() != "owner" || r.Owner == goldenSeat {
			out[l.name] = l.value
		}
	}
	return out
}

func mixVectors(t *testing.T) []rowMix {
	sc := goldenSchema(t)
	angles := func(a, b float64) [2]goldenRow { return [2]goldenRow{{Angle: a, Fine: a}, {Angle: b, Fine: b}} }
	part := 2 * math.Pi / 65536
	cases := []struct {
		about string
		rows  [2]goldenRow
	}{
		{"nothing changes", [2]goldenRow{{Fixed: 3, F64: math.Copysign(0, -1)}, {Fixed: 3, F64: math.Copysign(0, -1)}}},
		{"floats glide, numbers that count, flags and text wait", [2]goldenRow{
			{Fixed: -1, Wide: 1.001, F32: 0.1, F64: 0.1, U8: 1, I64: -1, Flag: true, Name: "a", Blob: []byte{1}, Kind: 1},
			{Fixed: 2.35, Wide: 8e12, F32: 0.7, F64: 1e300, U8: 9, I64: 1, Name: "b", Blob: []byte{2, 3}, Kind: 2},
		}},
		{"an angle goes on over the full turn", angles(6.2, 0.1)},
		{"an angle goes back over the full turn", angles(0.1, 6.2)},
		{"one part back from zero", angles(0, -part)},
		{"one part on to zero", angles(-part, 0)},
		{"exactly half a turn: back", angles(0, math.Pi)},
		{"a part less than half a turn: on", angles(0, math.Pi-part)},
		{"beyond the range's end nothing goes on", [2]goldenRow{{Fixed: 99, Wide: 1}, {Fixed: 99.9, Wide: 0.25}}},
		{"raw floats that are not finite wait", [2]goldenRow{
			{F32: float32(math.Inf(1)), F64: math.NaN()}, {F32: 1, F64: 1},
		}},
		{"raw floats too large to go on wait", [2]goldenRow{
			{F32: -math.MaxFloat32, F64: -math.MaxFloat64}, {F32: math.MaxFloat32, F64: math.MaxFloat64},
		}},
		{"the owner's columns glide for the owner", [2]goldenRow{{Owner: 1, Aim: 1, Ammo: 5}, {Owner: 1, Aim: 2, Ammo: 4}}},
		{"and are not there for others", [2]goldenRow{{Owner: 2, Aim: 1}, {Owner: 2, Aim: 2}}},
		{"a row that is handed over: they wait", [2]goldenRow{{Owner: 1, Aim: 1, Fixed: 1}, {Owner: 2, Aim: 2, Fixed: 2}}},
		{"a row that is taken over: they come with it", [2]goldenRow{
			{Owner: 2, Aim: 1, Fixed: 1}, {Owner: 1, Aim: 2, Fixed: 2},
		}},
	}
	p := play{rng: rand.New(rand.NewPCG(5, 6))}
	for i := range 8 {
		a := p.row(uint32(i))
		b := a
		p.turn(&b)
		cases = append(cases, struct {
			about string
			rows  [2]goldenRow
		}{fmt.Sprint("random rows ", i), [2]goldenRow{a, b}})
	}
	var list []rowMix
	for _, c := range cases {
		var states [2]goldenWorld
		var seen [2]map[string]any
		for i := range c.rows {
			var exact goldenWorld
			id := exact.Ships.Add(c.rows[i])
			if err := sc.Snap(&states[i], &exact); err != nil {
				t.Fatal(err)
			}
			row := states[i].Ships.Get(id)
			if row.Owner != goldenSeat {
				row.Ammo, row.Aim, row.Note, row.Ledger = 0, 0, "", 0
			}
			seen[i] = seenRow(row)
		}
		v := rowMix{About: c.about, A: seen[0], B: seen[1]}
		for _, at := range []float64{0, 1.0 / 256, 0.1, 0.5, 255.0 / 256, 1, 1.5, 3} {
			var out goldenWorld
			if err := sc.Mix(&out, &states[0], &states[1], at); err != nil {
				t.Fatal(err)
			}
			base := seen[0]
			if at >= 1 {
				base = seen[1]
			}
			for _, row := range out.Ships.All() {
				glides := seenRow(row)
				for name, value := range glides {
					if reflect.DeepEqual(value, base[name]) {
						delete(glides, name)
					}
				}
				v.Shown = append(v.Shown, rowShown{at, glides})
			}
		}
		list = append(list, v)
	}
	return list
}

type glider struct {
	X     float64 `net:"range=0:100,step=0.25"`
	Angle float64 `net:"angle"`
	HP    uint8
}

type glideRound struct{ Left uint32 }

type glideWorld struct {
	Gliders netcode.Table[glider] `net:"max=8"`
	Round   netcode.Value[glideRound]
}

// playoutVector is a scenario: states that are pushed, and what is shown.
type playoutVector struct {
	About   string             `json:"about"`
	Options map[string]float64 `json:"options"`
	Steps   []playoutStep      `json:"steps"`
}

// playoutStep is a push of a state, a look at what is shown, or a reset; after it the delay is as it says.
type playoutStep struct {
	Push  uint32                        `json:"push,omitempty"` // the tick; 0: not a push
	Reset bool                          `json:"reset,omitempty"`
	Now   float64                       `json:"now"`
	Shown *float64                      `json:"shown,omitempty"`
	Delay float64                       `json:"delay"`
	Rows  map[string]map[netcode.ID]any `json:"rows,omitempty"` // that are pushed, or shown
}

// playoutScript records a scenario.
type playoutScript struct {
	t    *testing.T
	p    *netcode.Playout[glideWorld]
	out  glideWorld
	rows bool // rows are recorded
	v    playoutVector
}

func newScript(t *testing.T, about string, cfg netcode.PlayoutConfig) *playoutScript {
	t.Helper()
	sc, err := netcode.Compile[glideWorld, struct{}]()
	if err != nil {
		t.Fatal(err)
	}
	p, err := netcode.NewPlayout[glideWorld](sc, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &playoutScript{t: t, p: p, rows: true, v: playoutVector{About: about, Options: map[string]float64{}}}
	for name, v := range map[string]float64{
		"minDelay": cfg.MinDelay, "maxDelay": cfg.MaxDelay, "extrapolate": cfg.Extrapolate,
		"catchUp": cfg.CatchUp, "snap": cfg.Snap,
	} {
		if v != 0 {
			s.v.Options[name] = v
		}
	}
	return s
}

func (s *playoutScript) step(st playoutStep, w *glideWorld) {
	st.Delay = s.p.Delay()
	if s.rows && w != nil {
		st.Rows = map[string]map[netcode.ID]any{"Gliders": {}, "Round": {1: fieldsOf(w.Round.V)}}
		for id, g := range w.Gliders.All() {
			st.Rows["Gliders"][id] = fieldsOf(*g)
		}
	}
	s.v.Steps = append(s.v.Steps, st)
}

func (s *playoutScript) push(tick uint32, w *glideWorld, now float64) {
	s.p.Push(tick, w, now)
	s.step(playoutStep{Push: tick, Now: now}, w)
}

func (s *playoutScript) look(now float64) {
	st := playoutStep{Now: now}
	shown, ok := s.p.At(now, &s.out)
	if !ok {
		s.step(st, nil)
		return
	}
	st.Shown = &shown
	s.step(st, &s.out)
}

func (s *playoutScript) reset() {
	s.p.Reset()
	s.step(playoutStep{Reset: true}, nil)
}

func playoutVectors(t *testing.T) []playoutVector {
	var list []playoutVector
	looks := func(s *playoutScript, from, to, step float64) {
		for now := from; now < to; now += step {
			s.look(now)
		}
	}

	s := newScript(t, "rows come, go, turn over zero and take the place of another", netcode.PlayoutConfig{
		MinDelay: 2, MaxDelay: 2,
	})
	var w glideWorld
	s.look(0)
	a := w.Gliders.Add(glider{X: 10, Angle: 2 * math.Pi * 250 / 256, HP: 100})
	b := w.Gliders.Add(glider{X: 50, HP: 7})
	w.Round.V.Left = 9
	s.push(100, &w, 100)
	s.look(100)
	w.Gliders.Get(a).X, w.Gliders.Get(a).Angle, w.Gliders.Get(a).HP = 12, 2*math.Pi*4/256, 90
	w.Gliders.Remove(b)
	w.Round.V.Left = 8
	s.push(101, &w, 101)
	w.Gliders.Add(glider{X: 51}) // where b was
	s.push(102, &w, 102)
	w.Gliders.Get(a).X = 14
	s.push(104, &w, 104) // 103 was skipped
	looks(s, 102, 107.5, 0.3125)
	list = append(list, s.v)

	s = newScript(t, "rows go on for three ticks when nothing comes, then stand; one with one state stands", netcode.PlayoutConfig{
		MinDelay: 1, MaxDelay: 4, Extrapolate: 3,
	})
	w = glideWorld{}
	a = w.Gliders.Add(glider{X: 94, Angle: 2 * math.Pi * 200 / 256})
	s.push(10, &w, 10.5)
	looks(s, 11, 14, 1)
	w.Gliders.Get(a).X, w.Gliders.Get(a).Angle = 97, 2*math.Pi*220/256
	w.Gliders.Add(glider{X: 1})
	s.push(11, &w, 14)
	looks(s, 14, 20, 0.75)
	s.push(17, &w, 20) // it ran dry: the delay grows at once
	looks(s, 20, 24, 1)
	list = append(list, s.v)

	s = newScript(t, "states out of order, twice, and older than a full buffer; a new epoch", netcode.PlayoutConfig{
		MinDelay: 1, MaxDelay: 1,
	})
	w = glideWorld{}
	a = w.Gliders.Add(glider{})
	for _, tick := range []uint32{20, 23, 21, 22, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 20, 32} {
		w.Gliders.Get(a).X = float64(tick)
		s.push(tick, &w, float64(tick))
	}
	s.look(24.5) // before all that is kept
	s.look(31.25)
	s.look(29) // time does not go back
	s.reset()
	s.look(33)
	s.push(5, &w, 5.5)
	s.look(5.5)
	list = append(list, s.v)

	s = newScript(t, "a row that is put elsewhere neither glides there nor goes on so", netcode.PlayoutConfig{
		MinDelay: 1, MaxDelay: 1, Snap: 8,
	})
	w = glideWorld{}
	a = w.Gliders.Add(glider{X: 10})
	b = w.Gliders.Add(glider{X: 10, Angle: 1})
	s.push(10, &w, 10)
	w.Gliders.Get(a).X, w.Gliders.Get(b).X, w.Gliders.Get(b).Angle = 18, 18.25, 2
	s.push(11, &w, 11)
	looks(s, 11, 14, 0.375)
	w.Gliders.Get(a).X, w.Gliders.Get(b).X = 90, 20
	s.push(12, &w, 14)
	looks(s, 14, 16, 0.5)
	list = append(list, s.v)

	s = newScript(t, "after a gap what is shown catches up", netcode.PlayoutConfig{MinDelay: 1, MaxDelay: 3, CatchUp: 2})
	w = glideWorld{}
	a = w.Gliders.Add(glider{})
	next := uint32(1)
	for now := 1.0; now < 60; now += 0.375 {
		for ; float64(next) <= now && (now < 10 || now > 30); next++ { // 20 ticks of nothing, and then all at once
			w.Gliders.Get(a).X = float64(next)
			s.push(next, &w, now)
		}
		s.look(now)
		if now == 40 {
			s.look(39) // the clock is put back
		}
	}
	w.Gliders.Get(a).X = 99
	s.push(200, &w, 200) // too long a gap
	s.look(200)
	s.look(201)
	list = append(list, s.v)

	for _, line := range []struct {
		about              string
		way, jitter, burst float64
		every              uint32
	}{
		{"a good line", 0.5, 0.1, 0, 1},
		{"a line with jitter", 1, 1.5, 0, 1},
		{"every third frame alone", 1, 0.3, 0, 3},
		{"a line that stalls for eight ticks", 0.7, 0.2, 8, 1},
		{"a line that is longer than the longest delay", 14, 0.5, 0, 1},
	} {
		s = newScript(t, line.about, netcode.PlayoutConfig{})
		s.rows = false
		rng := rand.New(rand.NewPCG(8, 9))
		now := 0.0
		for tick := line.every; tick <= 90; tick += line.every {
			late := line.way + float64(line.jitter*rng.Float64())
			if tick > 30 && float64(tick) < 30+line.burst {
				late += 30 + line.burst - float64(tick)
			}
			now = max(now, float64(tick)+late)
			s.look(now)
			s.push(tick, &w, now)
		}
		list = append(list, s.v)
	}
	return list
}

func TestInterpolationIsTheGoldenValues(t *testing.T) {
	sc, err := netcode.Compile[glideWorld, struct{}]()
	if err != nil {
		t.Fatal(err)
	}
	wantGolden(t, "../proto/testdata/interpolate.json", map[string]any{
		"rows":    mixVectors(t),
		"schema":  hex.EncodeToString(sc.Binary()), // of what is played out; that of the rows is in state.json
		"playout": playoutVectors(t),
	})
}
