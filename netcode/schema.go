package netcode

import (
	"errors"
	"fmt"
	"hash/fnv"
	"reflect"
	"slices"

	"muster/proto"
)

// Bounds of a schema: what a reader accepts.
const (
	maxTables = 64
	maxFields = 256
	maxEvents = 255
	maxName   = 64
)

// TableInfo is one table of the state, or its single row.
type TableInfo struct {
	Name   string
	Single bool
	Max    int // rows
	Fields []Field
	Row    string // the name of the rows' Go type; empty in a schema that was parsed

	owner  int     // the column that says whose a row is, or -1
	room   []int   // columns sent to everybody
	own    []int   // columns sent to a row's owner
	team   []int   // columns sent to the team of a row's owner
	rewind bool    // its past is kept for Step.Rewind; known to the server alone
	offset uintptr // of the table in the state
	typ    reflect.Type
}

// EventInfo is one type of event.
type EventInfo struct {
	Name   string
	Fields []Field
	typ    reflect.Type
}

// Schema is the compiled form of a game's state, input and events. It is immutable; any goroutine may use it.
type Schema struct {
	Tables []TableInfo
	Input  []Field
	Events []EventInfo // Events[i] has the wire type i+1

	state  reflect.Type
	input  reflect.Type
	binary []byte
	exact  []exactTable // how a state is written exactly
	layout []byte       // the same, as a state begins with it
}

// ErrSchema is what the errors of [Compile] and [ParseSchema] wrap.
var ErrSchema = errors.New("bad schema")

// Compile makes the schema of a game with state S, input In and these events (their zero values). Errors name the type
// and the field.
func Compile[S, In any](events ...any) (*Schema, error) {
	sc := &Schema{state: reflect.TypeFor[S](), input: reflect.TypeFor[In]()}
	if err := sc.compileState(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	var err error
	if sc.Input, err = sc.plainFields(sc.input); err != nil {
		return nil, fmt.Errorf("%w: input %w", ErrSchema, err)
	}
	for _, e := range events {
		t := reflect.TypeOf(e)
		info := EventInfo{typ: t}
		if t == nil {
			return nil, fmt.Errorf("%w: an event is nil", ErrSchema)
		}
		info.Name = t.Name()
		if info.Fields, err = sc.plainFields(t); err != nil {
			return nil, fmt.Errorf("%w: event %w", ErrSchema, err)
		}
		for _, other := range sc.Events {
			if other.Name == info.Name {
				return nil, fmt.Errorf("%w: two events are called %s", ErrSchema, info.Name)
			}
		}
		sc.Events = append(sc.Events, info)
	}
	sc.binary = sc.encode()
	if _, err := ParseSchema(sc.binary); err != nil {
		return nil, err // beyond a bound that readers have
	}
	sc.planExact()
	return sc, nil
}

// plainFields compiles a struct that is sent whole, where who may see a field has no meaning.
func (sc *Schema) plainFields(t reflect.Type) ([]Field, error) {
	list, err := fields(t, place{path: t.String()}, nil)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].flags&(flagOwner|flagTeam|flagServer|flagOnce) != 0 {
			return nil, fmt.Errorf("%s.%s: owner, team, server and once are for tables", t, list[i].Name)
		}
	}
	if err := resolve(list, sc.Tables); err != nil {
		return nil, fmt.Errorf("%s.%w", t, err)
	}
	return list, nil
}

func (sc *Schema) compileState() error {
	if sc.state.Kind() != reflect.Struct {
		return fmt.Errorf("state %s is not a struct", sc.state)
	}
	for i := range sc.state.NumField() {
		sf := sc.state.Field(i)
		if !sf.IsExported() {
			continue
		}
		path := sc.state.String() + "." + sf.Name
		r, ok := reflect.New(sf.Type).Interface().(rows)
		if !ok {
			return fmt.Errorf("%s: %s is neither a netcode.Table nor a netcode.Value", path, sf.Type)
		}
		t := TableInfo{Name: sf.Name, Single: r.single(), Max: 1, Row: r.rowType().Name(), offset: sf.Offset, typ: sf.Type}
		o, err := parseTag(sf.Tag.Get("net"))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		t.rewind = o.rewind
		if !t.Single {
			if t.Max = DefaultMax; o.hasMax {
				t.Max = o.max
			}
			if t.Max < 1 || t.Max > DefaultMax {
				return fmt.Errorf("%s: max=%d: a table has 1 to %d rows", path, o.max, DefaultMax)
			}
		}
		if t.Fields, err = fields(r.rowType(), place{path: path}, nil); err != nil {
			return err
		}
		if err := t.plan(); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		sc.Tables = append(sc.Tables, t)
	}
	if len(sc.Tables) == 0 {
		return fmt.Errorf("state %s has no exported table", sc.state)
	}
	for i := range sc.Tables {
		if err := resolve(sc.Tables[i].Fields, sc.Tables); err != nil {
			return fmt.Errorf("%s.%s.%w", sc.state, sc.Tables[i].Name, err)
		}
	}
	return nil
}

