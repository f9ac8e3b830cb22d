package chat

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"muster/lobby/invitation"
	"muster/lobby/keyspace"
	"muster/proto"
)

// Bounds of a group.
const (
	// MaxGroup is how many members a group can have.
	MaxGroup = 64
	// MaxTitle bounds a group's title, in runes.
	MaxTitle   = 64
	inviteFor  = 7 * 24 * time.Hour
	maxInvites = 128
)

// GroupKind is the kind of an invitation's event in inboxes; its body is an Invitation.
const GroupKind = "group"

// Errors of groups that callers decide on.
var (
	ErrNoGroup = errors.New("no such group") // also for who is not in it
	ErrFull    = errors.New("the group is full")
	ErrInvites = errors.New("the group has too many open invitations")
	ErrLeft    = errors.New("the group's creator has left it")
)

// Group is a named circle of players, who all may invite. It ends with its last member, or after 30 days in which
// nobody looked at it or wrote.
type Group struct {
	ID      string
	Title   string
	Members []Author // by their ids

	born string // by Redis's clock
}

// Invitation is the body of the event that invites to a group.
type Invitation struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	From  string `json:"from"`
	Name  string `json:"name"`
}

var groupID = regexp.MustCompile(`^[a-z0-9]{26}$`)

func (s *Store) groupKey(id string) string { return s.cfg.Namespace + ":{group:" + id + "}" }

// groupKeys are the keys of a group: its record, its members and its invitations.
func (s *Store) groupKeys(id string) []string {
	k := s.groupKey(id)
	return []string{k + ":record", k + ":members", k + ":invites"}
}

// CreateGroup makes a group of one, with an id of 26 lower-case letters and digits that is new or is that of a request
// which may be a repeat; digest stands for what it asked. Errors: ErrOtherRequest, ErrLeft.
func (s *Store) CreateGroup(ctx context.Context, id, digest, title string, by Author) (*Group, error) {
	was, err := createGroupScript.Run(ctx, s.cfg.Redis, s.groupKeys(id), digest, title, by.ID, by.Name, keepFor.Milliseconds()).Text()
	if err != nil {
		return nil, fmt.Errorf("creating a group: %w", err)
	}
	if was != digest {
		return nil, ErrOtherRequest
	}
	g, err := s.Group(ctx, id, by.ID)
	if errors.Is(err, ErrNoGroup) {
		err = ErrLeft
	}
	return g, err
}

var createGroupScript = redis.NewScript(`
local was = redis.call('HGET', KEYS[1], 'digest')
if was then return was end
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], 'digest', ARGV[1], 'title', ARGV[2], 'born', t[1] .. '.' .. t[2])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return ARGV[1]`)

// Group returns a group to one of its members, and keeps it. Errors: ErrNoGroup.
func (s *Store) Group(ctx context.Context, id, player string) (*Group, error) {
	if !groupID.MatchString(id) {
		return nil, ErrNoGroup
	}
	keys := s.groupKeys(id)
	pipe := s.cfg.Redis.Pipeline()
	record, members := pipe.HMGet(ctx, keys[0], "title", "born"), pipe.HGetAll(ctx, keys[1])
	pipe.PExpire(ctx, keys[0], keepFor)
	pipe.PExpire(ctx, keys[1], keepFor)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("reading group %s: %w", id, err)
	}
	title, _ := record.Val()[0].(string)
	born, _ := record.Val()[1].(string)
	list := members.Val()
	if _, in := list[player]; !in || len(list) > MaxGroup || utf8.RuneCountInString(title) > MaxTitle {
		return nil, ErrNoGroup
	}
	g := &Group{ID: id, Title: title, born: born}
	for id, name := range list {
		if len(id) <= proto.MaxID && len(name) <= proto.MaxID {
			g.Members = append(g.Members, Author{id, name})
		}
	}
	slices.SortFunc(g.Members, func(a, b Author) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return g, nil
}

