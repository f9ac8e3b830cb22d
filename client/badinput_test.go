package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"muster/client"
	"muster/games/arena"
	"muster/internal/simnet"
	"muster/match"
	"muster/match/journal"
)

// What goes wrong outside of a game: each heals by itself or ends with an error that says what it was.

var goodLine = simnet.Link{Latency: 20 * time.Millisecond, Jitter: 5 * time.Millisecond, Seed: 1}

func TestAServerThatIsGoneIsAnError(t *testing.T) {
	onLine(t, goodLine, func(t *testing.T, s *server) {
		c, p := s.play(1, client.Options{Reconnect: true, ReconnectFor: 8 * time.Second})
		defer func() { _ = c.Close() }()
		l := newLoop(c, p)
		if err := l.run(2 * time.Second); err != nil {
			t.Fatal(err)
		}
		s.refuse(true)
		s.line().Cut()
		began := time.Now()
		err := l.run(time.Minute)
		var closed *client.CloseError
		if !errors.Is(err, client.ErrServerGone) || !errors.As(err, &closed) || errors.Is(err, client.ErrSeatGone) {
			t.Errorf("error %v", err)
		}
		if d := time.Since(began); d < 7*time.Second || d > 20*time.Second {
			t.Errorf("it took %v", d)
		}
		if _, ok := c.View(time.Now()); !ok { // what was is still there to be looked at
			t.Error("nothing is shown after the end")
		}
	})
}

