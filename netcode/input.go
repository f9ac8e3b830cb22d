package netcode

import (
	"fmt"
	"math"
	"reflect"
	"sync"
	"unsafe"

	"muster/proto"
)

// An input, and an event after its type, are the struct's fields as MessagePack values: booleans, integers, floats and
// text as such, quantised floats as their integers.

// pointer returns the address of the struct that v points at, or an error when it is of another type.
func pointer(v any, want reflect.Type) (unsafe.Pointer, error) {
	rv := reflect.ValueOf(v)
	if want == nil || rv.Kind() != reflect.Pointer || rv.Type().Elem() != want || rv.IsNil() {
		return nil, fmt.Errorf("have a %T, want a *%v", v, want)
	}
	return rv.UnsafePointer(), nil
}

// WriteInput writes an input; in is an *In.
func (sc *Schema) WriteInput(w *proto.Writer, in any) error {
	p, err := pointer(in, sc.input)
	if err != nil {
		return fmt.Errorf("writing an input: %w", err)
	}
	w.Array(len(sc.Input))
	writeFields(w, sc.Input, p, asItIs)
	return nil
}

// naming says how a row that is referred to is named.
type naming func(table int, id ID) ID

func asItIs(_ int, id ID) ID { return id }

func writeFields(w *proto.Writer, list []Field, p unsafe.Pointer, name naming) {
	for i := range list {
		switch f := &list[i]; {
		case f.text():
			writeText(w, f, f.loadText(p))
		case f.Kind == KindRef:
			w.Uint(uint64(name(f.Ref, ID(f.load(p))))) //nolint:gosec // an ID
		default:
			writeNumber(w, f, f.load(p))
		}
	}
}

func writeText(w *proto.Writer, f *Field, s string) {
	if f.Kind == KindString {
		w.Str(s)
		return
	}
	w.Bin([]byte(s))
}

// writeNumber writes a column's integer as a program reads it: what is quantised as the integer, floats as floats.
func writeNumber(w *proto.Writer, f *Field, n int64) {
	switch f.Kind {
	case KindBool:
		w.Bool(n != 0)
	case KindUint:
		w.Uint(uint64(n)) //nolint:gosec // the bits
	case KindFloat32:
		w.Float32(float32(f.value(n)))
	case KindFloat64:
		w.Float64(f.value(n))
	default:
		w.Int(n)
	}
}

// readers are shared: checking an input must not allocate.
var readers = sync.Pool{New: func() any { return proto.NewReader(nil) }}

// CheckInput says whether body is an input of this schema: exact shape, every value in its range, nothing after it.
// It takes hostile bytes and allocates nothing for good ones. Any goroutine may call it.
func (sc *Schema) CheckInput(body []byte) error { return sc.readInput(body, nil) }

// ReadInput reads an input into in, an *In, which it sets to zero first.
func (sc *Schema) ReadInput(body []byte, in any) error {
	p, err := pointer(in, sc.input)
	if err != nil {
		return fmt.Errorf("reading an input: %w", err)
	}
	reflect.ValueOf(in).Elem().SetZero()
	return sc.readInput(body, p)
}

func (sc *Schema) readInput(body []byte, p unsafe.Pointer) error {
	r := readers.Get().(*proto.Reader) //nolint:forcetypeassert // the pool's own
	defer readers.Put(r)
	r.Reset(body)
	if n := r.Array("input", len(sc.Input)); n != len(sc.Input) {
		r.Fail("input", "wrong number of fields")
	}
	readFields(r, sc.Input, p)
	if err := r.Done(); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	return nil
}

// readFields reads the fields of an input or event into the struct at p; nil only checks them.
func readFields(r *proto.Reader, list []Field, p unsafe.Pointer) {
	for i := range list {
		f := &list[i]
		if f.text() {
			readText(r, f, p)
		} else if n := readNumber(r, f); p != nil && r.Err() == nil {
			f.store(p, n)
		}
		if r.Err() != nil {
			return
		}
	}
}

