package match

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/netcode"
	"muster/proto"
)

// inRoom runs a test in a bubble with one room; ticks pass in virtual time.
func inRoom(t *testing.T, d dots, rules Rules, f func(t *testing.T, g Game, h *Host, rm *Instance, dir *fakeDirectory)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := dotGame(t, d, rules)
		dir := &fakeDirectory{}
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: dir})
		if err != nil {
			t.Fatal(err)
		}
		rm, err := h.Open(Spec{ID: "r1", Game: "dots", Seed: 7, Epoch: 9})
		if err != nil {
			t.Fatal(err)
		}
		f(t, g, h, rm, dir)
		if err := h.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}

// barrier lets a test read what viewers have had without their locks: what it has read before ticks it has read before
// they get more.
var barrier sync.Mutex

// ticks lets n ticks of a room of 20 Hz pass.
func ticks(n int) { pass(time.Duration(n) * 50 * time.Millisecond) }

// pass lets time pass.
func pass(d time.Duration) {
	barrier.Lock()
	barrier.Unlock() //nolint:gocritic,staticcheck // see barrier
	time.Sleep(d)
	synctest.Wait()
}

func TestPlayersSeeEachOtherMove(t *testing.T) {
	inRoom(t, dots{}, Rules{}, func(t *testing.T, g Game, _ *Host, rm *Instance, _ *fakeDirectory) {
		a, b := newViewer(t, g, 1), newViewer(t, g, 2)
		a.attach(rm, "alice")
		b.attach(rm, "bob")
		ticks(2)
		if a.welcome == nil || a.welcome.Seat != 1 || a.welcome.Epoch != 9 || a.welcome.Rate != 20 {
			t.Fatalf("welcome %+v", a.welcome)
		}
		a.send(rm, 1, 3)
		ticks(1)
		if d, _ := b.dotOf(1); d.X != 53 {
			t.Errorf("bob sees alice at %v after one tick of input, want 53", d.X)
		}
		if a.head.Processed != 1 || b.head.Processed != 0 {
			t.Errorf("processed %d and %d, want 1 and 0", a.head.Processed, b.head.Processed)
		}
		if d, _ := b.dotOf(1); d.Ammo != 0 {
			t.Error("bob sees alice's ammunition")
		}
		if d, _ := a.dotOf(1); d.Ammo == 0 {
			t.Error("alice does not see her own ammunition")
		}
		if len(b.events) == 0 || len(a.events) != 0 {
			t.Errorf("events: alice %d, bob %d; want none and some", len(a.events), len(b.events))
		}
	})
}

func TestSampleHoldsForHalfASecond(t *testing.T) {
	inRoom(t, dots{}, Rules{}, func(t *testing.T, g Game, _ *Host, rm *Instance, _ *fakeDirectory) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(2)
		rm.Input(a, packet(t, g, rm, 1, a.head.Tick+1, 0))
		ticks(1)
		a.send(rm, 2, -1) // held for 10 more ticks: 50 - 11 > 40 would be kicked, so it must stop at 39
		ticks(9)
		if d, _ := a.dotOf(1); d.X != 41 {
			t.Errorf("at %v after 9 ticks, want 41", d.X)
		}
	})
}

func packet(t testing.TB, g Game, rm *Instance, seq, tick uint32, dx int8) *proto.InputPacket {
	w := proto.NewWriter()
	if err := g.Schema().WriteInput(w, &dotInput{dx}); err != nil {
		t.Fatal(err)
	}
	return &proto.InputPacket{Epoch: rm.Epoch(), Inputs: []proto.Input{{Seq: seq, Tick: tick, Body: w.Bytes()}}}
}

