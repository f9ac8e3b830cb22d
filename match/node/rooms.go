package node

import (
	"context"
	"errors"

	"muster/match"
	"muster/match/cluster"
	"muster/match/edge"
	"muster/proto"
)

// Rooms finds the room of a seat for the edge: in this process's host, opened by the cluster's record where it does not
// run yet. Any goroutine may use it; its fields are set before that.
type Rooms struct {
	*Opener

	Claims *Claimer
	Nodes  *cluster.Nodes
	URL    string // where this process is reached
}

var _ edge.Rooms = (*Rooms)(nil)

// Open implements edge.Rooms.
func (r *Rooms) Open(ctx context.Context, room string) (edge.Room, error) {
	if rm := r.Host.Room(room); rm != nil && !r.Stale(ctx, rm) {
		return rm, nil
	}
	rec, err := r.Dir.Room(ctx, room)
	if errors.Is(err, cluster.ErrNoRoom) {
		return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "there is no such match"}
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	var rm *match.Instance
	if rec.Node == r.Self() || closed(&rec) != nil {
		rm, err = r.Opener.Open(ctx, rec)
	} else if rm, err = r.Claims.Claim(ctx, rec); rm == nil && err == nil {
		err = r.where(ctx, rec.Node)
	}
	if err != nil {
		return nil, toldOf(err)
	}
	return rm, nil
}

// where is what those are told who come for a room that another node has.
func (r *Rooms) where(ctx context.Context, node string) error {
	live, err := r.Nodes.Live(ctx)
	if err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	if n, ok := live[node]; ok && n.URL != r.URL {
		return &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is not on this server"}
	}
	return &proto.Close{Code: proto.CodeOverloaded, Reason: "the match is about to go on"}
}

// toldOf is what a client is to hear of an error, or the error.
func toldOf(err error) error {
	var c *proto.Close
	if errors.As(err, &c) {
		return c
	}
	return err
}

// Running implements edge.Rooms.
func (r *Rooms) Running(_ context.Context, room string) (edge.Room, error) {
	if rm := r.Host.Room(room); rm != nil {
		return rm, nil
	}
	return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is not on this server"}
}

// TakeSeat implements edge.Rooms.
func (r *Rooms) TakeSeat(ctx context.Context, room string, seat uint16, player, tokenID string) (team uint16, err error) {
	team, err = r.Dir.TakeSeat(ctx, room, seat, player, tokenID)
	switch {
	case errors.Is(err, cluster.ErrNoRoom):
		return 0, &proto.Close{Code: proto.CodeMatchGone, Reason: "there is no such match"}
	case errors.Is(err, cluster.ErrLate):
		return 0, &proto.Close{Code: proto.CodeSeatExpired, Reason: "the seat was not taken in time"}
	case errors.Is(err, cluster.ErrSeat):
		return 0, &proto.Close{Code: proto.CodeNotYourSeat, Reason: "the seat token was used already"}
	}
	return team, err //nolint:wrapcheck // says what it did
}
