package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// A seat's entry is "DEADLINE|TOKEN|PLAYER". While the seat is reserved, DEADLINE is when the reservation ends (in ms
// by Redis's clock) and TOKEN the id of the token that claims it. Once it is taken DEADLINE is 0, and TOKEN is that of
// a rejoin that is still open, or "!" and how it was taken.

// Seats is what Reserve gave.
type Seats struct {
	Epoch uint64
	List  []uint16 // in the order of the claims
	Free  int      // seats that are left
}

// Reserve reserves a seat for each claim, all or none, until ttl has passed. A player who has a seat in the room gets
// that one. Errors: ErrNoRoom, ErrFull.
func (d *Directory) Reserve(ctx context.Context, room string, ttl time.Duration, claims []Claim) (Seats, error) {
	doing := "reserving seats in room " + room
	args := []any{ttl.Milliseconds()}
	for _, c := range claims {
		args = append(args, c.Token, c.Player)
	}
	answer, err := reserveScript.Run(ctx, d.rdb, []string{d.room(room), d.seats(room)}, args...).StringSlice()
	if err != nil {
		return Seats{}, fmt.Errorf("%s: %w", doing, err)
	}
	if err := answered(doing, answer[0], nil); err != nil {
		if errors.Is(err, ErrNoRoom) {
			return Seats{}, err
		}
		if answer[3] == "0" {
			err = errors.Join(err, d.later(ctx, answer[1], room, answer[2]))
		}
		return Seats{}, err
	}
	s := Seats{}
	if s.Epoch, err = strconv.ParseUint(answer[3], 10, 64); err == nil {
		s.Free, err = strconv.Atoi(answer[4])
	}
	for _, a := range answer[5:] {
		n, perr := strconv.ParseUint(a, 10, 16)
		s.List, err = append(s.List, uint16(n)), errors.Join(err, perr)
	}
	if err == nil && s.Free == 0 {
		err = d.later(ctx, answer[1], room, answer[2])
	}
	if err != nil {
		return Seats{}, fmt.Errorf("%s: %w", doing, err)
	}
	return s, nil
}

// The answer of reserve: how it went, the queue, when the next reservation ends (0: none is open), epoch, free, seats.
var reserveScript = redis.NewScript(`
local rec = redis.call('HMGET', KEYS[1], 'seats', 'queue', 'epoch')
local n = tonumber(rec[1])
if not n then return {'gone'} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local held, byToken, byPlayer, taken, used, next = {}, {}, {}, {}, 0, 0
local list = redis.call('HGETALL', KEYS[2])
for i = 1, #list, 2 do
	local seat = tonumber(list[i])
	local deadline, token, player = string.match(list[i + 1], '^(%d+)|([^|]*)|(.*)$')
	deadline = tonumber(deadline)
	if deadline == 0 or deadline > now then
		held[seat], byToken[token], byPlayer[player], taken[seat] = true, seat, seat, deadline == 0
		used = used + 1
		if deadline > 0 and (next == 0 or deadline < next) then next = deadline end
	end
end
local before = tostring(n - used)
local till = string.format('%.0f', now + tonumber(ARGV[1]))
local seats, set, free = {}, {}, 1
for i = 2, #ARGV, 2 do
	local token, player = ARGV[i], ARGV[i + 1]
	local seat = byToken[token]
	if not seat then
		seat = byPlayer[player]
		local deadline = till
		if seat then
			if taken[seat] then deadline = '0' end
		else
			while held[free] do free = free + 1 end
			if free > n then return {'full', rec[2], string.format('%.0f', next), before} end
			seat, held[free], used = free, true, used + 1
			if next == 0 or tonumber(till) < next then next = tonumber(till) end
		end
		set[#set + 1] = seat
		set[#set + 1] = deadline .. '|' .. token .. '|' .. player
	end
	seats[#seats + 1] = tostring(seat)
end
if #set > 0 then redis.call('HSET', KEYS[2], unpack(set)) end
local left = redis.call('PTTL', KEYS[1])
if left > 0 then redis.call('PEXPIRE', KEYS[2], left) end
local answer = {'ok', rec[2], string.format('%.0f', next), rec[3], tostring(n - used)}
for i = 1, #seats do answer[#answer + 1] = seats[i] end
return answer`)

