package match

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"muster/netcode"
	"muster/proto"
)

// desk is a small game of commands that has what dots has not.
type desk struct {
	load func(ctx context.Context) ([]byte, error) // what opLoad has done outside
	halt chan struct{}                             // what opHang waits for
}

type deskWorld struct {
	Desk netcode.Value[deskRow]
	Slip netcode.Table[slip] `net:"max=8"`
}

type deskRow struct {
	Sum    int32
	Wish   uint8        `net:"server"` // an op that needs the room
	WishBy netcode.Seat `net:"server"`
	WishN  int8         `net:"server"`
	Told   string       `net:"max=64"`
}

type slip struct {
	N     int32
	Owner netcode.Seat
}

type deskInput struct {
	Op uint8
	N  int8
}

type called struct{ N int8 }

const (
	opAdd    = iota
	opLoad   // has something loaded
	opShut   // closes the doors
	opOpen   // opens them
	opTeam   // puts the sender into team N
	opCall   // tells team N
	opRefuse // is refused by the rules
	opPanic
	opDice // adds a die
	opHang // does not return, before halt is closed, or panics when something comes from it
	opEnd
)

func (d desk) Step(s *netcode.Step[deskWorld, deskInput]) {
	row := &s.State.Desk.V
	for seat, in := range s.Inputs() {
		switch in.Op {
		case opAdd:
			row.Sum += int32(in.N)
			s.State.Slip.Add(slip{row.Sum, seat})
		case opCall:
			s.Emit(netcode.ToTeam(uint16(in.N)), called{in.N})
		case opRefuse:
			s.Refuse(seat, "not now")
		case opPanic:
			panic("a bug in the rules")
		case opDice:
			row.Sum += s.Rand().Int32N(1000)
		case opHang:
			if _, ok := <-d.halt; ok {
				panic("late")
			}
		default:
			row.Wish, row.WishBy, row.WishN = in.Op, seat, in.N
		}
	}
}

func (d desk) After(r *Room[deskWorld]) {
	row := &r.State().Desk.V
	switch row.Wish {
	case opLoad:
		if _, err := r.Do("load", d.load); err != nil {
			row.Told = err.Error()
		}
	case opShut, opOpen:
		r.SetOpen(row.Wish == opOpen)
	case opTeam:
		r.SetTeam(row.WishBy, uint16(row.WishN))
	case opEnd:
		r.End(nil)
	}
	row.Wish = 0
}

func (desk) Done(r *Room[deskWorld], w Work) {
	r.State().Desk.V.Told = fmt.Sprintf("%s %d: %s %v", w.Kind, w.ID, w.Data, w.Err)
}

// Feed adds, refuses or panics, as Step does for a player.
func (desk) Feed(r *Room[deskWorld], in deskInput) error {
	switch in.Op {
	case opAdd:
		r.State().Desk.V.Sum += int32(in.N)
	case opRefuse:
		return errors.New("not now")
	case opPanic:
		panic("a bug in the rules")
	}
	return nil
}

func (desk) Check(_ Player, in *deskInput) error {
	if in.N > 100 {
		return errors.New("too much")
	}
	in.N = max(in.N, -100)
	return nil
}

func deskGame(t testing.TB, d desk, rules Rules) Game {
	t.Helper()
	rules.Inputs, rules.Events = proto.Commands, []any{called{}}
	g := Define[deskWorld, deskInput]("desk", d, rules)
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	return g
}

// clerk is a player of desk.
type clerk struct {
	*fakeViewer
	rm   *Instance
	seq  uint32
	desk deskWorld
}

// atDesk runs a test in a bubble with one room of desk and n players who have joined.
func atDesk(t *testing.T, d desk, rules Rules, n int, f func(t *testing.T, h *Host, rm *Instance, dir *fakeDirectory, who []*clerk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, d, rules)
		dir := &fakeDirectory{}
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: dir})
		if err != nil {
			t.Fatal(err)
		}
		rm, err := h.Open(Spec{ID: "r1", Game: "desk", Seed: 7, Epoch: 9})
		if err != nil {
			t.Fatal(err)
		}
		var who []*clerk
		for i := range n {
			c := &clerk{fakeViewer: newViewer(t, g, netcode.Seat(i+1)), rm: rm}
			c.attach(rm, fmt.Sprint("clerk", i+1))
			who = append(who, c)
		}
		ticks(2)
		f(t, h, rm, dir, who)
		if err := h.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}

