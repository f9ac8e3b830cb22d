package netcode

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
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
	KindAngle   Kind = 7  // a turn in 2^Bits parts; wraps around
	KindString  Kind = 8  // UTF-8, at most Max bytes
	KindBytes   Kind = 9  // at most Max bytes
	KindEnum    Kind = 10 // one of Names, by its index
	KindLen     Kind = 11 // how many elements a slice has, at most Max; their columns follow
	KindRef     Kind = 12 // the id of a row of the table Ref, 0 for none
)

// Flags of a column.
const (
	flagOwner   = 1  // sent to the row's owner only
	flagServer  = 2  // never sent
	flagOnce    = 4  // a hint: set when the row appears, then constant
	flagPredict = 8  // a hint: moves smoothly
	flagTeam    = 16 // sent to the team of the row's owner only
	flagSeat    = 32 // holds a Seat
)

// Field is one column of a table, an input or an event: a struct's field, nested ones flattened with dotted names.
type Field struct {
	Name  string
	Kind  Kind
	Bits  uint8    // KindInt, KindUint: 8 to 64; KindAngle: 1 to 16
	Max   int      // KindString, KindBytes: bytes; KindLen: elements
	Min   float64  // KindFixed
	Step  float64  // KindFixed
	Top   int64    // KindFixed: the greatest n
	Names []string // KindEnum
	Ref   int      // KindRef: the table's index in the schema
	flags uint8

	index  int     // among the columns that are sent: what both ends know it by
	column int     // among all columns of its table
	offset uintptr // in the Go row, or in the element of in, when compiled from a type
	size   uint8   // of the Go number, in bytes
	in     *slice  // whose element has the column; nil: the row itself
	raw    bool    // the row is a dynamicRow, which holds the column's integer
	slots  uint8   // KindRef: bits of a wire slot of the table
	ref    string  // KindRef: the table's name, until it is resolved
}

// slice is where the elements of a slice are that is flattened into columns.
type slice struct {
	offset uintptr // of the slice in the Go row
	typ    reflect.Type
	index  int // of the element
}

// Sent says whether the column is ever sent.
func (f *Field) Sent() bool { return f.flags&flagServer == 0 }

// Owners says whether it is sent to the row's owner only.
func (f *Field) Owners() bool { return f.flags&flagOwner != 0 }

// Teams says whether it is sent to the team of the row's owner only.
func (f *Field) Teams() bool { return f.flags&flagTeam != 0 }

// Seat says whether it holds a [Seat].
func (f *Field) Seat() bool { return f.flags&flagSeat != 0 }

// Element says whether it is of an element of a slice, which may not have so many.
func (f *Field) Element() bool { return f.in != nil && f.in.index >= 0 }

func (f *Field) text() bool { return f.Kind == KindString || f.Kind == KindBytes }

// place is where a Go field is: its name, for errors its whole path, and its address within the row.
type place struct {
	name, path string
	offset     uintptr
	in         *slice
}

