package readme

import (
	"regexp"
	"strings"
	"testing"
)

var (
	codeBlock = regexp.MustCompile("(?s)```(?:go|ts)\n(.*?)```")
	fileLine  = regexp.MustCompile(`^// ((?:games|web)/\S+)$`)
)

// Each block names files; what follows, up to the next name or an ellipsis, stands so in the file.
func TestCodeOfTheCardGamesPageIsTheGames(t *testing.T) {
	parts := 0
	for _, block := range codeBlock.FindAllStringSubmatch(read(t, "docs/uses/CARDS.md"), -1) {
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
	if parts < 10 {
		t.Errorf("found %d parts of code, which cannot be all", parts)
	}
}
