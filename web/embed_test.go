package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

// handler is the one that most tests ask: to pack the files takes a while.
var handler = sync.OnceValue(Handler)

// ask sends a request with headers given as pairs.
func ask(t *testing.T, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFilesAreServedWithTheirTypes(t *testing.T) {
	for target, file := range map[string]struct{ name, kind string }{
		"/":                 {"index.html", "text/html; charset=utf-8"},
		"/?from=x":          {"index.html", "text/html; charset=utf-8"},
		"/arena":            {"arena.html", "text/html; charset=utf-8"},
		"/arena?room=x":     {"arena.html", "text/html; charset=utf-8"},
		"/assets/arena.js":  {"assets/arena.js", "text/javascript; charset=utf-8"},
		"/assets/arena.css": {"assets/arena.css", "text/css; charset=utf-8"},
		"/assets/front.js":  {"assets/front.js", "text/javascript; charset=utf-8"},
		"/assets/first.js":  {"assets/first.js", "text/javascript; charset=utf-8"},
		"/assets/icon.svg":  {"assets/icon.svg", "image/svg+xml"},
	} {
		res := ask(t, "GET", target)
		want, err := os.ReadFile(path.Join("dist", file.name))
		if err != nil {
			t.Fatal(err)
		}
		if got := body(t, res.Body); res.StatusCode != 200 || got != string(want) {
			t.Errorf("%s: status %d, %d bytes, want 200 and %d bytes", target, res.StatusCode, len(got), len(want))
		}
		if kind := res.Header.Get("Content-Type"); kind != file.kind {
			t.Errorf("%s: content type %q, want %q", target, kind, file.kind)
		}
	}
}

func TestTheFrontPageLeadsToTheArena(t *testing.T) {
	page := body(t, ask(t, "GET", "/").Body)
	for _, way := range []string{`href="/arena?go=players"`, `href="/arena?go=bots"`, `href="/arena?go=crowd"`, `href="/docs/"`, `href="/openapi.json"`} {
		if !strings.Contains(page, way) {
			t.Errorf("the front page has no %s", way)
		}
	}
}

func TestEverythingElseIsNotFound(t *testing.T) {
	for _, target := range []string{
		"/arena/", "/arena.html", "/ARENA", "/assets", "/assets/", "/assets/arena", "/assets/../arena", "/dist/arena.html",
		"/assets/%2e%2e/arena", "/v1/guests", "//arena", "/index.html", "/index", "/front", "/favicon.ico", "/embed.go",
	} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			if res := ask(t, method, target); res.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s: status %d", method, target, res.StatusCode)
			}
		}
	}
}

func TestOnlyGetAndHead(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		for _, target := range []string{"/", "/arena", "/assets/arena.js"} {
			res := ask(t, method, target)
			if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: status %d, allow %q", method, target, res.StatusCode, res.Header.Get("Allow"))
			}
		}
	}
	res := ask(t, "HEAD", "/arena")
	if got := body(t, res.Body); res.StatusCode != 200 || got != "" || res.ContentLength <= 0 {
		t.Errorf("HEAD: status %d, length %d, %d bytes", res.StatusCode, res.ContentLength, len(got))
	}
}

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	want := map[string]string{
		"Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; style-src 'self'; script-src 'self'; " +
			"img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
		"X-Content-Type-Options":     "nosniff",
		"Referrer-Policy":            "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin",
	}
	for _, request := range [][2]string{
		{"GET", "/"}, {"GET", "/arena"}, {"HEAD", "/arena"}, {"GET", "/assets/arena.js"}, {"GET", "/nothing"}, {"POST", "/arena"},
	} {
		res := ask(t, request[0], request[1])
		for name, value := range want {
			if got := res.Header.Get(name); got != value {
				t.Errorf("%s %s: %s is %q", request[0], request[1], name, got)
			}
		}
		if len(res.Cookies()) > 0 {
			t.Errorf("%s %s: sets a cookie", request[0], request[1])
		}
	}
}

func TestBrowsersKeepFilesAndAskWhetherTheyAreStillGood(t *testing.T) {
	for _, target := range []string{"/", "/arena", "/assets/arena.js", "/assets/arena.css"} {
		for _, accept := range []string{"identity", "gzip"} {
			first := ask(t, "GET", target, "Accept-Encoding", accept)
			tag := first.Header.Get("ETag")
			if !regexp.MustCompile(`^"[\w-]{20}"$`).MatchString(tag) || first.Header.Get("Cache-Control") != "no-cache" {
				t.Fatalf("%s: tag %s, cache control %q", target, tag, first.Header.Get("Cache-Control"))
			}
			again := ask(t, "GET", target, "Accept-Encoding", accept, "If-None-Match", tag)
			if got := body(t, again.Body); again.StatusCode != http.StatusNotModified || got != "" {
				t.Errorf("%s: status %d with %d bytes for its own tag", target, again.StatusCode, len(got))
			}
			if other := ask(t, "GET", target, "Accept-Encoding", accept, "If-None-Match", `"other"`); other.StatusCode != 200 {
				t.Errorf("%s: status %d for another tag", target, other.StatusCode)
			}
		}
	}
}

