package doctor

import (
	"context"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// rule finds those of some keys, all of one row, that nobody owns, or what in them nobody owns.
type rule func(ctx context.Context, l *look, keys []*key) error

// Why a key is found.
const (
	whyUnknown      = "unknown: of another program or release"
	whyKind         = "its type is another than this release writes"
	whyForever      = "it never ends, and should"
	whyTooLong      = "it lasts longer than any of its kind should"
	whyNoRoom       = "there is no record of its room"
	whyNoNode       = "its node is gone, and nobody has claimed it"
	whyJournal      = "its match has not ended, and no record says where it runs"
	whyPart         = "a part of a journal that is gone"
	whyListed       = "it lists a room that is gone"
	whyNode         = "the lease of a node is over, and nobody has taken it out"
	whyUnregistered = "of a node that is not registered"
	whyResult       = "a result that no lobby has stored for a minute"
	whyConsumer     = "the reader of a lobby that is gone"
	whyNoTicket     = "it names a ticket that has ended or is gone"
	whyNoLobby      = "tickets wait, and no lobby looks after the queue"
	whyLost         = "a ticket that waits where nobody looks"
	whyNoAttempt    = "its match attempt is gone"
	whyDue          = "a match attempt that nobody has carried on for a minute"
	whyAttempt      = "a match attempt where nobody looks"
	whyNoParty      = "its party is gone"
	whyNoGroup      = "its group is gone"
)

// overdue is after how long somebody must have done what is due.
const overdue = time.Minute

// maxText bounds what is read of a value that names another key.
const maxText = 200

// key puts ids in the places of $1, $2 … in a key.
func (l *look) key(pattern string, ids ...string) string {
	for i, id := range ids {
		pattern = strings.ReplaceAll(pattern, "$"+string(rune('1'+i)), id)
	}
	return l.prefix + pattern
}

// needs is the rule of keys that belong to another one.
func needs(owner, why string) rule {
	return func(ctx context.Context, l *look, keys []*key) error {
		there, err := l.exist(ctx, keys, func(k *key) string { return l.key(owner, k.ids...) })
		for _, k := range keys {
			if err == nil && !there[k] {
				l.suspect(k, "", why)
			}
		}
		return err
	}
}

// exist says of which keys the owners are there; "" is none.
func (l *look) exist(ctx context.Context, keys []*key, owner func(*key) string) (map[*key]bool, error) {
	pipe, cmds := l.cfg.Redis.Pipeline(), map[*key]*redis.IntCmd{}
	for _, k := range keys {
		if name := owner(k); name != "" {
			cmds[k] = pipe.Exists(ctx, name)
		}
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	there := make(map[*key]bool, len(keys))
	for k, cmd := range cmds {
		there[k] = cmd.Val() > 0
	}
	return there, nil
}

// texts reads keys that are strings.
func (l *look) texts(ctx context.Context, keys []*key) (map[*key]string, error) {
	pipe, cmds := l.cfg.Redis.Pipeline(), map[*key]*redis.StringCmd{}
	for _, k := range keys {
		cmds[k] = pipe.GetRange(ctx, k.name, 0, maxText)
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	texts := make(map[*key]string, len(keys))
	for k, cmd := range cmds {
		texts[k] = cmd.Val()
	}
	return texts, nil
}

// fields reads a few fields of hashes; one that is absent is "".
func (l *look) fields(ctx context.Context, names []string, fields ...string) ([][]string, error) {
	pipe, cmds := l.cfg.Redis.Pipeline(), make([]*redis.SliceCmd, len(names))
	for i, name := range names {
		cmds[i] = pipe.HMGet(ctx, name, fields...)
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	list := make([][]string, len(names))
	for i, cmd := range cmds {
		list[i] = make([]string, len(fields))
		for n, v := range cmd.Val() {
			list[i][n], _ = v.(string)
		}
	}
	return list, nil
}

func namesOf(keys []*key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}

// owned says of some members of a set, of one key, which have an owner.
type owned func(ctx context.Context, l *look, k *key, members []string) ([]bool, error)

// members is the rule of sets each of whose members needs an owner.
func members(has owned, why string) rule {
	return func(ctx context.Context, l *look, keys []*key) error {
		for _, k := range keys {
			err := l.eachMember(ctx, k, func(list []string) error {
				there, err := has(ctx, l, k, list)
				for i := range list {
					if err == nil && !there[i] {
						l.suspect(&key{row: k.row, name: k.name, ttl: -1}, list[i], why) // others keep the set, not it
					}
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// eachMember hands out the members of a sorted set or a set, or the fields of a hash, about a page at a time.
func (l *look) eachMember(ctx context.Context, k *key, f func([]string) error) error {
	for cursor := uint64(0); ; {
		var list []string
		var err error
		step := 2
		switch k.kind {
		case "zset":
			list, cursor, err = l.cfg.Redis.ZScan(ctx, k.name, cursor, "", page).Result()
		case "hash":
			list, cursor, err = l.cfg.Redis.HScan(ctx, k.name, cursor, "", page).Result()
		default:
			step = 1
			list, cursor, err = l.cfg.Redis.SScan(ctx, k.name, cursor, "", page).Result()
		}
		if err != nil {
			return err //nolint:wrapcheck // says the rule's caller
		}
		names := make([]string, 0, len(list)/step)
		for i := 0; i < len(list); i += step {
			names = append(names, list[i])
		}
		if len(names) > 0 {
			if err := f(names); err != nil {
				return err
			}
		}
		if cursor == 0 {
			return nil
		}
	}
}

// existing says which of some keys are there.
func (l *look) existing(ctx context.Context, names []string) ([]bool, error) {
	pipe, cmds := l.cfg.Redis.Pipeline(), make([]*redis.IntCmd, len(names))
	for i, name := range names {
		cmds[i] = pipe.Exists(ctx, name)
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	there := make([]bool, len(names))
	for i, cmd := range cmds {
		there[i] = cmd.Val() > 0
	}
	return there, nil
}
