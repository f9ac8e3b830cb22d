package match

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// A match may lose its server twice, also just after its players are back, and however long it has run.
func TestPlayersKeepTheirSeatsThoughTheirServersDieOneAfterTheOther(t *testing.T) {
	for _, class := range []Durability{Checkpoint, Journal} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			rules := Rules{Durability: class, CheckpointEvery: 10 * time.Second, Grace: 10 * time.Second}
			g := deskGame(t, desk{}, rules)
			h, rm, _ := startDesk(t, g, openFiles(t, dir), 9)
			a, b := newClerk(t, g, rm, 1), newClerk(t, g, rm, 2)
			ticks(500) // more than the grace
			rm.Detach(b.fakeViewer)
			ticks(100)
			left := copied(t, dir)
			closeHost(t, h)

			h, rm, _ = startDesk(t, g, openFiles(t, left), 10)
			a2 := a.comesBack(rm)
			ticks(10)
			if a2.code() != 0 || a2.welcome == nil {
				t.Fatalf("%v: after the first death: %d", class, a2.code())
			}
			left = copied(t, left)
			closeHost(t, h)

			h, rm, _ = startDesk(t, g, openFiles(t, left), 11)
			a3, b3 := a2.comesBack(rm), b.comesBack(rm)
			ticks(10)
			if a3.code() != 0 || a3.welcome == nil || b3.code() != 0 || b3.welcome == nil {
				t.Errorf("%v: after the second: %d, and who was away: %d", class, a3.code(), b3.code())
			}
			closeHost(t, h)
		})
	}
}

// wideInput is deskInput of newer rules.
type wideInput struct {
	Op   uint8
	N    int8
	Note string `net:"max=16"`
}

type wideDesk struct{}

func (wideDesk) Step(*netcode.Step[deskWorld, wideInput]) {}

func TestPersistentRoomOpensUnderRulesWithOtherInputs(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, Rules{Persist: true})
		h, rm, _ := startDesk(t, g, openFiles(t, dir), 9)
		a := newClerk(t, g, rm, 1)
		ticks(3)
		a.doAll(deskInput{opAdd, 1}, deskInput{opAdd, 2}, deskInput{opAdd, 3}, deskInput{opAdd, 4}) // one a tick
		ticks(1)
		closeHost(t, h)

		newer := Define[deskWorld, wideInput]("desk", wideDesk{}, Rules{Version: "2", Persist: true, Inputs: proto.Commands})
		h, rm, _ = startDesk(t, newer, openFiles(t, dir), 10)
		b := a.comesBack(rm)
		ticks(3)
		if b.welcome == nil || b.code() != 0 || b.welcome.Seq != 4 {
			t.Fatalf("code %d, welcome %+v", b.code(), b.welcome)
		}
		refused := 0
		for _, e := range b.events {
			if _, ok := e.(*netcode.Refused); ok {
				refused++
			}
		}
		if sum := b.row().Sum; sum+int32(refused) < 4 || refused == 0 {
			t.Errorf("the sum is %d and %d commands were refused: each of the four was used or refused", sum, refused)
		}
		closeHost(t, h)
	})
}

// opener wants things in its Open hook.
type opener struct{ desk }

func (o opener) Open(r *Room[deskWorld]) error {
	r.SetOpen(false)
	_, err := r.Do("load", func(context.Context) ([]byte, error) { return []byte("map"), nil })
	return err
}

func TestWhatOpenWantsIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Define[deskWorld, deskInput]("desk", opener{}, Rules{Inputs: proto.Commands, Events: []any{called{}}})
		h, rm, at := startDesk(t, g, nil, 9)
		a := newClerk(t, g, rm, 1)
		ticks(3)
		if told := a.row().Told; told != "load 1: map <nil>" || at.renewed != 1 || at.open {
			t.Errorf("the game hears %q; the directory was told %d times, open %v", told, at.renewed, at.open)
		}
		closeHost(t, h)
	})
}

func TestPersistentRoomThatSleepsIsStoredFirst(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, Rules{Persist: true, Sleep: true, CheckpointEvery: time.Minute, Empty: time.Hour, Grace: time.Hour})
		h, rm, _ := startDesk(t, g, openFiles(t, dir), 9)
		a := newClerk(t, g, rm, 1)
		ticks(3)
		a.do(opAdd, 42)
		ticks(3)
		rm.Detach(a.fakeViewer)
		ticks(20)
		left := copied(t, dir)
		closeHost(t, h)
		h, rm, _ = startDesk(t, g, openFiles(t, left), 10)
		b := a.comesBack(rm)
		ticks(3)
		if b.row().Sum != 42 {
			t.Errorf("after a kill in its sleep the sum is %d, want 42", b.row().Sum)
		}
		closeHost(t, h)
	})
}

// jailer kicks a seat that nobody has in every tick.
type jailer struct{ desk }

