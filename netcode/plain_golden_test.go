package netcode_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// The golden stream of the plain form: for clients that have a MessagePack library and no decoder of bits.

type plainRow struct {
	X      float64 `net:"range=0:100,step=0.25"`
	Facing float64 `net:"angle"`
	F32    float32
	F64    float64
	Big    int64
	Huge   uint64
	Low    int16
	On     bool
	Name   string `net:"max=40"`
	Blob   []byte `net:"max=8"`
	Mode   goldenMode
	Marks  []uint16   `net:"max=2"`
	Prey   netcode.ID `net:"ref=Rows"`
	Owner  netcode.Seat
	Ammo   uint16 `net:"owner"`
	Orders string `net:"team,max=8"`
}

type plainWorld struct {
	Rows  netcode.Table[plainRow] `net:"max=30"`
	Round netcode.Value[struct {
		Left uint16
		Name string `net:"max=200"`
	}]
}

// plainFrame is a frame, and by scope the parts that its reader has then, each a list of rows: an id and its values.
// Where a keyframe of a scope is not whole yet, what was there before counts.
type plainFrame struct {
	About string               `json:"about,omitempty"`
	Tick  uint32               `json:"tick"`
	Hex   string               `json:"hex"`
	Rows  map[string][][][]any `json:"rows"`
}

type plainStream struct {
	Schema string       `json:"schema"`
	Frames []plainFrame `json:"frames"`
}

type plainGame struct {
	world plainWorld
	ids   []netcode.ID
}

func (g *plainGame) step(tick uint32) {
	rows := &g.world.Rows
	switch tick {
	case 1:
		for i := range 3 {
			g.ids = append(g.ids, rows.Add(plainRow{
				X: 10 * float64(i), Name: []string{"ann", "Åsa 🂡", ""}[i], Owner: netcode.Seat(i), Ammo: 7, Orders: "hold",
				Big: math.MinInt64, Huge: math.MaxUint64, Low: -200, Blob: []byte{0, 255}[:i], Marks: []uint16{1, 200}[:i],
			}))
		}
		g.world.Round.V.Left = 500
	case 2:
		r := rows.Get(g.ids[1])
		r.X, r.Facing, r.On, r.Mode, r.Prey = 12.25, -1, true, 2, g.ids[2]
		r.F32, r.F64 = float32(math.Inf(-1)), math.NaN()
	case 3:
		rows.Remove(g.ids[0])
		g.ids[0] = rows.Add(plainRow{X: 100, F32: 0.5, F64: math.Copysign(0, -1), Name: strings.Repeat("long ", 8), Owner: 1})
	case 4: // the reference's row goes, and the owner changes
		rows.Remove(g.ids[2])
		rows.Get(g.ids[1]).Owner = 2
	case 6:
		rows.Get(g.ids[1]).Owner = 1
		g.world.Round.V.Left--
	case 8:
		for i := range 20 {
			g.ids = append(g.ids, rows.Add(plainRow{X: float64(i), F64: float64(i), Name: fmt.Sprint("one of many, number ", i), Owner: 1}))
		}
	case 13:
		g.world.Round.V.Name = strings.Repeat("again and ", 20)
	}
	if tick > 8 {
		rows.Get(g.ids[int(tick)]).X += 0.5
	}
}

// plainJSON is a column's value as the golden files have it.
func plainJSON(f *netcode.Field, row *netcode.Row, column int) any {
	n := row.Nums[column]
	switch {
	case f.Kind == netcode.KindString:
		return row.Text[column]
	case f.Kind == netcode.KindBytes:
		return map[string]string{"bin": hex.EncodeToString([]byte(row.Text[column]))}
	case f.Kind == netcode.KindFloat32:
		return f64(float64(math.Float32frombits(uint32(n)))) //nolint:gosec // the bits
	case f.Kind == netcode.KindFloat64:
		return f64(math.Float64frombits(uint64(n))) //nolint:gosec // the bits
	case f.Kind == netcode.KindBool:
		return n != 0
	case f.Kind == netcode.KindUint && f.Bits == 64:
		return map[string]string{"int": strconv.FormatUint(uint64(n), 10)} //nolint:gosec // the bits
	case f.Bits == 64:
		return map[string]string{"int": strconv.FormatInt(n, 10)}
	}
	return n
}

