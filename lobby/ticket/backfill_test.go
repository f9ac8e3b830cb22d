package ticket_test

import (
	"strings"
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

// Each of these queues has a match with the first player, to which those of the others come who are said to; who does not
// begins one of his own, which those do not fit into either.
func TestRulesOfThoseWhoAreInARunningMatchHoldForWhoComesNext(t *testing.T) {
	type comer struct {
		name   string
		rating float64
		most   float64 // his own limit of the distance of ratings
		says   map[string]any
		joins  bool
	}
	says := func(name string, v any) map[string]any { return map[string]any{name: v} }
	for name, c := range map[string]struct {
		rules  queue.Rules
		comers []comer
	}{
		"a level within a distance": {
			queue.Rules{Attributes: []queue.Attribute{{Name: "level", Kind: queue.Within, Within: []queue.Step{{Within: 5}}}}},
			[]comer{
				{name: "alice", says: says("level", 10.0)},
				{name: "bob", says: says("level", 50.0)},
				{name: "carol", says: says("level", 14.0), joins: true},
				{name: "dave", says: says("level", 8.0)}, // 6 below carol
			},
		},
		"a player's own limit": {
			queue.Rules{},
			[]comer{
				{name: "alice", rating: 1000, most: 50},
				{name: "bob", rating: 1150},
				{name: "carol", rating: 1040, most: 60, joins: true},
				{name: "dave", rating: 985}, // 55 from carol, which is more than alice wants
				{name: "erin", rating: 1050, most: 60, joins: true},
			},
		},
		"a list with something that all have": {
			queue.Rules{Attributes: []queue.Attribute{{Name: "maps", Kind: queue.AnyOf}}},
			[]comer{
				{name: "alice", says: says("maps", []string{"dust", "ice"})},
				{name: "bob", says: says("maps", []string{"dust", "lava"}), joins: true},
				{name: "carol", says: says("maps", []string{"ice"})},
				{name: "dave", says: says("maps", []string{"dust"}), joins: true},
			},
		},
		"a value that the first did not say": {
			queue.Rules{Attributes: []queue.Attribute{{Name: "mode", Kind: queue.Equal}}},
			[]comer{
				{name: "alice"},
				{name: "bob", says: says("mode", "x"), joins: true},
				{name: "carol", says: says("mode", "y")},
				{name: "dave", says: says("mode", "x"), joins: true},
			},
		},
		"a rule of the queue's own": {
			queue.Rules{Conditions: []queue.Condition{{
				Name: "other-clans", Holds: func(a, b *queue.Ticket, _ time.Duration) bool { return a.Attributes["clan"] != b.Attributes["clan"] },
			}}},
			[]comer{
				{name: "alice", says: says("clan", "red")},
				{name: "bob", says: says("clan", "blue"), joins: true},
				{name: "carol", says: says("clan", "red")},
				{name: "dave", says: says("clan", "blue")},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inOffice(t, func(t *testing.T, o *office) {
				r := c.rules
				r.Name, r.Game, r.TeamSize, r.Min, r.Backfill = "fill", "arena", 8, 1, true
				s, first := o.open(nil, r), ""
				for i, who := range c.comers {
					n := solo("fill", who.name)
					n.Ticket.Players[0].Rating, n.Ticket.MaxSpread, n.Ticket.Attributes = who.rating, who.most, who.says
					room := o.brought(t, s, n)
					if i == 0 {
						first = room
					} else if (room == first) != who.joins {
						t.Errorf("%s was brought to the match: %v, want %v", who.name, room == first, who.joins)
					}
				}
			})
		})
	}
}

// metaOf is the room's record, and the lobby's words in it.
func (o *office) metaOf(t *testing.T, room string) (key, meta string) {
	t.Helper()
	keys, err := o.rdb.Keys(t.Context(), "*"+room+"*").Result()
	must(t, err)
	for _, key := range keys {
		if o.rdb.Type(t.Context(), key).Val() == "hash" {
			if meta := o.rdb.HGet(t.Context(), key, "meta").Val(); meta != "" {
				return key, meta
			}
		}
	}
	t.Fatalf("room %s has no meta in %q", room, keys)
	return "", ""
}

func TestRunningMatchOfTheReleaseBeforeIsJoinedByWhoFitsAsFarAsItSays(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, queue.Rules{
			Name: "fill", Game: "arena", TeamSize: 4, Min: 1, Backfill: true, Rating: []queue.Step{{Within: 100}},
			Attributes: []queue.Attribute{
				{Name: "level", Kind: queue.Within, Within: []queue.Step{{Within: 5}}}, {Name: "mode", Kind: queue.Equal},
			},
		})
		rated := func(player string, rating, level float64, mode string) ticket.New {
			n := solo("fill", player)
			n.Ticket.Players[0].Rating, n.Ticket.Attributes = rating, map[string]any{"level": level, "mode": mode}
			return n
		}
		first := o.brought(t, s, rated("alice", 1000, 10, "x"))
		key, meta := o.metaOf(t, first)
		if !strings.Contains(meta, `"ticket_rating":1000,"attributes":{"level":10,"mode":"x"}`) {
			t.Fatalf("the room says %s", meta)
		}
		before := `{"attributes":{"mode":"x"},"players":[{"id":"alice","rating":1000,"ticket":"fill.a","created":1}]}`
		must(t, o.rdb.HSet(t.Context(), key, "meta", before).Err())
		if room := o.brought(t, s, rated("bob", 1090, 50, "x")); room != first {
			t.Errorf("bob was brought to %s, want %s: nothing is known of alice's level", room, first)
		}
		if room := o.brought(t, s, rated("carol", 985, 50, "x")); room == first {
			t.Error("carol was brought to a match with bob, who is 105 better")
		}
		if room := o.brought(t, s, rated("dave", 1000, 50, "y")); room == first {
			t.Error("dave was brought to a match of another mode")
		}
	})
}

func TestItIsSaidWhichRuleKeepsATicketOutOfARunningMatchAlsoByWhoDoesNotLead(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		r := queue.Rules{
			Name: "fill", Game: "arena", TeamSize: 4, Min: 2, Backfill: true,
			Attributes: []queue.Attribute{{Name: "level", Kind: queue.Within, Within: []queue.Step{{Within: 5}}}},
		}
		one, two := o.open(nil, r), o.open(nil, r)
		comes := func(player string, level float64) ticket.New {
			n := solo("fill", player)
			n.Ticket.Attributes = map[string]any{"level": level}
			return n
		}
		_, err := one.Create(t.Context(), comes("alice", 10))
		must(t, err)
		o.brought(t, one, comes("bob", 12))
		tk, err := one.Create(t.Context(), comes("carol", 50))
		must(t, err)
		time.Sleep(2 * time.Second)
		wantState(t, one, tk.ID, "carol", ticket.Waiting)
		for _, s := range []*service{one, two} {
			x, ok := s.Explain(t.Context(), tk)
			if want := "The match that runs and has free seats does not take you because of the queue's rule about level."; !ok || !strings.HasSuffix(x.Text, want) {
				t.Errorf("it is said %q, want %q at its end", x.Text, want)
			}
		}
	})
}
