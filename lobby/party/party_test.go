package party

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby/inbox"
	"muster/match/cluster"
)

func TestPartyLivesFromItsCreationToItsLastMember(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, w := t.Context(), newWorld()
		rdb.AddHook(twice{})
		s := w.store(rdb)
		p := must[*Party](t)(s.Create(ctx, cluster.NewID(), "", player("alice"), 3))
		if p.Leader != "alice" || p.Max != 3 || len(p.Members) != 1 || p.Members[0].Name != "the alice" || len(p.Code) != 6 {
			t.Errorf("the new party is %+v", p)
		}
		_, err := s.Join(ctx, p.ID, player("bob"))
		wantErr(t, "joining uninvited", err, ErrNone)
		wantErr(t, "an invitation", s.Invite(ctx, p.ID, player("alice"), "bob"), nil)
		if e := w.last("bob"); e.Event != EventInvited || e.ID != p.ID || e.By.Name != "the alice" || e.Until == nil {
			t.Errorf("bob hears %+v", e)
		}
		p = must[*Party](t)(s.Join(ctx, p.ID, player("bob")))
		p = must[*Party](t)(s.JoinByCode(ctx, strings.ToLower(p.Code), player("carol")))
		if !slices.Equal(p.Players(), []string{"alice", "bob", "carol"}) {
			t.Errorf("the members are %v", p.Players())
		}
		_, err = s.JoinByCode(ctx, p.Code, player("dave"))
		wantErr(t, "joining a full party", err, ErrFull)
		_, err = s.Ready(ctx, p.ID, "dave", true)
		wantErr(t, "a stranger's change", err, ErrNone)
		_, err = s.Promote(ctx, p.ID, "bob", "bob")
		wantErr(t, "a member's promotion of himself", err, ErrNotLeader)
		wantErr(t, "a member's kick", s.Kick(ctx, p.ID, "bob", "carol"), ErrNotLeader)
		wantErr(t, "a kick of a stranger", s.Kick(ctx, p.ID, "alice", "dave"), ErrNoMember)
		p = must[*Party](t)(s.Ready(ctx, p.ID, "bob", true))
		if !p.Members[1].Ready || p.Members[0].Ready {
			t.Errorf("the ready ones of %+v", p.Members)
		}
		p = must[*Party](t)(s.Promote(ctx, p.ID, "alice", "carol"))
		if p.Leader != "carol" {
			t.Errorf("%s leads", p.Leader)
		}
		wantErr(t, "the leader's leaving", s.Leave(ctx, p.ID, "carol"), nil)
		p = must[*Party](t)(s.Members(ctx, "bob"))
		if p.Leader != "alice" {
			t.Errorf("%s leads after the leader left, want the longest member", p.Leader)
		}
		wantErr(t, "the leader's kick", s.Kick(ctx, p.ID, "alice", "bob"), nil)
		if e := w.last("bob"); e.Event != EventOut || e.ID != p.ID {
			t.Errorf("who was kicked hears %+v", e)
		}
		_, err = s.Members(ctx, "bob")
		wantErr(t, "the party of who was kicked", err, ErrNone)
		_, err = s.JoinByCode(ctx, p.Code, player("bob"))
		wantErr(t, "joining by the code of before the kick", err, ErrNone)
		wantErr(t, "the last one's leaving", s.Leave(ctx, p.ID, "alice"), nil)
		_, err = s.Get(ctx, p.ID, "alice")
		wantErr(t, "the party that is gone", err, ErrNone)
		_, err = s.Members(ctx, "alice")
		wantErr(t, "the party of the one who left", err, ErrNone)
	})
}

func TestPlayerIsInOnePartyAtATime(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, s := t.Context(), newWorld().store(rdb)
		first, second := gather(t, s, "alice", "bob"), gather(t, s, "carol")
		var elsewhere *ElsewhereError
		if _, err := s.JoinByCode(ctx, second.Code, player("bob")); !errors.As(err, &elsewhere) || elsewhere.Party != first.ID {
			t.Errorf("joining a second party: %v", err)
		}
		if _, err := s.Create(ctx, cluster.NewID(), "", player("bob"), 2); !errors.As(err, &elsewhere) || elsewhere.Party != first.ID {
			t.Errorf("creating a second party: %v", err)
		}
		again := must[*Party](t)(s.JoinByCode(ctx, first.Code, player("bob")))
		if again.Version != first.Version {
			t.Error("joining one's own party again changes it")
		}
		wantErr(t, "leaving", s.Leave(ctx, first.ID, "bob"), nil)
		must[*Party](t)(s.JoinByCode(ctx, second.Code, player("bob")))
	})
}

