package ownership

import (
	"slices"
	"time"
)

type callKind uint8

const (
	callRenew callKind = iota + 1
	callFence
	callAppend
	callRecord // the renewal of a room's record, which a host writes anew where it is lost
	callClaim
	callCreate
	callLoad
)

// call is one script on its way to Redis and back.
type call struct {
	kind  callKind
	node  int8
	run   uint16
	id    string // the incarnation that calls
	ended bool   // answered, or given up
	deaf  bool   // fence: the target's node did not answer the probe
	check bool   // append: the whole history

	beat, news, epoch uint64
	names, fences     []string
	target            string
	room              int
	prev              int32
	hist              []int32
	upTo              int

	ok, gap, fenced bool
	answer          Answer
	got             []claimed
	lineage         int
	lineageSeen     string
}

type claimed struct {
	room  int
	epoch uint64
}

// probe is one question on its way to a peer and back.
type probe struct {
	q            Question
	from, to     int8
	run          uint16
	asker, asked string
	round        uint64
	reply        Reply
	ended        bool
}

func (w *world) newCall(kind callKind, n *node, i int) (int32, *call) {
	if len(w.calls) < cap(w.calls) {
		w.calls = w.calls[:len(w.calls)+1]
	} else {
		w.calls = append(w.calls, call{})
	}
	k := len(w.calls) - 1
	c := &w.calls[k]
	*c = call{
		kind: kind, node: int8(i), run: n.run, id: n.id, names: c.names[:0], fences: c.fences[:0], hist: c.hist[:0], got: c.got[:0],
		answer: Answer{Others: c.answer.Others[:0], Fenced: c.answer.Fenced[:0]},
	}
	return int32(k), c
}

// wireTime is how long one message takes.
func (w *world) wireTime(l *linkState) int64 {
	d := 100_000 + w.upTo(2*ms)
	if l.slow > 0 {
		d += w.upTo(l.slow)
	}
	return d
}

// send sends a call to Redis. Now and then it is carried out twice, as go-redis repeats what had no answer.
func (w *world) send(i int32) {
	c := &w.calls[i]
	n := &w.nodes[c.node]
	within := callTimeout
	if c.kind == callRenew {
		within = renewTimeout
	}
	w.at(n.after(within), event{kind: evTimeout, node: c.node, run: c.run, call: i})
	if n.toRedis.cut || w.rng.IntN(100) < n.toRedis.loss {
		return
	}
	w.at(w.wireTime(&n.toRedis), event{kind: evExec, call: i})
	if w.one(40) {
		w.at(w.wireTime(&n.toRedis)+w.upTo(renewTimeout), event{kind: evExec, call: i})
	}
}

// start starts a process on a node.
func (w *world) start(i int) {
	n := &w.nodes[i]
	if n.up || w.incs >= maxIncs {
		return
	}
	n.up, n.paused, n.starved, n.loopIn, n.claimed, n.tending = true, 0, 0, false, false, false
	n.list, n.dead = n.list[:0], n.dead[:0]
	w.incarnate(n, i)
	w.at(0, event{kind: evLoop, node: int8(i), run: n.run})
	w.at(w.upTo(roomEvery), event{kind: evRooms, node: int8(i), run: n.run})
}

// incarnate begins another incarnation.
func (w *world) incarnate(n *node, i int) {
	if w.incs >= maxIncs {
		n.up = false
		return
	}
	n.id = idOf(w.incs)
	w.incs++
	cfg := Config{TTL: time.Duration(ttl), Margin: time.Duration(margin), Stranger: time.Duration(w.opt.stranger)}
	switch w.opt.without {
	case margins:
		cfg.Margin = 0
	case strangers:
		cfg.Stranger = 0
	}
	n.m = New(n.id, cfg)
	n.list, n.dead, n.loopIn, n.late, n.claimed = n.list[:0], n.dead[:0], false, false, false
	w.log("node %d is %s, its clock runs %d ppm fast", i, show(n.id), n.rate)
}

func (w *world) nodeOf(id string) int {
	for i := range w.nodes {
		if w.nodes[i].id == id {
			return i
		}
	}
	return -1
}

// loop is one round of the renewal loop.
func (w *world) loop(n *node, i int) {
	next := n.after(renewEvery)
	if w.now < n.starved {
		w.at(n.starved-w.now, event{kind: evLoop, node: int8(i), run: n.run})
		return
	}
	w.at(next, event{kind: evLoop, node: int8(i), run: n.run})
	if n.late = n.loopIn; !n.late {
		w.renew(n, i)
	}
}

