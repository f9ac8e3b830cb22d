package readme

import (
	"regexp"
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
