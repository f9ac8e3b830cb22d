package cmd

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/games/arena"
	"muster/games/canvas"
)

// The pages' types are printed from their games. If this fails run, with its name:
//
//	go run ./cmd/muster types --game NAME > web/src/NAME/types.ts
func TestThePagesTypesAreThoseOfTheirGames(t *testing.T) {
	t.Parallel()
	for _, g := range []Game{
		{Game: arena.Game},
		{Game: canvas.Game},
	} {
		name := g.Game.Name()
		want, err := os.ReadFile(filepath.Join("..", "web", "src", name, "types.ts"))
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		if code := run(context.Background(), func() {}, []string{"types", "--game", name}, []Game{g}, &out, &errs); code != 0 {
			t.Fatalf("exit status %d: %s", code, errs.String())
		}
		if out.String() != string(want) {
			t.Errorf("web/src/%s/types.ts is not what muster types prints", name)
		}
	}
}

func TestTypesAreWrittenToAFileThatHasOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "types.ts")
	var want, out, errs bytes.Buffer
	must(t, WriteTypes(&want, arena.Game))
	write := func() int {
		return run(t.Context(), func() {}, []string{"types", "--out", file}, []Game{{Game: arena.Game}}, &out, &errs)
	}
	if code := write(); code != 0 || out.Len() > 0 {
		t.Fatalf("exit status %d: %s%s", code, &out, &errs)
	}
	have, err := os.ReadFile(file)
	must(t, err)
	if !bytes.Equal(have, want.Bytes()) {
		t.Errorf("the file has:\n%s", have)
	}
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	must(t, os.Chtimes(file, old, old))
	if code := write(); code != 0 {
		t.Fatalf("exit status %d: %s", code, &errs)
	}
	if info, err := os.Stat(file); err != nil || !info.ModTime().Equal(old) {
		t.Error("a file that was right was written again")
	}
	file = filepath.Join(file, "under-a-file.ts")
	if code := write(); code != 1 || !strings.Contains(errs.String(), "--out") {
		t.Errorf("exit status %d: %s", code, &errs)
	}
}
