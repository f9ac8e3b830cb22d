package ticket

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Arrival is how the start of a match stands.
type Arrival uint8

// How the start of a match stands.
const (
	StartWaits Arrival = iota // not all have come, and it is not too late
	StartMade               // the match has started
	StartOff                // too few came in time, so there is no match
)

// Arrivals says whether players came to their seats.
type Arrivals interface {
	// Arrived says of a room how its start stands, and which of the players with these seat tokens came. made says that the
	// room was made for them; otherwise it runs already, and waits for nobody. need is how many are enough when the time
	// is over. The answer is the same for ever once it is not StartWaits.
	Arrived(ctx context.Context, room string, made bool, tokens []string, need int, over bool) (Arrival, []bool, error)
}

// seatArrivals reads from the seats of a room who came.
type seatArrivals struct {
	rdb redis.UniversalClient
	ns  string
}

func (s *seatArrivals) Arrived(ctx context.Context, room string, made bool, tokens []string, need int, over bool) (Arrival, []bool, error) {
	entries, err := s.rdb.HVals(ctx, s.ns+":{room:"+room+"}:seats").Result()
	if err != nil {
		return StartWaits, nil, fmt.Errorf("asking who came to room %s: %w", room, err)
	}
	came, n := make([]bool, len(tokens)), 0
	for i, token := range tokens {
		for _, e := range entries {
			came[i] = came[i] || strings.HasPrefix(e, "0|!"+token+"/")
		}
		if came[i] {
			n++
		}
	}
	switch {
	case n == len(tokens), over && !made, over && n >= need:
		return StartMade, came, nil
	case over:
		return StartOff, came, nil
	}
	return StartWaits, came, nil
}
