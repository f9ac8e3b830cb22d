package bridge

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"time"
)

// fakeNetwork carries messages between bridges as links do: in order for each pair, at most once, and not always.
type fakeNetwork struct {
	mu      sync.Mutex
	rng     *rand.Rand
	delay   time.Duration
	loss    float64                                     // part of the messages that are lost
	doubled float64                                     // part of those that come twice
	silent  bool                                        // losses are not told of
	cut     func(from, to string) bool                  // those that are lost now
	full    func(from, to string) bool                  // those that Send does not take now
	drop    func(from, to string, kind int) bool        // those that are lost, by their kind
	seen    func(from, to string, kind int, msg []byte) // all that is sent
	bridges map[string]*Bridge
	names   map[string]string // by the first one, of nodes that have another now
	ways    map[[2]string]*way
	wg      sync.WaitGroup
	done    chan struct{}
}

// way is one direction of a pair.
type way struct {
	queue chan letter
	gap   bool
}

type letter struct {
	at  time.Time
	msg []byte
	gap bool
}

func newFakeNetwork(seed uint64) *fakeNetwork {
	return &fakeNetwork{
		rng: rand.New(rand.NewPCG(seed, 1)), delay: time.Millisecond, bridges: map[string]*Bridge{}, ways: map[[2]string]*way{},
		done: make(chan struct{}),
	}
}

// change changes what the network does.
func (n *fakeNetwork) change(do func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do()
}

func (n *fakeNetwork) close() {
	close(n.done)
	n.wg.Wait()
}

// rename gives a node another name: nobody hears what is sent to the old one.
func (n *fakeNetwork) rename(from, to string) {
	n.change(func() {
		n.bridges[to] = n.bridges[from]
		delete(n.bridges, from)
		n.names = map[string]string{from: to}
	})
}

// from is a node's way out.
func (n *fakeNetwork) from(id string) Network { return sender{n, id} }

type sender struct {
	net  *fakeNetwork
	from string
}

func (s sender) Send(to string, msg []byte) bool {
	n := s.net
	n.mu.Lock()
	defer n.mu.Unlock()
	kind := kindOf(msg)
	if name := n.names[s.from]; name != "" {
		s.from = name
	}
	if n.seen != nil {
		n.seen(s.from, to, kind, msg)
	}
	w := n.ways[[2]string{s.from, to}]
	if w == nil {
		w = &way{queue: make(chan letter, 1<<14)}
		n.ways[[2]string{s.from, to}] = w
		n.wg.Go(func() { n.carry(s.from, to, w) })
	}
	if n.full != nil && n.full(s.from, to) {
		w.gap = true
		return false
	}
	if n.rng.Float64() < n.loss || n.cut != nil && n.cut(s.from, to) || n.drop != nil && n.drop(s.from, to, kind) {
		w.gap = true
		return true
	}
	times := 1
	if n.rng.Float64() < n.doubled {
		times = 2
	}
	for range times {
		select {
		case w.queue <- letter{time.Now().Add(n.delay), bytes.Clone(msg), w.gap && !n.silent}:
			w.gap = false
		default:
			w.gap = true
		}
	}
	return true
}

func kindOf(msg []byte) int {
	switch {
	case len(msg) < 4:
		return 0
	case msg[0] == 0xdc: // an array of 16 or more
		return int(msg[3])
	}
	return int(msg[1]) // kinds are below 128
}

func (n *fakeNetwork) carry(from, to string, w *way) {
	for {
		select {
		case <-n.done:
			return
		case l := <-w.queue:
			if wait := time.Until(l.at); wait > 0 {
				timer := time.NewTimer(wait)
				select {
				case <-n.done:
					timer.Stop()
					return
				case <-timer.C:
				}
			}
			n.mu.Lock()
			b := n.bridges[to]
			n.mu.Unlock()
			if b == nil {
				continue
			}
			if l.gap {
				b.Gap(from)
			}
			b.Receive(from, l.msg)
		}
	}
}
