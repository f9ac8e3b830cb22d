package match

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// fakeBook keeps orders as Redis does.
type fakeBook struct {
	mu      sync.Mutex
	waiting []Order
	done    map[string]OrderDone
	twice   []string // orders that were told otherwise the second time
	places  int
	epoch   uint64 // older ones are refused
	fail    int    // so many calls fail
	reads   int
}

func (b *fakeBook) failing() error {
	if b.fail > 0 {
		b.fail--
		return errors.New("Redis is down")
	}
	return nil
}

func (b *fakeBook) give(list ...Order) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range list {
		b.places++
		o.Place = fmt.Sprintf("%09d-0", b.places)
		b.waiting = append(b.waiting, o)
	}
}

func (b *fakeBook) Orders(_ context.Context, _, after string, limit int) (list []Order, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads++
	if err := b.failing(); err != nil {
		return nil, err
	}
	for _, o := range b.waiting {
		if o.Place > after && len(list) < limit {
			list = append(list, o)
		}
	}
	return list, nil
}

func (b *fakeBook) OrdersDone(_ context.Context, _ string, epoch uint64, done []OrderDone) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if epoch < b.epoch {
		return ErrFenced
	}
	if err := b.failing(); err != nil {
		return err
	}
	if b.done == nil {
		b.done = map[string]OrderDone{}
	}
	told := map[string]bool{}
	for _, d := range done {
		if was, ok := b.done[d.ID]; !ok {
			b.done[d.ID] = d
		} else if was.Outcome != d.Outcome {
			b.twice = append(b.twice, d.ID)
		}
		told[d.Place] = true
	}
	b.waiting = slices.DeleteFunc(b.waiting, func(o Order) bool { return told[o.Place] })
	return nil
}

func (b *fakeBook) of(id string) (OrderDone, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, ok := b.done[id]
	return d, ok
}

func (b *fakeBook) left() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

// fenced refuses older epochs from now on.
func (b *fakeBook) fenced(epoch uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.epoch = epoch
}

// add is an order that adds n to the desk's sum.
func add(id string, n int) Order {
	return Order{ID: id, Kind: "input", Body: fmt.Appendf(nil, `{"Op":%d,"N":%d}`, opAdd, n)}
}

// orderedDesk opens a room of desk in a host of its own, with a book.
func orderedDesk(t *testing.T, g Game, store journal.Store, book *fakeBook, epoch uint64) (*Host, *Instance, *fakeDirectory) {
	t.Helper()
	dir := &fakeDirectory{}
	h, err := NewHost(HostConfig{Games: []Game{g}, Directory: dir, Journals: store, Orders: book})
	if err != nil {
		t.Fatal(err)
	}
	rm, err := h.Open(Spec{ID: "r1", Game: g.Name(), Seed: 7, Epoch: epoch})
	if err != nil {
		t.Fatal(err)
	}
	return h, rm, dir
}

// ordering runs a test in a bubble with a room of desk, a book and n players.
func ordering(t *testing.T, rules Rules, n int, f func(t *testing.T, h *Host, rm *Instance, book *fakeBook, who []*clerk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g, book := deskGame(t, desk{}, rules), &fakeBook{}
		h, rm, _ := orderedDesk(t, g, nil, book, 9)
		var who []*clerk
		for i := range n {
			who = append(who, newClerk(t, g, rm, netcode.Seat(i+1)))
		}
		ticks(2)
		f(t, h, rm, book, who)
		closeHost(t, h)
	})
}

func wantOrder(t *testing.T, b *fakeBook, id string, outcome OrderOutcome, why string) {
	t.Helper()
	if d, ok := b.of(id); !ok || d.Outcome != outcome || !strings.Contains(d.Why, why) {
		t.Errorf("of order %s came %+v (%v), want %v %q", id, d, ok, outcome, why)
	}
}

