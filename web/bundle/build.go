package main

import (
	"path/filepath"

	"muster/web/pagebundle"
)

// entries are bundled, from web/src into dist.
var entries = []pagebundle.Entry{
	{From: "arena/main.ts", To: "assets/arena"},
	{From: "arena/style.css", To: "assets/arena"},
	{From: "front/main.ts", To: "assets/front"},
	{From: "front/style.css", To: "assets/front"},
	{From: "shared/first.ts", To: "assets/first"},
}

// copied are the files that go into dist as they are.
var copied = map[string]string{
	"arena/index.html": "arena.html",
	"front/index.html": "index.html",
	"shared/icon.svg":  "assets/icon.svg",
	"fonts/OFL.txt":    "assets/fonts-license.txt",
}

// build returns the files of dist by their slash-separated path in it. root is the module's directory.
func build(root string) (map[string][]byte, error) {
	return pagebundle.Build(pagebundle.Sources{
		Dir: filepath.Join(root, "web", "src"), Entries: entries, Copies: copied, Assets: "assets",
		Client: filepath.Join(root, "client", "ts"),
	})
}
