package cluster

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// A game's public rooms stand in a sorted set by their names alone, which begin with the time of their creation: so
// there is a place between any two rooms at which a reader may go on, whatever came and went.

// listing is a room's name in its game's set: "CREATED:ID", CREATED in ms with 13 digits, which last until 2286.
func listing(created, id string) string {
	if len(created) < 13 {
		created = strings.Repeat("0", 13-len(created)) + created
	}
	return created + ":" + id
}

func (r *Room) listing() string { return listing(fmt.Sprint(r.Created.UnixMilli()), r.ID) }

// list brings a room's place among the public ones up to date, in the same way as index.
func (d *Directory) list(ctx context.Context, r Room) error {
	for wrote := ""; ; {
		states, err := d.states(ctx, r.ID)
		if err != nil {
			return err
		}
		now, want := &states[0], "out"
		if now.err == nil && now.Public && !now.Off && now.Created.Equal(r.Created) {
			want = "in"
		}
		if want == wrote {
			return nil
		}
		if want == "in" {
			pipe := d.rdb.TxPipeline()
			pipe.ZAdd(ctx, d.public(r.Game), redis.Z{Member: r.listing()})
			pipe.PExpire(ctx, d.public(r.Game), listTTL)
			_, err = pipe.Exec(ctx)
		} else {
			err = d.rdb.ZRem(ctx, d.public(r.Game), r.listing()).Err()
		}
		if err != nil {
			return fmt.Errorf("listing room %s: %w", r.ID, err)
		}
		wrote = want
	}
}

// tidied is how many rooms are looked at whenever one more becomes public: those that died unheard do not pile up, though
// nobody asks for the list.
const tidied = 3

func (d *Directory) tidy(ctx context.Context, game string) error {
	names, err := d.rdb.ZRandMember(ctx, d.public(game), tidied).Result()
	if err != nil {
		return fmt.Errorf("tidying the public rooms of %s: %w", game, err)
	}
	list := make([]named, len(names))
	for i, n := range names {
		list[i] = named{game, n}
	}
	_, err = d.publicRooms(ctx, list)
	return err
}

// unlist takes a room out that is over.
func (d *Directory) unlist(ctx context.Context, game, created, room string) error {
	if created == "" {
		return nil
	}
	if err := d.rdb.ZRem(ctx, d.public(game), listing(created, room)).Err(); err != nil {
		return fmt.Errorf("listing room %s no longer: %w", room, err)
	}
	return nil
}

// Filter says which public rooms are wanted. The zero value of a field means any.
type Filter struct {
	Games     []string // required
	Region    string
	Queue     string
	Tags      map[string]string // all of these
	OpenSeats int               // at least so many free seats
	// Alive says whether a node lives: rooms of others are left out. Required.
	Alive func(node string) bool
}

// PublicRoom is a room that anybody may find.
type PublicRoom struct {
	Room // without Config and Meta
	// Free are the seats that were neither taken nor reserved when it was read; none where its rules take no new players, nor
	// in a queue's match, into which tickets alone lead. Occupied are the others.
	Free, Occupied int
}

// found is a room as those see it who find it.
func (s *state) found() PublicRoom {
	p := PublicRoom{Room: s.Room, Free: s.free, Occupied: s.occupied}
	if p.MadeBy != "" {
		p.Free = 0
	}
	return p
}

// maxScan bounds how many rooms one call of Public looks at.
const maxScan = 200

// scanBatch is how many of them are read at once.
const scanBatch = 50

// ErrCursor means that a text is not the cursor of a page.
var ErrCursor = errors.New("not a cursor of a page")

var cursorForm = regexp.MustCompile(`^\d{13}:[a-z0-9][a-z0-9._-]{0,63}$`)

// Public returns public rooms that a filter lets through, the newest first, at most limit. next continues after them; ""
// is the end. There may be fewer than limit, or none, before the end: one call looks at 200 rooms at most. Whoever reads
// on from page to page gets no room twice, and each that was there and fitted all the time. Rooms that are gone are taken
// out on the way. Errors: ErrCursor.
func (d *Directory) Public(ctx context.Context, f Filter, cursor string, limit int) (list []PublicRoom, next string, err error) {
	names, more, err := d.listings(ctx, f.Games, cursor)
	if err != nil {
		return nil, "", err
	}
	for batch := range slices.Chunk(names, scanBatch) {
		rooms, err := d.publicRooms(ctx, batch)
		if err != nil {
			return nil, "", err
		}
		for i := range rooms {
			if r := &rooms[i]; r.Public && f.wants(r) { // those that are gone are the zero value
				list, next = append(list, *r), batch[i].name
			}
			if len(list) == limit {
				last := batch[i].name == names[len(names)-1].name
				if last && !more {
					return list, "", nil
				}
				return list, toCursor(next), nil
			}
		}
	}
	if !more {
		return list, "", nil
	}
	return list, toCursor(names[len(names)-1].name), nil
}

