package chaos

import (
	"time"

	"muster/cmd"
	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// ledger is a game of commands that shows what became of each: an account has the number of its owner's last command
// and a chain over all of them, so that one that was lost, doubled or came before its turn shows for ever. The owner
// hears of each command, everybody of each tenth. Some things move, so that a view's hash is about something.
type ledger struct{}

type books struct {
	Accounts netcode.Table[account] `net:"max=16"`
	Things   netcode.Table[thing]   `net:"max=16"`
	Wish     netcode.Value[wish]
	Fed      netcode.Value[fed]
}

// fed is what a backend has given the room.
type fed struct{ Sum, N uint32 }

type account struct {
	Owner netcode.Seat `net:"once"`
	Last  uint32       // the newest command
	Wrong uint32       // how many were not the next
	Chain uint32       // over all of them
	Dice  uint32       // what a replay throws, too
}

type thing struct {
	X, Y   float32 `net:"range=0:100,step=0.05"`
	VX, VY float32 `net:"server"`
}

// wish is what somebody asked the rules for.
type wish struct {
	End  bool
	Hang bool
}

// What a command may ask for besides its entry.
const (
	justEntry uint8 = iota
	endMatch
	hangRules // now, and whenever this tick is run again
)

type command struct {
	N    uint32 // 1, 2, 3 and so on
	What uint8
}

// noted tells a command's sender that it counted.
type noted struct{ N uint32 }

// posted tells everybody of each tenth command of a seat.
type posted struct {
	By netcode.Seat
	N  uint32
}

// every is how many commands go by until everybody hears of one.
const every = 10

var ledgerEvents = []any{noted{}, posted{}}

// link is the chain's next value.
func link(chain, n uint32) uint32 { return (chain^n)*16777619 + 1 }

func (b *books) of(seat netcode.Seat) *account {
	for _, a := range b.Accounts.All() {
		if a.Owner == seat {
			return a
		}
	}
	return nil
}

func (ledger) Open(r *match.Room[books]) error {
	for range 6 {
		r.State().Things.Add(thing{
			X: r.Rand().Float32() * 100, Y: r.Rand().Float32() * 100, VX: r.Rand().Float32() - 0.5, VY: r.Rand().Float32() - 0.5,
		})
	}
	return nil
}

func (ledger) Join(r *match.Room[books], p match.Player) error {
	r.State().Accounts.Add(account{Owner: p.Seat})
	return nil
}

func (ledger) Step(s *netcode.Step[books, command]) {
	for seat, in := range s.Inputs() {
		a := s.State.of(seat)
		if a == nil {
			continue
		}
		if in.N != a.Last+1 {
			a.Wrong++
		}
		a.Last, a.Chain = in.N, link(a.Chain, in.N)
		a.Dice += s.Rand().Uint32N(1000)
		s.Emit(netcode.OnlyTo(seat), noted{in.N})
		if in.N%every == 0 {
			s.Emit(netcode.Everyone(), posted{seat, in.N})
		}
		switch in.What {
		case endMatch:
			s.State.Wish.V.End = true
		case hangRules:
			s.State.Wish.V.Hang = true
		}
	}
	if s.State.Wish.V.Hang {
		select {}
	}
	for _, th := range s.State.Things.All() {
		th.X, th.VX = bounce(th.X, th.VX)
		th.Y, th.VY = bounce(th.Y, th.VY)
	}
}

// bounce moves a coordinate by a step, and turns it round at a wall.
func bounce(at, by float32) (next, speed float32) {
	if next = at + by; next < 0 || next > 100 {
		return at, -by
	}
	return next, by
}

func (ledger) Feed(r *match.Room[books], in command) error {
	f := &r.State().Fed.V
	f.Sum, f.N = f.Sum+in.N, f.N+1
	return nil
}

func (ledger) After(r *match.Room[books]) {
	if !r.State().Wish.V.End {
		return
	}
	var places []match.Placement
	for p := range r.Players() {
		places = append(places, match.Placement{Seat: uint16(p.Seat), Player: p.ID, Rank: 1})
	}
	r.End(places)
}

// checkpointEvery is the time between two checkpoints of all games.
const checkpointEvery = time.Second

func rules(d match.Durability) match.Rules {
	return match.Rules{
		Seats: 16, Inputs: proto.Commands, InputsPerTick: 8, Durability: d, CheckpointEvery: checkpointEvery,
		Grace: 60 * time.Second, Events: ledgerEvents,
	}
}

// The three classes of durability.
var (
	kept     = match.Define[books, command]("kept", ledger{}, rules(match.Journal))
	slipping = match.Define[books, command]("slipping", ledger{}, rules(match.Checkpoint))
	passing  = match.Define[books, command]("passing", ledger{}, rules(match.None))
)

var games = []cmd.Game{{Game: kept}, {Game: slipping}, {Game: passing}}
