package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"muster/web/pagebundle"
)

// entries are bundled, from web/src into dist, beside those of the pages.
var entries = []pagebundle.Entry{
	{From: "shared/first.ts", To: "assets/first"},
}

// copied are the files that go into dist as they are, beside those of the pages.
var copied = map[string]string{
	"shared/icon.svg": "assets/icon.svg",
	"fonts/OFL.txt":   "assets/fonts-license.txt",
}

// front is the page at /; every other is served under its name.
const front = "front"

// build returns the files of dist by their slash-separated path in it. root is the module's directory.
func build(root string) (map[string][]byte, error) {
	src := filepath.Join(root, "web", "src")
	entries, copied, err := pages(src)
	if err != nil {
		return nil, err
	}
	return pagebundle.Build(pagebundle.Sources{
		Dir: src, Entries: entries, Copies: copied, Assets: "assets",
		Client: filepath.Join(root, "client", "ts"),
	})
}

// pages adds to entries and copied what the directories of web/src that are pages have: index.html, main.ts and style.css.
func pages(src string) (bundled []pagebundle.Entry, plain map[string]string, err error) {
	dirs, err := filepath.Glob(filepath.Join(src, "*", "index.html"))
	if err != nil || len(dirs) == 0 {
		return nil, nil, fmt.Errorf("looking for pages in %s: there are none", src)
	}
	bundled, plain = entries, maps.Clone(copied)
	for _, file := range dirs { // in the order of their names
		name := filepath.Base(filepath.Dir(file))
		for _, part := range []string{"main.ts", "style.css"} {
			if _, err := os.Stat(filepath.Join(src, name, part)); err != nil {
				return nil, nil, fmt.Errorf("the page %s: %w", name, err)
			}
			bundled = append(bundled, pagebundle.Entry{From: name + "/" + part, To: "assets/" + name})
		}
		at := name
		if name == front {
			at = "index"
		}
		plain[name+"/index.html"] = at + ".html"
	}
	return bundled, plain, nil
}
