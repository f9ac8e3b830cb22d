package node

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"muster/match/cluster"
	"muster/proto"
)

// outdatedFor is for how long a room is claimed anew whose journal knows a newer epoch than its record.
const outdatedFor = 10 * time.Second

// errOutdated is why a room cannot be opened whose journal knows a newer epoch than its record.
var errOutdated = errors.New("its journal is of a newer epoch than its record")

// anew is for a room that was claimed and is outdated: Redis has lost what its record said, and the journal is where that is
// not lost. Another claim's epoch is at least the time in milliseconds, and so most likely above the journal's. Where that
// does not help within outdatedFor, since Redis's clock was set back, the match is lost: its players are told 4201, and
// their tickets wait again.
func (c *Claimer) anew(ctx context.Context, j job, rec *cluster.Room) error {
	log := c.Log.With(zap.String("room", rec.ID), zap.Uint64("epoch", rec.Epoch), zap.Error(errOutdated))
	if time.Since(j.since) < outdatedFor {
		log.Warn("a room is to be claimed anew")
		return errors.Join(soonAgain(), c.handOver(ctx, j, rec))
	}
	log.Warn("a match is lost with its record")
	lost := &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is lost"}
	if err := c.Opener.Dir.Fail(ctx, rec.ID, rec.Epoch, *lost); err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	return errors.Join(lost, c.disown(ctx, j, true))
}
