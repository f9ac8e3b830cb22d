package ownership

import "slices"

type faultKind int

// What can happen. Most faults end again by themselves; at the end of its faults a run mends everything.
const (
	cutRedis  faultKind = iota // a node and Redis, both ways or one
	slowRedis                  // a node and Redis
	outage                     // Redis does not answer anybody
	restart                    // it does not, and comes back as another run, with its data
	empty                      // it comes back without its data
	failover                   // another server takes over that lacks the last writes
	stop                       // a process is stopped and goes on
	kill                       // a process dies, and starts again perhaps
	join                       // a node comes
	leave                      // a node ends by its own will
	cutPeers                   // two nodes, both ways or one
	slowPeers                  // two nodes; some messages are lost
	blip                       // a node and Redis, for a moment
	island                     // all nodes that are there and Redis, which others reach
	starve                     // a process's loop does not come round, while it answers
	clockStep                  // Redis's clock
	faultKinds
)

// profile is what kinds of faults a run has, how often, and what must hold besides.
type profile struct {
	name        string
	least, most int   // nodes at the start
	seconds     int64 // of faults, at least; at most twice as long
	every       int64 // about how long after a fault the next one comes
	weights     [faultKinds]int
	short       bool // no fault lasts long
	eager       bool // it is always looked at whether somebody is to be fenced
	fencesLost  int  // of 100 answers to fences
	settles     bool // long enough after the last fault every room runs, once
	neverWaits  bool // no room waits
	nobodyDies  bool // nobody is fenced
}

func (p *profile) nodes(w *world) int { return p.least + w.rng.IntN(p.most-p.least+1) }

func (p *profile) length(w *world) int64 { return p.seconds*1000*ms + w.upTo(p.seconds*1000*ms) }

// fault makes the next fault, or mends everything.
func (w *world) fault() {
	p := &w.opt.profile
	if w.now >= w.end {
		w.mend()
		return
	}
	total := 0
	for _, weight := range p.weights {
		total += weight
	}
	pick, k := w.rng.IntN(total), faultKind(0)
	for pick >= p.weights[k] {
		pick -= p.weights[k]
		k++
	}
	w.at(min(w.upTo(2*p.every), w.end-w.now), event{kind: evFault})
	w.hurt(k)
}

// span is how long a fault lasts: often about a lease, sometimes much longer.
func (w *world) span() int64 {
	if w.one(3) {
		return w.upTo(8 * ttl)
	}
	return w.upTo(2 * ttl)
}

func (w *world) hurt(k faultKind) {
	i := w.rng.IntN(maxNodes)
	for range maxNodes { // one that is there, if any is
		if w.nodes[i].up {
			break
		}
		i = (i + 1) % maxNodes
	}
	n, p := &w.nodes[i], &w.opt.profile
	span := w.span()
	if p.short {
		span = w.upTo(2 * ttl)
	}
	heal := event{kind: evHeal, node: int8(i), call: int32(k)}
	switch k {
	case cutRedis:
		w.cut(n, span, !w.one(4), !w.one(4))
		w.log("node %d is cut off from Redis for %d ms: to %v, from %v", i, span/ms, n.toRedis.cut, n.toNode.cut)
	case blip:
		heal.call, span = int32(cutRedis), w.upTo(ttl*3/4)
		w.cut(n, span, !w.one(3), !w.one(3))
		w.log("node %d is cut off from Redis for %d ms", i, span/ms)
	case island:
		w.island(span)
		return
	case slowRedis:
		n.toRedis.slow, n.toNode.slow = w.upTo(ttl), w.upTo(ttl)/4
		w.log("Redis is slow for node %d for %d ms", i, span/ms)
	case outage, restart, empty:
		if !w.redis.up || p.neverWaits && w.now < w.back+ttl { // whom its return did not reach yet waits
			return
		}
		w.redis.up = false
		if w.one(3) {
			span = 4*ttl + w.upTo(8*ttl)
		}
		w.log("Redis is down for %d ms (%d)", span/ms, k)
	case failover:
		w.saved.take(&w.redis)
		w.log("from now on Redis loses what it is told")
		w.at(w.upTo(ttl), event{kind: evFailover})
		return
	case stop:
		n.paused = max(n.paused, min(w.now+span, w.end))
		w.log("%s is stopped for %d ms", show(n.id), span/ms)
		return
	case kill:
		w.kill(n)
		w.log("node %d dies", i)
		if !w.one(4) {
			w.at(w.span(), event{kind: evStart, node: int8(i)})
		}
		return
	case join:
		for j := range w.nodes {
			if !w.nodes[j].up {
				w.start(j)
				return
			}
		}
		return
	case leave:
		if n.up && w.now >= n.paused && w.redis.up && !n.toRedis.cut {
			w.log("%s leaves", show(n.id))
			w.redis.fence(n.id)
			w.kill(n)
			w.at(w.span(), event{kind: evStart, node: int8(i)})
		}
		return
	case cutPeers, slowPeers:
		j := (i + 1 + w.rng.IntN(maxNodes-1)) % maxNodes
		heal.run = uint16(j)
		to, from := &w.link[i][j], &w.link[j][i]
		if k == cutPeers {
			to.cut, from.cut = !w.one(4), !w.one(4)
			to.refuses, from.refuses = w.one(2), w.one(2)
		} else {
			if to.loss = w.rng.IntN(100); w.one(2) {
				from.slow, to.slow = w.upTo(ttl), w.upTo(ttl)/4
			}
		}
		w.log("nodes %d and %d do not hear each other for %d ms (%d)", i, j, span/ms, k)
	case starve:
		n.starved = max(n.starved, min(w.now+span, w.end))
		w.log("the loop of %s does not come round for %d ms", show(n.id), span/ms)
		return
	case clockStep:
		w.stepped = true
		w.redis.clock = w.upTo(7200_000*ms) - 3600_000*ms
		w.log("Redis's clock is %d ms ahead", w.redis.clock/ms)
		return
	}
	w.at(span, heal)
}

