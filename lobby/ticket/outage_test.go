package ticket_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/ticket"
	"muster/match/cluster"
)

// While Redis is away nobody can take a seat or say a word, and time goes on.
func TestNobodyIsAtFaultForWhatAnOutageOfRedisKeptHimFrom(t *testing.T) {
	for name, q := range map[string]string{"to connect": "duel", "to confirm": "sure"} {
		t.Run(name, func(t *testing.T) {
			inOffice(t, func(t *testing.T, o *office) {
				var away atomic.Bool
				h := func(cmd redis.Cmder, next func() error) error {
					if away.Load() {
						cmd.SetErr(errDead)
						return errDead
					}
					return next()
				}
				s, other := o.open(h, duel, sure), o.open(h, duel, sure)
				time.Sleep(5 * time.Second)
				a, b := enqueue(t, s, q, "alice"), enqueue(t, other, q, "bob")
				time.Sleep(time.Second)
				if got := get(t, s, a, "alice").State; got == ticket.Waiting {
					t.Fatalf("before the outage alice's ticket is %s", got)
				}
				away.Store(true)
				time.Sleep(40 * time.Second)
				away.Store(false)
				time.Sleep(2 * time.Second)
				for player, id := range map[string]string{"alice": a, "bob": b} {
					if tk := get(t, s, id, player); tk.State != ticket.Matched && tk.State != ticket.Confirming && tk.State != ticket.Waiting {
						t.Errorf("the ticket of %s is %s: %s", player, tk.State, tk.Reason)
					}
				}
				time.Sleep(30 * time.Second) // nobody comes this time either, and Redis is there
				_, err := s.Create(t.Context(), solo(q, "alice"))
				var penalty *ticket.PenaltyError
				if !errors.As(err, &penalty) || penalty.For > 30*time.Second {
					t.Errorf("after one match that was missed: %v, want the first penalty", err)
				}
			})
		})
	}
}

func TestNobodyIsAtFaultForAMatchWhoseServerDiedBeforeHeCame(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		a, b := enqueue(t, s, "duel", "alice"), enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		first := wantState(t, s, a, "alice", ticket.Matched).Match.Room
		o.nodes.set()
		time.Sleep(30 * time.Second)
		for player, id := range map[string]string{"alice": a, "bob": b} {
			if tk := wantState(t, s, id, player, ticket.Waiting); !tk.Head {
				t.Errorf("the ticket of %s is not first", player)
			}
		}
		o.nodes.set(cluster.Node{ID: "n2"})
		time.Sleep(2 * time.Second)
		if again := wantState(t, s, a, "alice", ticket.Matched).Match; again.Room == first || again.Node != "n2" {
			t.Errorf("the match is %s on %s, the one of before %s", again.Room, again.Node, first)
		}
	})
}

// Whoever made the room died before he told anybody, and so did the room's server: another server gets the room.
func TestRoomThatNobodyWasToldOfGoesToAnotherServerWhenItsOwnDies(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		var died atomic.Bool
		o.open(func(cmd redis.Cmder, next func() error) error {
			if died.Load() || says(cmd, "{room:", "}:seats") && says(cmd, ":record") && !says(cmd, "seed") {
				if !died.Swap(true) {
					o.nodes.set(cluster.Node{ID: "n2"})
				}
				cmd.SetErr(errDead)
				return errDead
			}
			return next()
		}, duel)
		time.Sleep(100 * time.Millisecond)
		other := o.open(nil, duel)
		id := enqueue(t, other, "duel", "alice")
		enqueue(t, other, "duel", "bob")
		time.Sleep(6 * time.Second)
		if !died.Load() {
			t.Fatal("the one who made the room did not die")
		}
		m := wantState(t, other, id, "alice", ticket.Matched).Match
		rec, err := o.dir.Room(t.Context(), m.Room)
		must(t, err)
		if m.Node != "n2" || rec.Node != "n2" || rec.Epoch <= uint64(rec.Created.UnixMilli()) {
			t.Errorf("the match is on %s, its record says %s at epoch %d, made at %v", m.Node, rec.Node, rec.Epoch, rec.Created)
		}
	})
}