// do sends one command.
func (c *clerk) do(op uint8, n int8) { c.doAll(deskInput{op, n}) }

// doAll sends commands in one packet.
func (c *clerk) doAll(list ...deskInput) {
	c.t.Helper()
	p := proto.InputPacket{Epoch: c.rm.Epoch(), Last: c.head.Tick, Event: uint32(len(c.numbers))}
	for _, in := range list {
		w := proto.NewWriter()
		if err := c.schema.WriteInput(w, &in); err != nil {
			c.t.Fatal(err)
		}
		c.seq++
		p.Inputs = append([]proto.Input{{Seq: c.seq, Tick: c.head.Tick + 1, View: c.head.Tick, Body: w.Bytes()}}, p.Inputs...)
	}
	c.rm.Input(c.fakeViewer, &p)
}

// row is the desk as the player sees it.
func (c *clerk) row() deskRow {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.dec.Load(&c.desk); err != nil {
		c.t.Error(err)
	}
	return c.desk.Desk.V
}

func TestInputIsCheckedBeforeTheRulesSeeIt(t *testing.T) {
	atDesk(t, desk{}, Rules{InputsPerTick: 16}, 1, func(t *testing.T, _ *Host, _ *Instance, _ *fakeDirectory, who []*clerk) {
		who[0].doAll(deskInput{opAdd, 50}, deskInput{opAdd, 101}, deskInput{opAdd, -128})
		ticks(2)
		if sum := who[0].row().Sum; sum != -50 {
			t.Errorf("the sum is %d, want 50 - 100: the second is refused, the third brought into its bounds", sum)
		}
		if len(who[0].events) != 1 || *who[0].events[0].(*netcode.Refused) != (netcode.Refused{Seq: 2, Reason: "too much"}) {
			t.Errorf("the sender hears %+v", who[0].events)
		}
		if who[0].head.Processed != 3 {
			t.Errorf("processed is %d: a refused command is done with", who[0].head.Processed)
		}
	})
}

func TestTickTakesOneCommandOfASeatUnlessTheGameAsksForMore(t *testing.T) {
	for perTick, want := range map[int]int32{0: 1, 1: 1, 4: 4} {
		atDesk(t, desk{}, Rules{InputsPerTick: perTick}, 1, func(t *testing.T, _ *Host, _ *Instance, _ *fakeDirectory, who []*clerk) {
			var list []deskInput
			for range 10 {
				list = append(list, deskInput{opAdd, 1})
			}
			who[0].doAll(list...)
			before := who[0].head.Tick
			ticks(1)
			if sum := who[0].row().Sum; sum != want*int32(who[0].head.Tick-before) {
				t.Errorf("%d a tick: the sum is %d after %d ticks, want %d for each", perTick, sum, who[0].head.Tick-before, want)
			}
			ticks(12)
			if sum := who[0].row().Sum; sum != 10 {
				t.Errorf("%d a tick: the sum is %d in the end, want each command once", perTick, sum)
			}
		})
	}
}

func TestEventsReachTheTeamTheyAreFor(t *testing.T) {
	atDesk(t, desk{}, Rules{}, 3, func(t *testing.T, _ *Host, _ *Instance, _ *fakeDirectory, who []*clerk) {
		for i, c := range who {
			c.do(opTeam, int8(1+i%2))
			ticks(2)
		}
		who[1].do(opCall, 1)
		ticks(2)
		if len(who[0].events) != 1 || len(who[1].events) != 0 || len(who[2].events) != 1 {
			t.Errorf("the players of teams 1, 2, 1 hear %d, %d and %d events, want 1, 0, 1",
				len(who[0].events), len(who[1].events), len(who[2].events))
		}
	})
}

func TestRoomTellsTheDirectoryWhetherNewPlayersMayCome(t *testing.T) {
	atDesk(t, desk{}, Rules{}, 1, func(t *testing.T, _ *Host, _ *Instance, dir *fakeDirectory, who []*clerk) {
		for _, step := range []struct {
			op       uint8
			told     int
			wantOpen bool
		}{{opShut, 1, false}, {opShut, 1, false}, {opOpen, 2, true}} {
			who[0].do(step.op, 0)
			ticks(3)
			dir.mu.Lock()
			if dir.renewed != step.told || dir.open != step.wantOpen {
				t.Errorf("after op %d the directory was told %d times and last that it is open: %v", step.op, dir.renewed, dir.open)
			}
			dir.mu.Unlock()
		}
	})
}