// cut cuts a node off from Redis for a while, one way or both.
func (w *world) cut(n *node, span int64, to, from bool) {
	n.toRedis.cut, n.toNode.cut = n.toRedis.cut || to, n.toNode.cut || from
	n.cutTo = max(n.cutTo, w.now+span)
}

// island cuts all nodes off from Redis; perhaps another one comes that is not.
func (w *world) island(span int64) {
	w.log("all nodes are cut off from Redis for %d ms", span/ms)
	free := -1
	for i := range w.nodes {
		if !w.nodes[i].up {
			free = i
			continue
		}
		long := span + w.upTo(ttl)
		w.cut(&w.nodes[i], long, true, false)
		w.at(long, event{kind: evHeal, node: int8(i), call: int32(cutRedis)})
	}
	if free >= 0 && !w.one(3) {
		w.at(w.upTo(ttl/2), event{kind: evStart, node: int8(free)})
	}
}

func (w *world) kill(n *node) {
	n.up = false
	n.run++
	n.list = n.list[:0]
}

func (w *world) heal(e event) {
	n := &w.nodes[e.node]
	switch faultKind(e.call) {
	case cutRedis:
		if w.now >= n.cutTo { // else there was another one
			n.toRedis.cut, n.toNode.cut = false, false
		}
	case slowRedis:
		n.toRedis.slow, n.toNode.slow = 0, 0
	case outage, restart, empty:
		if w.redis.up {
			return
		}
		w.redis.up, w.back = true, w.now
		if faultKind(e.call) == restart {
			w.redis.lineage++
		}
		if faultKind(e.call) == empty {
			clock, lost := w.redis.clock, w.redis.emptied
			fenced := slices.Clone(w.redis.fenced)
			w.redis.reset(w.redis.lineage + 1)
			w.redis.clock, w.redis.emptied = clock, lost
			w.lose(fenced)
		}
		w.log("Redis is back (%d)", e.call)
	case cutPeers, slowPeers:
		w.link[e.node][e.run], w.link[e.run][e.node] = linkState{}, linkState{}
	}
}

// failover replaces Redis by its replica.
func (w *world) failover() {
	up, lineage, lost := w.redis.up, w.redis.lineage, w.redis.emptied
	fenced := slices.Clone(w.redis.fenced)
	w.redis.take(&w.saved)
	w.redis.up, w.redis.lineage, w.redis.emptied = up, lineage+1, lost
	w.lose(fenced)
	w.log("another Redis has taken over")
}

// lose forgets of what Redis has lost that it was durable: its host has it, and makes it durable again.
func (w *world) lose(fenced []string) {
	w.redis.emptied++
	w.forgot = w.now
	for _, id := range fenced {
		if !slices.Contains(w.redis.fenced, id) {
			w.forgotten[incOf(id)] = true
		}
	}
	for i := range w.nodes {
		w.nodes[i].renewals = 0
		for j := range w.nodes[i].list {
			in := &w.nodes[i].list[j]
			rec := &w.redis.record[in.room]
			in.recordless = rec.node == ""
			in.lost = in.lost || rec.node != "" && rec.epoch < in.epoch
		}
	}
	for room := range w.state {
		r := &w.state[room]
		kept := r.durable[:0]
		for _, input := range r.durable {
			for _, has := range w.redis.journal[room].hist {
				if has == input {
					kept = append(kept, input)
					break
				}
			}
		}
		r.durable = kept
	}
}

// mend ends all faults.
func (w *world) mend() {
	w.log("everything is mended")
	if !w.redis.up {
		w.redis.up, w.back = true, w.now
	}
	w.link = [maxNodes][maxNodes]linkState{}
	up := false
	for i := range w.nodes {
		n := &w.nodes[i]
		n.toRedis, n.toNode, n.starved, n.cutTo = linkState{}, linkState{}, 0, 0
		up = up || n.up
	}
	if !up {
		w.start(0)
	}
}
