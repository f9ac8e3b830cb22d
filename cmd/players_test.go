package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/client"
	"muster/lobby"
	"muster/proto"
)

// raceToTheEnd has two players race until one has won, and returns the room after it has ended.
func raceToTheEnd(t *testing.T, r *running, winner, loser string) (room string) {
	t.Helper()
	m := r.match(winner, "race")
	first, second := dialRace(t, m), dialRace(t, r.match(loser, "race"))
	for range 3 {
		must(t, first.Send(press{Go: true}))
	}
	for _, c := range []*client.Conn[track, press]{first, second} {
		var err error
		for err == nil {
			_, err = c.Next(soon(t))
		}
		wantClose(t, err, proto.CodeDone)
	}
	return m.Room
}

// played waits until a match stands in a player's list, and returns it. That the player is rated is asked by others, of
// whom none may ask so often.
func (r *running) played(player, room string) lobby.PlayedMatch {
	r.t.Helper()
	asked := 0
	until(r.t, player+" is rated", func() bool {
		asked++
		return r.ask("GET", "/v1/players/"+player, fmt.Sprint("watcher", asked)).status == http.StatusOK
	})
	var list struct{ Matches []lobby.PlayedMatch }
	must(r.t, json.Unmarshal([]byte(r.ask("GET", "/v1/me/matches", player).body), &list))
	if len(list.Matches) != 1 || list.Matches[0].Room != room {
		r.t.Fatalf("%s played %+v", player, list)
	}
	return list.Matches[0]
}

func TestMatchRatesItsPlayersAndAnOpenGameGivesThemItsReplay(t *testing.T) {
	r := serve(t, withKeptRace, "--key-file", ownKey(t), "--open-replays", "race")
	room := raceToTheEnd(t, r, "alice", "bob")
	m := r.played("bob", room)
	path := "/v1/matches/" + room + "/replay"
	if m.Rank != 2 || m.Players != 2 || m.Queue != "race" || !m.Recorded || m.Replay != path || m.Rating == nil || m.Rating.After >= m.Rating.Before {
		t.Errorf("%+v, %+v", m, m.Rating)
	}
	var alice lobby.Player
	must(t, json.Unmarshal([]byte(r.ask("GET", "/v1/players/alice", "carol").body), &alice))
	if len(alice.Ratings) != 1 || alice.Ratings[0].Game != "race" || alice.Ratings[0].Rating <= 1000 {
		t.Errorf("%+v", alice)
	}

	var a answer
	until(t, "the replay has its end", func() bool {
		a = r.ask("GET", path, "bob") // the first time, usually
		return a.status == http.StatusOK && a.header.Get("Content-Type") == "application/octet-stream"
	})
	file := filepath.Join(t.TempDir(), "race.muster")
	must(t, os.WriteFile(file, []byte(a.body), 0o600))
	if status, out, errs := replayCommand(t, withKeptRace[0].Game, "verify", file); status != 0 || errs != "" {
		t.Errorf("exit status %d: %s%s", status, out, errs)
	}
	wantProblem(t, r.ask("GET", path, ""), http.StatusUnauthorized)
	none := r.ask("GET", "/v1/matches/"+strings.Repeat("a", 26)+"/replay", "bob")
	wantProblem(t, none, http.StatusNotFound)
	mallory := r.ask("GET", path, "mallory")
	if wantProblem(t, mallory, http.StatusNotFound); mallory.body != none.body {
		t.Errorf("%s differs from %s", mallory.body, none.body)
	}
	for range 22 {
		if a = r.ask("GET", path, "alice"); a.status == http.StatusTooManyRequests {
			break
		}
	}
	if wantProblem(t, a, http.StatusTooManyRequests); !strings.Contains(a.body, "replays") || a.header.Get("Retry-After") == "" {
		t.Errorf("%d, %v", a.status, a.header)
	}
}

func TestReplaysAreNotForPlayersUnlessTheirGameIsOpen(t *testing.T) {
	r := serve(t, withKeptRace, "--key-file", ownKey(t))
	room := raceToTheEnd(t, r, "alice", "bob")
	if m := r.played("alice", room); !m.Recorded || m.Replay != "" {
		t.Errorf("%+v", m)
	}
	wantProblem(t, r.ask("GET", "/v1/matches/"+room+"/replay", "alice"), http.StatusNotFound)
}

func TestLongWorkCanBeInterruptedAndShowsHowFarItIs(t *testing.T) {
	history := filepath.Join("..", "lobby", "rating", "testdata", "matches.csv")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs output
	if status := run(ctx, func() {}, []string{"ratings", "eval", history}, nil, &out, &errs); status != 1 || !strings.HasSuffix(errs.String(), "interrupted\n") || out.String() != "" {
		t.Errorf("%d: %s%s", status, out.String(), errs.String())
	}
	var shown output
	m := newMeter(&program{ctx: t.Context(), stderr: &shown})
	m.next = time.Now().Add(time.Hour)
	must(t, m.show("reading", 50, 200)) // too early
	m.next = time.Time{}
	must(t, m.show("reading", 60, 200))
	m.next = time.Now().Add(time.Hour)
	must(t, m.show("reading", 61, 200)) // too early again
	m.next = time.Time{}
	must(t, m.show("rating", 7, 0)) // of nobody knows how many
	m.clear()
	if got := shown.String(); got != "reading: 30%\nrating: 7\n" {
		t.Errorf("%q", got)
	}
}
