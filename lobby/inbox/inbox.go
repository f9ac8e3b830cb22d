// Package inbox keeps for each player the events that he must hear of: a stream in Redis, capped and kept for a week.
// An event is put into it before anybody is told, so that whoever was away reads on from the last one that he has.
package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
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
	keepFor = 7 * 24 * time.Hour
	// keyFor is how long an event's key keeps it from coming twice.
	keyFor = time.Hour
)

// Notice is the kind of the notice that a player has a new event; its id is the player's keyspace.Digest.
const Notice = "inbox"

// ErrTooLarge means that an event's body is above MaxBody.
var ErrTooLarge = errors.New("the event is too large")

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

// New returns the inboxes of the deployment with this namespace. publish tells all processes; a lost notice costs a
// wait until the next look.
func New(rdb redis.UniversalClient, namespace string, publish func(context.Context, cluster.Notice) error) *Store {
	return &Store{rdb: rdb, ns: namespace, publish: publish}
}

func (s *Store) stream(player string) string { return keyspace.Player(s.ns, player) + ":inbox" }

// Post puts an event into players' inboxes. A key that is not "" is the event's own: posted again within an hour, it
// comes once. body is what encoding/json takes. Where it fails some may have it and some not; posting again with the
// same key is right.
func (s *Store) Post(ctx context.Context, key, kind string, body any, players ...string) error {
	text, err := json.Marshal(body)
	if err == nil && len(text) > MaxBody {
		err = ErrTooLarge
	}
	if err != nil {
		return fmt.Errorf("posting a %s event: %w", kind, err)
	}
	var errs []error
	for _, p := range players {
		stream := s.stream(p)
		posted := stream + ":posted:" + key
		err := postScript.Run(ctx, s.rdb, []string{stream, posted}, key, kind, text, Cap, keepFor.Milliseconds(), keyFor.Milliseconds()).Err()
		if err == nil {
			err = s.publish(ctx, cluster.Notice{Kind: Notice, ID: keyspace.Digest(p)})
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("posting a %s event: %w", kind, err))
		}
	}
	return errors.Join(errs...)
}

var postScript = redis.NewScript(`
if ARGV[1] ~= '' and not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[6]) then return 'ok' end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', 'kind', ARGV[2], 'body', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'ok'`)

var eventID = regexp.MustCompile(`^\d{1,15}-\d{1,10}$`)

// IsID says whether a text can be an event's id.
func IsID(s string) bool { return eventID.MatchString(s) }

// Read returns a player's events after the one with this id, the oldest first, at most limit; "" is the beginning.
// missed says that events after it have gone, since the inbox is capped.
func (s *Store) Read(ctx context.Context, player, after string, limit int64) (list []Event, missed bool, err error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	pipe := s.rdb.Pipeline()
	entries, first := pipe.XRangeN(ctx, s.stream(player), from, "+", limit), pipe.XRangeN(ctx, s.stream(player), "-", "+", 1)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, false, fmt.Errorf("reading an inbox: %w", err)
	}
	// An id that is older than all that is there was trimmed, or has been read and nothing came since.
	missed = after != "" && len(first.Val()) > 0 && Before(after, first.Val()[0].ID)
	for _, m := range entries.Val() {
		ms, _, _ := strings.Cut(m.ID, "-")
		at, _ := strconv.ParseInt(ms, 10, 64)
		kind, _ := m.Values["kind"].(string)
		body, _ := m.Values["body"].(string)
		list = append(list, Event{ID: m.ID, Kind: kind, At: time.UnixMilli(at).UTC(), Body: json.RawMessage(body)})
	}
	return list, missed, nil
}

// Before says whether event a stands before b.
func Before(a, b string) bool {
	am, as := split(a)
	bm, bs := split(b)
	return am < bm || am == bm && as < bs
}

func split(id string) (ms, seq uint64) {
	a, b, _ := strings.Cut(id, "-")
	ms, _ = strconv.ParseUint(a, 10, 64)
	seq, _ = strconv.ParseUint(b, 10, 64)
	return ms, seq
}