func TestDroppedSeatIsHeldAndResumed(t *testing.T) {
	inRoom(t, dots{}, Rules{Grace: 2 * time.Second}, func(t *testing.T, g Game, _ *Host, rm *Instance, _ *fakeDirectory) {
		a, b := newViewer(t, g, 1), newViewer(t, g, 2)
		a.attach(rm, "alice")
		b.attach(rm, "bob")
		ticks(2)
		rm.Detach(a)
		ticks(2)
		if d, ok := b.dotOf(1); !ok || !d.Gone {
			t.Fatalf("after the drop bob sees %+v, %v; want a dot that is gone", d, ok)
		}
		b.send(rm, 1, 1) // an event that alice misses
		ticks(2)
		again := newViewer(t, g, 1)
		if !rm.Attach(Attach{Viewer: again, Player: Player{Seat: 1, ID: "alice"}, Resume: true, Counter: a.resume.Counter}) {
			t.Fatal("no attach")
		}
		ticks(1)
		if d, ok := again.dotOf(1); !ok || d.Gone {
			t.Errorf("after the resume alice sees %+v, %v", d, ok)
		}
		if len(again.numbers) == 0 || again.numbers[0] != 1 {
			t.Errorf("missed events come with the numbers %v, want them from 1", again.numbers)
		}
		if again.resume.Counter != a.resume.Counter+1 {
			t.Errorf("counter %d after %d", again.resume.Counter, a.resume.Counter)
		}
		stale := newViewer(t, g, 1)
		rm.Attach(Attach{Viewer: stale, Player: Player{Seat: 1, ID: "alice"}, Resume: true, Counter: a.resume.Counter - 1})
		ticks(1)
		if stale.code() != proto.CodeNotYourSeat {
			t.Errorf("a stale secret closes with %d", stale.code())
		}
	})
}

func TestResumeWhoseWelcomeIsLostCanBeRepeated(t *testing.T) {
	inRoom(t, dots{}, Rules{}, func(t *testing.T, g Game, _ *Host, rm *Instance, _ *fakeDirectory) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(2)
		for range 3 {
			again := newViewer(t, g, 1)
			rm.Attach(Attach{Viewer: again, Player: Player{Seat: 1, ID: "alice"}, Resume: true, Counter: a.resume.Counter})
			ticks(1)
			if again.welcome == nil {
				t.Fatalf("no welcome; closed %v", again.closed)
			}
		}
	})
}

func TestDroppedSeatIsGivenUpAfterGrace(t *testing.T) {
	inRoom(t, dots{}, Rules{Grace: time.Second}, func(t *testing.T, g Game, _ *Host, rm *Instance, dir *fakeDirectory) {
		a, b := newViewer(t, g, 1), newViewer(t, g, 2)
		a.attach(rm, "alice")
		b.attach(rm, "bob")
		ticks(2)
		rm.Detach(a)
		ticks(22)
		if _, ok := b.dotOf(1); ok {
			t.Error("alice's dot is still there")
		}
		if len(dir.freed) != 1 || dir.freed[0] != 1 {
			t.Errorf("freed seats %v, want 1", dir.freed)
		}
		late := newViewer(t, g, 1)
		rm.Attach(Attach{Viewer: late, Player: Player{Seat: 1, ID: "alice"}, Resume: true, Counter: 1})
		ticks(1)
		if late.code() != proto.CodeSeatExpired {
			t.Errorf("a late resume closes with %d", late.code())
		}
	})
}

func TestNewestConnectionOfAPlayerWins(t *testing.T) {
	inRoom(t, dots{}, Rules{}, func(t *testing.T, g Game, _ *Host, rm *Instance, _ *fakeDirectory) {
		a, b, other := newViewer(t, g, 1), newViewer(t, g, 1), newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(2)
		b.attach(rm, "alice")
		other.attach(rm, "mallory")
		ticks(1)
		rm.Detach(a) // the old connection's end must not drop the seat
		ticks(2)
		if a.code() != proto.CodeReplaced || b.code() != 0 || other.code() != proto.CodeNotYourSeat {
			t.Errorf("codes %d %d %d", a.code(), b.code(), other.code())
		}
		if d, ok := b.dotOf(1); !ok || d.Gone {
			t.Errorf("the seat's state is %+v, %v", d, ok)
		}
	})
}

