// Package loadtest plays a server with bots and says how well it served them.
//
// Each bot goes the whole way of a player: a token, a ticket, the match's socket, inputs at the match's rate, leave.
// [Run] measures after all have joined and a second has passed, so that joining does not count, and returns a
// [Report]; its Write prints a table, its JSON has stable keys, and a [Gate] such as "ack_p99<150ms" turns it into a
// pass or a failure. [Command] is all of that behind command-line flags.
//
// What is measured is what a bot sees at its own socket, when a message has arrived, before it is decoded. Inputs are
// sent by the bots' own clock, not in answer to frames: a server that stalls is not spared by its stall. An input that
// is never acknowledged counts with the time that it waited, and so does a gap between frames that has not ended.
// Bots share a process: when that is short of CPU, the figures are the bots' and not the server's.
package loadtest
