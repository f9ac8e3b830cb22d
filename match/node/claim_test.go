package node_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/match"
	"muster/match/cluster"
	"muster/netcode"
	"muster/proto"
)

func TestRoomsOfADeadNodeGoOnAtTheOthersWithNothingLost(t *testing.T) {
	inWorld(t, 3, match.Rules{}, func(t *testing.T, w *world) {
		first := w.procs[0]
		var players []*player
		for i := range 30 {
			room := fmt.Sprint("room", i)
			p := w.begin("journal", room, "", first, "alice")
			players = append(players, p)
		}
		time.Sleep(200 * time.Millisecond)
		for i := range 20 {
			for _, p := range players {
				p.does(opPay, uint8(i+1))
			}
			time.Sleep(50 * time.Millisecond)
		}
		go first.kill()
		began := time.Now()
		time.Sleep(10 * time.Millisecond)
		within(t, 3*time.Second, "every room goes on", func() bool {
			for _, p := range players {
				if len(w.hosts(p.room)) != 1 {
					return false
				}
			}
			return true
		})
		t.Logf("all go on after %v, with a lease of %v", time.Since(began), lease)
		counts := map[string]int{}
		for _, p := range players {
			if !p.comesBack() {
				t.Fatalf("%s runs nowhere", p.room)
			}
			counts[p.at.id]++
		}
		if counts["n2"] < 8 || counts["n3"] < 8 {
			t.Errorf("the rooms are spread as %v", counts)
		}
		time.Sleep(200 * time.Millisecond)
		for _, p := range players {
			if m, _ := p.now.greeted(); m == nil || m.Seq < p.durable {
				t.Fatalf("%s: the welcome is %+v, and %d commands were durable", p.room, m, p.durable)
			}
			p.sends()
			p.does(opPay, 100)
		}
		time.Sleep(2 * time.Second)
		for _, p := range players {
			p.note()
			if last := p.seen[21]; len(p.seen) != 21 || last != (paid{21, 310}) {
				t.Errorf("%s: %d events, the last is %+v, want 21 payments of 310", p.room, len(p.seen), last)
			}
			rec, err := w.dir.Room(context.Background(), p.room)
			if err != nil || rec.Node != p.at.id || rec.Epoch != p.rm.Epoch() || rec.Epoch == 0 {
				t.Errorf("%s: its record is %+v, %v", p.room, rec, err)
			}
		}
		if rec, err := w.dir.Room(context.Background(), "room0"); err != nil || rec.Attempts != 0 {
			t.Errorf("the record of a room that has run on since: %+v, %v", rec, err)
		}
	})
}

// codeOf is what one is told who comes for a room.
func codeOf(p *process, room string) proto.Code {
	_, err := p.rooms.Open(context.Background(), room)
	var c *proto.Close
	if errors.As(err, &c) {
		return c.Code
	}
	return 0
}

