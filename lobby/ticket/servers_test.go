package ticket_test

import (
	"strings"
	"testing"
	"time"

	"muster/lobby/queue"
	"muster/lobby/ticket"
	"muster/match/cluster"
)

// near is a ticket of a player who knows these regions.
func near(q, player string, regions ...string) ticket.New {
	n := solo(q, player)
	n.Ticket.Players[0].Latency = map[string]float64{}
	for _, r := range regions {
		n.Ticket.Players[0].Latency[r] = 20
	}
	return n
}

var world2 = queue.Rules{Name: "world", Game: "arena", TeamSize: 2, Regions: []string{"eu", "us"}}

func TestMatchIsOnAServerOfItsRegionAndWaitsWhereThereIsNone(t *testing.T) {
	for _, there := range []string{"eu", "us"} {
		t.Run(there, func(t *testing.T) {
			inOffice(t, func(t *testing.T, o *office) {
				away := map[string]string{"eu": "us", "us": "eu"}[there]
				o.nodes.set(cluster.Node{ID: "here", Region: there}, cluster.Node{ID: "full", Region: away, Full: "it is full"})
				one, two := o.open(nil, world2), o.open(nil, world2)
				id := map[string]string{}
				add := func(player string, regions ...string) {
					tk, err := one.Create(t.Context(), near("world", player, regions...))
					must(t, err)
					id[player] = tk.ID
				}
				add("alice", away)
				add("bob", away)
				add("carol", "eu", "us")
				add("dave", "eu", "us")
				time.Sleep(3 * time.Second)
				wantState(t, one, id["alice"], "alice", ticket.Waiting)
				wantState(t, one, id["bob"], "bob", ticket.Waiting)
				for _, p := range []string{"carol", "dave"} {
					if m := wantState(t, one, id[p], p, ticket.Matched).Match; m.Node != "here" || m.Region != there {
						t.Errorf("%s plays in %s on %s", p, m.Region, m.Node)
					}
				}
				want := "No server takes new matches in region " + away + " now."
				for _, s := range []*service{one, two} {
					if x, ok := s.Explain(t.Context(), get(t, s, id["alice"], "alice")); !ok || x.Text != want {
						t.Errorf("why it waits: %q, %v; want %q", x.Text, ok, want)
					}
					if why := s.Reason(id["bob"]); why != want {
						t.Errorf("in short: %q, want %q", why, want)
					}
				}
				add("erin", "eu", "us")
				time.Sleep(3 * time.Second)
				if x, _ := one.Explain(t.Context(), get(t, one, id["erin"], "erin")); !strings.HasSuffix(x.Text, ". "+want) {
					t.Errorf("one who could play there, too, waits: %q", x.Text)
				}
				o.nodes.set(cluster.Node{ID: "anywhere"})
				time.Sleep(3 * time.Second)
				if m := wantState(t, one, id["alice"], "alice", ticket.Matched).Match; m.Node != "anywhere" || m.Region != away {
					t.Errorf("alice plays in %s on %s", m.Region, m.Node)
				}
			})
		})
	}
}
