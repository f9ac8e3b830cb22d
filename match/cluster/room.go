package cluster

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Errors that callers decide on.
var (
	// ErrNoRoom means that the room does not exist, or exists no longer.
	ErrNoRoom = errors.New("no such room")
	// ErrFull means that a room has fewer free seats than were asked for.
	ErrFull = errors.New("not enough free seats")
	// ErrSeat means that a token does not claim the seat: it was used, or the seat is not the player's.
	ErrSeat = errors.New("the token does not claim this seat")
	// ErrLate means that a token would have claimed the seat, but the reservation has run out.
	ErrLate = errors.New("the reservation has run out")
	// ErrFenced means that the room has another owner by now.
	ErrFenced = errors.New("the room belongs to a newer epoch")
)

// roomTTL is how long a room's record outlives the last sign of its host, or the last reservation.
const roomTTL = time.Minute

// NewRoom is what a room is created with.
type NewRoom struct {
	ID    string // "" is a new one; a room that is there already with the id is the one that is created
	Game  string
	Rules string // the version of the game's rules
	Queue string // whose matchmaker may fill its seats
	Node  string // the host
	Seats int
}

// Room is a room's record.
type Room struct {
	NewRoom
	ID    string
	Seed  uint64
	Epoch uint64
	Shut  bool // its rules take no new players
}

// Claim is a player for whom a seat is reserved, and the id of the token that will claim it.
type Claim struct {
	Player string
	Token  string
}

// Directory keeps the rooms' records. Any goroutine may use it. It has the methods of match.Directory.
type Directory struct {
	rdb redis.UniversalClient
	keys
}

// NewDirectory returns the directory of the deployment with this namespace.
func NewDirectory(rdb redis.UniversalClient, namespace string) *Directory {
	return &Directory{rdb: rdb, keys: keys{namespace}}
}

// NewID returns a new id for a room, ticket or token: 26 letters and digits of 128 random bits, which nobody guesses.
func NewID() string { return strings.ToLower(rand.Text()) }

