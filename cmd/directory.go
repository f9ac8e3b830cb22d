package cmd

import (
	"context"
	"errors"

	"muster/match"
	"muster/match/cluster"
)

// directory is the cluster's, in the words of the rooms' loop.
type directory struct{ *cluster.Directory }

var _ match.Directory = directory{}

// Settle implements match.Directory. A room that is nowhere known any more does not start: who was to come to it has been
// told otherwise by now.
func (d directory) Settle(ctx context.Context, room string) (match.Settlement, error) {
	s, err := d.Directory.Settle(ctx, room)
	switch {
	case errors.Is(err, cluster.ErrNoRoom):
		return match.Settlement{State: match.SettleOff}, nil
	case err != nil:
		return match.Settlement{}, err //nolint:wrapcheck // says what it did
	case s.State == cluster.Started:
		return match.Settlement{State: match.SettleStarted}, nil
	case s.State == cluster.Off:
		return match.Settlement{State: match.SettleOff}, nil
	}
	return match.Settlement{State: match.SettleWaiting, Left: s.Left}, nil
}

// Renew implements match.Directory.
func (d directory) Renew(ctx context.Context, room string, epoch uint64, open bool) error {
	err := d.Directory.Renew(ctx, room, epoch, open)
	if errors.Is(err, cluster.ErrCalledOff) {
		return errors.Join(match.ErrCalledOff, err)
	}
	return err //nolint:wrapcheck // says what it did
}
