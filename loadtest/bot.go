package loadtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"muster/client"
	"muster/internal/pause"
	"muster/proto"
)

// bot is one player's life. Its goroutine owns it.
type bot struct {
	i       int
	cfg     *Config
	rec     *recorder
	http    *http.Client
	arrived func() // once: it has joined, or never will
	once    sync.Once

	// Of the match that it is in:
	since    time.Time // when it joined; zero outside of one
	last     time.Time // when the last frame arrived
	interval time.Duration

	// Within the window, over all its matches:
	frames, in, out int64
	active          time.Duration
}

// leastActive is how long a bot must have been in a match within the window for its rates to say something.
const leastActive = 500 * time.Millisecond

// joinTries is how many matches a bot tries before it gives up ever having a seat.
const joinTries = 3

// run lives until ctx ends or nothing goes on.
func (b *bot) run(ctx context.Context) {
	joined := b.live(ctx)
	if !joined {
		b.rec.failed.Add(1)
	}
	b.once.Do(b.arrived)
	if b.active >= min(leastActive, b.cfg.Duration/2) && b.active > 0 {
		b.rec.bot(b.frames, b.in, b.out, b.active)
	}
}

// live says whether the bot ever had a seat.
func (b *bot) live(ctx context.Context) (joined bool) {
	if pause.For(ctx, b.cfg.Ramp*time.Duration(b.i)/time.Duration(b.cfg.Bots)) != nil {
		return false
	}
	lobby := &client.Lobby{URL: b.cfg.URL, HTTP: b.http}
	defer lobby.Settle()
	for n := 0; ctx.Err() == nil; n++ {
		m, err := b.seat(ctx, lobby)
		if err != nil {
			if ctx.Err() == nil {
				b.rec.fail(err)
			}
			return joined
		}
		again := b.match(ctx, m, n)
		joined = b.joined()
		if !again || (!joined && n+1 >= joinTries) || pause.For(ctx, jitter(time.Second)) != nil {
			return joined
		}
	}
	return joined
}

func (b *bot) joined() bool { return b.interval > 0 }

// seat goes through the lobby.
func (b *bot) seat(ctx context.Context, lobby *client.Lobby) (client.Match, error) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Join)
	defer cancel()
	if lobby.Token == "" {
		if err := b.login(ctx, lobby); err != nil {
			return client.Match{}, err
		}
	}
	m, err := lobby.Play(ctx, client.NewTicket{Queue: b.cfg.Queue}, client.Queueing{})
	if err != nil {
		return client.Match{}, err //nolint:wrapcheck // says what it did
	}
	return m, b.allowed(m.URL)
}

func (b *bot) login(ctx context.Context, lobby *client.Lobby) (err error) {
	if b.cfg.Token != nil {
		lobby.Token, err = b.cfg.Token(ctx, b.i)
		return err
	}
	err = patiently(ctx, func() error {
		_, err := lobby.Guest(ctx, fmt.Sprintf("bot %d", b.i+1))
		return err //nolint:wrapcheck // says what it did
	})
	if api := (*client.APIError)(nil); errors.As(err, &api) && api.Status == http.StatusNotFound {
		return fmt.Errorf("the server lets no guests in, so bots need its signing key (--key-file): %w", err)
	}
	return err
}

// allowed checks that a match's address is one that the caller meant to load.
func (b *bot) allowed(match string) error {
	u, err := url.Parse(match)
	switch {
	case err != nil:
		return fmt.Errorf("%w: it is not a URL", errHost)
	case !slices.Contains(b.cfg.Hosts, u.Host):
		return fmt.Errorf("%w: the lobby names host %q, which is not among those to load (%q)", errHost, u.Host, b.cfg.Hosts)
	}
	return nil
}

// match plays one match and says whether the bot should look for another.
func (b *bot) match(ctx context.Context, m client.Match, n int) (again bool) {
	b.since, b.last = time.Time{}, time.Time{}
	stats, err := b.cfg.Bot.Play(ctx, m, client.Play{
		HTTP: b.http, Reconnect: true, Seed: b.cfg.Seed ^ uint64(b.i)<<32 ^ uint64(n), //nolint:gosec // neither is negative
		Observe: client.Observer{
			Joined: b.onJoined, Frame: b.onFrame, Bytes: b.onBytes, Ack: b.onAck, Unacked: b.onUnacked, RTT: b.onRTT,
		},
	})
	b.leave(time.Now())
	var closed *client.CloseError
	isClose := errors.As(err, &closed)
	switch {
	case b.since.IsZero(): // it was never in it
	case err == nil:
		b.rec.closed("left", stats)
	case isClose:
		b.rec.closed(closeName(closed.Code), stats)
	default:
		b.rec.closed("error", stats)
	}
	if isClose && closed.Action() == proto.ActionDone {
		return true
	}
	if err != nil && (ctx.Err() == nil || !b.since.IsZero()) { // else the run ended while it was joining
		b.rec.fail(err)
	}
	return isClose && closed.Action() == proto.ActionRequeue
}

func (b *bot) onJoined(info client.Info) {
	if !b.since.IsZero() {
		return // a resume
	}
	b.since = time.Now()
	b.interval = time.Second / time.Duration(max(1, info.Rate))
	b.once.Do(func() {
		b.rec.joined.Add(1)
		b.arrived()
	})
}

func (b *bot) onFrame(at time.Time) {
	b.rec.frames.Add(1)
	if b.rec.measures(at) {
		b.frames++
		if b.rec.measures(b.last) {
			b.rec.record(b.rec.gap, at.Sub(b.last))
		}
	}
	b.last = at
}

func (b *bot) onBytes(at time.Time, n int) {
	if n > 0 {
		b.rec.bytes.Add(int64(n))
	}
	switch {
	case !b.rec.measures(at):
	case n > 0:
		b.in += int64(n)
	default:
		b.out -= int64(n)
	}
}

func (b *bot) onAck(sent, at time.Time) {
	if b.rec.measures(sent) {
		b.rec.record(b.rec.ack, at.Sub(sent))
	}
}

func (b *bot) onUnacked(sent, at time.Time) {
	if !b.rec.measures(sent) || at.Sub(sent) < unackedAge {
		return
	}
	b.rec.record(b.rec.ack, at.Sub(sent))
	b.rec.mu.Lock()
	b.rec.unacked++
	b.rec.mu.Unlock()
}

func (b *bot) onRTT(at time.Time, d time.Duration) {
	if b.rec.measures(at) {
		b.rec.record(b.rec.rtt, d)
	}
}

// leave closes the books of a match.
func (b *bot) leave(now time.Time) {
	if b.since.IsZero() {
		return
	}
	b.active += b.rec.overlap(b.since, now)
	quiet := b.last
	if quiet.Before(b.since) {
		quiet = b.since // no frame at all
	}
	if open := b.rec.overlap(quiet, now); open > 2*b.interval {
		b.rec.record(b.rec.gap, open)
	}
}

// patiently repeats a call that the lobby refuses for now, as long as ctx lasts.
func patiently(ctx context.Context, call func() error) error {
	for {
		err := call()
		var api *client.APIError
		if err == nil || !errors.As(err, &api) || !api.Temporary() {
			return err
		}
		if pause.For(ctx, api.RetryAfter+jitter(500*time.Millisecond)) != nil {
			return err
		}
	}
}

// jitter returns a random time below most, so that bots do not come back as one.
func jitter(most time.Duration) time.Duration { return rand.N(most) } //nolint:gosec // no secret
