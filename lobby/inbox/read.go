package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"
)

// A reader merges his own stream and that for all, by the times in their ids. The streams do not know of each other: an
// event for all may come to be seen after one of the player's own with a higher id, and two events may have the same id.
// So where a reader is in them is two ids, his place: OWN/ALL, the last that he has of each. Going on after a place gives
// every event that was not given before, whichever stream it is in and however late it came.

// none is the part of a place of which nothing was read: no event has this id.
const none = "0-0"

var place = regexp.MustCompile(`^\d{1,15}-\d{1,10}/\d{1,15}-\d{1,10}$`)

// IsPlace says whether a text can be a reader's place, which is an event's id.
func IsPlace(s string) bool { return place.MatchString(s) }

// Ask is a question for a player's events.
type Ask struct {
	Player string
	After  string // the place to go on from; "" is the beginning of what there is
	// Resume says that After comes from elsewhere and may be of any age: what is there is looked at as well.
	Resume bool
}

// Page is the answer to an Ask.
type Page struct {
	Events []Event // the oldest first, but for one that came to be seen late
	// From is the place before the first of them: Ask.After, but where that was the beginning or something is missing.
	From string
	// Missed says that events after Ask.After are gone: streams are capped and do not last for ever.
	Missed bool
	// Newest is the place after the last event that there is. Only a Resume has it.
	Newest string
}

// reading is what is asked of one stream: what follows an id, and where it is wanted the newest entry.
type reading struct{ entries, newest *redis.XMessageSliceCmd }

// Read returns players' events, for each at most limit, in one exchange with Redis.
func (s *Store) Read(ctx context.Context, limit int64, asks ...Ask) ([]Page, error) {
	pipe := s.rdb.Pipeline()
	from := func(stream, after string, resume bool) (r reading) {
		r.entries = pipe.XRangeN(ctx, stream, "("+after, "+", limit)
		if resume {
			r.newest = pipe.XRevRangeN(ctx, stream, "+", "-", 1)
		}
		return r
	}
	own, all := make([]reading, len(asks)), map[Ask]reading{} // most readers are at the same place in what is for all
	for i, a := range asks {
		mine, ours := parts(a.After)
		own[i] = from(s.stream(a.Player), mine, a.Resume)
		if key := (Ask{After: ours, Resume: a.Resume}); all[key].entries == nil {
			all[key] = from(s.broadcasts(), ours, a.Resume)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("reading inboxes: %w", err)
	}
	pages := make([]Page, len(asks))
	for i, a := range asks {
		_, ours := parts(a.After)
		page, again := merge(a, own[i], all[Ask{After: ours, Resume: a.Resume}], limit)
		if again != "" { // a stream that ended, or was lost, and may have begun anew
			anew, err := s.Read(ctx, limit, Ask{Player: a.Player, After: again})
			if err != nil {
				return nil, err
			}
			page.Events, page.From, page.Missed = anew[0].Events, anew[0].From, true
		}
		pages[i] = page
	}
	return pages, nil
}

// parts splits a place.
func parts(place string) (own, all string) {
	if place == "" {
		return none, none
	}
	own, all, _ = strings.Cut(place, "/")
	return own, all
}

// merge makes a page of what was read of both streams. again is the place from which to read anew, where a stream has
// nothing of what the reader has.
func merge(a Ask, own, all reading, limit int64) (p Page, again string) {
	mine, ours := parts(a.After)
	if a.Resume {
		newestOwn, newestAll := last(own.newest.Val()), last(all.newest.Val())
		p.Newest = newestOwn + "/" + newestAll
		if lost := before(newestOwn, mine); lost || before(newestAll, ours) {
			if lost {
				mine = none
			}
			if before(newestAll, ours) {
				ours = none
			}
			return p, mine + "/" + ours
		}
	}
	x, y := own.entries.Val(), all.entries.Val()
	if a.After == "" { // what was trimmed before he came is not his to miss
		mine, ours = start(x), start(y)
	} else {
		p.Missed = gap(mine, x) || gap(ours, y)
	}
	p.From = mine + "/" + ours
	for len(x)+len(y) > 0 && int64(len(p.Events)) < limit {
		var e Event
		if len(y) == 0 || len(x) > 0 && !before(y[0].ID, x[0].ID) {
			e, mine, x = event(x[0]), x[0].ID, x[1:]
		} else {
			e, ours, y = event(y[0]), y[0].ID, y[1:]
		}
		e.ID = mine + "/" + ours
		p.Events = append(p.Events, e)
	}
	return p, ""
}

// last returns the id of the newest entry.
func last(newest []redis.XMessage) string {
	if len(newest) == 0 {
		return none
	}
	return newest[0].ID
}

// start returns the id before the first of a stream's entries.
func start(entries []redis.XMessage) string {
	if len(entries) == 0 {
		return none
	}
	ms, n := split(entries[0].ID)
	return strconv.FormatUint(ms, 10) + "-" + strconv.FormatUint(n-min(n, 1), 10)
}

// gap says whether entries are missing between an id and those that follow it.
func gap(after string, entries []redis.XMessage) bool {
	if len(entries) == 0 {
		return false
	}
	_, known := split(after)
	_, first := split(entries[0].ID)
	return first != known+1
}

// event reads an entry. One that Post has not written has an empty body.
func event(m redis.XMessage) Event {
	ms, _ := split(m.ID)
	e := Event{ID: m.ID, At: time.UnixMilli(int64(ms)).UTC(), Body: json.RawMessage("null")} //nolint:gosec // at most 15 digits by Redis's clock
	if kind, ok := m.Values["kind"].(string); ok && len(kind) <= maxKind && utf8.ValidString(kind) {
		e.Kind = kind
	}
	if body, ok := m.Values["body"].(string); ok && len(body) <= MaxBody && utf8.ValidString(body) && json.Valid([]byte(body)) {
		e.Body = json.RawMessage(body)
	}
	return e
}
