package cluster

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// A game's public rooms stand in a sorted set by their names alone, which begin with the time of their creation: so
// there is a place between any two rooms at which a reader may go on, whatever came and went.

// listing is a room's name in its game's set: "CREATED:ID", CREATED in ms with 13 digits, which last until 2286.
func listing(created, id string) string {
	if len(created) < 13 {
		created = strings.Repeat("0", 13-len(created)) + created
	}
	return created + ":" + id
}

func (r *Room) listing() string { return listing(fmt.Sprint(r.Created.UnixMilli()), r.ID) }

// list brings a room's place among the public ones up to date, in the same way as index.
func (d *Directory) list(ctx context.Context, r Room) error {
	if !r.Public {
		return nil
	}
	for wrote := ""; ; {
		states, err := d.states(ctx, r.ID)
		if err != nil {
			return err
		}
		now, want := &states[0], "out"
		if now.err == nil && now.Public && !now.Off && now.Created.Equal(r.Created) {
			want = "in"
		}
		if want == wrote {
			return nil
		}
		if want == "in" {
			err = d.rdb.ZAdd(ctx, d.public(r.Game), redis.Z{Member: r.listing()}).Err()
		} else {
			err = d.rdb.ZRem(ctx, d.public(r.Game), r.listing()).Err()
		}
		if err != nil {
			return fmt.Errorf("listing room %s: %w", r.ID, err)
		}
		wrote = want
	}
}

// unlist takes a room out that is over.
func (d *Directory) unlist(ctx context.Context, game, created, room string) error {
	if created == "" {
		return nil
	}
	if err := d.rdb.ZRem(ctx, d.public(game), listing(created, room)).Err(); err != nil {
		return fmt.Errorf("listing room %s no longer: %w", room, err)
	}
	return nil
}
