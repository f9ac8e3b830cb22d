// Package lobby brings players to matches: tickets, the matchmaker that runs over them, and results.
//
// A player's ticket waits in Redis until [muster/lobby/queue] puts it into a match; the seat's token comes with the
// answer. Everything that must survive a lobby lies in Redis, so any lobby process answers for any ticket, and a match
// is made by one atomic change of its tickets however many lobbies try. Rooms are match/cluster's: the lobby reserves
// seats there and never touches a room's loop.
package lobby
