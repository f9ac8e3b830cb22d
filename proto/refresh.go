package proto

// Refresh brings a newer token of the player who has the seat, before the one that it played by ends.
type Refresh struct{ Token string }

// Append writes the message.
func (m *Refresh) Append(w *Writer) {
	w.Array(2)
	w.Uint(KindRefresh)
	w.Str(m.Token)
}

// Parse reads the message after [ClientKind]; n is the array's length.
func (m *Refresh) Parse(r *Reader, n int) error {
	if r.shape("refresh", n, 2) {
		m.Token = r.Str("token", MaxToken)
	}
	return r.Done()
}

// Refreshed answers a Refresh that was accepted.
type Refreshed struct {
	Expires uint32 // seconds until the player's token ends; 0: never
}

// Append writes the message.
func (m *Refreshed) Append(w *Writer) {
	w.Array(2)
	w.Uint(KindRefreshed)
	w.Uint(uint64(m.Expires))
}

// Parse reads the message after [ServerKind]; n is the array's length.
func (m *Refreshed) Parse(r *Reader, n int) error {
	m.Expires = r.Uint32("expires")
	r.SkipRest("refreshed", n, 2)
	return r.Done()
}
