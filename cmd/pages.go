package cmd

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"muster/web"
)

// demo is the game whose page package web has. A server with other games alone has a list of their pages as its front.
const demo = "arena"

// registerPages serves the games' pages, that of those who watch and that of operators, after all other routes, and returns
// the paths of the games'.
func registerPages(mux *http.ServeMux, games []Game) (paths []string, err error) {
	var listed []string
	for _, g := range games {
		if g.Page != nil {
			listed = append(listed, g.Name())
		}
	}
	demos := slices.ContainsFunc(games, func(g Game) bool { return g.Name() == demo && g.Page == nil })
	pages := web.Tools(listed)
	if demos {
		pages = web.Handler()
	}
	for _, path := range []string{"/admin", "/watch", "/assets/"} {
		mux.Handle(path, pages)
	}
	for _, g := range games {
		if g.Page == nil {
			continue
		}
		site, err := web.Site(g.Name(), g.Page)
		if err != nil {
			return nil, err //nolint:wrapcheck // says whose page it is
		}
		for _, path := range []string{"/" + g.Name(), "/" + g.Name() + "/"} {
			if _, taken := mux.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}}); taken != "" {
				return nil, fmt.Errorf("the page of game %q: its place is taken by %s; give the game another name", g.Name(), taken)
			}
		}
		mux.Handle("/"+g.Name(), site)
		mux.Handle("/"+g.Name()+"/", site)
		paths = append(paths, "/"+g.Name()+"/")
	}
	if demos {
		mux.Handle("/", pages)
		return append([]string{"/" + demo}, paths...), nil
	}
	mux.Handle("/", web.Front(listed))
	return paths, nil
}
