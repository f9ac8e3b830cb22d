package ticket_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/ticket"
)

func TestTicketWaitsAsLongAsItsPlayersAreSaidToBeHere(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		o := newOffice(t, rdb)
		s := o.open(nil, team)
		defer s.die()
		id := enqueue(t, s, "team", "alice", "bob")
		for range 6 {
			time.Sleep(10 * time.Second)
			must(t, s.Seen(t.Context(), []string{"alice", "nobody", "bob"}))
		}
		wantState(t, s, id, "bob", ticket.Waiting)
		for range 4 {
			time.Sleep(10 * time.Second)
			must(t, s.Seen(t.Context(), []string{"alice"}))
		}
		wantState(t, s, id, "alice", ticket.Cancelled) // bob was not
	})
}
