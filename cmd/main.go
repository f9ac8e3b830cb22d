package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"muster/client"
	"muster/lobby/chat"
	"muster/match"
)

// Game is a game to serve, with the bot that load tests play it with.
type Game struct {
	match.Game
	Bot client.Bot
	// Page is the game's built page, served at /NAME/ with index.html first; see [web.Site]. Nil: it has none.
	Page fs.FS
	// Filter may change what is written to a room of the game, or to a team in one, or refuse it; see [lobby.Config].Filter.
	// Nil: all goes through. It must answer soon, and may be called by any goroutine.
	Filter func(ctx context.Context, m chat.Message) (text string, ok bool)
}

// cli is the command line. Every setting is a flag, a MUSTER_ variable and a key of the YAML file.
type cli struct {
	Config  fileFlag         `help:"Read settings from this YAML file." placeholder:"FILE" env:"MUSTER_CONFIG"`
	Version kong.VersionFlag `help:"Print the version and exit."`

	Serve    serveCmd    `cmd:"" default:"withargs" help:"Serve everything on one port (the default command)."`
	Token    tokenCmd    `cmd:"" help:"Print a player token signed with the development key."`
	Loadtest loadtestCmd `cmd:"" help:"Play with bots and check service levels."`
	Settings configCmd   `cmd:"" name:"config" help:"Print the effective settings of serve, secrets masked."`
	Health   healthCmd   `cmd:"" help:"Ask a running server whether it is ready; exit 1 when it is not."`
	Types    typesCmd    `cmd:"" help:"Print the TypeScript types of a game's state, inputs and events."`
	New      newCmd      `cmd:"" help:"Make a new game: rules, page and tests, to be changed."`
	Replay   replayCmd   `cmd:"" help:"Look at recorded matches, and prove that the rules still play them the same."`
	Queue    queueCmd    `cmd:"" help:"Look at files of queues before a server reads them."`
	Codec    codecCmd    `cmd:"" help:"Measure what recorded movement (CSV) costs on the wire."`
	Ratings  ratingsCmd  `cmd:"" help:"Judge the rating model by matches that were played."`
	Doctor   doctorCmd   `cmd:"" help:"List what lies in Redis and belongs to nobody, and say why."`
}

const description = `Muster is a multiplayer game state server.

  muster                                   everything on http://127.0.0.1:8080, Redis embedded
  muster --redis redis://127.0.0.1:6379    the same on a real Redis
  muster token --sub alice                 a player token for the lobby API
  muster loadtest --bots 50 --duration 10s --gate 'ack_p99<150ms'
  muster new tag --dir ../tag              a game of your own, which runs at once
  muster replay verify match.muster        do today's rules play a recorded match the same?

Every flag of serve is also a variable (MUSTER_LISTEN) and a key of the YAML file (listen).`

// Main is the muster command for these games. It does not return.
func Main(games ...Game) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, stop, os.Args[1:], games, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// program is what commands are given.
type program struct {
	ctx         context.Context //nolint:containedctx // ends at the first interrupt
	interrupted func()          // makes the next interrupt end the process
	games       []Game
	stdout      io.Writer
	stderr      io.Writer
}

// errGates is the error of a load test whose gates failed; its report has said why.
var errGates = errors.New("a gate failed")

// statusError is the error of a command whose exit status says more than that it failed. Its err may be nil: all was said.
type statusError struct {
	status int
	err    error
}

// Error implements error.
func (e *statusError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

// Unwrap is what errors.Is and errors.As use.
func (e *statusError) Unwrap() error { return e.err }

// exit is how kong's --help and --version leave.
type exit int

// run is Main without the process.
func run(ctx context.Context, interrupted func(), args []string, games []Game, stdout, stderr io.Writer) (code int) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case exit:
			code = int(e)
		default:
			panic(e)
		}
	}()
	var c cli
	files := origins{}
	parser, err := kong.New(&c,
		kong.Name("muster"), kong.Description(description),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { panic(exit(code)) }),
		kong.Configuration(files.read), kong.Vars{"version": version()},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "muster:", err)
		return 1
	}
	kctx, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(stderr, "muster:", files.named(mistake(parser.Model.Node, args, err)))
		return 1
	}
	err = kctx.Run(&program{ctx, interrupted, games, stdout, stderr})
	var status *statusError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errGates):
		return 1
	case errors.As(err, &status):
		if status.err != nil {
			fmt.Fprintln(stderr, "muster:", err)
		}
		return status.status
	}
	fmt.Fprintln(stderr, "muster:", err)
	return 1
}

// release is set where a release is built, as -ldflags '-X muster/cmd.release=v1.2.3'; else what the build knows is the version.
var release string

func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
