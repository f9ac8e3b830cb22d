package netcode

import (
	"reflect"
	"slices"

	"muster/proto"
)

// References in inputs and events. A client names rows as the wire does, the rules as their tables do; in a state's
// columns capture translates, and here it is done for what is sent beside states.

// Local returns a player's input with the rows that it refers to named as the state names them: what is recorded, and
// what Step gets. A row that is gone, or that nobody has seen under this name since the newest Capture, is 0. The body
// must have passed [Schema.CheckInput]; it is returned as it is where the game's inputs refer to no rows.
func (e *Encoder) Local(body []byte) ([]byte, error) {
	if !slices.ContainsFunc(e.sc.Input, func(f Field) bool { return f.Kind == KindRef }) {
		return body, nil
	}
	in := reflect.New(e.sc.input)
	if err := e.sc.ReadInput(body, in.Interface()); err != nil {
		return nil, err
	}
	w := proto.NewWriter()
	w.Array(len(e.sc.Input))
	writeFields(w, e.sc.Input, in.UnsafePointer(), e.local)
	return w.Bytes(), nil
}

// WriteEvent is [Schema.WriteEvent] with the rows that the event refers to named as clients know them, those too that
// only a seat or a team sees: whom the event goes to is the rules' decision.
func (e *Encoder) WriteEvent(w *proto.Writer, event any) error {
	return e.sc.writeEvent(w, event, e.wire)
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
