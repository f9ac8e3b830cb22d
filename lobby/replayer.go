package lobby

import (
	"context"

	"muster/match/cluster"
)

// Replayer shows recorded matches, in this process or in another one. Any goroutine may use it. What is not for everybody
// is refused before it is asked; errors that are a *ReplayError are answers.
type Replayer interface {
	// Open begins to show a recording.
	Open(ctx context.Context, w ReplayWish) (*ShownReplay, error)
	// Ask reads a session, changes it or ends it.
	Ask(ctx context.Context, q ReplayQuestion) (*ShownReplay, error)
}

// ReplayError is why a recording is not shown.
type ReplayError struct {
	Status int    // of HTTP
	Detail string // for whoever asked
	Retry  string // in seconds; "" where that is of no use
}

// Error implements error.
func (e *ReplayError) Error() string { return e.Detail }

// ReplayWish is a recording that is to be shown: of a match, or a file.
type ReplayWish struct {
	Player string
	As     string // the view: public, everything or seat:N
	Match  string // a room; "" where File has what is to be shown
	File   []byte // the Replayer's from here on
}

// ReplayQuestion is what is asked of a session. Control and End are for its owner, Control for who has its key as well.
type ReplayQuestion struct {
	ID      string         `json:"id"`
	Player  string         `json:"player"`
	Admin   bool           `json:"admin,omitempty"` // may do what owners may
	Control *ReplayControl `json:"control,omitempty"`
	End     bool           `json:"end,omitempty"`
}

// ReplayControl changes what is shown. What is absent stays.
type ReplayControl struct {
	Tick   *int64   `json:"tick,omitempty" example:"1200" doc:"Go there. Beyond the recording it is its first or last tick, and the answer says that it is clamped. A newer one takes the place of one that is under way."`
	Speed  *float64 `json:"speed,omitempty" minimum:"0.125" maximum:"16" example:"2" doc:"How many times as fast as it was played."`
	Paused *bool    `json:"paused,omitempty" example:"false"`
	Key    string   `json:"key,omitempty" maxLength:"64" example:"s7d2rm7ksm6vqzcgq3nyzj4k5e" doc:"The session's, for one who did not open it and was given it."`
}

// ShownReplay is a session and where it is.
type ShownReplay struct {
	State ReplayState  `json:"state"`
	Marks []ReplayMark `json:"marks,omitempty"`
	Key   string       `json:"key,omitempty"` // for its owner
	Node  cluster.Node `json:"-"`             // that has it
}

// ReplayState is how a session stands.
type ReplayState struct {
	ID        string  `json:"id" example:"replay-x5n2rm7ksm6vqzcgq3nyzj4k5e-s7d2rm7ksm6vqzcgq3nyzj4k5e" doc:"The session. Whoever knows it may watch."`
	Game      string  `json:"game" example:"arena"`
	Match     string  `json:"match" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"The room that was recorded."`
	Rules     string  `json:"rules" example:"3" doc:"The version of the game's rules, of the recording and here."`
	As        string  `json:"as" example:"public" doc:"Whose eyes it is seen with: public, everything, or seat:N."`
	Yours     bool    `json:"yours" example:"true" doc:"Whether one may control it."`
	Rate      int     `json:"rate" example:"20" doc:"Ticks a second at speed 1."`
	From      uint32  `json:"from" example:"0" doc:"The first tick that can be shown."`
	To        uint32  `json:"to" example:"3600" doc:"The last one."`
	Tick      uint32  `json:"tick" example:"1200" doc:"The one that is shown. Frames on the socket say it as processed."`
	Target    uint32  `json:"target" example:"1200" doc:"Where a seek is going; the tick where there is none."`
	Seeking   bool    `json:"seeking" example:"false" doc:"It runs forward to the target."`
	Speed     float64 `json:"speed" example:"1"`
	Paused    bool    `json:"paused" example:"true" doc:"It stands still, as it does at its end."`
	Clamped   bool    `json:"clamped,omitempty" example:"false" doc:"The tick that was asked for is beyond the recording."`
	Viewers   int     `json:"viewers" example:"1" doc:"How many connections watch."`
	HashTick  uint32  `json:"hash_tick" example:"1200" doc:"The tick that the hash is of."`
	Hash      string  `json:"hash" example:"9f86d081884c7d65" doc:"Of the exact state, as the rules made it here."`
	Proof     string  `json:"proof,omitempty" enum:"same,differs" example:"same" doc:"Whether the recording has the same hash there; absent where it has none."`
	Truncated bool    `json:"truncated,omitempty" example:"false" doc:"The recording ends in the middle."`
	Failed    string  `json:"failed,omitempty" example:"the game's rules fail at tick 17" doc:"Why it cannot be played further."`
}

// ReplayMark is something that happened in a recorded match.
type ReplayMark struct {
	Tick uint32 `json:"tick" example:"120"`
	Kind string `json:"kind" enum:"joined,dropped,resumed,left,started,missing,skipped" example:"joined" doc:"To a player: joined, dropped, resumed, left. To the match: started. To the recording: missing (ticks before this one were not recorded), skipped (the rules had failed with its inputs)."`
	Seat uint16 `json:"seat,omitempty" example:"3"`
	Name string `json:"name,omitempty" example:"Alice"`
}
