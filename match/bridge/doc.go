// Package bridge is the way between a client's socket and its room where they are in different processes.
//
// The process that holds the socket is the edge, the one that runs the room the host. The edge's half ([Bridge.Open]) is an
// [edge.Room] that stands for the remote one; the host's half is a [match.Edge] for each other process, and a
// [match.Viewer] for each of its clients. Between them is a session: one room and one edge, by a number that the edge gave.
//
// A host sends one message for each room, tick and edge, however many clients are behind it: the blocks that bring the
// edge, as if it were one viewer of all that its viewers see, to the tick, and a few numbers for each of them. The edge
// keeps the states (a mirror, [netcode.NewMirror]) and makes of them what each of its clients lacks. So a slow client, one
// that asks for a keyframe or one with the plain form costs the host nothing.
//
// The network may lose messages, and lose all of them for a while. What is lost of the ticks shows by their numbers: the
// edge asks for a new beginning, a keyframe of everything. What is lost of inputs the client repeats. What must arrive is
// numbered and kept until it has come (outbox.go). Where nothing is heard for [silence], either side gives the session up:
// the edge closes its clients' sockets with 4002, the host holds their seats, and they come back by themselves.
package bridge
