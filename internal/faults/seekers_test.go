package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"muster/internal/pause"
	"muster/match/cluster"
)

// book is what players noted of their tickets.
type book struct {
	mu      sync.Mutex
	tickets map[string]*noted
	wrong   []string
}

// noted is a ticket that a lobby acknowledged.
type noted struct {
	player, queue string
	made, matched time.Time // by the test's clock
	came          string    // the room whose seat was taken
	cancelled     bool      // a lobby said so
	kept          bool      // a lobby said, when it was to be cancelled, that it is matched
	ended         bool      // a lobby said that it ended otherwise
	lost          bool      // a lobby said that there is no such ticket
}

func (b *book) complain(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wrong) < 20 {
		b.wrong = append(b.wrong, fmt.Sprintf(format, args...))
	}
}

// note changes what is noted of a ticket.
func (b *book) note(id string, change func(n *noted)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b.tickets[id])
}

// matchedSince says when the first ticket was matched that was made after a time.
func (b *book) matchedSince(t time.Time) (first time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.tickets {
		if n.made.After(t) && !n.matched.IsZero() && (first.IsZero() || n.matched.Before(first)) {
			first = n.matched
		}
	}
	return first
}

// seen says whether so many tickets at least have led to a match that was come to, and so many were cancelled.
func (b *book) seen(started, cancelled int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.tickets {
		if n.came != "" {
			started--
		}
		if n.cancelled {
			cancelled--
		}
	}
	return started <= 0 && cancelled <= 0
}

// habit is what players do.
type habit struct {
	queues []string
	both   int           // one of so many waits in two queues at once; 0 is nobody
	giveUp int           // one of so many gives up
	within time.Duration // and when at the latest; some wait up to sixteen times as long, for matches that take long to make
	rest   time.Duration // between two tickets
}

// usual is the habit of players whose lobbies or Redis die.
var usual = habit{queues: []string{"pair", "other"}, both: 4, giveUp: 8, within: 150 * time.Millisecond}

// crowd is players who queue, one after another, at so many places at once.
type crowd struct {
	*book

	h      *hall
	habit  habit
	stop   atomic.Bool
	gaveUp atomic.Int64 // how often somebody did
	wg     sync.WaitGroup
}

// gather lets players queue until quit.
func gather(h *hall, places int, seed uint64, does habit) *crowd {
	c := &crowd{book: &book{tickets: map[string]*noted{}}, h: h, habit: does}
	for place := range places {
		rng := rand.New(rand.NewPCG(seed, uint64(place))) //nolint:gosec // the test's dice
		c.wg.Go(func() {
			for n := 0; !c.stop.Load(); n++ {
				c.seek(rng, fmt.Sprintf("p%d-%d", place, n/3)) // a player comes three times
				_ = pause.For(context.Background(), does.rest)
			}
		})
	}
	return c
}

// quit lets nobody queue any more; who waits gives up.
func (c *crowd) quit() {
	c.stop.Store(true)
	c.wg.Wait()
}

// seek is one player's way: a ticket, or two in two queues at once, until one is matched and he comes, or he gives up.
func (c *crowd) seek(rng *rand.Rand, player string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	queues := c.habit.queues[:1]
	if c.habit.both > 0 && rng.IntN(c.habit.both) == 0 {
		queues = c.habit.queues
	}
	var ids []string
	for _, queue := range queues {
		if id := c.create(ctx, player, queue); id != "" {
			ids = append(ids, id)
		}
	}
	if rng.IntN(c.habit.giveUp) == 0 {
		_ = pause.For(ctx, time.Duration(rng.Int64N(int64(c.habit.within))<<rng.IntN(5)))
		c.gaveUp.Add(1)
		for _, id := range ids {
			c.cancel(ctx, id, player)
		}
	}
	for len(ids) > 0 && ctx.Err() == nil {
		if c.stop.Load() {
			for _, id := range ids {
				c.cancel(ctx, id, player)
			}
		}
		var matched []answer
		for _, id := range slices.Clone(ids) {
			a, err := c.h.ask(ctx, http.MethodGet, "/v1/tickets/"+id+"?wait=250ms", player, "", "")
			switch {
			case err != nil:
				return
			case a.status == http.StatusNotFound:
				c.note(id, func(n *noted) { n.lost = true })
				ids = slices.DeleteFunc(ids, func(o string) bool { return o == id })
			case a.status != http.StatusOK:
				c.complain("%s asks for %s: %d %s", player, id, a.status, a.text)
				return
			case a.ticket.State == "matched":
				c.note(id, func(n *noted) { n.matched = time.Now() })
				matched = append(matched, a)
			case a.ticket.State != "waiting":
				c.note(id, func(n *noted) { n.ended = true })
				ids = slices.DeleteFunc(ids, func(o string) bool { return o == id })
			}
		}
		if len(matched) == 0 {
			continue
		}
		for _, id := range c.comes(ctx, player, matched) {
			ids = slices.DeleteFunc(ids, func(o string) bool { return o == id })
		}
	}
}

