package ticket_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
	"muster/lobby/queue"
	"muster/lobby/ticket"
)

func TestTicketIsFinalOnceAllHaveCome(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		a, b := enqueue(t, s, "duel", "alice"), enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		o.come(t, wantState(t, s, a, "alice", ticket.Matched), "alice")
		o.come(t, wantState(t, s, b, "bob", ticket.Matched), "bob")
		time.Sleep(10 * time.Second)
		if got := value(t, s, "muster_match_attempts_total", "state=started"); got != 1 {
			t.Errorf("%v matches started, want 1", got)
		}
		if n := o.rdb.Exists(t.Context(), keyspace.Player(ns, "alice")+":busy").Val(); n != 0 {
			t.Error("alice is still busy")
		}
		wantState(t, s, a, "alice", ticket.Matched)
	})
}

func TestWhoDoesNotComeIsOutAndPunishedAndTheOtherWaitsAgainAsOldAsHeWasAndFirst(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		a := enqueue(t, s, "duel", "alice")
		created := get(t, s, a, "alice").Created
		time.Sleep(5 * time.Second)
		b := enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		o.come(t, wantState(t, s, a, "alice", ticket.Matched), "alice")
		time.Sleep(23 * time.Second) // the seats are reserved for 21
		back := wantState(t, s, a, "alice", ticket.Waiting)
		if !back.Head || !back.Created.Equal(created) {
			t.Errorf("alice's ticket is %+v, want it first, of %v", back.Ticket, created)
		}
		out := wantState(t, s, b, "bob", ticket.Cancelled)
		if out.Reason != "the match was not joined in time" {
			t.Errorf("bob's ticket ended since %q", out.Reason)
		}
		var penalty *ticket.PenaltyError
		if _, err := s.Create(t.Context(), solo("duel", "bob")); !errors.As(err, &penalty) || penalty.For > 30*time.Second || penalty.For < 20*time.Second {
			t.Fatalf("bob queues again at once: %v", err)
		}
		for range 3 {
			time.Sleep(penalty.For / 3)
			get(t, s, a, "alice")
		}
		time.Sleep(time.Millisecond)
		b = enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		wantState(t, s, b, "bob", ticket.Matched)
		time.Sleep(23 * time.Second)
		if _, err := s.Create(t.Context(), solo("duel", "bob")); !errors.As(err, &penalty) || penalty.For <= 30*time.Second || penalty.For > 2*time.Minute {
			t.Errorf("the second time bob's penalty is %v", err)
		}
	})
}

func TestPlayersConfirmAMatchBeforeTheyHaveSeats(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		one, two := o.open(nil, sure), o.open(nil, sure)
		a, b := enqueue(t, one, "sure", "alice"), enqueue(t, two, "sure", "bob")
		time.Sleep(time.Second)
		asked := wantState(t, two, a, "alice", ticket.Confirming)
		if c := asked.Confirm; c.Players != 2 || c.Accepted != 0 || c.Mine || c.Until.Sub(asked.Now) > 10*time.Second || c.Until.Before(asked.Now) {
			t.Errorf("alice is asked %+v", c)
		}
		for range 2 { // a word given twice is one
			said, err := two.Confirm(t.Context(), a, "alice", true)
			must(t, err)
			if c := said.Confirm; c == nil || c.Accepted != 1 || !c.Mine {
				t.Errorf("alice said yes: %+v", c)
			}
		}
		if _, err := one.Confirm(t.Context(), a, "mallory", true); !errors.Is(err, ticket.ErrNoTicket) {
			t.Errorf("another's word: %v", err)
		}
		_, err := one.Confirm(t.Context(), b, "bob", true)
		must(t, err)
		time.Sleep(100 * time.Millisecond)
		wantState(t, one, a, "alice", ticket.Matched)
		wantState(t, two, b, "bob", ticket.Matched)
		if _, err := one.Confirm(t.Context(), a, "alice", true); !errors.Is(err, ticket.ErrNotAsked) {
			t.Errorf("a word too late: %v", err)
		}
	})
}