// fields flattens a struct type into columns.
func fields(t reflect.Type, at place, out []Field) ([]Field, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s: %s is not a struct", at.path, t)
	}
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.IsExported() {
			continue
		}
		name := sf.Name
		if at.name != "" {
			name = at.name + "." + name
		}
		var err error
		p := place{name, at.path + "." + sf.Name, at.offset + sf.Offset, at.in}
		if out, err = field(sf.Type, sf.Tag.Get("net"), p, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// field appends the columns of one field: one for a number or text, several for a struct, an array or a slice.
func field(t reflect.Type, tag string, at place, out []Field) ([]Field, error) {
	switch {
	case t.Kind() == reflect.Struct:
		if tag != "" {
			return nil, fmt.Errorf("%s: tags belong on the fields of %s", at.path, t)
		}
		return fields(t, at, out)
	case t.Kind() == reflect.Array:
		if t.Len() > maxElements {
			return nil, fmt.Errorf("%s: arrays have at most %d elements", at.path, maxElements)
		}
		return elements(t.Elem(), tag, at, t.Len(), out)
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		return sliceFields(t, tag, at, out)
	}
	f := Field{Name: at.name, offset: at.offset, in: at.in, size: uint8(t.Size())} //nolint:gosec // at most 24
	opts, err := parseTag(tag)
	if err == nil {
		err = f.compile(t, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at.path, err)
	}
	return append(out, f), nil
}

// maxElements bounds arrays and slices.
const maxElements = 64

// elements appends the columns of n elements that lie behind each other.
func elements(t reflect.Type, tag string, at place, n int, out []Field) ([]Field, error) {
	var err error
	for i := range n {
		p := place{at.name + "." + strconv.Itoa(i), at.path + "." + strconv.Itoa(i), at.offset + uintptr(i)*t.Size(), at.in}
		if out, err = field(t, tag, p, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sliceFields appends the columns of a slice: its length, then its elements up to its bound. max is of the slice, other
// options are its elements'.
func sliceFields(t reflect.Type, tag string, at place, out []Field) ([]Field, error) {
	opts, err := parseTag(tag)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", at.path, err)
	case at.in != nil:
		return nil, fmt.Errorf("%s: a slice within a slice's element is not supported", at.path)
	case !opts.hasMax || opts.max < 1 || opts.max > maxElements:
		return nil, fmt.Errorf("%s: a %s needs max=ELEMENTS, 1 to %d", at.path, t, maxElements)
	}
	out = append(out, Field{
		Name: at.name + ".len", Kind: KindLen, Max: opts.max, flags: opts.flags,
		in: &slice{at.offset, t, -1}, size: 8,
	})
	for i := range opts.max {
		n := strconv.Itoa(i)
		p := place{at.name + "." + n, at.path + "." + n, 0, &slice{at.offset, t, i}}
		if out, err = field(t.Elem(), withoutMax(tag), p, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// compile decides the column's kind from the Go type and the options.
func (f *Field) compile(t reflect.Type, o options) error {
	if o.rewind {
		return fmt.Errorf("rewind is for tables, this is a %s", t)
	}
	f.flags = o.flags
	if t == reflect.TypeFor[ID]() {
		return f.compileRef(o)
	}
	if o.ref != "" {
		return fmt.Errorf("ref is for fields of type netcode.ID, this is a %s", t)
	}
	if names, ok := reflect.Zero(t).Interface().(Enum); ok {
		return f.compileEnum(t, names.EnumNames(), o)
	}
	if t == reflect.TypeFor[Seat]() {
		f.flags |= flagSeat
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
		f.Kind = KindBytes // others are flattened
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

// Enum is what a whole number's type is when its values have names: they count from 0 and are sent by name in the
// schema. A value beyond them is sent as the first.
type Enum interface {
	// EnumNames are the names of the values 0, 1, …: at most 256, none empty, no two the same.
	EnumNames() []string
}

func (f *Field) compileEnum(t reflect.Type, names []string, o options) error {
	if o.hasRange || o.hasStep || o.angle || o.hasBits || o.hasMax {
		return fmt.Errorf("an enum has no range, step, angle, bits and max")
	}
	if k := t.Kind(); k < reflect.Int || k > reflect.Uint64 {
		return fmt.Errorf("%s has EnumNames and is no whole number", t)
	}
	if err := checkNames(names); err != nil {
		return fmt.Errorf("EnumNames of %s: %w", t, err)
	}
	f.Kind, f.Names = KindEnum, slices.Clone(names)
	return nil
}

// maxNames bounds the names of an enum.
const maxNames = 256

func checkNames(names []string) error {
	if len(names) == 0 || len(names) > maxNames {
		return fmt.Errorf("%d names, 1 to %d allowed", len(names), maxNames)
	}
	for i, n := range names {
		if n == "" || len(n) > maxName || slices.Contains(names[:i], n) {
			return fmt.Errorf("%q is empty, longer than %d bytes, or there twice", n, maxName)
		}
	}
	return nil
}

func (f *Field) compileRef(o options) error {
	switch {
	case o.hasRange || o.hasStep || o.angle || o.hasBits || o.hasMax:
		return fmt.Errorf("a reference has no range, step, angle, bits and max")
	case o.ref == "" && o.flags&flagServer == 0:
		return fmt.Errorf("a netcode.ID needs ref=TABLE, the table whose row it names, or server")
	}
	f.Kind, f.ref = KindRef, o.ref
	return nil
}

// resolve finds the table that a reference is to.
func (f *Field) resolve(tables []TableInfo) error {
	if f.Kind != KindRef || f.ref == "" {
		return nil
	}
	for i := range tables {
		if t := &tables[i]; t.Name == f.ref && !t.Single {
			f.Ref, f.slots = i, uint8(bitsFor(t.Max)) //nolint:gosec // at most 15
			return nil
		}
	}
	return fmt.Errorf("%s: ref=%s: the state has no such table", f.Name, f.ref)
}
