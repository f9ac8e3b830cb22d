package proto

// Bye is the last message before the server closes a socket: the close code again, since a close frame can be lost
// behind unread data, and what does not fit into one.
type Bye struct {
	Code    Code
	Reason  string
	AfterMS uint32 // wait this long before reconnecting, in milliseconds
	URL     string // where to reconnect, for CodeMoved
}

// Append writes the message.
func (m *Bye) Append(w *Writer) {
	w.Array(5)
	w.Uint(KindBye)
	w.Uint(uint64(m.Code))
	w.Str(m.Reason)
	w.Uint(uint64(m.AfterMS))
	w.Str(m.URL)
}

// Parse reads the message after [ServerKind]; n is the array's length.
func (m *Bye) Parse(r *Reader, n int) error {
	m.Code = Code(r.Uint16("code"))
	m.Reason = r.Str("reason", 125)
	m.AfterMS = r.Uint32("after")
	m.URL = r.Str("url", 2<<10)
	r.SkipRest("bye", n, 5)
	return r.Done()
}
