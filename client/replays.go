package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// ReplayState is how a replay that is shown stands. Ticks are the recording's.
type ReplayState struct {
	ID        string  `json:"id"` // the session's: whoever knows it may watch
	Game      string  `json:"game"`
	Match     string  `json:"match"` // the room that was recorded
	Rules     string  `json:"rules"` // the version of the game's rules
	As        string  `json:"as"`    // whose eyes it is seen with: public, everything, or seat:N
	Yours     bool    `json:"yours"` // whether one may control it
	Rate      int     `json:"rate"`  // ticks a second at speed 1
	From      uint32  `json:"from"`  // the first tick that can be shown
	To        uint32  `json:"to"`    // and the last one
	Tick      uint32  `json:"tick"`  // the one that is shown; frames have it as Frame.Processed
	Target    uint32  `json:"target"`
	Seeking   bool    `json:"seeking"` // it runs forward to Target
	Speed     float64 `json:"speed"`
	Paused    bool    `json:"paused"`            // it stands still, as it does at its end
	Clamped   bool    `json:"clamped,omitempty"` // the tick that was asked for is beyond the recording
	Viewers   int     `json:"viewers"`           // connections that watch
	HashTick  uint32  `json:"hash_tick"`
	Hash      string  `json:"hash"`                // of the exact state at HashTick, as the rules made it here
	Proof     string  `json:"proof,omitempty"`     // same or differs: what the recording says of it; "" where it says nothing
	Truncated bool    `json:"truncated,omitempty"` // the recording ends in the middle
	Failed    string  `json:"failed,omitempty"`    // why it cannot be played further
}

// ReplayMark is something that happened in a recorded match: to a player (joined, dropped, resumed, left), to the match
// (started), or to the recording (missing, skipped).
type ReplayMark struct {
	Tick uint32 `json:"tick"`
	Kind string `json:"kind"`
	Seat uint16 `json:"seat,omitempty"`
	Name string `json:"name,omitempty"`
}

// ReplaySession is a replay that is shown, and a place to watch it from.
type ReplaySession struct {
	ReplayState
	Marks []ReplayMark `json:"marks"` // the first 512
	URL   string       `json:"url"`
	Token string       `json:"token"`         // good for sockets that are opened within 15 seconds
	Key   string       `json:"key,omitempty"` // for who opened it: whoever is given it may control the session, too
}

// Seat is what [Dial] needs to watch: it takes no seat. A lost socket is not taken up again; [Replays.Watch] gives another place.
func (s *ReplaySession) Seat() Match { return Match{Room: s.ID, URL: s.URL, Token: s.Token} }

// ReplayControl says what of a session is changed. What is nil or zero stays.
type ReplayControl struct {
	Tick   *int64  `json:"tick,omitempty"` // go there; beyond the recording it is its first or last tick
	Paused *bool   `json:"paused,omitempty"`
	Speed  float64 `json:"speed,omitempty"` // how many times as fast as it was played, 0.125 to 16
	Key    string  `json:"key,omitempty"`   // the session's, for one who did not open it
}

// Replays shows recorded matches. Any goroutine may use it.
type Replays struct{ l *Lobby }

// Replays is what one who looks at recorded matches does.
func (l *Lobby) Replays() Replays { return Replays{l} }

// Open shows the replay of a match to all who know the session's id, as public, everything or seat:N; "" is public. It begins
// paused at its first tick, and ends when nobody has watched for a minute. It is for those who may fetch the replay; a player
// has two sessions at a time. An [APIError] with status 409 says that other rules recorded it.
func (r Replays) Open(ctx context.Context, match, as string) (ReplaySession, error) {
	body := struct {
		Match string `json:"match"`
		As    string `json:"as,omitempty"`
	}{match, as}
	var out ReplaySession
	if err := r.l.call(ctx, http.MethodPost, "/v1/replays", body, &out); err != nil {
		return ReplaySession{}, fmt.Errorf("showing the replay of match %s: %w", match, err)
	}
	return out, nil
}

// Watch gives a place to watch a session from, again after a lost socket.
func (r Replays) Watch(ctx context.Context, id string) (ReplaySession, error) {
	var out ReplaySession
	if err := r.l.call(ctx, http.MethodPost, replay(id)+"/watch", nil, &out); err != nil {
		return ReplaySession{}, fmt.Errorf("watching replay %s: %w", id, err)
	}
	return out, nil
}

// Get returns how a session stands.
func (r Replays) Get(ctx context.Context, id string) (ReplayState, error) {
	var out ReplayState
	if err := r.l.call(ctx, http.MethodGet, replay(id), nil, &out); err != nil {
		return ReplayState{}, fmt.Errorf("asking for replay %s: %w", id, err)
	}
	return out, nil
}

// Control seeks, pauses, or changes the speed of a session, with its next tick. It is for who opened it or has its key.
func (r Replays) Control(ctx context.Context, id string, c ReplayControl) (ReplayState, error) {
	var out ReplayState
	if err := r.l.call(ctx, http.MethodPatch, replay(id), c, &out); err != nil {
		return ReplayState{}, fmt.Errorf("controlling replay %s: %w", id, err)
	}
	return out, nil
}

// Close ends a session. It is for who opened it; those who watch are told.
func (r Replays) Close(ctx context.Context, id string) error {
	if err := r.l.call(ctx, http.MethodDelete, replay(id), nil, nil); err != nil {
		return fmt.Errorf("closing replay %s: %w", id, err)
	}
	return nil
}

func replay(id string) string { return "/v1/replays/" + url.PathEscape(id) }
