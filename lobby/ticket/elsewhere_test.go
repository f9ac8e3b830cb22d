package ticket_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby/ticket"
)

// wantElsewhere reads a player's ticket that must have ended since he has a match.
func wantElsewhere(t *testing.T, s *service, id, player string) {
	t.Helper()
	if got := wantState(t, s, id, player, ticket.Cancelled); got.Reason != "a match was found with another ticket" {
		t.Errorf("the other ticket ended since %q", got.Reason)
	}
}

// isEndElsewhere says whether a command ends a ticket since its player has found a match with another one.
func isEndElsewhere(cmd redis.Cmder) bool { return says(cmd, "}:leader", "elsewhere") }

// Who has come to a match could else be brought to a second one while he plays.
func TestOtherTicketsOfWhoIsMatchedEndThoughTheLobbyDiedRightAfterItGaveTheSeats(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		var dead atomic.Bool
		dying := o.open(func(cmd redis.Cmder, next func() error) error {
			if dead.Load() {
				cmd.SetErr(errDead)
				return errDead
			}
			err := next()
			dead.Store(err == nil && seats(cmd))
			return err
		}, duel, team)
		d, e := enqueue(t, dying, "duel", "alice"), enqueue(t, dying, "team", "alice")
		b := enqueue(t, dying, "duel", "bob")
		time.Sleep(time.Second)
		if !dead.Load() {
			t.Fatal("the lobby has given no seats")
		}
		dying.die()
		s := o.open(nil, duel, team)
		o.come(t, wantState(t, s, d, "alice", ticket.Matched), "alice")
		o.come(t, wantState(t, s, b, "bob", ticket.Matched), "bob")
		for _, p := range []string{"carol", "dave", "erin"} {
			enqueue(t, s, "team", p)
		}
		time.Sleep(7 * time.Second)
		wantElsewhere(t, s, e, "alice")
		if again := enqueue(t, s, "team", "alice"); again == e { // as one may who has come to his match
			t.Error("the ticket that ended is there again")
		}
		time.Sleep(time.Second)
	})
}

func TestOtherTicketThatCouldNotBeEndedIsEndedBeforeItsPlayerIsTakenForHere(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		var fails atomic.Int64
		s := o.open(func(cmd redis.Cmder, next func() error) error {
			if isEndElsewhere(cmd) && fails.Add(1) <= 2 {
				cmd.SetErr(errDead)
				return errDead
			}
			return next()
		}, duel, team)
		d, e := enqueue(t, s, "duel", "alice"), enqueue(t, s, "team", "alice")
		b := enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		o.come(t, wantState(t, s, d, "alice", ticket.Matched), "alice")
		o.come(t, wantState(t, s, b, "bob", ticket.Matched), "bob")
		time.Sleep(10 * time.Second)
		wantElsewhere(t, s, e, "alice")
		if got := value(t, s, "muster_match_attempts_total", "state=started"); got != 1 {
			t.Errorf("%v matches started, want 1", got)
		}
	})
}

func TestTicketThatIsMadeWhileSeatsAreReservedEndsWithThem(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		other := o.open(nil, team)
		var once sync.Once
		var late string
		s := o.open(func(cmd redis.Cmder, next func() error) error {
			if seats(cmd) {
				once.Do(func() { late = enqueue(t, other, "team", "alice") })
			}
			return next()
		}, duel)
		d := enqueue(t, s, "duel", "alice")
		enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		wantState(t, s, d, "alice", ticket.Matched)
		wantElsewhere(t, other, late, "alice")
	})
}

func TestTicketThatIsMadeOnceTheSeatsAreGivenIsOfNoMatchBefore(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel, team)
		d := enqueue(t, s, "duel", "alice")
		enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		o.come(t, wantState(t, s, d, "alice", ticket.Matched), "alice")
		e := enqueue(t, s, "team", "alice")
		time.Sleep(5 * time.Second)
		wantState(t, s, e, "alice", ticket.Waiting)
	})
}

// The queues, and each player, may be on another server of a Redis Cluster.
func TestOtherTicketsEndWhereverTheirQueuesAre(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		o := newOffice(t, rdb)
		s := o.open(nil, duel, team, sure)
		defer s.die()
		d, e, f := enqueue(t, s, "duel", "alice"), enqueue(t, s, "team", "alice", "carol"), enqueue(t, s, "sure", "alice")
		enqueue(t, s, "duel", "bob")
		until(t, "the others end", func() bool {
			return get(t, s, e, "carol").State == ticket.Cancelled && get(t, s, f, "alice").State == ticket.Cancelled
		})
		wantState(t, s, d, "alice", ticket.Matched)
		wantElsewhere(t, s, e, "carol")
		wantElsewhere(t, s, f, "alice")
	})
}
