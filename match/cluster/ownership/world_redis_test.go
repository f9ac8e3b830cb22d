package ownership

import (
	"slices"
	"time"
)

// redisModel is what Redis has. Its scripts are those of package cluster, and of the rooms' records and journals as far as
// ownership goes.
type redisModel struct {
	up      bool
	lineage int
	emptied int // how often it lost something
	entries []entryModel
	fenced  []string
	epoch   uint64
	record  [rooms]recordModel
	journal [rooms]journalModel
	clock   int64 // how far it is ahead of true time
}

type entryModel struct {
	id         string
	beat, born uint64
	knows      []string
	joined     int64
	renewed    int64
	node       int
}

type recordModel struct {
	node  string
	epoch uint64
	blind bool // made anew by who had not noticed yet that Redis is another one
}

type journalModel struct {
	epoch uint64
	hist  []int32
}

func (r *redisModel) reset(lineage int) {
	r.up, r.lineage, r.epoch, r.clock = true, lineage, 0, 0
	r.entries, r.fenced = r.entries[:0], r.fenced[:0]
	r.record = [rooms]recordModel{}
	for i := range r.journal {
		r.journal[i].epoch, r.journal[i].hist = 0, r.journal[i].hist[:0]
	}
}

// take makes r what from is.
func (r *redisModel) take(from *redisModel) {
	entries, fenced := r.entries[:0], r.fenced[:0]
	fenced = append(fenced, from.fenced...)
	for i := range from.entries {
		e := from.entries[i]
		if i < cap(entries) {
			e.knows = append(entries[:i+1][i].knows[:0], e.knows...)
		} else {
			e.knows = slices.Clone(e.knows)
		}
		entries = append(entries, e)
	}
	journal := r.journal
	for i := range journal {
		journal[i].epoch = from.journal[i].epoch
		journal[i].hist = append(journal[i].hist[:0], from.journal[i].hist...)
	}
	*r = *from
	r.entries, r.fenced, r.journal = entries, fenced, journal
}

func (r *redisModel) entry(id string) *entryModel {
	for i := range r.entries {
		if r.entries[i].id == id {
			return &r.entries[i]
		}
	}
	return nil
}

func (r *redisModel) fence(id string) {
	if slices.Contains(r.fenced, id) {
		return
	}
	r.fenced = append(r.fenced, id)
	for i := range r.entries {
		if r.entries[i].id == id {
			last := len(r.entries) - 1
			r.entries[i], r.entries[last] = r.entries[last], r.entries[i]
			r.entries = r.entries[:last]
			return
		}
	}
}

// exec carries a call out, if Redis is there.
func (w *world) exec(i int32) {
	c := &w.calls[i]
	r := &w.redis
	if !r.up {
		return
	}
	c.lineage = r.emptied
	switch c.kind {
	case callRenew:
		w.execRenew(r, c)
	case callFence:
		w.execFence(r, c)
	case callAppend:
		w.execAppend(r, c)
	case callRecord:
		rec := &r.record[c.room]
		if rec.epoch < c.epoch {
			rec.node, rec.epoch = c.id, c.epoch
		}
		c.ok = rec.node == c.id && rec.epoch == c.epoch
	case callClaim:
		c.got = c.got[:0]
		for room := range r.record {
			rec := &r.record[room]
			if rec.node != c.id && rec.node != "" && (slices.Contains(c.names, rec.node) || w.opt.without == recordCAS && len(c.names) > 0) {
				rec.node, rec.epoch = c.id, w.nextEpoch(r, rec.epoch, c.epoch)
			}
			if rec.node == c.id {
				c.got = append(c.got, claimed{room, rec.epoch})
			}
		}
	case callCreate:
		rec := &r.record[c.room]
		if rec.node == "" {
			rec.node, rec.epoch = c.id, w.nextEpoch(r, 0, c.epoch)
			rec.blind = c.lineageSeen != lineageName(r.lineage)
			w.log("room %d is made anew for %s with epoch %d", c.room, show(c.id), rec.epoch)
		}
		c.target = rec.node
		if r.entry(rec.node) != nil || slices.Contains(r.fenced, rec.node) {
			c.target = "" // it is known
		}
	case callLoad:
		j := &r.journal[c.room]
		if c.ok = c.epoch >= j.epoch; c.ok {
			j.epoch = c.epoch
			c.hist = append(c.hist[:0], j.hist...)
		}
	}
	n := &w.nodes[c.node]
	if c.kind == callFence && w.rng.IntN(100) < w.opt.profile.fencesLost {
		return
	}
	if n.toNode.cut || w.rng.IntN(100) < n.toNode.loss {
		return
	}
	w.at(w.wireTime(&n.toNode), event{kind: evReply, node: c.node, run: c.run, call: i})
}

