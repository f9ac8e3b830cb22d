package chaos

import (
	"slices"
	"time"
)

// restartRedis takes Redis away from everybody for a while, with what it has on its disk. No room waits for it, and none
// changes hands.
func (w *world) restartRedis(away time.Duration) {
	w.t.Helper()
	was := w.c.clocks()
	w.store.Kill()
	killed := time.Now()
	pass(w.t, away)
	w.store.Restart()
	back := time.Now()
	w.c.play("after Redis was away", back, w.c.bots)
	w.t.Logf("Redis was away for %v; all bots play and are durable again %v after it was back", back.Sub(killed).Round(10*time.Millisecond), since(back))
	w.unmoved(was)
}

// emptyRedis makes Redis forget everything, and then kills a host: its rooms go on as they did, under higher epochs.
func (w *world) emptyRedis() {
	w.t.Helper()
	was := w.c.clocks()
	must(w.t, wipe(w.t.Context(), w.rdb))
	w.store.Kill()
	w.store.Restart()
	back := time.Now()
	w.c.play("after Redis forgot", back, w.c.bots)
	w.unmoved(was)
	until(w.t, "every room has a record again", func() bool {
		at, err := w.f.hosts(w.c.rooms())
		return err == nil && len(at) == w.sc.rooms
	})
	w.t.Logf("all rooms have records %v after Redis was back without any", since(back))
	w.killOne()
}

// promote makes the replica the master, and then kills a host: no room changes hands for the first, and none is lost. While
// the new master has no replica rooms go on, and nothing is durable.
func (w *world) promote() {
	w.t.Helper()
	was := w.c.clocks()
	began := time.Now()
	w.store.(pair).Failover()
	w.t.Logf("the replica is the master after %v", since(began))
	w.c.frames("after the failover of Redis", time.Now())
	back := time.Now()
	w.store.(pair).Rejoin()
	w.t.Logf("the old master is a replica %v after it came back", since(back))
	w.c.play("with a replica again", time.Now(), w.c.bots)
	w.t.Logf("all bots are durable again %v after the failover began", since(began))
	w.unmoved(was)
	w.killOne()
}

// promoteEach makes the replica of each of the Cluster's masters the master, as an operator does and then since the master
// is killed, and in the end kills a host: no room changes hands for Redis, and nothing durable is lost. Without its replica a
// master has nothing durable, and rooms go on.
func (w *world) promoteEach() {
	w.t.Helper()
	c := w.store.(whole)
	for i := range c.Masters {
		was, began := w.c.clocks(), time.Now()
		c.Promote(i)
		w.c.play("after a replica was promoted", time.Now(), w.c.bots)
		w.t.Logf("replica %d is the master; all bots are durable again %v after it was told to be", i, since(began))
		w.unmoved(was)
	}
	for i := range c.Masters {
		was, began := w.c.clocks(), time.Now()
		c.Lose(i)
		w.t.Logf("master %d is killed; its replica is the master after %v", i, since(began))
		w.c.frames("after a master was lost", time.Now())
		c.Rejoin(i)
		w.c.play("with a replica again", time.Now(), w.c.bots)
		w.t.Logf("all bots are durable again %v after master %d was killed", since(began), i)
		w.unmoved(was)
	}
	w.killOne()
}

// oneAway takes one of the Cluster's masters away for a while, with what it has on its disk, and then kills a host.
func (w *world) oneAway(away time.Duration) {
	w.t.Helper()
	c := w.store.(whole)
	for i, s := range c.Masters {
		was := w.c.clocks()
		s.Kill()
		pass(w.t, away)
		s.Restart()
		c.Wait()
		back := time.Now()
		w.c.play("after a master was away", back, w.c.bots)
		w.t.Logf("master %d was away for %v; all bots are durable again %v after it was back", i, away, since(back))
		w.unmoved(was)
	}
	w.killOne()
}

// slowRedis makes each answer of Redis come so much later for all servers. No room waits for it, and none changes hands.
func (w *world) slowRedis(by time.Duration) {
	w.t.Helper()
	was := w.c.clocks()
	for _, n := range w.f.nodes {
		n.line.Slow(by)
	}
	pass(w.t, 10*time.Second)
	for _, n := range w.f.nodes {
		n.line.Slow(0)
	}
	healed := time.Now()
	w.c.play("after Redis was slow", healed, w.c.bots)
	w.t.Logf("Redis took %v for 10s; all bots are durable again after %v", by, since(healed))
	w.unmoved(was)
}

// cutOff keeps one server from Redis, and it alone: its rooms pause and are taken over, and its players follow.
func (w *world) cutOff() {
	w.apart("cut off", func(n *node) (mend func()) { n.line.Cut(); return n.line.Mend })
}

// blackHole is cutOff where nothing answers and nothing is closed.
func (w *world) blackHole() {
	w.apart("in a black hole", func(n *node) (mend func()) { return n.line.BlackHole() })
}

func (w *world) apart(how string, part func(n *node) (mend func())) {
	w.t.Helper()
	host, _ := w.f.busiest(w.c.rooms())
	at, err := w.f.hosts(w.c.rooms())
	must(w.t, err)
	var rooms []string
	for room, n := range at {
		if n == host {
			rooms = append(rooms, room)
		}
	}
	mend := part(host)
	parted := time.Now()
	w.c.play("while a server is "+how, parted.Add(lease+time.Second), w.c.bots)
	w.t.Logf("server %d is %s with %d of %d rooms: all bots play again after %v", host.n, how, len(rooms), w.sc.rooms, since(parted))
	at, err = w.f.hosts(rooms)
	must(w.t, err)
	for _, room := range rooms {
		if at[room] == host || at[room] == nil {
			w.t.Errorf("room %s is not hosted by another server", room)
		}
	}
	pass(w.t, 2*time.Second)
	mend()
	w.c.play("after it is mended", time.Now(), w.c.bots)
	w.c.orderly()
}

// clock is where a bot's room was at a time.
type clock struct{ seen }

// clocks are those of all bots.
func (c *crowd) clocks() map[*bot]clock {
	was := map[*bot]clock{}
	for _, b := range c.bots {
		b.mu.Lock()
		was[b] = clock{b.notes.last}
		b.mu.Unlock()
	}
	return was
}

// unmoved checks that the rooms have missed no tick since, and that no host has changed.
func (w *world) unmoved(was map[*bot]clock) {
	w.t.Helper()
	var short []int
	for _, room := range w.c.rooms() {
		least := 1 << 30
		for _, b := range w.c.in(room) {
			b.mu.Lock()
			now := b.notes.last
			b.mu.Unlock()
			if now.epoch != was[b].epoch {
				w.t.Errorf("room %s has another host: epoch %d became %d", room, was[b].epoch, now.epoch)
			}
			due := int(now.since(was[b].seen) * time.Duration(kept.Rules().TickRate) / time.Second)
			least = min(least, due-int(now.tick-was[b].tick))
		}
		short = append(short, least)
	}
	w.t.Logf("ticks that rooms are short of: %s", spread(short))
	if m := slices.Max(short); m > mostMissed {
		w.t.Errorf("a room is %d ticks short", m)
	}
	w.c.orderly()
}
