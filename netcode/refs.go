package netcode

import (
	"fmt"
	"reflect"
	"unsafe"

	"muster/proto"
)

// References in inputs and events. A client names rows as the wire does, the rules as their tables do; in a state's
// columns capture translates, and here it is done for what is sent beside states.

// Local returns a player's input with the rows that it refers to named as the state names them: what is recorded, and
// what Step gets. A row that is gone, or that nobody has seen under this name since the newest Capture, is 0. The body
// must have passed [Schema.CheckInput]; it is returned as it is where the game's inputs refer to no rows.
func (e *Encoder) Local(body []byte) ([]byte, error) {
	if !refers(e.sc.Input) {
		return body, nil
	}
	in := reflect.New(e.sc.input)
	if err := e.sc.ReadInput(body, in.Interface()); err != nil {
		return nil, err
	}
	mapRefs(e.sc.Input, in.UnsafePointer(), e.local)
	w := proto.NewWriter()
	if err := e.sc.WriteInput(w, in.Interface()); err != nil {
		return nil, err
	}
	return w.Bytes(), nil
}

// WriteEvent is [Schema.WriteEvent] with the rows that the event refers to named as clients know them, those too that
// only a seat or a team sees: whom the event goes to is the rules' decision.
func (e *Encoder) WriteEvent(w *proto.Writer, event any) error {
	v := reflect.ValueOf(event)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	for i := range e.sc.Events {
		info := &e.sc.Events[i]
		if !v.IsValid() || info.typ != v.Type() || !refers(info.Fields) {
			continue
		}
		c := reflect.New(info.typ)
		c.Elem().Set(v)
		for k := range info.Fields {
			if in := info.Fields[k].in; in != nil && in.index < 0 { // the elements are the event's own
				s := reflect.NewAt(in.typ, unsafe.Add(c.UnsafePointer(), in.offset)).Elem()
				s.Set(reflect.AppendSlice(reflect.MakeSlice(in.typ, 0, s.Len()), s))
			}
		}
		mapRefs(info.Fields, c.UnsafePointer(), e.wire)
		event = c.Interface()
	}
	if err := e.sc.WriteEvent(w, event); err != nil {
		return fmt.Errorf("naming rows: %w", err)
	}
	return nil
}

func refers(list []Field) bool {
	for i := range list {
		if list[i].Kind == KindRef && list[i].wire() {
			return true
		}
	}
	return false
}

// mapRefs renames the references of the struct at p.
func mapRefs(list []Field, p unsafe.Pointer, name func(table int, id ID) ID) {
	for i := range list {
		if f := &list[i]; f.Kind == KindRef && f.wire() {
			if at := f.address(p); at != nil {
				*(*ID)(at) = name(f.Ref, *(*ID)(at))
			}
		}
	}
}

// wire is a row's name on the wire; one that is gone has the name that it had last.
func (e *Encoder) wire(table int, id ID) ID {
	p := &e.placed[table]
	if s := id.slot(); s < len(p.salt) {
		return p.wire.of(id, p.salt[s])
	}
	return p.wire.of(id, 0)
}

// local is the id of the row that has a name on the wire, or 0.
func (e *Encoder) local(table int, name ID) ID {
	p := &e.placed[table]
	if s := name.slot(); s < len(p.back) {
		if slot := int(p.back[s]); slot < len(p.wires) && p.wires[slot] == name && p.raw[slot] != 0 {
			return p.raw[slot]
		}
	}
	return 0
}
