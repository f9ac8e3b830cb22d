package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"muster/match"
	"muster/match/cluster"
	"muster/proto"
)

// Opener opens rooms in this process's host, by their records. Any goroutine may use it; its fields are set before that.
type Opener struct {
	Host *match.Host
	Dir  *cluster.Directory
	// Own is the directory that the host uses.
	Own *Directory
	// Self is this process's newest incarnation.
	Self func() string
	// Saw is told the epochs of rooms that are opened here; nil: nobody.
	Saw   func(epoch uint64)
	Games map[string]match.Rules
	Log   *zap.Logger
}

// staleWait is how long opening a room waits for an older life of it in this host to end.
const staleWait = 3 * time.Second

// elsewhere is what those are told who come for a room that is not this node's, or not yet.
func elsewhere() *proto.Close {
	return &proto.Close{Code: proto.CodeNodeLeaving, Reason: "the match goes on elsewhere"}
}

// soonAgain is what those are told who come for a room that is about to be taken over.
func soonAgain() *proto.Close {
	return &proto.Close{Code: proto.CodeOverloaded, Reason: "the match is about to go on"}
}

// closed is what those are told who come for a room that is over; nil if it is not.
func closed(rec *cluster.Room) *proto.Close {
	switch {
	case rec.Failed != nil:
		return rec.Failed
	case rec.Off:
		return &proto.Close{Code: proto.CodeMatchGone, Reason: "the match was called off"}
	}
	return nil
}

// Open opens a room that is this node's by its record, or returns it where it runs under the record's epoch. One that runs
// here under an older epoch was another's meanwhile: it ends first. Errors are *proto.Close where a client is to hear them.
func (o *Opener) Open(ctx context.Context, rec cluster.Room) (*match.Instance, error) {
	if c := closed(&rec); c != nil {
		return nil, c
	}
	if rm := o.Host.Room(rec.ID); rm != nil {
		switch {
		case rm.Epoch() == rec.Epoch:
			return rm, nil
		case rm.Epoch() > rec.Epoch: // what was read is older
			return rm, nil
		}
		rm.Abandon("the match goes on elsewhere")
		if err := ended(ctx, rm); err != nil {
			return nil, err
		}
	}
	if o.stuck(&rec) {
		return nil, elsewhere()
	}
	if o.Saw != nil {
		o.Saw(rec.Epoch)
	}
	spec := match.Spec{
		ID: rec.ID, Game: rec.Game, Seed: rec.Seed, Epoch: rec.Epoch, Config: rec.Config, Expect: rec.Expect, Attempts: rec.Attempts, Kept: rec.Kept,
	}
	if err := o.Host.Takes(spec); err != nil { // before its record says that it ran here
		return nil, refused(err)
	}
	self := o.Self()
	err := o.Own.begin(ctx, rec.ID, self, rec.Epoch)
	switch {
	case errors.Is(err, cluster.ErrFenced), errors.Is(err, cluster.ErrNoRoom), errors.Is(err, cluster.ErrCalledOff):
		return nil, elsewhere() // since it was read: who comes again is told what is true then
	case err != nil:
		return nil, err
	}
	rm, err := o.Host.Open(spec)
	if err != nil && o.Host.Room(rec.ID) == nil {
		o.Own.forget(rec.ID, rec.Epoch)
	}
	if err != nil {
		return nil, refused(err)
	}
	if rm.Epoch() < rec.Epoch || o.Self() != self { // the host gave up what it had, and this room came too late for it
		rm.Abandon("the match goes on elsewhere")
		return nil, elsewhere()
	}
	return rm, nil
}

// refused is what a client is to hear of a host that does not take a room, or the error.
func refused(err error) error {
	switch {
	case errors.Is(err, match.ErrLoaded): // the seat is reserved, so coming again is worth while
		return &proto.Close{Code: proto.CodeOverloaded, Reason: "the server takes no new matches now"}
	case errors.Is(err, match.ErrConfig): // other rules than those that the lobby asked
		return &proto.Close{Code: proto.CodeMatchGone, Reason: "the match's game has no such config"}
	}
	return err
}

// stuck says whether the record is of a room that ran before, and nothing here can go on with it.
func (o *Opener) stuck(rec *cluster.Room) bool {
	return o.ran(rec) && o.Games[rec.Game].Durability == match.None
}

// ran says whether a room ran before this node had it, so that it can only go on from what is stored of it. One that this node
// was itself about to open may not have: what it has heard of that is not known.
func (o *Opener) ran(rec *cluster.Room) bool {
	return rec.Ran && (!rec.Begun || rec.Node != o.Self())
}

// Stale ends the room that runs here if its record says that it is another's, or has a newer epoch, and says whether it
// did. Where Redis does not answer nothing is known: the lease decides how long the host may go on.
func (o *Opener) Stale(ctx context.Context, rm *match.Instance) bool {
	rec, err := o.Dir.Room(ctx, rm.ID())
	if err != nil || rec.Epoch <= rm.Epoch() {
		return false
	}
	rm.Abandon("the match goes on elsewhere")
	return true
}

// ended waits for a room's end.
func ended(ctx context.Context, rm *match.Instance) error {
	timer := time.NewTimer(staleWait)
	defer timer.Stop()
	select {
	case <-rm.Done():
		return nil
	case <-timer.C:
		return fmt.Errorf("waiting for the older life of room %s to end: it does not", rm.ID())
	case <-ctx.Done():
		return fmt.Errorf("waiting for the older life of room %s to end: %w", rm.ID(), ctx.Err())
	}
}
