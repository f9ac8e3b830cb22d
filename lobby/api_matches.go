package lobby

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/lobby/players"
	"muster/proto"
)

// Result is how a match ended, as the API shows it.
type Result struct {
	Room       string      `json:"room" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e"`
	Game       string      `json:"game" example:"arena"`
	Queue      string      `json:"queue,omitempty" example:"duel" doc:"Which made the match."`
	Rules      string      `json:"rules" example:"1" doc:"The version of the game's rules."`
	Tick       uint32      `json:"tick" example:"3600" doc:"The last one."`
	Placements []Placement `json:"placements" nullable:"false" doc:"Best first."`
	Started    time.Time   `json:"started_at" example:"2026-01-02T03:04:05.678Z"`
	Ended      time.Time   `json:"ended_at" example:"2026-01-02T03:07:05.678Z"`
}

// Placement is one player's part of a result.
type Placement struct {
	Seat   uint16 `json:"seat" example:"3"`
	Player string `json:"player" example:"alice"`
	Team   uint16 `json:"team" example:"0" doc:"0 where the game has no teams."`
	Rank   uint16 `json:"rank" example:"1" doc:"1 is best; equal ranks are draws."`
	Score  int64  `json:"score" example:"12"`
}

type getMatchInput struct {
	ID string `path:"id" pattern:"^[a-z0-9][a-z0-9._-]{0,63}$" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"The room, which is the match."`
}

type resultOutput struct{ Body Result }

func (l *Lobby) registerMatches(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "get-match", Method: http.MethodGet, Path: "/v1/matches/{id}",
		Summary: "Read the result of a match that one played to its end", Tags: []string{"Matches"}, Errors: []int{http.StatusNotFound},
		Description: "For those who are in it, and for tokens with the role service.",
	}), l.getMatch)
	huma.Register(api, operation(huma.Operation{
		OperationID: "list-matches", Method: http.MethodGet, Path: "/v1/me/matches",
		Summary: "List the matches that one played to their end, the newest first", Tags: []string{"Matches"},
		Description: "The newest 100 are kept, for 90 days after the last. Pages stay as they are while matches come: the cursor is a " +
			"place in the list. A replay has the inputs of all players and what the game hid from them, so its link is shown where the " +
			"game allows it, and to those with the role admin, as long as the replay is kept. A match that no queue made, or that " +
			"had one team, is not rated.",
	}), l.listMatches)
}

// PlayedMatch is a match that a player played to its end, as it was for him.
type PlayedMatch struct {
	Room     string        `json:"room" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e"`
	Game     string        `json:"game" example:"arena"`
	Queue    string        `json:"queue,omitempty" example:"duel" doc:"Which made the match."`
	Team     uint16        `json:"team" example:"0" doc:"0 where the game has no teams."`
	Rank     uint16        `json:"rank" example:"1" doc:"1 is best; equal ranks are draws."`
	Score    int64         `json:"score" example:"12"`
	Players  int           `json:"players" example:"8" doc:"How many are in the result."`
	Started  time.Time     `json:"started_at" example:"2026-01-02T03:04:05.678Z"`
	Ended    time.Time     `json:"ended_at" example:"2026-01-02T03:07:05.678Z"`
	Rating   *RatingChange `json:"rating,omitempty" doc:"What it did to one's rating, where it was rated."`
	Recorded bool          `json:"recorded" example:"true" doc:"Whether the room recorded a replay."`
	Replay   string        `json:"replay,omitempty" example:"/v1/matches/x5n2rm7ksm6vqzcgq3nyzj4k5e/replay" doc:"Where the replay can be fetched, if one may."`
}

// RatingChange is what a match did to a player's rating.
type RatingChange struct {
	Before float64 `json:"before" example:"1122" doc:"In whole points, as the deviations are."`
	After  float64 `json:"after" example:"1134"`
	// The deviations say how much of a change is that less is unsure.
	DeviationBefore float64 `json:"deviation_before" example:"89"`
	DeviationAfter  float64 `json:"deviation_after" example:"87"`
}

type listMatchesInput struct {
	Cursor string `query:"cursor" maxLength:"32" pattern:"^([0-9]{1,15}-[0-9]{1,10})?$" example:"1767323045678-0" doc:"Go on after a page: its next."`
	Limit  int    `query:"limit" minimum:"1" maximum:"50" default:"20" example:"20" doc:"How many at most."`
}

type matchesOutput struct {
	Body struct {
		Matches []PlayedMatch `json:"matches" nullable:"false" doc:"The newest first."`
		Next    string        `json:"next,omitempty" example:"1767323045678-0" doc:"The cursor of the next page; absent on the last."`
	}
}

func (l *Lobby) listMatches(ctx context.Context, in *listMatchesInput) (*matchesOutput, error) {
	p := playerOf(ctx)
	list, more, err := l.players.Matches(ctx, p.ID, in.Cursor, in.Limit)
	if err != nil {
		return nil, l.problem("listing matches", err)
	}
	out := &matchesOutput{}
	out.Body.Matches = make([]PlayedMatch, len(list))
	for i, m := range list {
		out.Body.Matches[i] = l.played(m, l.operator(ctx))
	}
	if more {
		out.Body.Next = list[len(list)-1].ID
	}
	return out, nil
}

func (l *Lobby) played(m players.Match, admin bool) PlayedMatch {
	out := PlayedMatch{
		Room: m.Room, Game: m.Game, Queue: m.Queue, Team: m.Team, Rank: m.Rank, Score: m.Score, Players: m.Players,
		Started: m.Started, Ended: m.Ended, Recorded: m.Recorded,
	}
	if m.Rated {
		before, after := m.Before.Rounded(), m.After.Rounded()
		out.Rating = &RatingChange{before.Mean, after.Mean, before.Deviation, after.Deviation}
	}
	switch {
	case !m.Recorded:
	case admin && time.Since(m.Ended) < l.cfg.ReplaysFor:
		out.Replay = "/v1/admin/replays/" + m.Room
	default:
		out.Replay = l.replayPath(m.Room, m.Game, m.Ended)
	}
	return out
}

// getMatch answers those who are in the result, and backends; for all others there is no such match.
func (l *Lobby) getMatch(ctx context.Context, in *getMatchInput) (*resultOutput, error) {
	r, err := l.results.get(ctx, in.ID)
	if err != nil {
		return nil, l.problem("reading a result", err)
	}
	p := playerOf(ctx)
	if isBackend(p) || slices.ContainsFunc(r.Placements, func(at proto.Placement) bool { return at.Player == p.ID }) {
		return &resultOutput{shown(r)}, nil
	}
	return nil, l.problem("reading a result", errNoResult)
}

func shown(r proto.Result) Result {
	s := Result{
		Room: r.Room, Game: r.Game, Queue: r.Queue, Rules: r.Rules, Tick: r.Tick, Started: r.Started, Ended: r.Ended,
		Placements: make([]Placement, len(r.Placements)),
	}
	for i, p := range r.Placements {
		s.Placements[i] = Placement(p)
	}
	return s
}
