package netcode

import (
	"reflect"
	"slices"
	"unsafe"
)

// mostForetold bounds the events that were told ahead of the server and for which its own is awaited; more are not told
// ahead.
const mostForetold = 64

// foretold are the events that a prediction has told ahead of the server.
type foretold struct {
	sc     *Schema
	window uint32
	list   []prophecy
	told   int // of list, from the start: those after them are to be told
}

type prophecy struct {
	info      *EventInfo
	event     any            // a pointer to the struct,
	at        unsafe.Pointer // and where it points
	tick      uint32
	claimed   bool // by an event that the rules emitted
	confirmed bool // by one of the server's
}

// emitted takes up what a tick emitted that may have run before.
func (f *foretold) emitted(list []Emission, seat Seat, tick uint32) {
	for i := range f.list {
		if p := &f.list[i]; p.tick == tick {
			p.claimed = false
		}
	}
	for i := range list {
		if list[i].To.Includes(seat, 0) {
			f.emit(list[i].Event, tick)
		}
	}
}

func (f *foretold) emit(event any, tick uint32) {
	v, info := f.eventOf(event)
	if info == nil {
		return
	}
	at := v.UnsafePointer()
	for i := range f.list {
		if p := &f.list[i]; p.tick == tick && !p.claimed && p.is(info, at) {
			p.claimed = true
			return
		}
	}
	if len(f.list) < mostForetold {
		f.list = append(f.list, prophecy{info: info, event: v.Interface(), at: at, tick: tick, claimed: true})
	}
}

// eventOf returns a pointer to a copy of an event, and its type, which is nil where it is none of the schema's.
func (f *foretold) eventOf(event any) (reflect.Value, *EventInfo) {
	v := reflect.ValueOf(event)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	for i := range f.sc.Events {
		if info := &f.sc.Events[i]; v.IsValid() && info.typ == v.Type() {
			c := reflect.New(info.typ)
			c.Elem().Set(v)
			return c, info
		}
	}
	return v, nil
}

// is says whether an event has the same type and fields, on the wire's grid.
func (p *prophecy) is(info *EventInfo, at unsafe.Pointer) bool {
	if p.info != info {
		return false
	}
	for c := range info.Fields {
		if !info.Fields[c].near(p.at, at) {
			return false
		}
	}
	return true
}

// tell tells the events that are new.
func (f *foretold) tell(to func(event any, tick uint32)) {
	for f.told < len(f.list) {
		p := &f.list[f.told]
		f.told++
		to(p.event, p.tick)
	}
}

// confirm says whether an event of the server's was told, and notes that it came.
func (f *foretold) confirm(event any, tick uint32) bool {
	if len(f.list) == 0 {
		return false
	}
	v, info := f.eventOf(event)
	if info == nil {
		return false
	}
	for i := range f.list {
		p := &f.list[i]
		if !p.confirmed && abs(int64(p.tick)-int64(tick)) <= int64(f.window) && p.is(info, v.UnsafePointer()) {
			p.confirmed = true
			return true
		}
	}
	return false
}

// expire gives up on events that the server will not send any more, now that its state of a tick is here. It returns of
// how many. Who is told may give inputs, which makes more of them.
func (f *foretold) expire(tick uint32, tell func(event any, tick uint32)) (lost uint64) {
	for i := 0; i < len(f.list); {
		p := f.list[i]
		if int64(tick) <= int64(p.tick)+int64(f.window) {
			i++
			continue
		}
		f.list = slices.Delete(f.list, i, i+1)
		if i < f.told {
			f.told--
		}
		if !p.confirmed {
			lost++
			tell(p.event, p.tick)
		}
	}
	return lost
}
