package playback

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster/internal/testmetric"
	"muster/match/journal"
)

// Who leaves while a file is read is not waited for, and work that is not the rules' is no stall. The next file is read.
func TestWhoLeavesWhileAReplayOpensCondemnsNothing(t *testing.T) {
	reg := prometheus.NewRegistry()
	inTrap(t, Config{Registerer: reg}, func(t *testing.T, m *Sessions, _ *trapSet, file []byte) {
		ctx, leave := context.WithTimeout(t.Context(), time.Millisecond)
		defer leave()
		began := time.Now()
		m.opening <- struct{}{}
		_, err := m.readWatched(ctx, func(context.Context, *reading) (*Session, error) {
			time.Sleep(3 * stallAfter) // a disk, a starved machine
			return nil, ErrFile
		})
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		if len(m.opening) != 1 {
			t.Error("its place is free while it reads")
		}
		time.Sleep(4 * stallAfter)
		if c := testmetric.Value(t, reg, "muster_playback_stalls_total"); c != 0 || len(m.opening) != 0 {
			t.Errorf("%v stalls, %d still read", c, len(m.opening))
		}
		if _, err := m.Open(t.Context(), Request{Owner: "ada", File: file}); err != nil {
			t.Error(err)
		}
	})
}

// Who leaves hides no stall: rules that do not return from a first state are found all the same, once.
func TestRulesThatDoNotReturnAreFoundThoughWhoOpenedHasLeft(t *testing.T) {
	reg := prometheus.NewRegistry()
	inTrap(t, Config{Registerer: reg}, func(t *testing.T, m *Sessions, _ *trapSet, file []byte) {
		free := make(chan struct{})
		defer func() { trapRead.Store(nil) }()
		defer close(free)
		setTrapRead(func() error { <-free; return nil })
		ctx, leave := context.WithTimeout(t.Context(), time.Millisecond)
		defer leave()
		if _, err := m.Open(ctx, Request{Owner: "mallory", File: file}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who has left is told %v", err)
		}
		time.Sleep(2 * stallAfter)
		if _, err := m.Open(t.Context(), Request{Owner: "ada", File: file}); !errors.Is(err, ErrStalled) {
			t.Errorf("one more: %v", err)
		}
		if c := testmetric.Value(t, reg, "muster_playback_stalls_total"); c != 1 {
			t.Errorf("%v stalls", c)
		}
	})
}

// expiring is a context that is over when it was looked at so often.
type expiring struct {
	context.Context //nolint:containedctx // a context itself
	looks           int
}

func (e *expiring) Err() error {
	if e.looks--; e.looks < 0 {
		return context.Canceled
	}
	return nil
}

// A state may have megabytes: who leaves is noticed after each.
func TestReadingLooksAtWhoHasLeftAfterEachState(t *testing.T) {
	var b bytes.Buffer
	w, err := journal.NewWriter(&b, journal.Header{Room: "r", Game: "trap", TickRate: 20, Seats: 2})
	for tick := range uint32(10) {
		if err == nil {
			err = w.Checkpoint(journal.Checkpoint{Tick: tick + 1, Data: []byte{1}})
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, looks := range []int{1, 5, 9} {
		rd, err := journal.NewReader(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := scan(&expiring{context.Background(), looks}, rd); !errors.Is(err, context.Canceled) {
			t.Errorf("over after %d states: %v", looks, err)
		}
	}
}
