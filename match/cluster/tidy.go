package cluster

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// listTTL is how long a list of rooms is kept that nobody tidies any more: its game or queue is gone.
	listTTL = 24 * time.Hour
	// tidyPage is about how many rooms of a list one call of a Tidier looks at.
	tidyPage = 50
)

// Tidier takes rooms out of the lists of public and of open ones that died unheard, a page at a time, and keeps the
// lists: readers do so on their way, but a list may have none. One goroutine uses it.
type Tidier struct {
	d    *Directory
	from map[string]string // where to go on in each list
}

// NewTidier returns a Tidier of the directory's lists.
func NewTidier(d *Directory) *Tidier { return &Tidier{d, map[string]string{}} }

// Tidy looks at the next page of the lists of these games and queues.
func (t *Tidier) Tidy(ctx context.Context, games, queues []string) error {
	for _, game := range games {
		if err := t.public(ctx, game); err != nil {
			return fmt.Errorf("tidying the public rooms of %s: %w", game, err)
		}
	}
	for _, queue := range queues {
		if err := t.open(ctx, queue); err != nil {
			return fmt.Errorf("tidying the open rooms of queue %s: %w", queue, err)
		}
	}
	return nil
}

func (t *Tidier) public(ctx context.Context, game string) error {
	key, from := t.d.keys.public(game), "-"
	if last := t.from[key]; last != "" {
		from = "(" + last
	}
	pipe := t.d.rdb.Pipeline()
	page := pipe.ZRangeByLex(ctx, key, &redis.ZRangeBy{Min: from, Max: "+", Count: tidyPage})
	pipe.PExpire(ctx, key, listTTL)
	if _, err := pipe.Exec(ctx); err != nil {
		return err //nolint:wrapcheck // Tidy says what it did
	}
	names := page.Val()
	t.from[key] = ""
	if len(names) == tidyPage {
		t.from[key] = names[tidyPage-1]
	}
	list := make([]named, len(names))
	for i, n := range names {
		list[i] = named{game, n}
	}
	_, err := t.d.publicRooms(ctx, list)
	return err
}

func (t *Tidier) open(ctx context.Context, queue string) error {
	key := t.d.keys.open(queue)
	cursor, _ := strconv.ParseUint(t.from[key], 10, 64) // absent: from the beginning
	pipe := t.d.rdb.Pipeline()
	scan := pipe.ZScan(ctx, key, cursor, "", tidyPage)
	pipe.PExpire(ctx, key, listTTL)
	if _, err := pipe.Exec(ctx); err != nil {
		return err //nolint:wrapcheck // Tidy says what it did
	}
	entries, next := scan.Val()
	t.from[key] = strconv.FormatUint(next, 10)
	ids := make([]string, 0, len(entries)/2)
	for i := 0; i < len(entries); i += 2 {
		ids = append(ids, entries[i])
	}
	if len(ids) == 0 {
		return nil
	}
	states, err := t.d.states(ctx, ids...)
	if err != nil {
		return err
	}
	for i := range states {
		if states[i].err == nil {
			continue
		}
		if err := t.d.index(ctx, queue, ids[i]); err != nil {
			return err
		}
	}
	return nil
}
