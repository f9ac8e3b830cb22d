package proto

import "time"

// Result is how a match ended: what a room's outbox hands to the lobby, and what the lobby serves. It is kept once for
// each (Room, Tick, N), however often it is handed over.
type Result struct {
	Room       string      `json:"room"`
	Game       string      `json:"game"`
	Queue      string      `json:"queue,omitempty"` // that made the match; "" is none
	Rules      string      `json:"rules"`
	Epoch      uint64      `json:"epoch"`
	Tick       uint32      `json:"tick"` // the last one
	N          int         `json:"n"`    // counts the effects of one tick
	Placements []Placement `json:"placements"`
	Started    time.Time   `json:"started_at"`
	Ended      time.Time   `json:"ended_at"`
	Recorded   bool        `json:"recorded,omitempty"` // the room kept a journal, so there is a replay for a while
}