func TestWorkOutsideDelaysNoTickAndItsResultComesBack(t *testing.T) {
	var release chan struct{} // of the bubble
	d := desk{load: func(ctx context.Context) ([]byte, error) {
		select {
		case <-release:
			return []byte("profile"), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	atDesk(t, d, Rules{}, 1, func(t *testing.T, _ *Host, _ *Instance, _ *fakeDirectory, who []*clerk) {
		release = make(chan struct{})
		who[0].do(opLoad, 0)
		ticks(20)
		if frames := who[0].frames; frames < 20 {
			t.Errorf("%d frames while the work was under way", frames)
		}
		close(release)
		ticks(2)
		if told := who[0].row().Told; told != "load 1: profile <nil>" {
			t.Errorf("the game hears %q", told)
		}
	})
}

func TestWorkThatFailsPanicsOrTakesTooLongIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		load func(context.Context) ([]byte, error)
		want string
	}{
		"fails":        {func(context.Context) ([]byte, error) { return []byte("x"), errors.New("no such profile") }, "load 1:  no such profile"},
		"panics":       {func(context.Context) ([]byte, error) { panic("a bug") }, "load 1:  the work failed"},
		"is too long":  {func(ctx context.Context) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }, "load 1:  context deadline exceeded"},
		"is too large": {func(context.Context) ([]byte, error) { return make([]byte, 1<<17), nil }, "load 1:  the result has 131072 bytes, at most 65536 allowed"},
	} {
		atDesk(t, desk{load: c.load}, Rules{}, 1, func(t *testing.T, _ *Host, _ *Instance, _ *fakeDirectory, who []*clerk) {
			who[0].do(opLoad, 0)
			ticks(210)
			if told := who[0].row().Told; told != c.want[:min(64, len(c.want))] {
				t.Errorf("%s: the game hears %q", name, told)
			}
		})
	}
}

func TestOnlySoMuchWorkIsUnderWayAtOnce(t *testing.T) {
	d := desk{load: func(ctx context.Context) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }}
	atDesk(t, d, Rules{}, 1, func(t *testing.T, _ *Host, _ *Instance, _ *fakeDirectory, who []*clerk) {
		for range maxWorks + 1 {
			who[0].do(opLoad, 0)
			ticks(1)
		}
		ticks(1)
		if told := who[0].row().Told; told != ErrBusy.Error() {
			t.Errorf("the game hears %q", told)
		}
	})
}

func TestRoomThatNobodyWatchesSleepsAndGoesOnWhereItWas(t *testing.T) {
	atDesk(t, desk{}, Rules{Sleep: true, Grace: time.Minute}, 1, func(t *testing.T, _ *Host, rm *Instance, _ *fakeDirectory, who []*clerk) {
		who[0].do(opAdd, 5)
		ticks(4)
		rm.Detach(who[0].fakeViewer)
		ticks(2)
		slept, _ := rm.Clock()
		ticks(600)
		back := newViewer(t, *rm.game, 1)
		back.attach(rm, "clerk1")
		ticks(2)
		if back.welcome == nil || back.head.Tick > slept+4 {
			t.Errorf("the room is at tick %d; it was at %d when it fell asleep for half a minute", back.head.Tick, slept)
		}
		if tick, _ := rm.Clock(); tick != back.head.Tick {
			t.Errorf("the clock says %d, the last frame %d", tick, back.head.Tick)
		}
		frames := back.frames
		ticks(20)
		if back.frames-frames != 20 {
			t.Errorf("%d frames in 20 ticks after the sleep", back.frames-frames)
		}
	})
}

