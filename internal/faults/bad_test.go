package faults

import (
	"sync"
	"time"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// bad is a game whose rules do what rules must not do, as its player asks for. They keep what they do wrong outside of
// the state, by the room's seat-less id, as the worst rules do.
type bad struct{}

type badWorld struct {
	Mode netcode.Value[badMode]
}

type badMode struct {
	Mode  uint8
	Ticks uint32
}

type badInput struct{ Mode uint8 }

const (
	good = iota
	panicking
	looping
	slow
	growing
	leaking
)

func (bad) Step(s *netcode.Step[badWorld, badInput]) {
	m := &s.State.Mode.V
	m.Ticks++
	for _, in := range s.Inputs() {
		if in.Mode == panicking {
			panic("a bug in the rules")
		}
		if in.Mode == growing { // by a step for each
			hoard.grow()
		}
		m.Mode = in.Mode
	}
	switch m.Mode {
	case looping:
		spin(time.Time{})
	case slow:
		spin(time.Now().Add(10 * time.Second / time.Duration(s.Rate())))
	case leaking:
		for range 50 {
			go leak()
		}
	}
}

func (bad) Leave(*match.Room[badWorld], match.Player) { hoard.free() }

// spin keeps a core busy until a time; for ever when it is zero.
func spin(until time.Time) {
	for n := 0; until.IsZero() || n%1000 != 0 || time.Now().Before(until); n++ {
		spun = n
	}
}

var spun int

func leak() { <-never }

var never = make(chan struct{})

// hoard is memory that the rules keep.
var hoard pile

type pile struct {
	mu   sync.Mutex
	list [][]byte
}

func (p *pile) grow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := make([]byte, 4<<20)
	for i := 0; i < len(b); i += 1 << 10 {
		b[i] = 1
	}
	p.list = append(p.list, b)
}

func (p *pile) free() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = nil
}

var badGame = match.Define[badWorld, badInput]("bad", bad{}, match.Rules{
	Seats: 1, Inputs: proto.Commands, Empty: time.Second, Grace: time.Second,
})

// neighbour is a game beside it, one player a room, which shows how evenly it ticks.
type neighbour struct{}

type neighbourWorld struct {
	Pulse netcode.Value[pulse]
}

type pulse struct {
	N    uint32
	Late uint32 // by how many µs the tick began later than an interval after the one before
}

type neighbourInput struct{}

func (neighbour) Step(s *netcode.Step[neighbourWorld, neighbourInput]) { s.State.Pulse.V.N++ }

func (neighbour) After(r *match.Room[neighbourWorld]) {
	now := time.Now()
	before, ok := pulses.Swap(r.ID(), now)
	if t, is := before.(time.Time); ok && is {
		late := now.Sub(t) - time.Second/time.Duration(r.Rate())
		r.State().Pulse.V.Late = uint32(max(0, late.Microseconds()))
	}
}

// pulses is when each room last ticked.
var pulses sync.Map

var neighbourGame = match.Define[neighbourWorld, neighbourInput]("neighbour", neighbour{}, match.Rules{Seats: 1})
