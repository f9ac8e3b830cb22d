package loadtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"muster/client"
)

// Command is the load test's flags, as a struct for kong. Where URL is empty its user starts a server and gives
// Execute that server's address.
type Command struct {
	URL       string        `name:"url" placeholder:"URL" help:"The lobby to load. Without it a server is started in this process."`
	Queue     string        `placeholder:"NAME" help:"The queue to wait in. Default: the game's name."`
	Bots      int           `default:"50" help:"How many play at once."`
	Duration  time.Duration `default:"10s" help:"How long to measure, once all have joined."`
	Ramp      time.Duration `placeholder:"TIME" help:"What to spread the starts over. Default: 5ms for each bot."`
	Join      time.Duration `default:"30s" help:"How long one bot may take to join."`
	Gate      []Gate        `sep:"none" placeholder:"GATE" help:"Fail unless this holds, like 'ack_p99<150ms', 'fps_min>=19' or 'errors==0'. May be repeated."`
	JSON      string        `name:"json" placeholder:"FILE" help:"Write the report to this file as well; - means to standard output instead of the table."`
	MatchHost []string      `placeholder:"HOST:PORT" help:"Another host that matches may be on, besides the lobby's."`
	Seed      uint64        `help:"Seed of the bots' dice."`
}

// ErrGates is returned by [Command.Execute] when a gate failed; the report says which.
var ErrGates = errors.New("not every gate passed")

// Execute runs the load test against the server at url and prints the report to stdout and the progress to stderr.
// token may be nil; see Config.Token.
func (c *Command) Execute(ctx context.Context, url string, bot client.Bot, token func(context.Context, int) (string, error), stdout, stderr io.Writer) (err error) {
	var file *os.File
	if c.JSON != "" && c.JSON != "-" {
		// Before the run: a wrong name should not cost a run.
		if file, err = os.Create(c.JSON); err != nil {
			return fmt.Errorf("creating the report's file: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
	}
	rep, runErr := Run(ctx, Config{
		URL: url, Hosts: c.MatchHost, Queue: c.Queue, Bot: bot, Bots: c.Bots, Duration: c.Duration, Ramp: c.Ramp,
		Join: c.Join, Seed: c.Seed, Token: token, Gates: c.Gate,
	}, Printer(stderr, isTerminal(stderr)))
	if rep == nil {
		return runErr
	}
	if c.JSON == "-" {
		err = rep.WriteJSON(stdout)
	} else {
		err = rep.Write(stdout)
	}
	if file != nil && err == nil {
		err = rep.WriteJSON(file)
	}
	switch {
	case runErr != nil:
		return runErr
	case err != nil:
		return fmt.Errorf("writing the report: %w", err)
	case !rep.Pass():
		return ErrGates
	}
	return nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
