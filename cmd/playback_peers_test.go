package cmd

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"muster/lobby"
)

func TestQuestionsOfReplaysAreAnsweredToServersOfTheDeploymentAlone(t *testing.T) {
	asked := 0
	p := &playbackPeers{key: []byte("ours"), answer: func(lobby.ReplayQuestion) (*lobby.ShownReplay, error) {
		asked++
		return &lobby.ShownReplay{Key: "k"}, nil
	}}
	theirs := &playbackPeers{key: []byte("theirs")}
	question := func(age time.Duration, id string) string {
		b, err := json.Marshal(playbackQuestion{time.Now().Add(-age), lobby.ReplayQuestion{ID: id, Admin: true, End: true}})
		must(t, err)
		return string(b)
	}
	good, old, twice := question(0, "a"), question(24*time.Hour, "a"), `{"at":"`+time.Now().Format(time.RFC3339Nano)+`","question":{},"question":{}}`
	for _, c := range []struct {
		name, body, mac string
		status          int
	}{
		{"a good one", good, p.mac([]byte(good)), http.StatusOK},
		{"no MAC", good, "", http.StatusForbidden},
		{"another deployment's", good, theirs.mac([]byte(good)), http.StatusForbidden},
		{"the MAC of another question", question(0, "b"), p.mac([]byte(good)), http.StatusForbidden},
		{"a MAC cut short", good, p.mac([]byte(good))[:8], http.StatusForbidden},
		{"of yesterday", old, p.mac([]byte(old)), http.StatusForbidden},
		{"a key twice", twice, p.mac([]byte(twice)), http.StatusForbidden},
		{"too long", good + strings.Repeat(" ", maxPlaybackQuestion), p.mac([]byte(good + strings.Repeat(" ", maxPlaybackQuestion))), http.StatusForbidden},
	} {
		asked = 0
		req := httptest.NewRequest(http.MethodPost, playbackPath, strings.NewReader(c.body))
		req.Header.Set(playbackMAC, c.mac)
		rec := httptest.NewRecorder()
		p.ServeHTTP(rec, req)
		if rec.Code != c.status || asked != map[int]int{http.StatusOK: 1}[c.status] {
			t.Errorf("%s: status %d, asked %d times", c.name, rec.Code, asked)
		}
	}
}

func TestQuestionOfAnotherServersClockIsNotForNow(t *testing.T) {
	p := &playbackPeers{key: []byte("ours"), answer: func(lobby.ReplayQuestion) (*lobby.ShownReplay, error) { return &lobby.ShownReplay{}, nil }}
	for age, status := range map[time.Duration]int{
		0: 200, playbackSkew / 2: 200, -playbackSkew / 2: 200, 2 * playbackSkew: 403, -2 * playbackSkew: 403,
	} {
		b, err := json.Marshal(playbackQuestion{At: time.Now().Add(-age)})
		must(t, err)
		req := httptest.NewRequest(http.MethodPost, playbackPath, strings.NewReader(string(b)))
		req.Header.Set(playbackMAC, p.mac(b))
		rec := httptest.NewRecorder()
		if p.ServeHTTP(rec, req); rec.Code != status {
			t.Errorf("a question that is %s old: status %d", age, rec.Code)
		}
	}
}
