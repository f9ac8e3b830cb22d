package ownership

import "slices"

// runs says whether a node's rooms tick at this moment.
func (w *world) runs(n *node) bool {
	if !n.up || w.now < n.paused || n.m == nil {
		return false
	}
	return n.m.runs(n.local(w.now))
}

// roomsOf lets a node's rooms do something, and the node look for rooms that it should run.
func (w *world) roomsOf(n *node, i int) {
	w.at(n.after(roomEvery), event{kind: evRooms, node: int8(i), run: n.run})
	steady := n.m.Steady(n.local(w.now))
	if steady && !n.claimed && w.one(3) {
		w.claim(n, i, n.dead...)
	}
	if w.one(8) && w.now < w.over-2*ttl && (steady || w.opt.without == steadyCreation && n.m.Held(n.local(w.now))) {
		k, c := w.newCall(callCreate, n, i)
		c.room, c.epoch, c.lineageSeen = w.rng.IntN(rooms), n.m.Epoch(), n.m.lineage
		w.send(k)
	}
	for j := range n.list { // whether they run or wait
		if in := &n.list[j]; in.rewrite || w.one(4) {
			k, c := w.newCall(callRecord, n, i)
			c.room, c.epoch = in.room, in.epoch
			w.send(k)
		}
	}
	if !w.runs(n) {
		return
	}
	for j := range n.list {
		in := &n.list[j]
		if w.one(3) {
			w.state[in.room].inputs++
			in.hist = append(in.hist, w.state[in.room].inputs)
		}
		if !in.busy && (len(in.hist) > in.stored || in.check) {
			in.busy = true
			k, c := w.newCall(callAppend, n, i)
			c.room, c.epoch, c.check, c.upTo = in.room, in.epoch, in.check, len(in.hist)
			if in.check {
				c.hist = append(c.hist, in.hist...)
			} else {
				c.hist = append(c.hist, in.hist[in.stored:]...)
				if in.stored > 0 {
					c.prev = in.hist[in.stored-1]
				}
			}
			w.send(k)
		}
	}
}

// claim looks for rooms of those that are dead.
func (w *world) claim(n *node, i int, dead ...string) {
	n.claimed = true
	k, c := w.newCall(callClaim, n, i)
	c.names, c.epoch = append(c.names, dead...), n.m.Epoch()
	w.send(k)
}

// drop ends a room on a node.
func (n *node) drop(room int, epoch uint64) {
	for i := range n.list {
		if n.list[i].room == room && n.list[i].epoch == epoch {
			last := len(n.list) - 1
			n.list[i], n.list[last] = n.list[last], n.list[i]
			n.list = n.list[:last]
			return
		}
	}
}

// appended takes the answer to an append.
func (w *world) appended(n *node, c *call) {
	in := n.room(c.room, c.epoch)
	if in == nil {
		return
	}
	in.busy = false
	switch {
	case c.gap:
		in.check = true
	case !c.ok:
		n.drop(c.room, c.epoch)
	default:
		if c.check {
			in.check = false
		}
		in.stored = c.upTo
		if c.lineage != w.redis.emptied || w.untold(n.id) { // Redis may have forgotten it by now, or that it is another's
			return
		}
		r := &w.state[c.room]
		for _, input := range in.hist[:in.stored] { // what came before is told with it
			if slices.Contains(r.durable, input) {
				continue
			}
			r.durable = append(r.durable, input)
			for j := range w.nodes {
				for _, later := range w.nodes[j].list {
					if later.room == c.room && later.epoch > c.epoch && !slices.Contains(later.hist, input) {
						w.fail("input %d of room %d is durable, and the host of epoch %d does not have it", input, c.room, later.epoch)
					}
				}
			}
		}
	}
}

// opened begins to run a room.
func (w *world) opened(n *node, c *call) {
	for _, in := range n.list {
		if in.room == c.room {
			if in.epoch < c.epoch {
				n.drop(c.room, in.epoch)
				break
			}
			return
		}
	}
	if c.lineage != w.redis.emptied {
		return // what it has loaded may be older than what others have: it looks again
	}
	rec := &w.redis.record[c.room] // may have been lost since it was claimed
	if len(n.list) < cap(n.list) {
		n.list = n.list[:len(n.list)+1]
	} else {
		n.list = append(n.list, instance{})
	}
	in := &n.list[len(n.list)-1]
	*in = instance{room: c.room, epoch: c.epoch, hist: append(in.hist[:0], c.hist...), stored: len(c.hist), lost: rec.blind || rec.epoch < c.epoch}
	w.log("%s runs room %d with epoch %d", show(n.id), c.room, c.epoch)
}

