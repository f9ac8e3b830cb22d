package proto

// Resync asks for a keyframe of one scope, after a view hash that differs or a block that cannot be applied.
type Resync struct{ Scope uint16 }

// Append writes the message.
func (m *Resync) Append(w *Writer) {
	w.Array(2)
	w.Uint(KindResync)
	w.Uint(uint64(m.Scope))
}

// Parse reads the message after [ClientKind]; n is the array's length.
func (m *Resync) Parse(r *Reader, n int) error {
	if r.shape("resync", n, 2) {
		m.Scope = r.Uint16("scope")
	}
	return r.Done()
}
