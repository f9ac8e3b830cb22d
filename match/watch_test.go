package match

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// stage is a game that says its tick to everybody, and tells what else it is told to.
type stage struct{}

type stageState struct {
	Tick netcode.Value[stageTick]
}

type stageTick struct{ N uint32 }

type line struct {
	N    uint32
	Text string `net:"max=4000"`
}

func (stage) Step(s *netcode.Step[stageState, dotInput]) {
	s.State.Tick.V.N = s.Tick
	s.Emit(netcode.Everyone(), line{N: s.Tick})
	for _, in := range s.Inputs() {
		if in.DX < 0 {
			for range -in.DX {
				s.Emit(netcode.Everyone(), line{Text: string(bytes.Repeat([]byte("x"), 4000))})
			}
		}
	}
}

func (stage) After(r *Room[stageState]) {
	if r.Tick() == 200 {
		r.End(nil)
	}
}

func (stage) End(r *Room[stageState]) { r.Emit(netcode.Everyone(), line{Text: "the end"}) }

func stageGame(t testing.TB, rules Rules) Game {
	t.Helper()
	rules.Spectators, rules.Events = max(rules.Spectators, 2), []any{line{}}
	g := Define[stageState, dotInput]("stage", stage{}, rules)
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	return g
}

// watch attaches a spectator.
func watch(t testing.TB, g Game, rm *Instance, name string) *fakeViewer {
	t.Helper()
	v := newViewer(t, g, 0)
	if !rm.Attach(Attach{
		Viewer: v, Audience: &house{t: t, v: v}, Watch: true, Player: Player{ID: name}, PlayerExpires: time.Now().Add(time.Hour),
	}) {
		t.Fatal("the room takes nobody")
	}
	return v
}

// house is the audience of one viewer, who sees what the casts say.
type house struct {
	t     testing.TB
	v     *fakeViewer
	begun bool
	entry bool
	last  uint64
}

func (h *house) Cast(c *Cast) {
	if h.last > 0 && c.Seq != h.last+1 && c.Close == nil {
		h.t.Errorf("cast %d comes after %d", c.Seq, h.last)
	}
	h.last = c.Seq
	if !h.begun && c.Begins {
		h.begun, h.entry = true, c.Entry != nil
		h.v.mu.Lock()
		if h.v.welcome == nil {
			h.t.Error("a cast before the welcome")
		}
		h.v.welcome.Tick, h.v.welcome.Event = c.Tick-1, c.Event
		h.v.mu.Unlock()
	}
	if h.begun {
		for _, msg := range c.Said {
			h.v.Message(msg)
		}
		part := c.Frame
		if h.entry {
			part = c.Entry
			h.entry = !c.Joins
		}
		if len(part) > 0 {
			h.v.see(part)
		}
	}
	if c.Close != nil {
		h.v.Close(*c.Close)
	}
}

// inStage runs a test with a room of stage.
func inStage(t *testing.T, rules Rules, store func() journal.Store, f func(t *testing.T, g Game, rm *Instance, h *Host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := stageGame(t, rules)
		var s journal.Store
		if store != nil {
			s = store()
		}
		h, rm, _ := startDesk(t, g, s, 9)
		f(t, g, rm, h)
		closeHost(t, h)
	})
}

func TestASpectatorKeepsNoRoomAliveAndWakesNone(t *testing.T) {
	for name, rules := range map[string]Rules{"awake": {Empty: 5 * time.Second}, "asleep": {Empty: 5 * time.Second, Sleep: true}} {
		t.Run(name, func(t *testing.T) {
			inStage(t, rules, nil, func(t *testing.T, g Game, rm *Instance, h *Host) {
				a := newViewer(t, g, 1)
				a.attach(rm, "alice")
				w := watch(t, g, rm, "walter")
				ticks(5)
				if w.welcome == nil || w.frames < 3 || rm.broadcast.watching() != 1 {
					t.Fatalf("welcome %+v, %d frames", w.welcome, w.frames)
				}
				rm.Leave(a)
				ticks(5)
				if rules.Sleep {
					if frames := w.frames; frames > 0 {
						ticks(20)
						if w.frames != frames {
							t.Errorf("the room sends %d frames in its sleep", w.frames-frames)
						}
					}
				}
				pass(6 * time.Second)
				if w.code() != 4201 || h.Room("r1") != nil || rm.broadcast.watching() != 0 {
					t.Errorf("after everybody has left the spectator is told %d, the room is there: %v", w.code(), h.Room("r1") != nil)
				}
			})
		})
	}
}

