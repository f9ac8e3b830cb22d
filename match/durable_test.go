package match

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// stallingStore is a store that can be made to answer nothing.
type stallingStore struct {
	journal.Store
	stalled       atomic.Bool
	noCheckpoints atomic.Bool
}

func (s *stallingStore) Append(ctx context.Context, room string, epoch uint64, prev uint32, list []journal.Entry) error {
	if s.stalled.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Store.Append(ctx, room, epoch, prev, list)
}

func (s *stallingStore) Checkpoint(ctx context.Context, room string, epoch uint64, h journal.Header, cp journal.Checkpoint) error {
	if s.stalled.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if s.noCheckpoints.Load() {
		return errors.New("no checkpoint is stored now")
	}
	return s.Store.Checkpoint(ctx, room, epoch, h, cp)
}

func openFiles(t *testing.T, dir string) *journal.Files {
	t.Helper()
	f, err := journal.OpenFiles(journal.FilesConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// startDesk opens a room of desk in a host of its own.
func startDesk(t *testing.T, g Game, store journal.Store, epoch uint64) (*Host, *Instance, *fakeDirectory) {
	t.Helper()
	dir := &fakeDirectory{}
	h, err := NewHost(HostConfig{Games: []Game{g}, Directory: dir, Journals: store})
	if err != nil {
		t.Fatal(err)
	}
	rm, err := h.Open(Spec{ID: "r1", Game: g.Name(), Seed: 7, Epoch: epoch})
	if err != nil {
		t.Fatal(err)
	}
	return h, rm, dir
}

func newClerk(t *testing.T, g Game, rm *Instance, seat netcode.Seat) *clerk {
	c := &clerk{fakeViewer: newViewer(t, g, seat), rm: rm}
	c.attach(rm, fmt.Sprint("clerk", seat))
	return c
}

// comesBack is the player on a new connection, to a room that may be another one, with the newest resume secret.
func (c *clerk) comesBack(rm *Instance) *clerk {
	b := &clerk{fakeViewer: newViewer(c.t, *rm.game, c.seat), rm: rm, seq: c.seq}
	ok := rm.Attach(Attach{
		Viewer: b.fakeViewer, Player: Player{Seat: c.seat, ID: c.welcome.Player, Name: c.welcome.Player},
		PlayerExpires: time.Now().Add(time.Hour), Resume: true, Counter: c.resume.Counter,
	})
	if !ok {
		c.t.Fatal("the room takes nobody")
	}
	return b
}

func closeHost(t *testing.T, h *Host) {
	t.Helper()
	if err := h.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

var journalled = Rules{Durability: Journal, CheckpointEvery: time.Second, Grace: time.Minute}

// copied is a directory as a process that was killed at this moment would leave it.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestMatchOutlivesItsProcess(t *testing.T) {
	for kill := range 30 {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			g := deskGame(t, desk{}, journalled)
			h, rm, _ := startDesk(t, g, openFiles(t, dir), 9)
			a, b := newClerk(t, g, rm, 1), newClerk(t, g, rm, 2)
			ticks(2)
			b.do(opTeam, 3)
			for i := range 10 + kill {
				a.do([]uint8{opAdd, opDice, opCall, opRefuse}[i%4], 3)
				ticks(1)
			}
			ticks(kill % 3)
			before, durable, processed := a.row(), a.head.Durable, a.head.Processed
			told := len(b.numbers)
			left := copied(t, dir)
			closeHost(t, h)

			h, rm, _ = startDesk(t, g, openFiles(t, left), 10)
			a2, b2 := a.comesBack(rm), b.comesBack(rm)
			ticks(3)
			if a2.welcome == nil || a2.welcome.Epoch != 10 {
				t.Fatalf("killed after %d: the player is not welcome: %+v %+v", kill, a2.welcome, a2.closed)
			}
			if got := a2.welcome.Seq; got < durable {
				t.Errorf("killed after %d: input %d is there, and %d was said to be durable", kill, got, durable)
			}
			if a2.welcome.Seq == processed && a2.row() != before {
				t.Errorf("killed after %d: the state is %+v, was %+v", kill, a2.row(), before)
			}
			if len(b2.numbers) < told && b2.welcome.Event < uint32(told) && len(b2.numbers)+int(b2.welcome.Event) < told {
				t.Errorf("killed after %d: %d events after %d, and %d were told", kill, len(b2.numbers), b2.welcome.Event, told)
			}
			a2.seq = a2.welcome.Seq
			sum := a2.row().Sum
			a2.do(opAdd, 1)
			ticks(2)
			if a2.row().Sum != sum+1 {
				t.Errorf("killed after %d: the match does not go on: %d after %d", kill, a2.row().Sum, sum)
			}
			closeHost(t, h)
		})
	}
}

