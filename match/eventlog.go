package match

import "muster/proto"

// maxEventBytes bounds the events of one seat that its client has not acknowledged. A seat with more is closed as a
// slow reader; its client resumes and gets them again.
const maxEventBytes = 16 << 10

// seatEvent is one event of one seat; the body is shared by all seats that get it.
type seatEvent struct {
	number uint32
	tick   uint32
	body   []byte
}

// eventLog numbers a seat's events and keeps those that are not acknowledged.
type eventLog struct {
	list  []seatEvent
	bytes int
	last  uint32 // the newest number given
	acked uint32
	sent  uint32 // the newest number sent on the present connection
}

// add appends an event. It is false when the log is full; the event is kept all the same, once.
func (l *eventLog) add(tick uint32, body []byte) bool {
	l.last++
	l.list = append(l.list, seatEvent{l.last, tick, body})
	l.bytes += len(body)
	return l.bytes <= maxEventBytes
}

// ack forgets the events up to number. A number never given is ignored.
func (l *eventLog) ack(number uint32) {
	if number > l.last || number <= l.acked {
		return
	}
	l.acked = number
	n := 0
	for n < len(l.list) && l.list[n].number <= number {
		l.bytes -= len(l.list[n].body)
		n++
	}
	rest := copy(l.list, l.list[n:])
	clear(l.list[rest:])
	l.list = l.list[:rest]
}

// unsent calls send with runs of events of one tick that the present connection has not had.
func (l *eventLog) unsent(m *proto.Events, send func(*proto.Events)) {
	for i := 0; i < len(l.list); {
		if l.list[i].number <= l.sent {
			i++
			continue
		}
		m.Tick, m.First, m.List = l.list[i].tick, l.list[i].number, m.List[:0]
		for ; i < len(l.list) && l.list[i].tick == m.Tick && len(m.List) < proto.MaxEvents; i++ {
			m.List = append(m.List, l.list[i].body)
			l.sent = l.list[i].number
		}
		send(m)
	}
}

// rewind makes a new connection get everything that is not acknowledged.
func (l *eventLog) rewind() { l.sent = l.acked }

// reset empties the log for a new occupant of the seat.
func (l *eventLog) reset() { *l = eventLog{list: l.list[:0]} }
