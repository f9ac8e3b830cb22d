package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Parties are the calls about the player's party: see [Lobby.Parties].
type Parties struct{ l *Lobby }

// Parties returns the calls about parties. A player is in one at most.
func (l *Lobby) Parties() Parties { return Parties{l} }

// Party is a party as its members see it. Of two, that with the higher Version is the newer.
type Party struct {
	ID      string        `json:"id"`
	Code    string        `json:"code"` // by which others join; not in events
	Leader  string        `json:"leader"`
	Max     int           `json:"max"` // members
	Members []PartyMember `json:"members"`
	Version int           `json:"version"`
}

// PartyMember is a member of a party.
type PartyMember struct {
	Player string `json:"player"`
	Name   string `json:"name"`
	Ready  bool   `json:"ready"`
}

// Create forms a party of at most most members, 1 to 32; 0 is 8. The player leads it.
func (p Parties) Create(ctx context.Context, most int) (Party, error) {
	body := struct {
		Max int `json:"max,omitempty"`
	}{most}
	var out Party
	if err := p.l.create(ctx, http.MethodPost, "/v1/parties", key(""), body, &out); err != nil {
		return Party{}, fmt.Errorf("forming a party: %w", err)
	}
	return out, nil
}

// Mine returns the player's party; an [APIError] with status 404 says that there is none.
func (p Parties) Mine(ctx context.Context) (Party, error) {
	return p.get(ctx, http.MethodGet, "asking for the own party", "/v1/me/party", nil)
}

// Get returns a party in which the player is.
func (p Parties) Get(ctx context.Context, id string) (Party, error) {
	return p.get(ctx, http.MethodGet, "asking for party "+id, partyPath(id, ""), nil)
}

// Invite tells a player that he may join; for ten minutes.
func (p Parties) Invite(ctx context.Context, id, player string) error {
	if err := p.l.call(ctx, http.MethodPost, partyPath(id, "/invite"), otherPlayer{player}, nil); err != nil {
		return fmt.Errorf("inviting to party %s: %w", id, err)
	}
	return nil
}

// Join joins a party to which the player is invited.
func (p Parties) Join(ctx context.Context, id string) (Party, error) {
	return p.get(ctx, http.MethodPost, "joining party "+id, partyPath(id, "/join"), nil)
}

// JoinCode joins the party that has a code.
func (p Parties) JoinCode(ctx context.Context, code string) (Party, error) {
	body := struct {
		Code string `json:"code"`
	}{code}
	return p.get(ctx, http.MethodPost, "joining a party by its code", "/v1/parties/join", body)
}

// RenewCode gives the party another code; the old one no longer works. For its leader.
func (p Parties) RenewCode(ctx context.Context, id string) (Party, error) {
	return p.get(ctx, http.MethodPost, "renewing the code of party "+id, partyPath(id, "/code"), nil)
}

// Ready says whether the player is ready.
func (p Parties) Ready(ctx context.Context, id string, ready bool) (Party, error) {
	body := struct {
		Ready bool `json:"ready"`
	}{ready}
	return p.get(ctx, http.MethodPost, "being ready in party "+id, partyPath(id, "/ready"), body)
}

// Promote makes another member the leader. For the leader.
func (p Parties) Promote(ctx context.Context, id, player string) (Party, error) {
	return p.get(ctx, http.MethodPost, "promoting in party "+id, partyPath(id, "/promote"), otherPlayer{player})
}

// Kick removes a member. For the leader.
func (p Parties) Kick(ctx context.Context, id, player string) error {
	if err := p.l.call(ctx, http.MethodPost, partyPath(id, "/kick"), otherPlayer{player}, nil); err != nil {
		return fmt.Errorf("kicking from party %s: %w", id, err)
	}
	return nil
}

// Leave leaves the party.
func (p Parties) Leave(ctx context.Context, id string) error {
	if err := p.l.call(ctx, http.MethodPost, partyPath(id, "/leave"), nil, nil); err != nil {
		return fmt.Errorf("leaving party %s: %w", id, err)
	}
	return nil
}

func (p Parties) get(ctx context.Context, method, doing, path string, body any) (Party, error) {
	var out Party
	if err := p.l.call(ctx, method, path, body, &out); err != nil {
		return Party{}, fmt.Errorf("%s: %w", doing, err)
	}
	return out, nil
}

func partyPath(id, what string) string { return "/v1/parties/" + url.PathEscape(id) + what }

// otherPlayer is what a request about another player says.
type otherPlayer struct {
	Player string `json:"player"`
}
