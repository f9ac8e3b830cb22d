package cluster

import (
	"context"
	"fmt"
	"slices"
)

// Which says which rooms an operator wants to see. The zero value of a field means any.
type Which struct {
	Game  string
	Nodes []string // that have them; required
}

// RoomNow is a room at one moment, as operators see it.
type RoomNow struct {
	Room
	Free     int      // seats that new players may have; 0 where its rules take none
	Occupied int      // seats that are taken or reserved
	Players  []string // who has those, sorted
	Seated   []string // of those, who has taken his seat
}

func (s *state) now() RoomNow { return RoomNow{s.Room, s.free, s.occupied, s.players, s.seated} }

// RoomNow returns a room. Errors: ErrNoRoom.
func (d *Directory) RoomNow(ctx context.Context, id string) (RoomNow, error) {
	list, err := d.states(ctx, id)
	if err == nil {
		err = list[0].err
	}
	if err != nil {
		return RoomNow{}, fmt.Errorf("reading room %s: %w", id, err)
	}
	return list[0].now(), nil
}

// All returns rooms that have been opened, private ones too, by their ids, at most limit. after is the id of the last one
// of the page before; next continues, "" is the end. A page may be short, or empty, and not be the last: one call looks at
// 200 rooms at most.
func (d *Directory) All(ctx context.Context, w Which, after string, limit int) (list []RoomNow, next string, err error) {
	owned, err := d.Owned(ctx, w.Nodes...)
	if err != nil {
		return nil, "", err
	}
	var ids []string
	for _, rooms := range owned {
		ids = append(ids, rooms...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids) // a room may be in the index of two nodes: its record decides
	if at, found := slices.BinarySearch(ids, after); found {
		ids = ids[at+1:]
	} else {
		ids = ids[at:]
	}
	more := len(ids) > maxScan
	ids = ids[:min(len(ids), maxScan)]
	for batch := range slices.Chunk(ids, scanBatch) {
		states, err := d.states(ctx, batch...)
		if err != nil {
			return nil, "", err
		}
		for i := range states {
			s := &states[i]
			if s.err != nil || !slices.Contains(w.Nodes, s.Node) || w.Game != "" && s.Game != w.Game {
				continue
			}
			if len(list) == limit {
				return list, list[limit-1].ID, nil
			}
			list = append(list, s.now())
		}
	}
	if more {
		next = ids[len(ids)-1]
	}
	return list, next, nil
}
