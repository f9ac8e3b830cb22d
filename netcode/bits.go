package netcode

import (
	"encoding/binary"
	"math/bits"
)

// A block is a string of bits. Bits fill bytes from the lowest; a number's lowest bit comes first.

// bitWriter appends bits to a byte slice.
type bitWriter struct {
	dst []byte
	acc uint64 // the bits that are not in dst yet
	n   uint   // how many: less than 32 but within put
}

// put appends the n lowest bits of v, whose others are 0; n is at most 64.
func (w *bitWriter) put(v uint64, n uint) {
	if n > 32 {
		w.put(v&(1<<32-1), 32)
		v, n = v>>32, n-32
	}
	w.acc |= v << (w.n & 63)
	if w.n += n; w.n >= 32 {
		w.dst = binary.LittleEndian.AppendUint32(w.dst, uint32(w.acc)) //nolint:gosec // the lowest 32 bits
		w.acc >>= 32
		w.n -= 32
	}
}

func (w *bitWriter) bit(b bool) {
	if b {
		w.put(1, 1)
		return
	}
	w.put(0, 1)
}

// close fills the last byte with zeros.
func (w *bitWriter) close() []byte {
	for ; w.n > 0; w.n -= min(w.n, 8) {
		w.dst = append(w.dst, byte(w.acc)) //nolint:gosec // the lowest eight bits
		w.acc >>= 8
	}
	return w.dst
}

// bitReader reads what a bitWriter wrote; its bytes can be hostile. Past the end it reads zeros, and bad is set.
type bitReader struct {
	src []byte
	pos int // of the next byte
	acc uint64
	n   uint
	bad bool
}

// fill makes sure of n bits, n at most 32.
func (r *bitReader) fill(n uint) {
	if r.n < n {
		r.more(n)
	}
}

// more takes as many whole bytes as there is place for. Where it takes eight at once the last of them may not fit; what
// of it is in acc above the n bits is or-ed once more when it is taken.
func (r *bitReader) more(n uint) {
	if len(r.src)-r.pos >= 8 {
		r.acc |= binary.LittleEndian.Uint64(r.src[r.pos:]) << r.n
		took := (63 - r.n) / 8
		r.pos += int(took)
		r.n += took * 8
		return
	}
	for r.n < n {
		if r.pos == len(r.src) {
			r.bad = true
			r.n = 64 // zeros from here on
			return
		}
		r.acc |= uint64(r.src[r.pos]) << r.n
		r.pos++
		r.n += 8
	}
}

// at is the byte that is read next, for errors.
func (r *bitReader) at() int {
	if r.bad {
		return r.pos
	}
	return r.pos - int(r.n/8)
}

func (r *bitReader) get(n uint) uint64 {
	if n > 32 {
		low := r.get(32)
		return low | r.get(n-32)<<32
	}
	r.fill(n)
	v := r.acc & (1<<n - 1)
	r.acc >>= n
	r.n -= n
	return v
}

func (r *bitReader) bit() bool { return r.get(1) == 1 }

// ones counts the ones before the next zero and passes over both; more than most are an error.
func (r *bitReader) ones(most uint) (n uint) {
	for !r.bad {
		r.fill(1)
		have := min(r.n, 64)
		run := min(uint(bits.TrailingZeros64(^r.acc)), have)
		n += run
		if n > most {
			break
		}
		if run < have {
			r.acc >>= run + 1
			r.n -= run + 1
			return n
		}
		r.acc, r.n = 0, 0
	}
	r.bad = true
	return 0
}

// end says whether nothing but the last byte's filling is left.
func (r *bitReader) end() bool { return !r.bad && r.pos == len(r.src) && r.n < 8 && r.acc == 0 }

// Numbers are written in a code between Golomb–Rice and Elias: the first short buckets have 2^k values each, as Rice's
// have, and from there on each bucket has twice as many as the one before. Rice's own tail, a bit for each further 2^k,
// is too dear for what moves: mostly as expected, and now and then not at all.
const shortBuckets = 3

// number appends v, below 2^48, with parameter k, at most 48.
func (w *bitWriter) number(v uint64, k uint) {
	if q := v >> k; q < shortBuckets {
		w.put(1<<q-1|(v&(1<<k-1))<<(q+1), uint(q)+1+k)
		return
	}
	u := v - shortBuckets<<k
	j := uint(bits.Len64(u>>(k+1)+1)) - 1
	w.put(1<<(shortBuckets+j)-1, shortBuckets+j+1)
	w.put(u-(1<<j-1)<<(k+1), k+1+j)
}

// number reads what the writer's number wrote. One with more than 50 bits behind its ones is an error: nothing that is
// written needs them, and not every language has them.
func (r *bitReader) number(k uint) uint64 {
	if k > 48 {
		r.bad = true
		return 0
	}
	q := r.ones(shortBuckets + 49 - k)
	if q < shortBuckets {
		return uint64(q)<<k | r.get(k)
	}
	j := q - shortBuckets
	return shortBuckets<<k + (1<<j-1)<<(k+1) + r.get(k+1+j)
}

// zigzag maps small numbers of either sign to small ones without: 0, -1, 1, -2, …
func zigzag(v int64) uint64 { return uint64(v)<<1 ^ uint64(v>>63) } //nolint:gosec // the bits

func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }
