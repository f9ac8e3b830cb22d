package cmd

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"muster/internal/tstypes"
	"muster/match"
)

// typesCmd prints a game's types for TypeScript clients.
type typesCmd struct {
	Game string `help:"The game. Default: the first one." placeholder:"NAME"`
	Out  string `help:"Write them to this file, where it has others. Default: standard output." placeholder:"FILE"`
}

// Help implements kong's HelpProvider.
func (typesCmd) Help() string {
	return `The types are of the rows of its state, of its input and of its events, for the client library's Match<State, Input>.

Example:

  muster types --game arena > src/arena.ts

A game of your own writes them into its page by go generate, and holds the page to them in a test by cmd.WriteTypes:

  //go:generate go run . types --out page/src/types.ts`
}

// Run implements the command.
func (c *typesCmd) Run(p *program) error {
	games := withDashboard(p.games, nil)
	for _, g := range games {
		if c.Game == "" || g.Name() == c.Game {
			return c.print(p.stdout, g.Game)
		}
	}
	return noGame(fmt.Sprintf("--game %q", c.Game), games)
}

// noGame is the error of a flag that names a game which is none of these.
func noGame(flag string, games []Game) error {
	names := make([]string, len(games))
	for i, g := range games {
		names[i] = g.Name()
	}
	return fmt.Errorf("%s: there is no such game, only %s", flag, strings.Join(names, ", "))
}

// print writes the types to where they are wanted. A file that has them already is left alone.
func (c *typesCmd) print(stdout io.Writer, g match.Game) error {
	if c.Out == "" {
		return WriteTypes(stdout, g)
	}
	var text bytes.Buffer
	if err := WriteTypes(&text, g); err != nil {
		return err
	}
	if have, err := os.ReadFile(c.Out); err == nil && bytes.Equal(have, text.Bytes()) {
		return nil
	}
	if err := os.WriteFile(c.Out, text.Bytes(), 0o644); err != nil { //nolint:gosec // a source, for everybody
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

// WriteTypes writes what the command types prints of a game, so that a test can hold a page's types to the game's.
func WriteTypes(w io.Writer, g match.Game) error {
	if err := g.Err(); err != nil {
		return err
	}
	return tstypes.Print(w, g.Name(), g.Rules().Version, g.Schema()) //nolint:wrapcheck // says what it did
}
