package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"muster/internal/pause"
	"muster/proto"
)

// Feed is a lobby's socket that comes back by itself: where [Live] would have ended it is opened again, at random within
// a window that doubles from 100 ms to 5 s, or when the lobby says, and goes on after the last event that Next returned:
// none is missed and none told twice. A token that ended is refreshed where [Lobby.Refresh] says how, three quarters of
// its time ahead of that.
//
// Any goroutine may use it; one at a time may call Next, and somebody must: all happens within it. The exceptions are an
// attempt to open the socket, which Next begins and which outlives its context, and the token's refresh: each on a goroutine
// that Close waits for.
type Feed struct {
	l *Lobby
	o LiveOptions

	ctx    context.Context //nolint:containedctx // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex // guards what follows
	live    *Live      // nil while there is no socket
	changed chan struct{}
	last    string
	watched []string
	due     time.Time // when the token is to be refreshed; zero: not
	asking  bool      // it is being refreshed
	ended   error
	why     error // there is no socket

	// Next's, and while it is trying the attempt's:
	retry  retry
	opened time.Time // when the newest socket was
	trying bool      // an attempt is under way, or its outcome not taken yet
	tried  chan tried
}

// tried is what came of an attempt to open a socket.
type tried struct {
	err   error // nil: there is one
	final bool  // no other attempt is of use
}

const (
	// feedSettled is how long a socket must have lived for the next attempts to begin with the shortest pauses again.
	feedSettled = 10 * time.Second
	// mostFresh is how many newer tokens are tried before a socket has settled.
	mostFresh = 3
)

// Follow opens a lobby's socket that comes back. ctx bounds that, not the Feed. A refused upgrade is a [HandshakeError].
func (l *Lobby) Follow(ctx context.Context, o LiveOptions) (*Feed, error) {
	f := &Feed{l: l, o: o, last: o.After, changed: make(chan struct{}), tried: make(chan tried, 1)}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	if err := f.open(ctx); err != nil {
		f.cancel()
		return nil, err
	}
	return f, nil
}

// Hello is what the lobby said on the newest socket.
func (f *Feed) Hello() LiveHello {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.live == nil {
		return LiveHello{}
	}
	return f.live.Hello
}

// Last returns the place after the last event that Next returned: what [LiveOptions] go on after in another process.
func (f *Feed) Last() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// Lost says why there is no socket now, while another one is being opened; nil while there is one, and after the end.
func (f *Feed) Lost() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.live != nil || f.ended != nil || f.ctx.Err() != nil {
		return nil
	}
	return f.why
}

// Next returns what the lobby says next, and opens the socket again when it was lost. When ctx ends its error is
// returned and nothing is lost. Any other error is final: ErrClosed, a [CloseError] or a [HandshakeError] that coming
// back does not help against.
func (f *Feed) Next(ctx context.Context) (LiveNews, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(f.ctx, cancel)()
	for {
		live, due, err := f.now()
		switch {
		case err != nil:
			return LiveNews{}, err
		case live == nil || f.trying:
			if err := f.reopen(ctx); err != nil {
				return LiveNews{}, err
			}
			continue
		}
		news, err := f.wait(ctx, live, due)
		if err == nil {
			f.mu.Lock()
			f.last = live.Last()
			f.mu.Unlock()
			return news, nil
		}
		switch {
		case f.ctx.Err() != nil:
			return LiveNews{}, f.finish(ErrClosed)
		case !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
			f.lost(err) // also where ctx ended at the same time
		case ctx.Err() != nil:
			return LiveNews{}, err
		default:
			f.refresh(live)
		}
	}
}

// now is the socket, when its token is to be refreshed, and whether all is over.
func (f *Feed) now() (*Live, time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil && f.ended == nil {
		f.ended = ErrClosed
	}
	return f.live, f.due, f.ended
}

// wait is Live.Next up to a time, whose end is a DeadlineExceeded.
func (f *Feed) wait(ctx context.Context, live *Live, due time.Time) (LiveNews, error) {
	if !due.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, due)
		defer cancel()
	}
	return live.Next(ctx)
}

// open opens a socket, has the same players watched, and plans the refresh.
func (f *Feed) open(ctx context.Context) error {
	f.mu.Lock()
	o, watched := f.o, f.watched
	o.After = f.last
	f.mu.Unlock()
	live, err := f.l.Live(ctx, o)
	if err != nil {
		return err
	}
	// Before anybody can use the socket, so that who has others watched meanwhile does so after it. Not under the lock: a
	// lobby that does not read must not hold Close up.
	var watch *request
	if len(watched) > 0 {
		watch, _ = live.begin(ctx, watchPresence, watching{watched}) // a dead socket shows in Next
	}
	f.mu.Lock()
	ended := f.ctx.Err() != nil
	if !ended {
		f.live, f.opened, f.why = live, time.Now(), nil
		if watch != nil {
			f.wg.Go(func() { f.rewatch(watch, watched) })
		}
		f.schedule(live.Hello.Expires)
		close(f.changed)
		f.changed = make(chan struct{})
	}
	f.mu.Unlock()
	if ended {
		_ = live.Close()
		return ErrClosed
	}
	return nil
}

