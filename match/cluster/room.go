package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/proto"
)

// Errors that callers decide on.
var (
	// ErrNoRoom means that the room does not exist, exists no longer, or was called off.
	ErrNoRoom = errors.New("no such room")
	// ErrFull means that a room has fewer free seats than were asked for.
	ErrFull = errors.New("not enough free seats")
	// ErrStale means that the room's free seats are no longer those that the caller has read.
	ErrStale = errors.New("the room's free seats have changed")
	// ErrSeat means that a token does not claim the seat: it was used, or the seat is not the player's.
	ErrSeat = errors.New("the token does not claim this seat")
	// ErrLate means that a token would have claimed the seat, but the reservation has run out.
	ErrLate = errors.New("the reservation has run out")
	// ErrFenced means that the room has another owner by now.
	ErrFenced = errors.New("the room belongs to a newer epoch")
	// ErrCalledOff means that too few of the players came whom the room was made for. Its host ends it.
	ErrCalledOff = errors.New("the room was called off")
	// ErrCode means that a join code leads to another room.
	ErrCode = errors.New("the code is another room's")
)

// roomTTL is how long a room's record outlives the last sign of its host, or the last reservation, and how long that of a
// room that was called off is kept.
const roomTTL = time.Minute

// memoryTTL is how long it is remembered that a room which was created by its id is over, and who came to it.
const memoryTTL = time.Hour

// NewRoom is what a room is created with. Only Game, Node and Seats are required.
type NewRoom struct {
	// ID makes the creation idempotent; "" is a new one.
	ID    string
	Game  string
	Rules string // the version of the game's rules
	Queue string // whose matchmaker may fill its seats
	// MadeBy is the queue whose match it is, also where nobody fills its seats any more. "" is Queue.
	MadeBy string
	Node   string // the host
	Seats  int
	// Teams is how many teams of TeamSize seats there are; 0 is none.
	Teams, TeamSize int

	Region string
	On     map[string]string // tags that its node must have
	Tags   map[string]string // by which it is found
	Title  string
	Public bool   // anybody may find it, and join it unless it is a queue's match (MadeBy)
	Code   string // by which it is joined; no other room has it
	Owner  string // the player who made it
	Config []byte // for the game
	Meta   []byte // the lobby's own words about the match
	// Request stands for what its maker asked for, so that a repeated request is known.
	Request string

	// Expect is how many players must come within ExpectFor of the first reservation; 0 is no such promise. Need is how
	// many of them are enough at the deadline; 0 is all. See Settle.
	Expect, Need int
	ExpectFor    time.Duration
}

// Room is a room's record.
type Room struct {
	NewRoom
	Seed    uint64
	Epoch   uint64
	Created time.Time // by Redis's clock
	Shut    bool      // its rules take no new players
	Off     bool      // it was called off, or has failed
	// Failed says why a room that is Off failed: 4201 with its host, 4204 by its rules. Nil: it was called off.
	Failed *proto.Close
	Ran    bool // it has been opened
	Begun  bool // under its epoch
	Kept   bool // a journal has something of it
	// Attempts is how many hosts have stopped soon after they opened it.
	Attempts int
	// Result is the JSON of its result, which is perhaps not posted yet; "" is none.
	Result string
	// Version moves with every change of the free seats or the doors but a reservation's end by time. The first is 1.
	Version uint64
}

// Claim is a player for whom a seat is reserved, and the id of the token that will claim it.
type Claim struct {
	Player string
	Token  string
	Team   uint16 // from 1; 0 is none
}

// Directory keeps the rooms' records. Any goroutine may use it. It has the methods of match.Directory.
type Directory struct {
	rdb redis.UniversalClient
	keys
	// Ordered, if it is not nil, is told of each room that is renewed while orders wait for it. It must not block, and is set
	// before the Directory is used.
	Ordered func(room string)

	limits limits
}

// NewDirectory returns the directory of the deployment with this namespace.
func NewDirectory(rdb redis.UniversalClient, namespace string) *Directory {
	return &Directory{rdb: rdb, keys: keys{namespace}, limits: defaultLimits}
}

