package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"muster/proto"
)

// second is how many ticks of the arena one has; who is not that far behind is sent all.
const second = 20

// readEvery is how often one who is slow reads a little.
const readEvery = 250 * time.Millisecond

// trickle reads so many bytes a second at most, evenly, and sends pings.
type trickle struct {
	w      *watcher
	ping   []byte
	rate   int // 0: whatever comes
	lag    *lags
	pinged time.Time
	next   time.Time // when it may read again
	left   int       // what it may read until then, in bytes
}

// Read implements io.Reader.
func (t *trickle) Read(b []byte) (int, error) {
	if t.rate > 0 {
		if t.left == 0 {
			time.Sleep(time.Until(t.next))
			t.next, t.left = time.Now().Add(readEvery), max(1, int(readEvery.Seconds()*float64(t.rate)))
		}
		b = b[:min(len(b), t.left)]
	}
	n, err := t.w.in.Read(b)
	if t.rate > 0 {
		t.left -= n
		t.lag.read.Add(int64(n))
	}
	if now := time.Now(); err == nil && now.Sub(t.pinged) >= pingEvery {
		t.pinged = now
		_, err = t.w.Write(t.ping)
	}
	return n, err
}

// follow reads to the end, and notes at which ticks it is.
func (w *watcher) follow(ping []byte, rate int, lag *lags) {
	defer func() { _ = w.Close() }()
	now := time.Now()
	in := bufio.NewReaderSize(&trickle{w: w, ping: ping, rate: rate, lag: lag, pinged: now, next: now}, 1024)
	at := lag.come(rate > 0)
	defer lag.leave(at)
	var msg []byte
	var frame proto.Frame
	for {
		var err error
		if msg, err = message(in, msg); err != nil {
			return
		}
		r := proto.NewReader(msg)
		kind, n, err := proto.ServerKind(r)
		if err != nil || kind < proto.KindFrame || frame.Parse(r, kind, n) != nil {
			continue // its counts say nothing of it
		}
		if before := at.tick.Swap(frame.Head.Tick); rate > 0 && before > 0 && frame.Head.Tick > before+second {
			lag.holes.Add(1)
		}
	}
}

// message reads the next one, in memory that may be used again.
func message(in *bufio.Reader, into []byte) ([]byte, error) {
	var head [10]byte
	if _, err := io.ReadFull(in, head[:2]); err != nil {
		return into, err
	}
	size := uint64(head[1] & 0x7f)
	switch size {
	case 126:
		if _, err := io.ReadFull(in, head[2:4]); err != nil {
			return into, err
		}
		size = uint64(binary.BigEndian.Uint16(head[2:]))
	case 127:
		if _, err := io.ReadFull(in, head[2:10]); err != nil {
			return into, err
		}
		size = binary.BigEndian.Uint64(head[2:])
	}
	if size > proto.MaxServerMessage {
		return into, fmt.Errorf("a message of %d bytes", size)
	}
	into = slices.Grow(into[:0], int(size))[:size]
	_, err := io.ReadFull(in, into)
	return into, err
}

// lags are at which ticks those of one process are.
type lags struct {
	read  atomic.Int64 // bytes, of all who are slow
	holes atomic.Int64 // steps of one over a second or more

	mu     sync.Mutex
	quick  *place
	newest uint32 // that it has seen
	slow   map[*place]struct{}
}

// place is the tick that one has come to; 0 before the first.
type place struct{ tick atomic.Uint32 }

func (l *lags) come(slow bool) *place {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &place{}
	if !slow {
		l.quick = p
		return p
	}
	if l.slow == nil {
		l.slow = map[*place]struct{}{}
	}
	l.slow[p] = struct{}{}
	return p
}

func (l *lags) leave(p *place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.slow, p)
}

// standing is how those who are slow stand, as one line of JSON.
type standing struct {
	Slow  int    `json:"slow"`  // who have been shown something
	Read  int64  `json:"read"`  // bytes
	Holes int64  `json:"holes"` // steps of one over a second or more
	Mid   uint32 `json:"mid"`   // ticks that they are behind: the median
	Most  uint32 `json:"most"`  // and the most
}

func (l *lags) look() standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := standing{Read: l.read.Load(), Holes: l.holes.Load()}
	if l.quick != nil { // another one, if it was closed
		l.newest = max(l.newest, l.quick.tick.Load())
	}
	var behind []uint32
	for p := range l.slow {
		if tick := p.tick.Load(); tick > 0 {
			behind = append(behind, max(l.newest, tick)-tick)
		}
	}
	if s.Slow = len(behind); s.Slow > 0 {
		slices.Sort(behind)
		s.Mid, s.Most = behind[len(behind)/2], behind[len(behind)-1]
	}
	return s
}

// tell prints how they stand, twice a second, until the process is ended.
func (l *lags) tell(w io.Writer) {
	for {
		time.Sleep(500 * time.Millisecond)
		text, err := json.Marshal(l.look())
		if err != nil {
			return
		}
		fmt.Fprintf(w, "%s%s\n", standingPrefix, text)
	}
}

// standingPrefix begins the lines that tell how the slow ones stand.
const standingPrefix = "slow: "

// listener passes on what the process of the slow ones prints, but for how they stand, which it keeps.
type listener struct {
	to io.Writer

	mu     sync.Mutex
	newest standing
}

// Write implements io.Writer; it is given whole lines.
func (l *listener) Write(b []byte) (int, error) {
	if len(b) < len(standingPrefix) || string(b[:len(standingPrefix)]) != standingPrefix {
		return l.to.Write(b)
	}
	var s standing
	if err := json.Unmarshal(b[len(standingPrefix):], &s); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest = s
	return len(b), nil
}

func (l *listener) standing() standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.newest
}