func (jailer) After(r *Room[deskWorld]) { r.Kick(7, "banned") }

func TestKickOfAFreeSeatHoldsNoCheckpointUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Define[deskWorld, deskInput]("desk", jailer{}, Rules{Inputs: proto.Commands, Events: []any{called{}}, CheckpointEvery: time.Second})
		h, rm, _ := startDesk(t, g, nil, 9)
		newClerk(t, g, rm, 1)
		ticks(200)
		tick, _ := rm.Clock()
		closeHost(t, h)
		if tick-rm.memory.tick > 30 {
			t.Errorf("the last checkpoint is of tick %d, at tick %d", rm.memory.tick, tick)
		}
	})
}

// A tick that was left out has used its inputs up, in the journal too: the server may die before the next checkpoint.
func TestServerThatDiesAfterAPanicHasUsedThatTicksInputs(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		rules := journalled
		rules.CheckpointEvery = time.Minute
		g := deskGame(t, desk{}, rules)
		store := &stallingStore{Store: openFiles(t, dir)}
		h, rm, _ := startDesk(t, g, store, 9)
		a := newClerk(t, g, rm, 1)
		ticks(10)
		a.do(opAdd, 1)
		ticks(2)
		a.do(opPanic, 0)
		ticks(1)
		store.noCheckpoints.Store(true) // the one that follows the panic is never stored
		ticks(6)
		if a.head.Durable != 2 || len(a.events) != 1 {
			t.Fatalf("durable %d, %d events", a.head.Durable, len(a.events))
		}
		left := copied(t, dir)
		closeHost(t, h)
		h, rm, _ = startDesk(t, g, openFiles(t, left), 10)
		b := a.comesBack(rm)
		ticks(3)
		b.do(opAdd, 5) // the third command
		ticks(3)
		if b.welcome.Seq != 2 || b.row().Sum != 6 {
			t.Errorf("the room has %d inputs, and the sum is %d, want 2 and 6", b.welcome.Seq, b.row().Sum)
		}
		if len(b.events) != 1 || b.numbers[0] != 1 {
			t.Errorf("events %v: the refusal is not told again with its number", b.numbers)
		}
		closeHost(t, h)
	})
}

// peeker panics when it is asked who may see what, from some tick on.
type peeker struct {
	desk
	from uint32
}

func (p peeker) After(r *Room[deskWorld]) {
	p.desk.After(r)
	r.State().Desk.V.WishN = int8(min(r.Tick(), 127))
}

func (p peeker) Scopes(w *deskWorld, _ *netcode.Scopes) {
	if p.from != 0 && uint32(w.Desk.V.WishN) >= p.from {
		panic("a bug in Scopes")
	}
}

func TestTickThatCannotBeShownIsNotStored(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		rules := Rules{Persist: true, Durability: Journal, Inputs: proto.Commands, Events: []any{called{}}, CheckpointEvery: time.Minute}
		g := Define[deskWorld, deskInput]("desk", peeker{from: 30}, rules)
		h, rm, _ := startDesk(t, g, openFiles(t, dir), 9)
		a := newClerk(t, g, rm, 1)
		ticks(5)
		a.do(opAdd, 42)
		ticks(40)
		if a.code() != proto.CodeRulesFailed {
			t.Fatalf("the player is told %d", a.code())
		}
		closeHost(t, h)
		g = Define[deskWorld, deskInput]("desk", peeker{}, rules) // mended, and the same rules
		h, rm, _ = startDesk(t, g, openFiles(t, dir), 10)
		b := a.comesBack(rm)
		ticks(3)
		if b.row().Sum != 42 || b.head.Tick > 40 {
			t.Errorf("code %d, tick %d, sum %d", b.code(), b.head.Tick, b.row().Sum)
		}
		closeHost(t, h)
	})
}

// brokenStore has something of every room that nobody can read.
type brokenStore struct {
	journal.Store
	read chan struct{} // closed when it may be found out
}

func (s brokenStore) Load(context.Context, string, uint64) (*journal.Saved, error) {
	<-s.read
	return nil, fmt.Errorf("loading: %w", journal.ErrMalformed)
}

// Whoever opened it anew would find the same.
func TestMatchWhoseJournalCannotBeReadIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, Rules{Durability: Journal})
		store := brokenStore{openFiles(t, t.TempDir()), make(chan struct{})}
		h, rm, dir := startDesk(t, g, store, 9)
		a := newClerk(t, g, rm, 1)
		close(store.read)
		<-rm.Done()
		closeHost(t, h)
		if a.code() != proto.CodeMatchGone || !rm.Opened() || len(dir.failed) != 1 || dir.failed[0].Code != proto.CodeMatchGone {
			t.Errorf("its player is told %d; its record says %v", a.code(), dir.failed)
		}
	})
}
