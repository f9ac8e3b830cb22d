package proto

// Leave gives the seat up for good. A socket that closes without it is dropped: its seat is held for a while.
type Leave struct{}

// Append writes the message.
func (m *Leave) Append(w *Writer) {
	w.Array(1)
	w.Uint(KindLeave)
}

// Parse reads the message after [ClientKind]; n is the array's length.
func (m *Leave) Parse(r *Reader, n int) error {
	r.shape("leave", n, 1)
	return r.Done()
}
