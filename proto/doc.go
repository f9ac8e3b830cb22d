// Package proto is Muster's wire: the messages between a game client and a match node, the codes that both sides act
// on, and the bounds that every reader enforces.
//
// A socket message is one MessagePack array whose first element is the message's kind. There is one file per message:
// its struct, how it is appended to a [Writer], how it is parsed from a [Reader]. What a client sends is parsed
// strictly (exact shape, exact ranges, no trailing bytes); what a server sends may grow at the end, and readers skip
// elements that they do not know.
//
// PROTOCOL.md beside this file is the specification; this package is one implementation of it. The package imports
// nothing of ours, opens no socket, reads no clock and keeps no state.
package proto

// Version is the wire version that this package speaks. It is part of the subprotocol's name.
const Version = 1

// Subprotocol is the WebSocket subprotocol that client and server agree on. A browser, which cannot set headers,
// offers the list "muster.v1, bearer.<token>"; the server answers with Subprotocol alone.
const (
	Subprotocol = "muster.v1"
	// SubprotocolPlain is what a client offers instead that wants blocks in the plain form.
	SubprotocolPlain = "muster.v1.plain"
	// SubprotocolLobby is that of the lobby's socket, which docs/LOBBY.md describes.
	SubprotocolLobby = "muster.lobby.v1"
	BearerPrefix     = "bearer."
)

// Bounds of one socket message, in bytes.
const (
	// MaxClientMessage bounds what a client may send in one message. Larger closes the socket with 1009.
	MaxClientMessage = 8 << 10
	// MaxServerMessage bounds what a server sends in one message. A state whose keyframe is larger cannot be sent.
	MaxServerMessage = 1 << 20
)

// Kinds of messages from client to server.
const (
	KindInput   = 1
	KindPing    = 2
	KindResync  = 3
	KindLeave   = 4
	KindRefresh = 5
)

// Kinds of messages from server to client. Frame kinds are KindFrame with the head's flags in the low four bits.
const (
	KindWelcome   = 1
	KindEvents    = 2
	KindPong      = 3
	KindEnd       = 4
	KindBye       = 5
	KindRefreshed = 6
	KindFrame     = 16
)
