package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"muster/internal/golden"
	"muster/match"
	"muster/match/journal"
)

var took = regexp.MustCompile(`took \S+, \d+ times`)

// wantGolden compares with a file of testdata/replay.
func wantGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "replay", name)
	golden.Check(t, file, []byte(got), "run go test ./cmd -update")
}

// obeyed returns the first character of a text that a terminal would obey, or that turns the text around.
func obeyed(text string) (rune, bool) {
	for _, c := range text {
		if c != '\n' && c != '\t' && !unicode.IsPrint(c) {
			return c, true
		}
	}
	return 0, false
}

func TestShowTellsWhatIsInAReplayWithoutItsGame(t *testing.T) {
	file := walked(t, match.Rules{Durability: match.Journal, Version: "7"})
	var out, errs output
	if status := run(t.Context(), func() {}, []string{"replay", "show", file}, withArena, &out, &errs); status != 0 || errs.String() != "" {
		t.Fatalf("exit status %d: %s", status, errs.String())
	}
	wantGolden(t, "show.golden", out.String())
	if c, ok := obeyed(out.String()); ok {
		t.Errorf("%U is printed as it is", c)
	}
}

func TestShowAsJSONHasTheSameAndEachTick(t *testing.T) {
	file := walked(t, match.Rules{Durability: match.Journal, Version: "7"})
	status, out, errs := replayCommand(t, walkGame(t, walk{}, match.Rules{}), "show", "--json", "--ticks", file)
	if status != 0 || errs != "" {
		t.Fatalf("exit status %d: %s", status, errs)
	}
	if c, ok := obeyed(out); ok {
		t.Errorf("%U is printed as it is", c)
	}
	first, rest, _ := strings.Cut(out, "\n")
	wantGolden(t, "show.json.golden", first+"\n")
	var s summary
	must(t, json.Unmarshal([]byte(first), &s))
	if s.Players[1].Name != "\x1b[2J\u202ebob\nCUT SHORT\u009b\U000e0001" {
		t.Errorf("the name comes back as %q", s.Players[1].Name)
	}
	lines, inputs := strings.Split(strings.TrimSuffix(rest, "\n"), "\n"), 0
	for i, l := range lines {
		var rec tickRecord
		must(t, json.Unmarshal([]byte(l), &rec))
		inputs += len(rec.Inputs)
		if rec.Tick != uint32(i+1) || !strings.HasPrefix(rec.Hash, "0x") || len(rec.Sums) == 0 {
			t.Errorf("line %d: %s", i, l)
		}
	}
	if len(lines) != s.Records || inputs != s.Inputs || inputs < 100 {
		t.Errorf("%d lines with %d inputs; the summary says %d and %d", len(lines), inputs, s.Records, s.Inputs)
	}
}

func TestVerifySaysThatAReplayIsTheSame(t *testing.T) {
	one := walked(t, match.Rules{Durability: match.Journal})
	two := walked(t, match.Rules{Durability: match.Checkpoint})
	g := walkGame(t, walk{}, match.Rules{Version: "2"})
	status, out, errs := replayCommand(t, g, "verify", one, two)
	out, errs = strings.NewReplacer(one, "ONE", two, "TWO").Replace(out), strings.NewReplacer(one, "ONE", two, "TWO").Replace(errs)
	if status != 2 { // of the second nothing can be compared
		t.Errorf("exit status %d", status)
	}
	wantGolden(t, "same.golden", out+errs)
	if status, _, _ := replayCommand(t, g, "verify", one, one); status != 0 {
		t.Errorf("exit status %d of files that are the same", status)
	}
}

func TestVerifyAndBisectNameWhereTheRulesPart(t *testing.T) {
	g := walkGame(t, walk{bentAt: 50}, match.Rules{Version: "2"})
	var text strings.Builder
	whole := walked(t, match.Rules{Durability: match.Journal})
	for _, c := range []struct{ name, file string }{{"with hashes", whole}, {"without", without(t, whole)}} {
		for _, command := range []string{"verify", "bisect"} {
			status, out, errs := replayCommand(t, g, command, c.file)
			if status != 1 {
				t.Errorf("%s %s: exit status %d", command, c.name, status)
			}
			text.WriteString("-- " + command + " " + c.name + " --\n" + strings.ReplaceAll(out+errs, c.file, "FILE"))
		}
	}
	wantGolden(t, "differs.golden", text.String())
	if c, ok := obeyed(text.String()); ok {
		t.Errorf("%U is printed as it is", c)
	}
}

