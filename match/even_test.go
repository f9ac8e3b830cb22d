package match

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/race"
)

// counted is a game that says how many ticks its rooms have had.
type counted struct {
	drift
	ticks map[string]*atomic.Uint32 // by room
}

func (c counted) After(r *Room[driftWorld]) { c.ticks[r.ID()].Store(r.Tick()) }

// openMany opens n rooms at 20 ticks a second.
func openMany(t *testing.T, n int) (h *Host, rooms []*Instance, ticks map[string]*atomic.Uint32) {
	t.Helper()
	ticks = map[string]*atomic.Uint32{}
	for i := range n {
		ticks[fmt.Sprint("room-", i)] = new(atomic.Uint32)
	}
	g := Define[driftWorld, driftInput]("drift", counted{ticks: ticks}, Rules{Seats: 50, Empty: time.Hour})
	h, err := NewHost(HostConfig{Games: []Game{g}, Directory: &fakeDirectory{}, RenewEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		time.Sleep(time.Duration(i%7) * time.Millisecond)                                             // whenever they open
		rm, err := h.Open(Spec{ID: fmt.Sprint("room-", i), Game: "drift", Epoch: 1, Seed: uint64(i)}) //nolint:gosec // not negative
		if err != nil {
			t.Fatal(err)
		}
		rooms = append(rooms, rm)
	}
	return h, rooms, ticks
}

func TestThousandRoomsTickEvenlyAndAtSpreadTimes(t *testing.T) {
	const (
		period = 50 * time.Millisecond
		slots  = 10 // of the interval
	)
	rooms := 1000
	if race.Enabled {
		rooms = 200
	}
	synctest.Test(t, func(t *testing.T) {
		h, list, ticks := openMany(t, rooms)
		time.Sleep(period) // all have begun
		synctest.Wait()
		began := make([]uint32, rooms)
		for i, rm := range list {
			began[i] = ticks[rm.ID()].Load()
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		var due [slots]int
		for i, rm := range list {
			if n := ticks[rm.ID()].Load() - began[i]; n != 200 {
				t.Errorf("room %d has had %d ticks in 10 s, want 200", i, n)
			}
			at := (rm.base.Sub(h.base) + time.Duration(rm.start.Load())) % period
			due[at*slots/period]++
		}
		if least, most := slices.Min(due[:]), slices.Max(due[:]); least < rooms/slots-2 || most > rooms/slots+2 {
			t.Errorf("due in each tenth of the interval: %v, want %d ± 2", due, rooms/slots)
		}
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// mostIdle bounds the memory of a room that nobody is in, in bytes: its goroutine's stack and its heap.
const mostIdle = 64 << 10

func TestIdleRoomIsSmall(t *testing.T) {
	const rooms = 200
	used := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc + m.StackInuse) //nolint:gosec // far below
	}
	synctest.Test(t, func(t *testing.T) {
		before := used()
		h, _, _ := openMany(t, rooms)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if each := (used() - before) / rooms; each > mostIdle {
			t.Errorf("a room without players has %d bytes, at most %d allowed", each, mostIdle)
		} else {
			t.Logf("%d bytes", each)
		}
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
