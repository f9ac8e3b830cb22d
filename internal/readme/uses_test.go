package readme

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// quoted is a block of a document that says which file of the repository it is a part of.
var quoted = regexp.MustCompile("(?s)<!-- quoted: ([^ ]+) -->\n```[a-z]+\n(.*?)```")

func TestWhatThePageOnWatchingQuotesStandsInTheRepository(t *testing.T) {
	text := read(t, "docs/uses/WATCH.md")
	blocks := quoted.FindAllStringSubmatch(text, -1)
	if n := strings.Count(text, "\n```") / 2; len(blocks) != n || n < 4 {
		t.Errorf("%d of %d blocks say where they are from", len(blocks), n)
	}
	for _, b := range blocks {
		if !strings.Contains(read(t, b[1]), b[2]) {
			t.Errorf("%s does not have:\n%s", b[1], b[2])
		}
	}
}

func TestWhatThePageOnReplaysQuotesStandsInTheRepository(t *testing.T) {
	blocks := quoted.FindAllStringSubmatch(read(t, "docs/uses/REPLAYS.md"), -1)
	if len(blocks) < 3 {
		t.Errorf("%d blocks say where they are from", len(blocks))
	}
	for _, b := range blocks {
		if !strings.Contains(read(t, b[1]), b[2]) {
			t.Errorf("%s does not have:\n%s", b[1], b[2])
		}
	}
}

func TestEachUseHasAPageToBuildItIn15Minutes(t *testing.T) {
	files, err := filepath.Glob("../../docs/uses/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var uses []string
	for _, file := range files {
		uses = append(uses, filepath.Base(file))
	}
	want := []string{"CANVAS.md", "CARDS.md", "CHAT.md", "DASHBOARD.md", "REPLAYS.md", "SERVER_API.md", "WATCH.md"}
	if !slices.Equal(uses, want) {
		t.Errorf("the pages are %v, want %v", uses, want)
	}
	titled := regexp.MustCompile(`(?m)^##? Build this in 15 minutes`)
	for _, use := range uses {
		if text := read(t, "docs/uses/"+use); !titled.MatchString(text) || !strings.Contains(text, "```") {
			t.Errorf("%s does not say how to build it", use)
		}
	}
}

// A conflict that was not solved to its end is easy to overlook in a text: nothing compiles it.
func TestNoDocumentHasMarksOfAMerge(t *testing.T) {
	marks := regexp.MustCompile(`(?m)^(<{7} |>{7} |={7}$)`)
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "proto/*.md"} {
		files, err := filepath.Glob("../../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, _ := filepath.Rel("../..", file)
			if marks.MatchString(read(t, name)) {
				t.Errorf("%s has them", name)
			}
		}
	}
}