func TestRoomIsFedByABackendInItsOrder(t *testing.T) {
	ordering(t, Rules{}, 1, func(t *testing.T, h *Host, _ *Instance, b *fakeBook, who []*clerk) {
		b.give(add("a", 50), Order{ID: "b", Kind: "input", Body: fmt.Appendf(nil, `{"Op":%d}`, opRefuse)}, add("c", 101))
		h.Ordered("r1", false)
		ticks(3)
		if sum := who[0].row().Sum; sum != 151 { // Check, which allows 100 at most, is for players
			t.Errorf("the sum is %d, want 151", sum)
		}
		wantOrder(t, b, "a", OrderIsDone, "")
		wantOrder(t, b, "b", OrderRefused, "not now")
		wantOrder(t, b, "c", OrderIsDone, "")
		if b.left() != 0 {
			t.Errorf("%d wait on", b.left())
		}
	})
}

func TestOrderThatIsNoneOfTheGamesIsRefusedWithItsReason(t *testing.T) {
	ordering(t, Rules{}, 1, func(t *testing.T, h *Host, rm *Instance, b *fakeBook, who []*clerk) {
		b.give(
			Order{ID: "field", Kind: "input", Body: []byte(`{"Speed":1}`)},
			Order{ID: "type", Kind: "event", Event: "Boom"},
			Order{ID: "value", Kind: "event", Event: "called", Body: []byte(`{"N":"x"}`)},
			Order{ID: "kind", Kind: "dance"},
			Order{ID: "who", Kind: "kick", Player: "nobody"},
			Order{ID: "whom", Kind: "event", Event: "called", Player: "nobody"},
		)
		h.Ordered("r1", false)
		ticks(3)
		wantOrder(t, b, "field", OrderRefused, `"Speed"`)
		wantOrder(t, b, "type", OrderRefused, `"Boom"`)
		wantOrder(t, b, "value", OrderRefused, "N")
		wantOrder(t, b, "kind", OrderRefused, "dance")
		wantOrder(t, b, "who", OrderNoPlayer, "")
		wantOrder(t, b, "whom", OrderNoPlayer, "")
		if who[0].code() != 0 || len(who[0].events) != 0 || rm.orders.held.Load() != 0 {
			t.Errorf("the player hears %v, and the room holds %d", who[0].events, rm.orders.held.Load())
		}
	})
}

func TestGameWithoutAFeedHookRefusesInputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := dotGame(t, dots{}, Rules{}), &fakeBook{}
		h, _, _ := orderedDesk(t, g, nil, b, 9)
		b.give(Order{ID: "a", Kind: "input", Body: []byte(`{"DX":1}`)}, Order{ID: "b", Kind: "event", Event: "moved", Body: []byte(`{"By":1}`)})
		ticks(1)
		h.Ordered("r1", true)
		ticks(2)
		wantOrder(t, b, "a", OrderRefused, "takes no inputs")
		wantOrder(t, b, "b", OrderIsDone, "")
		closeHost(t, h)
	})
}

func TestEventOfABackendReachesThoseItIsFor(t *testing.T) {
	ordering(t, Rules{}, 3, func(t *testing.T, h *Host, _ *Instance, b *fakeBook, who []*clerk) {
		who[1].do(opTeam, 4)
		ticks(2)
		event := func(id string, n int) Order {
			return Order{ID: id, Kind: "event", Event: "called", Body: fmt.Appendf(nil, `{"N":%d}`, n)}
		}
		all, one, team := event("all", 1), event("one", 2), event("team", 3)
		one.Player, team.Team = "clerk3", 4
		b.give(all, one, team)
		h.Ordered("r1", false)
		ticks(3)
		for i, want := range []string{"[1]", "[1 3]", "[1 2]"} {
			var got []int8
			for _, e := range who[i].events {
				got = append(got, e.(*called).N)
			}
			if fmt.Sprint(got) != want {
				t.Errorf("player %d hears %v, want %s", i+1, got, want)
			}
		}
	})
}

func TestOperatorKicksAPlayer(t *testing.T) {
	ordering(t, Rules{}, 2, func(t *testing.T, h *Host, rm *Instance, b *fakeBook, who []*clerk) {
		b.give(Order{ID: "k", Kind: "kick", Player: "clerk2", Text: "cheating"})
		h.Ordered("r1", false)
		ticks(3)
		if who[1].closed == nil || who[1].closed.Code != proto.CodeKicked || who[1].closed.Reason != "cheating" || who[0].code() != 0 {
			t.Errorf("the players are told %+v and %+v", who[0].closed, who[1].closed)
		}
		wantOrder(t, b, "k", OrderIsDone, "")
		if rm.playing.Load() != 1 {
			t.Errorf("%d players are left", rm.playing.Load())
		}
	})
}

