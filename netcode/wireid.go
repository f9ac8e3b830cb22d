package netcode

import "math/bits"

// What a row is called on the wire: its slot and its generation, both permuted by a key of the match, so that neither
// gaps nor order nor size say how many rows there are, or were. A wire id has the form of an [ID] whose slot is below
// the table's bound and whose generation is 1 to 256.

// genBits is how many bits of a generation reach the wire. A slot's generations repeat after as many rows, long after
// any viewer has forgotten the first.
const genBits = 8

// wireIDs permutes one table's ids. The zero key only brings generations into their range.
type wireIDs struct {
	max  int
	half uint // bits of half a slot, so that 2^(2 half) ≥ max
	key  uint64
}

func newWireIDs(key uint64, table, max int) wireIDs {
	w := wireIDs{max: max, half: uint(bits.Len(uint(max-1))+1) / 2}
	w.half = min(w.half, 8)
	if key != 0 {
		w.key = mix(key + uint64(table)*0x9e3779b97f4a7c15) //nolint:gosec // an index
	}
	return w
}

// of returns the wire id of a row; salt counts how often it got a new one while it lived.
func (w *wireIDs) of(id ID, salt uint16) ID {
	if id == 0 {
		return 0
	}
	slot, gen := uint32(id>>16), uint32(id&0xffff)-1+uint32(salt)*97 // far from what the slot used last
	if w.key != 0 {
		slot = w.slot(slot)
		gen += uint32(mix(w.key ^ uint64(slot))) //nolint:gosec // any bits will do
	}
	return ID(slot<<16 | (gen&(1<<genBits-1) + 1))
}

// slot permutes 0 … max-1: a Feistel network of four rounds over the next even number of bits, walked until it lands
// within the bound (Black, Rogaway: Ciphers with Arbitrary Finite Domains, 2002).
func (w *wireIDs) slot(s uint32) uint32 {
	mask := uint32(1)<<w.half - 1
	for {
		l, r := s>>w.half, s&mask
		for round := uint64(1); round <= 4; round++ {
			l, r = r, (l^uint32(mix(w.key+round<<32+uint64(r))))&mask //nolint:gosec // any bits will do
		}
		if s = l<<w.half | r; int(s) < w.max {
			return s
		}
	}
}
