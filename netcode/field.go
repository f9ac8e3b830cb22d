package netcode

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// Kind is what a column holds.
type Kind uint8

// Kinds of columns. The numbers are part of the schema's binary form.
const (
	KindBool    Kind = 1
	KindInt     Kind = 2 // signed, Bits wide
	KindUint    Kind = 3 // unsigned, Bits wide
	KindFixed   Kind = 4 // a float as Min + n × Step, n from 0 to Top
	KindFloat32 Kind = 5 // a float's bits, unquantised
	KindFloat64 Kind = 6
	KindAngle   Kind = 7 // a turn in 2^Bits parts; wraps around
	KindString  Kind = 8 // UTF-8, at most Max bytes
	KindBytes   Kind = 9 // at most Max bytes
)

// Flags of a column.
const (
	flagOwner   = 1  // sent to the row's owner only
	flagServer  = 2  // never sent
	flagOnce    = 4  // a hint: set when the row appears, then constant
	flagPredict = 8  // a hint: moves smoothly
	flagSeat    = 32 // holds a Seat
	flagRef     = 64 // holds an ID of some table's row
)

// Field is one column of a table, an input or an event: a struct's field, nested ones flattened with dotted names.
type Field struct {
	Name  string
	Kind  Kind
	Bits  uint8   // KindInt, KindUint: 8 to 64; KindAngle: 1 to 16
	Max   int     // KindString, KindBytes: bytes
	Min   float64 // KindFixed
	Step  float64 // KindFixed
	Top   int64   // KindFixed: the greatest n
	flags uint8

	index  int     // among the columns that are sent: what both ends know it by
	column int     // among all columns of its table
	offset uintptr // in the Go row, when compiled from a type
	size   uint8   // of the Go number, in bytes
}

// wire says whether the column is ever sent.
func (f *Field) wire() bool { return f.flags&flagServer == 0 }

func (f *Field) text() bool { return f.Kind == KindString || f.Kind == KindBytes }

