package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"muster/client"
	"muster/netcode"
)

const (
	// sendEvery is how often a bot sends a command.
	sendEvery = 200 * time.Millisecond
	// mostOwed bounds the commands that a bot makes up for after a pause.
	mostOwed = 60
	// longFrame is a time between two frames that counts as a pause.
	longFrame = 300 * time.Millisecond
	// silence is how long a bot's socket may say nothing before the bot comes back through another server.
	silence = 2 * time.Second
)

// bot plays the ledger and checks what it hears.
type bot struct {
	f      *fleet
	name   string
	queue  string
	ticket string
	match  client.Match
	conn   *client.Conn[books, command]
	court  *court // of its room
	slips  bool   // a new epoch may take back what was told

	quit  atomic.Bool // no more entries
	what  atomic.Int32
	done  chan struct{}
	stop  context.CancelFunc
	seat  atomic.Uint32
	tick  atomic.Uint32
	epoch atomic.Uint64

	sent      atomic.Uint32 // the newest command
	processed atomic.Uint32 // what frames said last
	durable   atomic.Uint32 // the most that frames said

	mu     sync.Mutex
	notes  notes
	chains []uint32 // over the commands that were sent; the first is 0
}

// newBot is a player of a game who has not done anything yet. He is halted at the test's end.
func (f *fleet) newBot(game, name string) *bot {
	b := &bot{
		f: f, name: name, queue: game, slips: game != kept.Name(), done: make(chan struct{}), chains: []uint32{0},
		notes: notes{heard: map[netcode.Seat]uint32{}},
	}
	f.t.Cleanup(b.halt)
	return b
}

// notes are what a bot saw. They may be read under its mutex, or when its goroutine has ended.
type notes struct {
	wrong     []string
	welcomes  int
	epochs    []uint64
	pauses    []pauseSeen
	rollbacks []int // ticks that a new epoch took back on the screen
	frames    int64
	events    int64
	own       uint32                  // the newest command that was noted
	heard     map[netcode.Seat]uint32 // the newest command of each seat that was told to everybody
	loose     map[netcode.Seat]bool   // what was told of it may be told again; 0 is the own
	last      seen
	welcomed  int // how many welcomes there had been by the last frame
	behind    int // first frames of a socket that were no newer than the last one of the socket before
	ended     error
}

// seen is a frame that was accepted.
type seen struct {
	epoch uint64
	tick  uint32
	at    time.Time
	late  time.Duration // of the machine, until then
}

// since is how much later it is than another, without what the machine was late by.
func (s seen) since(other seen) time.Duration { return s.at.Sub(other.at) - (s.late - other.late) }

// pauseSeen is a time without frames.
type pauseSeen struct {
	from, to seen // the frames before and after
	resumed  bool // over another socket
}

func (p pauseSeen) long() time.Duration { return p.to.since(p.from) }

// over says whether another host went on after the pause.
func (p pauseSeen) over() bool { return p.from.epoch != p.to.epoch }

func (b *bot) complain(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complainLocked(format, args...)
}

func (b *bot) complainLocked(format string, args ...any) {
	if len(b.notes.wrong) < 10 {
		b.notes.wrong = append(b.notes.wrong, fmt.Sprintf("%s in %s: ", b.name, b.match.Room)+fmt.Sprintf(format, args...))
	}
}

// enqueue makes a ticket.
func (b *bot) enqueue(ctx context.Context) error {
	return again(ctx, func() error {
		t, err := b.f.lobby(b.name).CreateTicket(ctx, b.queue)
		b.ticket = t.ID
		return err
	})
}

