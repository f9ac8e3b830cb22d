package lobby

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"muster/match/cluster"
)

const (
	// tidyEvery is how often a page of each list of rooms is looked through, by each lobby.
	tidyEvery = 5 * time.Second
	// tidyTimeout bounds one look.
	tidyTimeout = 2 * time.Second
)

// tidyRooms takes rooms that died unheard out of the lists of rooms until ctx ends, whether anybody reads these or not.
func (l *Lobby) tidyRooms(ctx context.Context) {
	tidier := cluster.NewTidier(l.rooms)
	games := slices.Sorted(maps.Keys(l.games))
	ticker := time.NewTicker(tidyEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		call, cancel := context.WithTimeout(ctx, tidyTimeout)
		err := tidier.Tidy(call, games, l.tickets.Queues())
		cancel()
		if err != nil && ctx.Err() == nil {
			l.log.Warn("rooms that are gone stay in their lists for now", zap.Error(err))
		}
	}
}
