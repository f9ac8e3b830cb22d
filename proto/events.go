package proto

// EventRefused is the type of the event that tells a seat that a command of its was refused. Its elements are the
// command's sequence and the reason. The types of a game's own events count from 1, in the schema's order.
const EventRefused = 0

// MaxEvents bounds how many events one message may hold.
const MaxEvents = 256

// Events are one-off happenings of one tick, numbered for their seat without gaps: number First, First+1, …
type Events struct {
	Tick  uint32
	First uint32
	// List holds each event as a whole MessagePack array: its type, then its fields.
	List [][]byte
}

// Append writes the message.
func (m *Events) Append(w *Writer) {
	w.Array(3 + len(m.List))
	w.Uint(KindEvents)
	w.Uint(uint64(m.Tick))
	w.Uint(uint64(m.First))
	for _, e := range m.List {
		w.Raw(e)
	}
}

// Parse reads the message after [ServerKind]; n is the array's length. List's entries are parts of the message.
func (m *Events) Parse(r *Reader, n int) error {
	if r.err == nil && (n < 3 || n-3 > MaxEvents) {
		r.Fail("events", "wrong number of elements")
	}
	m.Tick = r.Uint32("tick")
	m.First = r.Uint32("first")
	m.List = m.List[:0]
	for i := 3; i < n && r.err == nil; i++ {
		m.List = append(m.List, r.Raw("event", MaxServerMessage))
	}
	return r.Done()
}
