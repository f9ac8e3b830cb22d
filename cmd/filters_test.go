package cmd

import (
	"context"
	"strings"
	"testing"

	"muster/games/arena"
	"muster/lobby/chat"
)

// quiet has no shouting, and no word that the game does not want.
func quiet(_ context.Context, m chat.Message) (text string, ok bool) {
	return strings.ToLower(m.Text), !strings.Contains(strings.ToLower(m.Text), "aimbot")
}

func TestGamesFilterSeesWhatIsWrittenInItsRoomsAlone(t *testing.T) {
	if filters([]Game{{Game: arena.Game}}) != nil {
		t.Error("no game has a filter, and messages are filtered")
	}
	f := filters([]Game{{Game: arena.Game, Filter: quiet}, {Game: arena.CrowdGame}})
	for _, c := range []struct {
		game, text, want string
		ok               bool
	}{
		{"arena", "HELLO", "hello", true}, {"arena", "Aimbot for sale", "aimbot for sale", false}, {"crowd", "HELLO", "HELLO", true}, {"", "Aimbot", "Aimbot", true},
	} {
		if text, ok := f(t.Context(), chat.Message{Game: c.game, Text: c.text}); text != c.want || ok != c.ok {
			t.Errorf("%q in %q: %q, %v", c.text, c.game, text, ok)
		}
	}
}
