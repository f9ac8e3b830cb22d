// Package presence knows who is there: offline, online, in a queue, in a match. It lies in Redis, one hash for each
// player, with a field for each process that has a socket of his and for each queue; a field ends by itself (Redis's
// clock), so a process that dies takes nothing with it.
//
// A [Tracker] is told by its process of sockets that begin and end, writes in batches, renews what lasts, and tells all
// processes by a notice when a player's state has changed. Those that watch him read it again. Who may watch whom is
// asked at each reading: whoever may not sees what he would see of nobody at all.
package presence