func TestOperatorEndsAMatchForGood(t *testing.T) {
	for _, rules := range []Rules{{}, {Persist: true}, {Sleep: true}, journalled} {
		files := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			g, b := deskGame(t, desk{}, rules), &fakeBook{}
			h, rm, dir := orderedDesk(t, g, openFiles(t, files), b, 9)
			a := newClerk(t, g, rm, 1)
			ticks(5)
			b.give(add("before", 1), Order{ID: "e", Kind: "end", Text: "maintenance"}, add("after", 1))
			h.Ordered("r1", false)
			ticks(20)
			if a.closed == nil || a.closed.Code != proto.CodeMatchGone || a.closed.Reason != "maintenance" || a.end != nil {
				t.Errorf("%+v: the player is told %+v, end %+v", rules, a.closed, a.end)
			}
			wantOrder(t, b, "before", OrderIsDone, "")
			wantOrder(t, b, "e", OrderIsDone, "")
			dir.mu.Lock()
			if len(dir.results) != 1 || len(dir.results[0].Placements) != 0 || len(dir.ended) != 1 {
				t.Errorf("%+v: results %+v, ended %v", rules, dir.results, dir.ended)
			}
			dir.mu.Unlock()
			if h.Room("r1") != nil {
				t.Error("the room runs on")
			}
			closeHost(t, h)
			if _, err := openFiles(t, files).Load(t.Context(), "r1", 0); !errors.Is(err, journal.ErrNone) {
				t.Errorf("%+v: there is something to go on from: %v", rules, err)
			}
		})
	}
}

func TestOperatorLooksIntoAState(t *testing.T) {
	ordering(t, Rules{}, 1, func(t *testing.T, h *Host, _ *Instance, b *fakeBook, _ []*clerk) {
		b.give(add("a", 7), Order{ID: "s", Kind: "state"})
		h.Ordered("r1", false)
		ticks(3)
		var state struct {
			Tick   uint32
			Tables []struct {
				Name string
				Rows []struct{ Fields map[string]any }
			}
		}
		d, ok := b.of("s")
		if err := json.Unmarshal(d.Answer, &state); !ok || err != nil {
			t.Fatalf("%v %v: %s", ok, err, d.Answer)
		}
		fields := state.Tables[0].Rows[0].Fields
		if _, secret := fields["Wish"]; state.Tick == 0 || state.Tables[0].Name != "Desk" || fields["Sum"] != 7.0 || !secret {
			t.Errorf("the state is shown as %s", d.Answer)
		}
	})
}

func TestRoomThatSleepsWakesForAnOrder(t *testing.T) {
	ordering(t, Rules{Sleep: true, Grace: time.Minute, Empty: time.Minute}, 1, func(t *testing.T, h *Host, rm *Instance, b *fakeBook, who []*clerk) {
		rm.Detach(who[0].fakeViewer)
		ticks(5)
		before := rm.tick
		ticks(20)
		if rm.tick != before {
			t.Fatal("the room does not sleep")
		}
		b.give(add("a", 7))
		h.Ordered("r1", false)
		ticks(3)
		wantOrder(t, b, "a", OrderIsDone, "")
		ticks(3)
		before = rm.tick
		ticks(20)
		if rm.tick != before {
			t.Error("it does not sleep again")
		}
	})
}

func TestOrderWaitsWhileItsBookDoesNotAnswer(t *testing.T) {
	ordering(t, Rules{}, 1, func(t *testing.T, h *Host, _ *Instance, b *fakeBook, who []*clerk) {
		b.fail = 3
		b.give(add("a", 1))
		h.Ordered("r1", false)
		pass(2 * time.Second)
		wantOrder(t, b, "a", OrderIsDone, "")
		b.give(add("b", 1))
		h.Ordered("r1", false)
		ticks(1)
		b.mu.Lock()
		b.fail = 4 // of telling
		b.mu.Unlock()
		pass(2 * time.Second)
		wantOrder(t, b, "b", OrderIsDone, "")
		if sum := who[0].row().Sum; sum != 2 {
			t.Errorf("the sum is %d: each is done once", sum)
		}
	})
}

