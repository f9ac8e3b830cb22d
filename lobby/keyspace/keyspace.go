// Package keyspace names the hash tags of keys that more than one of the lobby's packages use. Each package names what
// it keeps under them; what one script touches shares a tag.
package keyspace

import (
	"crypto/sha256"
	"encoding/hex"
)

// Player is the beginning of all keys of one player: "NAMESPACE:{player:DIGEST}".
func Player(namespace, id string) string { return namespace + ":{player:" + Digest(id) + "}" }

// Queue is the beginning of all keys of one queue: "NAMESPACE:{queue:NAME}".
func Queue(namespace, name string) string { return namespace + ":{queue:" + name + "}" }

// Digest stands for a player's id in a key or a notice: the id may hold anything.
func Digest(player string) string {
	sum := sha256.Sum256([]byte(player))
	return hex.EncodeToString(sum[:16])
}
