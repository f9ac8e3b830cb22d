package ticket

import (
	"sync"
	"time"
)

const (
	// complainAgain is after what time a queue's complaint that has not changed is logged again: what lasts, as servers that
	// take no rooms, is tried each second.
	complainAgain = time.Minute
	// maxComplaints bounds how many queues' complaints are remembered.
	maxComplaints = 256
)

// complaints keeps the same line from the log again and again. The zero value is ready; any goroutine may use it.
type complaints struct {
	mu  sync.Mutex
	old map[string]complaint // by queue
}

type complaint struct {
	text    string
	at      time.Time
	repeats int
}

// again says whether a queue's complaint is to be logged, and how often it came since it was.
func (c *complaints) again(queue, text string, now time.Time) (repeats int, say bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, known := c.old[queue]
	if known && old.text == text && now.Sub(old.at) < complainAgain {
		old.repeats++
		c.old[queue] = old
		return 0, false
	}
	if c.old == nil || !known && len(c.old) >= maxComplaints {
		c.old = map[string]complaint{}
	}
	c.old[queue] = complaint{text: text, at: now}
	if old.text != text {
		return 0, true
	}
	return old.repeats, true
}