func TestCreationMayBeRepeated(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, w := t.Context(), newWorld()
		s, id := w.store(rdb), cluster.NewID()
		first := must[*Party](t)(s.Create(ctx, id, "d", player("alice"), 4))
		again := must[*Party](t)(w.store(rdb).Create(ctx, id, "d", player("alice"), 4))
		if again.Version != first.Version || again.Code != first.Code || len(w.events["alice"]) != 1 {
			t.Errorf("again: %+v with %d events, first: %+v", again, len(w.events["alice"]), first)
		}
		_, err := s.Create(ctx, id, "e", player("alice"), 5)
		wantErr(t, "the same id for another request", err, ErrOtherRequest)
		wantErr(t, "leaving", s.Leave(ctx, id, "alice"), nil)
		_, err = s.Create(ctx, id, "d", player("alice"), 4)
		wantErr(t, "a repeat after the end", err, ErrEnded)
	})
}

func TestWhoIsBlockedSeesNoDifferenceInInviting(t *testing.T) {
	ctx, w := t.Context(), newWorld()
	s := w.store(testredis.Embedded(t))
	w.blocked[[2]string{"bob", "alice"}] = true
	p := gather(t, s, "alice")
	before := must[*Party](t)(s.Get(ctx, p.ID, "alice"))
	wantErr(t, "an invitation", s.Invite(ctx, p.ID, player("alice"), "carol"), nil)
	wantErr(t, "an invitation of who has blocked her", s.Invite(ctx, p.ID, player("alice"), "bob"), nil)
	after := must[*Party](t)(s.Get(ctx, p.ID, "alice"))
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("the party changes: from %+v to %+v", before, after)
	}
	if len(w.events["bob"]) != 0 || len(w.events["carol"]) != 1 {
		t.Errorf("bob has %d events, carol %d", len(w.events["bob"]), len(w.events["carol"]))
	}
}

// Whoever is invited over and over hears of it once for each invitation.
func TestRepeatedInvitationsAreOneEvent(t *testing.T) {
	ctx, w := t.Context(), newWorld()
	s := w.store(testredis.Embedded(t))
	p := gather(t, s, "alice", "bob")
	for range 20 {
		wantErr(t, "an invitation", s.Invite(ctx, p.ID, player("alice"), "carol"), nil)
		wantErr(t, "an invitation", s.Invite(ctx, p.ID, player("bob"), "carol"), nil)
	}
	if n := len(w.events["carol"]); n != 1 {
		t.Errorf("%d events of 40 invitations", n)
	}
	for i := range maxInvites - 1 {
		wantErr(t, "an invitation", s.Invite(ctx, p.ID, player("alice"), fmt.Sprint("guest", i)), nil)
	}
	wantErr(t, "one invitation too many", s.Invite(ctx, p.ID, player("alice"), "one more"), ErrInvites)
}

func TestPartyEndsAnHourAfterTheLastSignOfAMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		defer func() {
			time.Sleep(time.Second) // a connection goes on for a moment
			stop()
		}()
		ctx, s := t.Context(), newWorld().store(rdb)
		p := gather(t, s, "alice", "bob")
		wantErr(t, "an invitation", s.Invite(ctx, p.ID, player("alice"), "dave"), nil)
		for range 5 {
			time.Sleep(59 * time.Minute)
			wantErr(t, "a sign of alice", s.Touch(ctx, "alice"), nil)
		}
		_, err := s.Join(ctx, p.ID, player("dave"))
		wantErr(t, "joining by an old invitation", err, ErrNone)
		p = must[*Party](t)(s.Get(ctx, p.ID, "alice"))
		if len(p.Members) != 2 {
			t.Errorf("a member who said nothing for long is out: %v", p.Players())
		}
		must[*Party](t)(s.JoinByCode(ctx, p.Code, player("carol")))
		time.Sleep(time.Hour + time.Second)
		wantErr(t, "a sign of who has no party", s.Touch(ctx, "alice"), nil)
		_, err = s.Members(ctx, "alice")
		wantErr(t, "an hour later", err, ErrNone)
		time.Sleep(2 * time.Hour)
		if keys, err := rdb.Keys(ctx, "*").Result(); len(keys) != 0 || err != nil {
			t.Errorf("left in Redis: %v, %v", keys, err)
		}
	})
}

// What was not told, because Redis failed or the process died, is told by whoever looks at the party next.
func TestChangesThatWereNotToldAreToldLater(t *testing.T) {
	ctx, w := t.Context(), newWorld()
	s := w.store(testredis.Embedded(t))
	p := gather(t, s, "alice", "bob")
	w.deaf = true
	must[*Party](t)(s.JoinByCode(ctx, p.Code, player("carol")))
	w.deaf = false
	told := len(w.tickets)
	must[*Party](t)(s.Members(ctx, "bob"))
	for _, id := range []string{"alice", "bob", "carol"} {
		if e := w.last(id); e.Event != EventChanged || len(e.Party.Members) != 3 {
			t.Errorf("%s heard last %+v", id, e)
		}
	}
	if len(w.tickets) != told+1 || !slices.Equal(w.tickets[told], []string{"alice", "bob", "carol"}) {
		t.Errorf("tickets are cancelled of %v", w.tickets[told:])
	}
	must[*Party](t)(s.Members(ctx, "bob"))
	if len(w.tickets) != told+1 {
		t.Error("what was told is told again")
	}
}

