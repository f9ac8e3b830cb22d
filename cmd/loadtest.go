package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"muster/client"
	"muster/loadtest"
	"muster/proto/token"
)

// loadtestCmd plays with bots.
type loadtestCmd struct {
	loadtest.Command
	Game    string `help:"The game to play. Default: the first one." placeholder:"NAME"`
	KeyFile string `name:"key-file" help:"The signing key of the server at --url, with which the bots' tokens are signed. Without it they come as guests, whom only a server with the development key lets in." placeholder:"FILE" env:"MUSTER_KEY_FILE" yaml:"key_file"`
}

// Help implements kong's HelpProvider.
func (loadtestCmd) Help() string {
	return `Without --url a server is started in this process, on a free port, and stopped afterwards.

Example, for CI:

  muster loadtest --bots 200 --duration 20s --gate 'fps_min>=19' --gate 'ack_p99<150ms' --gate 'errors==0' --json report.json

Against a deployment, whose key it needs; a match may be at any of its servers' addresses:

  muster loadtest --url https://play.example.com --key-file key --match-host eu1.play.example.com --bots 200`
}

// Run implements the command.
func (c *loadtestCmd) Run(p *program) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	bot, err := c.bot(p.games)
	if err != nil {
		return err
	}
	url := c.URL
	var login func(context.Context, int) (string, error)
	if url != "" && c.KeyFile != "" {
		keys, _, err := (&settings{KeyFile: c.KeyFile}).keys()
		if err != nil {
			return err
		}
		login = c.login(keys)
	}
	if url != "" {
		if _, err := askedURL(url); err != nil {
			return err
		}
	} else {
		s, err := c.start(p)
		if err != nil {
			return err
		}
		defer func() {
			stop, cancel := context.WithTimeout(context.Background(), stopTimeout)
			defer cancel()
			err = errors.Join(err, s.Close(stop))
		}()
		url, login = s.url, c.login(s.keys)
	}
	err = c.Execute(p.ctx, url, bot, login, p.stdout, p.stderr)
	if errors.Is(err, loadtest.ErrGates) {
		return errGates
	}
	return err //nolint:wrapcheck // says what it did
}

// login signs each bot a token that outlasts the run. Their ids are hardly those of players of a running deployment.
func (c *loadtestCmd) login(keys *token.Keys) func(context.Context, int) (string, error) {
	return func(_ context.Context, i int) (string, error) {
		p := token.Player{ID: fmt.Sprintf("loadtest-bot-%d", i+1), Name: fmt.Sprintf("bot %d", i+1)}
		return keys.SignPlayer(p, c.Ramp+c.Join+c.Duration+time.Hour)
	}
}

// check refuses numbers without a meaning. Zero is that, too, where it was asked for: a [loadtest.Config] takes its default.
func (c *loadtestCmd) check() error {
	if c.Bots < 1 {
		return fmt.Errorf("--bots %d: want 1 or more", c.Bots)
	}
	for _, f := range []struct {
		name string
		time time.Duration
	}{{"duration", c.Duration}, {"join", c.Join}} {
		if f.time <= 0 {
			return fmt.Errorf("--%s %v: want more than 0s", f.name, f.time)
		}
	}
	return nil
}

func (c *loadtestCmd) bot(games []Game) (client.Bot, error) {
	for _, g := range games {
		if c.Game != "" && g.Name() != c.Game {
			continue
		}
		if g.Bot.Game == "" {
			return client.Bot{}, fmt.Errorf("game %q has no bot", g.Name())
		}
		return g.Bot, nil
	}
	return client.Bot{}, noGame(fmt.Sprintf("--game %q", c.Game), games)
}

// start runs a server of the test's own, which says nothing below an error: what it warns of shows in the report.
func (c *loadtestCmd) start(p *program) (*server, error) {
	set := &settings{Listen: "127.0.0.1:0", Namespace: "loadtest", LogLevel: "error", Journal: journalRedis, KeepFor: leastKeepFor, AddrRate: mostAddressRate}
	var key [token.MinKey]byte
	_, _ = rand.Read(key[:]) // never fails
	keys, err := token.New(key[:], nil)
	if err != nil {
		return nil, err //nolint:wrapcheck // it has the length of a key
	}
	return startServer(p.ctx, set, p.games, keys, newLogger(p.stderr, set.LogLevel))
}
