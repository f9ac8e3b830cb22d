// Package complaint keeps a line that lasts from a log: while Redis is away each request fails alike, and while no server
// takes rooms each look at a queue does.
//
//	if repeats, say := book.Again(queue, err.Error(), time.Now()); say {
//		log.Warn("matching failed", zap.Error(err), zap.Int("repeats", repeats))
//	}
package complaint

import (
	"sync"
	"time"
)

const (
	// Every is after what time a complaint that has not changed is to be logged again.
	Every = time.Minute
	// Least is after what time another one about the same is: errors of one outage alternate.
	Least = time.Second
	// most bounds what is remembered.
	most = 256
)

// Book knows what was said. The zero value is ready; any goroutine may use it.
type Book struct {
	mu  sync.Mutex
	old map[string]said // by what it was about
}

type said struct {
	text    string
	at      time.Time
	repeats int
}

// Again says whether a complaint about something is to be logged now: it is the first, it is another than the one before and
// that one is a second old, or that one is a minute old. repeats is how many about the same were not logged since.
func (b *Book) Again(about, text string, now time.Time) (repeats int, say bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, known := b.old[about]
	if since := now.Sub(old.at); known && (since < Least || old.text == text && since < Every) {
		old.repeats++
		b.old[about] = old
		return 0, false
	}
	if b.old == nil || !known && len(b.old) >= most {
		b.old = map[string]said{}
	}
	b.old[about] = said{text: text, at: now}
	return old.repeats, true
}
