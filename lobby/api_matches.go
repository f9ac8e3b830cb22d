package lobby

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/proto"
)

// Result is how a match ended, as the API shows it.
type Result struct {
	Room       string      `json:"room" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e"`
	Game       string      `json:"game" example:"arena"`
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
	}), l.getMatch)
}

// getMatch answers those who are in the result; for all others there is no such match.
func (l *Lobby) getMatch(ctx context.Context, in *getMatchInput) (*resultOutput, error) {
	r, err := l.results.get(ctx, in.ID)
	if err != nil {
		return nil, l.problem("reading a result", err)
	}
	p := playerOf(ctx)
	for i := range r.Placements {
		if r.Placements[i].Player == p.ID {
			return &resultOutput{shown(r)}, nil
		}
	}
	return nil, l.problem("reading a result", errNoResult)
}

func shown(r proto.Result) Result {
	s := Result{
		Room: r.Room, Game: r.Game, Rules: r.Rules, Tick: r.Tick, Started: r.Started, Ended: r.Ended,
		Placements: make([]Placement, len(r.Placements)),
	}
	for i, p := range r.Placements {
		s.Placements[i] = Placement(p)
	}
	return s
}
