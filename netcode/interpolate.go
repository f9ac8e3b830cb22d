package netcode

import (
	"math"
	"unsafe"
)

// Interpolation: what a viewer sees between two states. A client shows the past that way, and the server works the same
// past out again when rules ask what a player saw (Step.Rewind). Both call mix with values that are on the wire's grid
// and compute in 64-bit floats, each operation rounded on its own, so that both get the same bits; so does TypeScript.
//
// A float glides: it is on the straight line between its two values, an angle on the shorter of its two ways. All else
// (numbers that count, flags, text, columns that are never sent) is that of the earlier state until the later one is
// reached. So are rows: one that is in the earlier state alone is there until then, one that is in the later state
// alone is not there before. A column for a row's owner, or its team, does not glide where the row changes hands: its
// values are two people's. Nor does an element of a slice that one of the two has not.

// mix makes out show two states of its table. at is the position between them: a is at 0, b at 1, and beyond 1 the
// columns that glide go on as they did, a range's no further than its end. A row in which one of them changes by more than
// snap does not glide. The three must not be the same table.
func (t *TableInfo) mix(out, a, b rows, at, snap float64) {
	base, other := a, b
	if at >= 1 {
		base, other = b, a
	}
	out.follow(base)
	for slot := range base.slots() {
		id, p := base.at(slot)
		if id == 0 {
			continue
		}
		_, to := out.at(slot)
		q := p
		if at > 0 && at != 1 && slot < other.slots() {
			if have, row := other.at(slot); have == id {
				q = row
			}
		}
		switch {
		case q == p, t.elsewhere(p, q, snap):
			t.copyRow(to, p)
		case at >= 1:
			t.mixRow(to, p, q, p, at)
		default:
			t.mixRow(to, p, p, q, at)
		}
	}
}

// elsewhere says whether a column that glides differs by more than snap: the row was put elsewhere.
func (t *TableInfo) elsewhere(a, b unsafe.Pointer, snap float64) bool {
	if math.IsInf(snap, 1) {
		return false
	}
	sold := t.sold(a, b)
	for i := range t.Fields {
		f := &t.Fields[i]
		glides := f.Kind == KindFixed || f.Kind == KindFloat32 || f.Kind == KindFloat64
		if glides && f.in == nil && f.known(sold) && math.Abs(f.value(f.load(b))-f.value(f.load(a))) > snap {
			return true
		}
	}
	return false
}

// sold says whether a row changes hands.
func (t *TableInfo) sold(a, b unsafe.Pointer) bool {
	return t.owner >= 0 && t.Fields[t.owner].load(a) != t.Fields[t.owner].load(b)
}

// known says whether both values of a column are this player's to see.
func (f *Field) known(sold bool) bool {
	return f.Sent() && (!sold || f.flags&(flagOwner|flagTeam) == 0)
}

// mixRow writes a row that is in both states; base is that from which the columns come that do not glide.
func (t *TableInfo) mixRow(to, base, a, b unsafe.Pointer, at float64) {
	sold := t.sold(a, b)
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.known(sold) {
			if v, ok := f.between(a, b, at); ok {
				f.setFloat(to, v)
				continue
			}
		}
		f.copy(to, base)
	}
}

// between returns a column's value between those of two rows. It is false where the column does not glide, where
// nothing changes, and where a raw float is not finite.
func (f *Field) between(a, b unsafe.Pointer, at float64) (float64, bool) {
	switch f.Kind {
	case KindFixed, KindAngle, KindFloat32, KindFloat64:
	default:
		return 0, false
	}
	if f.in != nil && (f.address(a) == nil || f.address(b) == nil) {
		return 0, false
	}
	x, y := f.load(a), f.load(b)
	if x == y {
		return 0, false
	}
	switch f.Kind {
	case KindFixed:
		n := float64(x) + float64(float64(y-x)*at)
		return f.Min + float64(max(0, min(n, float64(f.Top)))*f.Step), true
	case KindAngle:
		turn := float64(int64(1) << f.Bits)
		n := float64(x) + float64(float64(f.wrap(y-x))*at)
		n -= float64(math.Floor(n/turn) * turn)
		if n >= turn { // what was just below zero
			n = 0
		}
		return n * (2 * math.Pi / turn), true
	default:
		v := f.value(x) + float64((f.value(y)-f.value(x))*at)
		if f.Kind == KindFloat32 {
			v = float64(float32(v))
		}
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	}
}

// snapTable makes out hold the rows of in as clients get them, on the wire's grid; columns that are never sent are
// exact.
func (t *TableInfo) snapTable(out, in rows) {
	out.follow(in)
	for slot := range in.slots() {
		id, from := in.at(slot)
		if id == 0 {
			continue
		}
		_, to := out.at(slot)
		for i := range t.Fields {
			switch f := &t.Fields[i]; {
			case !f.Sent():
				f.copy(to, from)
			case f.text():
				f.storeText(to, f.loadText(from))
			default:
				f.store(to, f.load(from))
			}
		}
	}
}
