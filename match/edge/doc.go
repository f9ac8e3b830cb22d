// Package edge holds the sockets of clients: the handshake with its checks, the limits on what a client may send, and
// writes that never block a room.
//
// A [Server] is an http.Handler for match sockets. It verifies the token before the upgrade, upgrades with gws, finds
// the seat's room and attaches the connection to it. From then on two goroutines touch a connection: its reader, which
// checks every message and hands it to the room, and the room, which writes one frame a tick. A write tries the socket
// at once and keeps what did not fit in a bounded tail; while a tail exists the viewer is passed over and gets a merged
// frame afterwards. One that lags, since its way is too narrow, gets every second frame, then every third, then every
// sixth, until it has caught up. The package decides nothing about a match, and what is malformed never reaches a room.
package edge

import "muster/internal/door"

// Listener is what an edge's HTTP server listens with, so that frames are written without blocking, below TLS too.
type Listener = door.Listener
