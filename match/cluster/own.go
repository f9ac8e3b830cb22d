package cluster

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Released stands in a record for the node of a room that its host has let go: whoever can go on with it takes it.
const Released = "released"

// The index of a node's rooms says where to look when the node is gone; a record alone says whose its room is. So a room
// stands in the index before it is its node's, and is taken out after it is not.

// Own notes that a node is about to have rooms, and keeps what it has noted for another minute.
func (d *Directory) Own(ctx context.Context, node string, rooms ...string) error {
	if len(rooms) == 0 {
		return nil
	}
	members := make([]any, len(rooms))
	for i, r := range rooms {
		members[i] = r
	}
	pipe := d.rdb.TxPipeline()
	pipe.SAdd(ctx, d.rooms(node), members...)
	pipe.PExpire(ctx, d.rooms(node), ownTTL)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("noting the rooms of node %s: %w", node, err)
	}
	return nil
}

// ownTTL is how long the index of a node that is gone is kept: as long as its rooms' records, and a little.
const ownTTL = roomTTL + roomTTL/4

// Disown notes that rooms are a node's no longer.
func (d *Directory) Disown(ctx context.Context, node string, rooms ...string) error {
	members := make([]any, len(rooms))
	for i, r := range rooms {
		members[i] = r
	}
	if err := d.rdb.SRem(ctx, d.rooms(node), members...).Err(); err != nil {
		return fmt.Errorf("noting that rooms are node %s's no longer: %w", node, err)
	}
	return nil
}

// Owned returns, for each node, the rooms that may be its own.
func (d *Directory) Owned(ctx context.Context, nodes ...string) (map[string][]string, error) {
	pipe := d.rdb.Pipeline()
	cmds := make([]*redis.StringSliceCmd, len(nodes))
	for i, n := range nodes {
		cmds[i] = pipe.SMembers(ctx, d.rooms(n))
	}
	if len(nodes) > 0 {
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, fmt.Errorf("reading which rooms nodes have: %w", err)
		}
	}
	owned := map[string][]string{}
	for i, n := range nodes {
		if list := cmds[i].Val(); len(list) > 0 {
			owned[n] = list
		}
	}
	return owned, nil
}

// Begin says that a node is about to run a room under an epoch. Errors: ErrNoRoom, ErrFenced where the room is another's,
// or has another epoch, ErrCalledOff where it is over.
func (d *Directory) Begin(ctx context.Context, room, node string, epoch uint64) error {
	answer, err := beginScript.Run(ctx, d.rdb, d.all(room), node, epoch, roomTTL.Milliseconds()).Text()
	return answered("beginning room "+room, answer, err)
}

// What has run once may not begin anew from nothing.
var beginScript = redis.NewScript(`
local rec = redis.call('HMGET', KEYS[1], 'node', 'epoch', 'off')
if not rec[1] then return 'gone' end
if rec[1] ~= ARGV[1] or rec[2] ~= ARGV[2] then return 'fenced' end
if rec[3] then return 'off' end
redis.call('HSET', KEYS[1], 'ran', '1', 'begun', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 'ok'`)
