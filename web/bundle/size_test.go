package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"muster/web/pagebundle"
)

// What may be had for how many bytes, minified and gzipped, with all that it depends on: playing a match, and that with
// the whole lobby.
const (
	mostMatch  = 20 << 10
	mostClient = 25 << 10
)

func TestTheClientIsSmall(t *testing.T) {
	for _, part := range []struct {
		source string
		most   int
	}{
		{`export { Match } from "@muster/client"`, mostMatch},
		{`export * from "@muster/client"`, mostClient},
		// A page that takes a part gets that part: nothing runs when a module is loaded.
		{`export { codeName } from "@muster/client"`, 1 << 10},
	} {
		whole, packed := size(t, part.source)
		t.Logf("%s: %d bytes minified, %d gzipped; %d are allowed", part.source, whole, packed, part.most)
		if packed > part.most {
			t.Errorf("%s: %d bytes minified and gzipped, at most %d are allowed", part.source, packed, part.most)
		}
	}
}

// size says how many bytes a module has with what it imports, minified and gzipped.
func size(t *testing.T, source string) (whole, packed int) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "all.ts"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := pagebundle.Build(pagebundle.Sources{
		Dir: dir, Entries: []pagebundle.Entry{{From: "all.ts", To: "all"}}, Client: filepath.Join(root, "client", "ts"),
	})
	if err != nil {
		t.Fatal(err)
	}
	module := files["all.js"]
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(module); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return len(module), zipped.Len()
}
