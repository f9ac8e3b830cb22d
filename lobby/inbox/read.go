package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"
)

// Ask is a question for a player's events.
type Ask struct {
	Player string
	After  string // the id of the last event that is known; "" is none
	// Resume says that After comes from elsewhere and may be of any age: what is there is looked at as well.
	Resume bool
}

// Page is the answer to an Ask.
type Page struct {
	Events []Event // the oldest first
	// Missed says that events after Ask.After are gone: the inbox is capped and does not last for ever.
	Missed bool
	// Newest is the id of the newest event that there is; "" where there is none. Only a Resume has it.
	Newest string
}

// Read returns players' events, for each at most limit, in one exchange with Redis.
func (s *Store) Read(ctx context.Context, limit int64, asks ...Ask) ([]Page, error) {
	pipe := s.rdb.Pipeline()
	entries, newest := make([]*redis.XMessageSliceCmd, len(asks)), make([]*redis.XMessageSliceCmd, len(asks))
	for i, a := range asks {
		from := "-"
		if a.After != "" {
			from = "(" + a.After
		}
		entries[i] = pipe.XRangeN(ctx, s.stream(a.Player), from, "+", limit)
		if a.Resume {
			newest[i] = pipe.XRevRangeN(ctx, s.stream(a.Player), "+", "-", 1)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("reading inboxes: %w", err)
	}
	pages := make([]Page, len(asks))
	for i, a := range asks {
		p := &pages[i]
		for _, m := range entries[i].Val() {
			p.Events = append(p.Events, event(m))
		}
		if len(p.Events) > 0 && a.After != "" {
			_, known := split(a.After)
			_, first := split(p.Events[0].ID)
			p.Missed = first != known+1
		}
		if !a.Resume {
			continue
		}
		if m := newest[i].Val(); len(m) > 0 {
			p.Newest = m[0].ID
		}
		if a.After != "" && Before(p.Newest, a.After) { // an inbox that ended, or was lost, and may have begun anew
			again, err := s.Read(ctx, limit, Ask{Player: a.Player})
			if err != nil {
				return nil, err
			}
			p.Events, p.Missed = again[0].Events, true
		}
	}
	return pages, nil
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
