package lobby

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
	"muster/match/cluster"
)

const (
	// maxRooms is how many rooms a player may have at a time.
	maxRooms = 5
	// ownFor is how long after the last room that a player made his list of them is kept.
	ownFor = 24 * time.Hour
	// freshFor is how long a room of the list counts although it has no record: it may be just about to get one.
	freshFor = 10 * time.Second
)

var errManyRooms = fmt.Errorf("you have %d rooms already: close one of them", maxRooms)

// owners keeps which rooms each player has made. A room is in the list before its record is written, and leaves it when
// its place is wanted and it is gone: so a crash in between costs a player nothing for long.
type owners struct {
	rdb   redis.UniversalClient
	ns    string
	rooms *cluster.Directory
}

func (o *owners) key(player string) string { return keyspace.Player(o.ns, player) + ":rooms" }

// add takes a place for a room, or returns errManyRooms.
func (o *owners) add(ctx context.Context, player, room string) error {
	for range 2 {
		full, err := ownScript.Run(ctx, o.rdb, []string{o.key(player)}, room, maxRooms, ownFor.Milliseconds(), freshFor.Milliseconds()).StringSlice()
		if err != nil {
			return fmt.Errorf("counting a player's rooms: %w", err)
		}
		if len(full) == 0 {
			return nil
		}
		freed := false
		for _, id := range full {
			r, err := o.rooms.Room(ctx, id)
			if err != nil && !errors.Is(err, cluster.ErrNoRoom) {
				return err //nolint:wrapcheck // says what it did
			}
			if err == nil && !r.Off {
				continue
			}
			if err := o.remove(ctx, player, id); err != nil {
				return err
			}
			freed = true
		}
		if !freed {
			return errManyRooms
		}
	}
	return errManyRooms
}

// The answer, where there is no place: the rooms that may be gone.
var ownScript = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
	local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - tonumber(ARGV[4])))
	if #old == 0 then old = {''} end
	return old
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {}`)

// remove gives a room's place back.
func (o *owners) remove(ctx context.Context, player, room string) error {
	if err := o.rdb.ZRem(ctx, o.key(player), room).Err(); err != nil {
		return fmt.Errorf("counting a player's rooms: %w", err)
	}
	return nil
}