// seek waits for a match and takes the seat. The bot plays until halt.
func (b *bot) seek(ctx context.Context, courts *courts) error {
	l := b.f.lobby(b.name)
	err := again(ctx, func() (err error) {
		b.match, err = l.WaitTicket(ctx, b.ticket)
		return err
	})
	if err != nil {
		return err
	}
	b.court = courts.of(b.match.Room)
	err = again(ctx, func() (err error) {
		b.conn, err = client.Dial[books, command](ctx, b.match, b.options())
		if err != nil { // the token may be burnt
			if m, err := l.WaitTicket(ctx, b.ticket); err == nil {
				b.match = m
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	b.seat.Store(uint32(b.conn.Seat()))
	play, stop := context.WithCancel(context.Background())
	b.stop = stop
	go b.run(play)
	return nil
}

func (b *bot) options() client.Options {
	return client.Options{
		HTTP: &b.f.balanced, Events: ledgerEvents, OnEvent: b.hear, OnRefused: b.refuse, Reconnect: true,
		ReconnectFor: time.Minute, Silence: silence, Observe: client.Observer{Joined: b.welcomed},
	}
}

// again tries until it works, or ctx ends.
func again(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// welcomed checks that every socket leads to the same seat of the same room.
func (b *bot) welcomed(info client.Info) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes.welcomes++
	if info.Room != b.match.Room || info.Player != b.name {
		b.complainLocked("the welcome is that of %s in %s", info.Player, info.Room)
	}
	if seat := b.seat.Load(); seat != 0 && seat != uint32(info.Seat) {
		b.complainLocked("seat %d became %d", seat, info.Seat)
	}
	b.newEpoch(info.Epoch)
}

// newEpoch notes who hosts the room now. The mutex is held.
func (b *bot) newEpoch(epoch uint64) {
	n := &b.notes
	before := b.epoch.Load()
	switch {
	case epoch == before:
		return
	case epoch < before:
		b.complainLocked("epoch %d came after %d", epoch, before)
	}
	b.epoch.Store(epoch)
	n.epochs = append(n.epochs, epoch)
	if b.slips && before != 0 { // ticks were taken back, and what they told comes anew
		n.loose = map[netcode.Seat]bool{0: true}
		for seat := range n.heard {
			n.loose[seat] = true
		}
	}
}

func (b *bot) hear(e client.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := &b.notes
	n.events++
	switch v := e.Value.(type) {
	case *noted:
		b.inOrder(0, n.own, v.N, 1, e.Number)
		n.own = v.N
	case *posted:
		if last, before := n.heard[v.By]; before {
			b.inOrder(v.By, last, v.N, every, e.Number)
		}
		n.heard[v.By] = v.N
	default:
		b.complainLocked("event %d is a %T", e.Number, e.Value)
	}
}

// inOrder complains of an event that is not the next of its kind. The mutex is held.
func (b *bot) inOrder(seat netcode.Seat, last, now, step, number uint32) {
	next := last + step
	if b.notes.loose[seat] && now <= next {
		next = now
	}
	delete(b.notes.loose, seat)
	if now != next {
		b.complainLocked("event %d, of seat %d, says command %d after %d", number, seat, now, last)
	}
}

func (b *bot) refuse(seq uint32, reason string) {
	b.complain("command %d was refused: %s", seq, reason)
}

// run plays until the connection ends or the bot is halted.
func (b *bot) run(ctx context.Context) {
	defer close(b.done)
	due := time.Now()
	for {
		f, err := b.conn.Next(ctx)
		if err != nil {
			b.mu.Lock()
			b.notes.ended = err
			b.mu.Unlock()
			return
		}
		b.see(f, b.conn.State(), b.conn.Seat())
		now := time.Now()
		if due = latest(due, now.Add(-mostOwed*sendEvery)); b.quit.Load() {
			due = now
		}
		what := uint8(b.what.Swap(int32(justEntry))) //nolint:gosec // one of three
		for ; due.Before(now) || what != justEntry; due = due.Add(sendEvery) {
			err := b.conn.Send(command{N: b.sent.Load() + 1, What: what})
			if errors.Is(err, client.ErrBacklog) {
				b.what.CompareAndSwap(int32(justEntry), int32(what))
				break
			}
			if err != nil {
				b.complain("sending: %v", err)
				return
			}
			what = justEntry
			b.chains = append(b.chains, link(b.chains[len(b.chains)-1], b.sent.Add(1)))
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// see checks a frame.
func (b *bot) see(f *client.Frame, state *books, seat netcode.Seat) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := &b.notes
	before, had, resumed := n.last, n.frames > 0, n.welcomes != n.welcomed
	n.frames++
	n.last, n.welcomed = seen{f.Epoch, f.Tick, f.At, b.f.machine.Late()}, n.welcomes
	b.newEpoch(f.Epoch)
	if gap := n.last.since(before); had && gap > longFrame {
		n.pauses = append(n.pauses, pauseSeen{before, n.last, resumed})
	}
	switch {
	case had && f.Epoch != before.epoch:
		n.rollbacks = append(n.rollbacks, max(0, int(before.tick)-int(f.Tick)+1))
	case had && f.Tick <= before.tick && resumed:
		n.behind++
	case had && f.Tick <= before.tick:
		b.complainLocked("tick %d came after %d in epoch %d", f.Tick, before.tick, f.Epoch)
	}
	b.tick.Store(f.Tick)
	if durable := b.durable.Load(); f.Processed < durable {
		b.complainLocked("command %d was durable, and %d is the newest in tick %d of epoch %d", durable, f.Processed, f.Tick, f.Epoch)
	}
	b.processed.Store(f.Processed)
	b.durable.Store(max(b.durable.Load(), f.Durable))
	if wrong := b.court.hears(f, state); wrong != "" {
		b.complainLocked("%s", wrong)
	}
	b.readAccount(f, state.of(seat))
}

// readAccount checks that the own account is what the own commands make of it. The mutex is held.
func (b *bot) readAccount(f *client.Frame, a *account) {
	switch {
	case a == nil:
		b.complainLocked("there is no account in tick %d of epoch %d", f.Tick, f.Epoch)
	case a.Wrong != 0:
		b.complainLocked("%d commands came out of order by tick %d of epoch %d", a.Wrong, f.Tick, f.Epoch)
	case a.Last != f.Processed || int(a.Last) >= len(b.chains):
		b.complainLocked("tick %d of epoch %d has command %d, says %d, and %d were sent", f.Tick, f.Epoch, a.Last, f.Processed, len(b.chains)-1)
	case a.Chain != b.chains[a.Last]:
		b.complainLocked("the chain over %d commands is wrong in tick %d of epoch %d", a.Last, f.Tick, f.Epoch)
	}
}

// settled says whether all that was sent is processed and durable, and was told.
func (b *bot) settled() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.sent.Load()
	return b.processed.Load() == n && b.durable.Load() == n && b.notes.own == n
}

// halt ends the bot without giving its seat up.
func (b *bot) halt() {
	if b.stop == nil {
		return
	}
	b.stop()
	<-b.done
	_ = b.conn.Close()
}
