package canvas

import "errors"

// point is one of the board.
type point struct{ x, y int }

// AppendPoint appends a point that lies so far from the one before, as in Google's encoded polylines: each number is
// zigzag, in groups of five bits from the lowest on, each group a character from '?' on, 32 more where another follows.
func AppendPoint(dst []byte, dx, dy int) []byte { return appendStep(appendStep(dst, dx), dy) }

func appendStep(dst []byte, d int) []byte {
	v := uint(d) << 1
	if d < 0 {
		v = ^v
	}
	for ; v >= 0x20; v >>= 5 {
		dst = append(dst, byte(0x20|v&0x1f)+'?') //nolint:gosec // six bits
	}
	return append(dst, byte(v)+'?')
}

var errPoints = errors.New("points are not as AppendPoint writes them, or not on the board")

// maxStep is how many characters a number has at most.
const maxStep = 3

// points returns the points of a text, the first of which is as far from 0, 0 as it says.
func points(s string) (list []point, err error) {
	var p point
	for s != "" {
		dx, n := step(s)
		dy, m := step(s[n:])
		if n == 0 || m == 0 {
			return nil, errPoints
		}
		if p.x, p.y = p.x+dx, p.y+dy; p.x < 0 || p.x > BoardWidth || p.y < 0 || p.y > BoardHeight {
			return nil, errPoints
		}
		list, s = append(list, p), s[n+m:]
	}
	return list, nil
}

// step reads a number and says how long it is; 0 where there is none.
func step(s string) (d, n int) {
	v := uint(0)
	for n < min(len(s), maxStep) {
		c := uint(s[n]) - '?' // beyond 63 for what is below, too
		if c > 63 {
			return 0, 0
		}
		v |= (c & 0x1f) << (5 * n)
		if n++; c < 0x20 {
			if d = int(v >> 1); v&1 != 0 {
				d = ^d
			}
			return d, n
		}
	}
	return 0, 0
}
