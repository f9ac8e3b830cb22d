package ticket_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/queue"
	"muster/lobby/ticket"
	"muster/match/cluster"
)

// schedules is how many ways of things to go are tried.
var schedules = flag.Int("schedules", 36, "how many schedules of crashes are tried")

// Whatever happens in whatever order, and whichever process dies between any two calls of Redis, before or after the call
// has its effect: every ticket ends exactly once, in a match that starts, cancelled or expired; no player is brought to
// two matches; all that is kept ends by itself.
func TestEveryTicketEndsOnceAndNobodyIsInTwoMatchesWhoeverDies(t *testing.T) {
	var mu sync.Mutex
	ends, deaths := map[string]int{}, 0
	t.Run("schedules", func(t *testing.T) {
		for seed := range uint64(*schedules) {
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, seed)
					defer w.stop()
					run(w)
					mu.Lock()
					defer mu.Unlock()
					for _, end := range w.ended {
						ends[end]++
					}
					deaths += w.deaths
				})
			})
		}
	})
	t.Logf("%d processes died; tickets ended: %v", deaths, ends)
	for _, end := range []string{"final", "cancelled", "expired"} {
		if ends[end] < *schedules/4 {
			t.Errorf("%d tickets ended as %s, which shows little", ends[end], end)
		}
	}
	if deaths < *schedules {
		t.Errorf("%d processes died, which shows little", deaths)
	}
}

// world is one schedule.
type world struct {
	t      *testing.T
	rng    *rand.Rand
	office *office
	queues []queue.Rules
	lobby  []*mortal
	deaths int
	stop   func()

	came  map[string]bool   // ROOM PLAYER
	known map[string]seen   // tickets as they were seen last
	ended map[string]string // how they ended
}

// seen is a ticket as Redis has it.
type seen struct {
	state, match string
	players      []string
	created      int64 // in milliseconds, as given: when its players got their seats, of a matched one
	given        int64
}

// mortal is a lobby that dies at some call of Redis.
type mortal struct {
	*service

	left  atomic.Int64 // calls until then
	after bool         // the last call has its effect
	gives bool         // it dies before, once it has given seats, with the script that did
	dead  atomic.Bool
}

const quickConnect = 5 * time.Second

var (
	quickDuel = queue.Rules{Name: "duel", Game: "arena", TeamSize: 2, Connect: quickConnect}
	quickSure = queue.Rules{Name: "sure", Game: "arena", TeamSize: 2, Confirm: 3 * time.Second, Connect: quickConnect}
	quickFill = queue.Rules{Name: "fill", Game: "arena", TeamSize: 3, Min: 1, Backfill: true, Connect: quickConnect}
)

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 7)), came: map[string]bool{}, known: map[string]seen{}, ended: map[string]string{},
	}
	all := []queue.Rules{quickDuel, quickSure, quickFill}
	w.queues = slices.Delete(all, int(seed%3), int(seed%3)+1)
	rdb, stop := cluster.Embedded()
	w.office = newOffice(t, rdb)
	w.stop = func() {
		for _, m := range w.lobby {
			m.die()
		}
		stop()
	}
	for range 2 {
		w.lobby = append(w.lobby, born(w))
	}
	return w
}

func born(w *world) *mortal {
	m := &mortal{after: w.rng.IntN(2) == 0, gives: w.rng.IntN(2) == 0}
	m.left.Store(int64(50 + w.rng.IntN(500)))
	m.service = w.office.open(func(cmd redis.Cmder, next func() error) error {
		n := m.left.Add(-1)
		if n%5 == 0 || proposes(cmd) { // so that what others do comes in between
			d := time.Duration(1+n%4) * 20 * time.Millisecond
			for began := time.Now(); time.Since(began) < d; {
				time.Sleep(d)
			}
		}
		switch {
		case n > 0 && m.gives && seats(cmd):
			if err := next(); err != nil {
				return err
			}
			m.left.Store(0)
		case n > 0:
			return next()
		case n == 0 && m.after:
			_ = next()
		}
		m.dead.Store(true)
		cmd.SetErr(errDead)
		return errDead
	}, w.queues...)
	return m
}

func run(w *world) {
	for range 40 {
		time.Sleep(time.Duration(w.rng.IntN(700)) * time.Millisecond)
		w.act()
		bury(w)
		synctest.Wait()
		w.look()
	}
	for range 80 { // nobody asks any more: what waits expires, what was promised is decided
		time.Sleep(time.Second)
		bury(w)
		if w.look(); len(w.ended) == len(w.known) {
			break
		}
	}
	time.Sleep(5 * time.Second)
	for id, s := range w.known {
		if w.ended[id] == "" {
			w.t.Errorf("ticket %s of %v has not ended: %s", id, s.players, s.state)
		}
	}
	for _, m := range w.lobby {
		m.die()
	}
	if keys := slices.DeleteFunc(endless(w.t, w.office.rdb), isIndex); len(keys) > 0 {
		w.t.Errorf("keys that do not end: %q", keys)
	}
	time.Sleep(8 * 24 * time.Hour)
	left, err := w.office.rdb.Keys(context.Background(), "*").Result()
	must(w.t, err)
	if left = slices.DeleteFunc(left, isIndex); len(left) > 0 {
		w.t.Errorf("keys that are left: %q", left)
	}
}

// isIndex says whether a key is an index of a queue's rooms, which is swept by whoever reads it.
func isIndex(key string) bool { return strings.HasSuffix(key, "}:open") }

