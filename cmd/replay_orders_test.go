package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/match"
	"muster/match/journal"
)

func TestShowTellsWhatBackendsAndOperatorsDid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ordered.muster")
	f, err := os.Create(file) //nolint:gosec // the test's own
	must(t, err)
	w, err := journal.NewWriter(f, journal.Header{Room: "r1", Game: "walk", Rules: "1", TickRate: 20, Seats: 2})
	must(t, err)
	must(t, w.Append(&journal.Record{Tick: 1, Orders: []journal.Order{
		{ID: "a", Kind: journal.OrderInput, Body: []byte{1}}, {ID: "b", Kind: journal.OrderKick, Player: "bob\x1b", Text: "cheating"},
	}}))
	must(t, w.Append(&journal.Record{Tick: 2, Orders: []journal.Order{{ID: "c", Kind: journal.OrderEnd, Text: "maintenance"}}}))
	must(t, w.Close())
	must(t, f.Close())
	g := walkGame(t, walk{}, match.Rules{})
	status, out, errs := replayCommand(t, g, "show", file)
	if status != 0 || !strings.Contains(out, "orders       3, of backends and operators") {
		t.Errorf("exit status %d: %s%s", status, out, errs)
	}
	_, out, _ = replayCommand(t, g, "show", "--json", "--ticks", file)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var first tickRecord
	must(t, json.Unmarshal([]byte(lines[1]), &first))
	if diff := cmp.Diff([]tickOrder{
		{ID: "a", Kind: "input", Body: []byte{1}}, {ID: "b", Kind: "kick", Player: "bob\x1b", Text: "cheating"},
	}, first.Orders); diff != "" {
		t.Errorf("the first tick's orders (-want +got):\n%s", diff)
	}
	if c, ok := obeyed(out); ok {
		t.Errorf("%U is printed as it is", c)
	}
}
