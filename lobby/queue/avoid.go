package queue

import (
	"hash/fnv"
	"slices"
)

// digest stands for a player's id where most ids differ.
func digest(id string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return h.Sum32()
}

// digests are those of a ticket's players, and, sorted, of all whom they avoid.
func digests(players []Player) (ids, avoided []uint32) {
	for _, p := range players {
		ids = append(ids, digest(p.ID))
		for _, id := range p.Avoid {
			avoided = append(avoided, digest(id))
		}
	}
	slices.Sort(avoided)
	return ids, avoided
}

// avoids says whether somebody of a ticket avoids somebody of another.
func (e *entry) avoids(other *entry) bool {
	if len(e.avoided) == 0 {
		return false
	}
	for i, id := range other.ids {
		if _, ok := slices.BinarySearch(e.avoided, id); ok && avoid(e.t.Players, other.t.Players[i].ID) {
			return true
		}
	}
	return false
}

func avoid(players []Player, id string) bool {
	return slices.ContainsFunc(players, func(p Player) bool { return slices.Contains(p.Avoid, id) })
}
