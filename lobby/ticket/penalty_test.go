package ticket_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby/ticket"
	"muster/match/cluster"
)

// A request with a key is remembered, and a penalty that came since must not let it through where it made no ticket.
func TestRequestThatMadeNoTicketIsNoWayAroundALaterPenalty(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, sure)
		b := enqueue(t, s, "sure", "bob")
		refused := solo("sure", "bob")
		refused.Digest = "kept"
		var have *ticket.HaveError
		if _, err := s.Create(t.Context(), refused); !errors.As(err, &have) {
			t.Fatalf("a second ticket: %v", err)
		}
		enqueue(t, s, "sure", "alice")
		time.Sleep(time.Second)
		_, err := s.Confirm(t.Context(), b, "bob", false)
		must(t, err)
		time.Sleep(time.Second)
		var penalty *ticket.PenaltyError
		if _, err := s.Create(t.Context(), refused); !errors.As(err, &penalty) {
			t.Fatalf("the request again, after a penalty: %v", err)
		}
		time.Sleep(penalty.For)
		tk, err := s.Create(t.Context(), refused)
		must(t, err)
		if ids, err := s.Of(t.Context(), "bob"); err != nil || len(ids) != 1 || ids[0] != tk.ID {
			t.Errorf("bob's tickets are %q, %v; want %s", ids, err, tk.ID)
		}
	})
}

func TestRequestThatMadeATicketIsAnsweredWithItWhateverPenaltyCameSince(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, sure)
		n := solo("sure", "bob")
		n.Digest = "kept"
		first, err := s.Create(t.Context(), n)
		must(t, err)
		enqueue(t, s, "sure", "alice")
		time.Sleep(time.Second)
		_, err = s.Confirm(t.Context(), first.ID, "bob", false)
		must(t, err)
		time.Sleep(time.Second)
		if again, err := s.Create(t.Context(), n); err != nil || again.ID != first.ID || again.State != ticket.Cancelled {
			t.Errorf("the request again is answered with %+v, %v", again, err)
		}
	})
}

func TestNobodyIsPunishedWhenTheMatchsServerIsGoneAndAllWaitAgain(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		a, b := enqueue(t, s, "duel", "alice"), enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		o.come(t, wantState(t, s, a, "alice", ticket.Matched), "alice")
		o.nodes.set()
		time.Sleep(23 * time.Second)
		for id, player := range map[string]string{a: "alice", b: "bob"} {
			if tk := wantState(t, s, id, player, ticket.Waiting); !tk.Head {
				t.Errorf("the ticket of %s does not stand first", player)
			}
		}
		o.nodes.set(cluster.Node{ID: "n2"})
		time.Sleep(2 * time.Second)
		if m := wantState(t, s, b, "bob", ticket.Matched).Match; m.Node != "n2" {
			t.Errorf("bob's match is on %s", m.Node)
		}
		if _, err := s.Create(t.Context(), solo("duel", "bob")); err != nil {
			t.Errorf("bob may not queue: %v", err)
		}
	})
}

// Who comes to a match, leaves it at once and finds another one must not be brought to a third when the first is off.
func TestTicketOfWhoHasFoundAnotherMatchDoesNotWaitAgainWhenItsOwnIsOff(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		first := enqueue(t, s, "duel", "alice")
		enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		m := wantState(t, s, first, "alice", ticket.Matched)
		o.come(t, m, "alice")
		again, c := enqueue(t, s, "duel", "alice"), enqueue(t, s, "duel", "carol")
		time.Sleep(time.Second)
		o.come(t, wantState(t, s, again, "alice", ticket.Matched), "alice")
		o.come(t, wantState(t, s, c, "carol", ticket.Matched), "carol")
		time.Sleep(21 * time.Second)
		if tk := wantState(t, s, first, "alice", ticket.Cancelled); tk.Reason != "a match was found with another ticket" {
			t.Errorf("it ended since %q", tk.Reason)
		}
		wantState(t, s, again, "alice", ticket.Matched)
		if _, err := s.Create(t.Context(), solo("duel", "alice")); err != nil {
			t.Errorf("alice may not queue: %v", err)
		}
	})
}