// renew begins an attempt to renew.
func (w *world) renew(n *node, i int) {
	n.loopIn = true
	r := n.m.Renew(n.local(w.now))
	k, c := w.newCall(callRenew, n, i)
	c.beat, c.news, c.epoch = r.Beat, r.News, r.Epoch
	c.names, c.fences = append(c.names, r.Knows...), append(c.fences, r.Fences...)
	if w.opt.without == reasserted {
		c.fences = c.fences[:0]
	}
	w.send(k)
}

// timeout gives a call up.
func (w *world) timeout(n *node, i int32) {
	c := &w.calls[i]
	if c.ended {
		return
	}
	c.ended = true
	if c.id != n.id {
		return
	}
	switch c.kind {
	case callRenew:
		n.loopIn = false
		n.m.Failed()
		w.tend(n, int(c.node))
	case callClaim, callLoad:
		n.claimed = false
	case callAppend:
		if in := n.room(c.room, c.epoch); in != nil {
			in.busy = false
		}
	}
}

func (n *node) room(room int, epoch uint64) *instance {
	for i := range n.list {
		if n.list[i].room == room && n.list[i].epoch == epoch {
			return &n.list[i]
		}
	}
	return nil
}

// reply takes a call's answer.
func (w *world) reply(n *node, i int32) {
	c := &w.calls[i]
	if c.ended {
		return
	}
	c.ended = true
	if c.id != n.id { // fenced meanwhile
		return
	}
	now := n.local(w.now)
	switch c.kind {
	case callRenew:
		n.loopIn = false
		w.renewed(n, c, now)
	case callFence:
		n.m.FenceDone(c.target, c.ok)
		if c.ok && !n.claimed && w.one(2) {
			w.claim(n, int(c.node), c.target)
		}
	case callAppend:
		w.appended(n, c)
	case callRecord:
		if in := n.room(c.room, c.epoch); in != nil && c.ok {
			if c.lineage == w.redis.emptied {
				in.rewrite, in.lost = false, false
			}
		} else if !c.ok {
			n.drop(c.room, c.epoch)
		}
	case callClaim:
		n.claimed = false
		for _, g := range c.got {
			n.m.Saw(g.epoch)
			if n.room(g.room, g.epoch) == nil {
				k, load := w.newCall(callLoad, n, int(c.node))
				load.room, load.epoch = g.room, g.epoch
				n.claimed = true
				w.send(k)
				return // one at a time; the rest is found by the next look
			}
		}
	case callCreate:
		if c.target != "" && c.target != n.id {
			n.m.Watch(now, c.target)
		}
	case callLoad:
		n.claimed = false
		if c.ok {
			w.opened(n, c)
		}
	}
}

func (w *world) renewed(n *node, c *call, now time.Duration) {
	switch {
	case c.fenced:
		w.log("%s hears that it is fenced", show(n.id))
		n.m.Lost()
		w.incarnate(n, int(c.node))
		return
	case !c.ok:
		n.m.Failed()
	default:
		m := n.m
		if w.opt.without == sendTime {
			m.sentAt = now
		}
		forgot := m.Renewed(now, c.answer)
		n.renewals++
		n.heard = m.Epoch()
		for i := range n.list {
			n.list[i].rewrite = n.list[i].rewrite || forgot
		}
		if w.opt.without == resumes {
			m.doubtful = false
		}
		for _, id := range c.answer.Fenced {
			if !slices.Contains(n.dead, id) {
				n.dead = append(n.dead, id)
				if !n.claimed && m.Steady(now) && w.one(2) {
					w.claim(n, int(c.node), id)
				}
			}
		}
	}
	w.tend(n, int(c.node))
}