// plainParts lists a scope's parts, as a reader that knows nothing else has them.
func plainParts(dec *netcode.Decoder, sc *netcode.Schema, scope uint16) [][][]any {
	parts := [][][]any{}
	part := func(t *netcode.TableInfo, rows []*netcode.Row, columns ...string) {
		list := [][]any{}
		for _, row := range rows {
			out := []any{row.ID}
			for c := range t.Fields {
				for _, name := range columns {
					if t.Fields[c].Name == name {
						out = append(out, plainJSON(&t.Fields[c], row, c))
					}
				}
			}
			list = append(list, out)
		}
		parts = append(parts, list)
	}
	for i := range sc.Tables {
		t := &sc.Tables[i]
		switch {
		case t.Name == "Round" && scope == 0:
			part(t, dec.Rows(scope, t.Name), "Left", "Name")
		case t.Name == "Round":
			part(t, nil)
		case scope == 0:
			part(t, dec.Rows(scope, t.Name), columns(plainRow{}, "")...)
		default:
			part(t, nil)
			part(t, dec.Rows(scope, t.Name), "Ammo")
			part(t, dec.TeamRows(scope, t.Name), "Orders")
		}
	}
	return parts
}

func plainVectors(t *testing.T) plainStream {
	t.Helper()
	sc, err := netcode.Compile[plainWorld, struct{}]()
	if err != nil {
		t.Fatal(err)
	}
	s := plainStream{Schema: hex.EncodeToString(sc.Binary())}
	about := map[uint32]string{
		1: "keyframes of the room and of the seat's own scope", 2: "one row changed", 3: "a row went, one came in its slot", 4: "a row went",
		5: "nothing changed", 7: "the room's keyframe, asked for; the own scope goes on", 8: "twenty rows came, deflated",
		10: "the room's keyframe again, deflated and in parts", 12: "the last part, and what leads from there to here",
		13: "a text that shrinks much", 17: "several ticks in one",
	}
	var g plainGame
	enc := netcode.NewEncoder(sc, netcode.EncoderConfig{Key: 11, PartBytes: 150})
	dec := netcode.NewPlainDecoder(sc)
	view := netcode.View{Plain: true}
	var prev *proto.Head
	var frame proto.Frame
	has := map[string]int{}
	for tick := uint32(1); tick <= 18; tick++ {
		g.step(tick)
		enc.Capture(tick, &g.world)
		if tick >= 14 && tick <= 16 {
			continue
		}
		if tick == 7 || tick == 10 {
			view.Resync(0)
		}
		head := proto.Head{Epoch: 7, Tick: tick, Processed: tick, Durable: tick / 2, Scopes: append([]proto.Watch(nil), enc.Scopes(goldenSeat)...)}
		blocks := enc.Prepare(&view, head.Scopes)
		for _, b := range blocks {
			switch {
			case b.Part.Size > 0:
				has["parts"]++
			case b.Data[0] == 1:
				has["deflated"]++
			default:
				has["raw"]++
			}
		}
		b := encodeFrame(&head, prev, enc.Hashes(&view), blocks)
		prev = &head
		if err := decodeFrame(b, &frame, dec); err != nil {
			t.Fatalf("tick %d: %v", tick, err)
		}
		rows := map[string][][][]any{}
		for _, w := range head.Scopes {
			rows[fmt.Sprint(w.Scope())] = plainParts(dec, sc, w.Scope())
		}
		s.Frames = append(s.Frames, plainFrame{About: about[tick], Tick: tick, Hex: hex.EncodeToString(b), Rows: rows})
	}
	if has["parts"] < 3 || has["deflated"] < 2 || has["raw"] < 5 {
		t.Errorf("the stream has %v", has)
	}
	return s
}

func TestThePlainFormIsTheGoldenStream(t *testing.T) {
	wantGolden(t, "../proto/testdata/plain.json", plainVectors(t))
}
