package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"muster/proto"
)

// limits are how many hosts may stop soon after they have opened a room: then it is the room that is to blame. Of those
// under attempts none but the first has got further than the one before it; under crashes are all.
type limits struct{ attempts, crashes int }

var defaultLimits = limits{attempts: 2, crashes: 3}

// Claimed says what is to be done with a room that was claimed.
type Claimed string

// What can be to do.
const (
	// ClaimedRoom is to be opened: by its journal where it has Ran.
	ClaimedRoom Claimed = "ok"
	// ClaimedResult has its result with its record, which is to be posted; then the room is to be ended.
	ClaimedResult Claimed = "result"
	// ClaimedOver has stopped too many hosts, and is to fail with 4204.
	ClaimedOver Claimed = "over"
	// ClaimedLost has failed, and its lobby is perhaps not told: Fail does the rest.
	ClaimedLost Claimed = "lost"
	// ClaimedOff was called off: there is nothing to do.
	ClaimedOff Claimed = "off"
)

// Blame says that a node has stopped, perhaps by a room of its own.
type Blame struct {
	// Further is how many ticks more than the host before it the node's journal must have of the room, for it to have got
	// past what stopped that one: some ticks that a host has run are not in its journal.
	Further int
}

// Claim takes a room over from a node that is gone, under a new epoch. The new node must Own it already. Claimed again by
// the same node it is what it was. The epoch is higher than the room's and than floor, which is the highest that is known of
// any room: what Redis has may be older. blame is not nil where the room may be what stopped the other node, if that had opened
// it. Errors: ErrNoRoom, ErrFenced where the room is not that node's any more.
func (d *Directory) Claim(ctx context.Context, room, from, node string, floor uint64, blame *Blame) (Claimed, Room, error) {
	doing, further := "claiming room "+room, ""
	if blame != nil {
		further = strconv.Itoa(blame.Further)
	}
	word, err := claimScript.Run(ctx, d.rdb, append(d.all(room), d.journal(room), d.hangs(room)), from, node, roomTTL.Milliseconds(),
		d.limits.attempts, maxHangs, floor, further, d.limits.crashes).Text()
	if err == nil && (word == "gone" || word == "fenced") {
		err = answered(doing, word, nil)
	} else if err != nil {
		err = fmt.Errorf("%s: %w", doing, err)
	}
	if err != nil {
		return "", Room{}, err
	}
	r, err := d.Room(ctx, room)
	if err == nil && r.Node != node {
		err = fmt.Errorf("%s: %w", doing, ErrFenced)
	}
	return Claimed(word), r, err
}

// A room that its host never opened has not stopped it. In its record: from, what its journal's newest tick was at the last
// claim; attempts, how many hosts in a row have stopped where the one before did; crashes, how many have stopped in a row at
// all. They begin anew once it is past that: see Renew.
var claimScript = redis.NewScript(`
local rec = redis.call('HMGET', KEYS[1], 'node', 'epoch', 'off', 'attempts', 'begun', 'result', 'lost', 'clean', 'from', 'crashes')
if not rec[1] then return 'gone' end
local attempts, crashes = tonumber(rec[4] or '0'), tonumber(rec[10] or '0')
if rec[1] ~= ARGV[2] then
	if rec[1] ~= ARGV[1] then return 'fenced' end
	local t = redis.call('TIME')
	local epoch = string.format('%.0f', math.max(t[1] * 1000 + math.floor(t[2] / 1000), tonumber(rec[2]) + 1, tonumber(ARGV[6]) + 1))
	local last = redis.call('HGET', KEYS[#KEYS - 1], 'last')
	redis.call('HSETNX', KEYS[1], 'created', rec[2])
	redis.call('HSET', KEYS[1], 'node', ARGV[2], 'epoch', epoch)
	redis.call('HDEL', KEYS[1], 'clean', 'begun')
	if rec[5] and not rec[3] and not rec[6] and rec[8] ~= '1' and ARGV[7] ~= '' then
		local past = last and rec[9] and tonumber(last) > tonumber(rec[9]) + tonumber(ARGV[7])
		attempts, crashes = past and 1 or attempts + 1, crashes + 1
		redis.call('HSET', KEYS[1], 'attempts', tostring(attempts), 'crashes', tostring(crashes))
	end
	if last then redis.call('HSET', KEYS[1], 'from', last) end
	redis.call('PEXPIRE', KEYS[1], ARGV[3])
	redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
if rec[7] then return 'lost' end
if rec[3] then return 'off' end
if rec[6] then return 'result' end
local hangs = redis.call('SCARD', KEYS[#KEYS])
if attempts >= tonumber(ARGV[4]) or crashes >= tonumber(ARGV[8]) or hangs >= tonumber(ARGV[5]) then return 'over' end
return 'ok'`)

// HandOver says that a room is its node's no longer, and that another one is to go on with it. Its host calls it.
// failed says that the room may be to blame, so that it counts as one of its attempts.
func (d *Directory) HandOver(ctx context.Context, room string, epoch uint64, failed bool) error {
	clean := "1"
	if failed {
		clean = ""
	}
	if err := d.Own(ctx, Released, room); err != nil {
		return err
	}
	answer, err := handOverScript.Run(ctx, d.rdb, d.all(room), epoch, Released, roomTTL.Milliseconds(), clean).Text()
	if err = answered("releasing room "+room, answer, err); errors.Is(err, ErrNoRoom) {
		return nil
	}
	return err
}

