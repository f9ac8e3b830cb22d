package lobby_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby"
)

// A client whose place is from before the inbox was lost is told so, and does not ask over and over.
func TestWaitForAnInboxThatWasLostLastsAndSaysSo(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		began := time.Now()
		got := want[lobby.Events](t, p.get("alice", "/v1/me/inbox?wait=10s&after=99-9/99-9"), 200)
		if !got.Missed || len(got.Events) != 0 || time.Since(began) != 10*time.Second {
			t.Errorf("%+v after %v", got, time.Since(began))
		}
	})
}
