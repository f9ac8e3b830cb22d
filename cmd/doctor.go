package cmd

import (
	"errors"
	"fmt"
	"time"

	"muster/internal/doctor"
)

// doctorCmd looks for keys in Redis that nobody owns.
type doctorCmd struct {
	Redis     string        `help:"URL of the Redis server, as for serve." placeholder:"URL" env:"MUSTER_REDIS"`
	Access    redisAccess   `embed:""`
	Namespace string        `help:"Prefix of the deployment's keys, as for serve." default:"muster" env:"MUSTER_NAMESPACE"`
	Grace     time.Duration `help:"How long a key must have had no owner. What has none is looked at again after this time." default:"2m"`
	JSON      bool          `name:"json" help:"Print one JSON object instead of text."`
}

// Help implements kong's HelpProvider.
func (doctorCmd) Help() string {
	return `It walks all keys of the namespace, on every master of a cluster, and changes nothing. It asks Redis one page of keys after
the other and pauses after each for as long as that took. Of what has no owner at that moment much has one in a moment: so
it waits for --grace and looks at that again. What shows its age, or can never become right, needs no second look.

It lists rooms whose node is gone, what is left of rooms, tickets, matches and parties that are gone, match attempts and
results that nobody carries on, keys that never end and should, and keys that are not of this release.

The exit status is 0 when there is nothing, 1 when there is something, and 2 when it could not look.

Examples:

  muster doctor --redis redis://127.0.0.1:6379
  muster doctor --redis redis://127.0.0.1:6379 --grace 0s --json | jq '.findings[] | {pattern, reason, count}'`
}

// Run implements the command.
func (c *doctorCmd) Run(p *program) error {
	report, err := c.look(p)
	if report != nil {
		write := report.WriteText
		if c.JSON {
			write = report.WriteJSON
		}
		err = errors.Join(err, write(p.stdout))
	}
	switch {
	case err != nil:
		return &statusError{status: 2, err: err}
	case !report.Clean():
		return &statusError{status: 1}
	}
	return nil
}

func (c *doctorCmd) look(p *program) (*doctor.Report, error) {
	switch {
	case c.Redis == "":
		return nil, errors.New("--redis is not given: the Redis that a server embeds is its own, and nobody else can look at it")
	case !namespace.MatchString(c.Namespace):
		return nil, fmt.Errorf("--namespace %q: want up to 31 of a-z, 0-9, _ and -", c.Namespace)
	case c.Grace < 0:
		return nil, fmt.Errorf("--grace %v: want 0s or more", c.Grace)
	}
	rdb, err := c.Access.of(c.Redis).Connect(p.ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	defer func() { _ = rdb.Close() }()       // it was only read
	return doctor.Look(p.ctx, doctor.Config{ //nolint:wrapcheck // says what it did
		Redis: rdb, Namespace: c.Namespace, Grace: c.Grace,
		Again: func(suspects int, wait time.Duration) {
			if wait > 0 {
				fmt.Fprintf(p.stderr, "%d have no owner at the moment: looking again in %v\n", suspects, wait)
			}
		},
	})
}
