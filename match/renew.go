package match

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// renewsAtOnce is how many rooms are renewed at a time: each of those whose server of Redis does not answer takes as long
	// as a call may, and the records of the others live for a minute.
	renewsAtOnce = 64
	// renewAgain is how long after a failure it is tried again, twice as long after each further one, up to renewAgainMost.
	renewAgain     = 100 * time.Millisecond
	renewAgainMost = time.Second
)

// renewRooms keeps the directory's records of running rooms alive: those of all, and soon again those that failed.
func (h *Host) renewRooms() {
	ticker := time.NewTicker(h.cfg.RenewEvery)
	defer ticker.Stop()
	soon := time.NewTimer(0)
	defer soon.Stop()
	<-soon.C
	var unheard map[*Instance]bool // of whose newest renewal the directory has not heard; true: it was asked in vain
	for again := renewAgain; ; {
		all := true
		select {
		case <-h.ctx.Done():
			return
		case <-h.rewrite:
			again = renewAgain
		case <-ticker.C:
		case <-soon.C:
			all = false
		}
		var first, last []*Instance
		for _, rm := range h.all() {
			if vain, is := unheard[rm]; vain {
				last = append(last, rm) // where it is in nobody's way
			} else if all || is {
				first = append(first, rm)
			}
		}
		unheard = h.renewEach(append(first, last...), unheard)
		if len(unheard) == 0 {
			again = renewAgain
			soon.Stop()
			continue
		}
		soon.Reset(again)
		again = min(2*again, renewAgainMost)
	}
}

// renewEach renews rooms, and returns those of which the directory did not hear. After RenewEvery it begins with no more;
// before says which of them had been asked for in vain already.
func (h *Host) renewEach(rooms []*Instance, before map[*Instance]bool) (unheard map[*Instance]bool) {
	unheard = map[*Instance]bool{}
	var mu sync.Mutex
	note := func(rm *Instance, vain bool) {
		mu.Lock()
		defer mu.Unlock()
		unheard[rm] = vain
	}
	var wg sync.WaitGroup
	began, places := time.Now(), make(chan struct{}, renewsAtOnce)
	for _, rm := range rooms {
		places <- struct{}{}
		if time.Since(began) >= h.cfg.RenewEvery {
			<-places
			note(rm, before[rm])
			continue
		}
		wg.Go(func() {
			defer func() { <-places }()
			err := h.call(rm, "renewing a room", func(ctx context.Context) error { return h.renew(ctx, rm) })
			if err != nil && !errors.Is(err, ErrFenced) {
				note(rm, true)
			}
		})
	}
	wg.Wait()
	return unheard
}

// Rewrite has the directory told of every room soon, and again until it has heard of all: it may have forgotten them, or
// whose they are. It does not block.
func (h *Host) Rewrite() {
	select {
	case h.rewrite <- struct{}{}:
	default: // it is about to be done
	}
}

// renew tells the directory how a room is, and then again what it has not heard of its seats.
func (h *Host) renew(ctx context.Context, rm *Instance) error {
	teams := rm.teamsDue.Swap(false) // before the roster is read: a later change is told later
	a := rm.alive()
	a.Teams = teams
	err := h.dir.Renew(ctx, rm.spec.ID, rm.spec.Epoch, a)
	if err != nil && teams {
		rm.teamsDue.Store(true) // for the next renewal
	}
	switch {
	case errors.Is(err, ErrCalledOff):
		rm.callOff()
		return nil
	case errors.Is(err, ErrFenced):
		rm.Abandon("the match goes on elsewhere")
	case err == nil:
		for _, n := range rm.unfreed.take() {
			if !rm.satAgain(n) {
				h.tell(n)
			}
		}
	}
	return err //nolint:wrapcheck // logged with what was done
}
