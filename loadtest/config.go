package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"muster/client"
)

// Config says what to play. The zero value of a field means its default.
type Config struct {
	// URL is the lobby's address.
	URL string
	// Hosts are hosts (with port) that a match's address may name besides URL's own. A load test goes nowhere else,
	// whatever a lobby answers.
	Hosts []string
	// Queue is the queue that bots wait in. Default the bot's game.
	Queue string
	// Bot plays.
	Bot client.Bot
	// Bots is how many play at once. Default 50.
	Bots int
	// Duration is how long is measured. Default 10 s.
	Duration time.Duration
	// Ramp is how long the starts of the bots are spread over. Default 5 ms for each.
	Ramp time.Duration
	// Join is how long one bot may take from its start to its seat. Default 30 s.
	Join time.Duration
	// Warmup is how long the bots play before it is measured. Default 1 s.
	Warmup time.Duration
	// Seed makes the bots' dice. The same seed does not make the same run: the network has a say.
	Seed uint64
	// Token returns the player token of the i-th bot, from 0. Nil asks the lobby for guests, which only a development
	// server makes.
	Token func(ctx context.Context, i int) (string, error)
	// Gates are checked against the report.
	Gates []Gate
}

// maxBots bounds one process: every bot is a socket and its buffers.
const maxBots = 20_000

func (c Config) withDefaults() (Config, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil:
		return c, fmt.Errorf("the server's address: %w", err)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return c, fmt.Errorf("the server's address is %q, something like http://127.0.0.1:8080 is wanted", c.URL)
	case u.User != nil:
		return c, errors.New("the server's address has a user, which is not used")
	}
	if c.Queue == "" {
		c.Queue = c.Bot.Game
	}
	if c.Bots == 0 {
		c.Bots = 50
	}
	if c.Duration == 0 {
		c.Duration = 10 * time.Second
	}
	if c.Ramp == 0 {
		c.Ramp = time.Duration(c.Bots) * 5 * time.Millisecond
	}
	if c.Join == 0 {
		c.Join = 30 * time.Second
	}
	if c.Warmup == 0 {
		c.Warmup = time.Second
	}
	switch {
	case c.Bots < 1 || c.Bots > maxBots:
		return c, fmt.Errorf("%d bots, 1 to %d allowed", c.Bots, maxBots)
	case c.Duration < 0 || c.Ramp < 0 || c.Join < 0 || c.Warmup < 0:
		return c, fmt.Errorf("duration %v, ramp %v, join %v and warm-up %v: none may be negative", c.Duration, c.Ramp, c.Join, c.Warmup)
	}
	c.Hosts = append([]string{u.Host}, c.Hosts...)
	return c, nil
}