// wantBarred reads a ticket that must have ended with a penalty of one of its players.
func wantBarred(t *testing.T, s *service, id, player string) {
	t.Helper()
	if got := wantState(t, s, id, player, ticket.Cancelled); got.Reason != "one of its players let others wait, and may not queue for a while" {
		t.Errorf("it ended since %q", got.Reason)
	}
}

func TestWhoDoesNotComeToHisMatchCannotWaitThroughHisPenaltyWithATicketThatHeMadeBefore(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel, team)
		a, b := enqueue(t, s, "duel", "alice"), enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		o.come(t, wantState(t, s, a, "alice", ticket.Matched), "alice")
		again, with := enqueue(t, s, "duel", "bob"), enqueue(t, s, "team", "bob", "carol")
		other := enqueue(t, s, "team", "dave")
		for range 3 {
			time.Sleep(8 * time.Second)
			must(t, s.Heard(t.Context(), []string{"alice", "bob", "carol", "dave"}))
		}
		wantState(t, s, b, "bob", ticket.Cancelled)
		wantBarred(t, s, again, "bob")
		wantBarred(t, s, with, "carol")
		wantState(t, s, other, "dave", ticket.Waiting)
		wantState(t, s, a, "alice", ticket.Waiting)
		var penalty *ticket.PenaltyError
		if _, err := s.Create(t.Context(), solo("duel", "bob")); !errors.As(err, &penalty) {
			t.Errorf("bob queues again at once: %v", err)
		}
		enqueue(t, s, "duel", "carol") // who did nothing
	})
}

// Whoever carries the attempt on may find late that it is not quite over.
func TestTicketThatIsMadeAfterAPenaltyDoesNotEndWithIt(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		var forgets atomic.Int64
		s := o.open(func(cmd redis.Cmder, next func() error) error {
			if says(cmd, ":attempts"+ns+":{queue:sure}:attempt:") && forgets.Add(1) < 20 { // it is to be forgotten
				cmd.SetErr(errDead)
				return errDead
			}
			return next()
		}, sure, team)
		b := enqueue(t, s, "sure", "bob")
		enqueue(t, s, "sure", "alice")
		declined := enqueue(t, s, "team", "bob")
		time.Sleep(time.Second)
		_, err := s.Confirm(t.Context(), b, "bob", false)
		must(t, err)
		time.Sleep(time.Second)
		wantBarred(t, s, declined, "bob")
		time.Sleep(30 * time.Second)
		again := enqueue(t, s, "team", "bob")
		before := forgets.Load()
		time.Sleep(10 * time.Second)
		if before == 0 || forgets.Load() == before {
			t.Fatalf("it was tried %d times to forget the attempt, and then %d times", before, forgets.Load())
		}
		wantState(t, s, again, "bob", ticket.Waiting)
	})
}

func TestDecliningEndsAllTicketsOfThePlayer(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		o := newOffice(t, rdb)
		s := o.open(nil, sure, team)
		defer s.die()
		b, other := enqueue(t, s, "sure", "bob"), enqueue(t, s, "team", "bob")
		enqueue(t, s, "sure", "alice")
		until(t, "bob is asked", func() bool { return get(t, s, b, "bob").State == ticket.Confirming })
		_, err := s.Confirm(t.Context(), b, "bob", false)
		must(t, err)
		until(t, "his other ticket ends", func() bool { return get(t, s, other, "bob").State == ticket.Cancelled })
		wantBarred(t, s, other, "bob")
		var penalty *ticket.PenaltyError
		if _, err := s.Create(t.Context(), solo("team", "bob")); !errors.As(err, &penalty) {
			t.Errorf("bob queues again at once: %v", err)
		}
	})
}
