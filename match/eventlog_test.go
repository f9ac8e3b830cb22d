package match

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/netcode"
	"muster/proto"
)

// bell is a game that emits as much as its test wants.
type bell struct {
	each  int // bytes of events a tick
	open  func(r *Room[bellWorld]) error
	end   func(r *Room[bellWorld])
	after func(r *Room[bellWorld])
}

type bellWorld struct {
	Bells netcode.Table[struct{ X int8 }] `net:"max=1"`
}

type ring struct {
	Text [3]string `net:"max=4000"`
}

type bellInput struct{ Pull bool }

func (b *bell) Step(s *netcode.Step[bellWorld, bellInput]) {
	if b.each > 0 {
		s.Emit(netcode.Everyone(), ring{Text: [3]string{strings.Repeat("x", min(4000, b.each)), strings.Repeat("x", max(0, min(4000, b.each-4000))), strings.Repeat("x", max(0, b.each-8000))}})
	}
	for seat, in := range s.Inputs() {
		if in.Pull {
			s.Refuse(seat, strings.Repeat("é", 800))
		}
	}
}

func (b *bell) Open(r *Room[bellWorld]) error {
	if b.open != nil {
		return b.open(r)
	}
	return nil
}

func (b *bell) After(r *Room[bellWorld]) {
	if b.after != nil {
		b.after(r)
	}
}

func (b *bell) End(r *Room[bellWorld]) {
	if b.end != nil {
		b.end(r)
	}
}

func inBell(t *testing.T, b *bell, rules Rules, f func(t *testing.T, g Game, rm *Instance, dir *fakeDirectory)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rules.Events = []any{ring{}}
		g := Define[bellWorld, bellInput]("bell", b, rules)
		dir := &fakeDirectory{}
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: dir})
		if err != nil {
			t.Fatal(err)
		}
		rm, err := h.Open(Spec{ID: "r", Game: "bell", Epoch: 9})
		if err != nil {
			t.Fatal(err)
		}
		f(t, g, rm, dir)
		if err := h.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// A dropped player's events must not pile up for as long as the seat is held; what is forgotten the welcome says.
func TestEventsOfADroppedSeatAreBounded(t *testing.T) {
	inBell(t, &bell{each: 1000}, Rules{Grace: time.Hour}, func(t *testing.T, g Game, rm *Instance, _ *fakeDirectory) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(3)
		rm.Detach(a)
		ticks(1000)
		again := newViewer(t, g, 1)
		again.attach(rm, "alice")
		ticks(1)
		if again.welcome == nil || len(again.numbers) == 0 {
			t.Fatal("no welcome or no events")
		}
		if got := len(again.events); got*1000 > keptEventBytes+2000 {
			t.Errorf("%d events of 1,000 bytes were kept, at most %d bytes allowed", got, keptEventBytes)
		}
		if again.numbers[0] != again.welcome.Event+1 {
			t.Errorf("the welcome says %d, the first event is %d", again.welcome.Event, again.numbers[0])
		}
		for i, n := range again.numbers {
			if n != again.numbers[0]+uint32(i) {
				t.Fatalf("numbers have gaps: %v", again.numbers)
			}
		}
	})
}

// A client that comes back to a full log must have the time to answer.
func TestClientThatComesBackToAFullLogIsNotClosedAtOnce(t *testing.T) {
	inBell(t, &bell{each: 1000}, Rules{}, func(t *testing.T, g Game, rm *Instance, _ *fakeDirectory) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(19)
		if a.code() != proto.CodeSlowReader {
			t.Fatalf("closed with %d, want 4003 after 16 KiB", a.code())
		}
		rm.Detach(a)
		ticks(2)
		again := newViewer(t, g, 1)
		again.attach(rm, "alice")
		ticks(6) // a client behind 300 ms
		if again.code() != 0 {
			t.Fatalf("closed again with %v", again.closed)
		}
		if again.numbers[0] != 1 {
			t.Errorf("the first event is %d: none was lost yet", again.numbers[0])
		}
		for range 40 {
			last := again.numbers[len(again.numbers)-1]
			rm.Input(again, &proto.InputPacket{Epoch: 9, Event: last})
			ticks(1)
		}
		if again.code() != 0 {
			t.Errorf("closed though it acknowledges: %v", again.closed)
		}
	})
}

func TestEventThatIsTooLongIsNotSent(t *testing.T) {
	inBell(t, &bell{each: maxEvent + 1}, Rules{}, func(t *testing.T, g Game, rm *Instance, _ *fakeDirectory) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(20)
		if a.code() != 0 || len(a.events) != 0 {
			t.Errorf("code %d, %d events", a.code(), len(a.events))
		}
	})
}

func TestReasonOfARefusalFitsWhatClientsRead(t *testing.T) {
	inBell(t, &bell{}, Rules{}, func(t *testing.T, g Game, rm *Instance, _ *fakeDirectory) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(2)
		w := proto.NewWriter()
		if err := g.Schema().WriteInput(w, &bellInput{Pull: true}); err != nil {
			t.Fatal(err)
		}
		rm.Input(a, &proto.InputPacket{Epoch: 9, Inputs: []proto.Input{{Seq: 7, Body: w.Bytes()}}})
		ticks(1)
		if len(a.events) != 1 {
			t.Fatalf("events %v", a.events)
		}
		if r, ok := a.events[0].(*netcode.Refused); !ok || r.Seq != 7 || r.Reason == "" || len(r.Reason) > maxReason {
			t.Errorf("refusal %+v", a.events[0])
		}
	})
}

func TestWhatTheEndHookEmitsArrivesBeforeTheResult(t *testing.T) {
	b := &bell{
		after: func(r *Room[bellWorld]) {
			if r.Tick() == 5 {
				r.End(nil)
			}
		},
		end: func(r *Room[bellWorld]) { r.Emit(netcode.Everyone(), ring{Text: [3]string{"last words"}}) },
	}
	inBell(t, b, Rules{}, func(t *testing.T, g Game, rm *Instance, _ *fakeDirectory) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		<-rm.Done()
		if a.end == nil || len(a.events) != 1 || a.events[0].(*ring).Text[0] != "last words" {
			t.Errorf("end %v, events %v", a.end, a.events)
		}
	})
}

func TestMatchThatOpenEndsIsOver(t *testing.T) {
	b := &bell{open: func(r *Room[bellWorld]) error { r.End([]Placement{{Player: "nobody"}}); return nil }}
	inBell(t, b, Rules{}, func(t *testing.T, _ Game, rm *Instance, dir *fakeDirectory) {
		synctest.Wait()
		select {
		case <-rm.Done():
		default:
			t.Fatal("the room goes on")
		}
		if len(dir.results) != 1 || dir.results[0].Placements[0].Player != "nobody" {
			t.Errorf("results %+v", dir.results)
		}
	})
}

func TestRoomWhoseOpenFailsEnds(t *testing.T) {
	b := &bell{open: func(*Room[bellWorld]) error { return errors.New("no map") }}
	inBell(t, b, Rules{}, func(t *testing.T, g Game, rm *Instance, dir *fakeDirectory) {
		a := newViewer(t, g, 1)
		if rm.Attach(Attach{Viewer: a, Player: Player{Seat: 1, ID: "alice"}}) {
			<-rm.Done()
			if a.code() != proto.CodeRulesFailed {
				t.Errorf("code %d", a.code())
			}
		}
		<-rm.Done()
		if len(dir.results) != 0 || len(dir.ended) != 1 {
			t.Errorf("results %v, ended %v", dir.results, dir.ended)
		}
	})
}
