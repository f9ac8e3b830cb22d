package match

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/proto"
)

// stuckDirectory answers nothing before its caller gives up.
type stuckDirectory struct{}

func stuck(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func (*stuckDirectory) FreeSeat(ctx context.Context, _ string, _ uint64, _ uint16, _ []string) error {
	return stuck(ctx)
}

func (*stuckDirectory) Renew(ctx context.Context, _ string, _ uint64, _ Alive) error {
	return stuck(ctx)
}

func (*stuckDirectory) Settle(ctx context.Context, _ string) (Settlement, error) {
	return Settlement{}, stuck(ctx)
}
func (*stuckDirectory) Hung(ctx context.Context, _ string) error { return stuck(ctx) }
func (*stuckDirectory) HandOver(ctx context.Context, _ string, _ uint64, _ bool) error {
	return stuck(ctx)
}

func (*stuckDirectory) Fail(ctx context.Context, _ string, _ uint64, _ proto.Close) error {
	return stuck(ctx)
}
func (*stuckDirectory) EndRoom(ctx context.Context, _ string, _ uint64) error { return stuck(ctx) }
func (*stuckDirectory) PostResult(ctx context.Context, _ proto.Result) error  { return stuck(ctx) }

// Redis that hangs must not keep a process from ending: each call has its time, and the last try is the last.
func TestHostClosesInTimeThoughTheDirectoryHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dotGame(t, dots{}, Rules{})
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: &stuckDirectory{}, RenewEvery: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		var viewers []*fakeViewer
		for i := range 20 {
			rm, err := h.Open(Spec{ID: fmt.Sprint("r", i), Game: "dots", Epoch: 9})
			if err != nil {
				t.Fatal(err)
			}
			v := newViewer(t, g, 1)
			v.attach(rm, "alice")
			viewers = append(viewers, v)
		}
		ticks(40)
		viewers[0].send(h.Room("r0"), 1, 100) // its match ends, and its result cannot be posted
		ticks(100)
		if viewers[0].code() != proto.CodeDone {
			t.Errorf("the match did not end: %d", viewers[0].code())
		}
		began := time.Now()
		if err := h.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 3*callTimeout {
			t.Errorf("closing took %v", took)
		}
		for i, v := range viewers[1:] {
			if v.code() != proto.CodeNodeLeaving {
				t.Errorf("viewer %d was closed with %d", i+1, v.code())
			}
		}
	})
}

func TestHostThatIsClosedWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := NewHost(HostConfig{Games: []Game{dotGame(t, dots{}, Rules{})}, Directory: &stuckDirectory{}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Open(Spec{ID: "r", Game: "dots"}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := h.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if _, err := h.Open(Spec{ID: "r2", Game: "dots"}); !errors.Is(err, ErrClosed) {
			t.Errorf("opening a room afterwards: %v", err)
		}
		time.Sleep(10 * time.Second) // what is left ends by itself
	})
}

// Connections come and go while rooms end: whoever attached hears of it, and nothing waits for ever.
func TestRoomsThatEndWhileConnectionsComeLeaveNobodyWaiting(t *testing.T) {
	g := dotGame(t, dots{}, Rules{TickRate: 128, Empty: 20 * time.Millisecond})
	h, err := NewHost(HostConfig{Games: []Game{g}, Directory: &fakeDirectory{}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	stop := time.Now().Add(500 * time.Millisecond)
	for n := range 4 {
		wg.Go(func() {
			for i := 0; time.Now().Before(stop); i++ {
				rm, err := h.Open(Spec{ID: fmt.Sprint("r", i%3), Game: "dots", Epoch: 1})
				if err != nil {
					t.Error(err)
					return
				}
				v := newViewer(t, g, 1)
				if !rm.Attach(Attach{Viewer: v, Player: Player{Seat: 1, ID: fmt.Sprint("p", n)}}) {
					continue
				}
				rm.Input(v, packet(t, g, rm, 1, 1, 1))
				rm.Resync(v, 0)
				if i%2 == 0 {
					rm.Leave(v)
				}
				rm.Detach(v)
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Fatal(err)
	}
}