// groupCircle returns who is in a group, nobody to who is not, and keeps the group.
func (s *Store) groupCircle(ctx context.Context, id, player string) (Circle, error) {
	g, err := s.Group(ctx, id, player)
	if errors.Is(err, ErrNoGroup) {
		return Circle{}, nil
	}
	if err != nil {
		return Circle{}, err
	}
	c := Circle{Players: make([]string, len(g.Members)), Born: g.born}
	for i, m := range g.Members {
		c.Players[i] = m.ID
	}
	return c, nil
}

// GroupPlayers returns the ids of a group's members to who need not be one of them; none where there is no such group.
func (s *Store) GroupPlayers(ctx context.Context, id string) ([]string, error) {
	if !groupID.MatchString(id) {
		return nil, nil
	}
	list, err := s.cfg.Redis.HKeys(ctx, s.groupKeys(id)[1]).Result()
	if err != nil {
		return nil, fmt.Errorf("reading group %s: %w", id, err)
	}
	return list[:min(len(list), MaxGroup)], nil
}

// InviteToGroup lets a player join for a week and puts an event into his inbox; again within that time it changes
// nothing. Where he has blocked the one who invites he hears nothing, and nobody can tell. Errors: ErrNoGroup,
// ErrInvites.
func (s *Store) InviteToGroup(ctx context.Context, id string, by Author, player string) error {
	g, err := s.Group(ctx, id, by.ID)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(g.Members, func(m Author) bool { return m.ID == player }) {
		return nil
	}
	blocked := false
	if s.cfg.Blocked != nil {
		if blocked, err = s.cfg.Blocked(ctx, player, by.ID); err != nil {
			return fmt.Errorf("inviting to group %s: %w", id, err)
		}
	}
	keys := s.groupKeys(id)
	until, err := invitation.Open(ctx, s.cfg.Redis, keys[0], keys[2], player, inviteFor, maxInvites)
	switch {
	case errors.Is(err, invitation.ErrMany):
		return ErrInvites
	case errors.Is(err, invitation.ErrNone):
		return ErrNoGroup
	case err != nil:
		return fmt.Errorf("inviting to group %s: %w", id, err)
	case blocked:
		return nil
	}
	key := id + ":invite:" + strconv.FormatInt(until.UnixMilli(), 10)
	if err := s.cfg.Post(ctx, key, GroupKind, Invitation{id, g.Title, by.ID, by.Name}, player); err != nil {
		return fmt.Errorf("inviting to group %s: %w", id, err)
	}
	return nil
}

// JoinGroup takes an invited player in. Errors: ErrNoGroup, also where he is not invited; ErrFull.
func (s *Store) JoinGroup(ctx context.Context, id string, who Author) (*Group, error) {
	if !groupID.MatchString(id) {
		return nil, ErrNoGroup
	}
	answer, err := joinScript.Run(ctx, s.cfg.Redis, s.groupKeys(id), keyspace.Digest(who.ID), who.ID, who.Name, MaxGroup).Text()
	switch {
	case err != nil:
		return nil, fmt.Errorf("joining group %s: %w", id, err)
	case answer == "none":
		return nil, ErrNoGroup
	case answer == "full":
		return nil, ErrFull
	}
	return s.Group(ctx, id, who.ID)
}

var joinScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 'none' end
if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 then return 'ok' end
local t = redis.call('TIME')
local till = redis.call('ZSCORE', KEYS[3], ARGV[1])
if not till or tonumber(till) <= t[1] * 1000 + math.floor(t[2] / 1000) then return 'none' end
if redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[4]) then return 'full' end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('ZREM', KEYS[3], ARGV[1])
return 'ok'`)

// LeaveGroup takes a member out at his own wish. The last one's leaving ends the group. Errors: ErrNoGroup.
func (s *Store) LeaveGroup(ctx context.Context, id, player string) error {
	if _, err := s.Group(ctx, id, player); err != nil {
		return err
	}
	if err := leaveScript.Run(ctx, s.cfg.Redis, s.groupKeys(id), player).Err(); err != nil {
		return fmt.Errorf("leaving group %s: %w", id, err)
	}
	return nil
}

var leaveScript = redis.NewScript(`
redis.call('HDEL', KEYS[2], ARGV[1])
if redis.call('HLEN', KEYS[2]) == 0 then redis.call('DEL', KEYS[1], KEYS[2], KEYS[3]) end
return 'ok'`)
