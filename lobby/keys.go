package lobby

import "muster/lobby/keyspace"

// keys names the lobby's own keys in Redis; each of its packages names what it keeps.
type keys struct{ ns string }

func (k keys) result(room string) string { return k.ns + ":{match:" + room + "}:result" }

// digest stands for a player's id in a key: the id may hold anything.
func digest(player string) string { return keyspace.Digest(player) }
