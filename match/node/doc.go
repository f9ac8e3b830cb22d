// Package node is what one process does as a member of a deployment: it finds the room of a seat for its edge, in its own
// host, at another node, or by taking it over from one that is gone. It runs no room, holds no socket and keeps nothing
// that is not in Redis too.
package node
