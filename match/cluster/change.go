package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Change is what changes of a room; what is nil stays.
type Change struct {
	Title  *string
	Public *bool
	Tags   map[string]string
}

// Change changes a room, and returns what it is then. Errors: ErrNoRoom.
func (d *Directory) Change(ctx context.Context, room string, c Change) (Room, error) {
	doing := "changing room " + room
	var args []any
	if c.Title != nil {
		args = append(args, "title", *c.Title)
	}
	if c.Public != nil && *c.Public {
		args = append(args, "public", "1")
	} else if c.Public != nil {
		args = append(args, "public", "")
	}
	if c.Tags != nil {
		tags, err := json.Marshal(c.Tags)
		if err != nil {
			return Room{}, fmt.Errorf("%s: %w", doing, err)
		}
		args = append(args, "tags", tags)
	}
	answer, err := changeScript.Run(ctx, d.rdb, d.all(room), args...).Text()
	if err := answered(doing, answer, err); err != nil {
		return Room{}, err
	}
	r, err := d.Room(ctx, room)
	if err != nil {
		return Room{}, err
	}
	return r, d.list(ctx, r)
}

var changeScript = redis.NewScript(`
local rec = redis.call('HMGET', KEYS[1], 'seats', 'off')
if not rec[1] or rec[2] then return 'gone' end
if #ARGV > 0 then redis.call('HSET', KEYS[1], unpack(ARGV)) end
return 'ok'`)
