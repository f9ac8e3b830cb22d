package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

//go:embed dist
var dist embed.FS

// policy lets a page load nothing but what this server serves. Sockets may lead to another node of the cluster.
const policy = "default-src 'self'; connect-src 'self' ws: wss:; style-src 'self'; script-src 'self'; " +
	"img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"

// types are the content types by extension. They are ours, not the machine's: a missing one stops the start.
var types = map[string]string{
	".html":  "text/html; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".woff2": "font/woff2",
}

// asset is one file as it is served.
type asset struct {
	kind  string // its content type
	plain form
	gzip  form // empty when it would not be smaller
}

// form is one encoding of a file. Each has its own entity tag, as they differ in bytes.
type form struct {
	body []byte
	etag string
}

// Handler returns what serves the pages: /, /arena and /assets/…. It answers GET and HEAD only, everything else is not
// found. It starts nothing and needs no closing.
//
// Names in /assets carry no hash, so that nodes of two releases behind one address can serve one page; browsers ask
// each time, and an entity tag makes the answer a short 304.
func Handler() http.Handler {
	assets, err := load(dist)
	if err != nil {
		panic(fmt.Sprintf("web: %v", err)) // it is embedded: no tested binary can come here
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(assets, w, r) })
}

// pages are those that a built tree must have.
var pages = []string{"/", "/arena"}

// load reads a built tree: its pages by their name without .html, the front page by /, its assets by their path.
func load(tree fs.FS) (map[string]asset, error) {
	assets := map[string]asset{}
	err := fs.WalkDir(tree, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		at := strings.TrimSuffix(strings.TrimPrefix(name, "dist"), ".html")
		if at == "/index" {
			at = "/"
		}
		assets[at], err = read(tree, name)
		return err
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // names the file
	}
	for _, page := range pages {
		if _, ok := assets[page]; !ok {
			return nil, fmt.Errorf("dist has no page for %s", page)
		}
	}
	return assets, nil
}

// read makes one file ready to be served.
func read(tree fs.FS, name string) (asset, error) {
	kind, ok := types[path.Ext(name)]
	if !ok {
		return asset{}, fmt.Errorf("%s has no content type", name)
	}
	body, err := fs.ReadFile(tree, name)
	if err != nil {
		return asset{}, fmt.Errorf("reading %s: %w", name, err)
	}
	return newAsset(kind, body), nil
}

func newAsset(kind string, body []byte) asset {
	a := asset{kind: kind, plain: newForm(body)}
	if packed := pack(body); len(packed) < len(body)*9/10 {
		a.gzip = newForm(packed)
	}
	return a
}

func newForm(body []byte) form {
	sum := sha256.Sum256(body)
	return form{body, `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`}
}

func pack(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	_, _ = w.Write(body)                                  // a buffer takes all
	_ = w.Close()
	return b.Bytes()
}

func serve(assets map[string]asset, w http.ResponseWriter, r *http.Request) {
	serveOr(assets, "", "", w, r)
}

// serveOr serves the files of a page and leads from one path, which is none of them, to another; to none if that is "".
func serveOr(assets map[string]asset, from, to string, w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	a, found := assets[r.URL.Path]
	switch {
	case !found && (to == "" || r.URL.Path != from):
		http.Error(w, "not found", http.StatusNotFound)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
	case !found:
		http.Redirect(w, r, (&url.URL{Path: to, RawQuery: r.URL.RawQuery}).String(), http.StatusFound)
	default:
		a.serve(w, r)
	}
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h, f := w.Header(), a.plain
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "no-cache") // keep it, but ask whether it is still good
	if a.gzip.body != nil {
		h.Set("Vary", "Accept-Encoding")
		if takesGzip(r.Header.Get("Accept-Encoding")) {
			f = a.gzip
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}

// takesGzip says whether a list of encodings has gzip and does not refuse it with a weight of zero.
func takesGzip(accept string) bool {
	for item := range strings.SplitSeq(accept, ",") {
		name, weight, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, weighted := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		return !weighted || strings.Trim(q, "0.") != ""
	}
	return false
}
