package cmd

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"muster/client"
	"muster/games/arena"
)

// withBoth is what cmd/muster serves.
var withBoth = []Game{{Game: arena.Game, Bot: arena.Bot}, {Game: arena.CrowdGame, Bot: arena.CrowdBot}}

func TestARoomIsCreatedWithBotsAndPlayed(t *testing.T) {
	r := serve(t, withBoth)
	for _, game := range []struct {
		name       string
		bots, size int
	}{{"arena", 8, arena.Size}, {"crowd", 8, arena.CrowdSize}, {"crowd", 0, arena.CrowdSize}} {
		body := fmt.Sprintf(`{"game":%q,"config":{"bots":%d}}`, game.name, game.bots)
		want := game.bots + 1
		if game.bots == 0 {
			want = 201
		}
		var made madeRoom
		r.call("POST", "/v1/rooms", "alice", body, http.StatusCreated, &made)
		c, err := client.Dial[arena.World, arena.Input](soon(t), made.Match, client.Options{Events: arena.Game.Rules().Events})
		must(t, err)
		for ships := 0; ships < want; {
			_, err := c.Next(soon(t))
			must(t, err)
			w := c.State()
			if ships = w.Ships.Len(); game.name == "crowd" { // the others are too far to be seen
				ships = w.Blips.Len()
			}
			if w.Field.V.Size != uint16(game.size) {
				t.Fatalf("%s has a field of %d", game.name, w.Field.V.Size)
			}
		}
		must(t, c.Leave(soon(t)))
	}
	r.call("POST", "/v1/rooms", "alice", `{"game":"arena","config":{"bots":16}}`, http.StatusUnprocessableEntity, nil)
}

func TestArenaAndCrowdAreQueuesOfTheirOwn(t *testing.T) {
	r := serve(t, withBoth)
	for _, queue := range []string{"arena", "crowd"} {
		c, err := client.Dial[arena.World, arena.Input](soon(t), r.match("bob", queue), client.Options{Events: arena.Game.Rules().Events})
		must(t, err)
		_, err = c.Next(soon(t))
		must(t, err)
		must(t, c.Leave(soon(t)))
	}
}

// One page plays both games, with one file of types.
func TestTheCrowdsTypesAreTheArenas(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../web/src/arena/types.ts")
	must(t, err)
	var out, errs bytes.Buffer
	if code := run(context.Background(), func() {}, []string{"types", "--game", "crowd"}, withBoth, &out, &errs); code != 0 {
		t.Fatalf("exit status %d: %s", code, errs.String())
	}
	_, is, _ := strings.Cut(out.String(), "\n")
	if _, arenas, _ := strings.Cut(string(want), "\n"); is != arenas {
		t.Errorf("they differ:\n%s", is)
	}
}