// schedule plans the refresh of a token that ends in so many seconds; 0 is never.
func (f *Feed) schedule(seconds uint32) {
	f.due = time.Time{}
	if seconds > 0 && f.l.refreshes() != nil {
		f.due = time.Now().Add(time.Duration(seconds) * time.Second * 3 / 4)
	}
}

// lost closes a socket that has ended, and plans the next.
func (f *Feed) lost(err error) {
	f.mu.Lock()
	live := f.live
	f.live, f.why = nil, err
	f.mu.Unlock()
	_ = live.Close()
	if f.o.Lost != nil {
		f.o.Lost(err)
	}
	if time.Since(f.opened) > feedSettled {
		f.retry = retry{}
	}
	f.retry.after(err, nil)
}

// reopen waits until there is a socket. An error of ctx is not final: what was begun goes on, for the call that follows.
func (f *Feed) reopen(ctx context.Context) error {
	for {
		if !f.trying {
			f.try()
		}
		select {
		case t := <-f.tried:
			f.trying = false
			switch {
			case t.final || f.ctx.Err() != nil:
				return f.finish(t.err)
			case t.err == nil:
				if f.o.Lost != nil {
					f.o.Lost(nil)
				}
				return nil
			}
			f.retry.after(t.err, nil)
		case <-ctx.Done():
			if f.ctx.Err() != nil {
				return f.finish(ErrClosed)
			}
			return fmt.Errorf("waiting for the lobby: %w", ctx.Err())
		}
	}
}

// try begins the attempt that is planned, on a goroutine that Close ends and waits for.
func (f *Feed) try() {
	f.mu.Lock() // Close waits for what was started before it
	defer f.mu.Unlock()
	if f.ctx.Err() == nil {
		f.trying = true
		f.wg.Go(func() { f.tried <- f.attempt() }) // there is place for one
	}
}

// attempt waits until the planned time and opens a socket.
func (f *Feed) attempt() tried {
	if err := pause.For(f.ctx, time.Until(f.retry.at)); err != nil {
		return tried{err: err}
	}
	if err := f.comeBack(f.retry.last); err != nil {
		return tried{err, true}
	}
	ctx, cancel := context.WithTimeout(f.ctx, attemptTimeout)
	defer cancel()
	return tried{err: f.open(ctx)}
}

// comeBack makes what a socket, or an attempt, ended with no reason not to come back: by a newer token where it was the
// token. Else it returns the error.
func (f *Feed) comeBack(err error) error {
	var ce *CloseError
	var he *HandshakeError
	switch {
	case errors.As(err, &ce) && ce.Action() == proto.ActionReconnect, errors.As(err, &he) && he.Temporary():
		return nil
	case ce == nil && he == nil:
		return nil // the network
	case ce == nil || ce.Code != proto.CodeTokenExpiry || f.l.refreshes() == nil || f.retry.fresh == mostFresh:
		return err
	}
	f.retry.fresh++
	ctx, cancel := context.WithTimeout(f.ctx, attemptTimeout)
	defer cancel()
	if _, fresh := f.l.FreshToken(ctx); fresh != nil && ctx.Err() == nil {
		return errors.Join(err, fresh)
	}
	return nil
}

// finish notes an error as the end.
func (f *Feed) finish(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		err = ErrClosed
	}
	if f.ended == nil {
		f.ended = err
		close(f.changed)
		f.changed = make(chan struct{})
	}
	return f.ended
}

// refresh gives the lobby a newer token, on a goroutine of its own, one at a time: its answer comes through Next. Where
// there is none it is tried again.
func (f *Feed) refresh(live *Live) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.due = time.Now().Add(refreshAgain)
	if f.ctx.Err() != nil || f.asking {
		return
	}
	f.asking = true
	f.wg.Go(func() {
		ctx, cancel := context.WithTimeout(f.ctx, attemptTimeout)
		expires, err := f.renew(ctx, live)
		cancel()
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.asking = false; err == nil && f.live == live {
			f.schedule(expires)
		}
	})
}

// renew gives the lobby a newer token, and returns in how many seconds that ends.
func (f *Feed) renew(ctx context.Context, live *Live) (expires uint32, err error) {
	token, err := f.l.FreshToken(ctx)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Expires uint32 `json:"expires"`
	}
	body := struct {
		Token string `json:"token"`
	}{token}
	err = live.Do(ctx, "refresh", body, &answer)
	return answer.Expires, err
}

// Close ends the socket and waits for what it began. It may be called any number of times.
func (f *Feed) Close() error {
	f.mu.Lock()
	f.cancel()
	live := f.live
	f.mu.Unlock()
	if live != nil {
		_ = live.Close()
	}
	f.wg.Wait()
	return nil
}
