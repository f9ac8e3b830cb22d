package netcode_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// checkpointVector is something that is stored, and what must be read from it.
type checkpointVector struct {
	About string `json:"about"`
	Tick  uint32 `json:"tick,omitempty"`
	Hash  string `json:"hash,omitempty"` // of the state
	Hex   string `json:"hex"`
}

// pastWorld is the golden world with a past.
type pastWorld struct {
	Ships netcode.Table[goldenRow] `net:"max=40,rewind"`
	Dots  netcode.Table[goldenDot]
	Round netcode.Value[goldenRound] `net:"rewind"`
}

func pastDriver(t *testing.T, w *pastWorld) *netcode.Driver[pastWorld, goldenInput] {
	t.Helper()
	sc, err := netcode.Compile[pastWorld, goldenInput]()
	if err != nil {
		t.Fatal(err)
	}
	return netcode.NewDriver[pastWorld, goldenInput](w, netcode.DriverConfig{Rate: 20, Seed: 3, Schema: sc, History: 3})
}

func checkpointVectors(t *testing.T) (list []checkpointVector) {
	t.Helper()
	sc := goldenSchema(t)
	p := play{rng: rand.New(rand.NewPCG(1, 2))}
	var w pastWorld
	d := pastDriver(t, &w)
	for tick := uint32(1); tick <= 18; tick++ {
		p.step(tick)
		d.Begin(tick)
		d.Run(func(s *netcode.Step[pastWorld, goldenInput]) {
			s.State.Round.V.Left = s.Rand().Uint32()
			if tick%3 == 0 {
				s.State.Ships.Remove(s.State.Ships.Add(goldenRow{}))
				s.State.Ships.Add(goldenRow{F64: 0.1, Secret: tick, Name: "longer than its bound"})
			}
		})
		d.Capture()
		if tick != 1 && tick != 10 && tick != 18 {
			continue
		}
		b, err := sc.AppendState(nil, &p.world)
		hash, err2 := sc.StateHash(&p.world)
		c, err3 := d.AppendCheckpoint(nil)
		if err != nil || err2 != nil || err3 != nil {
			t.Fatal(err, err2, err3)
		}
		list = append(list, checkpointVector{"state", tick, fmt.Sprintf("%016x", hash), hex.EncodeToString(b)})
		if tick == 10 {
			list = append(list, checkpointVector{About: "driver", Tick: tick, Hex: hex.EncodeToString(c)})
		}
	}
	for _, mode := range []proto.InputMode{proto.Samples, proto.Commands} {
		b := netcode.NewInputBuffer(mode, 20, 16)
		for seq := uint32(1); seq <= 4; seq++ {
			b.Push(&proto.Input{Seq: seq, Tick: 100 * seq, View: 99, Frac: 200, Body: []byte{byte(seq), 7}}, 110)
		}
		b.Take(112)
		list = append(list, checkpointVector{About: fmt.Sprint("inputs of mode ", mode), Hex: hex.EncodeToString(b.Append(nil))})
	}
	return list
}

func TestCheckpointsAreTheGoldenBytes(t *testing.T) {
	wantGolden(t, "testdata/checkpoint.json", checkpointVectors(t))
}

// What was stored can be read, also when the code would write it otherwise.
func TestGoldenCheckpointsAreReadAsWhatTheyWere(t *testing.T) {
	sc := goldenSchema(t)
	var list []checkpointVector
	vectors(t, "testdata/checkpoint.json", &list)
	for _, v := range list {
		b, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		switch v.About {
		case "state":
			var w goldenWorld
			err = sc.ReadState(b, &w)
			if hash, _ := sc.StateHash(&w); fmt.Sprintf("%016x", hash) != v.Hash {
				t.Errorf("tick %d: the hash is %016x, want %s", v.Tick, hash, v.Hash)
			}
		case "driver":
			var w pastWorld
			d := pastDriver(t, &w)
			err = d.Restore(b)
			d.Begin(v.Tick + 1)
			d.Input(1, 1, v.Tick-1, 0, &goldenInput{})
			d.Run(func(s *netcode.Step[pastWorld, goldenInput]) {
				if n, was := w.Ships.Len(), s.Rewind(1).Ships.Len(); n != 3 || was != 3 || s.Rewind(1).Round.V == w.Round.V {
					t.Errorf("%d ships, and %d a tick before", n, was)
				}
			})
		default:
			mode := proto.Samples
			if v.About == fmt.Sprint("inputs of mode ", proto.Commands) {
				mode = proto.Commands
			}
			in := netcode.NewInputBuffer(mode, 20, 16)
			_, err = in.Restore(b)
			if got := in.Take(1000); len(got) == 0 || !reflect.DeepEqual(got[len(got)-1].Body, []byte{4, 7}) {
				t.Errorf("%s: %+v", v.About, got)
			}
		}
		if err != nil {
			t.Errorf("%s, tick %d: %v", v.About, v.Tick, err)
		}
	}
}