// Room returns a room's record, also of one that was called off, or ErrNoRoom.
func (d *Directory) Room(ctx context.Context, id string) (Room, error) {
	f, err := d.rdb.HGetAll(ctx, d.room(id)).Result()
	return readRoom(id, f, err)
}

// Found is a room's record, or why it could not be read: ErrNoRoom where there is none.
type Found struct {
	Room
	Err error
}

// Rooms returns rooms' records, read in one exchange, each as Room does.
func (d *Directory) Rooms(ctx context.Context, ids ...string) []Found {
	pipe := d.rdb.Pipeline()
	cmds := make([]*redis.MapStringStringCmd, len(ids))
	for i, id := range ids {
		cmds[i] = pipe.HGetAll(ctx, d.room(id))
	}
	_, _ = pipe.Exec(ctx) // each has its error: what one server of a Cluster has is read where another one is away
	list := make([]Found, len(ids))
	for i, id := range ids {
		f, err := cmds[i].Result()
		list[i].Room, list[i].Err = readRoom(id, f, err)
	}
	return list
}

func readRoom(id string, f map[string]string, err error) (r Room, _ error) {
	if err == nil {
		r, err = parseRoom(id, f)
	}
	if err != nil {
		return Room{}, fmt.Errorf("reading room %s: %w", id, err)
	}
	return r, nil
}

// fields are a new room's own, those that say something.
func (n *NewRoom) fields() ([]any, error) {
	list := []any{"game", n.Game, "rules", n.Rules, "queue", n.Queue, "node", n.Node, "seats", n.Seats}
	for _, f := range []struct{ name, value string }{
		{"madeby", n.MadeBy},
		{"region", n.Region},
		{"title", n.Title},
		{"code", n.Code},
		{"owner", n.Owner},
		{"config", string(n.Config)},
		{"meta", string(n.Meta)},
		{"request", n.Request},
	} {
		if f.value != "" {
			list = append(list, f.name, f.value)
		}
	}
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"teams", int64(n.Teams)},
		{"teamsize", int64(n.TeamSize)},
		{"expect", int64(n.Expect)},
		{"need", int64(n.Need)},
		{"expectms", n.ExpectFor.Milliseconds()},
	} {
		if f.value != 0 {
			list = append(list, f.name, f.value)
		}
	}
	if n.Public {
		list = append(list, "public", "1")
	}
	for _, f := range []struct {
		name string
		tags map[string]string
	}{{"tags", n.Tags}, {"on", n.On}} {
		if len(f.tags) == 0 {
			continue
		}
		text, err := json.Marshal(f.tags)
		if err != nil {
			return nil, fmt.Errorf("the room's field %s: %w", f.name, err)
		}
		list = append(list, f.name, text)
	}
	return list, nil
}

