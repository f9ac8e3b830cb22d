package arena

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"muster/internal/golden"
	"muster/netcode"
	"muster/netcode/vectors"
	"muster/proto"
)

// flight records a player who flies about, at walls too, and fires until his gun jams. Another one is far away. late is by
// how many ticks he sees the world late at most; then some of his inputs are missing, too.
func flight(t *testing.T, seed uint64, late float64) *vectors.File {
	t.Helper()
	sc, err := netcode.Compile[World, Input](events...)
	if err != nil {
		t.Fatal(err)
	}
	w := &World{}
	w.Field.V.Size = Size
	w.Round.V = Round{Phase: Playing, Ends: 100000}
	w.Ships.Add(Ship{X: 700, Y: 500, HP: MaxHP, Owner: 1, Name: "Ada"})
	w.Ships.Add(Ship{X: 40, Y: 40, HP: MaxHP, Owner: 2, Name: "Bert"})
	rng := rand.New(rand.NewPCG(seed, 1))
	in := Input{}
	run := vectors.Run[World, Input]{
		Schema: sc, State: w, Step: Arena{}.Step, Rate: tickRate, Mode: proto.Samples, Seat: 1, Ticks: 400, Window: 5,
		Inputs: func(tick uint32, give func(netcode.Seat, Input)) {
			if rng.IntN(8) == 0 {
				in.Turn = int8(rng.IntN(255) - 127)
			}
			if rng.IntN(20) == 0 {
				in.Thrust = int8(rng.IntN(255) - 60)
			}
			if in.Fire = tick%100 < 70; late == 0 || tick%11 != 0 {
				give(1, in)
			}
		},
		View: func(tick uint32) (uint32, uint8) {
			at := max(0, float64(tick-1)-late*rng.Float64())
			return uint32(at), uint8((at - float64(uint32(at))) * 256)
		},
	}
	f, err := run.Record()
	if err != nil {
		t.Fatal(err)
	}
	for _, tick := range f.Ticks {
		if len(tick.Events) > 0 {
			t.Fatal("somebody was hit, which nobody can foresee")
		}
	}
	return f
}

// The arena's page predicts with a step of its own, which its tests hold against this.
func TestFlightsAreTheGoldenFile(t *testing.T) {
	const file = "testdata/flights.json"
	got, err := json.Marshal([]*vectors.File{flight(t, 1, 0), flight(t, 2, 9)})
	if err != nil {
		t.Fatal(err)
	}
	got = bytes.ReplaceAll(got, []byte(`{"inputs":["`), []byte("\n{\"inputs\":[\""))
	golden.Check(t, file, got, "run go test ./games/arena -run Flights -update, and bring web/src/arena/step.ts up to the rules")
}

func TestAClientThatPredictsWithTheRulesIsRight(t *testing.T) {
	sc, err := netcode.Compile[World, Input](events...)
	if err != nil {
		t.Fatal(err)
	}
	// A client has no past: its bullets begin at the nose, as the server's do of who sees the world as it is.
	res, err := vectors.Play(flight(t, 3, 0), sc, Arena{}.Step, vectors.Options{})
	if err != nil || res.Ticks != 400 {
		t.Errorf("%+v, %v", res, err)
	}
}
