package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"muster/netcode"
)

// BotView is what a bot's brain sees: what a player in its seat would.
type BotView[S any] struct {
	State *S
	Tick  uint32 // of State
	Seat  netcode.Seat
	Rand  *rand.Rand // the bot's own, seeded by Play.Seed
}

// Brain plays: it is called once a tick and returns an input, or false for none. It must not keep the view.
type Brain[S, In any] func(*BotView[S]) (In, bool)

// Bot plays one game. It is immutable, and any number of goroutines may play with it; make one with [NewBot].
type Bot struct {
	Game string
	play func(ctx context.Context, m Match, p Play) (Stats, error)
}

// Play says how a bot plays a match.
type Play struct {
	HTTP         *http.Client // nil means http.DefaultClient
	Seed         uint64       // of the brain's random source
	Reconnect    bool         // take up lost sockets
	ReconnectFor time.Duration
	Observe      Observer
}

// leaveTimeout bounds how long a bot waits for the server's answer to its leave.
const leaveTimeout = 3 * time.Second

// NewBot returns a bot for a game; newBrain is called once a match. events are the zero values of the game's event
// types, as in its rules. What is wrong with the types is an error of Play.
func NewBot[S, In any](game string, newBrain func() Brain[S, In], events ...any) Bot {
	schema, err := netcode.Compile[S, In](events...)
	return Bot{Game: game, play: func(ctx context.Context, m Match, p Play) (Stats, error) {
		if err != nil {
			return Stats{}, fmt.Errorf("bot of game %q: %w", game, err)
		}
		return playMatch(ctx, schema, m, p, newBrain())
	}}
}

// Play plays one match until ctx ends, then leaves: the error is nil, or says that the server did not answer the
// leave. A match that ends before gives its [CloseError], with the code done when nothing is wrong.
func (b Bot) Play(ctx context.Context, m Match, p Play) (Stats, error) {
	if b.play == nil {
		return Stats{}, fmt.Errorf("bot of game %q was not made by NewBot", b.Game)
	}
	return b.play(ctx, m, p)
}

func playMatch[S, In any](ctx context.Context, schema *netcode.Schema, m Match, p Play, brain Brain[S, In]) (Stats, error) {
	dial, cancel := context.WithTimeout(ctx, attemptTimeout)
	c, err := Dial[S, In](dial, m, Options{
		HTTP: p.HTTP, Schema: schema, Reconnect: p.Reconnect, ReconnectFor: p.ReconnectFor, Observe: p.Observe,
	})
	cancel()
	if err != nil {
		return Stats{}, err
	}
	defer func() { _ = c.Close() }()
	view := BotView[S]{State: c.State(), Rand: rand.New(rand.NewPCG(p.Seed, p.Seed>>32|1))} //nolint:gosec // a game's dice
	period := time.Second / time.Duration(c.Info().Rate)
	// Inputs follow a clock of their own, as a player's do: at frames' arrivals all would be made at the same phase of
	// a tick, and a stalled server would slow the load down that is to measure it.
	timer := time.NewTimer(0)
	defer timer.Stop()
	due := time.Now()
	for {
		frame, err := c.NextOr(ctx, timer.C)
		switch {
		case err != nil && c.Err() == nil: // ctx has ended
			left, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
			err := c.Leave(left)
			cancel()
			return c.Stats(), err
		case err != nil:
			return c.Stats(), err
		case frame != nil:
			continue
		}
		due = later(due.Add(period), time.Now())
		timer.Reset(time.Until(due))
		if !c.Synced() {
			continue
		}
		view.Tick, view.Seat = c.Tick(), c.Seat()
		if in, ok := brain(&view); ok {
			if err := c.Send(in); err != nil && !errors.Is(err, ErrBacklog) { // a player would wait, too
				return c.Stats(), fmt.Errorf("bot of game %q: %w", c.Info().Game, err)
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
