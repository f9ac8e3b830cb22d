package match

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"muster/proto"
)

func TestRoomsWaitBeyondTheTimeUntilWhichTheyMayRunAndGoOnWhereTheyWere(t *testing.T) {
	inRoom(t, dots{}, Rules{Grace: 2 * time.Second}, func(t *testing.T, g Game, h *Host, rm *Instance, _ *fakeDirectory) {
		a, b := newViewer(t, g, 1), newViewer(t, g, 2)
		a.attach(rm, "alice")
		b.attach(rm, "bob")
		ticks(2)
		h.HoldUntil(time.Now().Add(time.Second))
		ticks(30)
		frames, tick := a.frames, a.head.Tick
		if frames < 20 || frames > 23 {
			t.Errorf("%d frames came, want those of a second", frames)
		}
		a.send(rm, 1, 3)
		rm.Detach(b) // whose seat is kept for two seconds of the room
		ticks(30)
		if a.frames != frames {
			t.Errorf("%d frames came while the room had to wait", a.frames-frames)
		}
		if h.Unfit() != "" || a.code() != 0 {
			t.Errorf("the host says %q, and the viewer was closed with %d", h.Unfit(), a.code())
		}
		h.HoldUntil(time.Time{})
		ticks(1)
		a.send(rm, 2, 0)
		ticks(19)
		if d, _ := a.dotOf(1); d.X < 53 || d.X > 56 {
			t.Errorf("the input that came meanwhile brought alice to %v, want a step or two", d.X)
		}
		if passed := a.head.Tick - tick; passed < 18 || passed > 20 {
			t.Errorf("%d ticks passed in a second after the wait, want 20 and not what was missed", passed)
		}
		if d, ok := a.dotOf(2); !ok || !d.Gone {
			t.Errorf("bob's seat is %+v, %v: it is kept for two seconds of the room", d, ok)
		}
	})
}

func TestPlayersOfARoomThatWaitsAreSentToLookElsewhereAndMayComeBack(t *testing.T) {
	inRoom(t, dots{}, Rules{Grace: 2 * time.Second}, func(t *testing.T, g Game, h *Host, rm *Instance, _ *fakeDirectory) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(2)
		h.HoldUntil(time.Now())
		ticks(39)
		if a.code() != 0 {
			t.Fatalf("the viewer was closed with %d within two seconds", a.code())
		}
		ticks(4)
		if a.code() != proto.CodeNodeLeaving {
			t.Fatalf("the viewer was closed with %d, want %d", a.code(), proto.CodeNodeLeaving)
		}
		rm.Detach(a)
		ticks(200) // deadlines are ticks, which stand still
		h.HoldUntil(time.Time{})
		b := newViewer(t, g, 1)
		b.attach(rm, "alice")
		ticks(3)
		if d, ok := b.dotOf(1); !ok || d.Gone {
			t.Errorf("alice's seat is %+v, %v: it is hers", d, ok)
		}
	})
}

func TestTickThatTookTooLongLeavesTheRoomOnlyWhenItMay(t *testing.T) {
	for _, then := range []string{"goes on", "is another's", "stops"} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			halt := make(chan struct{})
			g := deskGame(t, desk{halt: halt}, journalled)
			h, rm, _ := startDesk(t, g, openFiles(t, dir), 5)
			c := newClerk(t, g, rm, 1)
			ticks(4)
			c.do(opAdd, 1)
			ticks(4)
			frames := c.frames
			h.cfg.StallAfter = time.Minute
			c.do(opHang, 0)
			ticks(1)
			h.HoldUntil(time.Now().Add(100 * time.Millisecond))
			ticks(4)
			close(halt) // the step returns after the room's time is over
			ticks(20)
			if c.frames > frames+2 {
				t.Errorf("%d frames came of a tick that ended too late", c.frames-frames)
			}
			switch then {
			case "is another's":
				h.Abandon("the match goes on elsewhere")
				ticks(1)
				if c.code() != proto.CodeNodeLeaving || h.Room("r1") != nil {
					t.Errorf("the viewer was closed with %d, and the room is %v", c.code(), h.Room("r1"))
				}
			case "goes on":
				frames = c.frames
				h.HoldUntil(time.Time{})
				ticks(10)
				if c.frames < frames+8 {
					t.Errorf("%d frames came in half a second after it", c.frames-frames)
				}
			}
			closeHost(t, h)
			saved, err := openFiles(t, dir).Load(t.Context(), "r1", 6)
			if err != nil {
				t.Fatal(err)
			}
			last := saved.Checkpoint.Tick
			for i := range saved.Records {
				last = saved.Records[i].Tick
			}
			if then != "goes on" && last > c.head.Tick {
				t.Errorf("it %s: the journal goes up to tick %d, and %d was the last of which anybody heard", then, last, c.head.Tick)
			} else if then == "goes on" && last < 15 {
				t.Errorf("the journal goes up to tick %d only", last)
			}
		})
	}
}

