package client

import (
	"context"
	"fmt"
	"net/http"
)

// Backend publishes into rooms and to players, with a token that has the role service. Any goroutine may use it.
//
// A key makes a call one that may be repeated, within an hour: with the same key the same thing is published once. "" is a
// key of the call's own.
type Backend struct{ l *Lobby }

// Backend is what a backend does.
func (l *Lobby) Backend() Backend { return Backend{l} }

// Published says what came of what was published.
type Published struct {
	ID string `json:"id"`
	// State is "done", or "waiting": the room did not answer in time and does it later. Asked again with the same key, it is
	// told what came of it.
	State string `json:"state"`
	To    int    `json:"to,omitempty"` // players that it was for; 0 for a room and for all
}

// RoomEvent is an event of a room's game.
type RoomEvent struct {
	Type   string // one of the game's events
	Fields any    // a struct, or a map by the schema's names; what is left out is zero
	Player string // for this player alone
	Team   uint16 // for this team alone
}

// PlayerEvent is an event for players, which their lobby sockets tell as [LiveNews.Published], or as an event that is kept.
type PlayerEvent struct {
	Kind string // begins with "x."
	Body any    // anything, encoded as JSON
	Keep bool   // it waits for those who are away
}

// publish is a request to publish, and publishEvent the event in it, of a room or for players.
type (
	publish struct {
		To    string        `json:"to"`
		Input any           `json:"input,omitempty"`
		Event *publishEvent `json:"event,omitempty"`
		Keep  bool          `json:"keep,omitempty"`
	}
	publishEvent struct {
		Type   string `json:"type,omitempty"`
		Fields any    `json:"fields,omitempty"`
		Player string `json:"player,omitempty"`
		Team   uint16 `json:"team,omitempty"`
		Kind   string `json:"kind,omitempty"`
		Body   any    `json:"body,omitempty"`
	}
)

// Feed gives a room an input of its game, which its Feed hook gets: a struct, or a map by the schema's names. It returns
// when that is done, durably where the room has a journal. What the game refuses is an [APIError] of status 422.
func (b Backend) Feed(ctx context.Context, room, key string, input any) (Published, error) {
	return b.publish(ctx, key, publish{To: "room:" + room, Input: input})
}

// Emit tells those in a room an event of its game.
func (b Backend) Emit(ctx context.Context, room, key string, e RoomEvent) (Published, error) {
	return b.publish(ctx, key, publish{To: "room:" + room, Event: &publishEvent{Type: e.Type, Fields: e.Fields, Player: e.Player, Team: e.Team}})
}

// Tell tells players something: to is player:ID, party:ID, group:ID or all.
func (b Backend) Tell(ctx context.Context, to, key string, e PlayerEvent) (Published, error) {
	return b.publish(ctx, key, publish{To: to, Event: &publishEvent{Kind: e.Kind, Body: e.Body}, Keep: e.Keep})
}

func (b Backend) publish(ctx context.Context, once string, body publish) (p Published, err error) {
	if err := b.l.create(ctx, http.MethodPost, "/v1/publish", key(once), body, &p); err != nil {
		return Published{}, fmt.Errorf("publishing: %w", err)
	}
	return p, nil
}
