package cmd

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"muster/games/arena"
	"muster/match"
	"muster/netcode"
)

type dotsWorld struct {
	Dots netcode.Table[struct{ Owner netcode.Seat }] `net:"max=4"`
}
type (
	dotsInput struct{ Go bool }
	dotsRules struct{}
)

func (dotsRules) Step(*netcode.Step[dotsWorld, dotsInput]) {}

func dots(name string) Game {
	return Game{
		Game: match.Define[dotsWorld, dotsInput](name, dotsRules{}, match.Rules{}),
		Page: fstest.MapFS{"dist/index.html": {Data: []byte("the page of " + name)}, "dist/page.js": {Data: []byte("1")}},
	}
}

func TestGamesServeTheirOwnPagesWithAListInFront(t *testing.T) {
	r := serve(t, []Game{dots("dots"), dots("more-dots")})
	for path, want := range map[string]string{
		"/dots/": "the page of dots", "/more-dots/": "the page of more-dots", "/dots/page.js": "1", "/": `<a href="/more-dots/">`,
		"/watch": `<a href="/dots/">dots</a>`, "/assets/watch.js": "replays", "/assets/watch.css": ".transport", // where replay play leads
		"/admin": "Dashboard", "/assets/admin.js": "dashboard", "/assets/admin.css": "--first", "/assets/first.js": "theme", // of whoever runs it
	} {
		if a := r.ask("GET", path, ""); a.status != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for _, path := range []string{"/arena", "/assets/arena.js", "/dots/index.html"} {
		if a := r.ask("GET", path, ""); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if out := r.stdout.String(); !strings.Contains(out, "  play     "+r.url+"/dots/\n") || !strings.Contains(out, "  watch    "+r.url+"/watch\n") {
		t.Errorf("it does not say where to play and to watch:\n%s", out)
	}
}

func TestTheArenasPagesStandBesideThoseOfOtherGames(t *testing.T) {
	r := serve(t, []Game{{Game: arena.Game, Bot: arena.Bot}, dots("dots")})
	for _, path := range []string{"/arena", "/assets/arena.js", "/dots/"} {
		if a := r.ask("GET", path, ""); a.status != http.StatusOK {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

func TestAPageThatCannotBeServedStopsTheStart(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", "")
	unbuilt := dots("dots")
	unbuilt.Page = fstest.MapFS{}
	for want, g := range map[string]Game{
		`"docs": its place is taken by`: dots("docs"), `"watch": its place is taken by`: dots("watch"), `"v1": its place is taken by`: dots("v1"), `"livez": its place`: dots("livez"),
		"the page of dots: it has no index.html": unbuilt,
	} {
		var stdout, stderr output
		args := []string{"serve", "--listen", "127.0.0.1:0", "--log-level", "error"}
		if code := run(t.Context(), func() {}, args, []Game{g}, &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), want) {
			t.Errorf("status %d, %q does not say %q", code, stderr.String(), want)
		}
	}
}