// parseRoom reads a record. One that was written before a field existed has that field's zero value.
func parseRoom(id string, f map[string]string) (Room, error) {
	if len(f) == 0 {
		return Room{}, ErrNoRoom
	}
	r := Room{NewRoom: NewRoom{
		ID: id, Game: f["game"], Rules: f["rules"], Queue: f["queue"], MadeBy: f["madeby"], Node: f["node"], Region: f["region"],
		Title: f["title"], Public: f["public"] == "1", Code: f["code"], Owner: f["owner"], Request: f["request"],
		Config: bytesOf(f["config"]), Meta: bytesOf(f["meta"]),
	}, Shut: f["shut"] == "1", Off: f["off"] == "1", Failed: lostClose(f), Ran: f["ran"] == "1", Begun: f["begun"] == "1", Kept: f["kept"] == "1", Result: f["result"]}
	number := func(name string, required bool) (n uint64, err error) {
		if f[name] == "" && !required {
			return 0, nil
		}
		if n, err = strconv.ParseUint(f[name], 10, 64); err != nil {
			return 0, fmt.Errorf("its field %s: %w", name, err)
		}
		return n, nil
	}
	var errs []error
	for _, n := range []struct {
		name string
		to   *int
	}{
		{"seats", &r.Seats},
		{"teams", &r.Teams},
		{"teamsize", &r.TeamSize},
		{"expect", &r.Expect},
		{"need", &r.Need},
		{"attempts", &r.Attempts},
	} {
		v, err := number(n.name, n.name == "seats")
		*n.to, errs = int(v&0xffff), append(errs, err) // they count seats
	}
	for _, n := range []struct {
		name string
		to   *uint64
	}{{"seed", &r.Seed}, {"epoch", &r.Epoch}, {"version", &r.Version}} {
		v, err := number(n.name, n.name != "version")
		*n.to, errs = v, append(errs, err)
	}
	created, err := number("created", false)
	errs = append(errs, err)
	if created == 0 {
		created = r.Epoch // of the first epoch, unless it was moved
	}
	r.Created = epochTime(created)
	ms, err := number("expectms", false)
	errs = append(errs, err)
	r.ExpectFor = time.Duration(ms) * time.Millisecond //nolint:gosec // seconds
	for _, t := range []struct {
		name string
		to   *map[string]string
	}{{"tags", &r.Tags}, {"on", &r.On}} {
		if f[t.name] != "" {
			errs = append(errs, json.Unmarshal([]byte(f[t.name]), t.to))
		}
	}
	return r, errors.Join(errs...)
}

func bytesOf(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

// EndRoom forgets a room. It is no error when the room is forgotten already. Of one that was created by its id it is
// remembered for an hour that it is over.
func (d *Directory) EndRoom(ctx context.Context, room string, epoch uint64) error {
	doing := "ending room " + room
	f, err := d.rdb.HMGet(ctx, d.room(room), "queue", "code", "game", "created").Result()
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	answer, err := endScript.Run(ctx, d.rdb, append(d.all(room), d.orders(room)), epoch, memoryTTL.Milliseconds()).Text()
	if err = answered(doing, answer, err); err != nil && !errors.Is(err, ErrNoRoom) {
		return err
	}
	text := func(i int) string { s, _ := f[i].(string); return s }
	return errors.Join(d.index(ctx, text(0), room), d.dropCode(ctx, text(1), room), d.unlist(ctx, text(2), text(3), room))
}

// A room that ends before its deadline has begun if those are there who would have been enough then.
var endScript = redis.NewScript(settling + `
local rec = redis.call('HMGET', KEYS[1], 'epoch', 'once', 'expect', 'need')
if rec[1] and rec[1] ~= ARGV[1] then return 'fenced' end
redis.call('DEL', KEYS[5])
if rec[2] then
	if redis.call('EXISTS', KEYS[4]) == 0 then
		local players = came()
		settle(#players >= enough(rec[3], rec[4]) and 'started' or 'off', players, ARGV[2])
	end
	redis.call('PEXPIRE', KEYS[3], ARGV[2])
	redis.call('PEXPIRE', KEYS[4], ARGV[2])
	redis.call('DEL', KEYS[1], KEYS[2])
elseif rec[1] then
	redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
end
return 'ok'`)

// answered makes an error of a script's answer.
func answered(doing, answer string, err error) error {
	if err == nil {
		switch answer {
		case "ok":
			return nil
		case "gone":
			err = ErrNoRoom
		case "fenced":
			err = ErrFenced
		case "full":
			err = ErrFull
		case "stale":
			err = ErrStale
		case "seat":
			err = ErrSeat
		case "late":
			err = ErrLate
		case "off":
			err = ErrCalledOff
		default:
			err = fmt.Errorf("unexpected answer %q", answer)
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// wordOf returns the first word of a script's answer that has at least n.
func wordOf(answer []string, n int, err error) (string, error) {
	if err == nil && len(answer) < n {
		err = fmt.Errorf("unexpected answer %q", strings.Join(answer, " "))
	}
	if err != nil {
		return "", err
	}
	return answer[0], nil
}

// epochTime is the time that an epoch is made of.
func epochTime(ms uint64) time.Time { return time.UnixMilli(int64(ms)).UTC() } //nolint:gosec // a time
