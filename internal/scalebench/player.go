package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"muster/client"
)

// inputEvery is how often a player gives a command on the average, at random times: a command at any time of the tick.
const inputEvery = 100 * time.Millisecond

// kind is a way to a room, and what was seen of it.
type kind struct {
	mu     sync.Mutex
	on     bool
	acks   []time.Duration // from a command to the frame that has it
	frames int64
	bytes  int64
}

func (k *kind) ack(sent, at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.on {
		k.acks = append(k.acks, at.Sub(sent))
	}
}

func (k *kind) measure(on bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.on = on
}

// player plays until stop.
type player struct {
	conn *client.Conn[world, steer]
	stop context.CancelFunc
	done chan struct{}
	err  error
	last time.Time // when the last frame arrived
}

// ticks is where players note when a room's frames arrive; nil notes nothing.
type noted func(room string, tick uint32, at time.Time)

// play dials a match and plays it.
func play(ctx context.Context, h *http.Client, m client.Match, k *kind, note noted) (*player, error) {
	p := &player{done: make(chan struct{})}
	conn, err := client.Dial[world, steer](ctx, m, client.Options{HTTP: h, Observe: client.Observer{
		Frame: func(at time.Time) { p.last = at },
		Ack:   k.ack,
		Bytes: func(_ time.Time, n int) {
			if n > 0 {
				k.mu.Lock()
				k.frames, k.bytes = k.frames+1, k.bytes+int64(n)
				k.mu.Unlock()
			}
		},
	}})
	if err != nil {
		return nil, err
	}
	p.conn = conn
	playing, stop := context.WithCancel(context.Background())
	p.stop = stop
	go p.run(playing, m.Room, note)
	return p, nil
}

func (p *player) run(ctx context.Context, room string, note noted) {
	defer close(p.done)
	next := time.Now()
	for {
		next = next.Add(time.Duration(rand.ExpFloat64() * float64(inputEvery))) //nolint:gosec // a benchmark
		till, cancel := context.WithDeadline(ctx, next)
		for {
			f, err := p.conn.Next(till)
			if err == nil {
				if note != nil {
					note(room, f.Tick, p.last)
				}
				continue
			}
			if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
				cancel()
				p.err = err
				return
			}
			break
		}
		cancel()
		if err := p.conn.Send(steer{uint8(rand.IntN(8))}); err != nil && !errors.Is(err, client.ErrBacklog) { //nolint:gosec // as above
			p.err = err
			return
		}
	}
}

// leave ends a player, who gives his seat up.
func (p *player) leave() error {
	select {
	case <-p.done:
		return p.err
	default:
	}
	p.stop()
	<-p.done
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return p.conn.Leave(ctx)
}

// leaveAll ends players at once.
func leaveAll(list []*player) error {
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, p := range list {
		wg.Go(func() { errs[i] = p.leave() })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
