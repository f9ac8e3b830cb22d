package housetest

import (
	"fmt"
	"os"
	"path"
	"slices"
	"testing"
)

// rule says what some files, tests left out, may import.
type rule struct {
	// dirs are the packages that it is about, and those below them; "games/*" is each game.
	dirs []string
	// files are the names of the files that it is about; none means all.
	files []string
	// except are packages, or names of files, that it is not about.
	except []string

	onlyOurs    []string // of our packages these alone; nil means any, empty none
	onlyOthers  []string // of other modules' packages these alone; nil means any, empty none
	not         []string // and none of these, nor what is below them
	notStandard []string // exactly these packages of the standard library

	why string
}

// nothing is a list that allows nothing.
var nothing = []string{}

// rules are DESIGN's import directions.
var rules = []rule{
	{
		dirs: []string{"proto"}, onlyOurs: nothing,
		why: "the wire stands below everything: clients in Go and in other languages are built from it alone",
	},
	{
		dirs: []string{"netcode"}, onlyOurs: []string{"proto", "netcode"}, onlyOthers: []string{"github.com/vmihailenco/msgpack/v5"},
		notStandard: []string{"net", "net/http", "os", "time", "math/rand", "crypto/rand", "log", "log/slog", "context"},
		why:         "the pure part is a function from bytes and ticks to bytes: no network, no file, no clock, no dice, no log",
	},
	{
		dirs: []string{"games/*"}, except: []string{"room.go", "bot.go"}, onlyOurs: []string{"netcode"}, onlyOthers: nothing,
		notStandard: []string{"net", "net/http", "os", "time", "math", "math/rand", "math/rand/v2", "crypto/rand", "sync", "context"},
		why:         "state and step are what a client predicts with: netcode alone, nothing that differs between two machines",
	},
	{
		dirs: []string{"games/*"}, files: []string{"room.go"}, onlyOurs: []string{"match", "netcode", "proto"},
		notStandard: []string{"time", "math/rand", "math/rand/v2"},
		why:         "hooks are recorded and replayed: they see the room and no clock",
	},
	{
		dirs: []string{"games/*"}, files: []string{"bot.go"}, onlyOurs: []string{"client", "netcode"},
		why: "a bot knows what a client knows",
	},
	{
		dirs: []string{"match"}, except: []string{"match/bridge", "match/edge", "match/cluster", "match/journal", "match/matchtest", "match/node", "match/playback"},
		onlyOurs: []string{"internal/complaint", "internal/pause", "match/journal", "netcode", "proto", "proto/token"},
		not:      []string{"github.com/redis", "github.com/lxzan/gws", "net/http"},
		why:      "the loop knows neither sockets nor Redis: edges and the directory are interfaces that it is given",
	},
	{
		dirs: []string{"match/cluster/ownership"}, onlyOurs: nothing, onlyOthers: nothing,
		notStandard: []string{"net", "net/http", "os", "math/rand", "math/rand/v2", "crypto/rand", "sync", "sync/atomic", "context", "log"},
		why:         "what the explorer runs is what nodes run: all that happens is told, and when",
	},
	{
		dirs: []string{"match/journal"}, onlyOurs: []string{"match/journal", "netcode", "proto"},
		onlyOthers: []string{
			"github.com/klauspost/compress/zstd", "github.com/prometheus/client_golang/prometheus", "go.uber.org/zap",
		},
		not: []string{"net/http"},
		why: "records and checkpoints are read where no room runs and kept where no Redis is: a replay is a file",
	},
	{
		dirs: []string{"match/edge"}, onlyOurs: []string{"internal/door", "match", "netcode", "proto", "proto/token"}, not: []string{"github.com/redis"},
		why: "the edge finds rooms by an interface, whichever node they are on",
	},
	{
		dirs: []string{"internal/door"}, onlyOurs: []string{"proto", "proto/token"}, not: []string{"github.com/redis", "go.uber.org/zap"},
		except: []string{"internal/door/doortest"},
		why:    "what all sockets share knows nothing of what they are for",
	},
	{
		dirs: []string{"internal/strictjson"}, onlyOurs: nothing, not: []string{"net/http"},
		why: "it looks at a text and knows nothing of what the text is for",
	},
	{
		dirs: []string{"internal/complaint"}, onlyOurs: nothing, onlyOthers: nothing,
		why: "it decides whether to say something and does not say it",
	},
	{
		dirs: []string{"internal/secret"}, onlyOurs: nothing,
		why: "it looks at a file's mode and knows nothing of what the file is for",
	},
	{
		dirs: []string{"match/cluster"}, onlyOurs: []string{"internal/complaint", "internal/pause", "internal/secret", "match/cluster/ownership", "match/journal", "proto", "proto/token"},
		why: "the lobby uses it without the loop, so it must not bring the loop with it",
	},
	{
		dirs: []string{"match/cluster/ownership"}, onlyOurs: nothing, onlyOthers: nothing,
		notStandard: []string{"net", "net/http", "context", "sync", "math/rand", "math/rand/v2"},
		why:         "who may run a room is decided by a machine that can be explored: what it is told, and when, is all it knows",
	},
	{
		dirs: []string{"match/node"}, onlyOurs: []string{"match", "match/bridge", "match/cluster", "match/edge", "match/journal", "match/playback", "netcode", "proto", "proto/token"},
		why: "it brings host, edge and cluster together, and knows nothing of the lobby",
	},
	{
		dirs: []string{"match/playback"}, onlyOurs: []string{"internal/pause", "match", "match/journal", "netcode", "proto", "proto/token"},
		not: []string{"github.com/redis", "github.com/lxzan/gws", "net/http"},
		why: "a recording is shown by the loop's own machine, to edges that are given, from a file that is given",
	},
	{
		dirs: []string{"match/bridge"}, onlyOurs: []string{"match", "match/edge", "netcode", "proto", "proto/token"}, not: []string{"github.com/redis"},
		why: "rooms and viewers meet over any network that carries messages between nodes",
	},
	{
		dirs: []string{"match"}, except: []string{"match/matchtest"}, not: []string{"muster/lobby", "muster/client", "muster/cmd", "muster/loadtest", "muster/games"},
		why: "a room knows nothing of how its players came, nor of who loads it",
	},
	{
		dirs:     []string{"match/matchtest"},
		onlyOurs: []string{"client", "internal/alone", "internal/simnet", "match", "match/edge", "match/journal", "netcode", "proto", "proto/token"},
		not:      []string{"github.com/redis"},
		why:      "it tests a game with a real edge and real clients on a network in memory, and with nothing else",
	},
	{
		dirs: []string{"internal/golden", "internal/testmetric"}, onlyOurs: nothing,
		why: "tests of every package use them",
	},
	{
		dirs: []string{"internal/alone"}, onlyOurs: []string{"match", "proto"}, onlyOthers: nothing,
		why: "it stands in for what a host is given, in tests of all that has a host",
	},
	{
		dirs: []string{"."}, except: []string{"match/matchtest"}, not: []string{"muster/internal/alone"},
		why: "a host that keeps nothing is for tests",
	},
	{
		dirs: []string{"."}, not: []string{"muster/match/matchtest"},
		why: "matchtest is for tests: a program that imports it has package testing in it",
	},
	{
		dirs: []string{"."}, except: []string{"web/bundle", "web/pagebundle"}, not: []string{"muster/web/pagebundle", "github.com/evanw/esbuild"},
		why: "pages are built before a server is: none carries the bundler with it",
	},
	{
		dirs: []string{"lobby"},
		onlyOurs: []string{
			"internal/complaint", "internal/door", "internal/pause", "internal/strictjson", "lobby/chat", "lobby/inbox", "lobby/invitation", "lobby/joincode", "lobby/keyspace", "lobby/live", "lobby/party", "lobby/players",
			"lobby/presence", "lobby/queue", "lobby/queuefile", "lobby/rating", "lobby/simulate", "lobby/ticket",
			"match/cluster", "proto", "proto/token",
		},
		why: "the lobby asks match/cluster for a room and never sees the loop, so either can be deployed without the other",
	},
	{
		dirs: []string{"lobby/queue", "lobby/rating"}, onlyOurs: nothing, not: []string{"github.com/redis", "go.uber.org/zap", "net/http"},
		why: "the matchmaker's core is a function: it can be simulated and tested by properties",
	},
	{
		dirs: []string{"lobby/queuefile"}, onlyOurs: []string{"lobby/queue"},
		onlyOthers: []string{
			"github.com/expr-lang/expr", "github.com/expr-lang/expr/ast", "github.com/expr-lang/expr/file",
			"github.com/expr-lang/expr/vm", "gopkg.in/yaml.v3",
		},
		notStandard: []string{"net", "net/http", "math/rand", "math/rand/v2"},
		why:         "a file becomes rules, and the same file the same rules, wherever it is read",
	},
	{
		dirs: []string{"lobby/simulate"}, onlyOurs: []string{"lobby/queue"}, not: []string{"github.com/redis", "net/http"},
		why: "a simulation is a function of rules, tickets and a seed: it has neither a server nor a clock",
	},
	{
		dirs: []string{"client"}, onlyOurs: []string{"internal/pause", "netcode", "proto"}, not: []string{"github.com/redis", "github.com/lxzan/gws"},
		why: "a game's client is built without the server; a second WebSocket library at this end tests the first",
	},
	{
		dirs: []string{"loadtest"}, onlyOurs: []string{"client", "internal/pause", "proto"},
		why: "bots see what players see; cmd hands them a server",
	},
	{
		dirs: []string{"internal/simnet"}, onlyOurs: nothing, onlyOthers: nothing,
		why: "a network in memory is of use to every package's tests",
	},
	{
		dirs: []string{"internal/faults"}, onlyOurs: nothing, onlyOthers: nothing,
		why: "it breaks servers and holds tests alone: nothing of it may be built into anything",
	},
	{
		dirs: []string{"."}, except: []string{"cmd", "games", "internal/watchbench"}, not: []string{"muster/games"},
		why: "games are handed to cmd.Main: nothing but a main and tests knows which there are",
	},
	{
		dirs: []string{"games/*"}, not: []string{"muster/games", "muster/lobby", "muster/cmd", "muster/loadtest"},
		why: "each game is small, complete and alone",
	},
	{
		dirs: []string{"."}, except: []string{"cmd", "internal/scalebench", "internal/watchbench"}, not: []string{"muster/cmd"},
		why: "cmd is wiring: nothing stands on it but mains with games of their own, as that of a benchmark",
	},
}