// Here as wherever the record is kept for longer the seats are, too: they are known as long as the room is.
var createScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then
	local t = redis.call('TIME')
	redis.call('HSET', KEYS[1], 'game', ARGV[2], 'rules', ARGV[3], 'queue', ARGV[4], 'node', ARGV[5], 'seats', ARGV[6],
		'seed', ARGV[7], 'epoch', string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)))
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return redis.call('HGET', KEYS[1], 'epoch')`)

// Create makes the record of a new room, which its host opens when the first player comes. When nobody reserves a seat
// and no host renews it for a minute, it is gone again.
func (d *Directory) Create(ctx context.Context, n NewRoom) (Room, error) {
	r := Room{NewRoom: n, ID: cmp.Or(n.ID, NewID()), Seed: newSeed()}
	epoch, err := d.create(ctx, r)
	if err == nil {
		r.Epoch, err = strconv.ParseUint(epoch, 10, 64)
	}
	if err == nil && n.ID != "" {
		r, err = d.Room(ctx, n.ID)
	}
	if err == nil && n.Queue != "" {
		err = d.place(ctx, n.Queue, r.ID, epoch) // its epoch is the time since which it is open
	}
	if err != nil {
		return Room{}, fmt.Errorf("creating a room of %s: %w", n.Game, err)
	}
	return r, nil
}

// Ensure returns the record of the room with this id, made of n where there is none: for rooms that have names. Where the
// room's node is not among those that alive names, the room goes to the node of n, under a new epoch.
func (d *Directory) Ensure(ctx context.Context, id string, n NewRoom, alive func(node string) bool) (Room, error) {
	doing := "opening room " + id
	if err := d.mayOpen(ctx, id); err != nil {
		return Room{}, fmt.Errorf("%s: %w", doing, err)
	}
	if _, err := d.create(ctx, Room{NewRoom: n, ID: id, Seed: newSeed()}); err != nil {
		return Room{}, fmt.Errorf("%s: %w", doing, err)
	}
	r, err := d.Room(ctx, id)
	if err != nil || alive(r.Node) {
		return r, err
	}
	return d.Move(ctx, r, n.Node, n.Rules)
}

// Move gives a room, as it was read, to another node under a new epoch, since its node is gone, and returns what it is
// then: where somebody else has moved it meanwhile, it is there.
func (d *Directory) Move(ctx context.Context, r Room, node, rules string) (Room, error) {
	keys := []string{d.room(r.ID), d.seats(r.ID)}
	if err := moveScript.Run(ctx, d.rdb, keys, r.Node, node, rules, roomTTL.Milliseconds()).Err(); err != nil {
		return Room{}, fmt.Errorf("moving room %s to another node: %w", r.ID, err)
	}
	return d.Room(ctx, r.ID)
}

// A room that was moved by somebody else meanwhile stays where that put it.
var moveScript = redis.NewScript(`
local rec = redis.call('HMGET', KEYS[1], 'node', 'epoch')
if not rec[1] or rec[1] ~= ARGV[1] then return 'ok' end
local t = redis.call('TIME')
local epoch = string.format('%.0f', math.max(t[1] * 1000 + math.floor(t[2] / 1000), tonumber(rec[2]) + 1))
redis.call('HSET', KEYS[1], 'node', ARGV[2], 'rules', ARGV[3], 'epoch', epoch)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 'ok'`)

func newSeed() uint64 {
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails
	return binary.LittleEndian.Uint64(seed[:])
}

// create makes the record where there is none, and returns its epoch.
func (d *Directory) create(ctx context.Context, r Room) (epoch string, err error) {
	return createScript.Run(ctx, d.rdb, []string{d.room(r.ID), d.seats(r.ID)}, //nolint:wrapcheck // callers say what they did
		roomTTL.Milliseconds(), r.Game, r.Rules, r.Queue, r.Node, r.Seats, strconv.FormatUint(r.Seed, 10)).Text()
}

// Room returns a room's record, or ErrNoRoom.
func (d *Directory) Room(ctx context.Context, id string) (Room, error) {
	f, err := d.rdb.HGetAll(ctx, d.room(id)).Result()
	if err != nil {
		return Room{}, fmt.Errorf("reading room %s: %w", id, err)
	}
	r, err := parseRoom(id, f)
	if err != nil {
		return Room{}, fmt.Errorf("reading room %s: %w", id, err)
	}
	return r, nil
}

func parseRoom(id string, f map[string]string) (Room, error) {
	if len(f) == 0 {
		return Room{}, ErrNoRoom
	}
	r := Room{
		ID: id, NewRoom: NewRoom{Game: f["game"], Rules: f["rules"], Queue: f["queue"], Node: f["node"]},
		Shut: f["shut"] == "1",
	}
	var errs [3]error
	r.Seats, errs[0] = strconv.Atoi(f["seats"])
	r.Seed, errs[1] = strconv.ParseUint(f["seed"], 10, 64)
	r.Epoch, errs[2] = strconv.ParseUint(f["epoch"], 10, 64)
	return r, errors.Join(errs[:]...)
}

// Renew keeps a room's record for another minute, and says whether new players may have its free seats. Its host calls
// it; ErrFenced says that the room is another's now.
func (d *Directory) Renew(ctx context.Context, room string, epoch uint64, open bool) error {
	doing, shut := "renewing room "+room, "0"
	if !open {
		shut = "1"
	}
	answer, err := renewScript.Run(ctx, d.rdb, []string{d.room(room), d.seats(room)}, epoch, roomTTL.Milliseconds(), shut).Text()
	if queue, moved := strings.CutPrefix(answer, "moved "); err == nil && moved {
		if err = d.index(ctx, queue, room); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		return nil
	}
	return answered(doing, answer, err)
}

// Where the doors have moved the index must follow: also when the script runs again because its answer was lost, so
// the record says that this is due until the next renewal.
var renewScript = redis.NewScript(`
local rec = redis.call('HMGET', KEYS[1], 'epoch', 'shut', 'queue', 'due')
if not rec[1] then return 'gone' end
if rec[1] ~= ARGV[1] then return 'fenced' end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local moved = (rec[2] or '0') ~= ARGV[3]
if moved then
	redis.call('HSET', KEYS[1], 'shut', ARGV[3], 'due', '1')
elseif rec[4] then
	redis.call('HDEL', KEYS[1], 'due')
end
if moved or rec[4] then return 'moved ' .. rec[3] end
return 'ok'`)

// EndRoom forgets a room. It is no error when the room is forgotten already.
func (d *Directory) EndRoom(ctx context.Context, room string, epoch uint64) error {
	doing := "ending room " + room
	queue, err := d.rdb.HGet(ctx, d.room(room), "queue").Result()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	answer, err := endScript.Run(ctx, d.rdb, []string{d.room(room), d.seats(room)}, epoch).Text()
	if err = answered(doing, answer, err); err != nil && !errors.Is(err, ErrNoRoom) {
		return err
	}
	return d.index(ctx, queue, room)
}

var endScript = redis.NewScript(`
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch and epoch ~= ARGV[1] then return 'fenced' end
redis.call('DEL', KEYS[1], KEYS[2])
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
		case "seat":
			err = ErrSeat
		case "late":
			err = ErrLate
		default:
			err = fmt.Errorf("unexpected answer %q", answer)
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