func TestMatchThatWasShutDownGoesOnWhereItWasWithItsEventsOnce(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, journalled)
		h, rm, first := startDesk(t, g, openFiles(t, dir), 9)
		a, b := newClerk(t, g, rm, 1), newClerk(t, g, rm, 2)
		ticks(2)
		b.do(opTeam, 3)
		ticks(2)
		for range 5 {
			a.do(opDice, 0)
			a.do(opCall, 3)
			ticks(2)
		}
		ticks(3)
		before, tick := a.row(), a.head.Tick
		closeHost(t, h)
		if len(first.results) != 0 || a.code() != proto.CodeNodeLeaving {
			t.Errorf("results %v, code %d", first.results, a.code())
		}

		h, rm, _ = startDesk(t, g, openFiles(t, dir), 10)
		a2, b2 := a.comesBack(rm), b.comesBack(rm)
		ticks(2)
		if a2.row() != before || a2.head.Tick < tick || a2.head.Tick > tick+5 {
			t.Errorf("at tick %d the state is %+v; it was %+v at %d", a2.head.Tick, a2.row(), before, tick)
		}
		if a2.head.Processed != a.seq || a2.head.Durable != a.seq {
			t.Errorf("processed %d, durable %d; %d were sent", a2.head.Processed, a2.head.Durable, a.seq)
		}
		// b acknowledged none (it sends no packets), so all five come again, with the same numbers
		if len(b.numbers) != 5 || len(b2.numbers) != 5 || b2.numbers[0] != b.numbers[0] || b2.numbers[4] != b.numbers[4] {
			t.Errorf("events %v before and %v after", b.numbers, b2.numbers)
		}
		if b2.welcome.Kept != 5 {
			t.Errorf("the welcome says that %d events of before were kept, want 5", b2.welcome.Kept)
		}
		closeHost(t, h)
	})
}

func TestPlayersWhoDoNotComeBackToARestoredMatchAreDroppedThenGivenUp(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		rules := journalled
		rules.Events, rules.Grace = []any{moved{}}, 10*time.Second
		g := dotGame(t, dots{}, rules)
		h, rm, _ := startDesk(t, g, openFiles(t, dir), 9)
		newViewer(t, g, 1).attach(rm, "alice")
		newViewer(t, g, 2).attach(rm, "bob")
		ticks(3)
		closeHost(t, h)
		h, rm, at := startDesk(t, g, openFiles(t, dir), 10)
		v := newViewer(t, g, 1)
		v.attach(rm, "alice")
		ticks(3)
		bob, ok := v.dotOf(2)
		alice, _ := v.dotOf(1)
		if !ok || bob.Gone || alice.Gone {
			t.Errorf("at first nobody is away: alice %+v, bob %+v %v", alice, bob, ok)
		}
		ticks(110)
		if bob, ok = v.dotOf(2); !ok || !bob.Gone {
			t.Errorf("after the window bob is %+v %v, want dropped", bob, ok)
		}
		ticks(210)
		if bob, ok = v.dotOf(2); ok || len(at.freed) != 1 {
			t.Errorf("after the grace bob is %+v, freed %v", bob, at.freed)
		}
		closeHost(t, h)
	})
}

