package match

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/netcode"
)

// moody is a directory of which one part does not answer, as where a Redis Cluster has a server that swallows everything.
type moody struct {
	*fakeDirectory

	mu     sync.Mutex
	silent map[string]bool // rooms
	last   map[string]time.Time
	most   map[string]time.Duration // between two renewals
}

func newMoody(silent ...string) *moody {
	d := &moody{fakeDirectory: &fakeDirectory{}, last: map[string]time.Time{}, most: map[string]time.Duration{}}
	d.silence(silent...)
	return d
}

// silence has it answer for all rooms but these.
func (d *moody) silence(rooms ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.silent = map[string]bool{}
	for _, id := range rooms {
		d.silent[id] = true
	}
}

func (d *moody) answers(room string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.silent[room]
}

func (d *moody) Renew(ctx context.Context, room string, epoch uint64, a Alive) error {
	if !d.answers(room) {
		return stuck(ctx)
	}
	d.mu.Lock()
	if at, ok := d.last[room]; ok {
		d.most[room] = max(d.most[room], time.Since(at))
	}
	d.last[room] = time.Now()
	d.mu.Unlock()
	return d.fakeDirectory.Renew(ctx, room, epoch, a)
}

func (d *moody) FreeSeat(ctx context.Context, room string, epoch uint64, seat uint16, claims []string) error {
	if !d.answers(room) {
		return errors.New("no answer")
	}
	return d.fakeDirectory.FreeSeat(ctx, room, epoch, seat, claims)
}

func (d *moody) freedBy() [][]string {
	d.fakeDirectory.mu.Lock()
	defer d.fakeDirectory.mu.Unlock()
	return append([][]string(nil), d.claims...)
}

// renewed says when a room was renewed last, and how long it was not at most.
func (d *moody) renewed(room string) (last time.Time, most time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last[room], d.most[room]
}

// waiting opens rooms that wait, and tick not.
func waiting(t *testing.T, h *Host, prefix string, n int) (ids []string) {
	t.Helper()
	h.HoldUntil(time.Now())
	for i := range n {
		id := fmt.Sprint(prefix, i)
		if _, err := h.Open(Spec{ID: id, Game: "dots", Epoch: 9}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func TestRoomsOfAServerThatDoesNotAnswerKeepNoOthersFromTheirRenewals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := newMoody()
		h, err := NewHost(HostConfig{Games: []Game{dotGame(t, dots{}, Rules{})}, Directory: dir})
		if err != nil {
			t.Fatal(err)
		}
		dir.silence(waiting(t, h, "silent", 600)...)
		others := waiting(t, h, "other", 20)
		for _, id := range others {
			dir.last[id] = time.Now()
		}
		pass(100 * time.Second)
		for _, id := range others {
			if last, most := dir.renewed(id); most > 45*time.Second || time.Since(last) > 45*time.Second {
				t.Errorf("room %s was not renewed for %v, and for %v now; its record lives for a minute", id, most, time.Since(last))
			}
		}
		dir.silence()
		pass(30 * time.Second)
		if last, _ := dir.renewed("silent599"); last.IsZero() {
			t.Error("a room is not renewed when its server answers again")
		}
		closeHost(t, h)
	})
}

func TestRoomsWhoseRecordsCannotBeWrittenAgainKeepNoOthersFromIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := newMoody()
		h, err := NewHost(HostConfig{Games: []Game{dotGame(t, dots{}, Rules{})}, Directory: dir, RenewEvery: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		silent := waiting(t, h, "silent", 5)
		dir.silence(silent...)
		others := waiting(t, h, "other", 20)
		h.Rewrite()
		pass(time.Second)
		for _, id := range others {
			if last, _ := dir.renewed(id); last.IsZero() {
				t.Errorf("the record of room %s is not written", id)
			}
		}
		dir.silence()
		pass(callTimeout + 2*renewAgainMost)
		for _, id := range silent {
			if last, _ := dir.renewed(id); last.IsZero() {
				t.Errorf("the record of room %s is not written when its server answers again", id)
			}
		}
		if n := dir.renewals(); n != 25 {
			t.Errorf("%d renewals of 25 rooms: those that were written are written again", n)
		}
		closeHost(t, h)
	})
}

// A seat that stays taken in the directory is nobody's for as long as its room lives.
func TestSeatThatWasFreedWhileTheDirectoryWasAwayIsFreedWithTheNextRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, dir := dotGame(t, dots{}, Rules{}), newMoody()
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: dir})
		if err != nil {
			t.Fatal(err)
		}
		rm, err := h.Open(Spec{ID: "r", Game: "dots", Epoch: 9})
		if err != nil {
			t.Fatal(err)
		}
		come := func(seat netcode.Seat, player, claim string) *fakeViewer {
			v := newViewer(t, g, seat)
			rm.Attach(Attach{
				Viewer: v, Player: Player{Seat: seat, ID: player, Name: player}, PlayerExpires: time.Now().Add(time.Hour), Claim: claim,
			})
			ticks(2)
			return v
		}
		come(3, "carol", "c1") // who stays
		alice, bob := come(1, "alice", "a1"), come(2, "bob", "b1")
		dir.silence("r")
		rm.Leave(alice)
		rm.Leave(bob)
		ticks(2)
		come(2, "bob", "b2") // he has taken his seat again, and keeps it
		pass(11 * time.Second)
		if got := dir.freedBy(); len(got) != 0 {
			t.Fatalf("freed with the claims %v though nothing answers", got)
		}
		dir.silence()
		pass(11 * time.Second)
		if got, want := dir.freedBy(), [][]string{{"a1"}}; !reflect.DeepEqual(got, want) {
			t.Errorf("freed with the claims %v, want %v", got, want)
		}
		pass(30 * time.Second)
		if got := dir.freedBy(); len(got) != 1 {
			t.Errorf("freed again and again: %v", got)
		}
		closeHost(t, h)
	})
}

// Of more news than there is room for the seats are told with the next renewal.
func TestSeatsThatAreTooManyToTellAtOnceAreToldWithTheNextRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := newMoody()
		h, err := NewHost(HostConfig{Games: []Game{dotGame(t, dots{}, Rules{})}, Directory: dir})
		if err != nil {
			t.Fatal(err)
		}
		rm := h.Room(waiting(t, h, "r", 1)[0])
		dir.silence("r0")
		h.tell(news{rm: rm})
		synctest.Wait() // whoever tells waits for the answer
		for range maxNews {
			h.tell(news{rm: rm})
		}
		h.tell(news{rm, 1, []string{"a1"}})
		dir.silence()
		pass(11 * time.Second)
		if got, want := dir.freedBy(), [][]string{{"a1"}}; !reflect.DeepEqual(got, want) {
			t.Errorf("freed with the claims %v, want %v", got, want)
		}
		closeHost(t, h)
	})
}
