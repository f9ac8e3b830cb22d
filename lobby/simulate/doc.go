// Package simulate runs a queue's rules in virtual time: tickets come as a file or a seed says, the matchmaker's core
// matches them as a lobby would, and a report says who waited how long and how good the matches were. A day takes
// seconds. The same rules, tickets and seed give the same report, on every machine of one architecture.
//
//	arrivals := simulate.Load{Seed: 1, PerMinute: 30, For: 24 * time.Hour, Parties: 0.3}.Arrivals(rules)
//	result, err := simulate.Run(ctx, rules, arrivals, queue.NewPool(rules), simulate.Options{})
//	report := simulate.NewReport(rules, result)
package simulate