// nextEpoch is a room's next epoch.
func (w *world) nextEpoch(r *redisModel, stored, floor uint64) uint64 {
	now := uint64(1e12 + w.now/ms + r.clock/ms)
	switch w.opt.without {
	case epochStored:
		stored = 0
	case epochNow:
		now = 0
	case epochFloor:
		return max(stored+1, now)
	}
	return max(stored+1, floor+1, now)
}

func (w *world) execRenew(r *redisModel, c *call) {
	a := &c.answer
	for _, id := range c.fences {
		if !slices.Contains(r.fenced, id) {
			w.told[incOf(id)] = w.now
			w.late[incOf(id)] = slices.ContainsFunc(r.entries, func(e entryModel) bool { return e.id == id && w.now < e.renewed+ttl })
		}
		r.fence(id)
	}
	c.ok, c.fenced = true, false
	if slices.Contains(r.fenced, c.id) && w.opt.without != fencedRenewal {
		c.fenced = true
		return
	}
	e := r.entry(c.id)
	switch {
	case e == nil:
		if len(r.entries) < cap(r.entries) {
			r.entries = r.entries[:len(r.entries)+1]
		} else {
			r.entries = append(r.entries, entryModel{})
		}
		e = &r.entries[len(r.entries)-1]
		e.id, e.born, e.joined, e.node, e.knows = c.id, c.beat, w.now, int(c.node), e.knows[:0]
	case e.beat > c.beat:
		c.ok = false
		return
	}
	e.beat, e.renewed = c.beat, w.now
	e.knows = append(e.knows[:0], c.names...)
	r.epoch = max(r.epoch, c.epoch)
	others, fenced := a.Others[:0], a.Fenced[:0]
	for i := range r.entries {
		o := &r.entries[i]
		if o.id == c.id {
			continue
		}
		knows := slices.Contains(o.knows, c.id)
		if w.opt.without == named { // whoever was there before its last renewal
			knows = e.joined < o.renewed
		}
		others = append(others, Entry{ID: o.id, Beat: o.beat, TTL: time.Duration(ttl), Knows: knows, Here: o.node == int(c.node)})
	}
	fenced = append(fenced, r.fenced[min(int(c.news), len(r.fenced)):]...)
	lineage := lineageName(r.lineage)
	if w.opt.without == lineages {
		lineage = ""
	}
	*a = Answer{Lineage: lineage, Born: e.born, Epoch: r.epoch, Others: others, Fenced: fenced, News: uint64(len(r.fenced))}
	if w.opt.without == lineages {
		a.Born = 0
	}
}

func lineageName(n int) string { return string(rune('a' + n%26)) }

func (w *world) execFence(r *redisModel, c *call) {
	if slices.Contains(r.fenced, c.target) {
		c.ok = true
		return
	}
	e := r.entry(c.target)
	var beat uint64
	known, waited := false, int64(0)
	if e != nil {
		beat = e.beat
		known = slices.Contains(e.knows, c.id) || e.node == int(c.node)
		waited = w.now - e.renewed
	}
	if c.ok = beat == c.beat || w.opt.without == beats; !c.ok {
		return
	}
	r.fence(c.target)
	w.fences++
	if (e == nil || !known && waited >= w.opt.stranger*9/10) && c.deaf {
		w.excused[incOf(c.target)] = true
	}
	w.log("%s fences %s after %d ms (knows it: %v, excused: %v)", show(c.id), show(c.target), waited/ms, known, w.excused[incOf(c.target)])
}

func (w *world) execAppend(r *redisModel, c *call) {
	j := &r.journal[c.room]
	c.gap = false
	if c.ok = c.epoch >= j.epoch || w.opt.without == appendEpoch; !c.ok {
		return
	}
	j.epoch = max(j.epoch, c.epoch)
	if c.check && len(c.hist) <= len(j.hist) && slices.Equal(c.hist, j.hist[:len(c.hist)]) {
		return // an older one, or it ran before
	}
	if c.check {
		j.hist = append(j.hist[:0], c.hist...)
		return
	}
	last := int32(0)
	if len(j.hist) > 0 {
		last = j.hist[len(j.hist)-1]
	}
	if len(c.hist) > 0 && last == c.hist[len(c.hist)-1] {
		return // it ran before
	}
	if last != c.prev && w.opt.without != predecessor {
		c.ok, c.gap = false, true
		return
	}
	j.hist = append(j.hist, c.hist...)
}
