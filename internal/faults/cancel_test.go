package faults

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// each does something for the numbers from 0 to n, so many at a time.
func each(n, atOnce int, do func(i int)) {
	var wg sync.WaitGroup
	for first := range atOnce {
		wg.Go(func() {
			for i := first; i < n; i += atOnce {
				do(i)
			}
		})
	}
	wg.Wait()
}

// Ten thousand players give up at once: all are answered, nothing of their tickets is left but what ends by itself, and the
// lobbies' memory comes back.
func TestTenThousandCancelsAtOnceLeaveNothingBehind(t *testing.T) {
	const tickets, atOnce = 10_000, 128
	h := openHall(t, 2)
	heap := func() (sum float64) {
		for _, l := range h.lobbies {
			l.Signal(syscall.SIGUSR1)
			sum += h.metric(l, "go_memstats_heap_alloc_bytes")
		}
		return sum
	}
	before := heap()
	ids := make([]string, tickets)
	began := time.Now()
	each(tickets, atOnce, func(i int) {
		a, err := h.ask(t.Context(), http.MethodPost, "/v1/tickets", fmt.Sprint("p", i), fmt.Sprintf(`{"queue":"alone","attributes":{"mode":"m%d"}}`, i), fmt.Sprint("key", i))
		if err != nil || a.status != http.StatusCreated {
			t.Errorf("making a ticket: %d %s, %v", a.status, a.text, err)
		}
		ids[i] = a.ticket.ID
	})
	made := time.Since(began)
	if n := h.rdb.ZCard(t.Context(), "muster:{queue:alone}:waiting").Val(); n != tickets || t.Failed() {
		t.Fatalf("%d tickets wait", n)
	}
	full, again := heap(), h.again.Load()
	began = time.Now()
	each(tickets, atOnce, func(i int) {
		a, err := h.ask(t.Context(), http.MethodDelete, "/v1/tickets/"+ids[i], fmt.Sprint("p", i), "", "")
		if err != nil || a.status != http.StatusOK || a.ticket.State != "cancelled" {
			t.Errorf("giving up: %d %s, %v", a.status, a.text, err)
		}
	})
	took := time.Since(began)
	t.Logf("%d tickets were made in %v and given up in %v, %.0f in a second; %d requests were made again", tickets,
		made.Round(time.Millisecond), took.Round(time.Millisecond), tickets/took.Seconds(), h.again.Load()-again)
	for _, key := range []string{"waiting", "seen", "attempts", "filling"} {
		if n := h.rdb.ZCard(t.Context(), "muster:{queue:alone}:"+key).Val(); n != 0 {
			t.Errorf("%d entries are left of %s", n, key)
		}
	}
	iter := h.rdb.Scan(t.Context(), 0, "muster:*", 5000).Iterator()
	for iter.Next(t.Context()) {
		key := iter.Val()
		if strings.HasPrefix(key, "muster:rate:") { // counters, which end by themselves within seconds
			continue
		}
		if strings.Contains(key, ":player:") || strings.HasSuffix(key, ":tickets") || strings.HasSuffix(key, ":busy") {
			t.Fatalf("%s is left", key)
		}
	}
	must(t, iter.Err())
	if keys := h.endless(); len(keys) > 0 {
		t.Errorf("keys that do not end: %q", keys)
	}
	for _, l := range h.lobbies {
		until(t, "a lobby knows that nobody waits", func() bool { return h.metric(l, `muster_tickets_waiting{queue="alone"}`) == 0 })
	}
	// What limits players and addresses is kept for a while: a quarter of what the tickets took, more under the race detector.
	after, most := 0.0, before+max(16<<20, (full-before)/2)
	until(t, "the lobbies' memory is back", func() bool { after = heap(); return after < most })
	t.Logf("heaps of both: %.1f MiB before, %.1f MiB with all tickets, %.1f MiB after", before/(1<<20), full/(1<<20), after/(1<<20))
}

// A player gives up at the moment when a match is found for him, a thousand times: his ticket ends once, as the answer
// said, and who is told that it is matched has a seat.
func TestCancelThatRacesWithAMatchIsAnsweredAsTheTicketEnds(t *testing.T) {
	t.Parallel()
	const races = 1000
	rng := dice(t)
	h := openHall(t, 2)
	players := gather(h, 16, rng.Uint64(), habit{queues: []string{"pair"}, giveUp: 1, within: 40 * time.Millisecond})
	until(t, "a thousand have given up, and of either end there are some", func() bool {
		return players.gaveUp.Load() >= races && players.seen(races/20, races/20)
	})
	players.quit()
	players.reckon(false)
}

// One player asks two lobbies for a ticket at the same time: he has one, and the other answer names it.
func TestTwoTicketsOfOnePlayerThroughTwoLobbiesAreOne(t *testing.T) {
	t.Parallel()
	const rounds = 50
	h := openHall(t, 2)
	for n := range rounds {
		player := fmt.Sprint("p", n)
		answers := make([]answer, 2)
		each(2, 2, func(i int) {
			var err error
			answers[i], err = h.once(t.Context(), h.lobbies[i], http.MethodPost, "/v1/tickets", player,
				fmt.Sprintf(`{"queue":"alone","attributes":{"mode":%q}}`, player), "")
			if err != nil {
				t.Error(err)
			}
		})
		if answers[0].status > answers[1].status {
			answers[0], answers[1] = answers[1], answers[0]
		}
		if answers[0].status != http.StatusCreated || answers[1].status != http.StatusConflict ||
			!strings.Contains(string(answers[1].text), answers[0].ticket.ID) {
			t.Errorf("round %d: %d %s and %d %s", n, answers[0].status, answers[0].text, answers[1].status, answers[1].text)
		}
	}
}
