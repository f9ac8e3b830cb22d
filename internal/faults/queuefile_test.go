package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// A hangup with a mistake in the file leaves the old rules, and the log names the line; the next one with a good file is
// taken.
func TestHangupWithAMistakeInTheQueuesLeavesTheOldRulesAndNamesTheLine(t *testing.T) {
	t.Parallel()
	h := openHall(t, 1)
	l := h.lobbies[0]
	hangup := func(text string) {
		t.Helper()
		must(t, os.WriteFile(h.file, []byte(text), 0o600))
		l.Signal(syscall.SIGHUP)
	}
	names := func() string {
		a, err := h.ask(t.Context(), http.MethodGet, "/v1/queues", "alice", "", "")
		must(t, err)
		return string(a.text)
	}
	for n, bad := range []struct {
		text string
		line int
	}{
		{"queues:\n  pair: {game: pair, team_size: 2}\n  wrong: {game: pair, team_size: two}\n", 3},
		{"queues:\n  pair:\n    {game: pair, team_size: 2,\n     rules: [{name: x, holds: a.attributes.}]}\n", 4},
		{"queues:\n  pair: {game: chess, team_size: 2}\n", 2},
		{"queues:\n\n\n  pair: [\n", 5},
	} {
		before := names()
		hangup(bad.text)
		until(t, "the file was read", func() bool {
			return h.metric(l, `muster_queue_file_loads_total{outcome="bad"}`) == float64(n+1)
		})
		line := fmt.Sprintf(`"line":%d,`, bad.line)
		until(t, fmt.Sprintf("mistake %d: the log says %s", n, line), func() bool { return strings.Contains(l.Output(), line) })
		if after := names(); after != before || !strings.Contains(after, `"pair"`) {
			t.Errorf("mistake %d: the queues are %s, before %s", n, after, before)
		}
	}
	for _, p := range []string{"alice", "bob"} {
		a, err := h.ask(t.Context(), http.MethodPost, "/v1/tickets", p, `{"queue":"pair"}`, p)
		if err != nil || a.status != http.StatusCreated {
			t.Fatalf("%d %s, %v", a.status, a.text, err)
		}
		if p == "bob" {
			a, err = h.ask(t.Context(), http.MethodGet, "/v1/tickets/"+a.ticket.ID+"?wait=10s", p, "", "")
			if err != nil || a.ticket.State != "matched" {
				t.Errorf("by the old rules: %s, %v", a.text, err)
			}
		}
	}
	hangup(hallQueues + "  more: {game: pair, team_size: 3}\n")
	until(t, "the new queue is there", func() bool { return strings.Contains(names(), `"more"`) })
}

// What no ticket needs is refused by the running server as by its parts.
func TestGiganticAttributesAndUnknownFieldsAreRefused(t *testing.T) {
	t.Parallel()
	h := openHall(t, 1)
	for _, c := range []struct {
		body string
		want int
	}{
		{`{"queue":"alone","attributes":{"mode":"` + strings.Repeat("x", 25<<10) + `"}}`, http.StatusRequestEntityTooLarge},
		{`{"queue":"alone","attributes":{"mode":"` + strings.Repeat("x", 5<<10) + `"}}`, http.StatusUnprocessableEntity},
		{`{"queue":"alone","attributes":{"mode":{"a":[1]}}}`, http.StatusUnprocessableEntity},
		{`{"queue":"alone","rating":9000}`, http.StatusUnprocessableEntity},
		{`{"queue":"alone","attributes":{"mode":"a"},"__proto__":{"x":1}}`, http.StatusUnprocessableEntity},
	} {
		a, err := h.once(t.Context(), h.lobbies[0], http.MethodPost, "/v1/tickets", "alice", c.body, "")
		if err != nil || a.status != c.want || len(a.text) > 2<<10 {
			t.Errorf("%.60s: %d with %d bytes, %v; want %d", c.body, a.status, len(a.text), err, c.want)
		}
	}
}

// Rooms come and go while somebody pages through them: what is there all the time is on each walk's pages exactly once.
func TestPagingWhileRoomsChurnShowsEachRoomThatStaysOnce(t *testing.T) {
	t.Parallel()
	const staying, walks = 40, 60 // or more, until some rooms have come and gone meanwhile
	h := openHall(t, 2)
	open := func(player string) (id string) {
		a, err := h.ask(t.Context(), http.MethodPost, "/v1/rooms", player, `{"game":"pair","public":true,"title":"`+player+`"}`, "")
		var out struct {
			Room struct {
				ID string `json:"id"`
			} `json:"room"`
		}
		if err == nil && a.status == http.StatusCreated {
			err = json.Unmarshal(a.text, &out)
		}
		if err != nil || out.Room.ID == "" {
			t.Errorf("making a room: %d %s, %v", a.status, a.text, err)
		}
		return out.Room.ID
	}
	stay := map[string]bool{}
	for i := range staying {
		stay[open(fmt.Sprint("s", i))] = true
	}
	var stop atomic.Bool
	var churned atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; !stop.Load() && !t.Failed(); i++ {
			player := fmt.Sprint("c", i/5)
			id := open(player)
			if a, err := h.ask(t.Context(), http.MethodDelete, "/v1/rooms/"+id, player, "", ""); err != nil || a.status != http.StatusNoContent {
				t.Errorf("closing a room: %d %s, %v", a.status, a.text, err)
			}
			churned.Add(1)
		}
	}()
	pages := 0
	for walk := 0; walk < walks || churned.Load() < 10 && !t.Failed(); walk++ {
		seen := map[string]int{}
		for cursor := ""; ; {
			a, err := h.ask(t.Context(), http.MethodGet, "/v1/rooms?game=pair&limit=7&cursor="+cursor, fmt.Sprint("w", walk, pages/20), "", "")
			must(t, err)
			var page struct {
				Rooms []struct {
					ID string `json:"id"`
				} `json:"rooms"`
				Next string `json:"next"`
			}
			must(t, json.Unmarshal(a.text, &page))
			for _, r := range page.Rooms {
				seen[r.ID]++
			}
			pages++
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		for id := range stay {
			if seen[id] != 1 {
				t.Errorf("walk %d shows room %s %d times", walk, id, seen[id])
			}
		}
		for id, n := range seen {
			if n > 1 {
				t.Errorf("walk %d shows room %s %d times", walk, id, n)
			}
		}
	}
	stop.Store(true)
	<-done
	t.Logf("%d pages of walks, while %d rooms came and went", pages, churned.Load())
}
