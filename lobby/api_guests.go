package lobby

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/match/cluster"
	"muster/proto/token"
)

const (
	// guestTTL is how long a guest's token is good: long enough for an evening.
	guestTTL = 12 * time.Hour
	// guestRenewal is how long after its end it can still be exchanged for a newer one.
	guestRenewal = 7 * 24 * time.Hour
	// guestPrefix is what guests' ids begin with.
	guestPrefix = "guest-"
)

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

type renewGuestInput struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"4096" example:"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOlsi…" doc:"The guest's token: one that is good, or ended within the last week."`
	}
}

func (l *Lobby) registerGuests(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "create-guest", Method: http.MethodPost, Path: "/v1/guests", DefaultStatus: http.StatusCreated,
		Summary: "Make up a player (development only)", Tags: []string{"Development"}, Security: []map[string][]string{},
		Errors: slices.Clone(withBody),
	}), l.createGuest)
	huma.Register(api, operation(huma.Operation{
		OperationID: "renew-guest", Method: http.MethodPost, Path: "/v1/guests/renew",
		Summary: "Exchange a guest's token for a newer one (development only)", Tags: []string{"Development"},
		Security: []map[string][]string{}, Errors: append([]int{http.StatusUnauthorized}, withBody...),
	}), l.renewGuest)
}

func (l *Lobby) createGuest(_ context.Context, in *newGuestInput) (*guestOutput, error) {
	return l.signGuest(token.Player{ID: guestPrefix + cluster.NewID(), Name: in.Body.Name})
}

// renewGuest goes on with a guest. Players who were not made up here are renewed by whoever vouches for them.
func (l *Lobby) renewGuest(_ context.Context, in *renewGuestInput) (*guestOutput, error) {
	p, err := l.cfg.Keys.VerifyEnded(in.Body.Token, guestRenewal)
	if err != nil || !strings.HasPrefix(p.ID, guestPrefix) || !plainText(p.ID) || !plainText(p.Name) || len(p.Roles) > 0 {
		return nil, huma.Error401Unauthorized("a guest's token is needed that is good, or ended within the last week")
	}
	return l.signGuest(token.Player{ID: p.ID, Name: p.Name})
}

func (l *Lobby) signGuest(p token.Player) (*guestOutput, error) {
	out := &guestOutput{}
	out.Body.Player = p.ID
	out.Body.Expires = time.Now().Add(guestTTL).UTC().Truncate(time.Second)
	var err error
	if out.Body.Token, err = l.cfg.Keys.SignPlayer(p, guestTTL); err != nil {
		return nil, l.problem("signing a guest's token", err)
	}
	return out, nil
}
