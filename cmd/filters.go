package cmd

import (
	"context"

	"muster/lobby/chat"
)

// filters returns the filter of what is written in rooms, each game's own; nil where no game has one.
func filters(games []Game) func(context.Context, chat.Message) (string, bool) {
	own := map[string]func(context.Context, chat.Message) (string, bool){}
	for _, g := range games {
		if g.Filter != nil {
			own[g.Name()] = g.Filter
		}
	}
	if len(own) == 0 {
		return nil
	}
	return func(ctx context.Context, m chat.Message) (string, bool) {
		if f := own[m.Game]; f != nil { // "" is no room
			return f(ctx, m)
		}
		return m.Text, true
	}
}
