package ticket_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"muster/internal/testredis"
	"muster/lobby/keyspace"
	"muster/lobby/ticket"
	"muster/match/cluster"
)

// proposes says whether a command is the one that writes an attempt; seats whether it makes tickets matched.
func proposes(cmd redis.Cmder) bool { return says(cmd, ":leader", ":attempt:") && !says(cmd, ":waits") }
func seats(cmd redis.Cmder) bool    { return says(cmd, ":leader", ":attempt:", ":waits") }

func TestLeaderThatDiesBetweenChoosingAndWritingIsReplacedWithinThreeSeconds(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		var dead atomic.Bool
		o.open(func(cmd redis.Cmder, next func() error) error {
			if dead.Load() || proposes(cmd) {
				dead.Store(true)
				cmd.SetErr(errDead)
				return errDead
			}
			return next()
		}, duel)
		time.Sleep(100 * time.Millisecond)
		other := o.open(nil, duel)
		a := enqueue(t, other, "duel", "alice")
		enqueue(t, other, "duel", "bob")
		began := time.Now()
		for get(t, other, a, "alice").State != ticket.Matched {
			if time.Since(began) > 3*time.Second {
				t.Fatal("nobody has made the match within 3 s")
			}
			time.Sleep(10 * time.Millisecond)
		}
		if !dead.Load() {
			t.Error("the leader did not die")
		}
		t.Logf("matched %v after the leader's death", time.Since(began))
	})
}

// A process that is stopped does not know, when it goes on, that it leads no longer.
func TestProposalOfALeaderOfBeforeIsRefused(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		var stopped atomic.Bool
		stopped.Store(false)
		leader := o.open(func(cmd redis.Cmder, next func() error) error {
			if proposes(cmd) && stopped.CompareAndSwap(false, true) {
				time.Sleep(4 * time.Second)
			} else if stopped.Load() && says(cmd, "}:leader") && !says(cmd, ":waiting") {
				cmd.SetErr(errDead) // it cannot renew its lease meanwhile
				return errDead
			}
			return next()
		}, duel)
		time.Sleep(100 * time.Millisecond)
		other := o.open(nil, duel)
		a := enqueue(t, other, "duel", "alice")
		time.Sleep(time.Second)
		b := enqueue(t, other, "duel", "bob")
		time.Sleep(3500 * time.Millisecond)
		room := wantState(t, other, a, "alice", ticket.Matched).Match.Room
		c, d := enqueue(t, other, "duel", "carol"), enqueue(t, other, "duel", "dave")
		time.Sleep(3 * time.Second)
		if got := wantState(t, other, b, "bob", ticket.Matched).Match.Room; got != room {
			t.Errorf("bob is in %s, alice in %s", got, room)
		}
		wantState(t, other, c, "carol", ticket.Matched)
		wantState(t, other, d, "dave", ticket.Matched)
		if got := value(t, leader, "muster_queue_fenced_total"); got != 1 {
			t.Errorf("%v proposals were refused, want 1", got)
		}
	})
}

func TestCancelThatComesBeforeTheSeatsWinsAndOneThatComesAfterDoesNothing(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		asked, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		s := o.open(func(cmd redis.Cmder, next func() error) error {
			if seats(cmd) {
				once.Do(func() { close(asked); <-goOn })
			}
			return next()
		}, duel)
		a, b := enqueue(t, s, "duel", "alice"), enqueue(t, s, "duel", "bob")
		<-asked
		got, err := s.Cancel(t.Context(), b, "bob")
		must(t, err)
		if got.State != ticket.Cancelled {
			t.Errorf("while seats are being reserved a cancelled ticket is %s", got.State)
		}
		close(goOn)
		time.Sleep(time.Second)
		if back := wantState(t, s, a, "alice", ticket.Waiting); !back.Head {
			t.Error("alice's ticket is not first")
		}
		wantState(t, s, b, "bob", ticket.Cancelled)
		enqueue(t, s, "duel", "bob") // no penalty: nobody had told him of the match
		time.Sleep(time.Second)
		wantState(t, s, a, "alice", ticket.Matched)
		if got, err := s.Cancel(t.Context(), a, "alice"); err != nil || got.State != ticket.Matched {
			t.Errorf("after that the ticket is %+v, %v", got, err)
		}
	})
}