var handOverScript = redis.NewScript(older + `
local owner = redis.call('HGET', KEYS[1], 'epoch')
if not owner then return 'gone' end
if owner ~= ARGV[1] then return 'fenced' end
redis.call('HSET', KEYS[1], 'node', ARGV[2], 'clean', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 'ok'`)

// older compares epochs as decimal numbers: not all of them fit Lua's.
const older = `
local function older(a, b) return #a < #b or #a == #b and a < b end
`

// Lost is a match that was not played to its end, and for which its players may wait again.
type Lost struct {
	Room    string   `json:"room"`
	Game    string   `json:"game"`
	Queue   string   `json:"queue"`   // that made it
	Players []string `json:"players"` // who had seats
	Meta    []byte   `json:"meta,omitempty"`
}

// Fail ends a room of which nothing is left to go on from: for a while its record says why, and nobody gets in. Where the
// code is 4201 the match was lost, and a lobby hears whose tickets are to wait again, once. Errors: ErrFenced.
func (d *Directory) Fail(ctx context.Context, room string, epoch uint64, c proto.Close) error {
	doing := "failing room " + room
	answer, err := failScript.Run(ctx, d.rdb, d.all(room), epoch, uint16(c.Code), c.Reason, roomTTL.Milliseconds(),
		memoryTTL.Milliseconds()).StringSlice()
	word, err := wordOf(answer, 5, err)
	if err = answered(doing, word, err); err != nil {
		if errors.Is(err, ErrNoRoom) {
			return nil
		}
		return err
	}
	queue, public, code, started := answer[1], answer[2], answer[3], answer[4]
	if started != "" {
		if err := d.postLost(ctx, room); err != nil {
			return err
		}
	}
	return errors.Join(d.withdraw(ctx, room, queue, public), d.dropCode(ctx, code, room))
}

// The answer: how it went, queue, public, code, and whether a lobby is to be told. The first reason stays. A match that had
// not begun is off, as if it had been called off.
var failScript = redis.NewScript(older + settling + `
local rec = redis.call('HMGET', KEYS[1], 'epoch', 'lost', 'queue', 'public', 'code', 'expect', 'once', 'told', 'madeby')
if not rec[1] then return {'gone', '', '', '', ''} end
if rec[1] ~= ARGV[1] then return {'fenced', '', '', '', ''} end
if not rec[2] then redis.call('HSET', KEYS[1], 'off', '1', 'lost', ARGV[2], 'why', ARGV[3]) end
local state = redis.call('HGET', KEYS[4], 'state')
if not state and rec[7] then
	settle('off', came(), ARGV[5])
	state = 'off'
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
local tell = (rec[2] or ARGV[2]) == '4201' and state ~= 'off' and (rec[3] or rec[9]) and not rec[8]
return {'ok', rec[3] or '', rec[4] or '', rec[5] or '', tell and '1' or ''}`)

// postLost tells a lobby whose tickets are to wait again. It may be done twice.
func (d *Directory) postLost(ctx context.Context, room string) error {
	doing := "telling of the lost match " + room
	list, err := d.states(ctx, room)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	s := &list[0]
	if errors.Is(s.err, ErrNoRoom) {
		return nil
	} else if s.err != nil {
		return fmt.Errorf("%s: %w", doing, s.err)
	}
	lost := Lost{Room: room, Game: s.Game, Queue: cmp.Or(s.MadeBy, s.Queue), Players: s.seated, Meta: s.Meta}
	body, err := json.Marshal(lost)
	if err == nil {
		err = postScript.Run(ctx, d.rdb, []string{d.outbox(), d.posted(room + ":lost")}, body, postedTTL.Milliseconds(), "lost").Err()
	}
	if err == nil {
		err = toldScript.Run(ctx, d.rdb, d.all(room)).Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

var toldScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'told', '1') end
return 'ok'`)

// Seated returns the players who have taken their seats in a room, sorted.
func (d *Directory) Seated(ctx context.Context, room string) ([]string, error) {
	list, err := d.states(ctx, room)
	if err != nil {
		return nil, err
	}
	return list[0].seated, nil
}

// PostKept posts the result that a claimed room's record has.
func (d *Directory) PostKept(ctx context.Context, r Room) error {
	var result proto.Result
	if err := json.Unmarshal([]byte(r.Result), &result); err != nil {
		return fmt.Errorf("reading the result that room %s has left: %w", r.ID, err)
	}
	return d.post(ctx, result)
}

func lostClose(f map[string]string) *proto.Close {
	if f["lost"] == "" {
		return nil
	}
	c := proto.Close{Code: proto.CodeMatchGone, Reason: f["why"]}
	if strings.TrimSpace(f["lost"]) == fmt.Sprint(uint16(proto.CodeRulesFailed)) {
		c.Code = proto.CodeRulesFailed
	}
	return &c
}
