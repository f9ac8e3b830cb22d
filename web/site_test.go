package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func files(list map[string]string) fstest.MapFS {
	tree := fstest.MapFS{}
	for name, text := range list {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree
}

func askOf(t *testing.T, h http.Handler, method, target string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, http.NoBody))
	return w.Result()
}

func TestAGamesPageIsServedUnderItsName(t *testing.T) {
	for root, tree := range map[string]fs.FS{
		"its root": files(map[string]string{"index.html": "<!doctype html>", "page.js": "1", "img/a.svg": "<svg/>"}),
		"embedded": files(map[string]string{"page/dist/index.html": "<!doctype html>", "page/dist/page.js": "1", "page/dist/img/a.svg": "<svg/>"}),
	} {
		site, err := Site("tag", tree)
		if err != nil {
			t.Fatal(err)
		}
		for target, want := range map[string]struct{ kind, text string }{
			"/tag/":          {"text/html; charset=utf-8", "<!doctype html>"},
			"/tag/?room=x":   {"text/html; charset=utf-8", "<!doctype html>"},
			"/tag/page.js":   {"text/javascript; charset=utf-8", "1"},
			"/tag/img/a.svg": {"image/svg+xml", "<svg/>"},
		} {
			res := askOf(t, site, "GET", target)
			if got := body(t, res.Body); res.StatusCode != 200 || got != want.text || res.Header.Get("Content-Type") != want.kind {
				t.Errorf("%s: %s: status %d, %q as %s", root, target, res.StatusCode, got, res.Header.Get("Content-Type"))
			}
			if res.Header.Get("Content-Security-Policy") != policy || res.Header.Get("Cross-Origin-Opener-Policy") != "same-origin" || res.Header.Get("ETag") == "" {
				t.Errorf("%s: %s: headers %v", root, target, res.Header)
			}
		}
		for target, want := range map[string]string{"/tag": "/tag/", "/tag?code=AB&x=1": "/tag/?code=AB&x=1"} {
			if res := askOf(t, site, "GET", target); res.StatusCode != http.StatusFound || res.Header.Get("Location") != want {
				t.Errorf("%s: %s: status %d to %q", root, target, res.StatusCode, res.Header.Get("Location"))
			}
		}
		for _, target := range []string{"/tag/index.html", "/tag/img", "/tag/img/", "/tag/other.js", "/tag/../tag/page.js", "/"} {
			if res := askOf(t, site, "GET", target); res.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %s: status %d", root, target, res.StatusCode)
			}
		}
		if res := askOf(t, site, "POST", "/tag/"); res.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: POST: status %d", root, res.StatusCode)
		}
	}
}

func TestAPageThatCannotBeServedIsAnErrorWithTheGamesName(t *testing.T) {
	for name, c := range map[string]struct {
		tree fs.FS
		want string
	}{
		"nothing":         {files(nil), "no index.html"},
		"no page":         {files(map[string]string{"page.js": "1"}), "no index.html"},
		"two directories": {files(map[string]string{"a/index.html": "", "b/index.html": ""}), "no index.html"},
		"an unknown kind": {files(map[string]string{"index.html": "", "a.exe": ""}), "a.exe has no content type"},
	} {
		if _, err := Site("tag", c.tree); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "tag") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheFrontPageListsTheGames(t *testing.T) {
	front := Front([]string{"tag", "race-2"})
	res := askOf(t, front, "GET", "/")
	page := body(t, res.Body)
	for _, want := range []string{`href="/tag/"`, `href="/race-2/"`, `href="/front.css"`} {
		if !strings.Contains(page, want) {
			t.Errorf("it has no %s", want)
		}
	}
	if res.Header.Get("Content-Security-Policy") != policy {
		t.Error("it has no policy")
	}
	if res := askOf(t, front, "GET", "/front.css"); res.StatusCode != 200 {
		t.Errorf("its style: status %d", res.StatusCode)
	}
	for _, target := range []string{"/arena", "/assets/arena.js", "/favicon.ico"} {
		if res := askOf(t, front, "GET", target); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", target, res.StatusCode)
		}
	}
	if page := body(t, askOf(t, Front(nil), "GET", "/").Body); !strings.Contains(page, "no page") {
		t.Error("without a game it does not say so")
	}
}
