package queue

import (
	"cmp"
	"slices"
	"strconv"
)

// Tickets stand in one bucket if they say the same of all attributes that must be equal as long as they wait. Those who
// say nothing of one agree with all of it, so their bucket has many peers; the others have themselves, and such as say
// nothing.

// key names the bucket of what a ticket says. Open is that it does not say all; ok is false where it says too little.
func (p *plan) key(values []value) (key string, open, ok bool) {
	var b []byte
	for _, i := range p.keyed {
		switch v := values[i].one.(type) {
		case string:
			b = append(strconv.AppendQuote(b, v), ';')
		case float64:
			b = append(strconv.AppendFloat(b, v, 'g', -1, 64), ';')
		default:
			if p.Attributes[i].Required {
				return "", false, false
			}
			b, open = append(b, ';'), true
		}
	}
	return string(b), open, true
}

// agree says whether tickets that say one thing and tickets that say another may meet.
func (p *plan) agree(a, b []value) bool {
	for _, i := range p.keyed {
		if a[i].one != nil && b[i].one != nil && a[i].one != b[i].one {
			return false
		}
	}
	return true
}

// bucketOf is the bucket of a ticket, which is made if it is not there; nil is that nothing can match the ticket.
func (p *Pool) bucketOf(e *entry) *bucket {
	key, open, ok := p.plan.key(e.values)
	if !ok || e.n < 1 || e.n > p.plan.PartyMax {
		return nil
	}
	b := p.buckets[key]
	if b == nil {
		b = &bucket{key: key, says: e.values, open: open}
		p.buckets[key] = b
		if open {
			p.open[key] = b
		}
		p.turns++
	}
	return b
}

// leave drops a bucket that nobody is in.
func (p *Pool) leave(b *bucket) {
	if b.live == 0 {
		delete(p.buckets, b.key)
		delete(p.open, b.key)
		p.turns++
	}
}

// peers are the buckets whose tickets may meet those of a bucket, itself among them.
func (p *Pool) peers(b *bucket) []*bucket {
	if b.turn == p.turns {
		return b.peers
	}
	b.turn, b.peers = p.turns, b.peers[:0]
	if !b.open {
		b.peers = append(b.peers, b)
	}
	b.peers = p.agreeing(b.says, b.open, b.peers)
	return b.peers
}

// agreeing adds to a list the buckets that agree with what is said: all of them, or those that are open.
func (p *Pool) agreeing(says []value, all bool, list []*bucket) []*bucket {
	from, n := p.open, len(list)
	if all {
		from = p.buckets
	}
	for _, other := range from {
		if other.lists != nil && p.plan.agree(says, other.says) {
			list = append(list, other)
		}
	}
	slices.SortFunc(list[n:], func(x, y *bucket) int { return cmp.Compare(x.key, y.key) })
	return list
}
