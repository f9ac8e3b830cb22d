package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// A join code lies in a key of its own, apart from the room's, so it is not changed in one act with it: the record says
// what is true, and a code that leads to a room of another code, or to none, leads nowhere.

// ByCode returns the room to which a join code leads, or ErrNoRoom.
func (d *Directory) ByCode(ctx context.Context, code string) (Room, error) {
	id, err := d.rdb.Get(ctx, d.code(code)).Result()
	if errors.Is(err, redis.Nil) {
		err = ErrNoRoom
	}
	if err != nil {
		return Room{}, fmt.Errorf("finding the room of a code: %w", err)
	}
	r, err := d.Room(ctx, id)
	if err == nil && (r.Code != code || r.Off) {
		err = fmt.Errorf("finding the room of a code: %w", ErrNoRoom)
	}
	if err != nil {
		return Room{}, err
	}
	return r, nil
}

// claimCode gives a code to a room until roomTTL has passed, or says with ErrCode that it is another's.
func (d *Directory) claimCode(ctx context.Context, code, room string) error {
	if code == "" {
		return nil
	}
	answer, err := codeScript.Run(ctx, d.rdb, []string{d.code(code)}, room, roomTTL.Milliseconds()).Text()
	switch {
	case err != nil:
		return fmt.Errorf("claiming a code for room %s: %w", room, err)
	case answer != room:
		return ErrCode
	}
	return nil
}

var codeScript = redis.NewScript(`
local room = redis.call('GET', KEYS[1])
if room and room ~= ARGV[1] then return room end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`)

// keepCode keeps a room's code for as long as the room. One that was lost is claimed again, unless another has it by now:
// then nobody joins this room by a code any more, and it goes on.
func (d *Directory) keepCode(ctx context.Context, code, room string) error {
	if err := d.claimCode(ctx, code, room); err != nil && !errors.Is(err, ErrCode) {
		return err
	}
	return nil
}

// dropCode lets a code go that is the room's.
func (d *Directory) dropCode(ctx context.Context, code, room string) error {
	if code == "" {
		return nil
	}
	if err := dropScript.Run(ctx, d.rdb, []string{d.code(code)}, room).Err(); err != nil {
		return fmt.Errorf("letting the code of room %s go: %w", room, err)
	}
	return nil
}

var dropScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 'ok'`)
