package netcode

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"muster/proto"
)

// Inputs and events by the names of their fields, for those who write JSON: a struct is an object, an array or a slice an
// array, an enum one of its names, bytes are base64, a row its id as the state has it. What is left out is zero.

// ErrJSON is what the errors of JSON wrap that is no input or event of the schema.
var ErrJSON = errors.New("not as the schema has it")

// jsonDepth bounds how deep JSON is nested.
const jsonDepth = 16

// InputFromJSON returns an input as [Schema.ReadInput] reads it, with the rows that it refers to named as the state names
// them. text is an object of at most as many values as the input has fields; it may be hostile.
func (sc *Schema) InputFromJSON(text []byte) ([]byte, error) {
	w := proto.NewWriter()
	w.Array(len(sc.Input))
	if err := fieldsFromJSON(w, sc.Input, text); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	if err := sc.CheckInput(w.Bytes()); err != nil {
		return nil, err
	}
	return w.Bytes(), nil
}

// EventFromJSON returns an event of the type of this name as [Schema.ReadEvent] reads it.
func (sc *Schema) EventFromJSON(name string, text []byte) ([]byte, error) {
	i := slices.IndexFunc(sc.Events, func(e EventInfo) bool { return e.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("event: %w: there is no type %q", ErrJSON, clipped(name))
	}
	e := &sc.Events[i]
	w := proto.NewWriter()
	w.Array(1 + len(e.Fields))
	w.Uint(uint64(i) + 1)
	if err := fieldsFromJSON(w, e.Fields, text); err != nil {
		return nil, fmt.Errorf("event %s: %w", e.Name, err)
	}
	if _, err := sc.ReadEvent(w.Bytes()); err != nil {
		return nil, err
	}
	return w.Bytes(), nil
}

// fieldsFromJSON writes fields, in their order, by what an object has of them.
func fieldsFromJSON(w *proto.Writer, list []Field, text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte("{}")
	}
	f := flat{values: map[string]any{}, lens: map[string]int{}, most: len(list)}
	if err := f.read(text); err != nil {
		return err
	}
	for i := range list {
		if err := f.write(w, &list[i]); err != nil {
			return fmt.Errorf("field %s: %w", list[i].Name, err)
		}
	}
	if left := slices.Sorted(maps.Keys(f.values)); len(left) > 0 {
		return fmt.Errorf("%w: there is no field %q", ErrJSON, clipped(left[0]))
	}
	for _, path := range slices.Sorted(maps.Keys(f.lens)) {
		if f.lens[path] > 0 || !hasElements(list, path) {
			return fmt.Errorf("%w: %q is no list", ErrJSON, clipped(path))
		}
	}
	return nil
}

// hasElements says whether a path is that of an array.
func hasElements(list []Field, path string) bool {
	return slices.ContainsFunc(list, func(f Field) bool { return strings.HasPrefix(f.Name, path+".0") })
}

// flat is an object with its values by their paths, as fields are named.
type flat struct {
	values map[string]any
	lens   map[string]int // of lists
	most   int            // values
}

func (f *flat) read(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("%w: expected an object", ErrJSON)
	}
	if err := f.object(d, "", 1); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows the object", ErrJSON)
	}
	return nil
}

func (f *flat) object(d *json.Decoder, path string, depth int) error {
	for {
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrJSON, err)
		}
		key, ok := t.(string)
		if !ok { // the end
			return nil
		}
		if strings.Contains(key, ".") {
			return fmt.Errorf("%w: there is no field %q", ErrJSON, clipped(key))
		}
		if path != "" {
			key = path + "." + key
		}
		if err := f.value(d, key, depth); err != nil {
			return err
		}
	}
}

func (f *flat) value(d *json.Decoder, path string, depth int) error {
	t, err := d.Token()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrJSON, err)
	}
	if depth >= jsonDepth {
		return fmt.Errorf("%w: nested deeper than %d", ErrJSON, jsonDepth)
	}
	switch t {
	case json.Delim('{'):
		return f.object(d, path, depth+1)
	case json.Delim('['):
		n := 0
		for ; d.More(); n++ {
			if err := f.value(d, path+"."+strconv.Itoa(n), depth+1); err != nil {
				return err
			}
		}
		f.lens[path] = n
		if _, err = d.Token(); err != nil {
			return fmt.Errorf("%w: %w", ErrJSON, err)
		}
		return nil
	}
	if _, twice := f.values[path]; twice || len(f.values) >= f.most {
		return fmt.Errorf("%w: there is no field %q, or it is there twice", ErrJSON, clipped(path))
	}
	f.values[path] = t
	return nil
}

