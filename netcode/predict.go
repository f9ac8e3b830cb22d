package netcode

import "math/bits"

// How a value is predicted from what the same row held in up to four earlier states. Nothing is sent about it: both
// ends look at the same states. The guess is that of the predictor which would have done best in those states, and how
// wrong it would have been says how large a residual to expect. (JPEG-LS and FLAC adapt in the same way.)

// states is how many earlier states a prediction may use.
const states = 4

// quiet is the expectation that the residual is zero.
const quiet = -1

// smooth says whether a column is predicted at all. One of more than 40 bits, and raw floats, are sent as they are when
// they change: their differences mean nothing, or do not fit in the numbers of every language.
func (f *Field) smooth() bool {
	switch f.Kind {
	case KindBool, KindAngle:
		return true
	case KindInt, KindUint:
		return f.Bits <= 32
	case KindFixed:
		return f.Top < 1<<40
	default:
		return false
	}
}

// guess predicts a value from n earlier ones, the newest first; n is 1 to 4. k is the parameter of the residual's code,
// or quiet. With one earlier value alone k is quiet: there is nothing to go by.
func (f *Field) guess(h *[states]int64, n int) (value int64, k int) {
	if n == 1 {
		return h[0], quiet
	}
	// Differences between neighbours, and what the predictors would have missed in the states that are known: the
	// newest state's miss counts three times.
	d0 := f.wrap(h[0] - h[1])
	last := 3 * abs(d0)
	if n == 2 {
		// Only one difference is known: it goes on, or is over.
		if d0 == 0 {
			return h[0], quiet
		}
		return h[0] + d0, param(abs(d0)*8, 1)
	}
	d1 := f.wrap(h[1] - h[2])
	dd0 := f.wrap(d0 - d1)
	last += abs(d1)
	linear := 3 * abs(dd0)
	if n == 3 {
		if last*3 <= linear*4 { // last has 4 weights, linear 3
			if last == 0 {
				return h[0], quiet
			}
			return h[0], param(last*4, 1)
		}
		if linear == 0 {
			return h[0] + d0, quiet
		}
		return h[0] + d0, param(linear*16, 3)
	}
	d2 := f.wrap(h[2] - h[3])
	dd1 := f.wrap(d1 - d2)
	last += abs(d2)
	linear += abs(dd1)
	curved := abs(f.wrap(dd0 - dd1))
	// Mean misses in sixteenths: 5, 4 and 1 weights.
	lastMean, linearMean, curvedMean := last*16/5, linear*4, curved*16
	best, mean := h[0], lastMean
	if linearMean < mean {
		best, mean = h[0]+d0, linearMean
	}
	if curvedMean < mean {
		best, mean = h[0]+d0+dd0, curvedMean
	}
	if mean == 0 {
		return best, quiet
	}
	return best, param(mean, 1)
}

// param returns the parameter for an expected miss of mean/by sixteenths: the least k for which 3 × 2^k is at least
// twice the residual that is expected once its sign is folded in.
func param(mean, by int64) int {
	m := mean / by / 8 * 2
	if m < 1 {
		return 0
	}
	return bits.Len64(uint64(m-1) / 3)
}

// guesses predicts a column of all rows of the newest earlier state: their values and their residuals' parameters.
func (p *past) guesses(f *Field, c int, value []int64, k []int8) {
	var h [states]int64
	if !p.steady {
		for i := range value {
			var q int
			value[i], q = f.guess(&h, p.before(c, i, &h))
			k[i] = int8(q) //nolint:gosec // at most 62
		}
		return
	}
	// The same rows in all four states: no need to look for them.
	n := len(value)
	h0, h1 := p.state[0].nums[c][p.state[0].from:][:n], p.state[1].nums[c][p.state[1].from:][:n]
	h2, h3 := p.state[2].nums[c][p.state[2].from:][:n], p.state[3].nums[c][p.state[3].from:][:n]
	for i := range h0 {
		h = [states]int64{h0[i], h1[i], h2[i], h3[i]}
		if h0[i] == h1[i] && h1[i] == h2[i] && h2[i] == h3[i] {
			value[i], k[i] = h0[i], quiet
			continue
		}
		var q int
		value[i], q = f.guess(&h, states)
		k[i] = int8(q) //nolint:gosec // at most 62
	}
}

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

// residual is what a value differs from its prediction by, the short way round for angles.
func (f *Field) residual(v, guess int64) uint64 { return zigzag(f.wrap(v - guess)) }

// unresidual is the value that residual was made from.
func (f *Field) unresidual(z uint64, guess int64) int64 {
	v := guess + unzigzag(z)
	if f.Kind == KindAngle {
		v &= 1<<f.Bits - 1
	}
	return v
}

// width is how many bits a value of the column has, sent as it is; text has none.
func (f *Field) width() uint {
	switch f.Kind {
	case KindBool:
		return 1
	case KindInt, KindUint, KindAngle:
		return uint(f.Bits)
	case KindFixed:
		n := uint(0)
		for f.Top>>n > 0 {
			n++
		}
		return n
	case KindFloat32:
		return 32
	case KindFloat64:
		return 64
	default:
		return 0
	}
}

// plainBits are the bits of a value as they are sent.
func (f *Field) plainBits(v int64) uint64 {
	u := uint64(v) //nolint:gosec // the bits
	if n := f.width(); n < 64 {
		u &= 1<<n - 1
	}
	return u
}

// fromPlain is the value of bits that were sent as they are.
func (f *Field) fromPlain(u uint64) int64 {
	if f.Kind == KindInt && f.Bits < 64 && u>>(f.Bits-1) == 1 {
		return int64(u) - 1<<f.Bits //nolint:gosec // within the width
	}
	return int64(u) //nolint:gosec // the bits
}

// wrap brings a difference of angles to the short way round.
func (f *Field) wrap(d int64) int64 {
	if f.Kind != KindAngle {
		return d
	}
	turn := int64(1) << f.Bits
	d &= turn - 1
	if d >= turn/2 {
		d -= turn
	}
	return d
}