func TestATokenThatEndsInTheMatch(t *testing.T) {
	onLine(t, goodLine, func(t *testing.T, s *server) {
		s.start()
		dial := func(o client.Options) *client.Conn[arena.World, arena.Input] {
			o.HTTP, o.Events, o.Reconnect = s.http, arenaEvents, true
			c, err := client.Dial[arena.World, arena.Input](t.Context(), s.seat(1, 20*time.Second), o)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		play := func(c *client.Conn[arena.World, arena.Input], d time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			for {
				if _, err := c.Next(ctx); err != nil {
					if c.Err() != nil {
						return err
					}
					return nil
				}
			}
		}
		c := dial(client.Options{})
		if err := play(c, time.Minute); !errors.Is(err, client.ErrTokenExpired) || errors.Is(err, client.ErrServerGone) {
			t.Errorf("without Refresh: %v", err)
		}
		c = dial(client.Options{Refresh: func(context.Context) (string, error) { return s.player(1, 20*time.Second), nil }})
		if err := play(c, time.Minute); err != nil || c.Stats().Refreshes < 2 {
			t.Errorf("with Refresh: %v after %d refreshes", err, c.Stats().Refreshes)
		}
		_ = c.Close()
	})
}

// A laptop's lid is closed, or a debugger stops the process: nothing reads, nothing answers, and the clock goes on.
func TestAProcessThatSleepsForAMinuteGoesOnOrIsToldThatItsSeatIsGone(t *testing.T) {
	for about, hold := range map[string]bool{"the seat is held": true, "the seat is given up": false} {
		t.Run(about, func(t *testing.T) {
			onLine(t, goodLine, func(t *testing.T, s *server) {
				s.hold = 2 * time.Minute
				if !hold {
					s.hold = 10 * time.Second
				}
				s.start()
				c, p := s.play(1, client.Options{Reconnect: true})
				defer func() { _ = c.Close() }()
				l := newLoop(c, p)
				if err := l.run(3 * time.Second); err != nil {
					t.Fatal(err)
				}
				before := c.Tick()
				time.Sleep(time.Minute) // within the bubble
				err := l.run(10 * time.Second)
				if !hold {
					if !errors.Is(err, client.ErrSeatGone) {
						t.Errorf("error %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				*l = *newLoop(c, p)
				if err := l.run(5 * time.Second); err != nil {
					t.Fatal(err)
				}
				if c.Tick() < before+60*20 || l.answered == 0 || l.unanswered > 0 || !(l.quantile(0.5) < 1) {
					t.Errorf("from tick %d to %d: %v, %+v", before, c.Tick(), l, c.Stats())
				}
			})
		})
	}
}

func TestAClockThatJumpsDoesNotMoveWhatIsShown(t *testing.T) {
	onLine(t, goodLine, func(t *testing.T, s *server) {
		c, p := s.play(1, client.Options{Reconnect: true})
		defer func() { _ = c.Close() }()
		l := newLoop(c, p)
		if err := l.run(3 * time.Second); err != nil {
			t.Fatal(err)
		}
		last, _ := c.View(time.Now())
		at, tick := last.Tick, p.Tick()
		for _, jump := range []time.Duration{time.Hour, -time.Hour, 48 * time.Hour, 0} { // the caller's clock, as a user sets it
			time.Sleep(drawing)
			shown, ok := c.View(time.Now().Round(0).Add(jump))
			if !ok || shown.Tick < at || shown.Tick > at+1 || p.Tick() > tick+3 {
				t.Errorf("a jump of %v: from tick %v to %v, predicted from %d to %d", jump, at, shown.Tick, tick, p.Tick())
			}
			at = shown.Tick
		}
		*l = *newLoop(c, p)
		if err := l.run(5 * time.Second); err != nil || l.unanswered > 0 || l.own > 8 {
			t.Errorf("afterwards: %v, %v", l, err)
		}
	})
}

// The host dies, and another goes on from what is durable: some ticks less, or two seconds' less.
func TestAKilledHostIsFollowed(t *testing.T) {
	for about, keep := range map[string]match.Durability{"a journal": match.Journal, "checkpoints": match.Checkpoint, "nothing": match.None} {
		t.Run(about, func(t *testing.T) {
			store, err := journal.OpenFiles(journal.FilesConfig{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			onLine(t, goodLine, func(t *testing.T, s *server) {
				s.keep, s.journals = keep, store
				s.start()
				var epochs []uint64
				c, p := s.play(1, client.Options{Reconnect: true, Observe: client.Observer{Joined: func(i client.Info) { epochs = append(epochs, i.Epoch) }}})
				defer func() { _ = c.Close() }()
				l := newLoop(c, p)
				if err := l.run(9 * time.Second); err != nil {
					t.Fatal(err)
				}
				tick, states := c.Tick(), p.Stats().States
				s.kill()
				err := l.run(time.Second)
				if keep == match.None {
					if !errors.Is(err, client.ErrSeatGone) {
						t.Errorf("error %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(epochs) != 2 || epochs[1] != 2 || c.Tick() > tick+20 || c.Tick()+60 < tick {
					t.Fatalf("epochs %v, tick %d after %d", epochs, c.Tick(), tick)
				}
				*l = *newLoop(c, p)
				if err := l.run(8 * time.Second); err != nil {
					t.Fatal(err)
				}
				shown, ok := c.View(time.Now())
				if d := float64(c.Tick()) - shown.Tick; !ok || d < 0 || d > 10 || p.Stats().States < states+150 || p.Tick() > c.Tick()+10 {
					t.Errorf("tick %d, shown %v, predicted %d, %+v", c.Tick(), shown.Tick, p.Tick(), p.Stats())
				}
				if l.unanswered > 0 || l.answered == 0 || !(l.quantile(0.5) < 1) {
					t.Errorf("%v", l)
				}
				t.Logf("from tick %d to %d; %v", tick, c.Tick(), l)
			})
		})
	}
}

func TestAnotherSchemaIsAnError(t *testing.T) {
	type other struct{ Turn int8 }
	onLine(t, goodLine, func(t *testing.T, s *server) {
		s.start()
		_, err := client.Dial[arena.World, other](t.Context(), s.seat(1, time.Hour), client.Options{HTTP: s.http})
		var schema *client.SchemaError
		if !errors.As(err, &schema) || schema.Game != "arena" || schema.Server == schema.Local {
			t.Errorf("error %v", err)
		}
	})
}
