// Package inbox keeps for each player the events that he must hear of: a stream in Redis, capped and kept for a week.
// An event is put into it before anybody is told, so that whoever was away reads on from the last one that he has.
//
// What all players must hear of lies once, in a stream of its own beside everybody's inboxes.
//
// An entry's id is MILLISECONDS-NUMBER: Redis's time, which never goes back within a stream, and the number of the event
// in its stream, counted from 1. So ids are ordered, and a number that is passed over shows that an event is missing.
package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
	"muster/match/cluster"
)

// Bounds of an inbox.
const (
	// Cap is about how many events are kept for a player; the oldest go.
	Cap = 256
	// MaxBody bounds an event's body, in bytes.
	MaxBody = 4 << 10
	// maxKey and maxKind bound what else there is of an event, in bytes.
	maxKey  = 128
	maxKind = 32
	// batch is how many players one exchange with Redis is about.
	batch   = 64
	keepFor = 7 * 24 * time.Hour
	// keyFor is how long an event's key keeps it from coming twice.
	keyFor = time.Hour
)

// Notice is the kind of the notice that a player has a new event; its id is the player's keyspace.Digest, or All.
const Notice = "inbox"

// All is the id of a notice that every player has a new event.
const All = "all"

// Errors of Post for an event that no inbox takes.
var (
	ErrTooLarge = errors.New("the event is too large")
	ErrBadEvent = errors.New("the event's key or kind is not usable")
)

// Event is something that a player must hear of.
type Event struct {
	// ID is the place after the event: what Read goes on from.
	ID string `json:"id"`
	// Kind says what the body is: ticket, party, chat, notification, …
	Kind string          `json:"kind"`
	At   time.Time       `json:"at"` // by Redis's clock
	Body json.RawMessage `json:"body"`
}

// Store is every player's inbox. Any goroutine may use it.
type Store struct {
	rdb     redis.UniversalClient
	ns      string
	publish func(context.Context, ...cluster.Notice) error
}

// New returns the inboxes of the deployment with this namespace. publish tells all processes, as cluster.Bus does; an
// error of it is passed over, since a lost notice costs a wait until the next look.
func New(rdb redis.UniversalClient, namespace string, publish func(context.Context, ...cluster.Notice) error) *Store {
	return &Store{rdb: rdb, ns: namespace, publish: publish}
}

func (s *Store) stream(player string) string { return keyspace.Player(s.ns, player) + ":inbox" }
func (s *Store) broadcasts() string          { return s.ns + ":{broadcast}:inbox" }

// Letter is an event for some players. What Post says of its arguments holds for the fields.
type Letter struct {
	Key, Kind string
	Body      any
	Players   []string
}

// Post puts an event into players' inboxes. A key that is not "" is the event's own: posted again within an hour, it
// comes once. body is what encoding/json takes. Where it fails some may have it and some not; posting again with the
// same key is right.
func (s *Store) Post(ctx context.Context, key, kind string, body any, players ...string) error {
	return s.PostMany(ctx, Letter{key, kind, body, players})
}

// PostMany posts several events together. Where it fails some may be posted and some not.
func (s *Store) PostMany(ctx context.Context, letters ...Letter) error {
	var list []copied
	var errs []error
	for _, l := range letters {
		text, err := eventText(l.Key, l.Kind, l.Body)
		if err != nil {
			errs = append(errs, fmt.Errorf("posting a %.32s event: %w", l.Kind, err))
			continue
		}
		for _, p := range l.Players {
			list = append(list, copied{p, l.Key, l.Kind, text})
		}
	}
	for some := range slices.Chunk(list, batch) {
		if err := s.post(ctx, some); err != nil {
			errs = append(errs, fmt.Errorf("posting a %.32s event: %w", some[0].kind, err))
		}
	}
	return errors.Join(errs...)
}

// copied is an event for one player.
type copied struct {
	player, key, kind string
	text              []byte
}

// PostAll puts an event into the inbox of all players, also of those who come within the week: it is kept once, with
// the Cap newest such. What a key is, is as with Post.
func (s *Store) PostAll(ctx context.Context, key, kind string, body any) error {
	text, err := eventText(key, kind, body)
	if err == nil {
		pipe := s.rdb.Pipeline()
		put(ctx, pipe, s.broadcasts(), key, kind, text)
		_, err = pipe.Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("posting a %.32s event to all: %w", kind, err)
	}
	_ = s.publish(ctx, cluster.Notice{Kind: Notice, ID: All}) // as New says
	return nil
}

// eventText checks an event and returns its body's text.
func eventText(key, kind string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	switch {
	case err != nil:
		return nil, err //nolint:wrapcheck // Post says what it did
	case len(text) > MaxBody:
		return nil, ErrTooLarge
	case kind == "" || len(kind) > maxKind || len(key) > maxKey:
		return nil, ErrBadEvent
	}
	return text, nil
}

// post puts a few events into inboxes in one exchange.
func (s *Store) post(ctx context.Context, list []copied) error {
	pipe := s.rdb.Pipeline()
	for _, c := range list {
		put(ctx, pipe, s.stream(c.player), c.key, c.kind, c.text)
	}
	answers, err := pipe.Exec(ctx)
	notices := make([]cluster.Notice, 0, len(list))
	for i, a := range answers {
		if a.Err() == nil {
			notices = append(notices, cluster.Notice{Kind: Notice, ID: keyspace.Digest(list[i].player)})
		}
	}
	if len(notices) > 0 {
		_ = s.publish(ctx, notices...) // as New says
	}
	return err //nolint:wrapcheck // PostMany says what it did
}

// put adds an event to a stream. The script goes along as text: in a pipeline nobody hears in time that Redis has
// forgotten it.
func put(ctx context.Context, pipe redis.Pipeliner, stream, key, kind string, text []byte) {
	pipe.Eval(ctx, postScript, []string{stream, stream + ":posted:" + key}, key, kind, text, Cap, keepFor.Milliseconds(), keyFor.Milliseconds())
}

const postScript = `
if ARGV[1] ~= '' and not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[6]) then return 'ok' end
local t = redis.call('TIME')
local ms, n = t[1] * 1000 + math.floor(t[2] / 1000), 0
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', '1')[1]
if last then
	local lastms, lastn = string.match(last[1], '^(%d+)-(%d+)$')
	ms, n = math.max(ms, tonumber(lastms)), tonumber(lastn)
end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], string.format('%.0f-%.0f', ms, n + 1), 'kind', ARGV[2], 'body', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'ok'`

// before says whether entry a of a stream stands before b.
func before(a, b string) bool {
	am, an := split(a)
	bm, bn := split(b)
	return am < bm || am == bm && an < bn
}

func split(id string) (ms, n uint64) {
	a, b, _ := strings.Cut(id, "-")
	ms, _ = strconv.ParseUint(a, 10, 64)
	n, _ = strconv.ParseUint(b, 10, 64)
	return ms, n
}
