package bridge

import "sync"

// Bounds of what waits for the goroutine of one bridged room. An event for all is a message for each viewer.
const (
	maxMail      = 2 * maxViewers
	maxMailBytes = 8 << 20
)

// mailbox hands messages to a room's goroutine. What finds no place is dropped: ticks come anew, the rest is repeated.
type mailbox struct {
	wake chan struct{} // has one entry while something may wait

	mu     sync.Mutex
	list   [][]byte
	bytes  int
	spare  [][]byte
	holed  bool // messages may be lost
	orphan bool // the host is no more
	full   func()
}

func newMailbox(full func()) mailbox { return mailbox{wake: make(chan struct{}, 1), full: full} }

func (b *mailbox) put(msg []byte) {
	b.mu.Lock()
	if len(b.list) >= maxMail || b.bytes+len(msg) > maxMailBytes {
		b.mu.Unlock()
		b.full()
		return
	}
	var own []byte
	if n := len(b.spare); n > 0 {
		own, b.spare = b.spare[n-1][:0], b.spare[:n-1]
	}
	b.list = append(b.list, append(own, msg...))
	b.bytes += len(msg)
	b.mu.Unlock()
	b.rouse()
}

func (b *mailbox) gap() {
	b.mu.Lock()
	b.holed = true
	b.mu.Unlock()
	b.rouse()
}

func (b *mailbox) gone() {
	b.mu.Lock()
	b.orphan = true
	b.mu.Unlock()
	b.rouse()
}

func (b *mailbox) rouse() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take returns all that waits; done, the messages that it returned before, are used anew.
func (b *mailbox) take(done [][]byte) (list [][]byte, gap, gone bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, msg := range done {
		if len(b.spare) < maxSpare {
			b.spare = append(b.spare, msg)
		}
		done[i] = nil
	}
	list, b.list = b.list, done[:0]
	gap, gone = b.holed, b.orphan
	b.holed, b.bytes = false, 0
	return list, gap, gone
}