func TestSpectatorsHearWhatIsForEveryoneInOrderAndTheEnd(t *testing.T) {
	inStage(t, Rules{}, nil, func(t *testing.T, g Game, rm *Instance, _ *Host) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(10)
		early := watch(t, g, rm, "walter")
		ticks(20)
		rm.Detach(early)
		ticks(5)
		late := watch(t, g, rm, "wilma")
		ticks(1)
		a.send(rm, 1, -20) // more than may wait
		for range 200 {
			ticks(1)
			rm.Input(a, ackOf(a, rm))
		}
		heardInOrder(t, early, 19)
		heardInOrder(t, late, 150)
		if n := len(late.events); late.events[n-1].(*line).Text != "the end" || late.end == nil || late.code() != 1000 {
			t.Errorf("the last that was heard is %+v, the end %+v, the code %d", late.events[n-1], late.end, late.code())
		}
		long := count(len(late.events), func(i int) bool { return len(late.events[i].(*line).Text) == 4000 })
		if long != maxPublicBytes/4010 {
			t.Errorf("%d of the long events of one tick were heard, want what 64 KiB hold", long)
		}
	})
}

// heardInOrder looks at the numbers of a spectator's events, and at the ticks that they say.
func heardInOrder(t *testing.T, v *fakeViewer, least int) {
	t.Helper()
	if len(v.events) < least {
		t.Errorf("%d events were heard, want %d at least", len(v.events), least)
	}
	last := uint32(0)
	for i, e := range v.events {
		if v.numbers[i] != v.welcome.Event+1+uint32(i) {
			t.Fatalf("the numbers after %d: %v", v.welcome.Event, v.numbers)
		}
		n := e.(*line).N
		if n == 0 {
			continue
		}
		if n < v.welcome.Tick || last != 0 && n <= last {
			t.Fatalf("tick %d was told after %d, welcome at %d", n, last, v.welcome.Tick)
		}
		last = n
	}
}

func TestSpectatorsAreToldNothingThatAFailoverCouldTakeBack(t *testing.T) {
	dir := t.TempDir()
	stalling := &stallingStore{}
	inStage(t, journalled, func() journal.Store { stalling.Store = openFiles(t, dir); return stalling },
		func(t *testing.T, g Game, rm *Instance, _ *Host) {
			a := newViewer(t, g, 1)
			a.attach(rm, "alice")
			w := watch(t, g, rm, "walter")
			ticks(20)
			told := len(w.events)
			if told < 10 {
				t.Fatalf("%d events were told", told)
			}
			stalling.stalled.Store(true)
			ticks(25)
			if n := len(w.events) - told; n > 3 {
				t.Errorf("%d events were told that are not stored", n)
			}
			stalling.stalled.Store(false)
			ticks(60)
			heardInOrder(t, w, told+50)
		})
}

func TestRecordsKnowNothingOfSpectators(t *testing.T) {
	files := map[bool]string{}
	for _, watched := range []bool{false, true} {
		dir, out := t.TempDir(), filepath.Join(t.TempDir(), "stage.muster")
		var store journal.Store
		var g Game
		inStage(t, journalled, func() journal.Store { store = openFiles(t, dir); return store },
			func(t *testing.T, game Game, rm *Instance, _ *Host) {
				g = game
				a := newViewer(t, g, 1)
				a.attach(rm, "alice")
				ticks(2)
				var w *fakeViewer
				if watched {
					w = watch(t, g, rm, "alice")
				}
				ticks(20)
				if watched {
					rm.Input(w, ackOf(w, rm))
					rm.Leave(w)
				}
				for range 200 {
					ticks(1)
					rm.Input(a, ackOf(a, rm))
				}
				export(t, store.(*journal.Files), "r1", out)
			})
		rep := verify(t, g, out)
		if rep.Differs != nil || !rep.Ended || len(rep.Players) != 1 {
			t.Errorf("watched %v: the replay: %+v", watched, rep)
		}
		files[watched] = recordsIn(t, out)
	}
	if files[true] != files[false] {
		t.Errorf("who watches shows in the records:\n%s\n%s", files[true], files[false])
	}
}

// ackOf says what a viewer has.
func ackOf(v *fakeViewer, rm *Instance) *proto.InputPacket {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := &proto.InputPacket{Epoch: rm.Epoch(), Last: v.head.Tick}
	if n := len(v.numbers); n > 0 {
		p.Event = v.numbers[n-1]
	}
	return p
}

// recordsIn are a replay's records, a line each.
func recordsIn(t *testing.T, file string) (lines string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rd, err := journal.NewReader(f)
	for err == nil {
		var rec *TickRecord
		if rec, _, err = rd.Next(); rec != nil && err == nil {
			lines += fmt.Sprintf("%+v\n", *rec)
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return lines
}
