package journal

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestThePageNamesTheBounds holds docs/REPLAY.md to the constants.
func TestThePageNamesTheBounds(t *testing.T) {
	page, err := os.ReadFile("../../docs/REPLAY.md")
	must(t, err)
	for _, want := range []string{
		fmt.Sprintf("magic     %d bytes: % X", len(magic), magic),
		fmt.Sprintf("trailer   %d bytes", trailerLen),
		fmt.Sprintf("a head of %d bytes", headLen),
		fmt.Sprintf("kind: %d header, %d ticks, %d checkpoint, %d index", blockHeader, blockTicks, blockCheckpoint, blockIndex),
		fmt.Sprintf("| header | the header, see below | %d bytes |", maxInflated(blockHeader)),
		fmt.Sprintf("| ticks | records, one after the other, of rising ticks | %d bytes |", maxInflated(blockTicks)),
		fmt.Sprintf("| checkpoint | the state after the tick, opaque | %d bytes |", maxInflated(blockCheckpoint)),
		fmt.Sprintf("first tick, last tick | %d bytes |", maxInflated(blockIndex)),
		fmt.Sprintf("up to about %d KiB", blockTarget>>10),
		fmt.Sprintf("| room, game, rules | text(%d) |", MaxText),
		fmt.Sprintf("| config | bytes(%d) |", MaxConfig),
		fmt.Sprintf("| layout | bytes(%d) |", MaxLayout),
		fmt.Sprintf("| inputs | list(%d) of [seat, sequence, view, fraction, bytes(%d)] |", maxInputs, maxBody),
		fmt.Sprintf("| sums | list(%d) of uint16 |", maxSums),
		fmt.Sprintf("| seats | list(%d) of [kind, seat, player, name, team] | kind: %d joined, %d dropped, %d resumed, %d left; the team that the player came with, 0 for none; texts of %d bytes |",
			maxChanges, SeatJoined, SeatDropped, SeatResumed, SeatLeft, maxName),
		fmt.Sprintf("| results | list(%d) of [id, seat, text(%d), bytes(%d)] |", maxResults, MaxText, MaxWork),
		fmt.Sprintf("at most %d bytes", MaxRecord),
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("docs/REPLAY.md lacks %q", want)
		}
	}
}
