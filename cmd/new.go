package cmd

import (
	"fmt"
	"os/exec"
	"path/filepath"

	"muster/internal/scaffold"
)

// newCmd makes the directory of a new game.
type newCmd struct {
	Name   string `arg:"" help:"The game's name: a lower-case letter, then letters and digits."`
	Dir    string `help:"The directory to make. Default: NAME, in the working directory." placeholder:"DIR"`
	Muster string `help:"The directory of Muster's sources, which the game is built with. Default: where this command runs or was built." placeholder:"DIR"`
}

// Help implements kong's HelpProvider.
func (newCmd) Help() string {
	return `It makes rules in Go, a page in TypeScript that predicts them, tests, and what builds them: a small game that runs at once.

Example, in Muster's directory, for a game beside it:

  muster new tag --dir ../tag
  cd ../tag
  go run .`
}

// Run implements the command.
func (c *newCmd) Run(p *program) error {
	dir, muster := c.Dir, c.Muster
	if dir == "" {
		dir = c.Name
	}
	if err := scaffold.CheckName(c.Name); err != nil {
		return err //nolint:wrapcheck // says it all
	}
	if muster == "" {
		var err error
		if muster, err = scaffold.FindMuster(); err != nil {
			return err //nolint:wrapcheck // says what it did
		}
	}
	if err := scaffold.Write(scaffold.Options{Name: c.Name, Dir: dir, Muster: muster}); err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	build := exec.CommandContext(p.ctx, "go", "run", "./page/bundle")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("the game is in %s, but its page could not be built, so try go generate ./... there: %w\n%s", dir, err, out)
	}
	fmt.Fprintf(p.stdout, `%s is a game now. To play it:

  cd %s
  go run .

Then open http://127.0.0.1:8080/%s/ in two windows. Its README.md says what to change first.
`, filepath.Clean(dir), dir, c.Name)
	return nil
}
