// Package queue is the matchmaker's pure core: from waiting tickets, running matches that ask for players, rules and a
// time it works out who plays with whom, and why the others wait. It reads no clock, draws no random number and knows
// no Redis, so that a test or a simulation runs it as the lobby does.
package queue
