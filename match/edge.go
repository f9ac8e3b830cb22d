package match

import (
	"time"

	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// Edge holds connections of viewers and writes what rooms send. There is one for the sockets of this process, and
// there can be one for each other node. The rooms' goroutines call it, many at a time; it must not block.
type Edge interface {
	// Send delivers one tick to those viewers of the room that this edge holds. f and all that it refers to are the
	// room's and valid during the call only. A viewer that cannot take a frame now is passed over; the encoder
	// gives it a merged one later.
	Send(f *Frame)
}

// Frame is one tick of one room for one edge.
type Frame struct {
	Room    string
	Encoder *netcode.Encoder // holds the tick's state and what viewers may catch up from
	Views   []View
}

// View is one viewer's part of a frame.
type View struct {
	Viewer Viewer
	Head   proto.Head // Scopes is the encoder's
}

// Viewer is one connection as a room sees it. The room's goroutine calls it, and the watchdog its Close; no method blocks.
type Viewer interface {
	// Edge is the edge that holds the connection, Seat the seat that it claimed; 0 is one that watches.
	Edge() Edge
	Seat() netcode.Seat
	// Welcome sends the welcome, with the resume secret that r describes, after which frames and messages follow. Where r
	// has no seat there is no secret.
	Welcome(w *proto.Welcome, r token.Resume)
	// Message sends one encoded message, in order with frames. msg is valid during the call only.
	Message(msg []byte)
	// Close says bye and closes the connection. The edge reports it with Instance.Detach as any other end.
	Close(c proto.Close)
}

// Attach is a connection's claim on a seat, its token verified.
type Attach struct {
	Viewer        Viewer
	Player        Player
	PlayerExpires time.Time // when the player's own token ends
	Watch         bool      // it wants no seat, only to see what everybody may; Player has its id alone
	Audience      Audience  // of one who watches: its edge's for the room
	Resume        bool      // by a resume secret, not a seat token
	Counter       uint32    // the resume secret's
	Claim         string    // the seat token's id, by which the directory knows the claim; "" with a resume secret
}
