package client

import (
	"encoding/json"
	"fmt"
	"time"
)

// Value returns the event's body as its kind's type: ticket a *[Ticket], party a *[PartyNews], group a *[GroupNews], chat a
// *[ChatMessage], mute a *[RoomMuting], notification a *[Notification]. It is nil for kinds that this client does not know,
// such as those that backends publish, and where the lobby could not write the body: see Decode.
//
//	v, err := news.Event.Value()
//	switch v := v.(type) {
//	case *client.ChatMessage: …
func (e *LiveEvent) Value() (any, error) {
	var v any
	switch e.Kind {
	case "ticket":
		v = &Ticket{}
	case "party":
		v = &PartyNews{}
	case "group":
		v = &GroupNews{}
	case "chat":
		v = &ChatMessage{}
	case "mute":
		v = &RoomMuting{}
	case "notification":
		v = &Notification{}
	}
	if v == nil || len(e.Body) == 0 || string(e.Body) == "null" {
		return nil, nil
	}
	if err := e.Decode(v); err != nil {
		return nil, err
	}
	return v, nil
}

// Decode reads the event's body into v, which is of the type that Value names, or of the program's own.
func (e *LiveEvent) Decode(v any) error {
	if err := json.Unmarshal(e.Body, v); err != nil {
		return fmt.Errorf("decoding an event of kind %q: %w", e.Kind, err)
	}
	return nil
}

// PartyNews is the body of an event of kind party.
type PartyNews struct {
	Event   string       `json:"event"` // changed, out (the player was removed) or invited
	ID      string       `json:"id"`
	Version int          `json:"version"`        // the highest counts: events may come in another order
	Party   *Party       `json:"party"`          // of changed, without its code; nil: it is to be asked for
	By      *PartyMember `json:"by"`             // of invited
	Until   time.Time    `json:"until,omitzero"` // of invited
}

// GroupNews is the body of an event of kind group: an invitation.
type GroupNews struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	From  string `json:"from"` // a player, who calls himself
	Name  string `json:"name"`
}