func TestFloodOfOrdersIsSpreadOverTicksAndNoneIsLost(t *testing.T) {
	ordering(t, Rules{}, 1, func(t *testing.T, h *Host, rm *Instance, b *fakeBook, who []*clerk) {
		const n = 10_000
		for i := range n {
			b.give(add(fmt.Sprint("o", i), 1))
		}
		for range 40 {
			h.Ordered("r1", false)
		}
		most := int32(0)
		took := 0
		for ; b.left() > 0; took++ {
			ticks(1)
			most = max(most, rm.orders.held.Load())
			if took > 1000 {
				t.Fatalf("%d are left after %d ticks", b.left(), took)
			}
		}
		if took < n/maxOrdersTick {
			t.Errorf("%d ticks had more than %d each", took, maxOrdersTick)
		}
		ticks(1)
		if sum := who[0].row().Sum; sum != n || most > maxOrdersHeld {
			t.Errorf("the sum is %d, and the room held up to %d", sum, most)
		}
	})
}

func TestOrderAtWhichTheRulesPanicIsRefusedAndTheRoomGoesOn(t *testing.T) {
	ordering(t, Rules{}, 1, func(t *testing.T, h *Host, _ *Instance, b *fakeBook, who []*clerk) {
		b.give(add("a", 1))
		h.Ordered("r1", false)
		ticks(3)
		b.give(Order{ID: "p", Kind: "input", Body: fmt.Appendf(nil, `{"Op":%d}`, opPanic)})
		h.Ordered("r1", false)
		ticks(3)
		b.give(add("b", 1))
		h.Ordered("r1", false)
		ticks(3)
		wantOrder(t, b, "p", OrderRefused, "failed")
		wantOrder(t, b, "b", OrderIsDone, "")
		if who[0].code() != 0 || who[0].row().Sum != 2 {
			t.Errorf("the player is told %d, the sum is %d", who[0].code(), who[0].row().Sum)
		}
	})
}

func TestOrderIsCalledDoneOnceItsTickIsDurable(t *testing.T) {
	files := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g, b := deskGame(t, desk{}, journalled), &fakeBook{}
		store := &stallingStore{Store: openFiles(t, files)}
		h, rm, _ := orderedDesk(t, g, store, b, 9)
		a := newClerk(t, g, rm, 1)
		ticks(10)
		store.stalled.Store(true)
		b.give(add("a", 7))
		h.Ordered("r1", false)
		ticks(10)
		if _, ok := b.of("a"); ok || a.row().Sum != 7 {
			t.Errorf("done %v though a failover would take it back; the sum is %d", ok, a.row().Sum)
		}
		store.stalled.Store(false)
		pass(3 * time.Second)
		wantOrder(t, b, "a", OrderIsDone, "")
		closeHost(t, h)
	})
}

func TestNewerHostDoesWhatTheOlderOneHadNotDone(t *testing.T) {
	files := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g, b := deskGame(t, desk{}, journalled), &fakeBook{}
		h, rm, _ := orderedDesk(t, g, openFiles(t, files), b, 9)
		a := newClerk(t, g, rm, 1)
		ticks(10)
		b.give(add("a", 7)) // and the host dies before it hears of it
		b.fenced(10)
		left := copied(t, files)
		closeHost(t, h)
		h, rm, _ = orderedDesk(t, g, openFiles(t, left), b, 10)
		a2 := a.comesBack(rm)
		ticks(10)
		wantOrder(t, b, "a", OrderIsDone, "")
		if sum := a2.row().Sum; sum != 7 {
			t.Errorf("the sum is %d", sum)
		}
		closeHost(t, h)
	})
}

