package lobby

import (
	"context"
	"testing"
	"time"

	"muster/internal/testredis"
	"muster/lobby/queue"
	"muster/proto/token"
)

// Whoever may have missed a notice must look for himself.
func TestGapWakesEverybodyWhoWaits(t *testing.T) {
	signing, err := token.New(make([]byte, token.MinKey), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(Config{Redis: testredis.Embedded(t), Namespace: "test", Keys: signing, Queues: []queue.Rules{}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	first, done := l.waiters.wait("duel.a")
	defer done()
	second, done := l.waiters.wait("duel.b")
	defer done()
	l.gap()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for name, c := range map[string]<-chan struct{}{"a request": first, "another request": second} {
		select {
		case <-c:
		case <-ctx.Done():
			t.Errorf("%s was not woken", name)
		}
	}
}
