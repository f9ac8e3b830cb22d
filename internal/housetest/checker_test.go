package housetest

import (
	"strings"
	"testing"
	"testing/fstest"
)

// small is a module in memory: each path with the text after its package clause, which comes of the directory's name.
func small(t *testing.T, files map[string]string) house {
	t.Helper()
	root := fstest.MapFS{}
	for name, text := range files {
		if !strings.HasPrefix(text, "package ") && !strings.HasPrefix(text, "//") {
			text = "package p\n" + text
		}
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	h, err := scan(root)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func imports(list ...string) string {
	s := ""
	for _, p := range list {
		s += "import _ \"" + p + "\"\n"
	}
	return s
}

// wants checks that exactly one complaint is made, and that it has these words.
func wants(t *testing.T, what string, got []string, words ...string) {
	t.Helper()
	if len(got) != 1 {
		t.Errorf("%s: %d complaints, want 1: %q", what, len(got), got)
		return
	}
	for _, w := range words {
		if !strings.Contains(got[0], w) {
			t.Errorf("%s: %q lacks %q", what, got[0], w)
		}
	}
}

func TestCheckerFindsEachForbiddenImport(t *testing.T) {
	for file, imported := range map[string]string{
		"proto/a.go":                "muster/netcode",
		"proto/token/a.go":          "muster/proto",
		"netcode/a.go":              "muster/match",
		"netcode/b.go":              "net",
		"netcode/c.go":              "os",
		"netcode/d.go":              "time",
		"netcode/e.go":              "math/rand",
		"netcode/f.go":              "go.uber.org/zap",
		"netcode/g.go":              "github.com/redis/go-redis/v9",
		"games/chess/state.go":      "muster/match",
		"games/chess/step.go":       "time",
		"games/chess/moves.go":      "muster/client",
		"games/chess/room.go":       "muster/client",
		"games/chess/bot.go":        "muster/match",
		"match/a.go":                "muster/match/edge",
		"match/b.go":                "github.com/redis/go-redis/v9",
		"match/edge/a.go":           "muster/match/cluster",
		"match/journal/a.go":        "muster/match",
		"match/journal/b.go":        "github.com/redis/go-redis/v9",
		"match/cluster/a.go":        "muster/match",
		"match/matchtest/a.go":      "muster/lobby",
		"match/matchtest/b.go":      "github.com/redis/go-redis/v9",
		"cmd/a.go":                  "muster/match/matchtest",
		"web/c.go":                  "muster/match/matchtest",
		"lobby/a.go":                "muster/match",
		"lobby/queue/a.go":          "go.uber.org/zap",
		"client/a.go":               "muster/match",
		"client/b.go":               "github.com/lxzan/gws",
		"loadtest/a.go":             "muster/match",
		"internal/simnet/a.go":      "muster/proto",
		"web/a.go":                  "muster/games/chess",
		"web/b.go":                  "muster/cmd",
		"games/chess/sub/a_step.go": "time",
	} {
		wants(t, file, broken(small(t, map[string]string{file: imports("strings", imported)}), rules), file, imported)
	}
}

func TestCheckerAllowsWhatTheHouseAllows(t *testing.T) {
	h := small(t, map[string]string{
		"proto/a.go":            imports("time", "github.com/vmihailenco/msgpack/v5"),
		"netcode/a.go":          imports("math", "math/rand/v2", "muster/proto", "github.com/vmihailenco/msgpack/v5"),
		"netcode/a_test.go":     imports("os", "time", "muster/match"),
		"games/chess/step.go":   imports("muster/netcode"),
		"games/chess/room.go":   imports("muster/match", "muster/netcode", "strings"),
		"games/chess/bot.go":    imports("muster/client", "muster/netcode", "math/rand/v2"),
		"match/a.go":            imports("muster/netcode", "muster/proto/token", "time", "context", "go.uber.org/zap"),
		"match/journal/a.go":    imports("muster/netcode", "muster/proto", "github.com/klauspost/compress/zstd"),
		"match/cluster/a.go":    imports("muster/match/journal", "github.com/redis/go-redis/v9"),
		"match/edge/a.go":       imports("muster/match", "net/http", "github.com/lxzan/gws"),
		"match/matchtest/a.go":  imports("muster/client", "muster/internal/simnet", "muster/match/edge", "testing"),
		"games/chess/a_test.go": imports("muster/match/matchtest"),
		"lobby/a.go":            imports("muster/match/cluster", "muster/lobby/queue", "net/http"),
		"client/a.go":           imports("muster/netcode", "github.com/coder/websocket"),
		"cmd/a.go":              imports("muster/lobby", "muster/match", "muster/loadtest", "muster/games/chess"),
		"cmd/muster/main.go":    imports("muster/cmd", "muster/games/chess"),
		"loadtest/a.go":         imports("muster/client"),
		"loadtest/a_test.go":    imports("muster/games/chess"),
		"node_modules/a/a.go":   imports("muster/cmd"),
		"loadtest/b/go.mod":     "module muster/loadtest/b",
		"loadtest/b/a/a.go":     imports("muster/cmd"),
		"testdata/a.go":         imports("muster/cmd"),
		"netcode/testdata/b.s":  "not Go",
	})
	for _, s := range broken(h, rules) {
		t.Error(s)
	}
	for _, s := range joined(h, []string{"lobby", "match"}, "cmd") {
		t.Error(s)
	}
}

func TestCheckerFindsWhoWiresThroughAThird(t *testing.T) {
	h := small(t, map[string]string{
		"web/a.go":    imports("muster/lobby", "muster/middle"),
		"middle/a.go": imports("muster/match/edge"), "match/edge/a.go": imports("muster/match"), "lobby/a.go": "", "match/a.go": "",
		"cmd/a.go": imports("muster/web"),
	})
	wants(t, "web", joined(h, []string{"lobby", "match"}, "cmd"), "web imports all of")
}

func TestCheckerFindsEmptyNamesLongFilesAndLeaks(t *testing.T) {
	wants(t, "a name", names(small(t, map[string]string{"a/a.go": "package util", "b/b.go": "package utility"})), "a/a.go", "util")
	long := strings.Repeat("// x\n", maxLines+1)
	wants(t, "length", lengths(small(t, map[string]string{
		"a.go": "package p\n" + long, "b.go": "// Code generated by x. DO NOT EDIT.\npackage p\n" + long, "c.go": "package p\n",
	})), "a.go has 602 lines")
	good := "import \"go.uber.org/goleak\"\nfunc TestMain(m *testing.M) { goleak.VerifyTestMain(m) }"
	wants(t, "leaks", leaky(small(t, map[string]string{
		"a/a_test.go": "func TestA(t *testing.T) {}", "a/b_test.go": "func TestMain(m *testing.M) {}",
		"b/a_test.go": "func TestA(t *testing.T) {}", "b/main_test.go": good, "c/c.go": "",
	})), "a has tests")
}

func TestCheckerFindsSleepersOutsideOfBubbles(t *testing.T) {
	wants(t, "sleep", sleepy(small(t, map[string]string{
		"a/a_test.go": `
func TestBare(t *testing.T) { for { time.Sleep(1) } }
func until(done func() bool) { for !done() { time.Sleep(1) } }
func TestIn(t *testing.T) { synctest.Test(t, func(t *testing.T) { time.Sleep(1) }) }
func inBubble(f func()) { synctest.Test(nil, f) }
func TestBelow(t *testing.T) { inBubble(func() { time.Sleep(1) }) }
func wait() { time.Sleep(1); synctest.Wait() }`,
		"a/a.go":      "func run() { time.Sleep(1) }",
		"b/b_test.go": "func TestTimer(t *testing.T) { <-time.After(1) }",
	})), "a/a_test.go:3:", "TestBare")
}
