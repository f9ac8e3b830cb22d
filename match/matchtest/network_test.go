package matchtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"muster/client"
	"muster/match"
	"muster/proto"
)

// swimmer waddles to and fro.
var swimmer = client.NewBot[pond, waddle]("ducks", func() client.Brain[pond, waddle] {
	return func(v *client.BotView[pond]) (waddle, bool) {
		return waddle{DX: float32(v.Rand.IntN(3)-1) / 2}, true
	}
}, quack{}, secret{})

func TestClientsOnBadLinesHaveTheServersState(t *testing.T) {
	for name, n := range map[string]Net{
		"a perfect line":   {},
		"a usual line":     {Latency: 40 * time.Millisecond, Jitter: 20 * time.Millisecond, Seed: 1},
		"a bad line":       {Latency: 120 * time.Millisecond, Jitter: 60 * time.Millisecond, Loss: 0.03, Bandwidth: 20_000, Seed: 2, Players: 3},
		"one that is lost": {Latency: 40 * time.Millisecond, Seed: 3, Cut: 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			n.For = 30 * time.Second
			for seat, s := range Network(t, duckGame(t, &ducks{}, proto.Samples), swimmer, n) {
				t.Logf("seat %d: %+v", seat+1, s)
				if s.Frames < 300 || s.InputsSent < 500 || s.Ack.Count < 100 {
					t.Errorf("seat %d: %d frames, %d inputs, %d of them acknowledged", seat+1, s.Frames, s.InputsSent, s.Ack.Count)
				}
				if (s.Resumes > 2) != (n.Cut > 0) {
					t.Errorf("seat %d: lost %d connections", seat+1, s.Resumes)
				}
				if least := 2 * n.Latency; s.RTT < least || s.Ack.Mean() < least {
					t.Errorf("seat %d: a round trip of %v, inputs take %v: faster than the line", seat+1, s.RTT, s.Ack.Mean())
				}
			}
		})
	}
}

func TestAMatchThatEndsIsNoFailure(t *testing.T) {
	runner := client.NewBot[pond, waddle]("ducks", func() client.Brain[pond, waddle] {
		return func(*client.BotView[pond]) (waddle, bool) { return waddle{DX: 1}, true }
	}, quack{}, secret{})
	for seat, s := range Network(t, duckGame(t, &ducks{}, proto.Samples), runner, Net{Players: 2}) {
		if s.Frames == 0 || s.Frames > 100 {
			t.Errorf("seat %d: %d frames", seat+1, s.Frames)
		}
	}
}

func TestTooManyPlayersAndTooShortATimeAreExplained(t *testing.T) {
	g := duckGame(t, &ducks{}, proto.Samples)
	for want, c := range map[string]struct {
		g match.Game
		n Net
	}{
		"5 players":     {g, Net{Players: 5}},
		"1s is too":     {g, Net{For: time.Second}},
		"cannot be run": {match.Define[pond, waddle]("X", &ducks{}, match.Rules{}), Net{}},
	} {
		fails(t, func(t testing.TB) { c.n.check(t, c.g) }, want)
	}
}

func TestWhatGoesWrongWithAClientFailsTheTest(t *testing.T) {
	for want, c := range map[string]struct {
		stats client.Stats
		err   error
	}{
		"seat 2 has no frame":                         {stats: client.Stats{}},
		"1 hashes differ":                             {stats: client.Stats{Frames: 9, HashMismatches: 1}},
		"2 blocks could not":                          {stats: client.Stats{Frames: 9, DecodeErrors: 2}},
		"seat 2: the line is dead":                    {stats: client.Stats{Frames: 9}, err: errors.New("the line is dead")},
		"seat 2: the match's socket was closed: 4203": {stats: client.Stats{Frames: 9}, err: &client.CloseError{Code: proto.CodeSeatExpired}},
	} {
		f := &failing{TB: t}
		verdict(f, []client.Stats{{Frames: 9}, c.stats}, []error{&client.CloseError{Code: proto.CodeDone}, c.err})
		if !strings.Contains(f.text, want) {
			t.Errorf("it says %q, want %q", f.text, want)
		}
	}
}
