package queue_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"muster/lobby/queue"
)

// A process that does not lead the queue has a pool, too, and never asks it for matches.
func TestTicketsThatComeAndGoWithoutACycleAreForgotten(t *testing.T) {
	const tickets, at = 50_000, 100
	r, err := (&queue.Rules{Name: "duel", Game: "arena", TeamSize: 2, Attributes: []queue.Attribute{{Name: "mode"}}}).Validate()
	if err != nil {
		t.Fatal(err)
	}
	p, now := queue.NewPool(&r), time.Unix(1000, 0)
	id := func(i int) string { return fmt.Sprint("t", i) }
	before := heap()
	for i := range tickets {
		p.Put(&queue.Ticket{
			ID: id(i), Created: now, Players: []queue.Player{{ID: fmt.Sprint("p", i)}},
			Attributes: map[string]any{"mode": fmt.Sprint("m", i%5000)},
		})
		if i >= at {
			p.Remove(id(i - at))
		}
	}
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("%d bytes are held for %d tickets", grown, p.Len())
	}
	if got := len(p.Match(nil, now).Assignments); got != 0 || p.Len() != at {
		t.Errorf("%d matches of tickets that do not agree, %d tickets wait", got, p.Len())
	}
	p.Put(&queue.Ticket{ID: "last", Created: now, Players: []queue.Player{{ID: "q"}}, Attributes: map[string]any{"mode": fmt.Sprint("m", (tickets-1)%5000)}})
	if got := p.Match(nil, now).Assignments; len(got) != 1 {
		t.Errorf("%d matches for two who agree", len(got))
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
