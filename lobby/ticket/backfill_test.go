package ticket_test

import (
	"testing"
	"testing/synctest"
	"time"

	"muster/lobby/queue"
	"muster/lobby/ticket"
)

// brought makes a ticket, and has its players come to the match that is found at once. It returns the room.
func (o *office) brought(t *testing.T, s *service, n ticket.New) string {
	t.Helper()
	tk, err := s.Create(t.Context(), n)
	must(t, err)
	time.Sleep(2 * time.Second)
	synctest.Wait()
	tk = wantState(t, s, tk.ID, n.By, ticket.Matched)
	for _, p := range n.Ticket.Players {
		o.come(t, tk, p.ID)
	}
	time.Sleep(4 * time.Second) // so that nobody is on the way to the room any more
	return tk.Match.Room
}

func TestRatingsOfThoseWhoJoinedARunningMatchCountForWhoComesNext(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, queue.Rules{
			Name: "fill", Game: "arena", TeamSize: 4, Min: 1, Backfill: true, Rating: []queue.Step{{Within: 100}},
		})
		rated := func(player string, rating float64) ticket.New {
			n := solo("fill", player)
			n.Ticket.Players[0].Rating = rating
			return n
		}
		first := o.brought(t, s, rated("alice", 1000))
		if room := o.brought(t, s, rated("bob", 1090)); room != first {
			t.Errorf("bob was brought to %s, want %s", room, first)
		}
		if room := o.brought(t, s, rated("carol", 910)); room == first {
			t.Error("carol was brought to a match with bob, who is 180 better")
		}
		if room := o.brought(t, s, rated("dave", 1015)); room != first {
			t.Errorf("dave was brought to %s, want %s", room, first)
		}
		if keys := endless(t, o.rdb); len(keys) > 1 { // the index of rooms is swept by its readers
			t.Errorf("keys that do not end: %q", keys)
		}
	})
}

// A party's rating lies halfway from its mean to the best of it; what its players are by themselves is no distance to it.
func TestPartyOfUnequalPlayersInARunningMatchIsJoinedByWhoIsAsGoodAsItIs(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, queue.Rules{
			Name: "fill", Game: "arena", TeamSize: 6, Min: 1, Backfill: true, Rating: []queue.Step{{Within: 100}},
		})
		party := func(players ...string) ticket.New { // of 1150
			n := group("fill", players...)
			n.Ticket.Players[0].Rating, n.Ticket.Players[1].Rating = 700, 1300
			return n
		}
		solo := func(player string, rating float64) ticket.New {
			n := solo("fill", player)
			n.Ticket.Players[0].Rating = rating
			return n
		}
		first := o.brought(t, s, party("alice", "bob"))
		if room := o.brought(t, s, party("carol", "dave")); room != first {
			t.Errorf("the second party was brought to %s, want %s", room, first)
		}
		if room := o.brought(t, s, solo("erin", 1200)); room != first {
			t.Errorf("erin, who is as good as the parties, was brought to %s, want %s", room, first)
		}
		if room := o.brought(t, s, solo("frank", 1090)); room == first {
			t.Error("frank was brought to a match with erin, who is 110 better")
		}
	})
}

func TestRoleThatIsTakenInARunningMatchIsNotGivenAgain(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, queue.Rules{
			Name: "fill", Game: "arena", TeamSize: 3, Min: 1, Backfill: true,
			Roles: []queue.Role{{Name: "tank", PerTeam: 1}, {Name: "other", PerTeam: 2}},
		})
		comes := func(player, role string) ticket.New {
			n := solo("fill", player)
			n.Ticket.Players[0].Roles = []string{role}
			return n
		}
		first := o.brought(t, s, comes("alice", "other"))
		if room := o.brought(t, s, comes("bob", "tank")); room != first {
			t.Errorf("bob was brought to %s, want %s", room, first)
		}
		if room := o.brought(t, s, comes("carol", "tank")); room == first {
			t.Error("a second tank was brought to the match")
		}
	})
}