// comes takes the seats of matched tickets and returns those whose matches have started. That a player is matched twice
// before he came is what must not be.
func (c *crowd) comes(ctx context.Context, player string, matched []answer) (started []string) {
	if len(matched) > 1 {
		c.complain("%s is matched by two tickets before he came to either: %s and %s", player, matched[0].ticket.ID, matched[1].ticket.ID)
	}
	for _, a := range matched {
		room, came, unsure := a.ticket.Match.Room, false, false
		for ctx.Err() == nil {
			err := error(nil)
			state := cluster.Settled{State: cluster.Waiting}
			if !came {
				err = c.h.come(ctx, &a.ticket, player)
				// A call whose answer was lost may have taken the seat: then the next one finds the token used.
				came = err == nil || unsure && errors.Is(err, cluster.ErrSeat)
				unsure = unsure || err != nil && !isAnswer(err)
			}
			if came {
				state, err = c.h.dir.Settle(ctx, room)
			}
			if state.State == cluster.Started {
				c.note(a.ticket.ID, func(n *noted) { n.came = room })
				started = append(started, a.ticket.ID)
			}
			if err == nil && state.State != cluster.Waiting || err != nil && isAnswer(err) {
				break // where it is off, the ticket says how it goes on
			}
			_ = pause.For(ctx, 50*time.Millisecond) // the others come, or Redis is away
		}
	}
	return started
}

// isAnswer says whether an error is what Redis said, rather than that it said nothing.
func isAnswer(err error) bool {
	return errors.Is(err, cluster.ErrNoRoom) || errors.Is(err, cluster.ErrSeat) || errors.Is(err, cluster.ErrLate) ||
		strings.Contains(err.Error(), "the seat token")
}

func (c *crowd) create(ctx context.Context, player, queue string) (id string) {
	key := cluster.NewID()
	for {
		a, err := c.h.ask(ctx, http.MethodPost, "/v1/tickets", player, `{"queue":"`+queue+`"}`, key)
		switch {
		case err != nil:
			return ""
		case a.status == http.StatusConflict: // his last ticket has not been given back yet
			_ = pause.For(ctx, 20*time.Millisecond)
			continue
		case a.status != http.StatusCreated:
			c.complain("%s makes a ticket: %d %s", player, a.status, a.text)
			return ""
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.tickets[a.ticket.ID] = &noted{player: player, queue: queue, made: time.Now()}
		return a.ticket.ID
	}
}

func (c *crowd) cancel(ctx context.Context, id, player string) {
	a, err := c.h.ask(ctx, http.MethodDelete, "/v1/tickets/"+id, player, "", "")
	if err == nil && a.status == http.StatusOK {
		c.note(id, func(n *noted) {
			n.cancelled = n.cancelled || a.ticket.State == "cancelled" && a.ticket.Reason == "it was cancelled"
			n.kept = n.kept || a.ticket.State == "matched"
		})
	}
}

// ends are how tickets ended.
type ends struct{ started, cancelled, expired, lost int }

// reckon waits until every ticket has ended, and holds what Redis has against what players were told. forgot says that
// Redis may have lost tickets.
func (c *crowd) reckon(forgot bool) (e ends) {
	h := c.h
	h.t.Helper()
	began, rooms := time.Now(), map[string][]string{}
	for id, n := range c.tickets {
		var f map[string]string
		until(h.t, "ticket "+id+" has ended", func() bool {
			f = h.fields(id)
			return len(f) == 0 || f["state"] == "cancelled" || f["state"] == "expired" || f["final"] == "1"
		})
		room := ""
		if f["state"] == "matched" {
			_, rest, _ := strings.Cut(f["match"], `"room":"`)
			room, _, _ = strings.Cut(rest, `"`)
		}
		switch {
		case len(f) == 0 && forgot:
			e.lost++
			continue
		case len(f) == 0, n.lost && !forgot:
			h.t.Errorf("ticket %s of %s was acknowledged and is lost: %v, noted %+v", id, n.player, f, *n)
		case f["final"] == "1":
			e.started++
		case f["state"] == "cancelled":
			e.cancelled++
		default:
			e.expired++
		}
		if n.came != room && (n.came == "" || !forgot) {
			h.t.Errorf("%s came to %q by ticket %s, which is %s in %q", n.player, n.came, id, f["state"], room)
		}
		if n.cancelled && f["state"] != "cancelled" && !forgot {
			h.t.Errorf("ticket %s of %s was said to be cancelled and is %s", id, n.player, f["state"])
		}
		if n.kept && f["final"] != "1" && !forgot {
			h.t.Errorf("ticket %s of %s was said to be matched and is %s", id, n.player, f["state"])
		}
		if n.came != "" {
			rooms[n.came] = append(rooms[n.came], n.player)
		}
	}
	for room, players := range rooms {
		if len(players) != 2 && !forgot || len(players) > 2 || len(players) == 2 && players[0] == players[1] {
			h.t.Errorf("room %s has %q", room, players)
		}
	}
	for _, text := range c.wrong {
		h.t.Error(text)
	}
	h.t.Logf("%d tickets: %+v; %d requests were made again; the last ended %v after", len(c.tickets), e, h.again.Load(), time.Since(began).Round(time.Millisecond))
	return e
}
