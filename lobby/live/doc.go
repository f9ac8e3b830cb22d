// Package live is the lobby's socket, GET /v1/lobby: what a player must hear of (lobby/inbox) as it happens, who of
// those that he watches is there (lobby/presence), and requests of his with their answers. docs/LOBBY.md is its protocol.
//
// A socket has one goroutine, its reader, which also carries out the player's requests, one after the other. Events are
// pulled, never queued: a notice only marks a socket, and a few workers read on in the inboxes of those that are marked,
// many in one exchange, from the last event that was written to each. What a client does not read stays in Redis. Since
// notices can be lost, each socket is looked at every five seconds unasked.
//
// Messages are JSON: they are few, they have the shapes of the REST interface, and any language reads them.
package live
