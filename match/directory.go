package match

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"muster/proto"
)

// Directory is where the cluster keeps what it knows of rooms. Its calls may take as long as their context allows and
// are never made from a tick.
type Directory interface {
	// FreeSeat says that a seat is free. claims are the tokens by which its player came; one who has come back to the seat
	// by another one meanwhile keeps it. None stands for any.
	FreeSeat(ctx context.Context, room string, epoch uint64, seat uint16, claims []string) error
	// Renew says that a room is alive, and how it is. ErrCalledOff ends the room, and so does ErrFenced, after which nothing
	// of it may be written.
	Renew(ctx context.Context, room string, epoch uint64, a Alive) error
	// Settle says whether the match of a room that was made with a promise takes place. Once it has said so it says the
	// same again.
	Settle(ctx context.Context, room string) (Settlement, error)
	EndRoom(ctx context.Context, room string, epoch uint64) error
	// HandOver says that this host runs the room no longer, and that another one is to go on from its journal. failed says
	// that it is the room that may be to blame.
	HandOver(ctx context.Context, room string, epoch uint64, failed bool) error
	// Fail ends a room of which nothing is left to go on from: who comes to it is told c for a while. The players of one
	// that ends 4201 did not play to the end, and their lobby is told.
	Fail(ctx context.Context, room string, epoch uint64, c proto.Close) error
	// Hung says that the rules did not return in a room: whoever opens it again may lose its process, too.
	Hung(ctx context.Context, room string) error
	// PostResult may be called more than once with the same result; it is kept once, and so is the first one of a match
	// that is not over yet, whoever posts it.
	PostResult(ctx context.Context, r proto.Result) error
}

// ErrFenced is what a [Directory] answers where a room belongs to a newer epoch.
var ErrFenced = errors.New("the room belongs to a newer epoch")

// Alive is how a room is.
type Alive struct {
	Open    bool // new players may be sent to it
	Started bool // its match has started
	// Past says that it has run on past where its last host stopped, see Spec.Attempts.
	Past bool
	// Kept says that a journal has something of it, see Spec.Kept.
	Kept  bool
	Seats []Seated // who has its seats
	// Teams says that Seats has teams in which the directory's record does not have those players.
	Teams bool
}

// Seated is a player who has a seat.
type Seated struct {
	Player Player
	Claim  string // the newest token by which he came; "" where that was before a restore
}

// maxNews bounds what the directory was not told yet. More is dropped and counted: the reservation of a freed seat ends
// with the room, and whether it is open is told again with its next renewal.
const maxNews = 4096

// news is what the directory should hear of a room soon: that a seat is free, or, without a seat, that its doors moved.
type news struct {
	rm     *Instance
	seat   uint16
	claims []string // those of the player who had the seat
}

// tell notes news. Rooms call it from their ticks.
func (h *Host) tell(n news) {
	select {
	case h.news <- n:
	default:
		h.metrics.newsDropped.Inc()
	}
}

// tellNews tells the directory what rooms had to tell.
func (h *Host) tellNews() {
	for {
		select {
		case <-h.ctx.Done():
			return
		case n := <-h.news:
			h.call(n.rm, "telling the directory of a free seat", func(ctx context.Context) error {
				if n.seat == 0 {
					return h.renew(ctx, n.rm)
				}
				return h.dir.FreeSeat(ctx, n.rm.spec.ID, n.rm.spec.Epoch, n.seat, n.claims)
			})
		}
	}
}

// renewRooms keeps the directory's records of running rooms alive.
func (h *Host) renewRooms() {
	ticker := time.NewTicker(h.cfg.RenewEvery)
	defer ticker.Stop()
	soon := time.NewTimer(0)
	defer soon.Stop()
	<-soon.C
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-h.rewrite:
			soon.Reset(0)
		case <-soon.C:
			if !h.rewriteAll() {
				soon.Reset(rewriteAgain)
			}
		case <-ticker.C:
			for _, rm := range h.all() {
				h.call(rm, "renewing a room", func(ctx context.Context) error { return h.renew(ctx, rm) })
			}
		}
	}
}

// rewriteAgain is how long after a failure it is tried again to write all records.
const rewriteAgain = 100 * time.Millisecond

// Rewrite has the directory told of every room soon, and again until it has heard of all: it may have forgotten them, or
// whose they are. It does not block.
func (h *Host) Rewrite() {
	select {
	case h.rewrite <- struct{}{}:
	default: // it is about to be done
	}
}

// rewriteAll tells the directory of every room. It is false where the directory does not answer.
func (h *Host) rewriteAll() bool {
	for _, rm := range h.all() {
		ctx, cancel := context.WithTimeout(h.ctx, callTimeout)
		err := h.renew(ctx, rm)
		cancel()
		if err != nil && !errors.Is(err, ErrFenced) {
			h.log.Warn("writing the records of rooms again failed", zap.String("room", rm.spec.ID), zap.Error(err))
			return false
		}
	}
	return true
}

func (h *Host) renew(ctx context.Context, rm *Instance) error {
	teams := rm.teamsDue.Swap(false) // before the roster is read: a later change is told later
	a := rm.alive()
	a.Teams = teams
	err := h.dir.Renew(ctx, rm.spec.ID, rm.spec.Epoch, a)
	if err != nil && teams {
		rm.teamsDue.Store(true) // for the next renewal
	}
	switch {
	case errors.Is(err, ErrCalledOff):
		rm.callOff()
		return nil
	case errors.Is(err, ErrFenced):
		rm.Abandon("the match goes on elsewhere")
	}
	return err //nolint:wrapcheck // logged with what was done
}

// call calls the directory, within its time. What fails for all rooms at once is logged with the first of them.
func (h *Host) call(rm *Instance, doing string, f func(context.Context) error) {
	ctx, cancel := context.WithTimeout(h.ctx, callTimeout)
	defer cancel()
	err := f(ctx)
	if err == nil || h.ctx.Err() != nil {
		return
	}
	if repeats, say := h.said.Again(doing, err.Error(), time.Now()); say {
		h.log.Warn(doing+" failed", zap.String("room", rm.spec.ID), zap.Error(err), zap.Int("repeats", repeats))
	}
}