func resolve(list []Field, tables []TableInfo) error {
	for i := range list {
		if err := list[i].resolve(tables); err != nil {
			return err
		}
	}
	return nil
}

// plan works out which columns go where.
func (t *TableInfo) plan() error {
	t.owner = -1
	sent := 0
	seen := map[string]bool{}
	for i := range t.Fields {
		f := &t.Fields[i]
		if seen[f.Name] {
			return fmt.Errorf("two fields are called %s", f.Name)
		}
		seen[f.Name] = true
		f.column = i
		if f.Sent() {
			f.index = sent
			sent++
		}
		if f.flags&flagSeat != 0 && f.Name == "Owner" {
			t.owner = i
		}
		switch {
		case !f.Sent():
		case f.flags&flagOwner != 0 && f.flags&flagTeam != 0:
			return fmt.Errorf("field %s is for the owner and for the team: one of them", f.Name)
		case f.flags&flagOwner != 0:
			t.own = append(t.own, i)
		case f.flags&flagTeam != 0:
			t.team = append(t.team, i)
		default:
			t.room = append(t.room, i)
		}
	}
	if private := append(slices.Clone(t.own), t.team...); len(private) > 0 && t.owner < 0 {
		return fmt.Errorf("field %s is for the row's owner, and the row has no field Owner of type netcode.Seat", t.Fields[private[0]].Name)
	}
	return nil
}

// Bind tells the tables of a state, an *S, their bounds. Whoever makes a state calls it before rows are added.
func (sc *Schema) Bind(state any) error {
	if _, err := tablesOf(sc, state); err != nil {
		return fmt.Errorf("binding a state: %w", err)
	}
	return nil
}

// Fingerprint is a 64-bit hash of the binary form: equal for equal schemas.
func (sc *Schema) Fingerprint() uint64 {
	h := fnv.New64a()
	_, _ = h.Write(sc.binary)
	return h.Sum64()
}

// Binary is the schema's stable binary form, as PROTOCOL.md describes it. The caller must not change it.
func (sc *Schema) Binary() []byte { return sc.binary }

// schemaForm is the version of the binary form.
const schemaForm = 1

func (sc *Schema) encode() []byte {
	w := proto.NewWriter()
	w.Array(4)
	w.Uint(schemaForm)
	w.Array(len(sc.Tables))
	for i := range sc.Tables {
		t := &sc.Tables[i]
		w.Array(4)
		w.Str(t.Name)
		w.Bool(t.Single)
		w.Uint(uint64(t.Max)) //nolint:gosec // positive
		encodeFields(w, t.Fields)
	}
	encodeFields(w, sc.Input)
	w.Array(len(sc.Events))
	for i := range sc.Events {
		w.Array(2)
		w.Str(sc.Events[i].Name)
		encodeFields(w, sc.Events[i].Fields)
	}
	return append([]byte(nil), w.Bytes()...)
}

// encodeFields leaves out the columns that are never sent, so that nothing of them shows.
func encodeFields(w *proto.Writer, list []Field) {
	n := 0
	for i := range list {
		if list[i].Sent() {
			n++
		}
	}
	w.Array(n)
	for i := range list {
		f := &list[i]
		if !f.Sent() {
			continue
		}
		switch f.Kind {
		case KindInt, KindUint, KindAngle:
			w.Array(4)
			fieldHead(w, f)
			w.Uint(uint64(f.Bits))
		case KindString, KindBytes, KindLen:
			w.Array(4)
			fieldHead(w, f)
			w.Uint(uint64(f.Max)) //nolint:gosec // positive
		case KindEnum:
			w.Array(4)
			fieldHead(w, f)
			w.Array(len(f.Names))
			for _, name := range f.Names {
				w.Str(name)
			}
		case KindRef:
			w.Array(4)
			fieldHead(w, f)
			w.Uint(uint64(f.Ref)) //nolint:gosec // an index
		case KindFixed:
			w.Array(6)
			fieldHead(w, f)
			w.Float64(f.Min)
			w.Float64(f.Step)
			w.Uint(uint64(f.Top)) //nolint:gosec // positive
		default:
			w.Array(3)
			fieldHead(w, f)
		}
	}
}

func fieldHead(w *proto.Writer, f *Field) {
	w.Str(f.Name)
	w.Uint(uint64(f.Kind))
	w.Uint(uint64(f.flags))
}

