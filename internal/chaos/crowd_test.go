package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/client"
	"muster/netcode"
)

// crowd is the bots of a run.
type crowd struct {
	f      *fleet
	bots   []*bot
	courts courts
	began  time.Time
}

// gather brings bots into so many rooms of so many players of a game, by the lobby's matchmaker.
func (f *fleet) gather(game string, rooms, size int) *crowd {
	f.t.Helper()
	c := &crowd{f: f, courts: courts{list: map[string]*court{}}, began: time.Now()}
	c.add(game, rooms*size)
	return c
}

func (c *crowd) add(game string, bots int) {
	c.f.t.Helper()
	ctx, cancel := context.WithTimeout(c.f.t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, bots)
	atOnce := make(chan struct{}, 32)
	for i := range bots {
		b := c.f.newBot(game, fmt.Sprintf("%s-%d", game, len(c.bots)))
		c.bots = append(c.bots, b)
		wg.Go(func() {
			atOnce <- struct{}{}
			err := b.enqueue(ctx)
			<-atOnce
			if err == nil {
				err = b.seek(ctx, &c.courts)
			}
			if err != nil {
				errs[i] = fmt.Errorf("%s: %w", b.name, err)
			}
		})
	}
	wg.Wait()
	must(c.f.t, errors.Join(errs...))
}

// rooms are those in which bots play.
func (c *crowd) rooms() (list []string) {
	for _, b := range c.bots {
		if !slices.Contains(list, b.match.Room) {
			list = append(list, b.match.Room)
		}
	}
	return list
}

// in are the bots of these rooms.
func (c *crowd) in(rooms ...string) (list []*bot) {
	for _, b := range c.bots {
		if slices.Contains(rooms, b.match.Room) {
			list = append(list, b)
		}
	}
	return list
}

// frames waits until each bot has had a frame since a time.
func (c *crowd) frames(when string, since time.Time) {
	c.f.t.Helper()
	for _, b := range c.bots {
		until(c.f.t, fmt.Sprintf("%s has a frame in %s %s", b.name, b.match.Room, when), func() bool {
			b.alive(c.f.t)
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.notes.last.at.After(since)
		})
	}
}

// play waits until each of these bots has had a frame since a time, and a command that it sends from now on is durable.
func (c *crowd) play(when string, since time.Time, bots []*bot) {
	c.f.t.Helper()
	sent := make([]uint32, len(bots))
	for i, b := range bots {
		sent[i] = b.sent.Load() + 1
	}
	for i, b := range bots {
		until(c.f.t, fmt.Sprintf("%s plays in %s %s: command %d is durable", b.name, b.match.Room, when, sent[i]), func() bool {
			b.alive(c.f.t)
			b.mu.Lock()
			at := b.notes.last.at
			b.mu.Unlock()
			return at.After(since) && b.durable.Load() >= sent[i]
		})
	}
}

// alive fails the test when the bot's connection has ended.
func (b *bot) alive(t testing.TB) {
	t.Helper()
	select {
	case <-b.done:
		t.Fatalf("%s's connection ended: %v; it saw %v", b.name, b.notes.ended, b.notes.wrong)
	default:
	}
}

// orderly fails the test when a bot has complained.
func (c *crowd) orderly() {
	c.f.t.Helper()
	for _, b := range c.bots {
		b.mu.Lock()
		for _, w := range b.notes.wrong {
			c.f.t.Error(w)
		}
		b.notes.wrong = nil
		b.mu.Unlock()
	}
	if c.f.t.Failed() {
		c.f.t.FailNow()
	}
}

// sum is what a run comes to.
type sum struct {
	commands, events, frames, resumes int64
	takenOver                         []time.Duration // pauses at whose end another host went on
	stalls                            []time.Duration // the other pauses
	rollbacks                         []int
	behind                            int
	compared                          int64
	overlap                           time.Duration
}