func readText(r *proto.Reader, f *Field, p unsafe.Pointer) {
	if p == nil {
		r.CheckText(f.Name, f.Max, f.Kind == KindString)
		return
	}
	if f.Kind == KindString {
		f.storeText(p, r.Str(f.Name, f.Max))
		return
	}
	f.storeText(p, string(r.Bin(f.Name, f.Max)))
}

// readNumber reads a value that is not text as its column's integer.
func readNumber(r *proto.Reader, f *Field) int64 {
	switch f.Kind {
	case KindBool:
		if r.Bool(f.Name) {
			return 1
		}
		return 0
	case KindInt:
		return r.Int(f.Name, -1<<(f.Bits-1), 1<<(f.Bits-1)-1)
	case KindUint:
		return int64(r.Uint(f.Name, math.MaxUint64>>(64-f.Bits))) //nolint:gosec // the bits
	case KindFixed:
		return r.Int(f.Name, 0, f.Top)
	case KindAngle:
		return r.Int(f.Name, 0, 1<<f.Bits-1)
	case KindEnum:
		return r.Int(f.Name, 0, int64(len(f.Names))-1)
	case KindLen:
		return r.Int(f.Name, 0, int64(f.Max))
	case KindRef:
		n := r.Int(f.Name, 0, math.MaxUint32)
		if r.Err() == nil && !f.valid(n) {
			r.Fail(f.Name, "no row's id")
		}
		return n
	case KindFloat32:
		v := float32(r.Float64(f.Name))
		if math.IsInf(float64(v), 0) {
			r.Fail(f.Name, "too large for 32 bits")
			return 0
		}
		return int64(math.Float32bits(v))
	default:
		return int64(math.Float64bits(r.Float64(f.Name))) //nolint:gosec // the bits
	}
}

// WriteEvent writes an event, a struct of one of the schema's event types or a pointer to one, as an array of its wire
// type and its fields.
func (sc *Schema) WriteEvent(w *proto.Writer, event any) error {
	return sc.writeEvent(w, event, asItIs)
}

func (sc *Schema) writeEvent(w *proto.Writer, event any, name naming) error {
	v := reflect.ValueOf(event)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	for i := range sc.Events {
		e := &sc.Events[i]
		if v.IsValid() && e.typ == v.Type() {
			if !v.CanAddr() {
				c := reflect.New(e.typ)
				c.Elem().Set(v)
				v = c.Elem()
			}
			w.Array(1 + len(e.Fields))
			w.Uint(uint64(i) + 1)
			writeFields(w, e.Fields, v.Addr().UnsafePointer(), name)
			return nil
		}
	}
	return fmt.Errorf("writing an event: %T is none of the schema's events", event)
}

// Refused is the event that a command of this seat was refused; every schema has it.
type Refused struct {
	Seq    uint32
	Reason string
}

// ReadEvent reads an event as a pointer to its struct: a *[Refused], or one of the types that Compile was given. A
// parsed schema has no types and reads none but Refused.
func (sc *Schema) ReadEvent(body []byte) (any, error) {
	r := proto.NewReader(body)
	n := r.Array("event", maxFields+1)
	typ := int(r.Uint("event type", maxEvents)) //nolint:gosec // bounded
	if r.Err() == nil && typ == proto.EventRefused {
		e := &Refused{Seq: r.Uint32("seq"), Reason: r.Str("reason", 1<<10)}
		r.SkipRest("event", n, 3)
		return e, wrapEvent(r.Done())
	}
	if r.Err() == nil && (typ > len(sc.Events) || sc.Events[typ-1].typ == nil) {
		r.Fail("event type", "unknown")
	}
	if r.Err() != nil {
		return nil, wrapEvent(r.Err())
	}
	e := &sc.Events[typ-1]
	v := reflect.New(e.typ)
	readFields(r, e.Fields, v.UnsafePointer())
	r.SkipRest("event", n, 1+len(e.Fields))
	return v.Interface(), wrapEvent(r.Done())
}

func wrapEvent(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("event: %w", err)
}