// Release gives back reservations that are not taken yet, by their tokens.
func (d *Directory) Release(ctx context.Context, room string, claims []Claim) error {
	args := make([]any, len(claims))
	for i, c := range claims {
		args[i] = c.Token
	}
	if err := releaseScript.Run(ctx, d.rdb, []string{d.seats(room)}, args...).Err(); err != nil {
		return fmt.Errorf("releasing seats of room %s: %w", room, err)
	}
	return nil
}

var releaseScript = redis.NewScript(`
local list = redis.call('HGETALL', KEYS[1])
for i = 1, #list, 2 do
	local deadline, token = string.match(list[i + 1], '^(%d+)|([^|]*)|')
	for k = 1, #ARGV do
		if token == ARGV[k] and deadline ~= '0' then redis.call('HDEL', KEYS[1], list[i]) end
	end
end
return 'ok'`)

// TakeSeat burns the token with the id tokenID, which claims the seat for the player. Errors: ErrNoRoom, ErrSeat.
func (d *Directory) TakeSeat(ctx context.Context, room string, seat uint16, player, tokenID string) error {
	answer, err := takeScript.Run(ctx, d.rdb, []string{d.room(room), d.seats(room)}, seat, player, tokenID, NewID()).Text()
	return answered(fmt.Sprintf("taking seat %d of room %s", seat, room), answer, err)
}

// The call's own id makes its repeat succeed and a second use of the token fail.
var takeScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 'gone' end
local entry = redis.call('HGET', KEYS[2], ARGV[1])
if not entry then return 'seat' end
local token, player = string.match(entry, '^%d+|([^|]*)|(.*)$')
local done = '!' .. ARGV[3] .. '/' .. ARGV[4]
if player ~= ARGV[2] then return 'seat' end
if token == done then return 'ok' end
if token ~= ARGV[3] then return 'seat' end
redis.call('HSET', KEYS[2], ARGV[1], '0|' .. done .. '|' .. player)
return 'ok'`)

// Rejoin lets a player who has a seat claim it again with another token, of this id. Errors: ErrNoRoom, also when the
// player has no seat there, so that nobody learns which rooms there are.
func (d *Directory) Rejoin(ctx context.Context, room, player, tokenID string) (seat uint16, err error) {
	doing := "rejoining room " + room
	n, err := rejoinScript.Run(ctx, d.rdb, []string{d.room(room), d.seats(room)}, player, tokenID).Int()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	if n == 0 {
		return 0, fmt.Errorf("%s: %w", doing, ErrNoRoom)
	}
	return uint16(n), nil
}

var rejoinScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local list = redis.call('HGETALL', KEYS[2])
for i = 1, #list, 2 do
	local deadline, player = string.match(list[i + 1], '^(%d+)|[^|]*|(.*)$')
	if player == ARGV[1] and deadline == '0' then
		redis.call('HSET', KEYS[2], list[i], '0|' .. ARGV[2] .. '|' .. player)
		return tonumber(list[i])
	end
end
return 0`)

// FreeSeat says that a seat which was taken is free. Its host calls it.
func (d *Directory) FreeSeat(ctx context.Context, room string, epoch uint64, seat uint16) error {
	doing := fmt.Sprintf("freeing seat %d of room %s", seat, room)
	answer, err := freeScript.Run(ctx, d.rdb, []string{d.room(room), d.seats(room)}, epoch, seat).StringSlice()
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if err := answered(doing, answer[0], nil); err != nil {
		return err
	}
	if err := d.look(ctx, answer[1], room, ""); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// Only a taken seat is freed: run again, the script must not take a reservation that came in between.
var freeScript = redis.NewScript(`
local rec = redis.call('HMGET', KEYS[1], 'epoch', 'queue')
if not rec[1] then return {'gone'} end
if rec[1] ~= ARGV[1] then return {'fenced'} end
local entry = redis.call('HGET', KEYS[2], ARGV[2])
if entry and string.sub(entry, 1, 2) == '0|' then redis.call('HDEL', KEYS[2], ARGV[2]) end
return {'ok', rec[2]}`)
