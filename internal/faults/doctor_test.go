package faults

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/client"
	"muster/internal/doctor"
	"muster/internal/pause"
)

// How long all comes and goes, how often a server is killed, and the doctor's grace; make churn-doctor asks for more.
var (
	churnFor   = flag.Duration("churn", 4*time.Second, "how long rooms, tickets, parties and chats come and go")
	churnKill  = flag.Duration("churn-kill", 2*time.Second, "how often a server is killed meanwhile")
	churnGrace = flag.Duration("churn-grace", 3*time.Second, "how long a key must have had no owner")
)

// life is what people do beside queueing, at so many places at once.
type life struct {
	h    *hall
	stop atomic.Bool
	wg   sync.WaitGroup
	done [5]atomic.Int64 // of each habit, how often

	played atomic.Int64 // rooms that somebody was in
}

func live(h *hall, places int, seed uint64) *life {
	l := &life{h: h}
	for place := range places {
		rng := rand.New(rand.NewPCG(seed, uint64(place))) //nolint:gosec // the test's dice
		l.wg.Go(func() {
			for n := 0; !l.stop.Load(); n++ {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				l.one(ctx, rng.IntN(len(l.done)), fmt.Sprintf("l%d-%d", place, n))
				_ = pause.For(ctx, 50*time.Millisecond)
				cancel()
			}
		})
	}
	return l
}

func (l *life) quit() {
	l.stop.Store(true)
	l.wg.Wait()
}

// ask makes a request and reads the answer; false where there was none that says so.
func (l *life) ask(ctx context.Context, method, path, player, body string, into any) bool {
	a, err := l.h.ask(ctx, method, path, player, body, "")
	return err == nil && a.status/100 == 2 && (into == nil || json.Unmarshal(a.text, into) == nil)
}

// one is a thing that people do: nothing of it needs to succeed while servers are killed.
func (l *life) one(ctx context.Context, habit int, me string) {
	friend, ok := me+"f", false
	switch habit {
	case 0, 1: // a room is made, found and played in
		game := []string{"ledger", "pair"}[habit]
		var made struct {
			Room  struct{ ID string }
			Match client.Match
		}
		ok = l.ask(ctx, http.MethodPost, "/v1/rooms", me, `{"game":"`+game+`","public":true}`, &made) &&
			l.ask(ctx, http.MethodGet, "/v1/rooms?game="+game, friend, "", nil)
		if ok {
			l.play(ctx, made.Match)
		}
		if habit == 1 {
			l.ask(ctx, http.MethodDelete, "/v1/rooms/"+made.Room.ID, me, "", nil)
		}
	case 2: // a party forms, talks, queues and parts
		var party struct{ ID, Code string }
		var ticket struct{ ID string }
		ok = l.ask(ctx, http.MethodPost, "/v1/parties", me, `{}`, &party) &&
			l.ask(ctx, http.MethodPost, "/v1/parties/"+party.ID+"/invite", me, `{"player":"`+friend+`2"}`, nil) &&
			l.ask(ctx, http.MethodPost, "/v1/parties/join", friend, `{"code":"`+party.Code+`"}`, nil) &&
			l.ask(ctx, http.MethodPost, "/v1/chat/party:"+party.ID+"/messages", me, `{"text":"hello"}`, nil)
		l.ask(ctx, http.MethodPost, "/v1/tickets", me, `{"queue":"alone"}`, &ticket)
		l.ask(ctx, http.MethodPost, "/v1/parties/"+party.ID+"/leave", friend, "", nil)
		l.ask(ctx, http.MethodPost, "/v1/parties/"+party.ID+"/leave", me, "", nil)
		l.ask(ctx, http.MethodDelete, "/v1/tickets/"+ticket.ID, me, "", nil)
	case 3: // two who know each other
		ok = l.ask(ctx, http.MethodPost, "/v1/chat/direct:"+friend+"/messages", me, `{"text":"hello"}`, nil) &&
			l.ask(ctx, http.MethodPut, "/v1/me/blocks/"+friend, me, "", nil) &&
			l.ask(ctx, http.MethodGet, "/v1/me", me, "", nil)
		l.ask(ctx, http.MethodPost, "/v1/notifications", me, `{"to":"all","kind":"news","title":"news"}`, nil)
	case 4: // a group
		var group struct{ ID string }
		ok = l.ask(ctx, http.MethodPost, "/v1/groups", me, `{"title":"us"}`, &group)
	}
	if ok {
		l.done[habit].Add(1)
	}
}

// play is in a room for a moment.
func (l *life) play(ctx context.Context, m client.Match) {
	if !strings.Contains(m.URL, "://") {
		return
	}
	conn, err := client.Dial[books, command](ctx, m, client.Options{HTTP: l.h.http, Events: ledgerEvents})
	if err != nil {
		return // its server was killed, or it is another game's room: the seat was taken all the same
	}
	defer func() { _ = conn.Close() }()
	for n := uint32(1); n < 10; n++ {
		if err := conn.Send(command{N: n}); err != nil {
			return
		}
		if _, err := conn.Next(ctx); err != nil {
			return
		}
	}
	l.played.Add(1)
}

// Rooms, tickets, parties and chats come and go while one server after the other dies with kill -9: nothing is left that
// nobody owns.
func TestDoctorFindsNothingAfterServersDiedWhileAllCameAndWent(t *testing.T) {
	rng := dice(t)
	h := openHall(t, 3)
	does := usual
	does.rest = 100 * time.Millisecond // what players do is enough: a machine that is full shows nothing more
	seekers, people := gather(h, 12, rng.Uint64(), does), live(h, 6, rng.Uint64())
	for end := time.Now().Add(*churnFor); time.Now().Before(end); {
		for next := time.Now().Add(*churnKill); time.Now().Before(next); {
			_ = pause.For(t.Context(), 20*time.Millisecond)
		}
		h.end(h.any())
		h.start()
	}
	until(t, "everything has been done", func() bool {
		for habit := range people.done {
			if people.done[habit].Load() == 0 {
				return false
			}
		}
		return people.played.Load() > 0
	})
	report := look(t, h) // all are busy
	people.quit()
	seekers.quit()
	t.Logf("%d tickets, %d rooms played in, %d keys", len(seekers.tickets), people.played.Load(), report.Keys)
	if report.Keys < 200 {
		t.Errorf("there are %d keys: shows little", report.Keys)
	}
	if *churnGrace >= time.Minute {
		look(t, h) // and when it is quiet
	}
	for l := h.any(); l != nil; l = h.any() {
		h.end(l)
	}
	until(t, "the doctor sees that there is no server", func() bool {
		r, err := doctor.Look(t.Context(), doctor.Config{Redis: h.rdb, Namespace: "muster"})
		must(t, err)
		return !r.Clean()
	})
}

// look lets the doctor look, who must find nothing.
func look(t *testing.T, h *hall) *doctor.Report {
	t.Helper()
	r, err := doctor.Look(t.Context(), doctor.Config{
		Redis: h.rdb, Namespace: "muster", Grace: *churnGrace,
		Again: func(n int, _ time.Duration) { t.Logf("%d have no owner at first", n) },
	})
	must(t, err)
	for _, g := range r.Findings {
		t.Errorf("%d keys like %s: %s: %q", g.Count, g.Pattern, g.Reason, g.Examples)
	}
	return r
}
