package housetest

import (
	"fmt"
	"go/ast"
	"slices"
	"testing"
)

// steady are packages that measure time by the monotonic clock alone: a wall clock that steps, or that another machine
// sets otherwise, must not end a seat, a room or a socket.
var steady = []string{"internal/door", "match", "match/edge", "netcode", "client"}

// wallClock are the files of these packages that look at the wall clock, and why they may.
var wallClock = map[string]string{
	"match/instance.go":       "a result says when its match was, for people",
	"match/durable.go":        "a match that goes on elsewhere keeps when it was made, for people",
	"match/memory.go":         "a journal says when its room was made, for people",
	"match/roomstate.go":      "a checkpoint keeps when a player's token ends, which its issuer wrote by the wall clock",
	"internal/door/expiry.go": "a player's token ends by the wall clock, with the leeway that tokens have",
}

// ofWallClock are names by which a time loses its monotonic reading or never had one.
var ofWallClock = []string{"Unix", "UnixMicro", "UnixMilli", "UnixNano", "UTC", "Date", "ParseInLocation"}

// wallClocks returns where the packages look at the wall clock and may not, and files that may and do not.
func wallClocks(h house, dirs []string, may map[string]string) (list []string) {
	looks := map[string]bool{}
	for _, f := range h {
		if f.test || !slices.Contains(dirs, f.dir) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains(ofWallClock, s.Sel.Name) {
				looks[f.path] = true
				if may[f.path] == "" {
					list = append(list, fmt.Sprintf("%s: %s is of the wall clock, which may step", f.set.Position(n.Pos()), s.Sel.Name))
				}
			}
			return true
		})
	}
	for path := range may {
		if !looks[path] {
			list = append(list, path+" may look at the wall clock and does not: take it off the list")
		}
	}
	return list
}

func TestRoomsGracesAndLimitsGoByTheMonotonicClock(t *testing.T) {
	report(t, wallClocks(theHouse(t), steady, wallClock))
}

func TestCheckerFindsTheWallClock(t *testing.T) {
	h := small(t, map[string]string{
		"match/a.go":      "func f(t time.Time) bool { return time.Now().UnixNano() > t.UnixNano() }",
		"match/b.go":      "func g(t time.Time) bool { return time.Since(t) > 0 && time.Now().After(t) }",
		"match/a_test.go": "var seed = time.Now().UnixNano()",
		"lobby/a.go":      "var now = time.Now().Unix()",
	})
	list := wallClocks(h, steady, nil)
	if len(list) != 2 {
		t.Errorf("%d complaints, want 2: %q", len(list), list)
	}
	wants(t, "a file that is named for nothing", wallClocks(h, []string{"lobby"}, map[string]string{"lobby/a.go": "x", "match/b.go": "y"}), "match/b.go")
}
