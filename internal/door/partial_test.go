package door

import (
	"testing"

	"pgregory.net/rapid"

	"muster/internal/door/doortest"
)

// Whatever a stream is cut into, a message is under way from its first byte to its last, control frames between
// fragments left out.
func TestPartialFollowsTheStreamHoweverItIsCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type piece struct {
			bytes []byte
			open  bool // a message is under way after it
		}
		var pieces []piece
		open := false
		for range rapid.IntRange(1, 20).Draw(t, "frames") {
			body := make([]byte, rapid.SampledFrom([]int{0, 1, 125, 126, 300}).Draw(t, "body"))
			switch rapid.IntRange(0, 3).Draw(t, "frame") {
			case 0:
				pieces = append(pieces, piece{doortest.Frame(doortest.FinPong, body[:min(len(body), 125)]), open})
			case 1:
				head := byte(doortest.FirstFragment)
				if open {
					head = doortest.MiddleFragment
				}
				open = true
				pieces = append(pieces, piece{doortest.Frame(head, body), open})
			default:
				head := byte(doortest.FinBinary)
				if open {
					head = 0x80
				}
				open = false
				pieces = append(pieces, piece{doortest.Frame(head, body), open})
			}
		}
		var p partial
		wasOpen := false
		for _, piece := range pieces {
			for left := piece.bytes; len(left) > 0; {
				n := rapid.IntRange(1, len(left)).Draw(t, "n")
				got, began := p.feed(left[:n])
				if want := len(left) == len(piece.bytes) && !wasOpen; began != want {
					t.Fatalf("a message has begun: %v, want %v", began, want)
				}
				left = left[n:]
				if want := piece.open || len(left) > 0; got != want {
					t.Fatalf("a message is under way: %v, want %v, with %d bytes of the frame to come", got, want, len(left))
				}
			}
			wasOpen = piece.open
		}
	})
}
