package ownership

import (
	"slices"
	"time"
)

// other is what a machine knows of another incarnation.
type other struct {
	id      string
	there   bool // Redis has it
	beat    uint64
	ttl     time.Duration
	known   bool          // it named this incarnation in the renewal with that beat, or is surely dead
	since   time.Duration // since when that beat was seen
	promise time.Duration // it is not fenced before
	next    time.Duration // it is not asked again before
	fencing bool          // a fence of it was sent and may still be carried out
	orphan  bool          // Redis does not have it, but something that names it
}

// find returns what is known of an incarnation, or nil.
func (m *Machine) find(id string) *other {
	if i := slices.IndexFunc(m.others, func(o other) bool { return o.id == id }); i >= 0 {
		return &m.others[i]
	}
	return nil
}

// other returns what is known of an incarnation, which may be nothing yet.
func (m *Machine) other(id string) *other {
	if o := m.find(id); o != nil {
		return o
	}
	m.others = append(m.others, other{id: id})
	return &m.others[len(m.others)-1]
}

// look takes what Redis has of the others.
func (m *Machine) look(now time.Duration, list []Entry) {
	for i := range m.others {
		m.others[i].there = m.others[i].orphan
	}
	for _, e := range list {
		if slices.Contains(m.fences, e.ID) {
			m.reassert = true // Redis has forgotten it
			continue
		}
		o := m.other(e.ID)
		if o.beat != e.Beat || o.ttl == 0 {
			o.beat, o.since, o.fencing = e.Beat, now, false
		}
		o.there, o.orphan, o.ttl, o.known = true, false, e.TTL, e.Knows || e.Here
	}
	m.others = slices.DeleteFunc(m.others, func(o other) bool { return !o.there && !o.fencing })
	m.live = m.live[:0]
	for i := range m.others {
		if o := &m.others[i]; o.there && !o.orphan && now < o.since+o.ttl {
			m.live = append(m.live, o.id)
		}
	}
}

// maxOrphans bounds how many incarnations are watched that Redis does not have.
const maxOrphans = 256

// Watch has an incarnation watched that Redis neither has nor knows to be fenced, since something names it: it may be late
// to register again where Redis was emptied. It is fenced like a stranger.
func (m *Machine) Watch(now time.Duration, id string) {
	n := 0
	for i := range m.others {
		if m.others[i].orphan {
			n++
		}
	}
	if n >= maxOrphans || id == m.id || slices.Contains(m.fences, id) {
		return
	}
	if o := m.other(id); !o.there {
		o.there, o.orphan, o.beat, o.ttl, o.known, o.since = true, true, 0, m.cfg.TTL, false, now
	}
}

// Live returns the incarnations whose leases were not over when Redis last answered, by this one's watch. The slice is the
// machine's, valid until it is used again.
func (m *Machine) Live() []string { return m.live }

// Steady says whether the incarnation has held its lease for a whole lease without a break: whoever comes back together
// with others after an outage gives them the time to renew before it takes anything from them.
func (m *Machine) Steady(now time.Duration) bool {
	return m.joined && !m.fenced && !m.cut && now < m.own && now >= m.since+m.cfg.TTL
}

// Suspects returns the incarnations whose leases are over and which may be fenced unless they answer. They are to be asked
// AreYouThere, with Probed for the answer, and are not returned again for a while.
func (m *Machine) Suspects(now time.Duration) (ids []string) {
	for i := range m.others {
		if o := &m.others[i]; now >= o.next && m.mayFence(now, o) {
			o.next = now + m.cfg.TTL/3
			ids = append(ids, o.id)
		}
	}
	return ids
}

func (m *Machine) mayFence(now time.Duration, o *other) bool {
	wait := o.ttl
	if !o.known && !m.cfg.Alone {
		wait = max(wait, m.cfg.Stranger)
	}
	return m.Steady(now) && o.there && now >= o.since+wait && now >= o.promise
}

// Fence is a compare-and-set: the incarnation is fenced if this is still its beat.
type Fence struct {
	ID   string
	Beat uint64
}

// Probed takes a suspect's answer and says whether it is fenced now. A fence that was sent ends with FenceDone.
func (m *Machine) Probed(now time.Duration, id string, r Reply) (f Fence, ok bool) {
	o := m.find(id)
	if o == nil || r == Running || !m.mayFence(now, o) {
		return Fence{}, false
	}
	o.fencing = true // from now on, whatever becomes of it: it gets no promise
	return Fence{id, o.beat}, true
}

// FenceDone takes the outcome of a fence: whether it was carried out, or was refused since the beat was another one. A
// fence without an answer stays in doubt, and needs no call.
func (m *Machine) FenceDone(id string, fenced bool) {
	if fenced {
		m.remember(id)
	} else if o := m.find(id); o != nil {
		o.fencing = false
	}
}
