package faults

import (
	"sync"
	"sync/atomic"
	"time"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// ledger is a game of commands that shows what became of each: an account has the number of its owner's last command,
// and counts those that did not come in order. Everybody hears of each command once.
type ledger struct {
	door *door // where there is one, each tick passes through it
}

// door is what a test holds a room with.
type door struct {
	sync.Mutex
	waiting atomic.Bool // a tick waits for it
}

func (d *door) pass() {
	if d == nil {
		return
	}
	d.waiting.Store(true)
	d.Lock()
	defer d.Unlock()
	d.waiting.Store(false)
}

type books struct {
	Accounts netcode.Table[account] `net:"max=16"`
}

type account struct {
	Owner netcode.Seat
	Last  uint32 // the newest command
	Wrong uint32 // how many were not the next
	Dice  uint32 // what a replay throws, too
}

type command struct {
	N      uint32 // 1, 2, 3 and so on
	Refuse bool
}

type posted struct {
	By netcode.Seat
	N  uint32
}

var ledgerEvents = []any{posted{}}

func (b *books) of(seat netcode.Seat) *account {
	for _, a := range b.Accounts.All() {
		if a.Owner == seat {
			return a
		}
	}
	return nil
}

func (ledger) Join(r *match.Room[books], p match.Player) error {
	r.State().Accounts.Add(account{Owner: p.Seat})
	return nil
}

func (ledger) Leave(r *match.Room[books], p match.Player) {
	for id, a := range r.State().Accounts.All() {
		if a.Owner == p.Seat {
			r.State().Accounts.Remove(id)
			return
		}
	}
}

func (l ledger) Step(s *netcode.Step[books, command]) {
	l.door.pass()
	for seat, in := range s.Inputs() {
		a := s.State.of(seat)
		if a == nil {
			continue
		}
		if in.N != a.Last+1 {
			a.Wrong++
		}
		a.Last = in.N
		a.Dice += s.Rand().Uint32N(1000)
		if in.Refuse {
			s.Refuse(seat, "as it was asked for")
			continue
		}
		s.Emit(netcode.Everyone(), posted{seat, in.N})
	}
}

var ledgerGame = match.Define[books, command]("ledger", ledger{}, match.Rules{
	Seats: 8, Inputs: proto.Commands, InputsPerTick: 4, Durability: match.Journal, CheckpointEvery: 300 * time.Millisecond,
	Grace: 20 * time.Second, Events: ledgerEvents,
})

// slipGame is the ledger with checkpoints alone: a kill takes back what came after the last one.
var slipGame = match.Define[books, command]("slip", ledger{}, match.Rules{
	Seats: 8, Inputs: proto.Commands, InputsPerTick: 4, Durability: match.Checkpoint, CheckpointEvery: 300 * time.Millisecond,
	Grace: 20 * time.Second, Events: ledgerEvents,
})

// calmGame is the ledger without a journal, at the same rate.
var calmGame = match.Define[books, command]("calm", ledger{}, match.Rules{
	Seats: 8, Inputs: proto.Commands, InputsPerTick: 4, Grace: 20 * time.Second, Events: ledgerEvents,
})

// rushGame is the ledger without a journal.
var rushGame = rush(nil)

// rush returns it with ticks so long that much comes within one, and a door by which a test makes one longer still.
func rush(d *door) match.Game {
	return match.Define[books, command]("rush", ledger{d}, match.Rules{
		TickRate: 10, Seats: 8, Inputs: proto.Commands, InputsPerTick: 4, Grace: 20 * time.Second, Events: ledgerEvents,
	})
}