func TestResultIsPostedUntilItIsStored(t *testing.T) {
	inRoom(t, dots{}, Rules{}, func(t *testing.T, g Game, h *Host, rm *Instance, dir *fakeDirectory) {
		dir.fail = 3
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(2)
		a.send(rm, 1, 100)
		<-rm.Done()
		synctest.Wait()
		if a.end == nil || a.code() != proto.CodeDone {
			t.Fatalf("end %v, code %d", a.end, a.code())
		}
		if len(dir.results) != 1 || dir.results[0].Placements[0].Seat != 1 || dir.results[0].Recorded || len(dir.ended) != 1 {
			t.Errorf("results %+v, ended %v", dir.results, dir.ended)
		}
		if rm.Attach(Attach{Viewer: a}) || h.Room("r1") != nil {
			t.Error("the room is still there")
		}
	})
}

func TestPanicOfRulesEndsTheRoomWithAReason(t *testing.T) {
	inRoom(t, dots{panicAt: 5}, Rules{}, func(t *testing.T, g Game, h *Host, rm *Instance, _ *fakeDirectory) {
		other, err := h.Open(Spec{ID: "r2", Game: "dots"})
		if err != nil {
			t.Fatal(err)
		}
		_ = other
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(8)
		if a.code() != proto.CodeRulesFailed {
			t.Errorf("code %d", a.code())
		}
	})
}

func TestKickedAndRefusedPlayersLoseTheirSeats(t *testing.T) {
	inRoom(t, dots{}, Rules{}, func(t *testing.T, g Game, _ *Host, rm *Instance, dir *fakeDirectory) {
		a, b := newViewer(t, g, 1), newViewer(t, g, 2)
		a.attach(rm, "alice")
		b.attach(rm, "refused")
		ticks(2)
		if b.code() != proto.CodeMatchFull || b.closed.Reason != "not today" {
			t.Errorf("refused: %v", b.closed)
		}
		a.send(rm, 1, -20)
		ticks(3)
		if a.code() != proto.CodeKicked || len(dir.freed) != 2 {
			t.Errorf("kicked: %v, freed %v", a.closed, dir.freed)
		}
	})
}

func TestEmptyRoomEnds(t *testing.T) {
	inRoom(t, dots{}, Rules{Empty: time.Second}, func(t *testing.T, _ Game, h *Host, rm *Instance, dir *fakeDirectory) {
		<-rm.Done()
		synctest.Wait()
		if len(dir.results) != 0 || h.Room("r1") != nil {
			t.Errorf("results %v", dir.results)
		}
	})
}

func TestShutdownTellsPlayersToReconnect(t *testing.T) {
	var a *fakeViewer
	inRoom(t, dots{}, Rules{}, func(t *testing.T, g Game, _ *Host, rm *Instance, _ *fakeDirectory) {
		a = newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(2)
	})
	if a.code() != proto.CodeNodeLeaving {
		t.Errorf("code %d", a.code())
	}
}

