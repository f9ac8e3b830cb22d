package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A room that is kept while nobody is in it would hang one server after the other, if its state is what its rules do not
// return from. So it is counted, and after maxHangs within hangTTL of each other it is left alone for as long.
const (
	maxHangs = 2
	hangTTL  = 10 * time.Minute
)

// ErrHangs means that a room has hung its servers: it may be opened again later.
var ErrHangs = errors.New("the room's rules do not return")

// Hung counts that the rules did not return in a room.
func (d *Directory) Hung(ctx context.Context, room string) error {
	pipe := d.rdb.TxPipeline()
	pipe.SAdd(ctx, d.hangs(room), NewID()) // a number would count a hang twice whose answer was lost
	pipe.PExpire(ctx, d.hangs(room), hangTTL)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("counting that room %s hangs: %w", room, err)
	}
	return nil
}

// mayOpen returns ErrHangs for a room that has hung its servers.
func (d *Directory) mayOpen(ctx context.Context, room string) error {
	n, err := d.rdb.SCard(ctx, d.hangs(room)).Result()
	switch {
	case err != nil:
		return err //nolint:wrapcheck // callers say what they did
	case n >= maxHangs:
		return ErrHangs
	}
	return nil
}
