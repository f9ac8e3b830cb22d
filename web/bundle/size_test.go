package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"muster/web/pagebundle"
)

// mostBytes is what @muster/client may have at most, minified and gzipped, with all that it depends on.
const mostBytes = 20 << 10

func TestTheClientIsSmall(t *testing.T) {
	whole, packed := size(t, `export * from "@muster/client"`)
	t.Logf("@muster/client has %d bytes minified, %d of them gzipped; %d are allowed", whole, packed, mostBytes)
	if packed > mostBytes {
		t.Errorf("@muster/client has %d bytes minified and gzipped, at most %d are allowed", packed, mostBytes)
	}
	// A page that takes a part gets that part: nothing runs when a module is loaded.
	if _, part := size(t, `export { codeName } from "@muster/client"`); part > 1<<10 {
		t.Errorf("codeName alone brings %d bytes", part)
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
