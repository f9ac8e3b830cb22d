package playback

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"go.uber.org/zap"

	"muster/match"
	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// reading is a file that is being read.
type reading struct {
	game  string // set before the first call of its rules
	calls calls
	lost  chan struct{} // closed when its rules do not return
	part  func()        // done with it: called once, by its goroutine or by who gives it up
}

// readWatched reads a file on a goroutine of its own, which alone is lost where the rules do not return from its first state.
// It has one of the places for opening, and gives it back when it returns. Who leaves before is not waited for; the goroutine
// is, by Close.
func (m *Sessions) readWatched(ctx context.Context, read func(context.Context, *reading) (*Session, error)) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	defer context.AfterFunc(m.ctx, cancel)() // Close does not wait for a whole file
	r := &reading{calls: calls{base: time.Now()}, lost: make(chan struct{})}
	r.part = sync.OnceFunc(func() {
		m.mu.Lock()
		delete(m.reads, r)
		m.mu.Unlock()
		m.wg.Done()
	})
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		<-m.opening
		return nil, ErrClosed
	}
	m.reads[r] = struct{}{}
	m.wg.Add(1)
	m.mu.Unlock()
	type result struct {
		s   *Session
		err error
	}
	done := make(chan result, 1)
	go func() {
		var got result
		defer func() {
			if p := recover(); p != nil {
				m.log.Error("a recording cannot be opened", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
				got = result{err: fmt.Errorf("%w: the game's rules failed", ErrFile)}
			}
			r.part()
			<-m.opening
			done <- got
		}()
		got.s, got.err = read(ctx, r)
	}()
	select {
	case got := <-done:
		return got.s, got.err
	case <-r.lost:
		return nil, fmt.Errorf("%w: the game's rules do not return", ErrFile)
	case <-ctx.Done():
		if m.ctx.Err() != nil {
			return nil, ErrClosed
		}
		return nil, fmt.Errorf("reading a recording: %w", ctx.Err())
	}
}

// lose gives a file up whose rules do not return, for everybody but its goroutine.
func (m *Sessions) lose(r *reading, since int64) {
	if !r.calls.giveUp(since) {
		return // they have just returned
	}
	m.condemn(r.game)
	close(r.lost)
	r.part()
}

// read makes a session of a file, at its first tick.
func (m *Sessions) read(ctx context.Context, r *reading, req Request) (*Session, error) {
	rd, err := journal.NewReader(bytes.NewReader(req.File))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	h := rd.Header()
	g, ok := m.games[h.Game]
	if !ok {
		return nil, fmt.Errorf("%w: %.40q", ErrGame, h.Game)
	}
	rules := g.Rules()
	if h.Rules != rules.Version {
		return nil, &RulesError{Game: g.Name(), Recorded: h.Rules, Here: rules.Version}
	}
	if int(h.TickRate) != rules.TickRate || int(h.Seats) != rules.Seats {
		return nil, fmt.Errorf("%w: it has %d ticks a second and %d seats, the game %d and %d", ErrFile, h.TickRate, h.Seats, rules.TickRate, rules.Seats)
	}
	view, err := ViewOf(req.View, rules.Seats)
	if err != nil {
		return nil, err
	}
	info, err := scan(ctx, rd)
	if err != nil {
		return nil, err
	}
	cur := &cursor{game: g, rd: rd, info: info}
	r.game = g.Name()
	r.calls.begin()
	err = cur.jump(info.From)
	if err != nil {
		return nil, err
	}
	r.calls.next()
	hash := cur.replay.Hash()
	r.calls.end()
	s := &Session{
		id: prefix + m.cfg.Process + "-" + newID(), owner: req.Owner, key: newID(), view: view, game: g, info: info,
		bytes: int64(len(req.File)), all: m, epoch: uint64(time.Now().UnixMilli()), base: time.Now(),
		period: time.Second / time.Duration(rules.TickRate), schema: g.Schema().Binary(), done: make(chan struct{}),
		own: newAllowance(ownShare, ownBurst), equal: newAllowance(0, ownBurst), seen: map[match.Viewer]struct{}{},
		cur: cur, enc: netcode.NewEncoder(g.Schema(), netcode.EncoderConfig{Key: h.Seed, Ring: max(32, rules.TickRate)}),
		st: State{
			Tick: info.From, Target: info.From, From: info.From, To: info.To, Speed: 1, Paused: true,
			HashTick: info.From, Hash: hash,
		},
		sender: sender{body: proto.NewWriter()},
	}
	s.shown, s.calls.base = s.st, s.base
	s.log = m.log.With(zap.String("session", s.id), zap.String("game", g.Name()))
	return s, nil
}
