package faults

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/client"
	"muster/netcode"
	"muster/proto"
)

// player plays the ledger and checks what it hears. What it notes may be read when its goroutine has ended, but for the
// atomics.
type player struct {
	name  string
	seat  netcode.Seat
	conn  *client.Conn[books, command]
	burst int         // commands for each frame
	rolls bool        // a new epoch may take back what was told
	quit  atomic.Bool // no more commands
	done  chan struct{}
	stop  context.CancelFunc

	sent      atomic.Uint32 // the newest command
	processed atomic.Uint32 // what frames said last
	durable   atomic.Uint32 // the most that frames said
	tick      atomic.Uint32
	posts     atomic.Int64
	backlogs  atomic.Int64

	mu      sync.Mutex
	wrong   []string                // what must not be
	heard   map[netcode.Seat]uint32 // the newest command of each seat that was told
	refused map[uint32]bool
	epochs  []uint64
	ended   error
}

func (p *player) complain(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.wrong) < 20 {
		p.wrong = append(p.wrong, p.name+": "+fmt.Sprintf(format, args...))
	}
}

// joins brings a player into a room; it plays until halt, or the test's end.
func joins(t testing.TB, r *route, room string, seat netcode.Seat, burst int) *player {
	t.Helper()
	p := &player{
		name: fmt.Sprintf("player%d", seat), seat: seat, burst: burst, done: make(chan struct{}),
		rolls: strings.HasPrefix(room, slipGame.Name()+"-"),
		heard: map[netcode.Seat]uint32{}, refused: map[uint32]bool{},
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := client.Dial[books, command](ctx, seatIn(t, room, seat, p.name), client.Options{
		HTTP: r.http, Events: ledgerEvents, OnEvent: p.hear, OnRefused: p.refuse, Reconnect: true,
		Observe: client.Observer{Joined: p.welcomed},
	})
	must(t, err)
	p.conn = conn
	play, stop := context.WithCancel(context.Background())
	p.stop = stop
	go p.run(play)
	t.Cleanup(func() { _ = p.halt() })
	return p
}

func (p *player) welcomed(info client.Info) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.epochs = append(p.epochs, info.Epoch)
	if p.rolls { // ticks were taken back, and what they told comes anew
		clear(p.heard)
		clear(p.refused)
	}
}

// welcomes is how often the player was welcomed: at first, and whenever it came back.
func (p *player) welcomes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.epochs)
}

func (p *player) hear(e client.Event) {
	post, ok := e.Value.(*posted)
	if !ok {
		p.complain("event %d is a %T", e.Number, e.Value)
		return
	}
	p.posts.Add(1)
	p.mu.Lock()
	last, before := p.heard[post.By]
	p.heard[post.By] = post.N
	p.mu.Unlock()
	next := last + 1
	if refusedOne(next) {
		next++
	}
	if before && post.N != next {
		p.complain("event %d says command %d of seat %d after %d", e.Number, post.N, post.By, last)
	}
}

func (p *player) refuse(seq uint32, _ string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refused[seq] {
		p.wrong = append(p.wrong, fmt.Sprintf("%s: command %d was refused twice", p.name, seq))
	}
	p.refused[seq] = true
}

func (p *player) run(ctx context.Context) {
	defer close(p.done)
	for {
		f, err := p.conn.Next(ctx)
		if err != nil {
			p.ended = err
			return
		}
		p.tick.Store(f.Tick)
		p.processed.Store(f.Processed)
		p.durable.Store(max(p.durable.Load(), f.Durable))
		for i := 0; i < p.burst && !p.quit.Load(); i++ {
			n := p.sent.Load() + 1
			err := p.conn.Send(command{N: n, Refuse: refusedOne(n)})
			if errors.Is(err, client.ErrBacklog) {
				p.backlogs.Add(1)
				break
			}
			if err != nil {
				p.complain("sending: %v", err)
				return
			}
			p.sent.Store(n)
		}
	}
}

// halt ends the player without giving its seat up, and returns what its connection ended with.
func (p *player) halt() error {
	p.stop()
	<-p.done
	_ = p.conn.Close()
	return p.ended
}

// settled says whether all that was sent is processed and durable.
func (p *player) settled() bool {
	n := p.sent.Load()
	return p.processed.Load() == n && p.durable.Load() == n
}

// check waits until the players' commands are durable and told, and looks at what became of them.
func check(t *testing.T, players ...*player) {
	t.Helper()
	for _, p := range players {
		p.quit.Store(true)
	}
	for _, p := range players {
		until(t, p.name+"'s commands are durable", func() bool {
			select {
			case <-p.done:
				t.Fatalf("%s's connection ended: %v", p.name, p.ended)
			default:
			}
			return p.settled()
		})
		for _, other := range players {
			n := other.lastPost()
			until(t, fmt.Sprintf("%s hears of command %d of %s", p.name, n, other.name), func() bool {
				p.mu.Lock()
				defer p.mu.Unlock()
				return p.heard[other.seat] >= n
			})
		}
	}
	for _, p := range players {
		var ce *client.CloseError
		err := p.halt()
		if left := errors.As(err, &ce) && ce.Code == proto.CodeNodeLeaving; !left && !errors.Is(err, context.Canceled) {
			t.Errorf("%s ended with %v", p.name, err)
		}
		a := p.conn.State().of(p.seat)
		if a == nil {
			t.Errorf("%s has no account", p.name)
			continue
		}
		if a.Last != p.sent.Load() || a.Wrong != 0 {
			t.Errorf("%s sent %d commands; the room has %d, and %d came out of order", p.name, p.sent.Load(), a.Last, a.Wrong)
		}
		if left := p.conn.Unprocessed(); len(left) != 0 {
			t.Errorf("%s: %d commands are said not to be processed", p.name, len(left))
		}
		for n := uint32(1); n <= p.sent.Load(); n++ {
			if refusedOne(n) != p.refused[n] && !p.rolls { // a program that played from the start numbers its inputs as its commands
				t.Errorf("%s was not told right that command %d was refused", p.name, n)
			}
		}
		for _, s := range p.wrong {
			t.Error(s)
		}
	}
}

// lastPost is the newest command that was not refused.
func (p *player) lastPost() uint32 {
	n := p.sent.Load()
	if refusedOne(n) {
		n--
	}
	return n
}

// refusedOne says which commands ask to be refused.
func refusedOne(n uint32) bool { return n%16 == 7 }
