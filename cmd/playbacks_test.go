package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"muster/client"
	"muster/games/arena"
	"muster/internal/testredis"
	"muster/lobby"
	"muster/match"
	"muster/match/playback"
	"muster/proto"
)

// body is ask with a body.
func (r *running) body(method, path, kind string, body []byte, player string, roles ...string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(soon(r.t), method, r.url+path, bytes.NewReader(body))
	must(r.t, err)
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", "Bearer "+r.lobby(player, roles...).Token)
	return r.do(req)
}

func (r *running) upload(file []byte, player string, roles ...string) answer {
	r.t.Helper()
	return r.body("POST", "/v1/replays/files", "application/octet-stream", file, player, roles...)
}

func (r *running) control(id, change, player string, roles ...string) answer {
	r.t.Helper()
	return r.body("PATCH", "/v1/replays/"+id, "application/json", []byte(change), player, roles...)
}

// session reads an answer that has one.
func session(t *testing.T, a answer) lobby.ReplaySession {
	t.Helper()
	var s lobby.ReplaySession
	if err := json.Unmarshal([]byte(a.body), &s); err != nil || a.status > 299 || s.ID == "" {
		t.Fatalf("got %d, %s: %v", a.status, a.body, err)
	}
	return s
}

func arenaFile(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(replayOfArena(t))
	must(t, err)
	return b
}

// onlooker watches a session.
type onlooker struct {
	t *testing.T
	*client.Conn[arena.World, arena.Input]
}

func look(t *testing.T, s lobby.ReplaySession) *onlooker {
	t.Helper()
	c, err := client.Dial[arena.World, arena.Input](soon(t), client.Match{Room: s.ID, URL: s.URL, Token: s.Token}, client.Options{Events: arena.Game.Rules().Events})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return &onlooker{t, c}
}

// at waits until a recorded tick is shown.
func (o *onlooker) at(tick uint32) {
	o.t.Helper()
	for ctx := soon(o.t); ; {
		f, err := o.Next(ctx)
		if err != nil {
			o.t.Fatalf("tick %d does not come: %v", tick, err)
		}
		if f.Processed == tick {
			return
		}
	}
}

func TestAReplayIsShownToWhoeverHasItsLink(t *testing.T) {
	r := serve(t, withArena)
	s := session(t, r.upload(arenaFile(t), "ada"))
	if s.From != 0 || s.To != 399 || !s.Paused || !s.Yours || s.Key == "" || s.Game != "arena" || len(s.Marks) < 8 {
		t.Errorf("it begins as %+v", s)
	}
	ada := look(t, s)
	ada.at(0)
	for range 3 * 20 { // beyond where a new one can begin with the first frame
		_, err := ada.Next(soon(t))
		must(t, err)
	}
	other := session(t, r.ask("POST", "/v1/replays/"+s.ID+"/watch", "ben"))
	if other.Yours || other.Key != "" {
		t.Errorf("ben's session is %+v", other)
	}
	ben := look(t, other)
	ben.at(0)
	session(t, r.control(s.ID, `{"tick":200}`, "ada"))
	ada.at(200)
	ben.at(200)
	if a, b := ada.State().Ships.Len(), ben.State().Ships.Len(); a != 6 || a != b {
		t.Errorf("%d and %d ships", a, b)
	}
	wantProblem(t, r.control(s.ID, `{"tick":5}`, "ben"), http.StatusForbidden)
	wantProblem(t, r.ask("DELETE", "/v1/replays/"+s.ID, "ben"), http.StatusForbidden)
	wantProblem(t, r.control(s.ID, `{"tick":5,"key":"x`+s.Key[1:]+`"}`, "ben"), http.StatusForbidden)
	session(t, r.control(s.ID, `{"tick":5,"key":"`+s.Key+`"}`, "ben"))
	ada.at(5)
	until(t, "the hash is that of the recording", func() bool { return session(t, r.ask("GET", "/v1/replays/"+s.ID, "cleo")).Proof == "same" })
	for change, want := range map[string]uint32{`{"tick":9007199254740991}`: 399, `{"tick":-1}`: 0, `{"tick":400}`: 399} {
		if got := session(t, r.control(s.ID, change, "ada")); !got.Clamped || got.Target != want {
			t.Errorf("%s: %+v", change, got)
		}
		ben.at(want)
	}
	for _, change := range []string{
		`{"tick":1e30}`, `{"tick":1.5}`, `{"tick":"NaN"}`, `{"tick":NaN}`, `{"speed":0}`, `{"speed":-1}`, `{"speed":17}`, `{"speed":1e999}`, `{"paused":1}`,
		`{"rewind":true}`, `[]`, ``,
	} {
		if a := r.control(s.ID, change, "ada"); a.status != 400 && a.status != 422 {
			t.Errorf("%s: %d, %s", change, a.status, a.body)
		}
	}
	if got := session(t, r.ask("GET", "/v1/replays/"+s.ID, "ada")); got.Viewers != 2 {
		t.Errorf("it stands as %+v", got)
	}
	if a := r.ask("DELETE", "/v1/replays/"+s.ID, "ada"); a.status != http.StatusNoContent {
		t.Errorf("closing it: %d, %s", a.status, a.body)
	}
	for _, o := range []*onlooker{ada, ben} {
		var err error
		for err == nil {
			_, err = o.Next(soon(t))
		}
		wantClose(t, err, proto.CodeDone)
	}
	until(t, "it is gone", func() bool { return r.ask("GET", "/v1/replays/"+s.ID, "ada").status == http.StatusNotFound })
	_, err := client.Dial[arena.World, arena.Input](soon(t), client.Match{Room: s.ID, URL: s.URL, Token: other.Token}, client.Options{})
	wantClose(t, err, proto.CodeMatchGone)
}

