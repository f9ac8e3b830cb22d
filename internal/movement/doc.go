// Package movement measures what recorded movement costs in each of the codec's forms: a file of positions by tick, as a
// studio has them from a prototype or from somebody else's game, is encoded for one viewer that misses nothing, decoded,
// and compared on the grid. It knows nothing of rooms, sockets and clients.
package movement
