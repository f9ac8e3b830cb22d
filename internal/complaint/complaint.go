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
	// Every is after what time the same complaint is to be logged again.
	Every = time.Minute
	// Least is after what time another one about the same is.
	Least = time.Second
	// most bounds what is remembered, mostTexts how many complaints about one thing: errors of one outage alternate.
	most      = 256
	mostTexts = 8
)

// Book knows what was said. The zero value is ready; any goroutine may use it.
type Book struct {
	mu  sync.Mutex
	old map[string]*page // by what it was about
}

type page struct {
	texts   map[string]time.Time // when each was said
	at      time.Time            // when the last one was
	repeats int
}

// Again says whether a complaint about something is to be logged now: this one was not within the last minute, and none about
// the same within the last second. repeats is how many about the same were not logged since one was.
func (b *Book) Again(about, text string, now time.Time) (repeats int, say bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.old[about]
	if p == nil {
		if b.old == nil || len(b.old) >= most {
			b.old = map[string]*page{}
		}
		p = &page{}
		b.old[about] = p
	}
	at, known := p.texts[text]
	if known && now.Sub(at) < Every || p.texts != nil && now.Sub(p.at) < Least {
		p.repeats++
		return 0, false
	}
	if p.texts == nil || len(p.texts) >= mostTexts {
		p.texts = map[string]time.Time{}
	}
	p.texts[text], p.at = now, now
	repeats, p.repeats = p.repeats, 0
	return repeats, true
}

// Over forgets what was said about something that is well again. was says that something had been, repeats how often it was
// not logged.
func (b *Book) Over(about string) (repeats int, was bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.old[about]
	if p == nil {
		return 0, false
	}
	delete(b.old, about)
	return p.repeats, true
}
