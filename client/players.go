package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"muster/proto"
)

// Profile is what a player says of himself.
type Profile struct {
	About   string `json:"about,omitempty"`   // a few words
	Avatar  string `json:"avatar,omitempty"`  // the https address of a picture
	Country string `json:"country,omitempty"` // two letters (ISO 3166)
	Status  string `json:"status,omitempty"`  // what is on his mind now
	Watch   string `json:"watch,omitempty"`   // who may see how he is: everyone, party or nobody
}

// Player is a player as others see him.
type Player struct {
	ID      string       `json:"player"`
	Name    string       `json:"name,omitempty"`
	About   string       `json:"about,omitempty"`
	Avatar  string       `json:"avatar,omitempty"`
	Country string       `json:"country,omitempty"`
	Status  string       `json:"status,omitempty"`
	Ratings []GameRating `json:"ratings"`
}

// Me is the player as he sees himself.
type Me struct {
	Player
	Watch   string   `json:"watch"`
	Party   string   `json:"party,omitempty"` // the id of his party
	Tickets []string `json:"tickets,omitempty"`
}

// GameRating is how good a player is at a game.
type GameRating struct {
	Game      string  `json:"game"`
	Rating    float64 `json:"rating"`
	Deviation float64 `json:"deviation"`
	Matches   int     `json:"matches"`
}

// PlayedMatch is a match that the player was in.
type PlayedMatch struct {
	Room     string        `json:"room"`
	Game     string        `json:"game"`
	Queue    string        `json:"queue,omitempty"`
	Players  int           `json:"players"`
	Rank     int           `json:"rank"`
	Team     int           `json:"team"`
	Score    int64         `json:"score"`
	Started  time.Time     `json:"started_at"`
	Ended    time.Time     `json:"ended_at"`
	Rating   *RatingChange `json:"rating,omitempty"`
	Recorded bool          `json:"recorded"`
	Replay   string        `json:"replay,omitempty"` // where it is to be had
}

// RatingChange is what a match did to a rating.
type RatingChange struct {
	Before          float64 `json:"before"`
	After           float64 `json:"after"`
	DeviationBefore float64 `json:"deviation_before"`
	DeviationAfter  float64 `json:"deviation_after"`
}

// MatchList is a page of matches, the newest first.
type MatchList struct {
	Matches []PlayedMatch `json:"matches"`
	Next    string        `json:"next,omitempty"` // the next page's cursor, "" for the last
}

// Result is how a match ended.
type Result struct {
	Room       string            `json:"room"`
	Game       string            `json:"game"`
	Queue      string            `json:"queue,omitempty"`
	Rules      string            `json:"rules"` // the version of the game's rules
	Tick       uint32            `json:"tick"`
	Placements []proto.Placement `json:"placements"` // best first
	Started    time.Time         `json:"started_at"`
	Ended      time.Time         `json:"ended_at"`
}

// Me returns the player himself.
func (l *Lobby) Me(ctx context.Context) (Me, error) {
	var out Me
	if err := l.call(ctx, http.MethodGet, "/v1/me", nil, &out); err != nil {
		return Me{}, fmt.Errorf("asking for the own player: %w", err)
	}
	return out, nil
}

// SetProfile puts a profile in the place of the player's.
func (l *Lobby) SetProfile(ctx context.Context, p Profile) (Me, error) {
	var out Me
	if err := l.call(ctx, http.MethodPut, "/v1/me", p, &out); err != nil {
		return Me{}, fmt.Errorf("changing the own profile: %w", err)
	}
	return out, nil
}

// DeleteMe has all forgotten that the lobby knows of the player.
func (l *Lobby) DeleteMe(ctx context.Context) error {
	if err := l.call(ctx, http.MethodDelete, "/v1/me", nil, nil); err != nil {
		return fmt.Errorf("deleting the own player: %w", err)
	}
	return nil
}

// Player returns another player.
func (l *Lobby) Player(ctx context.Context, id string) (Player, error) {
	var out Player
	if err := l.call(ctx, http.MethodGet, "/v1/players/"+url.PathEscape(id), nil, &out); err != nil {
		return Player{}, fmt.Errorf("asking for player %s: %w", id, err)
	}
	return out, nil
}

// Matches lists the player's matches. limit is 1 to 50, 0 is 20; cursor is Next of the page before, "" for the first.
func (l *Lobby) Matches(ctx context.Context, cursor string, limit int) (MatchList, error) {
	var out MatchList
	if err := l.call(ctx, http.MethodGet, "/v1/me/matches"+query(url.Values{"cursor": {cursor}, "limit": {number(limit)}}), nil, &out); err != nil {
		return MatchList{}, fmt.Errorf("listing the own matches: %w", err)
	}
	return out, nil
}

// Result returns how a match ended; an [APIError] with status 404 while it has not.
func (l *Lobby) Result(ctx context.Context, room string) (Result, error) {
	var r Result
	if err := l.call(ctx, http.MethodGet, "/v1/matches/"+url.PathEscape(room), nil, &r); err != nil {
		return Result{}, fmt.Errorf("asking for the result of match %s: %w", room, err)
	}
	return r, nil
}

// Blocked lists the players whom the player has blocked.
func (l *Lobby) Blocked(ctx context.Context) ([]string, error) {
	var out struct {
		Players []string `json:"players"`
	}
	if err := l.call(ctx, http.MethodGet, "/v1/me/blocks", nil, &out); err != nil {
		return nil, fmt.Errorf("listing blocked players: %w", err)
	}
	return out.Players, nil
}

// Block blocks a player, or no longer: his invitations and messages do not arrive, and nobody is told.
func (l *Lobby) Block(ctx context.Context, player string, block bool) error {
	method := http.MethodPut
	if !block {
		method = http.MethodDelete
	}
	if err := l.call(ctx, method, "/v1/me/blocks/"+url.PathEscape(player), nil, nil); err != nil {
		return fmt.Errorf("blocking player %s (%v): %w", player, block, err)
	}
	return nil
}

// Muted lists the players whom the player has muted.
func (l *Lobby) Muted(ctx context.Context) ([]string, error) {
	var out struct {
		Players []string `json:"players"`
	}
	if err := l.call(ctx, http.MethodGet, "/v1/me/mutes", nil, &out); err != nil {
		return nil, fmt.Errorf("listing muted players: %w", err)
	}
	return out.Players, nil
}

// Mute mutes a player, or no longer: what he writes does not reach this one, and nobody is told.
func (l *Lobby) Mute(ctx context.Context, player string, mute bool) error {
	method := http.MethodPut
	if !mute {
		method = http.MethodDelete
	}
	if err := l.call(ctx, method, "/v1/me/mutes/"+url.PathEscape(player), nil, nil); err != nil {
		return fmt.Errorf("muting player %s (%v): %w", player, mute, err)
	}
	return nil
}