// fields flattens a struct type into columns.
func fields(t reflect.Type, path string, base uintptr, out []Field) ([]Field, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s: %s is not a struct", path, t)
	}
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.IsExported() {
			continue
		}
		var err error
		if out, err = field(sf.Type, sf.Name, path+"."+sf.Name, sf.Tag.Get("net"), base+sf.Offset, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// field appends the columns of one field: one for a number or text, several for a struct or an array.
func field(t reflect.Type, name, path, tag string, offset uintptr, out []Field) ([]Field, error) {
	switch t.Kind() {
	case reflect.Struct:
		if tag != "" {
			return nil, fmt.Errorf("%s: tags belong on the fields of %s", path, t)
		}
		from := len(out)
		out, err := fields(t, path, offset, out)
		for i := from; i < len(out); i++ {
			out[i].Name = name + "." + out[i].Name
		}
		return out, err
	case reflect.Array:
		if t.Len() > 64 {
			return nil, fmt.Errorf("%s: arrays have at most 64 elements", path)
		}
		var err error
		for i := range t.Len() {
			n := strconv.Itoa(i)
			if out, err = field(t.Elem(), name+"."+n, path+"."+n, tag, offset+uintptr(i)*t.Elem().Size(), out); err != nil {
				return nil, err
			}
		}
		return out, nil
	default:
	}
	f := Field{Name: name, offset: offset, size: uint8(t.Size())} //nolint:gosec // at most 24
	opts, err := parseTag(tag)
	if err == nil {
		err = f.compile(t, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return append(out, f), nil
}

// options are what a net tag says.
type options struct {
	flags              uint8
	angle              bool
	bits, max          int
	rangeMin, rangeMax float64
	step               float64
	hasRange, hasStep  bool
	hasBits, hasMax    bool
	rewind             bool
}

func parseTag(tag string) (o options, err error) {
	if tag == "" {
		return o, nil
	}
	for _, opt := range strings.Split(tag, ",") {
		key, value, _ := strings.Cut(opt, "=")
		switch key {
		case "owner":
			o.flags |= flagOwner
		case "server":
			o.flags |= flagServer
		case "once":
			o.flags |= flagOnce
		case "predict":
			o.flags |= flagPredict
		case "rewind":
			o.rewind = true
		case "angle":
			o.angle = true
		case "bits":
			o.hasBits = true
			o.bits, err = strconv.Atoi(value)
		case "max":
			o.hasMax = true
			o.max, err = strconv.Atoi(value)
		case "step":
			o.hasStep = true
			o.step, err = strconv.ParseFloat(value, 64)
		case "range":
			o.hasRange = true
			lo, hi, ok := strings.Cut(value, ":")
			if !ok {
				return o, fmt.Errorf("range=%s: want range=MIN:MAX", value)
			}
			if o.rangeMin, err = strconv.ParseFloat(lo, 64); err == nil {
				o.rangeMax, err = strconv.ParseFloat(hi, 64)
			}
		default:
			return o, fmt.Errorf("unknown option %q in the net tag", opt)
		}
		if err != nil {
			return o, fmt.Errorf("option %q of the net tag: %w", opt, err)
		}
	}
	return o, nil
}

// compile decides the column's kind from the Go type and the options.
func (f *Field) compile(t reflect.Type, o options) error {
	if o.rewind {
		return fmt.Errorf("rewind is for tables, this is a %s", t)
	}
	f.flags = o.flags
	switch t {
	case reflect.TypeFor[Seat]():
		f.flags |= flagSeat
	case reflect.TypeFor[ID]():
		f.flags |= flagRef
	}
	switch k := t.Kind(); k {
	case reflect.Bool:
		f.Kind = KindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		f.Kind, f.Bits = KindInt, f.size*8
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		f.Kind, f.Bits = KindUint, f.size*8
	case reflect.Float32, reflect.Float64:
		return f.compileFloat(k, o)
	case reflect.String:
		f.Kind = KindString
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			return fmt.Errorf("type %s is not supported: use an array, or a table", t)
		}
		f.Kind = KindBytes
	default:
		return fmt.Errorf("type %s is not supported", t)
	}
	if o.hasRange || o.hasStep || o.angle || o.hasBits {
		return fmt.Errorf("range, step, angle and bits are for floats, this is a %s", t)
	}
	if f.text() {
		if !o.hasMax || o.max < 1 || o.max > 4096 {
			return fmt.Errorf("a %s needs max=BYTES, 1 to 4096", t)
		}
		f.Max = o.max
	} else if o.hasMax {
		return fmt.Errorf("max is for strings, byte slices and tables, this is a %s", t)
	}
	return nil
}

func (f *Field) compileFloat(k reflect.Kind, o options) error {
	switch {
	case o.hasMax:
		return fmt.Errorf("max is for strings, byte slices and tables, this is a %s", k)
	case o.angle:
		if o.hasRange || o.hasStep {
			return fmt.Errorf("an angle has bits, no range and no step")
		}
		f.Kind, f.Bits = KindAngle, 8
		if o.hasBits {
			if o.bits < 1 || o.bits > 16 {
				return fmt.Errorf("bits=%d: an angle has 1 to 16", o.bits)
			}
			f.Bits = uint8(o.bits)
		}
	case o.hasBits:
		return fmt.Errorf("bits is for angles")
	case o.hasRange != o.hasStep:
		return fmt.Errorf("range and step come together")
	case o.hasRange:
		top := math.Ceil((o.rangeMax - o.rangeMin) / o.step)
		if !(o.rangeMin < o.rangeMax) || !(o.step > 0) || math.IsInf(o.rangeMax-o.rangeMin, 0) {
			return fmt.Errorf("range=%v:%v,step=%v is not a range", o.rangeMin, o.rangeMax, o.step)
		}
		if !(top < 1<<53) {
			return fmt.Errorf("range=%v:%v,step=%v needs more than 53 bits", o.rangeMin, o.rangeMax, o.step)
		}
		// A range whose width is a whole number of steps but for the last bit has that number of steps.
		if near := math.Round((o.rangeMax - o.rangeMin) / o.step); math.Abs(near-(o.rangeMax-o.rangeMin)/o.step) < 1e-6 {
			top = near
		}
		f.Kind, f.Min, f.Step, f.Top = KindFixed, o.rangeMin, o.step, int64(top)
	case k == reflect.Float32:
		f.Kind = KindFloat32
	default:
		f.Kind = KindFloat64
	}
	return nil
}

// load reads the Go field at p as the column's integer.
func (f *Field) load(p unsafe.Pointer) int64 {
	p = unsafe.Add(p, f.offset)
	switch f.Kind {
	case KindBool:
		if *(*bool)(p) {
			return 1
		}
		return 0
	case KindInt:
		switch f.size {
		case 1:
			return int64(*(*int8)(p))
		case 2:
			return int64(*(*int16)(p))
		case 4:
			return int64(*(*int32)(p))
		}
		return *(*int64)(p)
	case KindUint:
		switch f.size {
		case 1:
			return int64(*(*uint8)(p))
		case 2:
			return int64(*(*uint16)(p))
		case 4:
			return int64(*(*uint32)(p))
		}
		return int64(*(*uint64)(p)) //nolint:gosec // the bits, not the value
	case KindFloat32:
		return int64(math.Float32bits(*(*float32)(p)))
	case KindFloat64:
		return int64(math.Float64bits(*(*float64)(p))) //nolint:gosec // the bits, not the value
	case KindAngle:
		return f.quantiseAngle(f.float(p))
	default:
		return f.quantise(f.float(p))
	}
}

func (f *Field) float(p unsafe.Pointer) float64 {
	if f.size == 4 {
		return float64(*(*float32)(p))
	}
	return *(*float64)(p)
}

func (f *Field) setFloat(p unsafe.Pointer, v float64) {
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

// store writes the column's integer into the Go field at p.
func (f *Field) store(p unsafe.Pointer, n int64) {
	p = unsafe.Add(p, f.offset)
	switch f.Kind {
	case KindBool:
		*(*bool)(p) = n != 0
	case KindInt, KindUint:
		switch f.size {
		case 1:
			*(*uint8)(p) = uint8(n) //nolint:gosec // the field's own bits
		case 2:
			*(*uint16)(p) = uint16(n) //nolint:gosec // the field's own bits
		case 4:
			*(*uint32)(p) = uint32(n) //nolint:gosec // the field's own bits
		default:
			*(*int64)(p) = n
		}
	case KindFloat32:
		*(*float32)(p) = math.Float32frombits(uint32(n)) //nolint:gosec // the bits
	case KindFloat64:
		*(*float64)(p) = math.Float64frombits(uint64(n)) //nolint:gosec // the bits
	default:
		f.setFloat(p, f.value(n))
	}
}

// loadText returns the Go field at p, cut to the bound; it is not a copy. A string is always UTF-8, since no reader
// would take another.
func (f *Field) loadText(p unsafe.Pointer) string {
	p = unsafe.Add(p, f.offset)
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

func (f *Field) storeText(p unsafe.Pointer, s string) {
	p = unsafe.Add(p, f.offset)
	if f.Kind == KindString {
		*(*string)(p) = s
		return
	}
	*(*[]byte)(p) = append((*(*[]byte)(p))[:0], s...)
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
	default:
		return true
	}
}
