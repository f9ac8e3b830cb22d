package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Rooms are the calls about rooms that players make, find and join by themselves: see [Lobby.Rooms].
type Rooms struct{ l *Lobby }

// Rooms returns the calls about rooms.
func (l *Lobby) Rooms() Rooms { return Rooms{l} }

// RoomInfo is a room as the lobby shows it.
type RoomInfo struct {
	ID      string            `json:"id"`
	Game    string            `json:"game"`
	Title   string            `json:"title,omitempty"`
	Public  bool              `json:"public"`
	Queue   string            `json:"queue,omitempty"` // whose match it is: one may watch it, and not join
	Code    string            `json:"code,omitempty"`  // by which others join; for its maker alone
	Region  string            `json:"region,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	Seats   int               `json:"seats"`
	Free    int               `json:"free"` // seats
	Players int               `json:"players"`
	Watch   bool              `json:"watch"`              // whether one may watch it without a seat
	DelayMS int64             `json:"delay_ms,omitempty"` // how much later those who watch see it
	// ShownInMS is about how long until those who watch are shown something; the delay begins anew where the match goes on at
	// another server.
	ShownInMS int64     `json:"shown_in_ms,omitempty"`
	Created   time.Time `json:"created_at"`
}

// NewRoom says what room to make. Only Game must be set.
type NewRoom struct {
	Game   string            `json:"game"`
	Config any               `json:"config,omitempty"` // the game's own, encoded as JSON
	Title  string            `json:"title,omitempty"`
	Public bool              `json:"public,omitempty"` // whether anybody may find it and join
	Region string            `json:"region,omitempty"`
	Seats  int               `json:"seats,omitempty"` // 0: as many as the game has
	Tags   map[string]string `json:"tags,omitempty"`
	On     map[string]string `json:"on,omitempty"` // tags that the server must have on which it is made

	Key string `json:"-"` // the Idempotency-Key, for a program that repeats the call itself; "" makes one up
}

// MadeRoom is a room and its maker's seat in it.
type MadeRoom struct {
	Room  RoomInfo `json:"room"`
	Match Match    `json:"match"`
}

// RoomFilter says which rooms List returns. The zero value is all public ones.
type RoomFilter struct {
	Game      string
	Region    string
	Tags      map[string]string // a room has them all
	OpenSeats int               // at least so many free ones
	Limit     int               // rooms of a page, 1 to 100; 0 is 20
	Cursor    string            // RoomList.Next of the page before
}

// RoomList is a page of rooms.
type RoomList struct {
	Rooms []RoomInfo `json:"rooms"`
	Next  string     `json:"next,omitempty"` // the next page's cursor, "" for the last
}

// RoomChange says what of a room its maker changes. What is nil stays.
type RoomChange struct {
	Public *bool             `json:"public,omitempty"`
	Title  *string           `json:"title,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"` // in the place of those that it has
}

// List lists public rooms, the newest first. A page may be short or empty before the last one.
func (r Rooms) List(ctx context.Context, f RoomFilter) (RoomList, error) {
	q := url.Values{
		"game": {f.Game}, "region": {f.Region}, "open_seats": {number(f.OpenSeats)}, "limit": {number(f.Limit)}, "cursor": {f.Cursor},
	}
	for name, v := range f.Tags {
		q.Add("tag", name+":"+v)
	}
	var out RoomList
	if err := r.l.call(ctx, http.MethodGet, "/v1/rooms"+query(q), nil, &out); err != nil {
		return RoomList{}, fmt.Errorf("listing rooms: %w", err)
	}
	return out, nil
}

// Create makes a room, with a seat in it.
func (r Rooms) Create(ctx context.Context, want NewRoom) (MadeRoom, error) {
	var out MadeRoom
	if err := r.l.create(ctx, http.MethodPost, "/v1/rooms", key(want.Key), want, &out); err != nil {
		return MadeRoom{}, fmt.Errorf("making a room of game %q: %w", want.Game, err)
	}
	return out, nil
}

// Get returns a public room, or an own one.
func (r Rooms) Get(ctx context.Context, id string) (RoomInfo, error) {
	var out RoomInfo
	if err := r.l.call(ctx, http.MethodGet, "/v1/rooms/"+url.PathEscape(id), nil, &out); err != nil {
		return RoomInfo{}, fmt.Errorf("asking for room %s: %w", id, err)
	}
	return out, nil
}

// Change changes a room that the player has made.
func (r Rooms) Change(ctx context.Context, id string, c RoomChange) (RoomInfo, error) {
	var out RoomInfo
	if err := r.l.call(ctx, http.MethodPatch, "/v1/rooms/"+url.PathEscape(id), c, &out); err != nil {
		return RoomInfo{}, fmt.Errorf("changing room %s: %w", id, err)
	}
	return out, nil
}

// Close ends a room that the player has made.
func (r Rooms) Close(ctx context.Context, id string) error {
	if err := r.l.call(ctx, http.MethodDelete, "/v1/rooms/"+url.PathEscape(id), nil, nil); err != nil {
		return fmt.Errorf("closing room %s: %w", id, err)
	}
	return nil
}

// Join takes a seat in a public room.
func (r Rooms) Join(ctx context.Context, id string) (Match, error) {
	return r.seat(ctx, "joining room "+id, "/v1/rooms/"+url.PathEscape(id)+"/join")
}

// JoinCode takes a seat in the room that has a code, a private one, too.
func (r Rooms) JoinCode(ctx context.Context, code string) (Match, error) {
	return r.seat(ctx, "joining a room by its code", "/v1/codes/"+url.PathEscape(code)+"/join")
}

// JoinNamed takes a seat in a game's room that has a name, which is made if need be; for games that persist.
func (r Rooms) JoinNamed(ctx context.Context, game, name string) (Match, error) {
	path := "/v1/games/" + url.PathEscape(game) + "/rooms/" + url.PathEscape(name) + "/join"
	return r.seat(ctx, fmt.Sprintf("joining room %q of game %q", name, game), path)
}

// Spectate gives a place to watch a public room from, where its game allows that.
func (r Rooms) Spectate(ctx context.Context, id string) (Match, error) {
	return r.seat(ctx, "watching room "+id, "/v1/rooms/"+url.PathEscape(id)+"/spectate")
}

// Rejoin gives a new seat token for a room in which the player has a seat.
func (r Rooms) Rejoin(ctx context.Context, id string) (Match, error) {
	return r.seat(ctx, "rejoining room "+id, "/v1/rooms/"+url.PathEscape(id)+"/rejoin")
}

func (r Rooms) seat(ctx context.Context, doing, path string) (Match, error) {
	var m Match
	if err := r.l.call(ctx, http.MethodPost, path, nil, &m); err != nil {
		return Match{}, fmt.Errorf("%s: %w", doing, err)
	}
	return m, nil
}

// Rejoin is [Rooms.Rejoin].
func (l *Lobby) Rejoin(ctx context.Context, room string) (Match, error) {
	return l.Rooms().Rejoin(ctx, room)
}
