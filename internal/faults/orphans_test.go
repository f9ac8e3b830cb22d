package faults

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/pause"
	"muster/internal/testpace"
)

// carried is how long an attempt may lie until somebody carries it on: as long as a dead process has it for itself, and
// until the next look.
const carried = 4 * time.Second

// attempts are a queue's attempts that have not come to seats yet.
func (h *hall) attempts(queue string) (ids []string) {
	h.t.Helper()
	tag := "muster:{queue:" + queue + "}"
	list, err := h.rdb.ZRange(h.t.Context(), tag+":attempts", 0, -1).Result()
	must(h.t, err)
	for _, id := range list {
		if h.rdb.HGet(h.t.Context(), tag+":attempt:"+id, "state").Val() == "reserving" {
			ids = append(ids, id)
		}
	}
	return ids
}

// Every lobby is killed while matches are being made. A match waits for none of them: the first that starts again makes
// it, or gives its tickets back.
func TestMatchWhoseLobbiesAreAllKilledIsMadeByTheNext(t *testing.T) {
	t.Parallel()
	rng, machine := dice(t), testpace.Measure(t)
	h := openHall(t, 2)
	players := gather(h, 40, rng.Uint64(), usual)
	orphans := 0
	var times []time.Duration
	for tries := 0; tries < 8 && orphans < 2 || tries < 40 && orphans == 0; tries++ {
		until(t, "matches are made", func() bool { return len(h.attempts("pair")) > 0 })
		for _, l := range slices.Clone(h.lobbies) {
			h.end(l)
		}
		left := h.attempts("pair")
		orphans += len(left)
		waiting := map[string]bool{}
		for _, id := range left {
			waiting[id] = true
		}
		h.start()
		quietly := machine.Since(time.Now())
		until(t, "each of them is carried on", func() bool {
			for _, id := range h.attempts("pair") {
				if waiting[id] {
					return false
				}
			}
			return true
		})
		took := quietly()
		h.start()
		t.Logf("%d matches were being made when all lobbies died; carried on within %v of the next one's start", len(left), took)
		if len(left) > 0 {
			times = append(times, took)
		}
	}
	until(t, "enough are played to show something", func() bool { return players.seen(20, 0) })
	players.quit()
	players.reckon(false)
	if orphans == 0 {
		t.Fatal("no match was being made when all lobbies died: shows little")
	}
	slices.Sort(times)
	if half, longest := times[(len(times)-1)/2], times[len(times)-1]; half > testpace.Bound(carried+time.Second) || longest > testpace.Bound(2*carried) {
		t.Errorf("they were carried on within %v half of the times, and within %v each time", half, longest)
	}
	if keys := h.endless(); len(keys) > 0 {
		t.Errorf("keys that do not end: %q", keys)
	}
}

// A member of a party that waits is heard of no longer: its ticket ends, so that no match is made with an empty seat; the
// others may queue again at once.
func TestPartyMemberWhoVanishesTakesThePartyOutOfTheQueue(t *testing.T) {
	t.Parallel()
	h := openHall(t, 2)
	ask := func(method, path, player, body string, want int) answer {
		t.Helper()
		a, err := h.ask(t.Context(), method, path, player, body, "")
		must(t, err)
		if a.status != want {
			t.Fatalf("%s %s: %d %s", method, path, a.status, a.text)
		}
		return a
	}
	made := ask("POST", "/v1/parties", "alice", `{}`, 201)
	_, rest, _ := strings.Cut(string(made.text), `"code":"`)
	code, _, _ := strings.Cut(rest, `"`)
	ask("POST", "/v1/parties/join", "bob", `{"code":"`+code+`"}`, 200)
	id := ask("POST", "/v1/tickets", "alice", `{"queue":"four","party":true}`, 201).ticket.ID
	began := time.Now()
	quietly := testpace.Measure(t).Since(began)
	ask("GET", "/v1/tickets/"+id, "bob", "", 200) // and not again: his process has gone
	var last seenTicket
	until(t, "the ticket is looked at for 20 s", func() bool {
		_ = pause.For(t.Context(), 500*time.Millisecond)
		last = ask("GET", "/v1/tickets/"+id, "alice", "", 200).ticket
		return time.Since(began) > 18*time.Second
	})
	if last.State != "waiting" {
		t.Fatalf("after %v the ticket is %+v", time.Since(began), last)
	}
	until(t, "the ticket has ended", func() bool {
		_ = pause.For(t.Context(), 500*time.Millisecond)
		last = ask("GET", "/v1/tickets/"+id, "alice", "", 200).ticket
		return last.State != "waiting"
	})
	took := time.Since(began)
	t.Logf("ended %v after the member was heard of last: %s", took, last.Reason)
	if last.State != "cancelled" || !strings.Contains(last.Reason, "a member of the party") || took < 29*time.Second || quietly() > 29*time.Second+testpace.Bound(5*time.Second) {
		t.Errorf("after %v the ticket is %+v", took, last)
	}
	ask("POST", "/v1/tickets", "alice", `{"queue":"four"}`, 201)
	ask("POST", "/v1/tickets", "bob", `{"queue":"four"}`, 201)
}