func TestFilesArePackedForWhoTakesIt(t *testing.T) {
	for accept, packed := range map[string]bool{
		"gzip": true, "gzip, deflate, br, zstd": true, "br;q=1, GZIP ; q=0.5": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.00": false, "xgzip": false,
	} {
		res := ask(t, "GET", "/arena", "Accept-Encoding", accept)
		if got := res.Header.Get("Content-Encoding") == "gzip"; got != packed {
			t.Errorf("%q: packed %v", accept, got)
		}
		if res.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: does not say that it varies", accept)
		}
	}
	res := ask(t, "GET", "/arena", "Accept-Encoding", "gzip")
	unpacked, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	plain := ask(t, "GET", "/arena")
	if body(t, unpacked) != body(t, plain.Body) {
		t.Error("the packed page is another one")
	}
	if res.Header.Get("ETag") == plain.Header.Get("ETag") {
		t.Error("two encodings have one tag")
	}
}

// The policy forbids scripts, styles and handlers in the page itself; a browser would drop them without a word.
func TestPagesHaveNothingInline(t *testing.T) {
	for _, target := range pages {
		page := body(t, ask(t, "GET", target).Body)
		if m := regexp.MustCompile(`(?i)<style|\sstyle=|\son\w+=|javascript:|<script(>|\s[^>]*>[^<])`).FindString(page); m != "" {
			t.Errorf("%s has %q", target, m)
		}
		for _, m := range regexp.MustCompile(`(?:src="|<link[^>]+href=")([^"]+)"`).FindAllStringSubmatch(page, -1) {
			if res := ask(t, "GET", m[1]); !strings.HasPrefix(m[1], "/assets/") || res.StatusCode != 200 {
				t.Errorf("%s wants %s: status %d", target, m[1], res.StatusCode)
			}
		}
	}
	for _, name := range []string{"/assets/arena.css", "/assets/front.css"} {
		sheet := body(t, ask(t, "GET", name).Body)
		for _, m := range regexp.MustCompile(`url\("?([^")]+)"?\)`).FindAllStringSubmatch(sheet, -1) {
			if strings.HasPrefix(m[1], "data:image/") {
				continue
			}
			if res := ask(t, "GET", path.Join("/assets", m[1])); res.StatusCode != 200 {
				t.Errorf("%s wants %s: status %d", name, m[1], res.StatusCode)
			}
		}
	}
}

// Links within a page lead to the pages here, or to what the server has besides.
func TestLinksLeadSomewhere(t *testing.T) {
	elsewhere := map[string]bool{"/docs/": true, "/openapi.json": true}
	for _, target := range pages {
		page := body(t, ask(t, "GET", target).Body)
		for _, m := range regexp.MustCompile(`<a [^>]*href="([^"#]+)"`).FindAllStringSubmatch(page, -1) {
			if elsewhere[m[1]] {
				continue
			}
			if res := ask(t, "GET", strings.ReplaceAll(m[1], "&amp;", "&")); res.StatusCode != 200 {
				t.Errorf("%s leads to %s: status %d", target, m[1], res.StatusCode)
			}
		}
	}
}

func TestLoadRefusesWhatItCannotServe(t *testing.T) {
	page := &fstest.MapFile{Data: []byte("<!doctype html>")}
	for name, tree := range map[string]fstest.MapFS{
		"an unknown type":   {"dist/arena.html": page, "dist/index.html": page, "dist/assets/a.exe": page},
		"no front page":     {"dist/arena.html": page},
		"no arena":          {"dist/index.html": page},
		"no page":           {"dist/assets/a.js": page},
		"no dist":           {},
		"the page deep":     {"dist/assets/arena.html": page},
		"the page's backup": {"dist/arena.html": page, "dist/index.html": page, "dist/arena.html~": page},
	} {
		if _, err := load(tree); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	assets, err := load(fstest.MapFS{"dist/arena.html": page, "dist/index.html": page})
	if err != nil || len(assets) != 2 || assets["/arena"].gzip.body != nil {
		t.Errorf("a small page: %v, %v", assets, err)
	}
}
