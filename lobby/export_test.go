package lobby

import "context"

// Narrow leaves fewer places for requests that make something new, before any is made, and returns how many there were.
func (l *Lobby) Narrow(places int) (were int) {
	were = cap(l.creating)
	l.creating = make(chan struct{}, places)
	return were
}

// Seen is how a watcher sees a player.
func (l *Lobby) Seen(ctx context.Context, watcher, player string) (state string, err error) {
	states, err := l.presence.States(ctx, watcher, []string{player})
	if err != nil {
		return "", err
	}
	return states[0].State, nil
}
