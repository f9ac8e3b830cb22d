package canvas

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The code of docs/uses/CANVAS.md is the game's and its page's own.
func TestTheDocumentationsCodeIsTheRepositorys(t *testing.T) {
	page, err := os.ReadFile("../../docs/uses/CANVAS.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	for _, pattern := range []string{"*.go", "../../web/src/canvas/*.ts"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file) //nolint:gosec // a source file
			if err != nil {
				t.Fatal(err)
			}
			sources.Write(b)
		}
	}
	blocks := regexp.MustCompile("(?s)```(?:go|ts)\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	for _, b := range blocks {
		if !strings.Contains(sources.String(), b[1]) {
			t.Errorf("no file has this:\n%s", b[1])
		}
	}
	if len(blocks) < 6 {
		t.Errorf("%d pieces of code", len(blocks))
	}
}
