package cmd

import (
	"bytes"
	"context"
	"os"
	"testing"

	"muster/games/arena"
)

// The page's types are printed from the game. If this fails run:
//
//	go run ./cmd/muster types --game arena > web/src/arena/types.ts
func TestTheArenaPagesTypesAreThoseOfTheGame(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../web/src/arena/types.ts")
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(context.Background(), func() {}, []string{"types", "--game", "arena"}, []Game{{Game: arena.Game}}, &out, &errs); code != 0 {
		t.Fatalf("exit status %d: %s", code, errs.String())
	}
	if out.String() != string(want) {
		t.Error("web/src/arena/types.ts is not what muster types prints")
	}
}
