// Package queue is the matchmaker's pure core: from waiting tickets, running matches that ask for players, rules and a
// time it works out who plays with whom, and why the others wait. It reads no clock, draws no random number and knows
// no Redis, so that a test or a simulation runs it as the lobby does.
//
//	rules, err := queue.Rules{Name: "ranked", Game: "arena", Teams: 2, TeamSize: 5}.Validate()
//	pool := queue.NewPool(&rules)
//	pool.Put(ticket)                    // as tickets come, after rules.Check(ticket)
//	pool.Remove(id)                     // as they go
//	out := pool.Match(rooms, now)       // a cycle: who plays
//	why, _ := pool.Explain(id, now)     // why somebody waits
//
// # What a match is
//
// A ticket is a party, which is never split, or one player. Its rating, by which it is matched, lies halfway from its
// players' mean to the best of them. Teams are balanced by each player's own rating. The caller sees to it that a player
// has one ticket in a pool.
//
// All tickets of a match obey every rule together: their ratings lie within the window, one region is good for each
// player, each team has places for its players' roles, one value of an AnyOf attribute is in every list. What widens with
// waiting widens by the wait of the match's oldest ticket, and never past what a ticket allows itself (MaxSpread,
// MaxLatency). A running match's tickets are held to the rules with those who join, by the wait of these.
//
// A match starts full, or from Min players on once its oldest ticket has waited for Gather; then it takes as many as fit.
// Where there is more than one team, at least two have players. From BotsAfter on it starts with whoever is there, and
// bots up to Min.
//
// # In which order
//
// A cycle puts players into running matches first, then makes new ones. In a running match those whose ratings are
// nearest to its own are looked at, and the oldest of them are taken; it gets at most one assignment a cycle, to the
// version of its request that was given. A player who is in it already is not put there.
//
// Each match is found from its oldest ticket, which looks for the nearest ratings, in its best region first; then some
// are exchanged for others who stand near, where that makes the teams more even. Who looks first is:
//
//  1. tickets at the head, by age;
//  2. tickets that have waited for long, by age: since the rating window is as wide as it gets, but for ten seconds at
//     least and half of MaxWait at most;
//  3. all others, by the quality of what they find: full matches within a quarter of the rating window's first step,
//     then within the first step, then whatever their own windows allow; each of these by age.
//
// # Nobody starves
//
// From that long wait on a ticket has only older tickets and those at the head before it, whatever comes, and each cycle
// matches the first of them for whom a match is there. So with k tickets before it a ticket is matched in the (k+1)th
// cycle, at the latest, in which enough players are there who fit to each of those.
//
// One search looks at a bounded number of tickets, the nearest ratings first: of each party size, and of those who come
// for each role, so that who is rare is not hidden by the many, and in large matches a quarter more than could play, since
// somebody avoids somebody there. Where a rule refuses nearly all who stand near, it may miss a match that is there; it is
// made again in every cycle. All searches of a cycle that end so have a bound together,
// after which the further ones are shorter, the oldest tickets' last.
//
// # The same again
//
// What Match returns depends on the rules, the tickets, the rooms and the time alone, not on the order in which tickets
// came, nor on the cycles before. What a pool remembers only saves work: a search that proved that a ticket is not the
// oldest of any match is not made again before one of its bounds moves, or somebody comes who stands near it. So a cycle
// costs what changed. Searches under a Condition which looks at the wait prove nothing.
//
// Outcome.Next is when a bound moves next: before it, and without a change of tickets or rooms, no cycle is needed.
//
// Explain holds each two tickets to the rules by the wait of the older one. In a large pool it looks at a sample, and
// says "about". That the next round should find a match it says only where it has found one itself. ExplainRooms says why
// the matches that run do not take a ticket.
package queue
