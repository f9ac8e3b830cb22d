package bridge

import (
	"fmt"
	"testing"
	"time"

	"muster/match"
)

func TestClientsPlayInARoomOfAnotherNode(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		game := &teller{}
		f := newField(t, 1, bankGame(game, match.Rules{}), "n0", "n1", "n2")
		defer f.close()
		var players []*player
		for seat := range uint16(9) {
			players = append(players, f.join(t.Context(), &player{room: "r", seat: seat + 1, at: fmt.Sprint("n", seat%3)}))
		}
		f.playAll(players, 20*time.Second, 100)
		if n := game.wrong.Load(); n > 0 {
			t.Errorf("%d orders were not in their turn", n)
		}
	})
}
