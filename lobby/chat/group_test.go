package chat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// found makes a group of one.
func found(t *testing.T, s *Store, by string) *Group {
	t.Helper()
	g, err := s.CreateGroup(t.Context(), cluster.NewID(), "d", "Friday's players", author(by))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGroupLivesFromItsCreationToItsLastMember(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		rdb.AddHook(twice{})
		ctx, w := t.Context(), newWorld()
		s := w.store(rdb)
		g := found(t, s, "alice")
		_, err := s.JoinGroup(ctx, g.ID, author("bob"))
		wantErr(t, "joining uninvited", err, ErrNoGroup)
		wantErr(t, "a stranger's invitation", s.InviteToGroup(ctx, g.ID, author("mallory"), "bob"), ErrNoGroup)
		for range 3 {
			wantErr(t, "an invitation", s.InviteToGroup(ctx, g.ID, author("alice"), "bob"), nil)
		}
		if len(w.got["bob"]) != 1 || w.got["bob"][0] != any(Invitation{g.ID, "Friday's players", "alice", "the alice"}) {
			t.Errorf("bob hears %+v", w.got["bob"])
		}
		g, err = s.JoinGroup(ctx, g.ID, author("bob"))
		if err != nil || fmt.Sprint(g.Members) != "[{alice the alice} {bob the bob}]" || g.Title != "Friday's players" {
			t.Errorf("%+v, %v", g, err)
		}
		say(t, s, "bob", "group:"+g.ID, "hello")
		same(t, "alice", w.texts("alice"), "group:"+g.ID+" bob hello")
		wantErr(t, "leaving", s.LeaveGroup(ctx, g.ID, "alice"), nil)
		wantErr(t, "leaving again", s.LeaveGroup(ctx, g.ID, "alice"), ErrNoGroup)
		_, err = s.Send(ctx, author("alice"), "group:"+g.ID, "still here?", "")
		wantErr(t, "a message of who has left", err, ErrNone)
		wantErr(t, "the last one's leaving", s.LeaveGroup(ctx, g.ID, "bob"), nil)
		_, err = s.Group(ctx, g.ID, "bob")
		wantErr(t, "the group that is gone", err, ErrNoGroup)
	})
}

func TestGroupIsCreatedOnceForAnId(t *testing.T) {
	ctx, s := t.Context(), newWorld().store(testredis.Embedded(t))
	g := found(t, s, "alice")
	again, err := s.CreateGroup(ctx, g.ID, "d", "Friday's players", author("alice"))
	if err != nil || fmt.Sprint(again) != fmt.Sprint(g) {
		t.Errorf("%+v, %v", again, err)
	}
	_, err = s.CreateGroup(ctx, g.ID, "e", "Monday's players", author("alice"))
	wantErr(t, "another group with the id", err, ErrOtherRequest)
	wantErr(t, "an invitation", s.InviteToGroup(ctx, g.ID, author("alice"), "bob"), nil)
	_, err = s.JoinGroup(ctx, g.ID, author("bob"))
	wantErr(t, "joining", err, nil)
	wantErr(t, "leaving", s.LeaveGroup(ctx, g.ID, "alice"), nil)
	_, err = s.CreateGroup(ctx, g.ID, "d", "Friday's players", author("alice"))
	wantErr(t, "a repeat after leaving", err, ErrLeft)
}

func TestGroupIsBounded(t *testing.T) {
	ctx, w := t.Context(), newWorld()
	s := w.store(testredis.Embedded(t))
	g := found(t, s, "alice")
	w.blocked[[2]string{"dave", "alice"}] = true
	wantErr(t, "an invitation of who has blocked her", s.InviteToGroup(ctx, g.ID, author("alice"), "dave"), nil)
	if len(w.got["dave"]) != 0 {
		t.Error("who has blocked her hears of her")
	}
	for i := 1; i < MaxGroup; i++ {
		who := fmt.Sprint("p", i)
		wantErr(t, "an invitation", s.InviteToGroup(ctx, g.ID, author("alice"), who), nil)
		_, err := s.JoinGroup(ctx, g.ID, author(who))
		wantErr(t, "joining", err, nil)
	}
	wantErr(t, "an invitation", s.InviteToGroup(ctx, g.ID, author("alice"), "late"), nil)
	_, err := s.JoinGroup(ctx, g.ID, author("late"))
	wantErr(t, "the 65th member", err, ErrFull)
	for i := range maxInvites - 2 {
		wantErr(t, "an invitation", s.InviteToGroup(ctx, g.ID, author("alice"), fmt.Sprint("q", i)), nil)
	}
	wantErr(t, "one invitation too many", s.InviteToGroup(ctx, g.ID, author("alice"), "one more"), ErrInvites)
	for _, id := range []string{"", "*", strings.Repeat("a", 25) + "}", strings.Repeat("A", 26)} {
		_, err := s.Group(ctx, id, "alice")
		wantErr(t, "the group "+id, err, ErrNoGroup)
	}
}
