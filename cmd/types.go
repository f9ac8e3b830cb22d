package cmd

import (
	"fmt"
	"strings"

	"muster/internal/tstypes"
)

// typesCmd prints a game's types for TypeScript clients.
type typesCmd struct {
	Game string `help:"The game. Default: the first one." placeholder:"NAME"`
}

// Help implements kong's HelpProvider.
func (typesCmd) Help() string {
	return `The types are of the rows of its state, of its input and of its events, for the client library's Match<State, Input>.

Example:

  muster types --game arena > src/arena.ts`
}

// Run implements the command.
func (c *typesCmd) Run(p *program) error {
	var names []string
	for _, g := range p.games {
		if c.Game == "" || g.Name() == c.Game {
			if err := g.Err(); err != nil {
				return err
			}
			return tstypes.Print(p.stdout, g.Name(), g.Rules().Version, g.Schema()) //nolint:wrapcheck // says what it did
		}
		names = append(names, g.Name())
	}
	return fmt.Errorf("--game %q: there is no such game, only %s", c.Game, strings.Join(names, ", "))
}