func TestWhoDeclinesOrDoesNotConfirmIsOutAndTheOtherWaitsFirst(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, s *service, id string){
		"declines": func(t *testing.T, s *service, id string) {
			_, err := s.Confirm(t.Context(), id, "bob", false)
			must(t, err)
		},
		"cancels": func(t *testing.T, s *service, id string) {
			_, err := s.Cancel(t.Context(), id, "bob")
			must(t, err)
		},
		"says nothing": func(*testing.T, *service, string) { time.Sleep(11 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			inOffice(t, func(t *testing.T, o *office) {
				s := o.open(nil, sure)
				a, b := enqueue(t, s, "sure", "alice"), enqueue(t, s, "sure", "bob")
				time.Sleep(time.Second)
				_, err := s.Confirm(t.Context(), a, "alice", true)
				must(t, err)
				end(t, s, b)
				time.Sleep(time.Second)
				wantState(t, s, b, "bob", ticket.Cancelled)
				if back := wantState(t, s, a, "alice", ticket.Waiting); !back.Head {
					t.Error("alice's ticket is not first")
				}
				var penalty *ticket.PenaltyError
				if _, err := s.Create(t.Context(), solo("sure", "bob")); !errors.As(err, &penalty) {
					t.Errorf("bob queues again at once: %v", err)
				}
				enqueue(t, s, "sure", "carol")
				time.Sleep(time.Second)
				wantState(t, s, a, "alice", ticket.Confirming)
			})
		})
	}
}

func TestPartyIsCancelledWhenAMemberIsNotHeardOf(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, team)
		id := enqueue(t, s, "team", "alice", "bob")
		for range 5 {
			time.Sleep(5 * time.Second)
			wantState(t, s, id, "alice", ticket.Waiting)
		}
		time.Sleep(7 * time.Second)
		if got := wantState(t, s, id, "alice", ticket.Cancelled); got.Reason != "a member of the party has not been heard of for 30 seconds" {
			t.Errorf("it ended since %q", got.Reason)
		}
		enqueue(t, s, "team", "bob")
	})
}

func TestPartyIsNeverSplitAndAnyMemberMayGiveItsTicketUp(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, team)
		ab, cd := enqueue(t, s, "team", "a", "b"), enqueue(t, s, "team", "c", "d")
		time.Sleep(time.Second)
		m := wantState(t, s, ab, "b", ticket.Matched).Match
		other := wantState(t, s, cd, "c", ticket.Matched).Match
		if m.Room != other.Room || m.SeatOf("a").Team == 0 || m.SeatOf("a").Team != m.SeatOf("b").Team ||
			m.SeatOf("a").Team == other.SeatOf("c").Team {
			t.Errorf("the parties have %+v and %+v", m, other)
		}
		ef := enqueue(t, s, "team", "e", "f")
		if tk, err := s.Cancel(t.Context(), ef, "f"); err != nil || tk.State != ticket.Cancelled {
			t.Errorf("a member cancels: %+v, %v", tk, err)
		}
		var have *ticket.HaveError
		eg := enqueue(t, s, "team", "e", "g")
		if _, err := s.Create(t.Context(), solo("team", "g")); !errors.As(err, &have) || have.ID != eg || have.Player != "g" {
			t.Errorf("a member of a party queues alone: %v", err)
		}
	})
}

func TestPlayerWhoIsMatchedInOneQueueIsOutOfTheOther(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel, team)
		d, e := enqueue(t, s, "duel", "alice"), enqueue(t, s, "team", "alice")
		enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		wantState(t, s, d, "alice", ticket.Matched)
		if got := wantState(t, s, e, "alice", ticket.Cancelled); got.Reason != "a match was found with another ticket" {
			t.Errorf("the other ticket ended since %q", got.Reason)
		}
	})
}

func TestTicketsOfAQueueThatIsGoneExpireAndOthersAreHeldToNewRules(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel, team)
		gone, kept := enqueue(t, s, "team", "alice"), enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		wrong := duel
		wrong.Game = "chess"
		if err := s.SetQueues([]queue.Rules{wrong}); err == nil {
			t.Error("rules of an unknown game were taken")
		}
		wantState(t, s, gone, "alice", ticket.Waiting)
		alone := duel
		alone.Min = 1
		must(t, s.SetQueues([]queue.Rules{alone}))
		time.Sleep(time.Second)
		if got := wantState(t, s, gone, "alice", ticket.Expired); got.Reason != "the queue exists no longer" {
			t.Errorf("it expired since %q", got.Reason)
		}
		wantState(t, s, kept, "bob", ticket.Matched)
		if _, err := s.Create(t.Context(), solo("team", "carol")); !errors.Is(err, ticket.ErrNoQueue) {
			t.Errorf("a ticket for a queue that is gone: %v", err)
		}
		must(t, s.SetQueues([]queue.Rules{alone, team}))
		enqueue(t, s, "team", "alice")
	})
}