// reckon lets the bots come to an end and checks what became of everything.
func (c *crowd) reckon() sum {
	t := c.f.t
	t.Helper()
	for _, b := range c.bots {
		b.quit.Store(true)
	}
	for _, b := range c.bots {
		until(t, fmt.Sprintf("what %s sent in %s is durable and told", b.name, b.match.Room), func() bool {
			b.alive(t)
			return b.settled()
		})
	}
	c.told()
	var s sum
	for _, b := range c.bots {
		b.halt()
		c.check(b)
		st := b.conn.Stats()
		s.commands += int64(b.sent.Load())
		s.events += b.notes.events
		s.frames += b.notes.frames
		s.resumes += st.Resumes
		s.behind += b.notes.behind
		s.rollbacks = append(s.rollbacks, b.notes.rollbacks...)
		for _, p := range b.notes.pauses {
			if p.over() {
				s.takenOver = append(s.takenOver, p.long())
			} else {
				s.stalls = append(s.stalls, p.long())
			}
		}
	}
	for _, ct := range c.courts.list {
		s.compared += ct.agreed
		s.overlap = max(s.overlap, ct.overlap)
	}
	t.Logf("%d bots in %d rooms, %v: %s", len(c.bots), len(c.courts.list), time.Since(c.began).Round(time.Second), s)
	if s.compared == 0 {
		t.Error("no two bots saw the same tick: nothing was compared")
	}
	return s
}

// told waits until everybody has heard the last that each seat of its room told to all.
func (c *crowd) told() {
	c.f.t.Helper()
	for _, b := range c.bots {
		for _, other := range c.in(b.match.Room) {
			want := other.sent.Load() / every * every
			until(c.f.t, fmt.Sprintf("%s hears of command %d of %s", b.name, want, other.name), func() bool {
				b.alive(c.f.t)
				b.mu.Lock()
				defer b.mu.Unlock()
				return b.notes.heard[netcode.Seat(other.seat.Load())] >= want
			})
		}
	}
}

// check looks at what a halted bot saw.
func (c *crowd) check(b *bot) {
	t := c.f.t
	t.Helper()
	c.notes(b)
	var ce *client.CloseError
	if errors.As(b.notes.ended, &ce) {
		t.Errorf("%s ended with %v", b.name, ce)
	}
	if a := b.conn.State().of(b.conn.Seat()); a == nil || a.Last != b.sent.Load() || a.Wrong != 0 || a.Chain != b.chains[a.Last] {
		t.Errorf("%s sent %d commands; its account in %s is %+v", b.name, b.sent.Load(), b.match.Room, a)
	}
}

// String says it in a line.
func (s sum) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d commands, %d events, %d frames, %d resumes, %d looks agree; ", s.commands, s.events, s.frames, s.resumes, s.compared)
	fmt.Fprintf(&b, "%d pauses with another host after it (%s), %d others (%s); ", len(s.takenOver), spread(s.takenOver), len(s.stalls), spread(s.stalls))
	fmt.Fprintf(&b, "ticks taken back: %s; ", spread(s.rollbacks))
	fmt.Fprintf(&b, "the last old frame %v after the first new one, %d sockets began with a tick that was seen", s.overlap.Round(time.Millisecond), s.behind)
	return b.String()
}

// spread is the median, the 99th percentile and the most of some values.
func spread[T int | time.Duration](list []T) string {
	if len(list) == 0 {
		return "none"
	}
	return fmt.Sprintf("p50 %v, p99 %v, most %v", shown(percentile(list, 50)), shown(percentile(list, 99)), shown(slices.Max(list)))
}

func shown(v any) any {
	if d, ok := v.(time.Duration); ok {
		return d.Round(10 * time.Millisecond)
	}
	return v
}

// percentile is the least value that so many of a hundred do not exceed.
func percentile[T int | time.Duration](list []T, p int) T {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[min(len(sorted)-1, (len(sorted)*p+99)/100-1)]
}