// without is a copy of a replay without hashes.
func without(t *testing.T, file string) string {
	t.Helper()
	return rewritten(t, file, nil, func(rec *journal.Record) { rec.Hash, rec.Sums = 0, nil })
}

// rewritten is a copy of a replay with another header and other records.
func rewritten(t *testing.T, file string, head func(*journal.Header), change func(*journal.Record)) string {
	t.Helper()
	src, err := os.Open(file)
	must(t, err)
	defer func() { _ = src.Close() }()
	rd, err := journal.NewReader(src)
	must(t, err)
	h := *rd.Header()
	if head != nil {
		head(&h)
	}
	var b bytes.Buffer
	w, err := journal.NewWriter(&b, h)
	must(t, err)
	must(t, eachItem(rd, func(rec *journal.Record, cp *journal.Checkpoint) error {
		if cp != nil {
			return w.Checkpoint(*cp)
		}
		change(rec)
		return w.Append(rec)
	}))
	must(t, w.Close())
	name := filepath.Join(t.TempDir(), "other.muster")
	must(t, os.WriteFile(name, b.Bytes(), 0o600))
	return name
}

// Whoever can write a file must not be able to do more than be refused.
func TestHostileReplaysAreRefusedOrShownHarmlessly(t *testing.T) {
	file := walked(t, match.Rules{Durability: match.Journal})
	g := walkGame(t, walk{}, match.Rules{})
	at := func(tick uint32, f func(*journal.Record)) func(*journal.Record) {
		return func(rec *journal.Record) {
			if rec.Tick == tick {
				f(rec)
			}
		}
	}
	keep := func(*journal.Record) {}
	for name, c := range map[string]struct {
		head   func(*journal.Header)
		change func(*journal.Record)
		want   int
	}{
		"a rate of 0":           {func(h *journal.Header) { h.TickRate, h.Seats = 0, 0 }, keep, 0},
		"made before the world": {func(h *journal.Header) { h.Created = math.MinInt64 }, keep, 0},
		"made at its end":       {func(h *journal.Header) { h.Created = math.MaxInt64 }, keep, 0},
		"names that draw": {func(h *journal.Header) {
			h.Room, h.Rules, h.Server, h.Reason, h.Class = "\x1b]0;x\a", "\u202e", "\x7f\r", "\n", "\u009b"
		}, keep, 0},
		"a game that draws": {func(h *journal.Header) { h.Game = "\x1b[2J" }, keep, 2},
		"a seat that is not there": {nil, at(9, func(r *journal.Record) {
			r.Seats = []journal.SeatChange{{Kind: journal.SeatJoined, Player: journal.Player{Seat: 60000, ID: "x"}}}
		}), 2},
		"seat 0":                   {nil, at(9, func(r *journal.Record) { r.Seats = []journal.SeatChange{{Kind: journal.SeatLeft}} }), 2},
		"input of nobody's seat":   {nil, at(9, func(r *journal.Record) { r.Inputs[0].Seat = 60000 }), 2},
		"an input that is none":    {nil, at(9, func(r *journal.Record) { r.Inputs[0].Body = []byte("\xff\xff") }), 2},
		"a result of no work":      {nil, at(9, func(r *journal.Record) { r.Results = []journal.WorkResult{{ID: 9, Seat: 9, Err: "\x1b"}} }), 0},
		"hashes of something else": {nil, at(9, func(r *journal.Record) { r.Hash ^= 1 }), 1},
		"more sums than columns":   {nil, at(9, func(r *journal.Record) { r.Hash, r.Sums = 1, append(r.Sums, 7) }), 1},
		"a crowd that comes and goes": {nil, func(r *journal.Record) {
			for i := range 4000 {
				r.Seats = append(r.Seats, journal.SeatChange{Kind: journal.SeatChangeKind(1 + i%4), Player: journal.Player{Seat: 3, ID: "\x1b"}})
			}
		}, 1},
	} {
		bad := rewritten(t, file, c.head, c.change)
		for _, args := range [][]string{{"verify"}, {"bisect"}, {"show"}, {"show", "--json", "--ticks"}} {
			status, out, errs := replayCommand(t, g, append(args, bad)...)
			want := c.want
			if args[0] == "show" {
				want = 0
			}
			if status != want {
				t.Errorf("%s: %v ends with %d, want %d: %.500s%s", name, args, status, want, out, errs)
			}
			if r, ok := obeyed(out + errs); ok {
				t.Errorf("%s: %v prints %U as it is", name, args, r)
			}
			if len(args) == 1 && len(out) > 1<<20 {
				t.Errorf("%s: %v prints %d bytes", name, args, len(out))
			}
		}
	}
}

