package ticket_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

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

func TestMatchIsOnAServerWithTheTagsOfItsQueueAndWaitsWhereThereIsNone(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		plain := cluster.Node{ID: "plain", Tags: map[string]string{"disk": "slow"}}
		o.nodes.set(plain)
		tagged := duel
		tagged.Tags = map[string]string{"disk": "fast", "gpu": "yes"}
		one, two := o.open(nil, tagged, team), o.open(nil, tagged, team)
		a, b := enqueue(t, one, "duel", "alice"), enqueue(t, two, "duel", "bob")
		ab, cd := enqueue(t, one, "team", "a", "b"), enqueue(t, one, "team", "c", "d")
		waits := func(why string) {
			t.Helper()
			time.Sleep(3 * time.Second)
			for _, s := range []*service{one, two} {
				tk := wantState(t, s, a, "alice", ticket.Waiting)
				if x, ok := s.Explain(t.Context(), tk); !ok || x.Text != why {
					t.Errorf("why it waits: %q, %v; want %q", x.Text, ok, why)
				}
				if got := s.Reason(b); got != why {
					t.Errorf("in short: %q, want %q", got, why)
				}
			}
			if err := one.Crowded(t.Context(), "duel"); err != nil {
				t.Errorf("new tickets are sent away: %v", err)
			}
		}
		waits("no server of this game has the tags disk=fast, gpu=yes now")
		for id, player := range map[string]string{ab: "a", cd: "c"} { // of a queue that asks for nothing
			if m := wantState(t, one, id, player, ticket.Matched).Match; m.Node != "plain" {
				t.Errorf("%s plays on %s", player, m.Node)
			}
		}
		disk := cluster.Node{ID: "disk", Tags: map[string]string{"disk": "fast"}}
		o.nodes.set(plain, disk)
		waits("no server of this game has the tag gpu=yes now")
		o.nodes.set(plain, disk, cluster.Node{
			ID: "good", Tags: map[string]string{"disk": "fast", "gpu": "yes", "more": "x"}, Load: cluster.Load{Tick: 0.5},
		})
		time.Sleep(3 * time.Second)
		m := wantState(t, one, a, "alice", ticket.Matched).Match
		if other := wantState(t, two, b, "bob", ticket.Matched).Match; m.Node != "good" || other.Room != m.Room {
			t.Errorf("they play on %s and %s", m.Node, other.Node)
		}
		rec, err := o.dir.Room(t.Context(), m.Room)
		must(t, err)
		if diff := cmp.Diff(tagged.Tags, rec.On); diff != "" {
			t.Errorf("what its record says of its server (-want +got):\n%s", diff)
		}
	})
}

func TestTagIsNamedForTheRegionWhoseServersLackIt(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		fast := map[string]string{"disk": "fast"}
		o.nodes.set(cluster.Node{ID: "eu", Region: "eu", Tags: fast}, cluster.Node{ID: "us", Region: "us"})
		tagged := world2
		tagged.Tags = fast
		s := o.open(nil, tagged)
		made := func(player string, regions ...string) *ticket.Ticket {
			tk, err := s.Create(t.Context(), near("world", player, regions...))
			must(t, err)
			return tk
		}
		why := func(tk *ticket.Ticket) string {
			time.Sleep(3 * time.Second)
			x, ok := s.Explain(t.Context(), tk)
			if !ok {
				t.Errorf("the ticket of %s does not wait", tk.Players[0].ID)
			}
			return x.Text
		}
		alice := made("alice", "us")
		const want = "No server takes new matches in region us now. In us no server of this game has the tag disk=fast now."
		if got := why(alice); got != want {
			t.Errorf("it waits since %q, want %q", got, want)
		}
		if got := why(made("bob", "eu", "us")); !strings.HasSuffix(got, ". "+want) {
			t.Errorf("who may play elsewhere, too, waits since %q", got)
		}
		o.nodes.set(cluster.Node{ID: "us", Region: "us"})
		if got, want := why(alice), "no server of this game has the tag disk=fast now"; got != want {
			t.Errorf("where no region has one it waits since %q, want %q", got, want)
		}
		o.nodes.set(cluster.Node{ID: "us", Region: "us"}, cluster.Node{ID: "full", Region: "eu", Tags: fast, Full: "it is full"})
		if got, want := why(alice), ticket.ErrCrowded.Error(); got != want {
			t.Errorf("where the one that has it is full it waits since %q, want %q", got, want)
		}
	})
}

func TestRoomOfAMatchWhoseServerDiesBeforeAnybodyHeardOfItIsMovedToOneWithItsTags(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		fast := map[string]string{"disk": "fast"}
		o.nodes.set(cluster.Node{ID: "first", Tags: fast})
		tagged := duel
		tagged.Tags = fast
		s := o.open(func(cmd redis.Cmder, next func() error) error {
			err := next()
			if err == nil && says(cmd, "madeby", "duel") { // the room is made
				o.nodes.set(cluster.Node{ID: "plain"}, cluster.Node{ID: "second", Tags: fast, Load: cluster.Load{Tick: 0.5}})
				return errLost
			}
			return err
		}, tagged)
		a := enqueue(t, s, "duel", "alice")
		enqueue(t, s, "duel", "bob")
		time.Sleep(20 * time.Second)
		if m := wantState(t, s, a, "alice", ticket.Matched).Match; m.Node != "second" {
			t.Errorf("they play on %s", m.Node)
		}
	})
}

var errLost = errors.New("the answer is lost")

// What a queue asks for now is asked of the matches that run, too, as far as they were made by it.
func TestMatchThatWasMadeWithoutTheTagsGetsNoPlayersOnceItsQueueHasThem(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.nodes.set(cluster.Node{ID: "plain"}, cluster.Node{ID: "full", Tags: map[string]string{"disk": "fast"}, Full: "it is full"})
		fill := queue.Rules{Name: "fill", Game: "arena", TeamSize: 4, Min: 1, Backfill: true}
		s := o.open(nil, fill)
		first := o.brought(t, s, solo("fill", "alice"))
		if room := o.brought(t, s, solo("fill", "bob")); room != first {
			t.Errorf("before, bob was brought to %s, want %s", room, first)
		}
		fill.Tags = map[string]string{"disk": "fast"}
		must(t, s.SetQueues([]queue.Rules{fill}))
		id := enqueue(t, s, "fill", "carol")
		time.Sleep(3 * time.Second)
		wantState(t, s, id, "carol", ticket.Waiting)
		o.nodes.set(cluster.Node{ID: "plain"}, cluster.Node{ID: "fast", Tags: fill.Tags})
		time.Sleep(3 * time.Second)
		tk := wantState(t, s, id, "carol", ticket.Matched)
		if tk.Match.Node != "fast" {
			t.Errorf("carol plays on %s", tk.Match.Node)
		}
		o.come(t, tk, "carol")
		time.Sleep(4 * time.Second)
		if room := o.brought(t, s, solo("fill", "dave")); room != tk.Match.Room {
			t.Errorf("dave was brought to %s, want carol's %s", room, tk.Match.Room)
		}
	})
}
