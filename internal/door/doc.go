// Package door is what all sockets of a server share at their beginning: the checks of a handshake, refusals as problem
// documents, how many connections there may be, the upgrade with gws, and writes that never block.
//
//	addr, ok := guard.Admit(w, r, verify)  // origin, token, a place; false: it was answered
//	wire, ok := guard.Upgrade(w, r, addr, door.Upgrade{…})
//	go func() { defer wire.Pipe.End(); door.Read(wire.WS, panicked) }()
//
// The match's sockets (match/edge) and the lobby's (lobby/live) stand on it. It decides nothing of what they say.
package door
