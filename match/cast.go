package match

import (
	"time"

	"muster/proto"
)

// Audience is those who watch a room by one edge. There is one for the sockets of this process, and one for each other
// node that has some.
type Audience interface {
	// Cast hands over what all of them are sent next; the first one, and one whose number does not follow, begins. It may
	// keep c, which nobody changes. Any goroutine calls it, one at a time; it must not block, nor call the room.
	Cast(c *Cast)
}

// Cast is what a room says at one tick to all who watch it: the same bytes for everyone, however many they are. There are
// two ways through the casts. Who follows is sent the Frames. Who begins does so at a cast that Begins, is sent the
// Entries from there on, and follows after the cast that Joins. Nothing but the casts is needed to be at the tick.
type Cast struct {
	Seq    uint64 // counts the room's casts
	Tick   uint32 // the room's when it was made
	Event  uint32 // the newest event that was told before this cast
	Told   uint32 // the newest event that is told with it
	Begins bool   // whoever has nothing can begin here, with Entry, or with Frame where there is none
	Joins  bool   // who was sent this Entry has what those have who were sent this Frame, and from now on follows
	Frame  []byte // a message; empty where no frame is due
	Entry  []byte // a message; empty where nobody begins
	// Said are messages for everyone, which come before the frame: events, and the end of the match.
	Said  [][]byte
	Close *proto.Close // the last cast: why the room is over for them
}

// Bytes is how much memory the cast has, roughly.
func (c *Cast) Bytes() int {
	n := 200 + len(c.Frame) + len(c.Entry)
	for _, msg := range c.Said {
		n += 24 + len(msg)
	}
	return n
}

// kept is a cast that was made at a time, and is shown when that is long enough ago.
type kept struct {
	*Cast
	at time.Time
}