// A bit that is another is seen: nothing after it is believed, and nothing panics.
func FuzzDamagedReplays(f *testing.F) {
	f.Add(uint32(0), byte(1))
	f.Add(uint32(300), byte(0x80))
	f.Add(uint32(900), byte(7))
	whole, err := os.ReadFile(arenaReplay)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, at uint32, flip byte) {
		b := bytes.Clone(whole)
		b[int(at)%len(b)] ^= flip
		file := filepath.Join(t.TempDir(), "damaged.muster")
		must(t, os.WriteFile(file, b, 0o600))
		status, out, errs := replayCommand(t, withArena[0].Game, "verify", file)
		if status == 1 || status == 0 && flip != 0 && !strings.Contains(out, "cut short") {
			t.Errorf("byte %d: exit status %d: %s%s", at, status, out, errs)
		}
	})
}

func TestVerifyAndBisectReportRulesThatPanic(t *testing.T) {
	file := walked(t, match.Rules{Durability: match.Journal})
	g := walkGame(t, walk{panicAt: 33}, match.Rules{})
	for _, command := range []string{"verify", "bisect"} {
		status, out, errs := replayCommand(t, g, command, file)
		if status != 1 || !strings.Contains(out, `PANIC at tick 33: a bug\x1b[31m in the rules`) || !strings.Contains(errs, "record_test.go") {
			t.Errorf("%s: exit status %d\n%s%s", command, status, out, errs)
		}
		if c, ok := obeyed(out + errs); ok {
			t.Errorf("%s: %U is printed as it is", command, c)
		}
	}
}

func TestReplayOfAnotherGameOrNoneIsRefused(t *testing.T) {
	file := walked(t, match.Rules{Durability: match.Journal})
	dir := t.TempDir()
	empty, noise := filepath.Join(dir, "empty"), filepath.Join(dir, "noise")
	must(t, os.WriteFile(empty, nil, 0o600))
	must(t, os.WriteFile(noise, []byte(strings.Repeat("noise \x1b", 1000)), 0o600))
	for name, want := range map[string]string{
		file: "it is of the game walk, and this program has only arena", dir: "it is no file", empty: "malformed journal",
		noise: "it is no replay of Muster's", filepath.Join(dir, "none"): "no such file",
	} {
		for _, command := range []string{"verify", "bisect", "show"} {
			if command == "show" && name == file {
				continue
			}
			status, out, errs := replayCommand(t, withArena[0].Game, command, name)
			if status != 2 || out != "" || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "muster: ") || !strings.Contains(errs, want) {
				t.Errorf("%s of %s: exit status %d: %s%s", command, filepath.Base(name), status, out, errs)
			}
		}
	}
	good := replayOfArena(t)
	if status, out, _ := replayCommand(t, withArena[0].Game, "verify", noise, good); status != 2 || !strings.Contains(out, "same") {
		t.Errorf("one that cannot be read and a good one: exit status %d: %s", status, out)
	}
}

