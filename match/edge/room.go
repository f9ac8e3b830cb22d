package edge

import (
	"time"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// Room is a room as a connection sees it: a [match.Instance] of this process, or what stands here for one that runs in
// another. Any goroutine may call its methods; none blocks.
type Room interface {
	ID() string
	// Epoch is that under which its host runs it: acknowledgements of another one mean other ticks.
	Epoch() uint64
	Schema() *netcode.Schema
	Rate() int // ticks a second
	Mode() proto.InputMode
	// Clock returns the room's tick time now: the tick whose interval this is, and how far into it in 1/65536.
	Clock() (tick uint32, frac uint16)
	// Behind is how long after a tick those who watch are shown it.
	Behind() time.Duration
	// Attach claims a seat; the room answers through the viewer. It is false when the room has ended: then the viewer hears
	// nothing of it and Detach must not be called.
	Attach(a match.Attach) bool
	Detach(v match.Viewer)
	// Leave gives the viewer's seat up for good.
	Leave(v match.Viewer)
	// Refresh says until when the viewer's player is known now.
	Refresh(v match.Viewer, expires time.Time)
	// Resync says that the viewer wants a scope again, of which the edge has reset its own view.
	Resync(v match.Viewer, scope uint16)
	// Lossy says that inputs may be lost on their way to the room: a repeat of one is of use until the room has processed it.
	Lossy() bool
	// Input hands over what a viewer sent, its bodies checked. It is copied.
	Input(v match.Viewer, p *proto.InputPacket)
}

// Hosted is a room that runs in this process, which clients of other processes can be brought to as well.
type Hosted interface {
	Room
	// Done is closed when the room has ended, Shown when those who watch are at its end, too.
	Done() <-chan struct{}
	Shown() <-chan struct{}
	// Again hands an audience the casts that it has missed, from a number on, or from where it can begin.
	Again(a match.Audience, from uint64)
}

var _ Hosted = (*match.Instance)(nil)
