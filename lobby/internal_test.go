package lobby

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"muster/lobby/live"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby/simple"
	"muster/match/cluster"
)

// waitingPair stores two tickets of a queue.
func waitingPair(t *testing.T, s *ticketStore) []*ticket {
	t.Helper()
	list := []*ticket{{queue: "duel", player: "alice", expires: time.Now()}, {queue: "duel", player: "bob", expires: time.Now()}}
	for _, tk := range list {
		if err := s.create(t.Context(), tk, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func wantErr(t *testing.T, doing string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", doing, err, want)
	}
}

// Two lobbies that reserve seats for one player at once would spoil each other's.
func TestOneLobbyAtATimeHoldsATicket(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := &ticketStore{rdb, keys{"test"}}
		pair := waitingPair(t, s)
		seats := []seatInfo{{room: "r", seat: 1, token: "t1"}, {room: "r", seat: 2, token: "t2"}}
		for range 2 { // the script may run again
			wantErr(t, "the first hold", s.hold(t.Context(), "duel", "one", pair), nil)
		}
		wantErr(t, "another's hold", s.hold(t.Context(), "duel", "two", pair[1:]), errNotWaiting)
		wantErr(t, "another's match", s.match(t.Context(), "duel", "two", pair, seats), errNotWaiting)
		wantErr(t, "another's letting go", s.letGo(t.Context(), "duel", "two", pair), nil)
		if l, err := s.look(t.Context(), "duel", time.Minute); len(l.waiting) != 0 || len(l.expired) != 0 || err != nil {
			t.Errorf("held tickets are seen: %+v, %v", l, err)
		}
		for range 2 {
			wantErr(t, "letting go", s.letGo(t.Context(), "duel", "one", pair), nil)
		}
		wantErr(t, "a match after letting go", s.match(t.Context(), "duel", "one", pair, seats), errNotWaiting)
		if l, err := s.look(t.Context(), "duel", time.Minute); len(l.waiting) != 2 || err != nil {
			t.Errorf("let go, the tickets are not seen: %+v, %v", l, err)
		}

		wantErr(t, "a hold of one", s.hold(t.Context(), "duel", "two", pair[:1]), nil)
		wantErr(t, "a hold of both", s.hold(t.Context(), "duel", "one", pair), errNotWaiting)
		wantErr(t, "a hold of the other", s.hold(t.Context(), "duel", "two", pair[1:]), nil)
		for range 2 {
			wantErr(t, "the holder's match", s.match(t.Context(), "duel", "two", pair, seats), nil)
		}
		wantErr(t, "a hold of matched tickets", s.hold(t.Context(), "duel", "one", pair), errNotWaiting)
	})
}

func TestHoldRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		defer stop()
		s := &ticketStore{rdb, keys{"test"}}
		pair := waitingPair(t, s)
		wantErr(t, "the first hold", s.hold(t.Context(), "duel", "slow", pair), nil)
		time.Sleep(holdTTL - time.Millisecond)
		wantErr(t, "another's hold within its time", s.hold(t.Context(), "duel", "two", pair), errNotWaiting)
		time.Sleep(time.Millisecond)
		wantErr(t, "another's hold after it", s.hold(t.Context(), "duel", "two", pair), nil)
		wantErr(t, "the slow one's match", s.match(t.Context(), "duel", "slow", pair, make([]seatInfo, 2)), errNotWaiting)
	})
}

// Whoever may have missed a notice must look for himself.
func TestGapWakesEverybodyWhoWaits(t *testing.T) {
	l := &Lobby{queues: map[string]*matchmaker{}}
	m := newMatchmaker(l, simple.Rules{Name: "duel"}, Game{})
	l.queues["duel"] = m
	first, done := l.waiters.wait("duel.a")
	defer done()
	second, done := l.waiters.wait("duel.b")
	defer done()
	l.live = live.New(live.Config{})
	defer func() { _ = l.live.Close(t.Context()) }()
	l.gap()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for name, c := range map[string]<-chan struct{}{"a request": first, "another request": second, "the matchmaker": m.woken} {
		select {
		case <-c:
		case <-ctx.Done():
			t.Errorf("%s was not woken", name)
		}
	}
}