// write writes one field and takes it out.
func (f *flat) write(w *proto.Writer, field *Field) error {
	if field.Kind == KindLen {
		path := strings.TrimSuffix(field.Name, ".len")
		n := f.lens[path]
		delete(f.lens, path)
		if n > field.Max {
			return fmt.Errorf("%w: %d elements, at most %d allowed", ErrJSON, n, field.Max)
		}
		writeNumber(w, field, int64(n))
		return nil
	}
	for at := strings.LastIndex(field.Name, "."); at >= 0; at = strings.LastIndex(field.Name[:at], ".") {
		if _, ok := f.lens[field.Name[:at]]; ok { // the field is of a list's element
			f.lens[field.Name[:at]] = 0
		}
	}
	v, ok := f.values[field.Name]
	delete(f.values, field.Name)
	if field.text() {
		s, err := textFrom(field, v, ok)
		if err == nil {
			writeText(w, field, s)
		}
		return err
	}
	n := int64(0)
	if ok {
		var err error
		if n, err = numberFrom(field, v); err != nil {
			return err
		}
	} else if field.Kind == KindFixed { // zero, or what is nearest to it
		n = field.quantise(0)
	}
	writeNumber(w, field, n)
	return nil
}

func textFrom(f *Field, v any, ok bool) (string, error) {
	if !ok {
		return "", nil
	}
	s, is := v.(string)
	if !is {
		return "", fmt.Errorf("%w: expected a text", ErrJSON)
	}
	if f.Kind == KindBytes {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return "", fmt.Errorf("%w: expected base64", ErrJSON)
		}
		s = string(b)
	} else if !utf8.ValidString(s) {
		return "", fmt.Errorf("%w: expected UTF-8", ErrJSON)
	}
	if len(s) > f.Max {
		return "", fmt.Errorf("%w: %d bytes, at most %d allowed", ErrJSON, len(s), f.Max)
	}
	return s, nil
}

// numberFrom is a value as the column's integer.
func numberFrom(f *Field, v any) (int64, error) {
	switch f.Kind { //nolint:exhaustive // the others are numbers
	case KindBool:
		if b, ok := v.(bool); ok {
			if b {
				return 1, nil
			}
			return 0, nil
		}
		return 0, fmt.Errorf("%w: expected true or false", ErrJSON)
	case KindEnum:
		name, ok := v.(string)
		if i := slices.Index(f.Names, name); ok && i >= 0 {
			return int64(i), nil
		}
		return 0, fmt.Errorf("%w: expected one of %s", ErrJSON, clipped(strings.Join(f.Names, ", ")))
	}
	text, ok := v.(json.Number)
	if !ok {
		return 0, fmt.Errorf("%w: expected a number", ErrJSON)
	}
	switch f.Kind {
	case KindInt:
		n, err := strconv.ParseInt(text.String(), 10, int(f.Bits))
		if err != nil {
			return 0, fmt.Errorf("%w: expected a whole number of %d bits", ErrJSON, f.Bits)
		}
		return n, nil
	case KindUint:
		n, err := strconv.ParseUint(text.String(), 10, int(f.Bits))
		if err != nil {
			return 0, fmt.Errorf("%w: expected a whole number from 0, of %d bits", ErrJSON, f.Bits)
		}
		return int64(n), nil //nolint:gosec // the bits
	case KindRef:
		n, err := strconv.ParseUint(text.String(), 10, 32)
		if err != nil || !f.valid(int64(n)) {
			return 0, fmt.Errorf("%w: expected a row's id", ErrJSON)
		}
		return int64(n), nil
	default:
		return floatFrom(f, text)
	}
}

func floatFrom(f *Field, text json.Number) (int64, error) {
	x, err := text.Float64()
	if err != nil {
		return 0, fmt.Errorf("%w: expected a number that 64 bits hold", ErrJSON)
	}
	switch f.Kind {
	case KindFixed:
		if most := f.Min + float64(f.Top)*f.Step; x < f.Min || x > most {
			return 0, fmt.Errorf("%w: expected %v to %v", ErrJSON, f.Min, most)
		}
		return f.quantise(x), nil
	case KindAngle:
		return f.quantiseAngle(x), nil
	case KindFloat32:
		if math.IsInf(float64(float32(x)), 0) {
			return 0, fmt.Errorf("%w: expected a number that 32 bits hold", ErrJSON)
		}
		return int64(math.Float32bits(float32(x))), nil
	default:
		return int64(math.Float64bits(x)), nil //nolint:gosec // the bits
	}
}

// clipped is a text of somebody's as an error repeats it.
func clipped(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