func TestSleepDoesNotHoldASeatOrARoomForEver(t *testing.T) {
	rules := Rules{Sleep: true, Grace: 10 * time.Second, Empty: 10 * time.Second}
	atDesk(t, desk{}, rules, 1, func(t *testing.T, h *Host, rm *Instance, dir *fakeDirectory, who []*clerk) {
		rm.Detach(who[0].fakeViewer)
		ticks(205)
		dir.mu.Lock()
		freed := len(dir.freed)
		dir.mu.Unlock()
		if freed != 1 || h.Room("r1") == nil {
			t.Errorf("after the grace %d seats were freed; the room runs: %v", freed, h.Room("r1") != nil)
		}
		ticks(215)
		if h.Room("r1") != nil {
			t.Error("the empty room goes on")
		}
	})
}

func TestUnderLoadFramesGoOutLessOftenThanTheRoomTicks(t *testing.T) {
	atDesk(t, desk{}, Rules{}, 1, func(t *testing.T, h *Host, rm *Instance, _ *fakeDirectory, who []*clerk) {
		who[0].do(opTeam, 1)
		ticks(3)
		for level, every := range map[int32]int{2: 3, 1: 2, 0: 1} {
			h.load.level.Store(level)
			ticks(2)
			frames, tick := who[0].frames, who[0].head.Tick
			events := len(who[0].events)
			who[0].do(opCall, 1)
			ticks(30)
			if got := who[0].frames - frames; got != 30/every || who[0].head.Tick-tick < 28 {
				t.Errorf("level %d: %d frames and %d ticks in 30, want a frame at every %d. tick", level, got, who[0].head.Tick-tick, every)
			}
			if len(who[0].events) != events+1 {
				t.Errorf("level %d: %d events, want one", level, len(who[0].events)-events)
			}
		}
		late := newViewer(t, *rm.game, 2)
		h.load.level.Store(2)
		late.attach(rm, "late")
		ticks(4)
		if late.welcome == nil || late.frames == 0 {
			t.Error("who comes under load is not welcome")
		}
	})
}

func TestRulesThatDoNotReturnEndTheirRoomAndSpoilTheProcess(t *testing.T) {
	doNotReturn(t, Rules{}, HostConfig{})
}

func TestRulesThatDoNotReturnEndTheirRoomWhereNobodyElseCouldGoOnWithIt(t *testing.T) {
	doNotReturn(t, Rules{Durability: Journal}, HostConfig{Journals: openFiles(t, t.TempDir()), Alone: true})
}

func doNotReturn(t *testing.T, rules Rules, cfg HostConfig) {
	t.Helper()
	var halt chan struct{}
	synctest.Test(t, func(t *testing.T) {
		halt = make(chan struct{})
		g := deskGame(t, desk{halt: halt}, rules)
		dir := &fakeDirectory{}
		cfg.Games, cfg.Directory = []Game{g}, dir
		h, err := NewHost(cfg)
		if err != nil {
			t.Fatal(err)
		}
		var who [2]*clerk
		for i := range who {
			rm, err := h.Open(Spec{ID: fmt.Sprint("r", i), Game: "desk", Epoch: 9})
			if err != nil {
				t.Fatal(err)
			}
			who[i] = &clerk{fakeViewer: newViewer(t, g, 1), rm: rm}
			who[i].attach(rm, "alice")
		}
		ticks(2)
		who[0].do(opHang, 0)
		ticks(22)
		if who[0].code() != proto.CodeRulesFailed {
			t.Errorf("its player is told %d, want 4204 within a second", who[0].code())
		}
		if h.Unfit() != "the rules of game desk did not return in room r0" || h.Full() != h.Unfit() {
			t.Errorf("the host says %q and %q", h.Unfit(), h.Full())
		}
		if _, err := h.Open(Spec{ID: "r9", Game: "desk"}); !errors.Is(err, ErrLoaded) {
			t.Errorf("a new room: %v", err)
		}
		if h.Room("r0") != nil {
			t.Error("the room is still there")
		}
		frames := who[1].frames
		ticks(20)
		if who[1].frames != frames+20 || who[1].code() != 0 {
			t.Errorf("the room beside it sent %d frames in 20 ticks", who[1].frames-frames)
		}
		if len(dir.failed) != 1 || dir.failed[0].Code != proto.CodeRulesFailed || len(dir.hung) != 1 || dir.hung[0] != "r0" {
			t.Errorf("the directory hears of %v of rooms that failed, and that %v hang", dir.failed, dir.hung)
		}
		close(halt) // it returns after all
		ticks(2)
		if err := h.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}
