// Package ownership decides which node may run rooms, and when another one may take them over. It is a machine without
// clock, goroutine or network: it is told what happened and when, and answers what may be done. What package cluster drives
// is this very machine, and so does the explorer in the tests, which looks for a schedule of faults that breaks it.
//
// An incarnation (one run of a node) holds a lease in Redis, which it renews. Each renewal has a beat, a number that rises,
// so whoever watches an incarnation sees whether it renews without asking anybody's wall clock: a lease is over for a
// watcher who has seen one beat for the lease's whole length, by the watcher's own monotonic clock. For the owner it is
// over a margin earlier, counted from when the renewal was sent. Fencing an incarnation is a compare-and-set on that beat,
// so of a renewal and a fence one comes first and the other one fails.
//
// An owner whose renewals fail asks every peer that could fence it. A peer that has lost Redis as well promises not to
// fence it for one lease: a lease from each peer is as good as one from Redis. With one peer's promise missing the owner
// pauses. Who could fence it are those whom the owner itself has named in a renewal; to all others it is a stranger, and a
// stranger waits longer and asks first.
//
// docs/CLUSTER.md says what holds, why, and what does not.
package ownership
