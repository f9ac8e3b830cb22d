package proto

import "math"

// Ping asks for the server's tick time. Stamp is the client's own clock; it comes back unchanged.
type Ping struct{ Stamp uint64 }

// Append writes the message.
func (m *Ping) Append(w *Writer) {
	w.Array(2)
	w.Uint(KindPing)
	w.Uint(m.Stamp)
}

// Parse reads the message after [ClientKind]; n is the array's length.
func (m *Ping) Parse(r *Reader, n int) error {
	if r.shape("ping", n, 2) {
		m.Stamp = r.Uint("stamp", math.MaxUint64)
	}
	return r.Done()
}

// Pong answers a ping with the room's tick time: Tick began Frac/65536 of a tick ago.
type Pong struct {
	Stamp uint64
	Tick  uint32
	Frac  uint16
}

// Append writes the message.
func (m *Pong) Append(w *Writer) {
	w.Array(4)
	w.Uint(KindPong)
	w.Uint(m.Stamp)
	w.Uint(uint64(m.Tick))
	w.Uint(uint64(m.Frac))
}

// Parse reads the message after [ServerKind]; n is the array's length.
func (m *Pong) Parse(r *Reader, n int) error {
	m.Stamp = r.Uint("stamp", math.MaxUint64)
	m.Tick = r.Uint32("tick")
	m.Frac = r.Uint16("frac")
	r.SkipRest("pong", n, 4)
	return r.Done()
}
