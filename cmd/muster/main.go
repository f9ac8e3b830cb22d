// Command muster serves Muster's example games.
package main

import (
	"muster/cmd"
	"muster/games/arena"
	"muster/games/canvas"
	"muster/games/cards"
)

func main() {
	cmd.Main(
		cmd.Game{Game: arena.Game, Bot: arena.Bot},
		cmd.Game{Game: arena.CrowdGame, Bot: arena.CrowdBot},
		cmd.Game{Game: cards.Game, Bot: cards.Bot},
		cmd.Game{Game: canvas.Game, Bot: canvas.Bot},
	)
}
