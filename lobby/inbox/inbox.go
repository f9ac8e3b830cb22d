// Package inbox keeps for each player the events that he must hear of: a stream in Redis, capped and kept for a week.
// An event is put into it before anybody is told, so that whoever was away reads on from the last one that he has.
//
// An event's id is MILLISECONDS-NUMBER: Redis's time, which never goes back within an inbox, and the number of the event
// in its inbox, counted from 1. So ids are ordered, and a number that is passed over shows that an event is missing.
package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
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

// Notice is the kind of the notice that a player has a new event; its id is the player's keyspace.Digest.
const Notice = "inbox"

// Errors of Post for an event that no inbox takes.
var (
	ErrTooLarge = errors.New("the event is too large")
	ErrBadEvent = errors.New("the event's key or kind is not usable")
)

// Event is something that a player must hear of.
type Event struct {
	// ID is the event's place in the inbox; Post makes it, and Read goes on after it.
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
	publish func(context.Context, cluster.Notice) error
}

// New returns the inboxes of the deployment with this namespace. publish tells all processes, as cluster.Bus does; an
// error of it is passed over, since a lost notice costs a wait until the next look.
func New(rdb redis.UniversalClient, namespace string, publish func(context.Context, cluster.Notice) error) *Store {
	return &Store{rdb: rdb, ns: namespace, publish: publish}
}

func (s *Store) stream(player string) string { return keyspace.Player(s.ns, player) + ":inbox" }

// Post puts an event into players' inboxes. A key that is not "" is the event's own: posted again within an hour, it
// comes once. body is what encoding/json takes. Where it fails some may have it and some not; posting again with the
// same key is right.
func (s *Store) Post(ctx context.Context, key, kind string, body any, players ...string) error {
	text, err := json.Marshal(body)
	switch {
	case err != nil:
	case len(text) > MaxBody:
		err = ErrTooLarge
	case kind == "" || len(kind) > maxKind || len(key) > maxKey:
		err = ErrBadEvent
	}
	var errs []error
	for some := range slices.Chunk(players, batch) {
		if err == nil {
			errs = append(errs, s.post(ctx, key, kind, text, some))
		}
	}
	if err = errors.Join(append(errs, err)...); err != nil {
		return fmt.Errorf("posting a %.32s event: %w", kind, err)
	}
	return nil
}

// post puts an event into a few inboxes in one exchange. The script goes along as text: in a pipeline nobody hears in
// time that Redis has forgotten it.
func (s *Store) post(ctx context.Context, key, kind string, text []byte, players []string) error {
	pipe := s.rdb.Pipeline()
	for _, p := range players {
		stream := s.stream(p)
		pipe.Eval(ctx, postScript, []string{stream, stream + ":posted:" + key}, key, kind, text, Cap, keepFor.Milliseconds(), keyFor.Milliseconds())
	}
	answers, err := pipe.Exec(ctx)
	for i, a := range answers {
		if a.Err() == nil {
			_ = s.publish(ctx, cluster.Notice{Kind: Notice, ID: keyspace.Digest(players[i])}) // as New says
		}
	}
	return err //nolint:wrapcheck // Post says what it did
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

var eventID = regexp.MustCompile(`^\d{1,15}-\d{1,10}$`)

// IsID says whether a text can be an event's id.
func IsID(s string) bool { return eventID.MatchString(s) }

// Before says whether event a stands before b.
func Before(a, b string) bool {
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
