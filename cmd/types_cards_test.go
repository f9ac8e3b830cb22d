package cmd

import (
	"bytes"
	"os"
	"testing"

	"muster/games/cards"
)

// The page's types are printed from the game. If this fails run:
//
//	go run ./cmd/muster types --game cards > web/src/cards/types.ts
func TestTheCardsPagesTypesAreThoseOfTheGame(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../web/src/cards/types.ts")
	must(t, err)
	var out bytes.Buffer
	must(t, WriteTypes(&out, cards.Game))
	if out.String() != string(want) {
		t.Error("web/src/cards/types.ts is not what muster types prints")
	}
}