func TestWhatIsNoReplayIsRefusedWithItsReason(t *testing.T) {
	r := serve(t, withRace)
	good := arenaFile(t)
	for name, c := range map[string]struct {
		file   []byte
		status int
		says   string
	}{
		"garbage":      {bytes.Repeat([]byte{0xff, 0}, 5000), http.StatusUnprocessableEntity, "no recording"},
		"nothing":      {nil, 0, ""},
		"cut short":    {good[:100], http.StatusUnprocessableEntity, "no recording"},
		"another game": {good, http.StatusUnprocessableEntity, "no such game"},
		"too long":     {make([]byte, lobby.MaxReplayFile+1), http.StatusRequestEntityTooLarge, ""},
	} {
		a := r.upload(c.file, "ada")
		if c.status == 0 {
			c.status = a.status
			if a.status != http.StatusBadRequest && a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d", name, a.status)
			}
		}
		wantProblem(t, a, c.status)
		if !strings.Contains(a.body, c.says) || len(a.body) > 1000 {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	rules := arena.Game.Rules()
	rules.Version = "99"
	other := match.Define[arena.World, arena.Input]("arena", arena.Arena{}, rules)
	must(t, other.Err())
	newer := serve(t, []Game{{Game: other}})
	a := newer.upload(good, "ada")
	if wantProblem(t, a, http.StatusConflict); !strings.Contains(a.body, `\"3\"`) || !strings.Contains(a.body, `\"99\"`) {
		t.Errorf("other rules: %s", a.body)
	}
	for _, id := range []string{"replay-a-b", "replay-" + strings.Repeat("a", 26) + "-" + strings.Repeat("b", 26)} {
		wantProblem(t, r.ask("GET", "/v1/replays/"+id, "ada"), http.StatusNotFound)
	}
	for _, id := range []string{"x", "replay-A-b", "replay-..-b", "replay-a-b-c"} {
		wantProblem(t, r.ask("GET", "/v1/replays/"+id, "ada"), http.StatusUnprocessableEntity)
	}
}

func TestAFloodOfSeeksIsLimitedAndHarmsNobody(t *testing.T) {
	r := serve(t, withArena)
	s := session(t, r.upload(arenaFile(t), "ada"))
	o := look(t, s)
	n := 0
	until(t, "requests are limited", func() bool {
		n++
		a := r.control(s.ID, `{"tick":`+[]string{"10", "390"}[n%2]+`}`, "ada")
		return a.status == http.StatusTooManyRequests && a.header.Get("Retry-After") != ""
	})
	until(t, "one can seek again", func() bool { return r.control(s.ID, `{"tick":77}`, "ada").status == http.StatusOK })
	o.at(77)
}

func TestFilesAreShownToAdminsAlone(t *testing.T) {
	r := serve(t, withArena, "--key-file", ownKey(t))
	good := arenaFile(t)
	for _, roles := range [][]string{nil, {"service"}, {"Admin"}, {"moderator"}} {
		wantProblem(t, r.upload(good, "ada", roles...), http.StatusForbidden)
	}
	s := session(t, r.upload(good, "boss", "admin"))
	look(t, session(t, r.ask("POST", "/v1/replays/"+s.ID+"/watch", "ada"))).at(0)
	wantProblem(t, r.control(s.ID, `{"paused":false}`, "ada", "service"), http.StatusForbidden)
	session(t, r.control(s.ID, `{"tick":3}`, "chief", "admin"))
	a := r.ask("POST", "/v1/replays/"+s.ID+"/watch", "")
	wantProblem(t, a, http.StatusUnauthorized)
	if a := r.ask("GET", "/metrics", "ops", "metrics"); !strings.Contains(a.body, "muster_playback_sessions 1\n") || !strings.Contains(a.body, `muster_playback_opened_total{result="ok"} 1`) {
		t.Error("the metrics lack the session")
	}
	wantProblem(t, r.body("POST", "/internal/replays", "application/json", []byte(`{}`), "boss", "admin"), http.StatusForbidden)
}

func TestAPlayerIsShownHisMatchWhereItsGameSaysSo(t *testing.T) {
	for name, open := range map[string]bool{"open": true, "closed": false} {
		args := []string{"--key-file", ownKey(t)}
		if open {
			args = append(args, "--open-replays", "race")
		}
		r := serve(t, withKeptRace, args...)
		m := r.match("alice", "race")
		c := dialRace(t, m)
		for range 3 {
			must(t, c.Send(press{Go: true}))
		}
		var err error
		for err == nil {
			_, err = c.Next(soon(t))
		}
		until(t, "it has a result", func() bool { return r.ask("GET", "/v1/matches/"+m.Room, "alice").status == 200 })
		ask := func(player string, roles ...string) (a answer) {
			until(t, "one may ask again", func() bool {
				a = r.body("POST", "/v1/replays", "application/json", []byte(`{"match":"`+m.Room+`"}`), player, roles...)
				return a.status != http.StatusTooManyRequests
			})
			return a
		}
		wantProblem(t, ask("mallory"), http.StatusNotFound)
		wantProblem(t, ask("mallory", "service"), http.StatusForbidden)
		if open {
			if s := session(t, ask("alice")); s.Match != m.Room || s.To == 0 || s.As != "public" {
				t.Errorf("%s: %+v", name, s)
			}
		} else {
			wantProblem(t, ask("alice"), http.StatusNotFound)
		}
		session(t, ask("boss", "admin"))
	}
}

// Two servers, one Redis: the session is at one, and is watched and controlled by way of the other.
func TestAReplayIsWatchedAndControlledByWayOfAnyServer(t *testing.T) {
	redis, key := testredis.Start(t), ownKey(t)
	one := serve(t, withArena, "--redis", redis.URL(), "--key-file", key)
	two := serve(t, withArena, "--redis", redis.URL(), "--key-file", key)
	s := session(t, one.upload(arenaFile(t), "boss", "admin"))
	here := look(t, s)
	here.at(0)
	s = session(t, two.ask("POST", "/v1/replays/"+s.ID+"/watch", "ben"))
	if want := strings.Replace(two.url, "http", "ws", 1); !strings.HasPrefix(s.URL, want) || len(s.Marks) == 0 {
		t.Errorf("ben asked %s and is sent to %s with %d marks", two.url, s.URL, len(s.Marks))
	}
	there := look(t, s)
	there.at(0)
	got := session(t, two.control(s.ID, `{"tick":123,"speed":2}`, "boss", "admin"))
	if got.Speed != 2 || got.Target != 123 {
		t.Errorf("it stands as %+v", got)
	}
	here.at(123)
	there.at(123)
	for id, ship := range here.State().Ships.All() {
		other := there.State().Ships.Get(id)
		if other == nil || other.X != ship.X || other.Y != ship.Y || other.Name != ship.Name {
			t.Errorf("a ship is %+v here and %+v there", ship, other)
		}
	}
	wantProblem(t, two.control(s.ID, `{"tick":1}`, "ben"), http.StatusForbidden)
	one.end()
	var err error
	for err == nil {
		_, err = there.Next(soon(t))
	}
	until(t, "it is gone with its server", func() bool { return two.ask("GET", "/v1/replays/"+s.ID, "ben").status == http.StatusNotFound })
}

func TestReplayPlayPrintsAPageThatShowsAndControlsIt(t *testing.T) {
	r := serve(t, withArena)
	status, out, errs := replayCommand(t, arena.Game, "play", replayOfArena(t), "--url", r.url, "--as", "everything")
	page := regexp.MustCompile(`(?m)^  ` + regexp.QuoteMeta(r.url) + `/watch\?session=(replay-[a-z0-9-]+)#key=([a-z0-9]+)$`).FindStringSubmatch(out)
	if status != 0 || page == nil || errs != "" {
		t.Fatalf("exit status %d: %s%s", status, out, errs)
	}
	session(t, r.control(page[1], `{"tick":9,"key":"`+page[2]+`"}`, "whoever"))
	o := look(t, session(t, r.ask("POST", "/v1/replays/"+page[1]+"/watch", "whoever")))
	o.at(9)
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.muster")
	must(t, os.WriteFile(bad, []byte("nothing\x1b[31m"), 0o600))
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"play", bad, "--url", r.url}, "no recording"},
		{[]string{"play", filepath.Join(dir, "none"), "--url", r.url}, "no such file"},
		{[]string{"play", replayOfArena(t), "--url", "ftp://x"}, "want http"},
		{[]string{"play", replayOfArena(t), "--url", "http://127.0.0.1:1"}, "is a server running there?"},
		{[]string{"play", replayOfArena(t), "--url", r.url, "--as", "god"}, "422"},
	} {
		status, out, errs := replayCommand(t, arena.Game, c.args...)
		if status == 0 || !strings.Contains(errs, c.says) && c.says != "422" || strings.ContainsRune(errs, 0x1b) {
			t.Errorf("%v: exit status %d: %s%s", c.args, status, out, errs)
		}
	}
	keyed := serve(t, withArena, "--key-file", ownKey(t))
	if status, _, errs := replayCommand(t, arena.Game, "play", replayOfArena(t), "--url", keyed.url); status == 0 || !strings.Contains(errs, "--token") {
		t.Errorf("without a token: exit status %d: %s", status, errs)
	}
}

// What a replay's rules did to the process is said to who opens another one, and that another server may show it.
func TestWhatCannotBeShownNowIsRefusedWithWhenToAskAgain(t *testing.T) {
	for err, want := range map[error]int{
		playback.ErrStalled: http.StatusServiceUnavailable, playback.ErrClosed: http.StatusServiceUnavailable,
		playback.ErrBusy: http.StatusTooManyRequests, playback.ErrMany: http.StatusTooManyRequests,
	} {
		var answer *lobby.ReplayError
		if got := (&playbacks{}).refusal(err); !errors.As(got, &answer) || answer.Status != want || answer.Retry == "" || answer.Detail != err.Error() {
			t.Errorf("%v: %+v", err, got)
		}
	}
}
