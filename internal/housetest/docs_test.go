package housetest

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// metric is a metric's name, in a text or alone.
var metric = regexp.MustCompile(`\bmuster_[a-z0-9_]*[a-z0-9]\b`)

// metrics are the names in a house's literals.
func metrics(h house) map[string]bool {
	there := map[string]bool{}
	for _, f := range h {
		if f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text := strings.Trim(lit.Value, "\"`"); metric.FindString(text) == text {
					there[text] = true
				}
			}
			return true
		})
	}
	return there
}

// unknown returns the metrics that a text names and that are not there. What a histogram makes of its name is.
func unknown(text string, there map[string]bool) (list []string) {
	for _, name := range metric.FindAllString(text, -1) {
		base := name
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			base = strings.TrimSuffix(base, suffix)
		}
		if !there[name] && !there[base] {
			list = append(list, name)
		}
	}
	return list
}

// What operators alert on must not be gone in silence.
func TestMetricsThatTheDocsNameAreThere(t *testing.T) {
	there := metrics(theHouse(t))
	if len(there) < 100 {
		t.Fatalf("%d metrics were found", len(there))
	}
	named := 0
	for _, pattern := range []string{"README.md", "docs/*.md", "docs/uses/*.md", "proto/*.md"} {
		files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			named += len(metric.FindAll(text, -1))
			for _, name := range unknown(string(text), there) {
				t.Errorf("%s names %s, which no server has", file, name)
			}
		}
	}
	if named < 50 {
		t.Errorf("the docs name %d metrics", named)
	}
}

func TestCheckerFindsMetricsThatAreNotThere(t *testing.T) {
	there := map[string]bool{"muster_rooms": true, "muster_tick_seconds": true}
	got := unknown("`muster_rooms`, muster_tick_seconds_count{le=\"1\"}, rate(muster_gone_total[5m]) and muster_rooms_count", there)
	if want := []string{"muster_gone_total"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