// Whoever has taken the rooms over writes their records, results and journals.
func TestAbandonedRoomsEndForClientsAndAreWrittenOfNoMore(t *testing.T) {
	files := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, journalled)
		store := &stallingStore{Store: openFiles(t, files)}
		h, rm, dir := startDesk(t, g, store, 5)
		c := newClerk(t, g, rm, 1)
		ticks(10)
		store.stalled.Store(true)
		c.do(opAdd, 1)
		ticks(10)
		dir.mu.Lock()
		dir.fail = 1 << 20
		renewed := dir.renewed
		dir.mu.Unlock()
		h.Abandon("the match goes on elsewhere")
		if c.code() != proto.CodeNodeLeaving {
			t.Errorf("the viewer was closed with %d when Abandon returned", c.code())
		}
		store.stalled.Store(false)
		select {
		case <-rm.Done():
		case <-time.After(time.Second):
			t.Error("the room's goroutine does not end")
		}
		h.Abandon("again")
		ticks(400)
		dir.mu.Lock()
		if len(dir.ended)+len(dir.results) > 0 || dir.renewed != renewed {
			t.Errorf("the directory was told: ended %q, results %v, renewed %d times", dir.ended, dir.results, dir.renewed-renewed)
		}
		dir.mu.Unlock()
		if rm.Attach(Attach{Viewer: newViewer(t, g, 2), Player: Player{Seat: 2, ID: "late"}}) {
			t.Error("it takes a viewer")
		}
		saved, err := store.Load(t.Context(), "r1", 6)
		if err != nil {
			t.Fatal(err)
		}
		for i := range saved.Records {
			if len(saved.Records[i].Inputs) > 0 {
				t.Error("what waited for the journal was written after the room was given up")
			}
		}
		again, err := h.Open(Spec{ID: "r1", Game: g.Name(), Seed: 7, Epoch: 7})
		if err != nil {
			t.Fatal(err)
		}
		c = newClerk(t, g, again, 1)
		ticks(10)
		if c.welcome == nil || c.welcome.Epoch != 7 {
			t.Errorf("the host opened it again: %+v", c.welcome)
		}
		closeHost(t, h)
	})
}

// forgetful is a directory that fails for a while.
type forgetful struct {
	*fakeDirectory
	until time.Time
}

func (d *forgetful) Renew(ctx context.Context, room string, epoch uint64, a Alive) error {
	if time.Now().Before(d.until) {
		return errors.New("Redis is away")
	}
	return d.fakeDirectory.Renew(ctx, room, epoch, a)
}

func (d *fakeDirectory) renewals() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.renewed
}

func TestRecordsAreWrittenAgainUntilTheDirectoryHasHeardOfAllRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := &forgetful{&fakeDirectory{}, time.Now().Add(2 * time.Second)}
		h, err := NewHost(HostConfig{Games: []Game{dotGame(t, dots{}, Rules{})}, Directory: dir, RenewEvery: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"r1", "r2", "r3"} {
			if _, err := h.Open(Spec{ID: id, Game: "dots", Epoch: 9}); err != nil {
				t.Fatal(err)
			}
		}
		h.HoldUntil(time.Now()) // whether they run or not
		h.Rewrite()
		h.Rewrite()
		pass(1900 * time.Millisecond)
		if n := dir.renewals(); n != 0 {
			t.Errorf("%d rooms were renewed in a directory that is away", n)
		}
		pass(renewAgainMost + 200*time.Millisecond)
		if n := dir.renewals(); n < 3 || n > 6 {
			t.Errorf("%d renewals of 3 rooms when it is back", n)
		}
		closeHost(t, h)
	})
}
