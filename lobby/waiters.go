package lobby

import (
	"context"
	"sync"
	"time"
)

// waiters are the long polls of this process, by what they wait for.
type waiters struct {
	mu   sync.Mutex
	byID map[string]map[chan struct{}]struct{}
}

// wait returns a channel that is told when id is woken, and how to stop waiting. The channel holds one, so a wake
// between two looks is not lost; more say nothing new.
func (w *waiters) wait(id string) (woken <-chan struct{}, done func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byID == nil {
		w.byID = map[string]map[chan struct{}]struct{}{}
	}
	if w.byID[id] == nil {
		w.byID[id] = map[chan struct{}]struct{}{}
	}
	w.byID[id][c] = struct{}{}
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if delete(w.byID[id], c); len(w.byID[id]) == 0 {
			delete(w.byID, id)
		}
	}
}

func (w *waiters) wake(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	poke(w.byID[id])
}

func (w *waiters) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, set := range w.byID {
		poke(set)
	}
}

func poke(set map[chan struct{}]struct{}) {
	for c := range set {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// poll calls look at once, whenever id is woken, and unasked after each again, until it is done or fails. The last call
// is when wait is over, the lobby stops or the client has gone away.
func (l *Lobby) poll(ctx context.Context, id string, wait, again time.Duration, look func() (done bool, err error)) error {
	woken, stop := l.waiters.wait(id)
	defer stop()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	ticker := time.NewTicker(again)
	defer ticker.Stop()
	for last := wait == 0; ; {
		if done, err := look(); done || last || err != nil {
			return err
		}
		select {
		case <-woken:
		case <-ticker.C:
		case <-timer.C:
			last = true
		case <-l.closing.Done():
			last = true
		case <-ctx.Done():
			last = true
		}
	}
}