func TestSameRecordsGiveTheSameBytes(t *testing.T) {
	g := dotGame(t, dots{}, Rules{})
	run := func() []byte {
		sim := g.make(&g, Spec{ID: "r", Seed: 3})
		enc := netcode.NewEncoder(g.schema, netcode.EncoderConfig{})
		var out []byte
		var fx effects
		if err := sim.open(&fx); err != nil {
			t.Fatal(err)
		}
		var view netcode.View
		w := proto.NewWriter()
		for tick := uint32(1); tick <= 200; tick++ {
			rec := TickRecord{Tick: tick}
			if tick%7 == 1 && tick < 40 {
				rec.Seats = append(rec.Seats, SeatChange{Kind: SeatJoined, Player: Player{Seat: netcode.Seat(tick/7 + 1), ID: "p"}})
			}
			if tick%3 == 0 {
				w.Reset()
				_ = g.schema.WriteInput(w, &dotInput{int8(tick%5) - 2})
				rec.Inputs = append(rec.Inputs, InputRecord{Seat: 1, Seq: tick, Body: append([]byte(nil), w.Bytes()...)})
			}
			fx.reset()
			if err := sim.step(&rec, &fx); err != nil {
				t.Fatal(err)
			}
			sim.capture(tick, enc)
			for _, b := range enc.Prepare(&view, enc.Scopes(1)) {
				out = append(out, b.Data...)
			}
		}
		return out
	}
	a, b := run(), run()
	if !bytes.Equal(a, b) || len(a) < 100 {
		t.Errorf("two runs of the same records give %d and %d bytes", len(a), len(b))
	}
}

type wrongHook struct{ dots }

func (wrongHook) Join(_ *Room[dotWorld], _ string) error { return nil }

func TestHookWithWrongSignatureStopsStartUpAndPrintsBoth(t *testing.T) {
	g := Define[dotWorld, dotInput]("dots", wrongHook{}, Rules{Events: []any{moved{}}})
	_, err := NewHost(HostConfig{Games: []Game{g}, Directory: &fakeDirectory{}})
	if err == nil {
		t.Fatal("the host starts")
	}
	for _, want := range []string{"hook Join", "have func(*match.Room", "string) error", "want func(*match.Room", "match.Player) error"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
}

// crowd fills a table in its Open hook, before anything was encoded.
type crowd struct{ added *int }

func (crowd) Step(*netcode.Step[dotWorld, dotInput]) {}

func (c crowd) Open(r *Room[dotWorld]) error {
	for r.State().Dots.Add(dot{}) != 0 {
		*c.added++
	}
	return nil
}

func TestTableIsBoundFromTheFirstHookOn(t *testing.T) {
	added := 0
	g := Define[dotWorld, dotInput]("crowd", crowd{&added}, Rules{})
	if err := g.make(&g, Spec{}).open(&effects{}); err != nil || added != 8 {
		t.Errorf("%d rows were added, %v; the table's tag says 8", added, err)
	}
}

type pointed struct{ dots }

func (*pointed) Join(*Room[dotWorld], Player) error { return nil }

func (*pointed) Open(*Room[dotWorld]) error { return nil }

func TestHookThatWouldNeverBeCalledStopsStartUp(t *testing.T) {
	err := Define[dotWorld, dotInput]("dots", pointed{}, Rules{Events: []any{moved{}}}).Err()
	if err == nil || !strings.Contains(err.Error(), "hook Open has a pointer receiver: give Define a *match.pointed") {
		t.Errorf("error %v", err)
	}
	if err := Define[dotWorld, dotInput]("dots", &pointed{}, Rules{Events: []any{moved{}}}).Err(); err != nil {
		t.Errorf("with a pointer: %v", err)
	}
}

func TestRulesOutsideOfTheirBoundsStopStartUp(t *testing.T) {
	for name, r := range map[string]Rules{
		"Rules.Version": {Version: strings.Repeat("1", 65)}, "Rules.TickRate": {TickRate: 129}, "Rules.Seats": {Seats: 1001},
		"Rules.Inputs": {Inputs: 2}, "Rules.Grace": {Grace: -1}, "Rules.Empty": {Empty: 31 * 24 * time.Hour},
		"Rules.InputsPerTick": {InputsPerTick: 17, Inputs: proto.Commands}, "of samples": {InputsPerTick: 2},
		"Rules.Rewind": {Rewind: 2 * time.Second}, "Rules.Durability": {Durability: 3},
		"Rules.CheckpointEvery": {CheckpointEvery: time.Millisecond}, "Rules.Role": {Role: "Admin"},
	} {
		if err := Define[dotWorld, dotInput]("dots", dots{}, r).Err(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
