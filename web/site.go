package web

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
)

// Site returns what serves the page of one game at /name/, with the headers and the compression of the pages of this
// package: index.html there, the page's other files below it, and a redirect from /name. The page may load nothing but
// what the server serves, and has no script or style in the HTML itself.
//
// index.html lies in the root of page, or in the only directory there is, as a go:embed of a directory has it. A file of a
// kind that pages of this package have not is an error.
func Site(name string, page fs.FS) (http.Handler, error) {
	root, err := rootOf(page)
	if err != nil {
		return nil, fmt.Errorf("the page of %s: %w", name, err)
	}
	assets, at := map[string]asset{}, "/"+name+"/"
	err = fs.WalkDir(page, root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		target := at + file
		if root != "." {
			target = at + file[len(root)+1:]
		}
		if target == at+"index.html" {
			target = at
		}
		assets[target], err = read(page, file)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the page of %s: %w", name, err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serveOr(assets, "/"+name, at, w, r) }), nil
}

// rootOf returns the directory of index.html.
func rootOf(page fs.FS) (string, error) {
	for dir := "."; ; {
		entries, err := fs.ReadDir(page, dir)
		if err != nil {
			return "", fmt.Errorf("reading it: %w", err)
		}
		for _, e := range entries {
			if e.Name() == "index.html" {
				return dir, nil
			}
		}
		if len(entries) != 1 || !entries[0].IsDir() {
			return "", errors.New("it has no index.html: is it built?")
		}
		dir = path.Join(dir, entries[0].Name())
	}
}

//go:embed front.html
var frontPage string

//go:embed front.css
var frontStyle []byte

// Front returns what serves the front page of a server with games of its own: a list of those that have a [Site]. It is
// for all paths that nothing else serves; they are not found.
func Front(games []string) http.Handler {
	var page bytes.Buffer
	if err := template.Must(template.New("front").Parse(frontPage)).Execute(&page, games); err != nil {
		panic(fmt.Sprintf("web: %v", err)) // it is embedded, and its data are strings
	}
	assets := map[string]asset{
		"/":          newAsset(types[".html"], page.Bytes()),
		"/front.css": newAsset(types[".css"], frontStyle),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serveOr(assets, "", "", w, r) })
}
