package chaos

import (
	"slices"
	"time"

	"muster/internal/testpace"
)

// killOne kills the host of most rooms; they go on elsewhere, and it is started again.
func (w *world) killOne() {
	w.t.Helper()
	host, n := w.f.busiest(w.c.rooms())
	pass(w.t, time.Duration(w.rng.IntN(500))*time.Millisecond)
	w.f.kill(host)
	killed := time.Now()
	w.c.play("after the kill", killed.Add(100*time.Millisecond), w.c.bots)
	w.t.Logf("server %d was killed with %d of %d rooms; all bots play again after %v", host.n, n, w.sc.rooms, since(killed))
	w.f.start(host)
	w.c.orderly()
}

// killFor kills a host at random every so often for a while, and starts it again.
func (w *world) killFor(long, every time.Duration) {
	w.t.Helper()
	kills := 0
	for began := time.Now(); time.Since(began) < long; {
		next := time.Now().Add(every)
		host := w.f.nodes[w.rng.IntN(len(w.f.nodes))]
		at, err := w.f.hosts(w.c.rooms())
		must(w.t, err)
		n := 0
		for _, nd := range at {
			if nd == host {
				n++
			}
		}
		w.f.kill(host)
		killed := time.Now()
		kills++
		w.f.start(host)
		w.c.play("after a kill", killed.Add(100*time.Millisecond), w.c.bots)
		w.t.Logf("server %d was killed with %d of %d rooms; all bots play again after %v", host.n, n, w.sc.rooms, since(killed))
		pass(w.t, time.Until(next))
	}
	w.t.Logf("%d kills", kills)
	w.c.orderly()
}

// provenAfter is how long a room must run after a failover before the next one is not held against it.
const provenAfter = 6 * time.Second

// prove lets all rooms run that long: hosts that die one after the other of the same room within less may be that room's fault.
func (w *world) prove() { pass(w.t, provenAfter) }

// stopFor keeps the host of most rooms from running for a while: others take its rooms over where that is longer than
// its lease, and when it wakes nobody takes what it says for true.
func (w *world) stopFor(long time.Duration) {
	w.t.Helper()
	host, n := w.f.busiest(w.c.rooms())
	w.f.stop(host)
	stopped := time.Now()
	if long > 3*lease { // it is not waited for
		w.c.play("while a server is stopped", stopped.Add(lease+time.Second), w.c.bots)
		w.t.Logf("all bots play again %v after server %d was stopped", since(stopped), host.n)
	}
	pass(w.t, time.Until(stopped.Add(long)))
	w.f.resume(host)
	woken := time.Now()
	w.c.play("after a server woke", woken.Add(200*time.Millisecond), w.c.bots)
	w.t.Logf("server %d was stopped for %v with %d of %d rooms; all bots play %v after it woke", host.n, long, n, w.sc.rooms, since(woken))
	w.c.orderly()
}

// since is how long ago a time was, in words for a log.
func since(t time.Time) time.Duration { return time.Since(t).Round(10 * time.Millisecond) }

// reckon lets the bots come to an end, and judges.
func (w *world) reckon() {
	w.t.Helper()
	s := w.c.reckon()
	most := mostPause
	if w.sc.pause > 0 {
		most = w.sc.pause
	}
	if p := percentile(s.takenOver, 99); p > testpace.Bound(most) {
		w.t.Errorf("the 99th percentile of pauses at whose end another host goes on is %v, want at most %v", p, most)
	}
	if slip := int(mostSlip * time.Duration(kept.Rules().TickRate) / time.Second); len(s.rollbacks) > 0 && slices.Max(s.rollbacks) > slip {
		w.t.Errorf("%d ticks were taken back, want at most %d", slices.Max(s.rollbacks), slip)
	}
}
