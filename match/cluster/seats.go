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
// by Redis's clock) and TOKEN the id of the token that claims it. Once it is taken DEADLINE is 0, and TOKEN is "!" and
// how it was taken, or again the id of a token where the player may claim the seat once more.
//
// The seat's team is the record's field "team:SEAT", "TEAM|PLAYER": there it is in nobody's way who knows of no teams,
// and it says nothing of another player to whom such a one gave the seat.

// teamOf is what scripts share that ask for a seat's team: "0" is none.
const teamOf = `
local function teamOf(seat, player)
	local field = redis.call('HGET', KEYS[1], 'team:' .. seat)
	local team, of = string.match(field or '', '^(%d+)|(.*)$')
	return of == player and team or '0'
end
`

// Seats is what Reserve gave.
type Seats struct {
	Epoch   uint64
	List    []uint16 // in the order of the claims
	Free    int      // seats that are left
	Version uint64   // the room's
}

// Reserve reserves a seat for each claim, all or none, until ttl has passed, and keeps the room's record for a minute. A
// player who has a seat in the room gets that one, also where its rules take no new players; one who sits there already
// stays in the team, one who is still on the way comes into the one that is named now. Errors: ErrNoRoom, ErrFull, which
// also means that a team has no place.
func (d *Directory) Reserve(ctx context.Context, room string, ttl time.Duration, claims []Claim) (Seats, error) {
	return d.ReserveIf(ctx, room, 0, ttl, claims)
}

// ReserveIf is Reserve for one who has read the room when its Version was this, and else gets ErrStale. Repeated, it
// gives what it gave. 0 is any version.
func (d *Directory) ReserveIf(ctx context.Context, room string, version uint64, ttl time.Duration, claims []Claim) (Seats, error) {
	doing := "reserving seats in room " + room
	args := append(make([]any, 0, 3+3*len(claims)), ttl.Milliseconds(), roomTTL.Milliseconds(), version)
	for _, c := range claims {
		args = append(args, c.Token, c.Player, c.Team)
	}
	answer, err := reserveScript.Run(ctx, d.rdb, d.all(room), args...).StringSlice()
	outcome, err := wordOf(answer, 6, err)
	if err != nil {
		return Seats{}, fmt.Errorf("%s: %w", doing, err)
	}
	queue, code := answer[1], answer[5]
	s := Seats{}
	s.Free, err = strconv.Atoi(answer[2])
	if err == nil && s.Free == 0 {
		err = d.index(ctx, queue, room)
	}
	if err = errors.Join(answered(doing, outcome, nil), err, d.keepCode(ctx, code, room)); err != nil {
		return Seats{}, err
	}
	var errs [2]error
	s.Epoch, errs[0] = strconv.ParseUint(answer[3], 10, 64)
	s.Version, errs[1] = strconv.ParseUint(answer[4], 10, 64)
	err = errors.Join(errs[:]...)
	for _, a := range answer[6:] {
		n, perr := strconv.ParseUint(a, 10, 16)
		s.List, err = append(s.List, uint16(n)), errors.Join(err, perr)
	}
	if err != nil {
		return Seats{}, fmt.Errorf("%s: %w", doing, err)
	}
	return s, nil
}

