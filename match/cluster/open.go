package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// maxOpen bounds how many rooms OpenRooms returns.
const maxOpen = 64

// The times of this set are Redis's: the clocks of its readers and writers may differ.

// look notes that a room may have a free seat from a time on, in ms; "" is now.
func (d *Directory) look(ctx context.Context, queue, room, from string) error {
	if queue == "" {
		return nil
	}
	if err := lookScript.Run(ctx, d.rdb, []string{d.open(queue)}, room, from).Err(); err != nil {
		return fmt.Errorf("noting that room %s is open: %w", room, err)
	}
	return nil
}

var lookScript = redis.NewScript(`
local from = ARGV[2]
if from == '' then
	local t = redis.call('TIME')
	from = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
end
return redis.call('ZADD', KEYS[1], from, ARGV[1])`)

// later notes that a full room is worth a look when its next reservation ends, which may never be taken: in ms, "0"
// when none is open and only a seat that becomes free will help.
func (d *Directory) later(ctx context.Context, queue, room, next string) error {
	if next == "0" {
		return d.forget(ctx, queue, room)
	}
	return d.look(ctx, queue, room, next)
}

func (d *Directory) forget(ctx context.Context, queue, room string) error {
	if queue == "" {
		return nil
	}
	if err := d.rdb.ZRem(ctx, d.open(queue), room).Err(); err != nil {
		return fmt.Errorf("noting that room %s is full: %w", room, err)
	}
	return nil
}

// OpenRoom is a room that may take players.
type OpenRoom struct {
	Room
	Free int // seats that were neither taken nor reserved when it was read
}

// OpenRooms returns rooms of a queue that may have free seats, those first that are open longest; at most 64. Rooms
// that exist no longer are forgotten on the way.
func (d *Directory) OpenRooms(ctx context.Context, queue string) ([]OpenRoom, error) {
	ids, err := openScript.Run(ctx, d.rdb, []string{d.open(queue)}, maxOpen).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("listing the open rooms of queue %s: %w", queue, err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	pipe := d.rdb.Pipeline()
	records, seats := make([]*redis.MapStringStringCmd, len(ids)), make([]*redis.StringSliceCmd, len(ids))
	for i, id := range ids {
		records[i], seats[i] = pipe.HGetAll(ctx, d.room(id)), pipe.HVals(ctx, d.seats(id))
	}
	now := pipe.Time(ctx)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("reading the open rooms of queue %s: %w", queue, err)
	}
	var list []OpenRoom
	for i, id := range ids {
		r, err := parseRoom(id, records[i].Val())
		switch {
		case errors.Is(err, ErrNoRoom):
			if err := d.forget(ctx, queue, id); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, fmt.Errorf("reading room %s: %w", id, err)
		default:
			list = append(list, OpenRoom{r, r.Seats - held(seats[i].Val(), now.Val().UnixMilli())})
		}
	}
	return list, nil
}

// held counts the entries whose seats are taken or reserved.
func held(entries []string, now int64) (n int) {
	for _, e := range entries {
		before, _, _ := strings.Cut(e, "|")
		if deadline, err := strconv.ParseInt(before, 10, 64); err == nil && (deadline == 0 || deadline > now) {
			n++
		}
	}
	return n
}

var openScript = redis.NewScript(`
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])`)