// bury replaces the dead.
func bury(w *world) {
	for i, m := range w.lobby {
		if m.dead.Load() {
			w.deaths++
			m.die()
			w.lobby[i] = born(w)
		}
	}
}

// act does something that a player may do. What it answers counts for nothing: the lobby may have died.
func (w *world) act() {
	ctx := context.Background()
	s := w.lobby[w.rng.IntN(len(w.lobby))]
	player := fmt.Sprint("p", w.rng.IntN(6))
	if w.rng.IntN(3) == 0 {
		n := solo(w.queues[w.rng.IntN(len(w.queues))].Name, player)
		if w.rng.IntN(5) == 0 {
			n = group(n.Queue, player, fmt.Sprint("p", 6+w.rng.IntN(2)))
		}
		_, _ = s.Create(ctx, n)
		if w.rng.IntN(2) == 0 { // while a match may be made
			w.cancelOne(s, time.Duration(w.rng.IntN(8))*20*time.Millisecond)
		}
		return
	}
	ids := slices.Sorted(maps.Keys(w.known))
	for _, id := range ids {
		if w.ended[id] != "" {
			continue
		}
		for _, p := range w.known[id].players {
			switch tk, err := s.Get(ctx, id, p); {
			case err != nil:
			case w.rng.IntN(30) == 0:
				_, _ = s.Cancel(ctx, id, p)
			case tk.State == ticket.Confirming && w.rng.IntN(2) == 0:
				_, _ = s.Confirm(ctx, id, p, w.rng.IntN(8) > 0)
			case tk.State == ticket.Matched && w.rng.IntN(3) == 0:
				if w.office.tryCome(tk, p) == nil {
					w.came[tk.Match.Room+" "+p] = true
				}
			}
		}
	}
}

// cancelOne gives up some ticket after a while.
func (w *world) cancelOne(s *mortal, after time.Duration) {
	for began := time.Now(); time.Since(began) < after; {
		time.Sleep(after)
	}
	for _, id := range slices.Sorted(maps.Keys(w.known)) {
		if w.ended[id] == "" && w.rng.IntN(2) == 0 {
			_, _ = s.Cancel(context.Background(), id, w.known[id].players[0])
			return
		}
	}
}

// look reads all tickets as they are and checks what must always be so.
func (w *world) look() {
	keys, err := w.office.rdb.Keys(context.Background(), ns+":{queue:*}:ticket:*").Result()
	must(w.t, err)
	for _, key := range keys {
		f, err := w.office.rdb.HGetAll(context.Background(), key).Result()
		must(w.t, err)
		if len(f) == 0 {
			continue // it has just gone
		}
		id := key[strings.LastIndex(key, ":")+1:]
		s := seen{state: f["state"], match: w.roomOf(f["match"])}
		s.created, err = strconv.ParseInt(f["created"], 10, 64)
		must(w.t, err)
		if s.state == "matched" {
			till, err := strconv.ParseInt(f["till"], 10, 64)
			must(w.t, err)
			s.given = till - quickConnect.Milliseconds()
		}
		for _, p := range strings.Split(f["body"], `"id":"`)[1:] {
			if p, _, _ = strings.Cut(p, `"`); strings.HasPrefix(p, "p") {
				s.players = append(s.players, p)
			}
		}
		w.known[id] = s
		end := ""
		switch {
		case f["final"] == "1":
			end = "final"
			if !slices.ContainsFunc(s.players, func(p string) bool { return w.came[s.match+" "+p] }) {
				w.t.Errorf("ticket %s of %v is final, and nobody came to %s", id, s.players, s.match)
			}
		case s.state == "cancelled", s.state == "expired":
			end = s.state
		}
		if had := w.ended[id]; had != "" && had != end {
			w.t.Errorf("ticket %s had ended as %s and is %s", id, had, s.state)
		}
		if end != "" {
			w.ended[id] = end
		}
	}
	w.nobodyTwice()
}

func (w *world) roomOf(match string) string {
	_, rest, _ := strings.Cut(match, `"room":"`)
	room, _, _ := strings.Cut(rest, `"`)
	return room
}

// nobodyTwice checks that no player is brought to two matches: he may look for another only once he has come to one, and
// with a new ticket.
func (w *world) nobodyTwice() {
	w.nobodyByATicketOfBefore()
	in := map[string]string{}
	for id, s := range w.known {
		if s.state != "matched" || w.ended[id] != "" {
			continue
		}
		for _, p := range s.players {
			if w.came[s.match+" "+p] {
				continue
			}
			if other := in[p]; other != "" {
				w.t.Errorf("%s is brought to two matches, by tickets %s and %s", p, id, other)
			}
			in[p] = id
		}
	}
}

// nobodyByATicketOfBefore checks that no player was given seats twice, whether he came or not, the second time by a ticket
// with which he waited when he was given the first.
func (w *world) nobodyByATicketOfBefore() {
	has := map[string][]string{}
	for id, s := range w.known {
		if s.state == "matched" {
			for _, p := range s.players {
				has[p] = append(has[p], id)
			}
		}
	}
	for p, ids := range has {
		for _, first := range ids {
			for _, id := range ids {
				at, s := w.known[first].given, w.known[id]
				if id != first && s.created <= at && at <= s.given {
					w.t.Errorf("%s has seats by ticket %s, and had them by %s while he waited with it", p, id, first)
				}
			}
		}
	}
}
