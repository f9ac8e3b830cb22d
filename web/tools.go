package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"regexp"
)

// Tools returns what serves the pages that every game has, /watch and /admin with their assets, for servers with games of
// their own. games are those that have a [Site]: the pages lead to them, and not to those of this package's games.
func Tools(games []string) http.Handler {
	built, err := load(dist)
	if err != nil {
		panic(fmt.Sprintf("web: %v", err)) // it is embedded: no tested binary can come here
	}
	assets := map[string]asset{}
	for at, a := range built {
		switch {
		case at == "/admin", at == "/watch":
			assets[at] = newAsset(a.kind, ofOthers(a.plain.body, at, games))
		case ofTools[at], path.Ext(at) == ".woff2":
			assets[at] = a
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(assets, w, r) })
}

// ofTools are the files of those pages.
var ofTools = map[string]bool{
	"/assets/admin.js": true, "/assets/admin.css": true, "/assets/watch.js": true, "/assets/watch.css": true,
	"/assets/first.js": true, "/assets/icon.svg": true, "/assets/fonts-license.txt": true,
}

var (
	siteLinks = regexp.MustCompile(`(?s)(<nav class="site"[^>]*>).*?(</nav>)`)
	demoPart  = regexp.MustCompile(`(?s) ?<span data-demo>.*?</span>`) // what speaks of this package's games

	otherLinks = template.Must(template.New("links").Parse(`
{{range .Games}}    <a href="/{{.}}/">{{.}}</a>
{{end}}    <a href="/watch"{{if eq .At "/watch"}} aria-current="page"{{end}}>Watch</a>
    <a href="/admin"{{if eq .At "/admin"}} aria-current="page"{{end}}>Dashboard</a>
  `))
)

// ofOthers makes of one of those pages that of a server with games of its own.
func ofOthers(page []byte, at string, games []string) []byte {
	var links bytes.Buffer
	if err := otherLinks.Execute(&links, map[string]any{"At": at, "Games": games}); err != nil {
		panic(fmt.Sprintf("web: %v", err)) // it is of strings, into memory
	}
	page = demoPart.ReplaceAllLiteral(page, nil)
	return siteLinks.ReplaceAllFunc(page, func(nav []byte) []byte {
		ends := siteLinks.FindSubmatch(nav)
		return bytes.Join([][]byte{ends[1], ends[2]}, links.Bytes())
	})
}
