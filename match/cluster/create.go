package cluster

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// NewID returns a new id for a room, ticket or token: 26 letters and digits of 128 random bits, which nobody guesses.
func NewID() string { return strings.ToLower(rand.Text()) }

// Here as wherever the record is kept for longer the seats are, too: they are known as long as the room is.
var createScript = redis.NewScript(`
local found = redis.call('EXISTS', KEYS[1]) == 1
if found and redis.call('HEXISTS', KEYS[1], 'off') == 1 then return {'gone', ''} end
if not found then
	local over = redis.call('EXISTS', KEYS[4]) == 1 -- or its host died with players, before anybody asked how it began
	over = over or ARGV[#ARGV - 1] == 'once' and redis.call('EXISTS', KEYS[3]) == 1
	if over then return {'gone', ''} end
	redis.call('DEL', KEYS[5]) -- what a room of this name was to do that nobody saw end
	local t = redis.call('TIME')
	local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
	redis.call('HSET', KEYS[1], 'epoch', now, 'created', now, 'version', '1', unpack(ARGV, 2))
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return {found and 'found' or 'ok', redis.call('HGET', KEYS[1], 'epoch')}`)

// Create makes the record of a new room, which its host opens when the first player comes. When nobody reserves a seat
// and no host renews it for a minute, it is gone again. Created again by its id, it is what it was; ErrNoRoom means that
// it is over by then. Another error: ErrCode.
func (d *Directory) Create(ctx context.Context, n NewRoom) (Room, error) {
	once := n.ID != ""
	if !once {
		n.ID = NewID()
	}
	r, err := d.made(ctx, n, once)
	if err != nil {
		return Room{}, fmt.Errorf("creating a room of %s: %w", n.Game, err)
	}
	return r, nil
}

func (d *Directory) made(ctx context.Context, n NewRoom, once bool) (Room, error) {
	if err := d.claimCode(ctx, n.Code, n.ID); err != nil {
		return Room{}, err
	}
	r := Room{NewRoom: n, Seed: newSeed(), Version: 1}
	found, epoch, err := d.create(ctx, r, once)
	if err != nil {
		return Room{}, err
	}
	if r.Epoch, err = strconv.ParseUint(epoch, 10, 64); err != nil {
		return Room{}, err //nolint:wrapcheck // callers say what they did
	}
	if found { // perhaps without its places in the indices
		if r, err = d.Room(ctx, n.ID); err != nil {
			return Room{}, err
		}
		return r, errors.Join(d.index(ctx, r.Queue, r.ID), d.enlist(ctx, r))
	}
	r.Created = epochTime(r.Epoch)
	if n.Queue != "" {
		err = d.place(ctx, n.Queue, r.ID, epoch) // its epoch is the time since which it is open
	}
	return r, errors.Join(err, d.enlist(ctx, r))
}

// enlist lists a new room if it is public.
func (d *Directory) enlist(ctx context.Context, r Room) error {
	if !r.Public {
		return nil
	}
	return errors.Join(d.list(ctx, r), d.tidy(ctx, r.Game))
}

// Ensure returns the record of the room with this id, made of n where there is none: for rooms that have names. Where the
// room's node is not among those that alive names, the room goes to the node of n, under a new epoch.
func (d *Directory) Ensure(ctx context.Context, id string, n NewRoom, alive func(node string) bool) (Room, error) {
	doing := "opening room " + id
	if err := d.mayOpen(ctx, id); err != nil {
		return Room{}, fmt.Errorf("%s: %w", doing, err)
	}
	n.ID = id
	if _, _, err := d.create(ctx, Room{NewRoom: n, Seed: newSeed()}, false); err != nil {
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
	if err := moveScript.Run(ctx, d.rdb, d.all(r.ID), r.Node, node, rules, roomTTL.Milliseconds()).Err(); err != nil {
		return Room{}, fmt.Errorf("moving room %s to another node: %w", r.ID, err)
	}
	return d.Room(ctx, r.ID)
}

// A room that was moved by somebody else meanwhile stays where that put it. What its last host did says nothing of the next.
var moveScript = redis.NewScript(`
local rec = redis.call('HMGET', KEYS[1], 'node', 'epoch')
if not rec[1] or rec[1] ~= ARGV[1] then return 'ok' end
local t = redis.call('TIME')
local epoch = string.format('%.0f', math.max(t[1] * 1000 + math.floor(t[2] / 1000), tonumber(rec[2]) + 1))
redis.call('HSETNX', KEYS[1], 'created', rec[2])
redis.call('HSET', KEYS[1], 'node', ARGV[2], 'rules', ARGV[3], 'epoch', epoch)
redis.call('HDEL', KEYS[1], 'clean', 'begun')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 'ok'`)

func newSeed() uint64 {
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails
	return binary.LittleEndian.Uint64(seed[:])
}

// create makes the record where there is none, and returns its epoch. once says that the room is created by its id, which
// is then never used again.
func (d *Directory) create(ctx context.Context, r Room, once bool) (found bool, epoch string, err error) {
	fields, err := r.fields()
	if err != nil {
		return false, "", err
	}
	args := append([]any{roomTTL.Milliseconds(), "seed", strconv.FormatUint(r.Seed, 10)}, fields...)
	if once {
		args = append(args, "once", "1")
	}
	answer, err := createScript.Run(ctx, d.rdb, append(d.all(r.ID), d.orders(r.ID)), args...).StringSlice()
	word, err := wordOf(answer, 2, err)
	switch {
	case err != nil:
		return false, "", err
	case word == "gone":
		return false, "", ErrNoRoom
	}
	return word == "found", answer[1], nil
}
