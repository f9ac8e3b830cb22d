package match

import "muster/proto"

// Bounds of the events of one seat, in bytes.
const (
	// maxEventBytes is how much may come on one connection that its client does not acknowledge. With more it is closed
	// as a slow reader; its client resumes and gets them again.
	maxEventBytes = 16 << 10
	// maxEvent is the longest event; a longer one is a mistake in the game and is not sent.
	maxEvent = 8 << 10
	// keptEventBytes is how much is kept while nobody is connected, so that the event which was too much is, too. The
	// oldest give way, and the next welcome says up to which number.
	keptEventBytes = maxEventBytes + maxEvent
)

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
	kept  uint32 // the newest number given before the room went on in this process; what came after was taken back
	acked uint32 // or forgotten: what the list begins after
	sent  uint32 // the newest number sent on the present connection
	limit int    // of bytes on the present connection
}

// add appends an event. It is false when that is more than the present connection may leave unacknowledged.
func (l *eventLog) add(tick uint32, body []byte) bool {
	l.last++
	l.list = append(l.list, seatEvent{l.last, tick, body})
	l.bytes += len(body)
	return l.bytes <= l.limit
}

// trim forgets the oldest events above keptEventBytes, for a seat without a connection, and says how many.
func (l *eventLog) trim() int {
	n, over := 0, l.bytes-keptEventBytes
	for ; over > 0; n++ {
		over -= len(l.list[n].body)
	}
	if n > 0 {
		l.ack(l.list[n-1].number)
	}
	return n
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

// unsent calls send with runs of events of one tick that the present connection has not had, up to those of a tick.
func (l *eventLog) unsent(m *proto.Events, upTo uint32, send func(*proto.Events)) {
	for i := 0; i < len(l.list) && l.list[i].tick <= upTo; {
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

// rewind makes a new connection get everything that is not acknowledged. What is due already does not count against
// it: else a seat with a full log would be closed again before its client can answer.
func (l *eventLog) rewind() { l.sent, l.limit = l.acked, l.bytes+maxEventBytes }

// restore makes the log of a new room that of one before it.
func (l *eventLog) restore(acked uint32, list []seatEvent) {
	l.reset()
	l.acked, l.sent, l.last, l.list = acked, acked, acked, list
	for i := range list {
		l.last = list[i].number
		l.bytes += len(list[i].body)
	}
}

// reset empties the log for a new occupant of the seat.
func (l *eventLog) reset() { *l = eventLog{list: l.list[:0]} }