// However often its host dies, and whatever it had told by then, each order is done once in the history that counts, and
// the match verifies.
func TestEachOrderIsDoneOnceOverAnyFailovers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		first := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			g, b := deskGame(t, desk{}, journalled), &fakeBook{}
			files, epoch := first, uint64(9)
			store := &stallingStore{Store: openFiles(t, files)}
			h, rm, _ := orderedDesk(t, g, store, b, epoch)
			a := newClerk(t, g, rm, 1)
			ticks(5)
			before := a // the newest connection on which he was welcomed
			given, want := 0, int32(0)
			rt.Repeat(map[string]func(*rapid.T){
				"give": func(rt *rapid.T) {
					for range rapid.IntRange(1, 5).Draw(rt, "orders") {
						given++
						want += int32(given % 7)
						b.give(add(fmt.Sprint("o", given), given%7))
					}
					if rapid.Bool().Draw(rt, "heard") {
						h.Ordered("r1", false)
					}
				},
				"look": func(*rapid.T) { h.Ordered("r1", true) },
				"pass": func(rt *rapid.T) { pass(time.Duration(rapid.IntRange(1, 200).Draw(rt, "ms")) * time.Millisecond) },
				"book": func(rt *rapid.T) {
					b.mu.Lock()
					defer b.mu.Unlock()
					b.fail = rapid.IntRange(0, 3).Draw(rt, "fails")
				},
				"store": func(rt *rapid.T) { store.stalled.Store(rapid.Bool().Draw(rt, "stalled")) },
				"crash": func(rt *rapid.T) {
					epoch++
					b.fenced(epoch)
					left := copied(t, files)
					store.stalled.Store(false)
					closeHost(t, h)
					files = left
					store = &stallingStore{Store: openFiles(t, files)}
					h, rm, _ = orderedDesk(t, g, store, b, epoch)
					if a.welcomed() {
						before = a
					}
					a = before.comesBack(rm)
					pass(time.Duration(rapid.IntRange(1, 120).Draw(rt, "ms")) * time.Millisecond)
				},
			})
			store.stalled.Store(false)
			for range 200 {
				h.Ordered("r1", true)
				pass(100 * time.Millisecond)
				if b.left() == 0 {
					break
				}
			}
			ticks(2)
			if sum := a.row().Sum; sum != want || b.left() != 0 || len(b.twice) > 0 {
				rt.Errorf("the sum is %d, want %d; %d wait; %v came out otherwise the second time", sum, want, b.left(), b.twice)
			}
			closeHost(t, h)
			verified(t, g, files, given)
		})
	})
}

// welcomed says whether the room has taken the player in.
func (c *clerk) welcomed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.welcome != nil
}

// verified holds a recorded match to its hashes, and counts its orders.
func verified(t *testing.T, g Game, files string, orders int) {
	t.Helper()
	var file bytes.Buffer
	if err := openFiles(t, files).Export(t.Context(), "r1", &file); err != nil {
		t.Fatal(err)
	}
	rep, err := VerifyReplay(g, bytes.NewReader(file.Bytes()))
	if err != nil || rep.Differs != nil || rep.Panic != nil || rep.Checked == 0 {
		t.Fatalf("the match does not come out again: %v %+v", err, rep)
	}
	r, err := journal.NewReader(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for {
		rec, _, err := r.Next()
		if err != nil {
			break
		}
		if rec != nil {
			for _, o := range rec.Orders {
				seen[o.ID]++
			}
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("order %s stands in %d records", id, n)
		}
	}
	if len(seen) != orders {
		t.Errorf("%d orders are in the match's records, want %d", len(seen), orders)
	}
}

// Who watches a match that an operator ends hears what its End hook says, as the players do.
func TestSpectatorHearsTheLastWordsOfAMatchThatAnOperatorEnds(t *testing.T) {
	for _, delay := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			g, b := stageGame(t, Rules{SpectatorDelay: delay}), &fakeBook{}
			h, rm, _ := orderedDesk(t, g, nil, b, 9)
			a := newViewer(t, g, 1)
			a.attach(rm, "alice")
			w := watch(t, g, rm, "walter")
			ticks(40)
			b.give(Order{ID: "e", Kind: "end", Text: "maintenance"})
			h.Ordered("r1", false)
			ticks(40)
			if n := len(w.events); n == 0 || w.events[n-1].(*line).Text != "the end" || w.code() != proto.CodeMatchGone || w.end != nil {
				t.Errorf("delay %v: %d events, the last %+v, code %d", delay, n, w.events[n-1], w.code())
			}
			closeHost(t, h)
		})
	}
}
