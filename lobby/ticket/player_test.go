package ticket_test

import (
	"testing"
	"testing/synctest"
	"time"

	"muster/lobby/queue"
	"muster/lobby/ticket"
)

// long and short are queues in which players wait for others in vain.
var (
	long  = queue.Rules{Name: "long", Game: "arena", TeamSize: 2, MaxWait: time.Hour}
	short = queue.Rules{Name: "short", Game: "arena", TeamSize: 2, MaxWait: 5 * time.Minute}
)

// heard has the player heard of every 10 seconds for 21 minutes: longer than what a queue of 5 minutes remembers.
func heard(t *testing.T, s *service, player string) {
	t.Helper()
	for range 21 * 6 {
		time.Sleep(10 * time.Second)
		synctest.Wait()
		must(t, s.Heard(t.Context(), []string{player}))
	}
}

func TestTicketInAShortQueueDoesNotMakeThatInALongOneForgotten(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, long, short)
		id := enqueue(t, s, "long", "alice")
		enqueue(t, s, "short", "alice")
		heard(t, s, "alice")
		wantState(t, s, id, "alice", ticket.Waiting)
		if list, err := s.Of(t.Context(), "alice"); err != nil || len(list) != 1 || list[0] != id {
			t.Errorf("alice has tickets %v, %v; want %s", list, err, id)
		}
	})
}

func TestTicketThatIsTakenBackIntoAShortQueueDoesNotMakeThatInALongOneForgotten(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, long, short)
		a, b := enqueue(t, s, "short", "alice"), enqueue(t, s, "short", "bob")
		time.Sleep(time.Second)
		m := wantState(t, s, a, "alice", ticket.Matched)
		o.come(t, m, "alice")
		o.come(t, wantState(t, s, b, "bob", ticket.Matched), "bob")
		time.Sleep(10 * time.Second)
		id := enqueue(t, s, "long", "alice")
		o.nodes.set() // so that they are not matched again
		o.lose(t, s, m.Match.Room)
		wantState(t, s, a, "alice", ticket.Waiting)
		heard(t, s, "alice")
		wantState(t, s, id, "alice", ticket.Waiting)
	})
}
