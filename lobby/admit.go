package lobby

import (
	"context"
	"errors"
	"sync"
	"time"
)

// attemptLimit is how many sockets a player may open.
var attemptLimit = rate{Rate: 5, Burst: 20, Period: time.Second}

const tooManySockets = "too many connections are opened"

// Knock counts a request that brings a token against what an address may make, in this process alone and before the token is
// looked at: a flood of forged ones reaches neither Redis nor costs a signature's check for each. Its error is one for
// clients, a 429 with Retry-After.
func (l *Lobby) Knock(address string) error {
	if often := l.countHere(&l.requests, address, tooMany); often != nil {
		return l.problem("counting a request", often)
	}
	return nil
}

// knock is Knock for an attempt to open a socket.
func (l *Lobby) knock(address string) error {
	if often := l.countHere(&l.attempts, address, tooManySockets); often != nil {
		return l.problem("opening a socket", often)
	}
	return nil
}

// countHere counts one more of an address in this process. Its error is what is over the limit, nil where nothing is.
func (l *Lobby) countHere(here *attempts, address, what string) *tooOftenError {
	wait := here.take(network(address), l.addressLimit(), time.Now())
	if wait == 0 {
		return nil
	}
	l.metrics.limited.Inc()
	return &tooOftenError{what, seconds(wait)}
}

// Admit counts an attempt to open a socket, of the lobby or of a match, against what an address may make, and against
// what a player may where he is known. First this process counts for itself, so that a flood does not reach Redis; then
// all count together. Where Redis does not answer, what this process counts is all there is: sockets of running matches
// must not depend on it. Its error is one for clients, a 429 with Retry-After.
func (l *Lobby) Admit(ctx context.Context, address, player string) error {
	if err := l.knock(address); err != nil {
		return err
	}
	return l.admit(ctx, address, player)
}

// admit is what Admit does after this process has counted.
func (l *Lobby) admit(ctx context.Context, address, player string) error {
	list := []counter{{addressKey(address) + ":sockets", l.addressLimit(), tooManySockets}}
	if player != "" {
		list = append(list, counter{limitKeyOf(player) + ":sockets", attemptLimit, tooManySockets})
	}
	if !l.attempts.shared(time.Now()) {
		return nil
	}
	counting, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	err := l.countAll(counting, list...)
	var often *tooOftenError
	if errors.As(err, &often) {
		return l.problem("opening a socket", err)
	}
	if err != nil && ctx.Err() == nil {
		l.attempts.alone(time.Now())
		l.complain("sockets are counted by this process alone", err)
	}
	return nil
}

const (
	// countTimeout is how long a handshake waits for Redis to count it.
	countTimeout = 250 * time.Millisecond
	// aloneFor is for how long Redis is not asked after it did not answer.
	aloneFor = time.Second
)

// maxAttempts bounds how many addresses' attempts one process counts for itself. When there are more, and none of them
// is paid for, further addresses are counted in Redis alone.
const maxAttempts = 1 << 16

// attempts counts within this process, by the generic cell rate algorithm. Any goroutine may use it.
type attempts struct {
	mu   sync.Mutex
	paid map[string]time.Time // when all that was counted is paid for
	next time.Time            // when it is next worth looking for those that are
	from time.Time            // when Redis is to be asked again
}

// shared says whether Redis is asked, alone that it does not answer.
func (a *attempts) shared(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !now.Before(a.from)
}

func (a *attempts) alone(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.from = now.Add(aloneFor)
}

// take counts one more, and returns 0 or after what time there is room for it.
func (a *attempts) take(address string, limit rate, now time.Time) (wait time.Duration) {
	interval := limit.Period / time.Duration(limit.Rate)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.paid == nil {
		a.paid = map[string]time.Time{}
	}
	paid, known := a.paid[address]
	if !known && len(a.paid) >= maxAttempts && !a.sweep(now) {
		return 0
	}
	if paid.Before(now) {
		paid = now
	}
	paid = paid.Add(interval)
	if wait := paid.Add(-interval * time.Duration(limit.Burst)).Sub(now); wait > 0 {
		return wait
	}
	a.paid[address] = paid
	return 0
}

// sweep forgets who has paid, once a second at most, and says whether there is room then.
func (a *attempts) sweep(now time.Time) bool {
	if now.Before(a.next) {
		return false
	}
	a.next = now.Add(time.Second)
	for address, paid := range a.paid {
		if paid.Before(now) {
			delete(a.paid, address)
		}
	}
	return len(a.paid) < maxAttempts
}
