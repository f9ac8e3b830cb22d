package lobby

// Narrow leaves fewer places for requests that make something new, before any is made, and returns how many there were.
func (l *Lobby) Narrow(places int) (were int) {
	were = cap(l.creating)
	l.creating = make(chan struct{}, places)
	return were
}
