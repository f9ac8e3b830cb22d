package netcode

import "muster/proto"

// A view hash is the sum, modulo 2^64, of a mixed number for each column of each row of a scope, so that it does not
// depend on the order and equal errors do not cancel.

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// cell is one column's part of the sum.
func cell(table, column int, id ID, value uint64) uint64 {
	return mix(mix(uint64(id)<<32|uint64(table)<<16|uint64(column)) + value) //nolint:gosec // indices
}

// textValue folds a text into a number (FNV-1a).
func textValue(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// HashTicks is after how many ticks a viewer is told hashes again.
const HashTicks = 32

// HashDue says whether a viewer who was at the tick prev is told hashes at this one: so those in step have theirs at the
// same tick.
func HashDue(prev, tick uint32) bool { return tick/HashTicks != prev/HashTicks }

// Hashes returns the view hashes, at the newest tick, of those scopes that a viewer has been brought to by Prepare. A
// scope is hashed once a tick, whoever watches it; the result is valid until the next call.
func (e *Encoder) Hashes(v *View) []proto.Hash {
	e.hashes = e.hashes[:0]
	for i := range v.sent {
		s := &v.sent[i]
		if s.key != nil || s.tick != e.tick {
			continue
		}
		c := e.cache(s.scope)
		if !c.hashed {
			c.hash, c.hashed = e.hash(s.scope), true
		}
		e.hashes = append(e.hashes, proto.Hash{Scope: s.scope, Sum: c.hash})
	}
	return e.hashes
}

func (e *Encoder) hash(scope uint16) (sum uint64) {
	now := e.have(scope, e.tick)
	for i := range e.parts {
		if p := &e.parts[i]; p.of(scope) {
			sum += p.hash(now.part(i))
		}
	}
	return sum
}

func (d *Decoder) hash(scope uint16, s *decoded) (sum uint64) {
	for i := range d.parts {
		if p := &d.parts[i]; p.of(scope) {
			sum += p.hash(s.part(i))
		}
	}
	return sum
}

// hash sums up a part's rows.
func (p *part) hash(s span) (sum uint64) {
	for c, f := range p.fields {
		for i := s.from; i < s.to; i++ {
			if f.text() {
				sum += cell(p.table, f.index, s.ids[i], textValue(s.text[c][i]))
			} else {
				sum += cell(p.table, f.index, s.ids[i], uint64(s.nums[c][i])) //nolint:gosec // the bits
			}
		}
	}
	return sum
}