// about says whether a rule is about a file.
func (r *rule) about(f *file) bool {
	if f.test || under(f.dir, r.except...) || slices.Contains(r.except, f.name) {
		return false
	}
	if len(r.files) > 0 && !slices.Contains(r.files, f.name) {
		return false
	}
	return slices.ContainsFunc(r.dirs, func(dir string) bool {
		if dir == "." {
			return true
		}
		for at := f.dir; at != "."; at = path.Dir(at) {
			if match, _ := path.Match(dir, at); match {
				return true
			}
		}
		return false
	})
}

// forbids says whether a rule forbids an import.
func (r *rule) forbids(imported string) bool {
	switch dir := ours(imported); {
	case under(imported, r.not...):
		return true
	case dir != "":
		return r.onlyOurs != nil && !slices.Contains(r.onlyOurs, dir)
	case standard(imported):
		return slices.Contains(r.notStandard, imported)
	default:
		return r.onlyOthers != nil && !slices.Contains(r.onlyOthers, imported)
	}
}

// broken returns which imports break a rule.
func broken(h house, rules []rule) (list []string) {
	for _, f := range h {
		for i := range rules {
			if !rules[i].about(f) {
				continue
			}
			for _, imported := range f.imports {
				if rules[i].forbids(imported) {
					list = append(list, fmt.Sprintf("%s must not import %s: %s", f.path, imported, rules[i].why))
				}
			}
		}
	}
	return list
}

