package readme

import (
	"regexp"
	"strings"
	"testing"
)

var (
	codeBlock = regexp.MustCompile("(?s)```(?:go|ts)\n(.*?)```")
	fileLine  = regexp.MustCompile(`^// ((?:cmd|games|lobby|web)/\S+)$`)
)

// Each block names files; what follows, up to the next name or an ellipsis, stands so in the file.
func TestCodeOfTheCardGamesPageIsTheGames(t *testing.T) {
	if parts := partsOfFiles(t, "docs/uses/CARDS.md"); parts < 10 {
		t.Errorf("found %d parts of code, which cannot be all", parts)
	}
}

func TestCodeOfTheDashboardsPageIsTheDashboards(t *testing.T) {
	if parts := partsOfFiles(t, "docs/uses/DASHBOARD.md"); parts < 10 {
		t.Errorf("found %d parts of code, which cannot be all", parts)
	}
}

// Of this page there are programs besides, which are built and run, and a line for a page.
func TestCodeOfTheServerAPIsPageIsTheScores(t *testing.T) {
	text := codeBlock.ReplaceAllStringFunc(read(t, "docs/uses/SERVER_API.md"), func(block string) string {
		if _, code, _ := strings.Cut(block, "\n"); !strings.HasPrefix(code, "// games/") {
			return ""
		}
		return block
	})
	if parts := partsOf(t, text); parts != 4 {
		t.Errorf("found %d parts of code", parts)
	}
}

// partsOfFiles checks the code of a document and returns how many parts it has.
func partsOfFiles(t *testing.T, document string) (parts int) {
	t.Helper()
	return partsOf(t, read(t, document))
}

func partsOf(t *testing.T, document string) (parts int) {
	t.Helper()
	for _, block := range codeBlock.FindAllStringSubmatch(document, -1) {
		name, text, part := "", "", []string{}
		check := func() {
			if want := strings.Join(part, "\n"); want != "" {
				parts++
				if name == "" || !strings.Contains(text, want) {
					t.Errorf("%q does not have:\n%s", name, want)
				}
			}
			part = nil
		}
		for line := range strings.Lines(block[1]) {
			line = strings.TrimSuffix(line, "\n")
			switch m := fileLine.FindStringSubmatch(line); {
			case m != nil:
				check()
				name, text = m[1], read(t, m[1])
			case line == "…":
				check()
			default:
				part = append(part, line)
			}
		}
		check()
	}
	return parts
}
