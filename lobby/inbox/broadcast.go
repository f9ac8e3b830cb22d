package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/match/cluster"
)

// What all players must hear of lies once, in a stream of its own beside everybody's inboxes. Each reader merges the
// two, by the times in their ids. The streams do not know of each other: an event for all may come to be seen after one
// of the player's own with a higher id, and two events may have the same id. So where a reader is in them is two ids,
// his place: OWN/ALL, the last that he has of each. Going on after a place gives every event that was not given before,
// whichever stream it is in and however late it came.

// All is the id of a notice that every player has a new event.
const All = "all"

// none is the part of a place of which nothing was read: no event has this id.
const none = "0-0"

func (s *Store) broadcasts() string            { return s.ns + ":{broadcast}:inbox" }
func (s *Store) broadcasted(key string) string { return s.ns + ":{broadcast}:posted:" + key }

// PostAll puts an event into the inbox of all players, also of those who come within the week: it is kept once, with
// the 256 newest such. What a key is, is as with Post.
func (s *Store) PostAll(ctx context.Context, key, kind string, body any) error {
	text, err := json.Marshal(body)
	if err == nil && len(text) > MaxBody {
		err = ErrTooLarge
	}
	if err == nil {
		err = postAllScript.Run(ctx, s.rdb, []string{s.broadcasts(), s.broadcasted(key)},
			key, kind, text, Cap, keepFor.Milliseconds(), keyFor.Milliseconds()).Err()
	}
	if err == nil {
		err = s.publish(ctx, cluster.Notice{Kind: Notice, ID: All})
	}
	if err != nil {
		return fmt.Errorf("posting a %s event to all: %w", kind, err)
	}
	return nil
}

var postAllScript = redis.NewScript(`
if ARGV[1] ~= '' and not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[6]) then return 'ok' end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', 'kind', ARGV[2], 'body', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'ok'`)

var place = regexp.MustCompile(`^\d{1,15}-\d{1,10}/\d{1,15}-\d{1,10}$`)

// IsPlace says whether a text can be a reader's place, which is the id of an event that ReadAll gave.
func IsPlace(s string) bool { return place.MatchString(s) }

// ReadAll returns the events of a player's own inbox and those for all, after a place ("" is the beginning), at most
// limit: the oldest first, but for one that came to be seen late. An event's ID is the place after it. missed says
// that events after the place have gone, since both streams are capped.
func (s *Store) ReadAll(ctx context.Context, player, after string, limit int64) (list []Event, missed bool, err error) {
	own, all := none, none
	if after != "" {
		own, all, _ = strings.Cut(after, "/")
	}
	pipe := s.rdb.Pipeline()
	mine := readAfter(ctx, pipe, s.stream(player), own, limit)
	ours := readAfter(ctx, pipe, s.broadcasts(), all, limit)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, false, fmt.Errorf("reading an inbox: %w", err)
	}
	a, b := mine.events.Val(), ours.events.Val()
	for len(a)+len(b) > 0 && int64(len(list)) < limit {
		if len(b) == 0 || len(a) > 0 && !Before(b[0].ID, a[0].ID) {
			list, own, a = append(list, eventOf(a[0])), a[0].ID, a[1:]
		} else {
			list, all, b = append(list, eventOf(b[0])), b[0].ID, b[1:]
		}
		list[len(list)-1].ID = own + "/" + all
	}
	return list, after != "" && (mine.missed() || ours.missed()), nil
}

// eventOf reads an entry of a stream.
func eventOf(m redis.XMessage) Event {
	ms, _ := split(m.ID)
	e := Event{ID: m.ID, At: time.UnixMilli(int64(ms)).UTC(), Body: json.RawMessage("null")} //nolint:gosec // at most 15 digits by Redis's clock
	e.Kind, _ = m.Values["kind"].(string)
	if body, ok := m.Values["body"].(string); ok && len(body) <= MaxBody && json.Valid([]byte(body)) {
		e.Body = json.RawMessage(body)
	}
	return e
}

// reading is what is asked of one of the streams.
type reading struct {
	after         string
	events, first *redis.XMessageSliceCmd
	size          *redis.IntCmd
}

func readAfter(ctx context.Context, pipe redis.Pipeliner, stream, after string, limit int64) reading {
	return reading{
		after, pipe.XRangeN(ctx, stream, "("+after, "+", limit), pipe.XRangeN(ctx, stream, "-", "+", 1),
		pipe.XLen(ctx, stream),
	}
}

// missed says whether events may have gone unread. Of who has read none it is only known that none has gone as long as
// the stream was never full.
func (r *reading) missed() bool {
	if r.after == none {
		return r.size.Val() >= Cap
	}
	return len(r.first.Val()) > 0 && Before(r.after, r.first.Val()[0].ID)
}