// joined returns the packages that bring all of these together, besides those that may.
func joined(h house, all []string, may ...string) (list []string) {
	for _, dir := range h.dirs() {
		reached := h.reaches(dir)
		missing := slices.ContainsFunc(all, func(p string) bool { return !reached[p] && p != dir })
		if !missing && !under(dir, may...) {
			list = append(list, fmt.Sprintf("%s imports all of %v, which only %v may wire together", dir, all, may))
		}
	}
	return list
}

// theHouse is this module.
func theHouse(t *testing.T) house {
	t.Helper()
	h, err := scan(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(h) < 50 || !slices.Contains(h.dirs(), "netcode") {
		t.Fatalf("%d files in %v: this is not the module's root", len(h), h.dirs())
	}
	return h
}

func report(t *testing.T, list []string) {
	t.Helper()
	for _, s := range list {
		t.Error(s)
	}
}

func TestImportsPointOneWay(t *testing.T) {
	h := theHouse(t)
	report(t, broken(h, rules))
	report(t, joined(h, []string{"lobby", "match"}, "cmd", "internal/scalebench", "internal/watchbench"))
	report(t, joined(h, []string{"loadtest", "match"}, "cmd", "internal/scalebench", "internal/watchbench"))
}

// A rule about a package that is no longer there protects nothing.
func TestEveryRuleIsAboutSomething(t *testing.T) {
	h := theHouse(t)
	for i := range rules {
		if r := &rules[i]; !slices.ContainsFunc(h, r.about) {
			t.Errorf("no file is in %v %v: %s", r.dirs, r.files, r.why)
		}
		if rules[i].why == "" {
			t.Errorf("rule %d gives no reason", i)
		}
	}
}
