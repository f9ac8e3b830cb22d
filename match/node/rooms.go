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
	Host   *match.Host
	Dir    *cluster.Directory
	Nodes  *cluster.Nodes
	Member Member // this process
	URL    string // where it is reached
	Games  map[string]match.Rules
}

// Member is what Rooms wants of a cluster.Member.
type Member interface {
	ID() string
	Gone(ctx context.Context, id string) (bool, error)
}

var _ edge.Rooms = (*Rooms)(nil)

// Open implements edge.Rooms.
func (r *Rooms) Open(ctx context.Context, room string) (edge.Room, error) {
	if rm := r.Host.Room(room); rm != nil {
		return rm, nil
	}
	rec, err := r.Dir.Room(ctx, room)
	switch {
	case errors.Is(err, cluster.ErrNoRoom):
		return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "there is no such match"}
	case err != nil:
		return nil, err //nolint:wrapcheck // says what it did
	case rec.Off:
		return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match was called off"}
	case rec.Node != r.Member.ID():
		if rec, err = r.adopt(ctx, rec); err != nil {
			return nil, err
		}
	}
	rm, err := r.Host.Open(match.Spec{
		ID: rec.ID, Game: rec.Game, Seed: rec.Seed, Epoch: rec.Epoch, Config: rec.Config, Expect: rec.Expect,
	})
	if errors.Is(err, match.ErrLoaded) { // the seat is reserved, so coming again is worth while
		return nil, &proto.Close{Code: proto.CodeOverloaded, Reason: "the server takes no new matches now"}
	}
	if errors.Is(err, match.ErrConfig) { // other rules than those that the lobby asked
		return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match's game has no such config"}
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	if rec.Node != r.Member.ID() { // fenced meanwhile, and its rooms given up before this one was there
		rm.Abandon("the match goes on elsewhere")
	}
	return rm, nil
}

// Running implements edge.Rooms.
func (r *Rooms) Running(_ context.Context, room string) (edge.Room, error) {
	if rm := r.Host.Room(room); rm != nil {
		return rm, nil
	}
	return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is not on this server"}
}

// adopt takes a room over whose server is gone, where its game keeps a journal to go on from: its player has come here.
func (r *Rooms) adopt(ctx context.Context, rec cluster.Room) (cluster.Room, error) {
	elsewhere := &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is not on this server"}
	rules, ok := r.Games[rec.Game]
	if !ok || rules.Durability == match.None || rules.Version != rec.Rules && !rules.Persist {
		return rec, elsewhere
	}
	self := r.Member.ID()
	gone, err := r.Member.Gone(ctx, rec.Node)
	if err != nil {
		return rec, err //nolint:wrapcheck // says what it did
	}
	if !gone {
		live, err := r.Nodes.Live(ctx)
		if err != nil {
			return rec, err //nolint:wrapcheck // says what it did
		}
		if n, ok := live[rec.Node]; ok && n.URL != r.URL {
			return rec, elsewhere
		}
		return rec, &proto.Close{Code: proto.CodeOverloaded, Reason: "the match is about to go on"}
	}
	rec, err = r.Dir.Move(ctx, rec, self, rules.Version)
	if err == nil && rec.Node != self {
		return rec, elsewhere
	}
	return rec, err //nolint:wrapcheck // says what it did
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
