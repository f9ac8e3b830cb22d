package web

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestTheToolsOfAServerWithOtherGamesLeadToThese(t *testing.T) {
	tools := Tools([]string{"tag", "dots"})
	for _, at := range []string{"/watch", "/admin"} {
		res := askOf(t, tools, "GET", at)
		page := body(t, res.Body)
		if res.StatusCode != 200 || res.Header.Get("Content-Security-Policy") != policy {
			t.Fatalf("%s: status %d, headers %v", at, res.StatusCode, res.Header)
		}
		var links []string
		for _, m := range regexp.MustCompile(`<a [^>]*href="([^"#]+)"`).FindAllStringSubmatch(page, -1) {
			links = append(links, m[1])
		}
		if want := []string{"/", "/tag/", "/dots/", "/watch", "/admin"}; !slices.Equal(links, want) {
			t.Errorf("%s leads to %v, want %v", at, links, want)
		}
		if here := `href="` + at + `" aria-current="page"`; strings.Count(page, "aria-current") != 1 || !strings.Contains(page, here) {
			t.Errorf("%s does not say that one is there", at)
		}
		for _, m := range regexp.MustCompile(`(?:src="|<link[^>]+href=")([^"]+)"`).FindAllStringSubmatch(page, -1) {
			if res := askOf(t, tools, "GET", m[1]); res.StatusCode != 200 {
				t.Errorf("%s wants %s: status %d", at, m[1], res.StatusCode)
			}
		}
	}
	for _, at := range []string{"/", "/arena", "/cards", "/assets/arena.js"} {
		if res := askOf(t, tools, "GET", at); res.StatusCode != 404 {
			t.Errorf("%s: status %d", at, res.StatusCode)
		}
	}
}

func TestTheFrontOfAServerWithOtherGamesLeadsToTheTools(t *testing.T) {
	page := body(t, askOf(t, Front([]string{"tag"}), "GET", "/").Body)
	for _, way := range []string{`href="/tag/"`, `href="/watch"`, `href="/admin"`, `href="/docs/"`} {
		if !strings.Contains(page, way) {
			t.Errorf("it has no %s", way)
		}
	}
}
