package party

import (
	"encoding/json"
	"time"

	"muster/lobby/inbox"
)

// Kind is the kind of a party's events in inboxes.
const Kind = "party"

// What an Event says.
const (
	EventChanged = "changed" // to all members
	EventOut     = "out"     // to who was removed
	EventInvited = "invited"
)

// Event is the body of an event in an inbox. Events may come in another order than the changes: the higher version is
// the newer.
type Event struct {
	Event   string     `json:"event" enum:"changed,out,invited"`
	ID      string     `json:"id"`
	Version uint64     `json:"version,omitempty"`
	Party   *Party     `json:"party,omitempty"` // of changed; absent where it is too large, and must be asked for
	By      *Member    `json:"by,omitempty"`    // of invited
	Until   *time.Time `json:"until,omitempty"` // of invited
}

// changedEvent is the whole party, but for its code, which those who are removed later should not find in their inboxes.
// Where names make it too large for an inbox they are left out, and then the party.
func changedEvent(p *Party) Event {
	shown := *p
	shown.Code = ""
	e := Event{Event: EventChanged, ID: p.ID, Version: p.Version, Party: &shown}
	if fits(e) {
		return e
	}
	shown.Members = append([]Member(nil), p.Members...)
	for i := range shown.Members {
		shown.Members[i].Name = ""
	}
	if !fits(e) {
		e.Party = nil
	}
	return e
}

func fits(e Event) bool {
	text, err := json.Marshal(e)
	return err == nil && len(text) <= inbox.MaxBody
}