// The answer of reserve: how it went, the queue, how many seats are free now, the epoch, the version, the join code, the
// seats. The entry of a reservation that has run out stays until another takes its place: its token claims nothing, and
// is told why.
var reserveScript = redis.NewScript(teamOf + `
local rec = redis.call('HMGET', KEYS[1], 'seats', 'queue', 'epoch', 'shut', 'off', 'version', 'teamsize', 'code', 'expectms', 'till')
local n = tonumber(rec[1])
if not n or rec[5] then return {'gone', '', '-1', '', '', ''} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local size = tonumber(rec[7]) or 0
local held, byPlayer, tokens, taken, inTeam, used = {}, {}, {}, {}, {}, 0
local list = redis.call('HGETALL', KEYS[2])
for i = 1, #list, 2 do
	local seat = tonumber(list[i])
	local deadline, token, player = string.match(list[i + 1], '^(%d+)|([^|]*)|(.*)$')
	deadline = tonumber(deadline)
	if deadline == 0 or deadline > now then
		held[seat], byPlayer[player], tokens[seat], used = true, seat, token, used + 1
		taken[seat] = deadline == 0
		if size > 0 then
			local team = teamOf(list[i], player)
			inTeam[team] = (inTeam[team] or 0) + 1
		end
	end
end
local before, version, till = used, rec[6] or '0', string.format('%.0f', now + tonumber(ARGV[1]))
local function refuse(why) return {why, rec[2], tostring(n - before), rec[3], version, ''} end
local seats, set, teams, new, free, gave, placed = {}, {}, {}, {}, 1, {}, {}
for i = 5, #ARGV, 3 do -- whose reservation is made anew gives his place in a team back first
	local seat = byPlayer[ARGV[i]]
	if size > 0 and seat and not taken[seat] and not gave[seat] then
		local team = teamOf(seat, ARGV[i])
		inTeam[team], gave[seat] = inTeam[team] - 1, true
	end
end
for i = 4, #ARGV, 3 do
	local token, player, team = ARGV[i], ARGV[i + 1], ARGV[i + 2]
	local seat = byPlayer[player]
	if not seat then
		while held[free] do free = free + 1 end
		if free > n or rec[4] == '1' then return refuse('full') end
		seat, held[free], byPlayer[player], used = free, true, free, used + 1
	end
	if size > 0 and not taken[seat] then
		local last = placed[seat] -- of a player who is there twice the last claim counts
		if last then inTeam[last] = inTeam[last] - 1 end
		if team ~= '0' and (inTeam[team] or 0) >= size then return refuse('full') end
		inTeam[team], placed[seat] = (inTeam[team] or 0) + 1, team
	end
	local done = '!' .. token .. '/' -- this claim was, if the script runs again as late as that
	new[seat] = nil
	if string.sub(tokens[seat] or '', 1, #done) ~= done then
		if tokens[seat] ~= token then new[seat] = true end
		set[#set + 1] = tostring(seat)
		set[#set + 1] = (taken[seat] and '0' or till) .. '|' .. token .. '|' .. player
		if not taken[seat] then teams[#teams + 1] = {tostring(seat), team, player} end
	end
	seats[#seats + 1] = tostring(seat)
end
if next(new) and ARGV[3] ~= '0' and ARGV[3] ~= version then
	return refuse('stale')
end
if #set > 0 then redis.call('HSET', KEYS[2], unpack(set)) end
for _, s in ipairs(teams) do
	if s[2] == '0' then
		redis.call('HDEL', KEYS[1], 'team:' .. s[1])
	else
		redis.call('HSET', KEYS[1], 'team:' .. s[1], s[2] .. '|' .. s[3])
	end
end
if used > before then version = tostring(redis.call('HINCRBY', KEYS[1], 'version', 1)) end
if rec[9] and not rec[10] then
	redis.call('HSET', KEYS[1], 'till', string.format('%.0f', now + tonumber(rec[9])))
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local answer = {'ok', rec[2], tostring(n - used), rec[3], version, rec[8] or ''}
for i = 1, #seats do answer[#answer + 1] = seats[i] end
return answer`)

// Release gives back reservations that are not taken yet, by their tokens.
func (d *Directory) Release(ctx context.Context, room string, claims []Claim) error {
	args := make([]any, len(claims))
	for i, c := range claims {
		args[i] = c.Token
	}
	queue, err := releaseScript.Run(ctx, d.rdb, d.all(room), args...).Text()
	if err == nil {
		err = d.index(ctx, queue, room)
	}
	if err != nil {
		return fmt.Errorf("releasing seats of room %s: %w", room, err)
	}
	return nil
}

var releaseScript = redis.NewScript(`
local list, released = redis.call('HGETALL', KEYS[2]), false
for i = 1, #list, 2 do
	local deadline, token = string.match(list[i + 1], '^(%d+)|([^|]*)|')
	for k = 1, #ARGV do
		if token == ARGV[k] and deadline ~= '0' then
			redis.call('HDEL', KEYS[2], list[i])
			redis.call('HDEL', KEYS[1], 'team:' .. list[i])
			released = true
		end
	end
end
if released and redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HINCRBY', KEYS[1], 'version', 1) end
return redis.call('HGET', KEYS[1], 'queue') or ''`)

