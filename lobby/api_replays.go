package lobby

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// replayLimit is how many replays a player may fetch: each may be a whole match's journal in memory.
var replayLimit = rate{Rate: 20, Burst: 20, Period: time.Hour}

func (l *Lobby) registerReplays(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "get-replay", Method: http.MethodGet, Path: "/v1/matches/{id}/replay",
		Summary: "Fetch the replay of a match that one played to its end", Tags: []string{"Matches"},
		Errors: []int{http.StatusNotFound},
		Description: "A replay has the inputs of all players and what the game hid from them, so its game must allow it; for all others " +
			"there is none. It is kept for a while after the end of a match whose room recorded it. A player may fetch 20 an hour.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The replay, for muster replay.",
			Content: map[string]*huma.MediaType{"application/octet-stream": {
				Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"},
			}},
		}},
	}), l.getReplay)
}

// replayPath is where a match's replay can be fetched by one who played it; "" where it cannot.
func (l *Lobby) replayPath(room, game string, ended time.Time) string {
	if !l.games[game].OpenReplays || l.games[game].Persist || time.Since(ended) >= min(l.cfg.ReplaysFor, resultTTL) {
		return ""
	}
	return "/v1/matches/" + room + "/replay"
}

func (l *Lobby) getReplay(ctx context.Context, in *getMatchInput) (*huma.StreamResponse, error) {
	if err := l.mayFetch(ctx, in.ID); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		req, w := humago.Unwrap(ctx)
		req.SetPathValue("room", in.ID)
		l.cfg.Replays.ServeHTTP(w, req)
	}}, nil
}
