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

// Renew implements match.Directory.
func (d directory) Renew(ctx context.Context, room string, epoch uint64, open bool) error {
	err := d.Directory.Renew(ctx, room, epoch, open)
	if errors.Is(err, cluster.ErrCalledOff) {
		return match.ErrCalledOff
	}
	return err //nolint:wrapcheck // says what it did
}

// Settle implements match.Directory.
func (d directory) Settle(ctx context.Context, room string) (match.Settlement, error) {
	s, err := d.Directory.Settle(ctx, room)
	if err != nil {
		return match.Settlement{}, err //nolint:wrapcheck // says what it did
	}
	switch s.State {
	case cluster.Waiting:
		return match.Settlement{State: match.SettleWaiting, Left: s.Left}, nil
	case cluster.Off:
		return match.Settlement{State: match.SettleOff}, nil
	}
	return match.Settlement{State: match.SettleStarted}, nil
}
