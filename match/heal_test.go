package match

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

func TestRoomGoesOnAfterAPanicWithoutTheInputsOfItsTick(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, Rules{})
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: &fakeDirectory{}, Crashes: dir})
		if err != nil {
			t.Fatal(err)
		}
		rm, err := h.Open(Spec{ID: "r1", Game: "desk", Seed: 7, Epoch: 9})
		if err != nil {
			t.Fatal(err)
		}
		a, b := newClerk(t, g, rm, 1), newClerk(t, g, rm, 2)
		ticks(2)
		for range 130 { // over a checkpoint
			a.do(opDice, 0)
			ticks(1)
		}
		ticks(1)
		before, tick := a.row(), a.head.Tick
		a.do(opPanic, 0)
		b.do(opAdd, 50)
		ticks(2)
		if a.code() != 0 || b.code() != 0 {
			t.Fatalf("the players are told %d and %d", a.code(), b.code())
		}
		if a.row() != before || a.head.Tick != tick+2 {
			t.Errorf("at tick %d the state is %+v; it was %+v at %d", a.head.Tick, a.row(), before, tick)
		}
		for i, c := range []*clerk{a, b} {
			if len(c.events) != 1 || c.events[0].(*netcode.Refused).Seq != c.seq {
				t.Errorf("player %d hears %+v of the command that was left out", i+1, c.events)
			}
		}
		a.do(opAdd, 1)
		ticks(2)
		if a.row().Sum != before.Sum+1 {
			t.Errorf("the sum is %d after %d", a.row().Sum, before.Sum)
		}

		files, err := filepath.Glob(filepath.Join(dir, "r1-*.muster"))
		if err != nil || len(files) != 1 {
			t.Fatalf("the replays of the panic: %v %v", files, err)
		}
		f, err := os.Open(files[0])
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		rep, err := VerifyReplay(g, f)
		if err != nil || rep.Panic == nil || rep.Panic.Tick != tick+1 || rep.Panic.Value != "a bug in the rules" {
			t.Errorf("the replay does not find the bug: %+v %v", rep, err)
		}

		a.do(opPanic, 0)
		ticks(2)
		if a.code() != proto.CodeRulesFailed || h.Room("r1") != nil {
			t.Errorf("after the second panic the player is told %d, want 4204", a.code())
		}
		closeHost(t, h)
	})
}

func TestReplayOfAMatchThatWasHealedIsTheSame(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(t.TempDir(), "healed.muster")
	g := deskGame(t, desk{}, journalled)
	synctest.Test(t, func(t *testing.T) {
		store := openFiles(t, dir)
		h, rm, _ := startDesk(t, g, store, 9)
		a := newClerk(t, g, rm, 1)
		ticks(2)
		for i := range 40 {
			a.do([]uint8{opAdd, opDice}[i%2], 3)
			if i == 30 {
				a.do(opPanic, 0)
			}
			ticks(2)
		}
		a.do(opEnd, 0)
		ticks(5)
		closeHost(t, h)
		export(t, store, "r1", out)
	})
	rep := verify(t, g, out)
	if rep.Differs != nil || len(rep.Skipped) != 1 || !rep.Ended || rep.Panic != nil {
		t.Errorf("the replay: %+v", rep)
	}
}

