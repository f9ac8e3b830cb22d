package ticket_test

import (
	"context"
	"testing"
	"time"

	"muster/lobby/ticket"
	"muster/match/cluster"
	"muster/proto"
)

// lose ends a match as one that was lost with its server, and hands that to the lobby, twice.
func (o *office) lose(t *testing.T, s *service, room string) {
	t.Helper()
	rec, err := o.dir.Room(t.Context(), room)
	must(t, err)
	must(t, o.dir.Fail(t.Context(), room, rec.Epoch, proto.Close{Code: proto.CodeMatchGone, Reason: "the match's server was lost"}))
	out, told := cluster.NewOutbox(o.rdb, ns), 0
	out.Lost = func(ctx context.Context, l cluster.Lost) error {
		told++
		must(t, s.Lost(ctx, l))
		return s.Lost(ctx, l)
	}
	if _, err := out.Drain(t.Context(), func(context.Context, proto.Result) error { return nil }); err != nil || told != 1 {
		t.Fatalf("the lobby hears of %d lost matches, %v", told, err)
	}
}

func TestPlayersOfALostMatchWaitAgainAsOldAsTheyWereAndFirst(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		a := enqueue(t, s, "duel", "alice")
		created := get(t, s, a, "alice").Created
		time.Sleep(2 * time.Second)
		b := enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		m := wantState(t, s, a, "alice", ticket.Matched)
		o.come(t, m, "alice")
		o.come(t, wantState(t, s, b, "bob", ticket.Matched), "bob")
		time.Sleep(10 * time.Second)
		o.nodes.set() // so that they are not matched again at once
		o.lose(t, s, m.Match.Room)
		for id, player := range map[string]string{a: "alice", b: "bob"} {
			back := wantState(t, s, id, player, ticket.Waiting)
			if !back.Head || back.Reason != "the match's server was lost" {
				t.Errorf("%s's ticket is %+v", player, back)
			}
			if list, err := s.Of(t.Context(), player); err != nil || len(list) != 1 || list[0] != id {
				t.Errorf("%s has tickets %v, %v", player, list, err)
			}
		}
		if back := get(t, s, a, "alice"); !back.Created.Equal(created) {
			t.Errorf("alice's ticket is of %v, was of %v", back.Created, created)
		}
		_, err := s.Cancel(t.Context(), b, "bob")
		must(t, err)
		time.Sleep(10 * time.Second)
		get(t, s, a, "alice")
		o.nodes.set(cluster.Node{ID: "n2"})
		c, d := enqueue(t, s, "duel", "carol"), enqueue(t, s, "duel", "dave")
		time.Sleep(time.Second)
		wantState(t, s, a, "alice", ticket.Matched) // with the older of those two
		wantState(t, s, c, "carol", ticket.Matched)
		wantState(t, s, d, "dave", ticket.Waiting)
	})
}

func TestNextTicketOfAPlayerWhoseMatchWasLostLongAfterItsStartComesFirstOnce(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		a := enqueue(t, s, "duel", "alice")
		created := get(t, s, a, "alice").Created
		time.Sleep(2 * time.Second)
		b := enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		m := wantState(t, s, a, "alice", ticket.Matched)
		o.come(t, m, "alice")
		o.come(t, wantState(t, s, b, "bob", ticket.Matched), "bob")
		for range 40 { // the match goes on
			time.Sleep(15 * time.Second)
			rec, err := o.dir.Room(t.Context(), m.Match.Room)
			must(t, err)
			must(t, o.dir.Renew(t.Context(), rec.ID, rec.Epoch, cluster.Alive{}))
		}
		if _, err := s.Get(t.Context(), a, "alice"); err == nil {
			t.Fatal("alice's ticket is still there")
		}
		o.nodes.set()
		early, err := s.Create(t.Context(), solo("duel", "bob")) // before the lobby hears of it
		must(t, err)
		o.lose(t, s, m.Match.Room)
		next, err := s.Create(t.Context(), solo("duel", "alice"))
		must(t, err)
		if next = get(t, s, next.ID, "alice"); !next.Head || !next.Created.Equal(created) {
			t.Errorf("alice's next ticket is %+v, want it first, of %v", next.Ticket, created)
		}
		if now := get(t, s, early.ID, "bob"); !now.Head || !now.Created.Before(early.Created) {
			t.Errorf("the ticket with which bob waited already is %+v", now.Ticket)
		}
		_, err = s.Cancel(t.Context(), next.ID, "alice")
		must(t, err)
		after, err := s.Create(t.Context(), solo("duel", "alice"))
		must(t, err)
		if get(t, s, after.ID, "alice").Head {
			t.Error("the one after that comes first, too")
		}
	})
}

func TestMatchThatIsLostAMomentAfterItsStartGivesItsTicketsBack(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		a, b := enqueue(t, s, "duel", "alice"), enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		m := wantState(t, s, a, "alice", ticket.Matched)
		o.come(t, m, "alice")
		o.come(t, wantState(t, s, b, "bob", ticket.Matched), "bob")
		o.nodes.set()
		o.lose(t, s, m.Match.Room)
		wantState(t, s, a, "alice", ticket.Waiting)
		wantState(t, s, b, "bob", ticket.Waiting)
		time.Sleep(12 * time.Second)
		wantState(t, s, a, "alice", ticket.Waiting)
	})
}

func TestWhoLeftALostMatchOrFoundAnotherStaysWhereHeIs(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		a, b := enqueue(t, s, "duel", "alice"), enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		m := wantState(t, s, a, "alice", ticket.Matched)
		o.come(t, m, "alice")
		o.come(t, wantState(t, s, b, "bob", ticket.Matched), "bob")
		time.Sleep(10 * time.Second)
		rec, err := o.dir.Room(t.Context(), m.Match.Room)
		must(t, err)
		must(t, o.dir.FreeSeat(t.Context(), rec.ID, rec.Epoch, m.Match.SeatOf("alice").Seat, nil))
		o.nodes.set()
		o.lose(t, s, m.Match.Room)
		wantState(t, s, a, "alice", ticket.Matched)
		wantState(t, s, b, "bob", ticket.Waiting)
		next, err := s.Create(t.Context(), solo("duel", "alice"))
		must(t, err)
		if get(t, s, next.ID, "alice").Head {
			t.Error("who had left comes first")
		}
	})
}