func TestMembersComingAndGoingCancelTickets(t *testing.T) {
	ctx, w := t.Context(), newWorld()
	s := w.store(testredis.Embedded(t))
	p := gather(t, s, "alice", "bob", "carol")
	w.tickets = nil
	must[*Party](t)(s.Ready(ctx, p.ID, "alice", true))
	must[*Party](t)(s.Promote(ctx, p.ID, "alice", "bob"))
	if len(w.tickets) != 0 {
		t.Errorf("tickets are cancelled although nobody came or went: %v", w.tickets)
	}
	wantErr(t, "a kick", s.Kick(ctx, p.ID, "bob", "alice"), nil)
	if len(w.tickets) != 1 || !slices.Equal(w.tickets[0], []string{"bob", "carol", "alice"}) {
		t.Errorf("tickets are cancelled of %v, want of all who were in it", w.tickets)
	}
}

func TestEventOfTheLargestPartyFitsAnInbox(t *testing.T) {
	for name, c := range map[string]struct {
		id, name string
		members  int // that are told with the party; -1: the party must be asked for
		named    bool
	}{
		"short names":    {"a", "b", 32, true},
		"escaped names":  {"a", strings.Repeat("<", 64), 32, false},
		"long ids":       {strings.Repeat("i", 62), strings.Repeat("n", 64), 32, false},
		"escaped ids":    {strings.Repeat("<", 62), "b", -1, false},
		"wide ids, long": {strings.Repeat("日", 20), strings.Repeat("日", 20), 32, false},
	} {
		p := &Party{ID: cluster.NewID(), Version: 1 << 53, Leader: c.id, Max: 32, Code: "ABCDEF"}
		for i := range MaxSize {
			p.Members = append(p.Members, Member{ID: c.id + string(rune('A'+i)), Name: c.name, Ready: true})
		}
		e := changedEvent(p)
		text, err := json.Marshal(e)
		if err != nil || len(text) > inbox.MaxBody || strings.Contains(string(text), "ABCDEF") {
			t.Errorf("%s: %d bytes, %v: %.100s", name, len(text), err, text)
		}
		switch {
		case c.members < 0:
			if e.Party != nil || e.ID != p.ID || e.Version != p.Version {
				t.Errorf("%s: %+v", name, e)
			}
		case e.Party == nil || len(e.Party.Members) != c.members || (e.Party.Members[0].Name != "") != c.named:
			t.Errorf("%s: %.200s", name, text)
		}
		if p.Code == "" || p.Members[0].Name == "" {
			t.Error("the party itself was changed")
		}
	}
}

func TestWhatIsNoIdOrCodeIsNotLookedFor(t *testing.T) {
	ctx, s := t.Context(), newWorld().store(testredis.Embedded(t))
	for _, id := range []string{"", "x", "*", strings.Repeat("A", 26), strings.Repeat("a", 25) + "}", strings.Repeat("a", 27)} {
		_, err := s.Get(ctx, id, "alice")
		wantErr(t, "the party "+id, err, ErrNone)
		_, err = s.JoinByCode(ctx, id, player("alice"))
		wantErr(t, "the code "+id, err, ErrNone)
	}
}

// lost lets one command of each pipeline fail that follows another, as when a node of a cluster does not answer.
type lost struct{ key string }

func (lost) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (lost) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (l lost) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		for _, c := range cmds {
			if get, ok := c.(*redis.StringCmd); ok && get.Args()[1] == l.key {
				get.SetVal("")
				get.SetErr(errCrash)
				if err == nil {
					err = errCrash
				}
			}
		}
		return err
	}
}

// In one exchange one mark may be absent and another not be read; the pipeline's error is the first.
func TestMemberWhoseMarkCouldNotBeReadStaysInTheParty(t *testing.T) {
	rdb := testredis.Embedded(t)
	s := newWorld().store(rdb)
	p := gather(t, s, "alice", "bob", "carol")
	if err := rdb.Del(t.Context(), s.mark("alice")).Err(); err != nil {
		t.Fatal(err)
	}
	s.cfg.Redis.AddHook(lost{s.mark("carol")})
	if _, err := s.Get(t.Context(), p.ID, "bob"); !errors.Is(err, errCrash) {
		t.Errorf("a party of which a mark is not known is read: %v", err)
	}
	now, err := s.read(t.Context(), p.ID)
	if err != nil || now.member("carol") == nil {
		t.Errorf("a member was swept out because his mark could not be read: %+v, %v", now, err)
	}
}