func TestNothingThatAFailoverCouldTakeBackIsTold(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, journalled)
		store := &stallingStore{Store: openFiles(t, dir)}
		h, rm, _ := startDesk(t, g, store, 9)
		a := newClerk(t, g, rm, 1)
		ticks(2)
		a.do(opTeam, 1)
		ticks(5)
		if a.head.Processed != 1 || a.head.Durable != 1 {
			t.Errorf("processed %d, durable %d, want both", a.head.Processed, a.head.Durable)
		}
		store.stalled.Store(true)
		a.do(opCall, 1)
		ticks(20)
		if a.head.Processed != 2 || a.head.Durable != 1 || len(a.events) != 0 {
			t.Errorf("while the journal stalls: processed %d, durable %d, %d events", a.head.Processed, a.head.Durable, len(a.events))
		}
		ticks(30)
		if len(a.events) != 1 || a.head.Durable != 1 {
			t.Errorf("when the room goes on without it: %d events, durable %d", len(a.events), a.head.Durable)
		}
		store.stalled.Store(false)
		ticks(200)
		if a.head.Durable != 2 {
			t.Errorf("when it is back: durable %d", a.head.Durable)
		}
		closeHost(t, h)
	})
}

func TestRoomOfThatKindWaitsForItsJournal(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		rules := journalled
		rules.PauseUndurable = true
		g := deskGame(t, desk{}, rules)
		store := &stallingStore{Store: openFiles(t, dir)}
		h, rm, _ := startDesk(t, g, store, 9)
		a := newClerk(t, g, rm, 1)
		ticks(2)
		store.stalled.Store(true)
		ticks(200)
		if a.head.Tick > 60 {
			t.Errorf("the room is at tick %d though nothing is stored", a.head.Tick)
		}
		store.stalled.Store(false)
		ticks(200)
		was := a.head.Tick
		ticks(20)
		if a.head.Tick != was+20 {
			t.Errorf("%d ticks in 20 when the store is back", a.head.Tick-was)
		}
		closeHost(t, h)
	})
}

func TestRoomThatWaitsGivesACheckpointToAStoreThatHasForgottenEverything(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		rules := journalled
		rules.PauseUndurable = true
		g := deskGame(t, desk{}, rules)
		store := &stallingStore{Store: openFiles(t, dir)}
		h, rm, _ := startDesk(t, g, store, 9)
		a := newClerk(t, g, rm, 1)
		ticks(2)
		store.stalled.Store(true)
		ticks(100)
		if err := store.Delete(t.Context(), "r1", 9); err != nil {
			t.Fatal(err)
		}
		store.stalled.Store(false)
		ticks(300)
		was := a.head.Tick
		ticks(20)
		if a.head.Tick != was+20 {
			t.Errorf("%d ticks in 20 after the store came back empty", a.head.Tick-was)
		}
		closeHost(t, h)
	})
}

func TestPersistentRoomToWhichNobodyDidAnythingIsNotKept(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, Rules{Persist: true, Empty: 5 * time.Second})
		store := openFiles(t, dir)
		h, rm, _ := startDesk(t, g, store, 9)
		a := newClerk(t, g, rm, 1)
		ticks(3)
		rm.Leave(a.fakeViewer)
		ticks(150)
		if _, err := store.Load(t.Context(), "r1", 0); h.Room("r1") != nil || !errors.Is(err, journal.ErrNone) {
			t.Errorf("what is kept: %v", err)
		}
		closeHost(t, h)
	})
}

func TestPersistentRoomIsKeptWhenItsRulesFail(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, Rules{Persist: true, CheckpointEvery: time.Second})
		h, rm, _ := startDesk(t, g, openFiles(t, dir), 9)
		a := newClerk(t, g, rm, 1)
		ticks(2)
		a.do(opAdd, 42)
		ticks(40)
		a.do(opPanic, 0)
		ticks(2)
		a.do(opPanic, 0)
		ticks(5)
		if a.code() != proto.CodeRulesFailed {
			t.Fatalf("the player is told %d", a.code())
		}
		rm, err := h.Open(Spec{ID: "r1", Game: "desk", Epoch: 10})
		if err != nil {
			t.Fatal(err)
		}
		b := newClerk(t, g, rm, 2)
		ticks(3)
		if b.row().Sum != 42 {
			t.Errorf("opened again the sum is %d, want 42", b.row().Sum)
		}
		closeHost(t, h)
	})
}

