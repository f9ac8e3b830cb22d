package node

import (
	"context"
	"errors"

	"muster/match"
	"muster/match/cluster"
	"muster/match/edge"
	"muster/match/playback"
	"muster/proto"
)

// Rooms finds the room of a seat for the edge: in this process's host, opened by the cluster's record where it does not
// run yet; at another node, which has it; or by taking it over from one that is gone. Any goroutine may use it; its fields
// are set before that.
type Rooms struct {
	*Opener

	Claims *Claimer
	Nodes  *cluster.Nodes
	// Replays returns a recording that is shown in this process, or nil; nil: none are. They are no rooms of the directory's:
	// their ids say whose they are.
	Replays func(session string) edge.Hosted
	// Bridge reaches the rooms of other nodes. nil: there are none.
	Bridge Bridge
	// Cut says that Redis does not answer this process, and that its rooms wait for it. Whoever comes then is told so at
	// once, since another process may serve him. nil: neither is known.
	Cut func() (cut, paused bool)
}

// Bridge is the way to a room at another node, opened there where open says so: a [muster/match/bridge.Bridge]. An error
// that is a *proto.Close is the answer to the client.
type Bridge interface {
	Open(ctx context.Context, node, room string, open bool) (edge.Room, error)
}

var _ edge.Rooms = (*Rooms)(nil)

// open looks for a room once. An error that is a *soon may be over in a moment.
func (r *Rooms) open(ctx context.Context, room string) (edge.Room, error) {
	if r.Cut != nil {
		if cut, paused := r.Cut(); paused {
			return nil, &proto.Close{Code: proto.CodeOverloaded, Reason: "the server is cut off from the others"}
		} else if rm := r.Host.Room(room); cut && rm != nil { // it is not known whether it is another's by now; the lease says until when that does not matter
			return rm, nil
		} else if cut {
			return nil, &proto.Close{Code: proto.CodeOverloaded, Reason: "the match cannot be found now"}
		}
	}
	if rm := r.running(ctx, room); rm != nil {
		return rm, nil
	}
	rec, err := r.record(ctx, room)
	if err != nil {
		return nil, soonOr(err)
	}
	var rm *match.Instance
	if rec.Node == r.Self() || closed(&rec) != nil {
		rm, err = r.Opener.Open(ctx, rec)
	} else if rm, err = r.Claims.Claim(ctx, rec); rm == nil {
		if err == nil {
			var away edge.Room
			if away, err = r.bridged(ctx, rec, true); err == nil {
				return away, nil
			}
		}
		return nil, soonOr(err)
	}
	if err != nil {
		return nil, toldOf(err)
	}
	return rm, nil
}

// Running implements edge.Rooms.
func (r *Rooms) Running(ctx context.Context, room string) (edge.Room, error) {
	if process, ok := playback.Process(room); ok {
		return r.replay(ctx, process, room)
	}
	if rm := r.running(ctx, room); rm != nil {
		return rm, nil
	}
	rec, err := r.record(ctx, room)
	switch {
	case err != nil:
		return nil, err
	case closed(&rec) != nil:
		return nil, closed(&rec)
	case rec.Node == r.Self():
		return nil, idle()
	}
	return r.bridged(ctx, rec, false)
}

// Find returns a room for another node's edge: one that is this node's. It is for [muster/match/bridge.Config].
func (r *Rooms) Find(ctx context.Context, room string, open bool) (edge.Hosted, error) {
	if _, ok := playback.Process(room); ok {
		return r.shown(room)
	}
	if rm := r.running(ctx, room); rm != nil {
		return rm, nil
	}
	if !open {
		return nil, idle()
	}
	rec, err := r.record(ctx, room)
	if err != nil {
		return nil, err
	}
	if rec.Node != r.Self() && closed(&rec) == nil {
		return nil, elsewhere() // it was here when the other node read its record
	}
	rm, err := r.Opener.Open(ctx, rec)
	if err != nil {
		return nil, toldOf(err)
	}
	return rm, nil
}

// replay returns a recording that is shown here, or by another process.
func (r *Rooms) replay(ctx context.Context, process, session string) (edge.Room, error) {
	if s, err := r.shown(session); err == nil {
		return s, nil
	}
	live, err := r.Nodes.Live(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	for _, n := range live {
		if n.Process == process && n.ID != r.Self() && r.Bridge != nil {
			return r.Bridge.Open(ctx, n.ID, session, false) //nolint:wrapcheck // says what it did, or is for the client
		}
	}
	return nil, notShown()
}

// shown returns a recording that is shown here.
func (r *Rooms) shown(session string) (edge.Hosted, error) {
	if r.Replays != nil {
		if s := r.Replays(session); s != nil {
			return s, nil
		}
	}
	return nil, notShown()
}

// notShown is what those are told who want to watch a recording that is shown no more.
func notShown() error {
	return &proto.Close{Code: proto.CodeMatchGone, Reason: "the replay is not shown any more"}
}

// running returns a room that runs here, or nil.
func (r *Rooms) running(ctx context.Context, room string) *match.Instance {
	if rm := r.Host.Room(room); rm != nil && !r.Stale(ctx, rm) {
		return rm
	}
	return nil
}

func (r *Rooms) record(ctx context.Context, room string) (cluster.Room, error) {
	rec, err := r.Dir.Room(ctx, room)
	if errors.Is(err, cluster.ErrNoRoom) {
		return rec, r.unknown(room)
	}
	return rec, err //nolint:wrapcheck // says what it did
}

// unknown is what those are told who come for a room that has no record: it is over, or its host is about to write the
// record again, which Redis has forgotten or which has ended during an outage. Hosts do that as soon as they hold their
// leases again.
func (r *Rooms) unknown(room string) *proto.Close {
	if r.Own.knows(room) || r.Bridge != nil && !r.Claims.owners.Steady() {
		return soonAgain()
	}
	return &proto.Close{Code: proto.CodeMatchGone, Reason: "there is no such match"}
}

// bridged returns a room that another node has.
func (r *Rooms) bridged(ctx context.Context, rec cluster.Room, open bool) (edge.Room, error) {
	live, err := r.Nodes.Live(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	if _, ok := live[rec.Node]; !ok { // it is about to be taken over
		return nil, soonAgain()
	}
	if r.Bridge == nil {
		return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is not on this server"}
	}
	return r.Bridge.Open(ctx, rec.Node, rec.ID, open) //nolint:wrapcheck // says what it did, or is for the client
}

// idle is what those are told who want to watch a room that does not run.
func idle() error {
	return &proto.Close{Code: proto.CodeMatchGone, Reason: "the match does not run now"}
}

// toldOf is what a client is to hear of an error, or the error.
func toldOf(err error) error {
	var c *proto.Close
	if errors.As(err, &c) {
		return c
	}
	return err
}

// TakeSeat implements edge.Rooms.
func (r *Rooms) TakeSeat(ctx context.Context, room string, seat uint16, player, tokenID string) (team uint16, err error) {
	team, err = r.Dir.TakeSeat(ctx, room, seat, player, tokenID)
	switch {
	case errors.Is(err, cluster.ErrNoRoom):
		return 0, r.unknown(room)
	case errors.Is(err, cluster.ErrLate):
		return 0, &proto.Close{Code: proto.CodeSeatExpired, Reason: "the seat was not taken in time"}
	case errors.Is(err, cluster.ErrSeat):
		return 0, &proto.Close{Code: proto.CodeNotYourSeat, Reason: "the seat token was used already"}
	}
	return team, err //nolint:wrapcheck // says what it did
}
