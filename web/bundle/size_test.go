package main

import (
	"bytes"
	"compress/gzip"
	"path/filepath"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
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
	if _, part := size(t, `export { sin } from "@muster/client"`); part > 1<<10 {
		t.Errorf("sin alone brings %d bytes", part)
	}
}

// size says how many bytes a module that bundles the client has, minified and gzipped.
func size(t *testing.T, source string) (whole, packed int) {
	t.Helper()
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	result := api.Build(api.BuildOptions{
		Stdin:             &api.StdinOptions{Contents: source, ResolveDir: dir, Loader: api.LoaderTS},
		Alias:             aliases(dir),
		Bundle:            true,
		Format:            api.FormatESModule,
		Platform:          api.PlatformBrowser,
		Target:            api.ES2022,
		Charset:           api.CharsetUTF8,
		TsconfigRaw:       `{"compilerOptions":{"verbatimModuleSyntax":true}}`,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
	})
	if len(result.Errors) > 0 {
		t.Fatal(result.Errors)
	}
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(result.OutputFiles[0].Contents); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return len(result.OutputFiles[0].Contents), zipped.Len()
}
