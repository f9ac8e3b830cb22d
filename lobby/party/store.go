package party

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/lobby/keyspace"
	"muster/match/cluster"
)

const (
	// keepFor is how long a party stays without a sign of any of its members.
	keepFor = time.Hour
	// attempts is how often a change is tried that others come before.
	attempts = 24
)

// Config is what a Store needs.
type Config struct {
	Redis     redis.UniversalClient // required
	Namespace string                // required
	// Post puts an event into players' inboxes, as inbox.Store does. Required.
	Post func(ctx context.Context, key, kind string, body any, players ...string) error
	// Blocked says whether a player has blocked another. nil means that nobody has.
	Blocked func(ctx context.Context, player, other string) (bool, error)
	// Members is told that the members of a party have changed: who is in it, and who was removed where that is known. It
	// may be told again of the same, and must bear that. Where it fails it is told again when the party is next looked at.
	// nil means that nobody wants to know.
	Members func(ctx context.Context, party string, players []string) error
	Log     *zap.Logger // nil means none
}

// Store keeps the parties. Any number of stores may work on one Redis, and any goroutine may use one.
//
// A party's record is read, changed here and written back where nobody else has changed it since. What each member's
// mark says is in the player's own hash tag, and so changes at another time: a member whose mark does not name the
// party, and the way in which he came to it, is none, and is swept out by whoever comes upon him.
type Store struct{ cfg Config }

// New returns a Store.
func New(cfg Config) *Store {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	return &Store{cfg}
}

func (s *Store) record(id string) string { return s.cfg.Namespace + ":{party:" + id + "}:record" }

func (s *Store) invites(id string) string   { return s.cfg.Namespace + ":{party:" + id + "}:invites" }
func (s *Store) codeKey(code string) string { return s.cfg.Namespace + ":{partycode:" + code + "}" }
func (s *Store) mark(player string) string {
	return keyspace.Player(s.cfg.Namespace, player) + ":party"
}

// partyID is what an id looks like: nothing else is looked for.
var partyID = regexp.MustCompile(`^[a-z0-9]{26}$`)

// read returns a party's record as it is, and of one that has ended what is known of it, with no members. Errors:
// ErrNone.
func (s *Store) read(ctx context.Context, id string) (*Party, error) {
	if !partyID.MatchString(id) {
		return nil, ErrNone
	}
	list, err := s.cfg.Redis.HMGet(ctx, s.record(id), "version", "body", "told", "born").Result()
	if err != nil {
		return nil, fmt.Errorf("reading party %s: %w", id, err)
	}
	version, _ := list[0].(string)
	body, _ := list[1].(string)
	told, _ := list[2].(string)
	if version == "" {
		return nil, ErrNone
	}
	p, err := decode([]byte(body))
	if err == nil {
		p.ID = id
		p.Version, err = strconv.ParseUint(version, 10, 64)
	}
	if err != nil {
		return nil, fmt.Errorf("reading party %s: %w", id, err)
	}
	p.told, _ = strconv.ParseUint(told, 10, 64) // absent at first
	p.Born, _ = list[3].(string)
	return p, nil
}

// change changes a party by f, which gets a copy and may be called again when others came before. Where f changes
// nothing, nothing is written. who is removed is told too. Errors: ErrNone, ErrBusy, and f's.
func (s *Store) change(ctx context.Context, id string, f func(*Party) error, removed ...string) (*Party, error) {
	op := cluster.NewID()
	for range attempts {
		was, err := s.read(ctx, id)
		if err == nil && len(was.Members) == 0 {
			err = ErrNone
		}
		if err != nil {
			return nil, err
		}
		next := *was
		next.Members = append(make([]Member, 0, len(was.Members)+1), was.Members...)
		if err := f(&next); err != nil {
			return nil, err
		}
		done, err := s.write(ctx, op, was, &next)
		if err != nil {
			return nil, err
		}
		if done {
			if next.Version > was.Version {
				s.tell(ctx, &next, removed...)
			}
			return &next, nil
		}
	}
	return nil, ErrBusy
}

// write stores next where was is still what is stored; a nil was stands for nothing.
func (s *Store) write(ctx context.Context, op string, was, next *Party) (done bool, err error) {
	version := uint64(0)
	if was != nil {
		version = was.Version
		if bytes.Equal(was.encode(), next.encode()) {
			return true, nil
		}
	}
	next.Version = version + 1
	if was == nil || len(was.Members) != len(next.Members) {
		next.changed = next.Version
	}
	answer, err := writeScript.Run(ctx, s.cfg.Redis, []string{s.record(next.ID)},
		op, version, next.encode(), keepFor.Milliseconds()).Text()
	if err != nil {
		return false, fmt.Errorf("changing party %s: %w", next.ID, err)
	}
	return answer == "ok", nil
}

// The record remembers the newest changes by their own ids, so that one whose answer was lost is not made twice, and
// says that it was made also after others.
var writeScript = redis.NewScript(`
local rec = redis.call('HMGET', KEYS[1], 'version', 'ops')
local ops = rec[2] or ''
if string.find(ops, ARGV[1], 1, true) then return 'ok' end
if (rec[1] or '0') ~= ARGV[2] then return 'stale' end
redis.call('HSET', KEYS[1], 'version', string.format('%.0f', tonumber(ARGV[2]) + 1), 'body', ARGV[3],
	'ops', string.sub(ARGV[1] .. ' ' .. ops, 1, 432))
if ARGV[2] == '0' then
	local t = redis.call('TIME')
	redis.call('HSET', KEYS[1], 'born', t[1] .. '.' .. t[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 'ok'`)

// tell tells the members, and those who were removed, how the party is now. What fails is told again when the party is
// next looked at: it is marked as told only when it was.
func (s *Store) tell(ctx context.Context, p *Party, removed ...string) {
	key := p.ID + ":" + strconv.FormatUint(p.Version, 10)
	var errs []error
	if p.changed > p.told && s.cfg.Members != nil {
		errs = append(errs, s.cfg.Members(ctx, p.ID, append(p.Players(), removed...)))
	}
	if len(p.Members) > 0 {
		errs = append(errs, s.cfg.Post(ctx, key, Kind, changedEvent(p), p.Players()...))
	}
	if len(removed) > 0 {
		errs = append(errs, s.cfg.Post(ctx, key, Kind, Event{Event: EventOut, ID: p.ID, Version: p.Version}, removed...))
	}
	err := errors.Join(errs...)
	if err == nil {
		err = toldScript.Run(ctx, s.cfg.Redis, []string{s.record(p.ID)}, p.Version).Err()
	}
	if err != nil {
		s.cfg.Log.Warn("a party's change was not told", zap.String("party", p.ID), zap.Error(err))
		return
	}
	p.told = p.Version
}

var toldScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 'gone' end
if tonumber(redis.call('HGET', KEYS[1], 'told') or '0') < tonumber(ARGV[1]) then
	redis.call('HSET', KEYS[1], 'told', ARGV[1])
end
return 'ok'`)
