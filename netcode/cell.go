package netcode

import (
	"math"
	"reflect"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// The NaN that all are sent as.
const (
	quietNaN32 = 0x7fc00000
	quietNaN64 = 0x7ff8000000000001
)

// How a column's integer is read from a Go row and written to it.

// load reads the Go field at p as the column's integer.
func (f *Field) load(p unsafe.Pointer) int64 {
	if f.raw {
		return (*dynamicRow)(p).num(f.column)
	}
	if p = f.address(p); p == nil {
		return 0
	}
	switch f.Kind {
	case KindLen:
		return int64(min((*sliceHeader)(p).n, f.Max))
	case KindEnum:
		if v := f.whole(p); v < uint64(len(f.Names)) {
			return int64(v) //nolint:gosec // at most 256
		}
		return 0
	case KindRef:
		return int64(*(*ID)(p))
	case KindBool:
		if *(*bool)(p) {
			return 1
		}
		return 0
	case KindInt:
		return f.signed(p)
	case KindUint:
		return int64(f.whole(p)) //nolint:gosec // the bits, not the value
	case KindFloat32:
		if v := *(*float32)(p); v == v {
			return int64(math.Float32bits(v))
		}
		return quietNaN32 // the bits of another NaN do not survive every language
	case KindFloat64:
		if v := *(*float64)(p); v == v {
			return int64(math.Float64bits(v)) //nolint:gosec // the bits, not the value
		}
		return quietNaN64
	case KindAngle:
		return f.quantiseAngle(f.float(p))
	default:
		return f.quantise(f.float(p))
	}
}

// sliceHeader is a Go slice as the runtime has it.
type sliceHeader struct {
	data   unsafe.Pointer
	n, cap int
}

// address is where the column's Go field is in the row at p; nil when the slice that it is an element of has no such.
func (f *Field) address(p unsafe.Pointer) unsafe.Pointer {
	if f.in == nil {
		return unsafe.Add(p, f.offset)
	}
	p = unsafe.Add(p, f.in.offset)
	if f.in.index < 0 {
		return p // the slice itself
	}
	h := (*sliceHeader)(p)
	if f.in.index >= h.n {
		return nil
	}
	return unsafe.Add(h.data, uintptr(f.in.index)*f.in.typ.Elem().Size()+f.offset)
}

// signed is the Go field at p as a signed number.
func (f *Field) signed(p unsafe.Pointer) int64 {
	switch f.size {
	case 1:
		return int64(*(*int8)(p))
	case 2:
		return int64(*(*int16)(p))
	case 4:
		return int64(*(*int32)(p))
	}
	return *(*int64)(p)
}

// whole is the Go field at p as an unsigned number.
func (f *Field) whole(p unsafe.Pointer) uint64 {
	switch f.size {
	case 1:
		return uint64(*(*uint8)(p))
	case 2:
		return uint64(*(*uint16)(p))
	case 4:
		return uint64(*(*uint32)(p))
	}
	return *(*uint64)(p)
}

func (f *Field) float(p unsafe.Pointer) float64 {
	if f.size == 4 {
		return float64(*(*float32)(p))
	}
	return *(*float64)(p)
}

// setFloat writes a float that need not be on the wire's grid into the Go field at p.
func (f *Field) setFloat(p unsafe.Pointer, v float64) {
	if f.raw {
		panic("netcode: a dynamic row has no floats") // it holds the grid's integers
	}
	if p = f.address(p); p == nil {
		return
	}
	if f.size == 4 {
		*(*float32)(p) = float32(v)
		return
	}
	*(*float64)(p) = v
}

// quantise maps a value to the nearest step, clamped to the range; NaN becomes the range's start.
func (f *Field) quantise(v float64) int64 {
	n := math.Floor(float64((v-f.Min)/f.Step) + 0.5)
	switch {
	case !(n > 0):
		return 0
	case n >= float64(f.Top):
		return f.Top
	}
	return int64(n)
}

// quantiseAngle maps radians to the nearest part of a turn.
func (f *Field) quantiseAngle(v float64) int64 {
	parts := float64(int64(1) << f.Bits)
	n := math.Floor(float64(v*(parts/(2*math.Pi))) + 0.5)
	if !(math.Abs(n) < 1<<53) {
		return 0
	}
	return int64(n) & (int64(1)<<f.Bits - 1)
}

// value turns a column's integer into what a program works with: radians from 0 to 2π, the range's float, the number.
func (f *Field) value(n int64) float64 {
	switch f.Kind {
	case KindFixed:
		return f.Min + float64(float64(n)*f.Step)
	case KindAngle:
		return float64(n) * (2 * math.Pi / float64(int64(1)<<f.Bits))
	case KindFloat32:
		return float64(math.Float32frombits(uint32(n))) //nolint:gosec // the bits
	case KindFloat64:
		return math.Float64frombits(uint64(n)) //nolint:gosec // the bits
	case KindUint:
		return float64(uint64(n)) //nolint:gosec // the bits
	default:
		return float64(n)
	}
}

// store writes the column's integer into the Go field at p and says whether that changed it.
func (f *Field) store(p unsafe.Pointer, n int64) bool {
	if f.raw {
		return (*dynamicRow)(p).setNum(f.column, n)
	}
	if p = f.address(p); p == nil {
		return false
	}
	if f.Kind == KindLen {
		return setLen(reflect.NewAt(f.in.typ, p).Elem(), int(n))
	}
	var bits uint64
	switch f.Kind {
	case KindFixed, KindAngle:
		v := f.value(n)
		if bits = math.Float64bits(v); f.size == 4 {
			bits = uint64(math.Float32bits(float32(v)))
		}
	default:
		bits = uint64(n) //nolint:gosec // the bits
	}
	return setBits(p, f.size, bits)
}

// setBits writes the lowest size bytes of a number and says whether that changed them.
func setBits(p unsafe.Pointer, size uint8, bits uint64) bool {
	switch size {
	case 1:
		return set((*uint8)(p), uint8(bits)) //nolint:gosec // the field's own bits
	case 2:
		return set((*uint16)(p), uint16(bits)) //nolint:gosec // the field's own bits
	case 4:
		return set((*uint32)(p), uint32(bits)) //nolint:gosec // the field's own bits
	default:
		return set((*uint64)(p), bits)
	}
}

func set[T comparable](p *T, v T) bool {
	if *p == v {
		return false
	}
	*p = v
	return true
}

// setLen gives a slice n elements; those that come are zero.
func setLen(s reflect.Value, n int) bool {
	old := s.Len()
	switch {
	case n == old:
		return false
	case n < old:
		s.SetLen(n)
		return true
	}
	s.Grow(n - old)
	s.SetLen(n)
	for i := old; i < n; i++ {
		s.Index(i).SetZero()
	}
	return true
}

// loadText returns the Go field at p, cut to the bound; it is not a copy. A string is always UTF-8, since no reader
// would take another.
func (f *Field) loadText(p unsafe.Pointer) string {
	if f.raw {
		return (*dynamicRow)(p).str(f.column)
	}
	if p = f.address(p); p == nil {
		return ""
	}
	if f.Kind == KindString {
		s := *(*string)(p)
		if len(s) > f.Max {
			n := f.Max
			for n > 0 && !utf8.RuneStart(s[n]) {
				n--
			}
			s = s[:n]
		}
		if !utf8.ValidString(s) {
			s = strings.ToValidUTF8(s, "")
		}
		return s
	}
	b := *(*[]byte)(p)
	return unsafe.String(unsafe.SliceData(b), min(len(b), f.Max))
}

// storeText writes a text into the Go field at p and says whether that changed it.
func (f *Field) storeText(p unsafe.Pointer, s string) bool {
	if f.raw {
		return (*dynamicRow)(p).setStr(f.column, s)
	}
	if p = f.address(p); p == nil {
		return false
	}
	if f.Kind == KindString {
		return set((*string)(p), s)
	}
	b := (*[]byte)(p)
	if string(*b) == s {
		return false
	}
	*b = append((*b)[:0], s...)
	return true
}

// clear sets the Go field at p to zero and says whether that changed it.
func (f *Field) clear(p unsafe.Pointer) bool {
	switch {
	case f.text():
		return f.storeText(p, "")
	case f.raw || f.Kind == KindLen:
		return f.store(p, 0)
	}
	if p = f.address(p); p == nil {
		return false
	}
	return setBits(p, f.size, 0)
}

// valid says whether n is a value of the column: what a decoder accepts.
func (f *Field) valid(n int64) bool {
	switch f.Kind {
	case KindBool:
		return n == 0 || n == 1
	case KindInt:
		return f.Bits == 64 || n >= -1<<(f.Bits-1) && n < 1<<(f.Bits-1)
	case KindUint:
		return f.Bits == 64 || n >= 0 && n < 1<<f.Bits
	case KindFixed:
		return n >= 0 && n <= f.Top
	case KindFloat32:
		return n >= 0 && n <= math.MaxUint32
	case KindAngle:
		return n >= 0 && n < 1<<f.Bits
	case KindEnum:
		return n >= 0 && n < int64(len(f.Names))
	case KindLen:
		return n >= 0 && n <= int64(f.Max)
	case KindRef:
		return n == 0 || n > 0 && n>>16 < 1<<f.slots && n&0xffff >= 1 && n&0xffff <= 1<<genBits
	default:
		return true
	}
}
