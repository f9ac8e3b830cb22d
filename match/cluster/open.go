package cluster

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// maxOpen bounds how many rooms OpenRooms returns.
const maxOpen = 64

// A queue's index holds its rooms by the time (in ms by Redis's clock: those of its readers and writers may differ) from
// which it is worth looking at them: a room with a free seat since it has one, a full room from the end of its next
// reservation, which may never be taken. A room whose seats are all taken is not in it.

// state is a room at one moment.
type state struct {
	Room
	err     error // the room does not exist, or its record cannot be read
	free    int
	next    int64 // full: when the next reservation ends; 0 when none is open
	byTeam  []int // free seats of each team; nil where it has none
	players []string

	seated []string // of those the players who have taken their seats

	occupied int // also of a room with shut doors
}

// inIndex says how the room should stand in its queue's index: "open", a time, or "" for not at all.
func (s *state) inIndex() string {
	switch {
	case s.err != nil, s.free == 0 && s.next == 0:
		return ""
	case s.free > 0:
		return "open"
	}
	return strconv.FormatInt(s.next, 10)
}

// states reads rooms.
func (d *Directory) states(ctx context.Context, ids ...string) ([]state, error) {
	pipe := d.rdb.Pipeline()
	records, seats := make([]*redis.MapStringStringCmd, len(ids)), make([]*redis.MapStringStringCmd, len(ids))
	for i, id := range ids {
		records[i], seats[i] = pipe.HGetAll(ctx, d.room(id)), pipe.HGetAll(ctx, d.seats(id))
	}
	now := pipe.Time(ctx)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("reading rooms: %w", err)
	}
	list := make([]state, len(ids))
	for i, id := range ids {
		s := &list[i]
		s.Room, s.err = parseRoom(id, records[i].Val())
		s.count(records[i].Val(), seats[i].Val(), now.Val().UnixMilli())
	}
	return list, nil
}

// count works out what the seats' entries say.
func (s *state) count(record, entries map[string]string, now int64) {
	s.free = s.Seats
	for range s.Teams {
		s.byTeam = append(s.byTeam, s.TeamSize)
	}
	for seat, e := range entries {
		_, rest, _ := strings.Cut(e, "|")
		_, player, _ := strings.Cut(rest, "|")
		deadline := deadlineOf(e)
		if deadline != 0 && deadline <= now {
			continue
		}
		s.free, s.occupied = s.free-1, s.occupied+1
		s.players = append(s.players, player)
		if deadline == 0 {
			s.seated = append(s.seated, player)
		}
		if deadline != 0 && (s.next == 0 || deadline < s.next) {
			s.next = deadline
		}
		if team := teamOfSeat(record, seat, player); 0 < team && team <= s.Teams && s.byTeam[team-1] > 0 {
			s.byTeam[team-1]--
		}
	}
	slices.Sort(s.players)
	slices.Sort(s.seated)
	if s.Shut || s.Off {
		s.free, s.next, s.byTeam = 0, 0, nil // nobody may have one
	}
}

// deadlineOf is the deadline of a seat's entry; one that cannot be read is long over.
func deadlineOf(entry string) int64 {
	before, _, _ := strings.Cut(entry, "|")
	deadline, err := strconv.ParseInt(before, 10, 64)
	if err != nil {
		return -1
	}
	return deadline
}

// teamOfSeat is what the scripts' teamOf is.
func teamOfSeat(record map[string]string, seat, player string) int {
	team, of, _ := strings.Cut(record["team:"+seat], "|")
	n, err := strconv.Atoi(team)
	if err != nil || of != player {
		return 0
	}
	return n
}

// index brings a room's place in its queue's index up to date. What was read may be outdated when it is written, so it
// is read again until it is what was written: whoever writes last has read last.
func (d *Directory) index(ctx context.Context, queue, room string) error {
	if queue == "" {
		return nil
	}
	for wrote := "nothing yet"; ; {
		list, err := d.states(ctx, room)
		if err != nil {
			return err
		}
		want := list[0].inIndex()
		if want == wrote {
			return nil
		}
		if err := d.place(ctx, queue, room, want); err != nil {
			return err
		}
		wrote = want
	}
}

// place writes a room's place, as inIndex says it.
func (d *Directory) place(ctx context.Context, queue, room, at string) error {
	if err := placeScript.Run(ctx, d.rdb, []string{d.open(queue)}, room, at, listTTL.Milliseconds()).Err(); err != nil {
		return fmt.Errorf("indexing room %s of queue %s: %w", room, queue, err)
	}
	return nil
}

var placeScript = redis.NewScript(`
local at = ARGV[2]
if at == '' then return redis.call('ZREM', KEYS[1], ARGV[1]) end
if at == 'open' then
	local t = redis.call('TIME')
	at = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
end
redis.call('ZADD', KEYS[1], at, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 'ok'`)

// OpenRoom is a room that may take players.
type OpenRoom struct {
	Room
	Free int // seats that were neither taken nor reserved when it was read, at least 1
	// FreeByTeam are those of each team, nil in a room without teams. Players without a team may have some of them: all
	// together are no more than Free.
	FreeByTeam []int
	Players    []string // who has a seat or a reservation, sorted
}

// OpenRooms returns rooms of a queue that have free seats, those first that are open longest; at most 64. Rooms that are
// full or exist no longer are put where they belong on the way.
func (d *Directory) OpenRooms(ctx context.Context, queue string) ([]OpenRoom, error) {
	ids, err := openScript.Run(ctx, d.rdb, []string{d.open(queue)}, maxOpen).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("listing the open rooms of queue %s: %w", queue, err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	states, err := d.states(ctx, ids...)
	if err != nil {
		return nil, err
	}
	var list []OpenRoom
	for i := range states {
		if s := &states[i]; s.err == nil && s.free > 0 {
			list = append(list, OpenRoom{s.Room, s.free, s.byTeam, s.players})
		} else if err := d.index(ctx, queue, ids[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

var openScript = redis.NewScript(`
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])`)
