package lobby

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/match/cluster"
	"muster/proto/token"
)

// guestTTL is how long a guest's token is good: long enough for an evening.
const guestTTL = 12 * time.Hour

type newGuestInput struct {
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"24" example:"alice" doc:"What other players see."`
	}
}

// Resolve implements huma.Resolver.
func (in *newGuestInput) Resolve(huma.Context) []error {
	if plainText(in.Body.Name) {
		return nil
	}
	return []error{&huma.ErrorDetail{
		Message: "expected at most 64 bytes without control characters", Location: "body.name", Value: in.Body.Name,
	}}
}

type guestOutput struct {
	Body struct {
		Token   string    `json:"token" example:"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOlsi…" doc:"A player token."`
		Player  string    `json:"player" example:"guest-q2gc3zkqav6ohzd3uqp6tmy4ra" doc:"The player's id."`
		Expires time.Time `json:"expires_at" example:"2026-01-02T03:04:05Z"`
	}
}

func (l *Lobby) registerGuests(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "create-guest", Method: http.MethodPost, Path: "/v1/guests", DefaultStatus: http.StatusCreated,
		Summary: "Make up a player (development only)", Tags: []string{"Development"}, Security: []map[string][]string{},
		Errors: slices.Clone(withBody),
	}), l.createGuest)
}

func (l *Lobby) createGuest(_ context.Context, in *newGuestInput) (*guestOutput, error) {
	out := &guestOutput{}
	out.Body.Player = "guest-" + cluster.NewID()
	out.Body.Expires = time.Now().Add(guestTTL).UTC().Truncate(time.Second)
	var err error
	out.Body.Token, err = l.cfg.Keys.SignPlayer(token.Player{ID: out.Body.Player, Name: in.Body.Name}, guestTTL)
	if err != nil {
		return nil, l.problem("signing a guest's token", err)
	}
	return out, nil
}