// TakeSeat burns the token with the id tokenID, which claims the seat for the player, and returns the seat's team; 0 is
// none. Errors: ErrNoRoom, ErrSeat, ErrLate.
func (d *Directory) TakeSeat(ctx context.Context, room string, seat uint16, player, tokenID string) (team uint16, err error) {
	doing := fmt.Sprintf("taking seat %d of room %s", seat, room)
	answer, err := takeScript.Run(ctx, d.rdb, d.all(room), seat, player, tokenID, NewID(),
		maxCame, roomTTL.Milliseconds(), memoryTTL.Milliseconds()).StringSlice()
	outcome, err := wordOf(answer, 2, err)
	if err = answered(doing, outcome, err); err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(answer[1], 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	return uint16(n), nil
}

// The call's own id makes its repeat succeed and a second use of the token fail. Who comes is remembered, and whether now
// all are there whom the room was made for.
var takeScript = redis.NewScript(settling + teamOf + `
local rec = redis.call('HMGET', KEYS[1], 'seats', 'off', 'expect', 'once')
if not rec[1] or rec[2] then return {'gone', ''} end
local entry = redis.call('HGET', KEYS[2], ARGV[1])
if not entry then return {'seat', ''} end
local deadline, token, player = string.match(entry, '^(%d+)|([^|]*)|(.*)$')
local done = '!' .. ARGV[3] .. '/' .. ARGV[4]
if player ~= ARGV[2] then return {'seat', ''} end
if token == done then return {'ok', teamOf(ARGV[1], player)} end
if token ~= ARGV[3] then return {'seat', ''} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if deadline ~= '0' and tonumber(deadline) <= now then return {'late', ''} end
redis.call('HSET', KEYS[2], ARGV[1], '0|' .. done .. '|' .. player)
redis.call('ZADD', KEYS[3], string.format('%.0f', now), token .. '|' .. player)
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[5]) - tonumber(rec[1]))
redis.call('PEXPIRE', KEYS[3], rec[4] and ARGV[7] or ARGV[6])
if rec[3] and redis.call('EXISTS', KEYS[4]) == 0 then
	local players = came()
	if #players >= tonumber(rec[3]) then settle('started', players, ARGV[7]) end
end
return {'ok', teamOf(ARGV[1], player)}`)

// Rejoin lets a player who has a seat claim it again with another token, of this id. Errors: ErrNoRoom, also when the
// player has no seat there, so that nobody learns which rooms there are.
func (d *Directory) Rejoin(ctx context.Context, room, player, tokenID string) (seat uint16, err error) {
	doing := "rejoining room " + room
	n, err := rejoinScript.Run(ctx, d.rdb, d.all(room), player, tokenID).Int()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	if n == 0 {
		return 0, fmt.Errorf("%s: %w", doing, ErrNoRoom)
	}
	return uint16(n), nil //nolint:gosec // seats are few
}

var rejoinScript = redis.NewScript(`
local rec = redis.call('HMGET', KEYS[1], 'seats', 'off')
if not rec[1] or rec[2] then return 0 end
local list = redis.call('HGETALL', KEYS[2])
for i = 1, #list, 2 do
	local deadline, player = string.match(list[i + 1], '^(%d+)|[^|]*|(.*)$')
	if player == ARGV[1] and deadline == '0' then
		redis.call('HSET', KEYS[2], list[i], '0|' .. ARGV[2] .. '|' .. player)
		return tonumber(list[i])
	end
end
return 0`)

// claimTTL is how long a token stays good that claims once more a seat which became free meanwhile. It outlives the
// token's own expiry.
const claimTTL = 30 * time.Second

// FreeSeat says that a seat which was taken is free. Its host calls it. Where the player may claim the seat once more,
// with a token that is not used yet, it becomes a reservation. claims are the tokens by which the player came whom the
// host means: a player who left, queued, and took the seat again before the host's word came keeps it. None stands for
// any.
func (d *Directory) FreeSeat(ctx context.Context, room string, epoch uint64, seat uint16, claims []string) error {
	doing := fmt.Sprintf("freeing seat %d of room %s", seat, room)
	args := append(make([]any, 0, 3+len(claims)), epoch, seat, claimTTL.Milliseconds())
	for _, c := range claims {
		args = append(args, c)
	}
	answer, err := freeScript.Run(ctx, d.rdb, d.all(room), args...).StringSlice()
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if err := answered(doing, answer[0], nil); err != nil {
		return err
	}
	if err := d.index(ctx, answer[1], room); err != nil {
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
local claim = entry and string.match(entry, '^0(|.*)$')
if claim and string.sub(claim, 2, 2) == '!' then
	local meant = #ARGV == 3
	for i = 4, #ARGV do
		local done = '!' .. ARGV[i] .. '/'
		meant = meant or string.sub(claim, 2, 1 + #done) == done
	end
	if meant then
		redis.call('HDEL', KEYS[2], ARGV[2])
		redis.call('HDEL', KEYS[1], 'team:' .. ARGV[2])
		redis.call('HINCRBY', KEYS[1], 'version', 1)
	end
elseif claim then
	local t = redis.call('TIME')
	local till = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[3]))
	redis.call('HSET', KEYS[2], ARGV[2], till .. claim)
end
return {'ok', rec[2]}`)