// Their players were promised a match, and nobody else looks after them.
func TestAttemptsOfAQueueThatIsGoneAreCarriedOnToTheirEnd(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel, sure)
		a, b := enqueue(t, s, "duel", "alice"), enqueue(t, s, "duel", "bob")
		c, d := enqueue(t, s, "sure", "carol"), enqueue(t, s, "sure", "dave")
		time.Sleep(time.Second)
		o.come(t, wantState(t, s, a, "alice", ticket.Matched), "alice")
		_, err := s.Confirm(t.Context(), c, "carol", true)
		must(t, err)
		must(t, s.SetQueues([]queue.Rules{team}))
		time.Sleep(30 * time.Second)
		for id, player := range map[string]string{a: "alice", b: "bob", c: "carol", d: "dave"} {
			want := ticket.Expired
			if player == "bob" || player == "dave" {
				want = ticket.Cancelled
			}
			wantState(t, s, id, player, want)
			if n := o.rdb.Exists(t.Context(), keyspace.Player(ns, player)+":busy").Val(); n != 0 {
				t.Errorf("%s is still busy", player)
			}
		}
		must(t, s.SetQueues([]queue.Rules{duel, team}))
		a = enqueue(t, s, "duel", "alice")
		time.Sleep(5 * time.Second)
		wantState(t, s, a, "alice", ticket.Waiting)
	})
}

func TestMatchThatWasFoundIsMadeByTheRulesOfThen(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		four := sure
		four.Teams, four.TeamSize = 2, 2
		s := o.open(nil, four)
		ids := map[string]string{}
		for _, p := range []string{"a", "b", "c", "d"} {
			ids[p] = enqueue(t, s, "sure", p)
		}
		time.Sleep(time.Second)
		must(t, s.SetQueues([]queue.Rules{sure}))
		for p, id := range ids {
			_, err := s.Confirm(t.Context(), id, p, true)
			must(t, err)
		}
		time.Sleep(time.Second)
		for p, id := range ids {
			m := wantState(t, s, id, p, ticket.Matched).Match
			if r, err := o.dir.Room(t.Context(), m.Room); err != nil || r.Seats != 4 || r.Teams != 2 || r.TeamSize != 2 {
				t.Errorf("the room is %+v, %v", r, err)
			}
		}
	})
}

func TestSameRequestMakesOneTicketAndAnotherWithItsKeyIsRefused(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel, team)
		n := solo("duel", "alice")
		n.Digest = "one"
		first, err := s.Create(t.Context(), n)
		must(t, err)
		time.Sleep(time.Second)
		again, err := s.Create(t.Context(), n)
		must(t, err)
		if again.ID != first.ID || !again.Created.Equal(first.Created) {
			t.Errorf("the same request made %+v after %+v", again, first)
		}
		n.Digest = "two"
		if _, err := s.Create(t.Context(), n); !errors.Is(err, ticket.ErrReused) {
			t.Errorf("another request with the key: %v", err)
		}
		n.Queue = "team"
		if _, err := s.Create(t.Context(), n); !errors.Is(err, ticket.ErrReused) {
			t.Errorf("another queue with the key: %v", err)
		}
	})
}

func TestTicketOfAPlayerWhoIsHeardOfDoesNotExpire(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, team)
		a, b := enqueue(t, s, "team", "alice"), enqueue(t, s, "team", "bob")
		for range 5 {
			time.Sleep(10 * time.Second)
			must(t, s.Heard(t.Context(), []string{"alice", "nobody"}))
		}
		wantState(t, s, a, "alice", ticket.Waiting)
		wantState(t, s, b, "bob", ticket.Expired)
	})
}

func TestTicketThatEndedGoesOutOfItsPlayersIndexThoughTheLobbyDiedBeforeItSaidSo(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		id := enqueue(t, s, "duel", "alice")
		index := ns + ":{player:" + keyspace.Digest("alice") + "}:tickets"
		if _, err := s.Cancel(t.Context(), id, "alice"); err != nil {
			t.Fatal(err)
		}
		// As if the one who ended it had died right after: the index still has it.
		must(t, o.rdb.ZAdd(t.Context(), index, redis.Z{Score: float64(time.Now().Add(time.Hour).UnixMilli()), Member: id}).Err())
		time.Sleep(2 * time.Second)
		if n := o.rdb.ZCard(t.Context(), index).Val(); n != 1 {
			t.Fatalf("%d tickets in the index at first, want the one", n)
		}
		time.Sleep(3 * time.Second)
		if n := o.rdb.ZCard(t.Context(), index).Val(); n != 0 {
			t.Errorf("%d tickets in the index after 5 s", n)
		}
		if n := o.rdb.Exists(t.Context(), ns+":{queue:duel}:ended").Val(); n != 0 {
			t.Error("what was swept is to be swept again")
		}
	})
}
