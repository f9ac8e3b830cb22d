package cmd

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"muster/internal/door"
	"muster/internal/strictjson"
	"muster/lobby"
)

// A replay's session is in one process, and any lobby may be asked about it. The one that is asks the other directly, by
// POST to playbackPath of its peer URL, with a MAC of the deployment's key over what is asked and when: whoever has none
// gets 403. A question that somebody recorded is good for as long as clocks may differ, and does what was done before.

const (
	playbackPath = "/internal/replays"
	// maxPlaybackQuestion and maxPlaybackAnswer bound the two, in bytes.
	maxPlaybackQuestion = 4 << 10
	maxPlaybackAnswer   = 256 << 10
	// playbackPatience bounds one exchange, playbackSkew is how far clocks may differ.
	playbackPatience = 2 * time.Second
	playbackSkew     = 30 * time.Second
	playbackMAC      = "Muster-Mac"
)

// playbackPeers is the way to other processes' sessions, and theirs to those here.
type playbackPeers struct {
	key    []byte
	client *http.Client
	answer func(lobby.ReplayQuestion) (*lobby.ShownReplay, error)
}

// playbackQuestion is what is asked.
type playbackQuestion struct {
	At       time.Time            `json:"at"`
	Question lobby.ReplayQuestion `json:"question"`
}

// newPeerClient returns what asks other processes. Questions are few, so no connection is kept.
func newPeerClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

func (p *playbackPeers) mac(body []byte) string {
	mac := hmac.New(sha256.New, p.key)
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// ask asks another process.
func (p *playbackPeers) ask(ctx context.Context, peer string, q lobby.ReplayQuestion) (*lobby.ShownReplay, error) {
	const doing = "asking another server of a replay"
	ctx, cancel := context.WithTimeout(ctx, playbackPatience)
	defer cancel()
	body, err := json.Marshal(playbackQuestion{time.Now(), q})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, peer+playbackPath, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(playbackMAC, p.mac(body))
	res, err := p.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	defer func() { _ = res.Body.Close() }() // it is read to its end, or given up
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxPlaybackAnswer))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if res.StatusCode != http.StatusOK {
		var problem struct {
			Detail string `json:"detail"`
		}
		if json.Unmarshal(answer, &problem) != nil || problem.Detail == "" || res.StatusCode < 400 {
			return nil, fmt.Errorf("%s: status %d", doing, res.StatusCode)
		}
		return nil, &lobby.ReplayError{Status: res.StatusCode, Detail: problem.Detail}
	}
	var s lobby.ShownReplay
	if err := json.Unmarshal(answer, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return &s, nil
}

// ServeHTTP implements http.Handler: it answers other processes.
func (p *playbackPeers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPlaybackQuestion))
	if err != nil || !hmac.Equal([]byte(p.mac(body)), []byte(r.Header.Get(playbackMAC))) {
		door.Problem(w, http.StatusForbidden, "this is for servers of the same deployment")
		return
	}
	var q playbackQuestion
	if strictjson.Check(body, 8) != nil || json.Unmarshal(body, &q) != nil || time.Since(q.At).Abs() > playbackSkew {
		door.Problem(w, http.StatusForbidden, "the question is not for now")
		return
	}
	s, err := p.answer(q.Question)
	var refused *lobby.ReplayError
	switch {
	case errors.As(err, &refused):
		door.Problem(w, refused.Status, refused.Detail)
	case err != nil:
		door.Problem(w, http.StatusInternalServerError, "the server failed")
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s) // nobody is left to tell
	}
}
