package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Alive is what a room's host says of it.
type Alive struct {
	Open    bool // new players may have its free seats
	Started bool // its match has
	Past    bool // it has run on past where its last host stopped
	Kept    bool // a journal has something of it
	Seats   []Seated
	Teams   bool // the rules have put some of Seats into other teams
}

// Seated is a player who has a seat.
type Seated struct {
	Seat, Team uint16
	Player     string
	Claim      string // the newest token by which he came, as far as it is known
}

// Renew keeps a room's record for another minute, and says whether new players may have its free seats. Its host calls
// it; ErrFenced says that the room is another's now, ErrCalledOff that it is to end, ErrNoRoom that Redis has forgotten
// it: see Revive.
func (d *Directory) Renew(ctx context.Context, room string, epoch uint64, a Alive) error {
	doing, shut, past, kept := "renewing room "+room, "0", "0", "0"
	if !a.Open {
		shut = "1"
	}
	if a.Past {
		past = "1"
	}
	if a.Kept {
		kept = "1"
	}
	args := []any{epoch, roomTTL.Milliseconds(), shut, memoryTTL.Milliseconds(), past, kept}
	if a.Teams {
		for _, s := range a.Seats {
			args = append(args, s.Seat, s.Player, s.Team)
		}
	}
	answer, err := renewScript.Run(ctx, d.rdb, append(d.all(room), d.orders(room)), args...).StringSlice()
	if err == nil && len(answer) != 4 {
		err = fmt.Errorf("unexpected answer %q", answer)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	outcome, queue, code := answer[0], answer[1], answer[2]
	if answer[3] != "" && d.Ordered != nil {
		d.Ordered(room)
	}
	if outcome == "moved" {
		outcome, err = "ok", d.index(ctx, queue, room)
	}
	return errors.Join(answered(doing, outcome, nil), err, d.keepCode(ctx, code, room))
}

// Where the doors have moved the index must follow: also when the script runs again because its answer was lost, so
// the record says that this is due until the next renewal. A record of an older epoch was written anew by a host that did
// not know of this one: it is as if there were none. A seat that is another's by now, or is only reserved, keeps its team.
var renewScript = redis.NewScript(older + `
local rec = redis.call('HMGET', KEYS[1], 'epoch', 'shut', 'queue', 'due', 'code', 'off', 'once', 'attempts', 'kept')
if not rec[1] or older(rec[1], ARGV[1]) then return {'gone', '', '', ''} end
if rec[1] ~= ARGV[1] then return {'fenced', '', '', ''} end
if rec[6] then return {'off', '', '', ''} end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('PEXPIRE', KEYS[3], rec[7] and ARGV[4] or ARGV[2])
redis.call('PEXPIRE', KEYS[4], ARGV[4])
if rec[8] and ARGV[5] == '1' then redis.call('HDEL', KEYS[1], 'attempts', 'crashes') end
if ARGV[6] == '1' and not rec[9] then redis.call('HSET', KEYS[1], 'kept', '1') end
local regrouped = false
for i = 7, #ARGV, 3 do
	local of = string.match(redis.call('HGET', KEYS[2], ARGV[i]) or '', '^0|[^|]*|(.*)$')
	local field = 'team:' .. ARGV[i]
	local is, wanted = redis.call('HGET', KEYS[1], field), ARGV[i + 2] ~= '0' and ARGV[i + 2] .. '|' .. ARGV[i + 1]
	if of == ARGV[i + 1] and is ~= wanted then
		if wanted then redis.call('HSET', KEYS[1], field, wanted) else redis.call('HDEL', KEYS[1], field) end
		regrouped = true
	end
end
if regrouped then redis.call('HINCRBY', KEYS[1], 'version', 1) end
local moved = (rec[2] or '0') ~= ARGV[3]
if moved then
	redis.call('HSET', KEYS[1], 'shut', ARGV[3], 'due', '1')
	redis.call('HINCRBY', KEYS[1], 'version', 1)
elseif rec[4] then
	redis.call('HDEL', KEYS[1], 'due')
end
return {(moved or rec[4]) and 'moved' or 'ok', rec[3] or '', rec[5] or '', redis.call('XLEN', KEYS[5]) > 0 and '1' or ''}`)

// Copy is a room's record as it was read, from which it can be written anew.
type Copy map[string]string

// Copy returns a copy of a room's record. Errors: ErrNoRoom.
func (d *Directory) Copy(ctx context.Context, room string) (Copy, error) {
	f, err := d.rdb.HGetAll(ctx, d.room(room)).Result()
	if err == nil && len(f) == 0 {
		err = ErrNoRoom
	}
	if err != nil {
		return nil, fmt.Errorf("copying the record of room %s: %w", room, err)
	}
	return f, nil
}

// own says whether a record's field is one that a copy has no say in.
func own(field string) bool {
	switch field {
	case "epoch", "node", "shut", "off", "lost", "why", "told", "due", "till", "result", "ran", "clean", "begun":
		return true
	}
	return strings.HasPrefix(field, "team:")
}

// Revive writes the record of a room anew that Redis has forgotten, or that somebody wrote anew who had the room before:
// from a copy, and from what its host knows of its seats. Where it is there it stays. Errors: ErrFenced.
func (d *Directory) Revive(ctx context.Context, room, node string, epoch uint64, c Copy, a Alive) error {
	doing, started, shut := "writing the record of room "+room+" anew", "0", "1"
	if a.Started {
		started = "1"
	}
	if a.Open {
		shut = "0"
	}
	fields := []any{"node", node, "epoch", epoch, "shut", shut, "ran", "1", "begun", "1"}
	for k, v := range c {
		if !own(k) {
			fields = append(fields, k, v)
		}
	}
	args := append([]any{epoch, roomTTL.Milliseconds(), memoryTTL.Milliseconds(), started, len(fields)}, fields...)
	for _, s := range a.Seats {
		token := "!"
		if s.Claim != "" {
			token += s.Claim + "/"
		}
		args = append(args, s.Seat, "0|"+token+"|"+s.Player, strconv.Itoa(int(s.Team))+"|"+s.Player, s.Claim+"|"+s.Player)
	}
	answer, err := reviveScript.Run(ctx, d.rdb, d.all(room), args...).Text()
	if err := answered(doing, answer, err); err != nil {
		return err
	}
	r, err := d.Room(ctx, room)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return errors.Join(d.index(ctx, r.Queue, room), d.keepCode(ctx, r.Code, room), d.enlist(ctx, r))
}

// From ARGV[6] on the record's fields, then four for each seat: the seat, its entry, its team, who came to it.
var reviveScript = redis.NewScript(older + settling + `
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch and older(ARGV[1], epoch) then return 'fenced' end
if epoch == ARGV[1] then return 'ok' end
redis.call('DEL', KEYS[1], KEYS[2])
local n = tonumber(ARGV[5])
redis.call('HSET', KEYS[1], unpack(ARGV, 6, 5 + n))
redis.call('HINCRBY', KEYS[1], 'version', 1)
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for i = 6 + n, #ARGV, 4 do
	redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
	if string.sub(ARGV[i + 2], 1, 2) ~= '0|' then redis.call('HSET', KEYS[1], 'team:' .. ARGV[i], ARGV[i + 2]) end
	redis.call('ZADD', KEYS[3], string.format('%.0f', now), ARGV[i + 3])
end
local rec = redis.call('HMGET', KEYS[1], 'expect', 'expectms', 'once')
if rec[1] and ARGV[4] == '1' then
	if redis.call('EXISTS', KEYS[4]) == 0 then settle('started', came(), ARGV[3]) end
elseif rec[1] then
	redis.call('HSET', KEYS[1], 'till', string.format('%.0f', now + tonumber(rec[2] or '0')))
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('PEXPIRE', KEYS[3], rec[3] and ARGV[3] or ARGV[2])
return 'ok'`)