// drained are the results and lost matches in the outbox.
func (w *world) drained() (results []proto.Result, lost []cluster.Lost) {
	w.t.Helper()
	o := cluster.NewOutbox(w.rdb, ns)
	o.Lost = func(_ context.Context, l cluster.Lost) error {
		lost = append(lost, l)
		return nil
	}
	for n := 1; n > 0; {
		var err error
		n, err = o.Drain(context.Background(), func(_ context.Context, r proto.Result) error {
			results = append(results, r)
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return results, lost
}

func TestMatchOfAClassThatDoesNotSurviveIsLostAndItsLobbyHearsItOnce(t *testing.T) {
	inWorld(t, 3, match.Rules{}, func(t *testing.T, w *world) {
		first := w.procs[0]
		w.create("none", "r1", "duel", first, "alice", "bob")
		for i, id := range []string{"alice", "bob"} {
			if err := w.player(id, "r1", netcode.Seat(i+1)).comes(first); err != nil {
				t.Fatal(err)
			}
		}
		w.create("none", "r2", "duel", first, "carol", "dave") // nobody has come yet: it may begin elsewhere
		time.Sleep(time.Second)
		first.kill()
		time.Sleep(2 * time.Second)
		for _, p := range w.alive() {
			if c := codeOf(p, "r1"); c != proto.CodeMatchGone {
				t.Errorf("at %s one is told %d, want 4201", p.id, c)
			}
		}
		if err := w.player("carol", "r2", 1).comes(w.procs[1]); err != nil {
			t.Errorf("a room that never ran: %v", err)
		}
		results, lost := w.drained()
		want := []cluster.Lost{{Room: "r1", Game: "none", Queue: "duel", Players: []string{"alice", "bob"}}}
		if d := cmp.Diff(want, lost); d != "" || len(results) != 0 {
			t.Errorf("results %v, lost (-want +got):\n%s", results, d)
		}
		if _, err := w.dir.Rejoin(context.Background(), "r1", "alice", "again"); !errors.Is(err, cluster.ErrNoRoom) {
			t.Errorf("rejoining: %v", err)
		}
	})
}

func TestMatchThatDidNotBeginWhenItsServerDiedIsOff(t *testing.T) {
	inWorld(t, 2, match.Rules{}, func(t *testing.T, w *world) {
		first := w.procs[0]
		w.begin("none", "r1", "duel", first, "alice", "bob")
		time.Sleep(100 * time.Millisecond)
		first.kill()
		time.Sleep(2 * time.Second)
		s, err := w.dir.Settle(context.Background(), "r1")
		if err != nil || s.State != cluster.Off || len(s.Came) != 1 {
			t.Errorf("it is settled as %+v, %v", s, err)
		}
		if _, lost := w.drained(); len(lost) != 0 { // who waits for it hears it from there
			t.Errorf("lost: %v", lost)
		}
	})
}

// The second of two hosts that were killed within a second had got on with the room; a third one in a row is too many.
func TestRoomWhoseHostsStopSoonAfterEachOtherIsTriedThriceAndThenFails(t *testing.T) {
	inWorld(t, 5, match.Rules{}, func(t *testing.T, w *world) {
		w.begin("journal", "r1", "", w.procs[0], "alice")
		time.Sleep(time.Second)
		for i := range 3 {
			at := w.hosts("r1")
			if len(at) != 1 {
				t.Fatalf("after %d deaths it runs in %d processes", i, len(at))
			}
			at[0].kill() // as rules do that end the process
			time.Sleep(time.Second)
		}
		if n := len(w.hosts("r1")); n != 0 {
			t.Errorf("after three attempts it runs in %d processes", n)
		}
		for _, at := range w.alive() {
			if c := codeOf(at, "r1"); c != proto.CodeRulesFailed {
				t.Errorf("one is told %d, want 4204", c)
			}
		}
		if n := len(w.alive()); n != 2 {
			t.Errorf("%d processes are left, want 2", n)
		}
	})
}

// Its players come back at once, and so have it taken over before the next look does.
func TestRoomThatStopsItsHostsIsTriedTwiceThoughItsPlayersComeAtOnce(t *testing.T) {
	inWorld(t, 4, match.Rules{}, func(t *testing.T, w *world) {
		w.begin("journal", "r1", "", w.procs[0], "alice")
		time.Sleep(time.Second)
		for i := range 2 {
			at := w.hosts("r1")
			if len(at) != 1 {
				t.Fatalf("after %d deaths it runs in %d processes", i, len(at))
			}
			var waiting sync.WaitGroup
			for _, edge := range w.alive() {
				if edge == at[0] {
					continue
				}
				waiting.Go(func() {
					time.Sleep(time.Millisecond) // it is dead by then
					ctx, cancel := context.WithTimeout(context.Background(), lease+100*time.Millisecond)
					defer cancel()
					_, _ = edge.rooms.Open(ctx, "r1")
				})
			}
			at[0].kill()
			waiting.Wait()
			time.Sleep(500 * time.Millisecond)
		}
		if c := codeOf(w.alive()[0], "r1"); len(w.hosts("r1")) != 0 || c != proto.CodeRulesFailed {
			t.Errorf("after two attempts it runs in %d processes; one is told %d, want 4204", len(w.hosts("r1")), c)
		}
	})
}

func TestRoomWhoseHostsAreKilledLongAfterEachOtherGoesOn(t *testing.T) {
	inWorld(t, 6, match.Rules{}, func(t *testing.T, w *world) {
		p := w.begin("journal", "r1", "", w.procs[0], "alice")
		for range 5 {
			time.Sleep(7 * time.Second)
			at := w.hosts("r1")
			if len(at) != 1 {
				t.Fatalf("it runs in %d processes", len(at))
			}
			at[0].kill()
			time.Sleep(time.Second)
			if !p.comesBack() {
				t.Fatal("it runs nowhere")
			}
		}
	})
}

func TestRoomWhoseRulesHangIsTriedTwiceAndThenFailsForGood(t *testing.T) {
	for _, game := range []string{"journal", "none"} {
		inWorld(t, 4, match.Rules{}, func(t *testing.T, w *world) {
			hung := make(chan struct{})
			never.Store(int32(1), hung)
			defer close(hung)
			first := w.procs[0]
			w.create(game, "r1", "duel", first, "alice")
			w.create("journal", "r2", "", first, "bob")
			p, beside := w.player("alice", "r1", 1), w.player("bob", "r2", 1)
			for _, p := range []*player{p, beside} {
				if err := p.comes(first); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
			p.does(opPay, 5)
			time.Sleep(time.Second)
			p.does(opHang, 1)
			time.Sleep(2 * time.Second)
			if game == "journal" {
				if c := p.now.code(); c != proto.CodeNodeLeaving {
					t.Errorf("after the first time one is told %d, want to come again", c)
				}
				if !p.comesBack() || p.at == first {
					t.Fatalf("it goes on nowhere else: %v", p.at.id)
				}
				time.Sleep(500 * time.Millisecond)
				p.sends() // what was not durable, as clients do
				time.Sleep(2 * time.Second)
			}
			if c := p.now.code(); c != proto.CodeRulesFailed {
				t.Errorf("one is told %d, want 4204", c)
			}
			time.Sleep(5 * time.Second)
			if n := len(w.hosts("r1")); n != 0 {
				t.Errorf("it runs in %d processes", n)
			}
			for _, at := range w.alive() {
				if c := codeOf(at, "r1"); c != proto.CodeRulesFailed {
					t.Errorf("at %s one is told %d, want 4204", at.id, c)
				}
			}
			frames := beside.now.count()
			time.Sleep(time.Second)
			if beside.now.count() < frames+19 || beside.now.code() != 0 {
				t.Errorf("the room beside it sent %d frames in a second", beside.now.count()-frames)
			}
			fit := 0
			for _, at := range w.alive() {
				if at.host.Unfit() == "" {
					fit++
				}
			}
			want := map[string]int{"journal": 2, "none": 3}[game]
			if _, lost := w.drained(); fit != want || len(lost) != 0 {
				t.Errorf("%d processes are fit, want %d; lost %v", fit, want, lost)
			}
		})
	}
}

func TestPersistentRoomIsClaimedOnlyIfSomebodyIsInIt(t *testing.T) {
	inWorld(t, 2, match.Rules{}, func(t *testing.T, w *world) {
		first, second := w.procs[0], w.procs[1]
		for _, name := range []string{"docs.a", "docs.b"} {
			n := cluster.NewRoom{Game: "persistent", Rules: "1", Node: first.id, Seats: 4}
			if _, err := w.dir.Ensure(context.Background(), name, n, func(string) bool { return true }); err != nil {
				t.Fatal(err)
			}
			if _, err := w.dir.Reserve(context.Background(), name, 10*time.Second, []cluster.Claim{{Player: "alice", Token: name + "-alice"}}); err != nil {
				t.Fatal(err)
			}
		}
		a, b := w.player("alice", "docs.a", 1), w.player("alice", "docs.b", 1)
		for _, p := range []*player{a, b} {
			if err := p.comes(first); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		a.does(opPay, 7)
		b.does(opPay, 8)
		time.Sleep(2 * time.Second)
		b.rm.Leave(b.now)
		time.Sleep(time.Second)
		first.kill()
		time.Sleep(time.Second)
		if len(w.hosts("docs.a")) != 1 || len(w.hosts("docs.b")) != 0 {
			t.Errorf("the room with somebody in it runs in %d processes, the other in %d", len(w.hosts("docs.a")), len(w.hosts("docs.b")))
		}
		time.Sleep(5 * time.Second)
		n := cluster.NewRoom{Game: "persistent", Rules: "1", Node: second.id, Seats: 4}
		rec, err := w.dir.Ensure(context.Background(), "docs.b", n, func(id string) bool { return id == second.id })
		if err != nil || rec.Node != second.id {
			t.Fatalf("opening it where it is wanted: %+v, %v", rec, err)
		}
		if _, err := w.dir.Reserve(context.Background(), "docs.b", 10*time.Second, []cluster.Claim{{Player: "bob", Token: "docs.b-bob"}}); err != nil {
			t.Fatal(err)
		}
		c := w.player("bob", "docs.b", 1)
		if err := c.comes(second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		c.does(opPay, 1)
		time.Sleep(time.Second)
		c.note()
		if c.seen[1].Sum != 9 {
			t.Errorf("the room's book says %+v, want 9", c.seen)
		}
	})
}

func TestRoomsThatAreShutDownGoOnElsewhereAtOnce(t *testing.T) {
	inWorld(t, 2, match.Rules{}, func(t *testing.T, w *world) {
		first := w.procs[0]
		w.create("journal", "r1", "", first, "alice")
		w.create("none", "r2", "duel", first, "bob")
		p, q := w.player("alice", "r1", 1), w.player("bob", "r2", 1)
		for _, p := range []*player{p, q} {
			if err := p.comes(first); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		p.does(opPay, 1)
		time.Sleep(time.Second)
		first.claims.Close()
		if err := first.host.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		first.killed, first.over = true, true
		w.mu.Unlock()
		within(t, time.Second, "the room goes on", func() bool { return len(w.hosts("r1")) == 1 })
		if rec, err := w.dir.Room(context.Background(), "r1"); err != nil || rec.Attempts != 0 {
			t.Errorf("its record is %+v, %v: a shutdown is no attempt", rec, err)
		}
		_, lost := w.drained()
		if c := codeOf(w.procs[1], "r2"); c != proto.CodeMatchGone || len(lost) != 1 || lost[0].Room != "r2" {
			t.Errorf("of the other one is told %d; lost %v", c, lost)
		}
	})
}