// first looks, when a room runs for the first time here, whether it is a room that may: the newest, with all that is durable.
func (w *world) first(n *node, in *instance) {
	in.ran = true
	r := &w.state[in.room]
	for _, input := range r.durable {
		if !slices.Contains(in.hist, input) {
			w.fail("%s opens room %d with epoch %d without input %d, which is durable", show(n.id), in.room, in.epoch, input)
		}
	}
	again := in.epoch < r.issued || in.epoch == r.issued && r.by != n.id
	if again && !r.spread && w.stepped && r.kept != w.redis.emptied {
		w.over = w.now // see spread
		return
	}
	if again {
		w.fail("%s opens room %d with epoch %d after one with %d", show(n.id), in.room, in.epoch, r.issued)
	}
	r.issued, r.by, r.spread, r.kept = in.epoch, n.id, false, w.redis.emptied
}

// untold says whether Redis has forgotten that an incarnation is fenced, and nobody could tell it again.
func (w *world) untold(id string) bool {
	if !w.forgotten[incOf(id)] || w.now < w.forgot+ttl*9/10 { // so long it waits whoever is there
		return false
	}
	if slices.Contains(w.redis.fenced, id) { // it hears of it with its next renewal
		return w.late[incOf(id)] && w.now < w.told[incOf(id)]+ttl
	}
	for i := range w.nodes {
		if n := &w.nodes[i]; n.up && n.renewals > 1 && slices.Contains(n.m.fences, id) {
			return false
		}
	}
	return true
}

// recordless says whether a node that was not in touch with Redis since that was emptied runs a room: nothing there says so.
func (w *world) recordless(n *node, room int) bool {
	for i := range n.list {
		if in := &n.list[i]; in.room == room && in.recordless {
			return n.renewals < 2
		}
	}
	return false
}

// spread notes which epochs more nodes than their hosts know of. One that none but its host knows is given out again if the
// host is away, Redis was emptied, and its clock has gone back: all three.
func (w *world) spread() {
	for room := range w.state {
		r := &w.state[room]
		if r.spread || r.issued == 0 {
			continue
		}
		know, up := 0, 0
		for i := range w.nodes {
			if n := &w.nodes[i]; n.up {
				up++
				if n.heard >= r.issued {
					know++
				}
			}
		}
		r.spread = know > 1 || know == up
	}
}

// check looks at the invariants. What lets a room run is an event, so they are looked at after each.
func (w *world) check() {
	w.spread()
	var host [rooms]int // 1 + the node that runs it
	var epoch [rooms]uint64
	var lost [rooms]bool
	for i := range w.nodes {
		n := &w.nodes[i]
		if len(n.list) == 0 {
			continue
		}
		if !w.runs(n) {
			w.stalls++
			if w.opt.profile.neverWaits && n.up {
				w.fail("the rooms of %s wait", show(n.id))
			}
			continue
		}
		for j := range n.list {
			in := &n.list[j]
			if !in.ran {
				w.first(n, in)
			}
			r := &w.state[in.room]
			if h := host[in.room]; h > 0 {
				other := &w.nodes[h-1]
				if epoch[in.room] == in.epoch || !w.excused[incOf(other.id)] && !w.excused[incOf(n.id)] && !lost[in.room] && !in.lost && !w.untold(other.id) && !w.untold(n.id) &&
					!w.recordless(other, in.room) && !w.recordless(n, in.room) {
					w.fail("room %d runs on %s with epoch %d and on %s with %d", in.room, show(other.id), epoch[in.room], show(n.id), in.epoch)
				}
			}
			host[in.room], epoch[in.room], lost[in.room] = i+1, in.epoch, lost[in.room] || in.lost
			r.seen = max(r.seen, in.epoch)
		}
	}
	if w.opt.profile.nobodyDies && w.fences > 0 {
		w.fail("a node was fenced that was there")
	}
}

// settled looks, where a run went on for long enough after the last fault, whether every room runs once and clients take
// its frames.
func (w *world) settled() {
	if !w.opt.profile.settles {
		return
	}
	for room := range w.state {
		hosts := 0
		for i := range w.nodes {
			n := &w.nodes[i]
			if !w.runs(n) {
				continue
			}
			for _, in := range n.list {
				if in.room != room {
					continue
				}
				hosts++
				if in.epoch < w.state[room].seen {
					w.fail("in the end %s runs room %d with epoch %d, and clients have seen %d", show(n.id), room, in.epoch, w.state[room].seen)
				}
			}
		}
		if hosts != 1 && w.redis.record[room].node != "" { // else nobody has wanted it since
			w.fail("in the end room %d runs on %d nodes; its record names %s", room, hosts, show(w.redis.record[room].node))
		}
	}
}
