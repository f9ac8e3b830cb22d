package readme

import (
	"regexp"
	"strings"
	"testing"
)

var langBlock = regexp.MustCompile("(?s)```(go|ts)\n(.*?)```")

// What these pages show of programs is a part of files that are compiled.
func TestBlocksAboutChatArePartsOfFiles(t *testing.T) {
	files := map[string]string{
		"go": read(t, "cmd/filters_test.go"),
		"ts": read(t, "client/ts/examples/chat.ts") + read(t, "web/src/shared/chatpanel.ts"),
	}
	for page, least := range map[string]int{"docs/uses/CHAT.md": 5, "docs/SOCIAL.md": 1} {
		blocks := langBlock.FindAllStringSubmatch(read(t, page), -1)
		if len(blocks) < least {
			t.Errorf("%s shows %d pieces of code, want %d", page, len(blocks), least)
		}
		for _, b := range blocks {
			if !strings.Contains(files[b[1]], strings.TrimSpace(b[2])) {
				t.Errorf("%s shows what is in no file:\n%s", page, b[2])
			}
		}
	}
}
