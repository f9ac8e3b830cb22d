package lobby

import "muster/lobby/keyspace"

// keys names the lobby's keys in Redis. What belongs to a queue shares its hash tag, so that one script can change a
// ticket, the list of those who wait and the mark of its player.
type keys struct{ ns string }

func (k keys) queue(name string) string       { return keyspace.Queue(k.ns, name) }
func (k keys) waiting(queue string) string    { return k.queue(queue) + ":waiting" }
func (k keys) ticket(queue, id string) string { return k.queue(queue) + ":ticket:" + id }
func (k keys) playerIn(queue, player string) string {
	return k.queue(queue) + ":player:" + digest(player)
}
func (k keys) result(room string) string { return k.ns + ":{match:" + room + "}:result" }

// digest stands for a player's id in a key: the id may hold anything.
func digest(player string) string { return keyspace.Digest(player) }