// ParseSchema reads the binary form. The result has no Go types: it decodes into dynamic rows only.
func ParseSchema(b []byte) (*Schema, error) {
	r := proto.NewReader(b)
	sc := &Schema{binary: append([]byte(nil), b...)}
	n := r.Array("schema", 16)
	if form := r.Uint("form", 1<<16); r.Err() == nil && form != schemaForm {
		return nil, fmt.Errorf("%w: form %d, only %d is known", ErrSchema, form, schemaForm)
	}
	for range r.Array("tables", maxTables) {
		k := r.Array("table", 16)
		t := TableInfo{
			Name: r.Str("table name", maxName), Single: r.Bool("single"), Max: int(r.Uint("table max", DefaultMax)), //nolint:gosec // bounded
			Fields: parseFields(r),
		}
		r.SkipRest("table", k, 4)
		if r.Err() != nil {
			break
		}
		if err := t.plan(); err != nil {
			return nil, fmt.Errorf("%w: table %s: %w", ErrSchema, t.Name, err)
		}
		sc.Tables = append(sc.Tables, t)
	}
	sc.Input = parseFields(r)
	for range r.Array("events", maxEvents) {
		k := r.Array("event", 16)
		sc.Events = append(sc.Events, EventInfo{Name: r.Str("event name", maxName), Fields: parseFields(r)})
		r.SkipRest("event", k, 2)
		if r.Err() != nil {
			break
		}
	}
	r.SkipRest("schema", n, 4)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	if err := sc.link(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	sc.planExact()
	return sc, nil
}

// link gives parsed references their tables.
func (sc *Schema) link() error {
	list := append(make([][]Field, 0, 1+len(sc.Tables)+len(sc.Events)), sc.Input)
	for i := range sc.Tables {
		list = append(list, sc.Tables[i].Fields)
	}
	for i := range sc.Events {
		list = append(list, sc.Events[i].Fields)
	}
	for _, fields := range list {
		for i := range fields {
			f := &fields[i]
			if f.Kind != KindRef {
				continue
			}
			if f.Ref >= len(sc.Tables) || sc.Tables[f.Ref].Single {
				return fmt.Errorf("field %s refers to table %d, which has no ids", f.Name, f.Ref)
			}
			f.slots = uint8(bitsFor(sc.Tables[f.Ref].Max)) //nolint:gosec // at most 15
		}
	}
	return nil
}

func parseFields(r *proto.Reader) []Field {
	var list []Field
	for range r.Array("fields", maxFields) {
		list = append(list, parseField(r))
		if r.Err() != nil {
			break
		}
	}
	return list
}

func parseField(r *proto.Reader) Field {
	n, read := r.Array("field", 16), 3
	f := Field{
		Name: r.Str("field name", maxName), Kind: Kind(r.Uint8("kind")),
		flags: r.Uint8("flags"), raw: true,
	}
	switch f.Kind {
	case KindBool, KindFloat32, KindFloat64:
	case KindInt, KindUint:
		f.Bits, read = uint8(r.Uint("bits", 64)), 4 //nolint:gosec // bounded
		if f.Bits != 8 && f.Bits != 16 && f.Bits != 32 && f.Bits != 64 {
			r.Fail("bits", "not 8, 16, 32 or 64")
		}
	case KindAngle:
		if f.Bits, read = uint8(r.Uint("bits", 16)), 4; f.Bits == 0 { //nolint:gosec // bounded
			r.Fail("bits", "zero")
		}
	case KindString, KindBytes:
		f.Max, read = int(r.Uint("max", 4096)), 4 //nolint:gosec // bounded
	case KindLen:
		if f.Max, read = int(r.Uint("max", maxElements)), 4; f.Max == 0 { //nolint:gosec // bounded
			r.Fail("max", "zero")
		}
	case KindEnum:
		read = 4
		for range r.Array("names", maxNames) {
			f.Names = append(f.Names, r.Str("name", maxName))
		}
		if err := checkNames(f.Names); r.Err() == nil && err != nil {
			r.Fail("names", err.Error())
		}
	case KindRef:
		f.Ref, read = int(r.Uint("table", maxTables-1)), 4 //nolint:gosec // bounded
	case KindFixed:
		f.Min, f.Step, f.Top, read = r.Float64("min"), r.Float64("step"), int64(r.Uint("top", 1<<53)), 6 //nolint:gosec // bounded
		if !(f.Step > 0) {
			r.Fail("step", "not positive")
		}
	default:
		r.Fail("kind", "unknown")
	}
	r.SkipRest("field", n, read)
	return f
}