func TestReplayThatWasCutShortIsReadAsFarAsItGoes(t *testing.T) {
	whole, err := os.ReadFile(walked(t, match.Rules{Durability: match.Journal}))
	must(t, err)
	g := walkGame(t, walk{}, match.Rules{})
	file := filepath.Join(t.TempDir(), "cut.muster")
	var most int
	for size := 0; size < len(whole); size += len(whole)/60 + 1 {
		must(t, os.WriteFile(file, whole[:size], 0o600))
		status, out, errs := replayCommand(t, g, "verify", file)
		switch {
		case status == 2 && (strings.Contains(errs, "malformed") || strings.Contains(errs, "it does not begin with a checkpoint") || strings.Contains(out, "NOTHING TO COMPARE WITH")):
		case status == 0 && strings.Contains(out, ": same;") && strings.Contains(out, ", cut short there"):
			most++
		default:
			t.Errorf("%d of %d bytes: exit status %d: %s%s", size, len(whole), status, out, errs)
		}
		status, out, _ = replayCommand(t, g, "show", file)
		if status == 0 != strings.Contains(out, "CUT SHORT") {
			t.Errorf("%d of %d bytes are shown: exit status %d: %s", size, len(whole), status, out)
		}
	}
	if most < 20 {
		t.Errorf("only %d of the cut files could be verified", most)
	}
}

func TestReplayThatIsDamagedIsNoProofOfWhatComesAfter(t *testing.T) {
	whole, err := os.ReadFile(walked(t, match.Rules{Durability: match.Journal}))
	must(t, err)
	g := walkGame(t, walk{}, match.Rules{})
	file := filepath.Join(t.TempDir(), "damaged.muster")
	whole[len(whole)-100] ^= 1
	must(t, os.WriteFile(file, whole, 0o600))
	for _, command := range []string{"verify", "bisect"} {
		status, out, errs := replayCommand(t, g, command, file)
		if status != 2 || !strings.Contains(out, "DAMAGED, the same as far as it can be read; ticks ") || !strings.Contains(errs, "the checksum differs") {
			t.Errorf("%s: exit status %d: %s%s", command, status, out, errs)
		}
	}
	if status, out, _ := replayCommand(t, g, "show", file); status != 0 || !strings.Contains(out, "\nDAMAGED      ") {
		t.Errorf("show: exit status %d: %s", status, out)
	}
}

func TestLongReplaysTellEverySecondHowFarTheyAre(t *testing.T) {
	file := filepath.Join(t.TempDir(), "long")
	must(t, os.WriteFile(file, make([]byte, 1000), 0o600))
	synctest.Test(t, func(t *testing.T) {
		p := &program{ctx: t.Context(), stderr: io.Discard}
		f, err := p.openReplay(file)
		must(t, err)
		defer f.close()
		var told bytes.Buffer
		f.tell, f.name = &told, "long"
		for range 10 {
			_, err := io.ReadFull(f, make([]byte, 100))
			must(t, err)
			time.Sleep(400 * time.Millisecond)
		}
		if want := "long: 30 %\nlong: 60 %\nlong: 90 %\n"; told.String() != want {
			t.Errorf("it tells %q, want %q", told.String(), want)
		}
	})
}

func TestInterruptEndsAReplay(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var out, errs output
	var again atomic.Bool
	status := run(ctx, func() { again.Store(true) }, []string{"replay", "verify", arenaReplay}, withArena, &out, &errs)
	if status != 2 || !strings.Contains(errs.String(), "context canceled") || out.String() != "" {
		t.Errorf("exit status %d: %s%s", status, out.String(), errs.String())
	}
	until(t, "the next interrupt ends the process", again.Load)
}

func TestStandardInputFillsNoDisk(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	for size, want := range map[int]string{10: "", 11: "it has more than 10 bytes"} {
		f := &replayFile{ctx: t.Context()}
		err := f.spool(strings.NewReader(strings.Repeat("x", size)), 10)
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%d bytes: %v", size, err)
			}
			continue
		}
		must(t, err)
		b, err := io.ReadAll(io.NewSectionReader(f.File, 0, 100))
		must(t, err)
		if len(b) != size || f.size != int64(size) {
			t.Errorf("%d bytes are %d", size, len(b))
		}
		f.close()
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left over: %v %v", left, err)
	}
}