// tend does what follows an attempt to renew: it asks peers and suspects, and makes the next attempt if that is due.
func (w *world) tend(n *node, i int) {
	defer func() {
		if n.late && w.now >= n.starved {
			n.late = false
			w.renew(n, i)
		}
	}()
	now := n.local(w.now)
	m := n.m
	switch w.opt.without {
	case yields:
		m.yielded = false
	case knownPeers:
		m.known = m.known[:0]
	case steadiness:
		m.since = -time.Duration(2 * ttl)
	case promisesKept:
		for j := range m.others {
			m.others[j].promise = 0
		}
	case watches:
		for j := range m.others {
			m.others[j].since = min(m.others[j].since, now-time.Duration(ttl))
		}
	}
	if (m.Cut() || w.opt.profile.eager) && !n.tending {
		n.tending = true
		w.at(n.after(tendEvery), event{kind: evTend, node: int8(i), run: n.run})
	}
	if round, peers := m.Ask(now); len(peers) > 0 {
		n.asked = append(n.asked[:0], int32(len(peers)), 0)
		w.log("%s asks %d peers whether it may go on", show(n.id), len(peers))
		for _, id := range slices.Clone(peers) {
			w.ask(MayIGoOn, n, i, id, round)
		}
	}
	for _, id := range m.Suspects(now) {
		if w.opt.without == probed {
			w.decide(n, i, id, Silence, false)
			continue
		}
		w.ask(AreYouThere, n, i, id, 0)
	}
}

func (w *world) ask(q Question, n *node, i int, id string, round uint64) {
	w.probes = append(w.probes, probe{q: q, from: int8(i), to: int8(w.nodeOf(id)), run: n.run, asker: n.id, asked: id, round: round})
	k := int32(len(w.probes) - 1)
	p := &w.probes[k]
	w.at(n.after(probeTimeout), event{kind: evProbeTimeout, node: int8(i), run: n.run, call: k})
	if p.to < 0 || !w.nodes[p.to].up {
		return
	}
	l := &w.link[p.from][p.to]
	if l.cut && l.refuses {
		w.at(ms, event{kind: evProbeTimeout, node: int8(i), run: n.run, call: k})
		return
	}
	if l.cut || w.rng.IntN(100) < l.loss {
		return
	}
	w.at(w.wireTime(l), event{kind: evAsk, node: p.to, run: w.nodes[p.to].run, call: k})
}

// asked lets a node answer a question.
func (w *world) asked(n *node, i int, k int32) {
	p := &w.probes[k]
	if p.asked != n.id {
		return // another incarnation answers, which is as good as none
	}
	if w.opt.without == doubts {
		if o := n.m.find(p.asker); o != nil {
			o.fencing = false
		}
	}
	if w.opt.without == registered || w.opt.without == buried {
		o := n.m.find(p.asker)
		switch {
		case w.opt.without == buried && slices.Contains(n.m.fences, p.asker), w.opt.without == registered && o == nil:
			o = n.m.other(p.asker)
			o.there = true
		case w.opt.without == registered:
			o.there = true
		}
	}
	p.reply = n.m.Asked(n.local(w.now), p.asker, time.Duration(ttl), p.q)
	w.log("%s answers %s: %v", show(n.id), show(p.asker), p.reply)
	l := &w.link[i][p.from]
	if l.cut || w.rng.IntN(100) < l.loss {
		return
	}
	w.at(w.wireTime(l), event{kind: evAnswer, node: p.from, run: p.run, call: k})
}

// answered takes a peer's answer, or that there is none.
func (w *world) answered(n *node, k int32, late bool) {
	p := &w.probes[k]
	if p.ended {
		return
	}
	p.ended = true
	r := p.reply
	if late {
		r = Silence
	}
	if p.asker != n.id {
		return
	}
	now := n.local(w.now)
	if p.q == AreYouThere {
		w.decide(n, int(p.from), p.asked, r, r == Silence)
		return
	}
	if w.opt.without == allPeers && p.round == n.m.asking.n {
		if r == Promise {
			n.asked[1]++
		}
		if n.asked[1]*2 > n.asked[0] {
			for _, id := range slices.Clone(n.m.asking.waiting) {
				n.m.Answered(now, p.round, id, Promise)
			}
		}
		return
	}
	n.m.Answered(now, p.round, p.asked, r)
}

// decide fences a suspect, or not. The call leaves a moment later: the process may be stopped in between.
func (w *world) decide(n *node, i int, id string, r Reply, deaf bool) {
	f, ok := n.m.Probed(n.local(w.now), id, r)
	if !ok {
		return
	}
	k, c := w.newCall(callFence, n, i)
	c.target, c.beat, c.deaf = f.ID, f.Beat, deaf
	w.at(w.upTo(ms), event{kind: evFence, node: int8(i), run: n.run, call: k})
}