func export(t *testing.T, store journal.Store, room, to string) {
	t.Helper()
	f, err := os.Create(to)
	if err == nil {
		err = store.Export(context.Background(), room, f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, g Game, file string) *Report {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rep, err := VerifyReplay(g, f)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// brittle panics where it is told to.
type brittle struct{ where string }

func (b brittle) at(where string) {
	if b.where == where {
		panic("a bug in " + where)
	}
}

func (b brittle) Step(_ *netcode.Step[dotWorld, dotInput]) { b.at("Step") }
func (b brittle) Open(*Room[dotWorld]) error               { b.at("Open"); return nil }
func (b brittle) Join(*Room[dotWorld], Player) error       { b.at("Join"); return nil }
func (b brittle) Drop(*Room[dotWorld], Player)             { b.at("Drop") }
func (b brittle) Resume(*Room[dotWorld], Player)           { b.at("Resume") }
func (b brittle) Leave(*Room[dotWorld], Player)            { b.at("Leave") }
func (b brittle) End(*Room[dotWorld])                      { b.at("End") }
func (b brittle) Done(*Room[dotWorld], Work)               { b.at("Done") }
func (b brittle) Check(Player, *dotInput) error            { b.at("Check"); return nil }
func (b brittle) Scopes(_ *dotWorld, _ *netcode.Scopes)    { b.at("Scopes") }
func (b brittle) After(r *Room[dotWorld]) {
	b.at("After")
	if r.Tick() == 3 {
		if _, err := r.Do("work", func(context.Context) ([]byte, error) { b.at("work"); return nil, nil }); err != nil {
			panic(err)
		}
	}
	if r.Tick() == 30 {
		r.End(nil)
	}
}

// A panic in any hook ends its own match at most; the process and the room beside it do not notice.
func TestPanicInAnyHookHarmsNoOtherRoom(t *testing.T) {
	for where, want := range map[string]proto.Code{
		"Step": proto.CodeRulesFailed, "Open": proto.CodeRulesFailed, "Join": proto.CodeRulesFailed, "Drop": proto.CodeRulesFailed,
		"Resume": proto.CodeRulesFailed, "Leave": proto.CodeRulesFailed, "End": proto.CodeRulesFailed, "Done": proto.CodeRulesFailed,
		"Scopes": proto.CodeRulesFailed, "After": proto.CodeRulesFailed,
		"Check": proto.CodeDone, // its input is left out
		"work":  proto.CodeDone, // its result is an error
		"":      proto.CodeDone,
	} {
		synctest.Test(t, func(t *testing.T) {
			bad := Define[dotWorld, dotInput]("bad", brittle{where}, Rules{})
			good := dotGame(t, dots{}, Rules{})
			h, err := NewHost(HostConfig{Games: []Game{bad, good}, Directory: &fakeDirectory{}})
			if err != nil {
				t.Fatal(err)
			}
			beside, err := h.Open(Spec{ID: "good", Game: "dots", Epoch: 9})
			if err != nil {
				t.Fatal(err)
			}
			b := newViewer(t, good, 1)
			b.attach(beside, "bob")
			rm, err := h.Open(Spec{ID: "bad", Game: "bad", Epoch: 9})
			if err != nil {
				t.Fatal(err)
			}
			a, c, d := newViewer(t, bad, 1), newViewer(t, bad, 2), newViewer(t, bad, 2)
			in := packet(t, good, rm, 1, 6, 1)
			there := rm.Attach(Attach{Viewer: a, Player: Player{Seat: 1, ID: "alice"}})
			if there && rm.Attach(Attach{Viewer: c, Player: Player{Seat: 2, ID: "carol"}}) {
				ticks(2)
				rm.Input(a, in)
				rm.Detach(c)
				ticks(3)
				if rm.Attach(Attach{Viewer: d, Player: Player{Seat: 2, ID: "carol"}}) {
					ticks(3)
					rm.Leave(d)
				}
			}
			ticks(40)
			if there && a.code() != want { // a room that does not open may be gone before anybody comes
				t.Errorf("panic in %s: the player is told %d, want %d", where, a.code(), want)
			}
			frames := b.frames
			ticks(20)
			if b.code() != 0 || b.frames != frames+20 {
				t.Errorf("panic in %s: the room beside it sent %d frames in 20 ticks; its player is told %d", where, b.frames-frames, b.code())
			}
			if h.Room("bad") != nil {
				t.Errorf("panic in %s: the room is still there", where)
			}
			closeHost(t, h)
		})
	}
}

func TestNoSeatIsGivenTwiceThoughManyRaceForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dotGame(t, dots{}, Rules{Seats: 2})
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: &fakeDirectory{}})
		if err != nil {
			t.Fatal(err)
		}
		// Fifty connections of different players race for each of two seats: one gets it, the others are told.
		rm, err := h.Open(Spec{ID: "r1", Game: "dots", Epoch: 9})
		if err != nil {
			t.Fatal(err)
		}
		var all []*fakeViewer
		for i := range 100 {
			v := newViewer(t, g, netcode.Seat(1+i%2))
			v.attach(rm, fmt.Sprint("player", i))
			all = append(all, v)
		}
		ticks(3)
		in, out := 0, 0
		for _, v := range all {
			switch {
			case v.welcome != nil && v.code() == 0:
				in++
			case v.code() == proto.CodeNotYourSeat && v.welcome == nil:
				out++
			}
		}
		if in != 2 || out != 98 {
			t.Errorf("%d have a seat and %d were told that it is another's, want 2 and 98", in, out)
		}
		closeHost(t, h)
	})
}
