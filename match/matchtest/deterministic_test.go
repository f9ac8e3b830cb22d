package matchtest

import (
	"math/rand/v2"
	"testing"
	"time"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

type stepOf = netcode.Step[pond, waddle]

func TestAGameThatIsAFunctionOfItsRecordsPasses(t *testing.T) {
	for _, mode := range []proto.InputMode{proto.Samples, proto.Commands} {
		Deterministic(t, duckGame(t, &ducks{step: func(s *stepOf) { s.State.Score.V.N += s.Rand().Uint64() }}, mode), swim, 0)
	}
}

func TestRulesThatAreNotAFunctionOfTheirRecordsAreCaught(t *testing.T) {
	var remembered, calls uint64
	weights := map[string]float64{"bread": 0.1, "corn": 0.2, "snail": 0.3, "frog": 1e9}
	for name, c := range map[string]struct {
		step  func(s *stepOf)
		words []string
	}{
		"a map is ranged over": {func(s *stepOf) {
			for _, w := range weights { // floats: the sum depends on the order
				s.State.Score.V.F += w
			}
		}, []string{"Score.F", "against"}},
		"the global random source": {func(s *stepOf) { s.State.Score.V.N = rand.Uint64() }, []string{"run 2", "tick 1: Score.N"}},
		"the clock":                {func(s *stepOf) { s.State.Score.V.N = uint64(time.Now().UnixNano()) }, []string{"run 2", "tick 1: Score.N"}},
		"a variable beside the state": {func(s *stepOf) {
			remembered++
			s.State.Score.V.N = remembered
		}, []string{"run 2", "tick 1: Score.N", "Score.N: 1 against 61"}},
		"a field that is not exported": {func(s *stepOf) {
			s.State.hidden++
			s.State.Score.V.N = uint64(s.State.hidden)
		}, []string{"run 2", "restored", "Score.N"}},
		"an event alone": {func(s *stepOf) {
			if calls++; calls == 130 {
				s.Emit(netcode.Everyone(), quack{1})
			}
		}, []string{"run 3", "tick 10", "first: ", "now: ", "quack"}},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, func(t testing.TB) { Deterministic(t, duckGame(t, &ducks{step: c.step}, proto.Samples), swim, 0) }, c.words...)
		})
	}
}

// keeper keeps state where rules must not: in their own struct.
type keeper struct{ seen int }

func (k *keeper) Step(s *stepOf) {
	k.seen++
	s.State.Score.V.N = uint64(k.seen)
}

func TestStateInTheRulesOwnStructIsCaught(t *testing.T) {
	g := match.Define[pond, waddle]("keeper", &keeper{}, match.Rules{})
	fails(t, func(t testing.TB) { Deterministic(t, g, Script{Ticks: 10}, 2) }, "run 2", "tick 1: Score.N")
}

func TestARunOfAnotherLengthIsCaught(t *testing.T) {
	ends := 0
	d := &ducks{step: func(s *stepOf) {
		if s.Tick == 1 {
			ends++
		}
		for _, row := range s.State.Ducks.All() {
			if s.Tick == 9 && ends == 2 {
				row.X = 100
			}
		}
	}}
	s := Script{Ticks: 20, Steps: []Step{{From: 1, Do: func(r *Room) { r.Join(1, "a", "Anna") }}}}
	fails(t, func(t testing.TB) { Deterministic(t, duckGame(t, d, proto.Samples), s, 0) }, "run 2", "tick 9")
}
