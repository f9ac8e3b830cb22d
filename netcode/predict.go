package netcode

import "math/bits"

// How a value is predicted from what the same row held in up to four earlier states. Nothing is sent about it: both
// ends look at the same states. The guess is that of the predictor which would have done best in those states, and how
// wrong it would have been says how large a residual to expect. (JPEG-LS and FLAC adapt in the same way.)

// states is how many earlier states a prediction may use.
const states = 4

// A residual's expectation: the parameter of its code, with flipped added where its sign is to be turned, or quiet.
const (
	quiet   = -1 // the residual is zero
	flipped = 64
	exact   = 127 // only within guesses: the row moves, and would have moved just so
)

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

// round is how many of 64 bits the differences of a column's values leave unused: none, but for angles, whose numbers go
// round in theirs.
type round uint

func (f *Field) round() round {
	if f.Kind == KindAngle {
		return round(64 - f.Bits)
	}
	return 0
}

// wrap brings a difference of angles to the short way round.
func (r round) wrap(d int64) int64 { return d << (r & 63) >> (r & 63) }

func (f *Field) wrap(d int64) int64 { return f.round().wrap(d) }

// guess predicts a value from n earlier ones, the newest first; n is 1 to 4. mean is by how much the prediction would
// have missed in the states that are known, in sixteenths, the newest state's miss counting three times; -1 where the
// value has not moved at all, or where nothing is known of how it moves. sign says to which side of the guess the value
// is likelier to be, where negative means above.
func (r round) guess(h0, h1, h2, h3 int64, n int) (value, mean, sign int64) {
	if n == 1 {
		return h0, -1, 0
	}
	d0 := r.wrap(h0 - h1)
	if n == 2 { // only one difference is known: it goes on, or is over
		if d0 == 0 {
			return h0, -1, 0
		}
		return h0 + d0, abs(d0) * 8, 0
	}
	d1 := r.wrap(h1 - h2)
	dd0 := r.wrap(d0 - d1)
	if n == 3 {
		last, linear := (3*abs(d0)+abs(d1))*4, abs(dd0)*16
		switch {
		case last == 0:
			return h0, -1, 0
		case last <= linear:
			return h0, last, dd0
		}
		return h0 + d0, linear, dd0
	}
	d2 := r.wrap(h2 - h3)
	if d0 == 0 && d1 == 0 && d2 == 0 {
		return h0, -1, 0
	}
	dd1 := r.wrap(d1 - d2)
	jerk := r.wrap(dd0 - dd1)
	value, mean, sign = h0, (3*abs(d0)+abs(d1)+abs(d2))*16/5, jerk
	if linear := (3*abs(dd0) + abs(dd1)) * 4; linear < mean {
		value, mean = h0+d0, linear
	}
	if curved := abs(jerk) * 16; curved < mean {
		value, mean, sign = h0+d0+dd0, curved, dd0
	}
	return value, mean, sign
}

// param returns the parameter for an expected miss in sixteenths. It is small for the miss: the mean of the predictor
// that did best is mostly made by a few residuals that are much larger than the others.
func param(mean int64) int { return bits.Len64(uint64(mean+4) / 20) } //nolint:gosec // not negative

// guesses predicts a column of all rows of the newest earlier state: their values and what their residuals are expected
// to be. A row that moved exactly as predicted is quiet only where the others did so, too, and none is expected to miss by
// less than half of them are: few states say little of a row.
func (p *past) guesses(f *Field, c int, value []int64, like []int8) {
	var moving, missed, exactly int64
	var has [flipped]int64 // how many rows have a parameter
	round, n := f.round(), len(value)
	var h0, h1, h2, h3 []int64
	if p.steady { // the same rows in all four states: no need to look for them
		h0, h1 = p.state[0].nums[c][p.state[0].from:][:n], p.state[1].nums[c][p.state[1].from:][:n]
		h2, h3 = p.state[2].nums[c][p.state[2].from:][:n], p.state[3].nums[c][p.state[3].from:][:n]
	}
	like = like[:n]
	for i := range value {
		var mean, sign int64
		if p.steady {
			value[i], mean, sign = round.guess(h0[i], h1[i], h2[i], h3[i], states)
		} else {
			var h [states]int64
			known := p.before(c, i, &h)
			value[i], mean, sign = round.guess(h[0], h[1], h[2], h[3], known)
		}
		if mean < 0 {
			like[i] = quiet
			continue
		}
		moving++
		missed += mean
		if mean == 0 {
			like[i] = exact
			exactly++
			continue
		}
		k := param(mean)
		has[k]++
		if sign < 0 {
			k += flipped
		}
		like[i] = int8(k) //nolint:gosec // below 127
	}
	if moving == 0 {
		return
	}
	instead, spoken := int8(quiet), moving-exactly // spoken are the rows that are not quiet
	if missed >= moving {
		instead, spoken = 0, moving
		has[0] += exactly
	}
	least := int8(0)                                                      // the median of their parameters
	for sum := has[0]; spoken > 0 && sum*2 <= spoken; sum += has[least] { //nolint:gosec // ends within has: all that are spoken of are in it
		least++
	}
	if least == 0 && exactly == 0 {
		return
	}
	for i, k := range like {
		if k == exact {
			k = instead
		}
		if k != quiet && k&^flipped < least {
			k = least | k&flipped
		}
		like[i] = k
	}
}

// abs is without a branch: signs of differences are as random as they get.
func abs(v int64) int64 {
	sign := v >> 63
	return (v ^ sign) - sign
}

// residual is what a value differs from its prediction by, the short way round for angles; like is what was expected.
func (f *Field) residual(v, guess int64, like int8) uint64 {
	d := f.wrap(v - guess)
	if like >= flipped {
		d = -d
	}
	return zigzag(d)
}

// unresidual is the value that residual was made from.
func (f *Field) unresidual(z uint64, guess int64, like int8) int64 {
	d := unzigzag(z)
	if like >= flipped {
		d = -d
	}
	v := guess + d
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
		return uint(bits.Len64(uint64(f.Top))) //nolint:gosec // not negative
	case KindEnum:
		return bitsFor(len(f.Names))
	case KindLen:
		return bitsFor(f.Max + 1)
	case KindRef:
		return uint(f.slots) + genBits + 1
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
	if f.Kind == KindRef {
		u = u>>16<<(genBits+1) | u&(1<<(genBits+1)-1)
	}
	if n := f.width(); n < 64 {
		u &= 1<<n - 1
	}
	return u
}

// fromPlain is the value of bits that were sent as they are.
func (f *Field) fromPlain(u uint64) int64 {
	if f.Kind == KindRef {
		u = u>>(genBits+1)<<16 | u&(1<<(genBits+1)-1)
	}
	if f.Kind == KindInt && f.Bits < 64 && u>>(f.Bits-1) == 1 {
		return int64(u) - 1<<f.Bits //nolint:gosec // within the width
	}
	return int64(u) //nolint:gosec // the bits
}
