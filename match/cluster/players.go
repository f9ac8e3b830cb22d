package cluster

import (
	"context"
	"fmt"
	"strings"
)

// Players returns who has a taken seat in a room, each once and in no order; none where there is no such room.
func (d *Directory) Players(ctx context.Context, room string) ([]string, error) {
	entries, err := d.rdb.HVals(ctx, d.seats(room)).Result()
	if err != nil {
		return nil, fmt.Errorf("reading who plays in room %s: %w", room, err)
	}
	var list []string
	for _, e := range entries {
		deadline, rest, _ := strings.Cut(e, "|")
		if _, player, ok := strings.Cut(rest, "|"); ok && deadline == "0" {
			list = append(list, player)
		}
	}
	return list, nil
}
