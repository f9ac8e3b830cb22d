package cmd

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/games/arena"
	"muster/internal/golden"
	"muster/match"
	"muster/match/journal"
	"muster/netcode"
)

// arenaReplay is a recorded match of the arena: what today's rules are held to.
const arenaReplay = "testdata/arena.muster"

// arenaOfOld is the same match, recorded as before records said that the match starts.
const arenaOfOld = "testdata/arena_without_start.muster"

// updateArena is how it is made anew.
const updateArena = "go test ./cmd -run TestArenasRulesAreThoseOfItsReplay -update"

// playArena records twenty seconds of the arena: six who steer and shoot, one of them lost and back, one who leaves.
func playArena(t *testing.T) string {
	return playArenaIn(t, func(f *journal.Files) journal.Store { return f })
}

func playArenaIn(t *testing.T, in func(*journal.Files) journal.Store) string {
	t.Helper()
	rules := arena.Game.Rules()
	rules.Durability = match.Journal
	g := match.Define[arena.World, arena.Input]("arena", arena.Arena{}, rules)
	must(t, g.Err())
	dice := rand.New(rand.NewPCG(1, 2))
	controls := map[netcode.Seat]*arena.Input{}
	return recordIn(t, g, 400, func(rec *recording) {
		switch rec.tick {
		case 0:
			for i, name := range []string{"ada", "ben", "cleo", "dan", "eve", "finn"} {
				seat := netcode.Seat(i + 1)
				rec.join(seat, name, name)
				controls[seat] = &arena.Input{}
			}
		case 100:
			rec.drop(2)
		case 140:
			rec.resume(2)
		case 300:
			rec.leave(6)
			delete(controls, 6)
		}
		for seat := netcode.Seat(1); seat <= 6; seat++ {
			in := controls[seat]
			if in == nil || seat == 2 && rec.tick >= 100 && rec.tick < 145 {
				continue
			}
			if dice.IntN(8) == 0 {
				*in = arena.Input{Turn: int8(dice.IntN(255) - 127), Thrust: int8(dice.IntN(200) - 72), Fire: dice.IntN(3) > 0}
			}
			rec.input(seat, in)
		}
	}, in)
}

// replayOfArena is the committed replay's file.
func replayOfArena(t *testing.T) string {
	t.Helper()
	_, err := os.Stat(arenaReplay)
	must(t, err)
	return filepath.FromSlash(arenaReplay)
}

func TestArenasRulesAreThoseOfItsReplay(t *testing.T) {
	if golden.Update() {
		b, err := os.ReadFile(playArena(t))
		must(t, err)
		must(t, os.WriteFile(arenaReplay, b, 0o644))
		b, err = os.ReadFile(playArenaIn(t, func(f *journal.Files) journal.Store { return startless{f} }))
		must(t, err)
		must(t, os.WriteFile(arenaOfOld, b, 0o644))
	}
	file := replayOfArena(t)
	if info, err := os.Stat(file); err != nil || info.Size() > 100<<10 {
		t.Errorf("%s has %d bytes, at most 100 KiB wanted", file, info.Size())
	}
	status, out, errs := replayCommand(t, arena.Game, "verify", file)
	if status != 0 {
		t.Errorf("the arena's rules play its replay otherwise than they did. If that is meant, record it anew:\n\t%s\n%s%s", updateArena, out, errs)
	}
	if !strings.Contains(out, "399 hashes and 4 checkpoints") {
		t.Errorf("it is not a match of 400 ticks: %s", out)
	}
}

// A recording from before records said that the match starts is read and played as ever.
func TestAReplayWithoutAStartIsTheSameStill(t *testing.T) {
	status, out, errs := replayCommand(t, arena.Game, "verify", arenaOfOld)
	if status != 0 || !strings.Contains(out, "399 hashes and 4 checkpoints") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if _, out, _ := replayCommand(t, arena.Game, "show", arenaOfOld); strings.Contains(out, "started") {
		t.Errorf("it says that it has a start: %s", out)
	}
}

// The bytes may be others with another compressor; what they say may not.
func TestArenasReplayIsMadeTheSameEachTime(t *testing.T) {
	_, want, _ := replayCommand(t, arena.Game, "show", "--json", "--ticks", replayOfArena(t))
	_, got, _ := replayCommand(t, arena.Game, "show", "--json", "--ticks", playArena(t))
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || g[i] != w[i] {
			t.Fatalf("line %d of %d and %d is another:\n%.300s\nwas\n%.300s\nif the arena's rules changed: %s", i, len(g), len(w), g[min(i, len(g)-1)], w[i], updateArena)
		}
	}
	if len(w) < 400 {
		t.Errorf("it has %d lines", len(w))
	}
}
