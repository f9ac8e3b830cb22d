package node

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
)

// score is how much a room falls to a node, by weighted rendezvous: of nodes with the same weight each gets as many rooms
// as any other, and of one with twice the weight twice as many; where a node comes or goes only its own rooms move.
func score(room, node string, weight float64) float64 {
	sum := sha256.Sum256([]byte(room + "\x00" + node))
	// A number between 0 and 1, neither of which it is.
	u := (float64(binary.BigEndian.Uint64(sum[:])>>12) + 0.5) / (1 << 52)
	return max(weight, 1e-6) / -math.Log(u)
}
