package live

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"muster/lobby/inbox"
	"muster/lobby/presence"
	"muster/proto"
)

// docs/LOBBY.md says what this package does.
func TestDocumentSaysTheBounds(t *testing.T) {
	text, err := os.ReadFile("../../docs/LOBBY.md")
	must(t, err)
	doc := strings.Join(strings.Fields(string(text)), " ")
	s := New(Config{})
	defer func() { must(t, s.Close(t.Context())) }()
	cfg := s.cfg
	for _, want := range []string{
		"`" + proto.SubprotocolLobby + ", bearer.TOKEN`",
		fmt.Sprintf("(%d bytes)", MaxMessage), fmt.Sprintf("nested at most %d deep", maxDepth),
		fmt.Sprintf("within %.0f seconds, and it comes once", helloWithin.Seconds()), fmt.Sprintf("each within %.0f seconds", callTimeout.Seconds()),
		fmt.Sprintf("%d messages a second, bursts of %d, pings included", messagesPerSecond, messagesAtOnce),
		fmt.Sprintf("%d of those close with %d", maxLimited, proto.CodeRate), fmt.Sprintf("at most %d ids", maxWatched),
		fmt.Sprintf("the %d newest events", inbox.Cap), fmt.Sprintf("is read every %.0f seconds unasked", lookEvery.Seconds()),
		fmt.Sprintf("Beyond %d in one process", cfg.MaxPerPlayer), fmt.Sprintf("pings every %.0f seconds", cfg.PingEvery.Seconds()),
		fmt.Sprintf("more than %.0f seconds,", cfg.SlowAfter.Seconds()),
		"`" + strings.Join([]string{presence.Offline, presence.Online, presence.InQueue, presence.InMatch}, "`, `") + "`",
		"for up to " + fmt.Sprint((time.Minute + lookWhoEvery).Seconds()),
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("LOBBY.md does not say %q", want)
		}
	}
	for _, m := range []any{helloMessage{}, missedMessage{}, eventMessage{}, presenceMessage{}, okMessage{}, errorMessage{}, byeMessage{}} {
		keys := map[string]json.RawMessage{}
		b, err := json.Marshal(m)
		must(t, err)
		must(t, json.Unmarshal(b, &keys))
		for key := range keys {
			if !strings.Contains(doc, `"`+key+`":`) {
				t.Errorf("LOBBY.md does not have the field %q", key)
			}
		}
	}
}
