package netcode

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/proto"
)

type nested struct {
	A int16
	B [2]bool
}

type testRow struct {
	X, Y   float32 `net:"range=0:1000,step=0.05,predict"`
	Angle  float64 `net:"angle,bits=8"`
	Raw    float32
	HP     uint8
	Delta  int32
	Big    uint64
	Name   string `net:"max=24"`
	Blob   []byte `net:"max=8"`
	Nest   nested
	Owner  Seat
	Ammo   uint16  `net:"owner"`
	Secret float64 `net:"server"`
	hidden int     //nolint:unused // unexported: no part of the state
}

type testRound struct {
	Left uint32
	Name string `net:"max=8"`
}

type testWorld struct {
	Rows  Table[testRow] `net:"max=40"`
	Dots  Table[struct{ X int8 }]
	Round Value[testRound]
}

type testInput struct {
	Turn   int8
	Aim    float32 `net:"angle,bits=10"`
	Thrust float32 `net:"range=0:1,step=0.01"`
	Fire   bool
	Say    string `net:"max=16"`
}

type testEvent struct {
	By   Seat
	Text string `net:"max=32"`
}

func testSchema(t testing.TB) *Schema {
	t.Helper()
	sc, err := Compile[testWorld, testInput](testEvent{})
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// edit changes the world at random.
func edit(t *rapid.T, w *testWorld, tick uint32) {
	w.Round.V.Left = uint32(rapid.IntRange(0, 3).Draw(t, "left"))
	for range rapid.IntRange(0, 4).Draw(t, "edits") {
		var ids []ID
		for id := range w.Rows.All() {
			ids = append(ids, id)
		}
		switch op := rapid.IntRange(0, 9).Draw(t, "op"); {
		case op < 2 || len(ids) == 0:
			w.Rows.Add(testRow{
				X: float32(rapid.Float64Range(-10, 1010).Draw(t, "x")), Owner: Seat(rapid.IntRange(0, 3).Draw(t, "owner")),
				Name: rapid.StringN(0, 6, 24).Draw(t, "name"), Blob: rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "blob"),
				Big: rapid.Uint64().Draw(t, "big"),
			})
			w.Dots.Add(struct{ X int8 }{int8(tick)})
		case op == 2:
			w.Rows.Remove(rapid.SampledFrom(ids).Draw(t, "id"))
		default:
			row := w.Rows.Get(rapid.SampledFrom(ids).Draw(t, "id"))
			row.Y += float32(rapid.Float64Range(-30, 30).Draw(t, "dy"))
			row.Angle += rapid.Float64Range(-4, 4).Draw(t, "turn")
			row.Raw = float32(rapid.Float64().Draw(t, "raw"))
			row.Delta = rapid.Int32().Draw(t, "delta")
			row.Nest.B[1] = rapid.Bool().Draw(t, "b")
			row.Ammo = uint16(rapid.IntRange(0, 9).Draw(t, "ammo"))
			row.Secret++
			if rapid.IntRange(0, 3).Draw(t, "hand over") == 0 {
				row.Owner = Seat(rapid.IntRange(0, 3).Draw(t, "owner"))
			}
		}
	}
}

// viewer is a client at the other end of the bytes.
type viewer struct {
	public bool // it has no seat
	seat   Seat
	view   View
	prev   *proto.Head
	frame  proto.Frame
	dec    *Decoder
}

// quantised shows what a seat may see of a state, rows by their names on the wire.
func quantised(sc *Schema, w *testWorld, seat Seat, name func(table int, id ID) ID) string {
	tables, err := tablesOf(sc, w)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for i := range sc.Tables {
		t := &sc.Tables[i]
		for slot := range tables[i].slots() {
			id, p := tables[i].at(slot)
			if id == 0 {
				continue
			}
			if !t.Single {
				id = name(i, id)
			}
			out := fmt.Sprintf("%s %08x:", t.Name, id)
			for k := range t.Fields {
				f := &t.Fields[k]
				switch {
				case !f.Sent() || f.flags&flagOwner != 0 && t.Fields[t.owner].load(p) != int64(seat):
				case f.text():
					out += fmt.Sprintf(" %s=%q", f.Name, f.loadText(p))
				default:
					out += fmt.Sprintf(" %s=%d", f.Name, f.load(p))
				}
			}
			lines = append(lines, out)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestDecodedStateEqualsQuantisedStateWhateverIsSkipped(t *testing.T) {
	sc := testSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		var world testWorld
		e := NewEncoder(sc, EncoderConfig{Ring: 8, Key: rapid.Uint64Range(0, 3).Draw(t, "key")})
		onWire := func(table int, id ID) ID { return e.placed[table].wire.of(id, 0) }
		same := func(_ int, id ID) ID { return id }
		viewers := map[Seat]*viewer{}
		loaded := map[Seat]*testWorld{}
		for tick := uint32(1); tick <= uint32(rapid.IntRange(2, 40).Draw(t, "ticks")); tick++ {
			edit(t, &world, tick)
			e.Capture(tick, &world)
			for seat := Seat(1); seat <= 3; seat++ {
				v := viewers[seat]
				if v == nil {
					if rapid.Bool().Draw(t, "stay away") {
						continue
					}
					v = &viewer{seat: seat, dec: NewDecoder(sc)}
					viewers[seat], loaded[seat] = v, &testWorld{}
				} else if rapid.IntRange(0, 2).Draw(t, "skip") == 0 {
					continue
				}
				if rapid.IntRange(0, 15).Draw(t, "resync") == 0 {
					v.view.Resync(0)
				}
				if err := v.take(e, tick); err != nil {
					t.Fatalf("tick %d seat %d: %v", tick, seat, err)
				}
				if err := v.dec.Load(loaded[seat]); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(quantised(sc, &world, seat, onWire), quantised(sc, loaded[seat], seat, same)); diff != "" {
					t.Fatalf("tick %d seat %d differs (-server +client):\n%s", tick, seat, diff)
				}
			}
		}
	})
}

// take brings the newest tick to the viewer over the wire form.
func (v *viewer) take(e *Encoder, tick uint32) error {
	scopes := append([]proto.Watch(nil), e.Scopes(v.seat)...)
	if v.public {
		scopes = append(scopes[:0], e.PublicScopes()...)
	}
	blocks := e.Prepare(&v.view, scopes)
	return v.read(&proto.Head{Epoch: 7, Tick: tick, Scopes: scopes}, e.Hashes(&v.view), blocks)
}

// read takes a frame over the wire form.
func (v *viewer) read(head *proto.Head, hashes []proto.Hash, blocks []proto.Block) error {
	w := proto.NewWriter()
	head.Append(w, v.prev, hashes, len(blocks))
	for _, b := range blocks {
		b.Append(w)
	}
	v.prev = head
	r := proto.NewReader(w.Bytes())
	kind, n, err := proto.ServerKind(r)
	if err != nil {
		return err
	}
	if err := v.frame.Parse(r, kind, n); err != nil {
		return err
	}
	return v.dec.Apply(&v.frame)
}