func TestResultOfAMatchWhoseProcessDiedIsPostedByTheNext(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, journalled)
		h, rm, at := startDesk(t, g, openFiles(t, dir), 9)
		at.fail = 1 << 30
		a := newClerk(t, g, rm, 1)
		ticks(2)
		a.do(opEnd, 0)
		ticks(5)
		if a.end == nil {
			t.Fatal("the match did not end")
		}
		left := copied(t, dir)
		closeHost(t, h)
		h, rm, at = startDesk(t, g, openFiles(t, left), 10)
		ticks(5)
		select {
		case <-rm.Done():
		default:
			t.Error("the room goes on")
		}
		if len(at.results) != 1 || at.results[0].Room != "r1" || !at.results[0].Recorded {
			t.Errorf("results %+v", at.results)
		}
		closeHost(t, h)
		if _, err := openFiles(t, left).Load(t.Context(), "r1", 0); !errors.Is(err, journal.ErrNone) {
			t.Errorf("the journal after the end: %v", err)
		}
	})
}

func TestPersistentRoomIsThereWhenSomebodyOpensItAgain(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		rules := Rules{Persist: true, Sleep: true, Empty: 5 * time.Second}
		g := deskGame(t, desk{}, rules)
		h, rm, at := startDesk(t, g, openFiles(t, dir), 9)
		a := newClerk(t, g, rm, 1)
		ticks(2)
		a.do(opAdd, 42)
		ticks(3)
		rm.Leave(a.fakeViewer)
		ticks(150)
		if h.Room("r1") != nil || len(at.ended) != 1 || len(at.results) != 0 {
			t.Errorf("an empty one runs on; ended %v", at.ended)
		}
		rm, err := h.Open(Spec{ID: "r1", Game: "desk", Seed: 8, Epoch: 11})
		if err != nil {
			t.Fatal(err)
		}
		b := newClerk(t, g, rm, 1)
		ticks(2)
		if b.row().Sum != 42 {
			t.Errorf("the sum is %d, want 42", b.row().Sum)
		}
		closeHost(t, h)

		rules.Version = "2"
		g = deskGame(t, desk{}, rules)
		h, rm, _ = startDesk(t, g, openFiles(t, dir), 12)
		c := newClerk(t, g, rm, 2)
		ticks(2)
		if c.row().Sum != 42 || c.welcome.Rules != "2" {
			t.Errorf("under newer rules the sum is %d", c.row().Sum)
		}
		closeHost(t, h)
	})
}

func TestMatchOfOtherRulesIsNotRestored(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, journalled)
		h, rm, _ := startDesk(t, g, openFiles(t, dir), 9)
		newClerk(t, g, rm, 1)
		ticks(3)
		closeHost(t, h)
		rules := journalled
		rules.Version = "2"
		g = deskGame(t, desk{}, rules)
		h, rm, _ = startDesk(t, g, openFiles(t, dir), 10)
		a := newClerk(t, g, rm, 1)
		ticks(3)
		if a.code() != proto.CodeMatchGone {
			t.Errorf("code %d, want 4201", a.code())
		}
		closeHost(t, h)
	})
}

func TestOwnerThatWasFencedStops(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, journalled)
		store := openFiles(t, dir)
		old, rm, at := startDesk(t, g, store, 9)
		a := newClerk(t, g, rm, 1)
		ticks(10)
		h, rm2, _ := startDesk(t, g, store, 10)
		b := a.comesBack(rm2)
		ticks(40)
		if a.code() != proto.CodeNodeLeaving || old.Room("r1") != nil || len(at.results) != 0 {
			t.Errorf("the older owner goes on: its player is told %d", a.code())
		}
		was := b.head.Tick
		ticks(10)
		if b.head.Tick != was+10 || b.head.Epoch != 10 {
			t.Errorf("the newer one: tick %d after %d, epoch %d", b.head.Tick, was, b.head.Epoch)
		}
		closeHost(t, old)
		closeHost(t, h)
	})
}