func TestOfTwoTicketsOfOnePlayerAtOnceOneIsMade(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		o := newOffice(t, rdb)
		lobbies := []*service{o.open(nil, duel), o.open(nil, duel)}
		defer lobbies[0].die()
		defer lobbies[1].die()
		const tries = 20
		made, refused := make(chan string, tries), make(chan string, tries)
		var wg sync.WaitGroup
		for i := range tries {
			wg.Go(func() {
				tk, err := lobbies[i%2].Create(t.Context(), solo("duel", "alice"))
				var have *ticket.HaveError
				switch {
				case err == nil:
					made <- tk.ID
				case errors.As(err, &have):
					refused <- have.ID
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		close(refused)
		if len(made) != 1 {
			t.Fatalf("%d tickets were made, want 1", len(made))
		}
		id := <-made
		for other := range refused {
			if other != id {
				t.Errorf("a refusal names %s, want %s", other, id)
			}
		}
	})
}

// offRedis is a Redis whose clock is 30 s ahead of everybody's.
func offRedis(t *testing.T) (rdb redis.UniversalClient, stop func()) {
	t.Helper()
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	server.SetTime(time.Now().Add(30 * time.Second))
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				server.SetTime(time.Now().Add(30 * time.Second))
			}
		}
	}()
	client := redis.NewClient(&redis.Options{
		Addr:                     "embedded",
		Dialer:                   func(context.Context, string, string) (net.Conn, error) { return server.Dial() },
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	return client, func() {
		close(done)
		<-ended
		_ = client.Close()
		server.Close()
	}
}

func TestLobbyWhoseClockIsHalfAMinuteOffDoesAllByRedisTime(t *testing.T) {
	inBubble(t, func(t *testing.T, _ redis.UniversalClient) {
		rdb, stop := offRedis(t)
		defer stop()
		o := newOffice(t, rdb)
		wait := duel
		wait.Min, wait.Gather = 1, 10*time.Second
		s := o.open(nil, wait)
		defer s.die()
		a := enqueue(t, s, "duel", "alice")
		time.Sleep(9 * time.Second)
		wantState(t, s, a, "alice", ticket.Waiting)
		time.Sleep(2 * time.Second)
		m := wantState(t, s, a, "alice", ticket.Matched)
		if ahead := s.Ahead(); ahead < 29*time.Second || ahead > 31*time.Second {
			t.Errorf("Redis is %v ahead", ahead)
		}
		if left := m.Match.Till.Sub(m.Now); left > 15*time.Second || left < 13*time.Second {
			t.Errorf("the seat is kept for %v, want 15 s by Redis's clock", left)
		}
		o.come(t, m, "alice")
		time.Sleep(10 * time.Second)
		if got := value(t, s, "muster_match_attempts_total", "state=started"); got != 1 {
			t.Errorf("%v matches started, want 1", got)
		}
		b := enqueue(t, s, "duel", "bob")
		_, err := s.Cancel(t.Context(), b, "bob")
		must(t, err)
	})
}

func TestWhatACrashLeftIsSweptAndCounted(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		tag := keyspace.Queue(ns, "duel")
		gone := "duel." + cluster.NewID()
		must(t, o.rdb.ZAdd(t.Context(), tag+":waiting", redis.Z{Score: 1, Member: gone}).Err())
		must(t, o.rdb.ZAdd(t.Context(), tag+":attempts", redis.Z{Score: 1, Member: "nothing"}).Err())
		must(t, o.rdb.Set(t.Context(), tag+":player:"+keyspace.Digest("alice"), gone, time.Hour).Err())
		must(t, o.rdb.Set(t.Context(), keyspace.Player(ns, "bob")+":busy", "duel/nothing", time.Hour).Err())
		for i := range 40 {
			must(t, o.rdb.ZAdd(t.Context(), keyspace.Player(ns, "bob")+":tickets",
				redis.Z{Score: 1e15, Member: "duel." + cluster.NewID()[:25] + string(rune('a'+i%26))}).Err())
		}
		a, b := enqueue(t, s, "duel", "alice"), enqueue(t, s, "duel", "bob")
		time.Sleep(2 * time.Second)
		wantState(t, s, a, "alice", ticket.Matched)
		wantState(t, s, b, "bob", ticket.Matched)
		for what, want := range map[string]float64{"ticket_broken": 1, "attempt": 1, "mark": 1, "busy": 1, "entry": 40} {
			if got := value(t, s, "muster_lobby_swept_total", "what="+what); got != want {
				t.Errorf("%s was swept %v times, want %v", what, got, want)
			}
		}
	})
}

func TestQueueIsReadAnewWhereItsLogHasAGap(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		a := enqueue(t, s, "duel", "alice")
		time.Sleep(300 * time.Millisecond)
		tag := keyspace.Queue(ns, "duel")
		must(t, o.rdb.Del(t.Context(), tag+":log", tag+":seq").Err())
		b := enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		wantState(t, s, a, "alice", ticket.Matched)
		wantState(t, s, b, "bob", ticket.Matched)
	})
}

func TestQueueThatTakesLongToReadIsReadAllTheSame(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		first := o.open(nil, team)
		a := enqueue(t, first, "team", "alice")
		first.die()
		s := o.open(func(cmd redis.Cmder, next func() error) error {
			if cmd.Name() == "zscan" {
				time.Sleep(8 * time.Second)
			}
			return next()
		}, team)
		time.Sleep(12 * time.Second)
		if _, ok := s.Explain(t.Context(), get(t, s, a, "alice")); !ok {
			t.Error("the process does not know the ticket")
		}
	})
}

func TestProcessThatBelievesOtherThanRedisCountsItAndReadsTheQueueAnew(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, team)
		a := enqueue(t, s, "team", "alice")
		time.Sleep(time.Second)
		must(t, o.rdb.ZRem(t.Context(), keyspace.Queue(ns, "team")+":waiting", a).Err()) // what no script does
		for range 14 {
			get(t, s, a, "alice")
			time.Sleep(5 * time.Second)
		}
		if got := value(t, s, "muster_queue_differences_total"); got != 1 {
			t.Errorf("%v differences were counted, want 1", got)
		}
		if st, err := s.Queue(t.Context(), "team"); err != nil || st.Players != 0 {
			t.Errorf("%+v wait after that, %v", st, err)
		}
	})
}

func TestQueueSaysHowLongPlayersWait(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		enqueue(t, s, "duel", "alice")
		time.Sleep(4 * time.Second)
		enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		enqueue(t, s, "duel", "carol")
		time.Sleep(time.Second)
		st, err := s.Queue(t.Context(), "duel")
		must(t, err)
		if st.Players != 1 || st.PerMinute != 1 || len(st.Bands) != 1 || st.Bands[0].Tickets != 2 ||
			st.Bands[0].P50 > time.Second || st.Bands[0].P90 < 4*time.Second || st.Bands[0].P90 > 5*time.Second {
			t.Errorf("the queue says %+v", st)
		}
	})
}
