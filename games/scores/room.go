package scores

import (
	"errors"

	"muster/match"
	"muster/proto"
)

// Scores is the game.
type Scores struct{}

// Game is the board as servers run it. Its rooms have names, and a journal: a report that was answered is never lost.
var Game = match.Define[Board, Report]("scores", Scores{}, match.Rules{
	Version: "1", TickRate: 10, Seats: 64, Inputs: proto.Commands, Persist: true, Durability: match.Journal, Events: []any{News{}},
})

// Check refuses what players send.
func (Scores) Check(match.Player, *Report) error { return errors.New("the feed keeps the score") }

// Feed gets what a backend sends. What it refuses is the backend's answer.
func (Scores) Feed(r *match.Room[Board], in Report) error { return r.State().take(in) }

var (
	_ match.Checker[Report]       = Scores{}
	_ match.Feeder[Board, Report] = Scores{}
)