func TestWorkOfADeadProcessIsLostAndSaidToBe(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{load: func(ctx context.Context) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }}, journalled)
		h, rm, _ := startDesk(t, g, openFiles(t, dir), 9)
		a := newClerk(t, g, rm, 1)
		ticks(2)
		a.do(opLoad, 0)
		ticks(5)
		left := copied(t, dir)
		closeHost(t, h)
		h, rm, _ = startDesk(t, g, openFiles(t, left), 10)
		b := a.comesBack(rm)
		ticks(3)
		if told := b.row().Told; told != "load 1:  "+ErrLost.Error() {
			t.Errorf("the game hears %q", told)
		}
		closeHost(t, h)
	})
}

func TestJournalOfAMatchReplaysToTheSameStates(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(t.TempDir(), "match.muster")
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, journalled)
		store := openFiles(t, dir)
		h, rm, _ := startDesk(t, g, store, 9)
		a := newClerk(t, g, rm, 1)
		ticks(2)
		for i := range 60 {
			a.do([]uint8{opAdd, opDice, opCall, opRefuse}[i%4], int8(i))
			ticks(1)
		}
		a.do(opEnd, 0)
		ticks(5)
		closeHost(t, h)
		export(t, store, "r1", out)
	})
	g := deskGame(t, desk{}, journalled)
	report := verify(t, g, out)
	if report.Ticks < 60 || report.Checkpoints < 3 || report.Differs != nil || report.Truncated {
		t.Errorf("the replay: %+v", report)
	}
}

func TestSeatOfWhoIsAwaySinceARestoreIsItsNewOwners(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, Rules{Persist: true})
		h, rm, _ := startDesk(t, g, openFiles(t, dir), 9)
		newClerk(t, g, rm, 1)
		ticks(3)
		closeHost(t, h)
		h, rm, at := startDesk(t, g, openFiles(t, dir), 10)
		b := newViewer(t, g, 1)
		b.attach(rm, "bob")
		ticks(3)
		if b.welcome == nil || b.code() != 0 || len(at.freed) != 0 {
			t.Errorf("the new owner is told %d; %v seats were freed", b.code(), at.freed)
		}
		closeHost(t, h)
	})
}

// slowDirectory does not answer to results before it may.
type slowDirectory struct {
	fakeDirectory
	asked, may chan struct{}
}

func (d *slowDirectory) PostResult(ctx context.Context, r proto.Result) error {
	close(d.asked) // a second time is one too many
	<-d.may
	return d.fakeDirectory.PostResult(ctx, r)
}

// A host that died in between would leave a match that goes on from its checkpoint with nobody in it.
func TestEndOfAMatchWithCheckpointsIsToldWhenItsResultIsPosted(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, Rules{Durability: Checkpoint})
		slow := &slowDirectory{asked: make(chan struct{}), may: make(chan struct{})}
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: slow, Journals: openFiles(t, dir)})
		if err != nil {
			t.Fatal(err)
		}
		rm, err := h.Open(Spec{ID: "r1", Game: g.Name(), Seed: 1, Epoch: 9})
		if err != nil {
			t.Fatal(err)
		}
		c := newClerk(t, g, rm, 1)
		ticks(3)
		c.do(opEnd, 0)
		<-slow.asked
		ticks(2)
		if c.code() != 0 {
			t.Errorf("before it is posted the player is told %d", c.code())
		}
		close(slow.may)
		<-rm.Done()
		closeHost(t, h)
		if c.code() != proto.CodeDone {
			t.Errorf("when it is posted the player is told %d", c.code())
		}
	})
}
