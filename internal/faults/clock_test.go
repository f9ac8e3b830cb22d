package faults

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"go.uber.org/zap"

	"muster/internal/pause"
	"muster/lobby"
	"muster/lobby/queue"
	"muster/match/cluster"
	"muster/proto/token"
)

// redisAhead is a Redis whose clock is ahead of this process's, so that all of this process has a wrong one.
func redisAhead(t *testing.T, by time.Duration) redis.UniversalClient {
	t.Helper()
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	set := func() { server.SetTime(time.Now().Add(by)) }
	set()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				set()
			}
		}
	}()
	rdb := redis.NewClient(&redis.Options{
		Addr:                     "embedded",
		Dialer:                   func(context.Context, string, string) (net.Conn, error) { return server.Dial() },
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	t.Cleanup(func() {
		close(stop)
		<-stopped
		_ = rdb.Close()
		server.Close()
	})
	return rdb
}

// A lobby's clock is half a minute off, either way; Redis's and the servers' of matches are right. Tickets wait as long as
// they may, the lobby leads on, and the seat tokens that it signs are good where and as long as they should be.
func TestLobbyWhoseClockIsHalfAMinuteOffSignsAndWaitsByRedisTime(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"behind": -30 * time.Second, "ahead": 30 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rdb := redisAhead(t, -off)
			right := func() time.Time { return time.Now().Add(-off) }
			edge, err := token.New([]byte(testSecret), right)
			must(t, err)
			member, err := cluster.NewNodes(rdb, "muster", zap.NewNop()).Join(t.Context(), cluster.MemberConfig{
				Node: cluster.Node{ID: "n1", URL: "http://n1", Games: map[string]string{"pair": "1"}},
			})
			must(t, err)
			defer member.Leave(context.Background())
			l, err := lobby.New(lobby.Config{
				Redis: rdb, Namespace: "muster", Keys: testKeys(), Games: []lobby.Game{{Name: "pair", Rules: "1", Seats: 4}},
				Queues: []queue.Rules{{Name: "pair", Game: "pair", TeamSize: 2, MaxWait: 6 * time.Second}},
			})
			must(t, err)
			defer l.Close()
			mux := http.NewServeMux()
			l.Register(mux)
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			h := &hall{t: t, rdb: rdb, keys: edge, http: &http.Client{Transport: transport}}
			h.lobbies = []*lobbyProcess{{url: "http://" + serve(t, mux)}}
			ask := func(method, path, player, body string) seenTicket {
				t.Helper()
				a, err := h.ask(t.Context(), method, path, player, body, "")
				must(t, err)
				if a.status != http.StatusOK && a.status != http.StatusCreated {
					t.Fatalf("%s %s: %d %s", method, path, a.status, a.text)
				}
				return a.ticket
			}
			lease := func() (f map[string]string) {
				f, err := rdb.HGetAll(t.Context(), "muster:{queue:pair}:leader").Result()
				must(t, err)
				return f
			}
			until(t, "the lobby leads", func() bool { return lease()["epoch"] != "" })
			led := lease()

			began := time.Now()
			lone := ask("POST", "/v1/tickets", "early", `{"queue":"pair"}`)
			until(t, "three seconds are over", func() bool { return time.Since(began) > 3*time.Second })
			if got := ask("GET", "/v1/tickets/"+lone.ID, "early", ""); got.State != "waiting" && time.Since(began) < 6*time.Second {
				t.Errorf("after 3 of 6 seconds the ticket is %+v", got)
			}
			until(t, "the ticket expires", func() bool {
				_ = pause.For(t.Context(), 250*time.Millisecond)
				return ask("GET", "/v1/tickets/"+lone.ID, "early", "").State == "expired"
			})
			if took := time.Since(began); took < 5*time.Second || took > 25*time.Second {
				t.Errorf("a ticket of 6 s expired after %v", took)
			}
			if now := lease(); now["epoch"] != led["epoch"] || now["holder"] != led["holder"] {
				t.Errorf("the lease was %v and is %v", led, now)
			}

			asked := right()
			a := ask("POST", "/v1/tickets", "alice", `{"queue":"pair"}`)
			ask("POST", "/v1/tickets", "bob", `{"queue":"pair"}`)
			if a = ask("GET", "/v1/tickets/"+a.ID+"?wait=10s", "alice", ""); a.State != "matched" {
				t.Fatalf("alice's ticket is %+v", a)
			}
			seat, err := edge.VerifySeat(a.Match.Token)
			must(t, err)
			// It is of some time since they asked, in whole seconds.
			if seat.Expires.Before(asked.Add(14*time.Second)) || seat.Expires.After(right().Add(16*time.Second)) {
				t.Errorf("the seat token ends at %v, want 15 s after it was signed, between %v and %v", seat.Expires, asked, right())
			}
			later, err := token.New([]byte(testSecret), func() time.Time { return right().Add(15*time.Second + token.Leeway + time.Second) })
			must(t, err)
			if _, err := later.VerifySeat(a.Match.Token); err == nil {
				t.Error("the seat token does not end")
			}
			_, err = cluster.NewDirectory(rdb, "muster").TakeSeat(t.Context(), seat.Room, seat.Seat, "alice", seat.ID)
			must(t, err)
		})
	}
}
