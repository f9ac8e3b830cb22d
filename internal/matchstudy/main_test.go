package main

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"muster/lobby/queue"
	"muster/lobby/queuefile"
	"muster/lobby/simulate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func studied(t *testing.T) *queue.Rules {
	t.Helper()
	list, err := queuefile.Load([]byte(rulesText), queuefile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &list[0]
}

// noted remembers what a matcher answered.
type noted struct {
	simulate.Matcher
	tickets map[string]*queue.Ticket
	check   func(a queue.Assignment, tickets map[string]*queue.Ticket, now time.Time)
}

func (n *noted) Put(t *queue.Ticket) { n.tickets[t.ID] = t; n.Matcher.Put(t) }

func (n *noted) Match(rooms []queue.Room, now time.Time) queue.Outcome {
	out := n.Matcher.Match(rooms, now)
	for _, a := range out.Assignments {
		n.check(a, n.tickets, now)
	}
	return out
}

// A baseline that broke the rules would be beaten by nobody, or by everybody.
func TestTheGreedyMatcherHoldsToWindowsRegionsAndTeams(t *testing.T) {
	t.Parallel()
	r := studied(t)
	arrivals := simulate.Load{Seed: 1, PerMinute: 60, For: 2 * time.Hour, Heavy: true, Parties: 0.3}.Arrivals(r)
	matches := 0
	n := &noted{newGreedy(r, 2), map[string]*queue.Ticket{}, func(a queue.Assignment, tickets map[string]*queue.Ticket, now time.Time) {
		matches++
		var anchor *queue.Ticket
		for _, team := range a.Teams {
			size := 0
			for _, id := range team {
				size += len(tickets[id].Players)
				if anchor == nil || tickets[id].Created.Before(anchor.Created) {
					anchor = tickets[id]
				}
			}
			if size != r.TeamSize {
				t.Errorf("a team has %d players", size)
			}
		}
		waited := now.Sub(anchor.Created)
		for _, team := range a.Teams {
			for _, id := range team {
				if off := math.Abs(tickets[id].Rating() - anchor.Rating()); off > 2*bound(r.Rating, waited) {
					t.Errorf("%g points from an anchor that has waited %v", off, waited)
				}
				for _, p := range tickets[id].Players {
					if ms, ok := p.Latency[a.Region]; !ok || ms > bound(r.Latency, waited) {
						t.Errorf("%s is %g ms from %s after %v", a.Region, ms, id, waited)
					}
				}
			}
		}
	}}
	if _, err := simulate.Run(t.Context(), r, arrivals, n, simulate.Options{}); err != nil || matches < 500 {
		t.Errorf("%d matches: %v", matches, err)
	}
}

func TestFirstComeTakesTheOldest(t *testing.T) {
	t.Parallel()
	r := studied(t)
	g := newGreedy(r, math.Inf(1))
	for i, id := range strings.Split("abcdefghijkl", "") {
		g.Put(&queue.Ticket{ID: id, Players: []queue.Player{{ID: id, Rating: float64(i * 1000), Latency: map[string]float64{"eu": 20, "us": 15}}}})
	}
	g.Remove("c")
	out := g.Match(nil, time.Now())
	if len(out.Assignments) != 1 || g.Len() != 1 || g.list[0].ID != "l" || out.Assignments[0].Region != "us" {
		t.Errorf("got %+v, and %d wait", out, g.Len())
	}
}

func TestAWindowIsFoundThatWaitsAsLong(t *testing.T) {
	t.Parallel()
	r := studied(t)
	arrivals := simulate.Load{Seed: 1, PerMinute: 60, For: 2 * time.Hour, Heavy: true, Parties: 0.3}.Arrivals(r)
	factor, rep, err := tune(r, arrivals, simulate.Options{}, 20, 0.2, 5)
	if err != nil || math.Abs(rep.All.Wait.Mean/20-1) > 0.02 || factor <= 0.2 || factor >= 5 {
		t.Errorf("a factor of %g waits %g s, want 20 (%v)", factor, rep.All.Wait.Mean, err)
	}
}

func TestTheStudyIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		if err := run([]string{"-dir", dir, "-hours", "1", "-rate", "40", "-seeds", "1"}, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"MATCHMAKING.md", "matchmaking.svg"} {
		x, err := os.ReadFile(filepath.Join(a, name))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(b, name))
		if err != nil || !bytes.Equal(x, y) {
			t.Errorf("%s is another one the second time (%v)", name, err)
		}
		for _, bad := range []string{"NaN", "%!"} {
			if bytes.Contains(x, []byte(bad)) {
				t.Errorf("%s has %s in it", name, bad)
			}
		}
	}
	if err := run([]string{"-rules", "nowhere.yaml"}, io.Discard); err == nil {
		t.Error("rules that are not there were studied")
	}
}

// The document that is committed must be of the rules that are studied.
func TestTheDocumentIsOfTheseRules(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "MATCHMAKING.md"))
	if err != nil || !bytes.Contains(text, []byte(rulesText)) {
		t.Errorf("docs/MATCHMAKING.md is of other rules (%v): make matchmaking", err)
	}
}