func (f *Filter) wants(r *PublicRoom) bool {
	for k, v := range f.Tags {
		if own, ok := r.Tags[k]; !ok || own != v {
			return false
		}
	}
	return (f.Region == "" || r.Region == f.Region) && (f.Queue == "" || r.Queue == f.Queue) && r.Free >= f.OpenSeats && f.Alive(r.Node)
}

// named is a room's name in its game's set.
type named struct{ game, name string }

// listings returns the names of public rooms after a cursor, at most maxScan, and whether there are more.
func (d *Directory) listings(ctx context.Context, games []string, cursor string) (names []named, more bool, err error) {
	from := "+"
	if cursor != "" {
		name, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil || !cursorForm.Match(name) {
			return nil, false, ErrCursor
		}
		from = "(" + string(name)
	}
	pipe := d.rdb.Pipeline()
	lists := make([]*redis.StringSliceCmd, len(games))
	for i, g := range games {
		lists[i] = pipe.ZRevRangeByLex(ctx, d.public(g), &redis.ZRangeBy{Min: "-", Max: from, Count: maxScan + 1})
	}
	if _, err := pipe.Exec(ctx); err != nil && len(games) > 0 {
		return nil, false, fmt.Errorf("listing public rooms: %w", err)
	}
	for i, l := range lists {
		for _, name := range l.Val() {
			names = append(names, named{games[i], name})
		}
	}
	slices.SortFunc(names, func(a, b named) int { return strings.Compare(b.name, a.name) })
	if len(names) > maxScan {
		return names[:maxScan], true, nil
	}
	return names, false, nil
}

func toCursor(name string) string { return base64.RawURLEncoding.EncodeToString([]byte(name)) }

// shown are the fields of a record that a list of rooms needs.
var shown = []string{
	"game", "rules", "queue", "node", "seats", "seed", "epoch", "created", "region", "title", "public", "owner", "tags", "shut",
	"off", "version", "madeby",
}

// publicRooms reads rooms by their names; those that are not public any more are the zero value, and taken out.
func (d *Directory) publicRooms(ctx context.Context, names []named) ([]PublicRoom, error) {
	pipe := d.rdb.Pipeline()
	records, seats := make([]*redis.SliceCmd, len(names)), make([]*redis.MapStringStringCmd, len(names))
	for i, n := range names {
		records[i], seats[i] = pipe.HMGet(ctx, d.room(n.id()), shown...), pipe.HGetAll(ctx, d.seats(n.id()))
	}
	now := pipe.Time(ctx)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("reading public rooms: %w", err)
	}
	list := make([]PublicRoom, len(names))
	var gone []named
	for i, n := range names {
		f := map[string]string{}
		for k, v := range records[i].Val() {
			if s, ok := v.(string); ok {
				f[shown[k]] = s
			}
		}
		var s state
		if s.Room, s.err = parseRoom(n.id(), f); s.err != nil || !s.Public || s.Off || s.listing() != n.name {
			gone = append(gone, n)
			continue
		}
		s.count(nil, seats[i].Val(), now.Val().UnixMilli())
		list[i] = s.found()
	}
	return list, d.sweep(ctx, gone)
}

func (n named) id() string { return n.name[min(len(n.name), 14):] }

// sweep takes rooms out that were not public when they were read. One that has become so meanwhile is put back.
func (d *Directory) sweep(ctx context.Context, gone []named) error {
	if len(gone) == 0 {
		return nil
	}
	pipe := d.rdb.Pipeline()
	for _, n := range gone {
		pipe.ZRem(ctx, d.public(n.game), n.name)
	}
	for _, n := range gone {
		pipe.Exists(ctx, d.room(n.id()))
	}
	there, err := pipe.Exec(ctx)
	if err != nil {
		return fmt.Errorf("taking rooms out that are no longer public: %w", err)
	}
	for i, n := range gone {
		exists, ok := there[len(gone)+i].(*redis.IntCmd)
		if !ok || exists.Val() == 0 {
			continue
		}
		r, err := d.Room(ctx, n.id())
		if err == nil {
			err = d.list(ctx, r)
		}
		if err != nil && !errors.Is(err, ErrNoRoom) {
			return err
		}
	}
	return nil
}

// Look returns a room as lists of public ones show it, whether it is public or not. Errors: ErrNoRoom.
func (d *Directory) Look(ctx context.Context, room string) (PublicRoom, error) {
	list, err := d.states(ctx, room)
	if err != nil {
		return PublicRoom{}, err
	}
	s := &list[0]
	if s.err == nil && s.Off {
		s.err = ErrNoRoom
	}
	if s.err != nil {
		return PublicRoom{}, fmt.Errorf("looking at room %s: %w", room, s.err)
	}
	return s.found(), nil
}
