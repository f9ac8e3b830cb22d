package ownership

import (
	"slices"
	"time"
)

// Question is what incarnations ask each other.
type Question uint8

const (
	// MayIGoOn asks a peer for its promise, since Redis does not answer.
	MayIGoOn Question = iota + 1
	// AreYouThere asks an owner whose lease is over, before it is fenced.
	AreYouThere
)

// Reply is what an incarnation answers. The zero value is no answer.
type Reply uint8

const (
	// Silence is no answer: nobody is there, or another incarnation is.
	Silence Reply = iota
	// Promise is that of one who has lost Redis as well: it will not fence the asker for one lease of the asker's.
	Promise
	// NoPromise is the answer of one who has Redis, or when it had saw it without the asker, or knows that the asker may be
	// fenced: then others may have taken over what the asker ran.
	NoPromise
	// Running is the answer of one whose rooms run, or who is late and about to renew.
	Running
	// Paused is the answer of one whose rooms wait, and go on only with a renewal.
	Paused
)

// String is the reply's name in metrics.
func (r Reply) String() string {
	return [...]string{"none", "promise", "no_promise", "running", "paused"}[min(r, Paused)]
}

// Asked answers a question. ttl is the asker's lease.
func (m *Machine) Asked(now time.Duration, asker string, ttl time.Duration, q Question) Reply {
	switch {
	case m.fenced || !m.joined:
		return Silence // it is nobody any more, or not yet
	case q == MayIGoOn:
		o := m.find(asker)
		if !m.cut || o == nil || !o.there || o.orphan || o.fencing {
			return NoPromise
		}
		o.promise = max(o.promise, now+ttl)
		return Promise
	case m.runs(now) || !m.cut:
		return Running
	}
	m.yielded = true
	m.asking.open = false
	return Paused
}

// askDue is when the peers are asked again: soon where one of them has Redis, or thought so, while rooms still run.
func (m *Machine) askDue(now time.Duration) time.Duration {
	switch {
	case m.asking.n == 0:
		return now
	case m.asking.open:
		return m.asking.at + m.cfg.TTL/5
	case m.asking.refused && m.runs(now):
		return m.asking.at + m.cfg.TTL/15
	}
	return m.asking.at + m.cfg.TTL/3
}

// Ask begins a round in which all peers are asked whether this incarnation may go on; there is none before it is time. It is
// to be called twenty times within a lease or more. The slice is the machine's, valid until it is used again.
func (m *Machine) Ask(now time.Duration) (n uint64, peers []string) {
	if !m.cut || m.fenced || !m.joined || m.yielded || m.cfg.Alone || now < m.askDue(now) {
		return 0, nil
	}
	m.asking.n++
	m.asking.refused = false
	m.asking.at, m.asking.open = now, true
	m.asking.waiting = append(m.asking.waiting[:0], m.known...)
	for _, id := range m.live {
		if !slices.Contains(m.asking.waiting, id) {
			m.asking.waiting = append(m.asking.waiting, id)
		}
	}
	m.promises(now)
	return m.asking.n, m.asking.waiting
}

// Answered takes a peer's reply to a round.
func (m *Machine) Answered(now time.Duration, n uint64, peer string, r Reply) {
	if !m.asking.open || n != m.asking.n {
		return
	}
	if r != Promise {
		m.asking.open, m.asking.refused = false, true
		return
	}
	if i := slices.Index(m.asking.waiting, peer); i >= 0 {
		m.asking.waiting = slices.Delete(m.asking.waiting, i, i+1)
		m.promises(now)
	}
}

// promises looks whether the round is complete.
func (m *Machine) promises(now time.Duration) {
	if len(m.asking.waiting) > 0 {
		return
	}
	m.asking.open = false
	m.gap = m.gap || !m.runs(now)
	m.promised = max(m.promised, m.asking.at+m.cfg.TTL-m.cfg.Margin)
}
