package faults

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"muster/client"
	"muster/games/scores"
)

// viewer looks at a board of scores by a socket to one server.
type viewer struct {
	conn *client.Conn[scores.Board, scores.Report]
	news []string
}

// view joins the board by a server.
func (h *hall) view(ctx context.Context, l *lobbyProcess, name string) *viewer {
	h.t.Helper()
	lobby := &client.Lobby{URL: l.url, Token: h.bearer(name), HTTP: h.http}
	seat, err := lobby.Rooms().JoinNamed(ctx, "scores", "final")
	for later(ctx, err) {
		seat, err = lobby.Rooms().JoinNamed(ctx, "scores", "final")
	}
	must(h.t, err)
	v := &viewer{}
	v.conn, err = client.Dial[scores.Board, scores.Report](ctx, seat, client.Options{
		HTTP: h.http, Reconnect: true, Events: scores.Game.Rules().Events, OnEvent: func(e client.Event) {
			if n, ok := e.Value.(*scores.News); ok {
				v.news = append(v.news, n.Text)
			}
		},
	})
	must(h.t, err)
	h.t.Cleanup(func() { _ = v.conn.Close() })
	return v
}

// sees waits until the board is as it should be, and is so for a while.
func (v *viewer) sees(ctx context.Context, t *testing.T, want scores.Score, goals []scores.Goal, news ...string) {
	t.Helper()
	for more := 10; more > 0; { // frames: what would come twice has come
		if _, err := v.conn.Next(ctx); err != nil {
			t.Fatalf("the viewer sees %+v: %v", v.conn.State().Score.V, err)
		}
		if v.conn.State().Score.V == want && len(v.news) >= len(news) {
			more--
		}
	}
	var got []scores.Goal
	for _, g := range v.conn.State().Goals.All() {
		got = append(got, *g)
	}
	slices.SortFunc(got, func(a, b scores.Goal) int { return cmp.Compare(a.By, b.By) }) // a client's rows are in no order
	if now := v.conn.State().Score.V; now != want || !slices.Equal(got, goals) || !slices.Equal(v.news, news) {
		t.Errorf("the viewer sees %+v, goals %+v, news %q; want %+v, %+v, %q", now, got, v.news, want, goals, news)
	}
}

// later waits a moment where a lobby asks to come again, and says whether it does.
func later(ctx context.Context, err error) bool {
	var e *client.APIError
	if !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable {
		return false
	}
	return moment(ctx)
}

// moment lets a lobby have one.
func moment(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(100 * time.Millisecond):
		return true
	}
}

// A backend says each thing twice with the same key, to two servers; the room's server is killed with kill -9, and the backend
// repeats all of it: who looks, by the other server, sees each goal and hears each word once.
func TestABackendsFeedCountsOnceAlsoWhenTheRoomsServerIsKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	h := openHall(t, 1)
	host := h.any()
	opener := h.view(ctx, host, "opener") // so the room is there
	at, err := h.dir.Room(ctx, "scores.final")
	must(t, err)
	other := h.start()
	v := h.view(ctx, other, "viewer")
	type report struct {
		key  string
		goal *scores.Report
		news string
	}
	publish := func(l *lobbyProcess, r report) client.Published {
		t.Helper()
		feed := (&client.Lobby{URL: l.url, Token: h.bearer("feed", "service"), HTTP: h.http}).Backend()
		for {
			var p client.Published
			var err error
			if r.goal != nil {
				p, err = feed.Feed(ctx, "scores.final", r.key, r.goal)
			} else {
				p, err = feed.Emit(ctx, "scores.final", r.key, client.RoomEvent{Type: "News", Fields: scores.News{Text: r.news}})
			}
			if later(ctx, err) || err == nil && p.State != "done" && moment(ctx) { // the room is between two servers
				continue
			}
			must(t, err)
			return p
		}
	}
	all := []report{
		{key: "goal-1", goal: &scores.Report{Minute: 12, Side: scores.Home, By: "Ann"}},
		{key: "goal-2", goal: &scores.Report{Minute: 12, Side: scores.Away, By: "Bo"}},
		{key: "half-time", news: "Half-time"},
	}
	said := map[string]client.Published{}
	twice := func(r report, first, second *lobbyProcess) {
		t.Helper()
		p, again := publish(first, r), publish(second, r)
		if was, before := said[r.key]; again != p || before && p != was {
			t.Errorf("%s is answered %+v, %+v and %+v", r.key, was, p, again)
		}
		said[r.key] = p
	}
	for _, r := range all {
		twice(r, host, other)
	}
	want, goals := scores.Score{Home: 1, Away: 1, Minute: 12}, []scores.Goal{{By: "Ann", Minute: 12}, {By: "Bo", Away: true, Minute: 12}}
	v.sees(ctx, t, want, goals, "Half-time")
	must(t, opener.conn.Close())
	h.end(host)
	for _, r := range append(all, report{key: "goal-3", goal: &scores.Report{Minute: 44, Side: scores.Home, By: "Cy"}}) {
		twice(r, other, other) // as a backend does that was not answered
	}
	v.sees(ctx, t, scores.Score{Home: 2, Away: 1, Minute: 44}, append(goals, scores.Goal{By: "Cy", Minute: 44}), "Half-time")
	if now, err := h.dir.Room(ctx, "scores.final"); err != nil || now.Node == at.Node || now.Epoch <= at.Epoch {
		t.Errorf("the room is %+v (%v) and was %+v: no other server took it over", now, err, at)
	}
}
