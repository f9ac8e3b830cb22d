package lobby

import (
	"crypto/sha256"
	"encoding/hex"
)

// keys names the lobby's keys in Redis. What belongs to a queue shares its hash tag, so that one script can change a
// ticket, the list of those who wait and the mark of its player.
type keys struct{ ns string }

func (k keys) queue(name string) string       { return k.ns + ":{queue:" + name + "}" }
func (k keys) waiting(queue string) string    { return k.queue(queue) + ":waiting" }
func (k keys) ticket(queue, id string) string { return k.queue(queue) + ":ticket:" + id }
func (k keys) playerIn(queue, player string) string {
	return k.queue(queue) + ":player:" + digest(player)
}
func (k keys) result(room string) string { return k.ns + ":{match:" + room + "}:result" }

// digest stands for a player's id in a key: the id may hold anything.
func digest(player string) string {
	sum := sha256.Sum256([]byte(player))
	return hex.EncodeToString(sum[:16])
}
