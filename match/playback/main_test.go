package playback

import (
	"testing"

	"go.uber.org/goleak"

	"muster/match/journal/journaltest"
)

func TestMain(m *testing.M) {
	journaltest.Warm()
	goleak.VerifyTestMain(m)
}
