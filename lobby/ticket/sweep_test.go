package ticket_test

import (
	"fmt"
	"testing"
	"time"

	"muster/lobby/ticket"
)

// Whoever has gone away must not start a match, however many have gone at once.
func TestThousandsOfTicketsThatNobodyAsksForExpireTogether(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.nodes.set() // so that no match is made
		s := o.open(nil, duel)
		const players = 1500
		ids := map[string]string{}
		for i := range players {
			p := fmt.Sprint("p", i)
			ids[p] = enqueue(t, s, "duel", p)
		}
		time.Sleep(33 * time.Second)
		for p, id := range ids {
			if tk := wantState(t, s, id, p, ticket.Expired); tk.Reason != "nobody asked for it for 30 seconds" {
				t.Fatalf("it expired since %q", tk.Reason)
			}
		}
		if got := value(t, s, "muster_lobby_swept_total", "what=ticket_unseen"); got != players {
			t.Errorf("%v tickets were swept, want %d", got, players)
		}
	})
}
