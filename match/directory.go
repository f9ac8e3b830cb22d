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

// maxNews bounds what the directory was not told yet. More is counted: whether a room is open is told again with its next
// renewal, and so are the seats that it has freed.
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
		n.rm.unfreed.keep(n)
	}
}

// tellNews tells the directory what rooms had to tell.
func (h *Host) tellNews() {
	for {
		select {
		case <-h.ctx.Done():
			return
		case n := <-h.news:
			if n.seat == 0 {
				_ = h.call(n.rm, "telling the directory how a room is", func(ctx context.Context) error { return h.renew(ctx, n.rm) })
				continue
			}
			err := h.call(n.rm, "telling the directory of a free seat", func(ctx context.Context) error {
				return h.dir.FreeSeat(ctx, n.rm.spec.ID, n.rm.spec.Epoch, n.seat, n.claims)
			})
			if err != nil && !errors.Is(err, ErrFenced) {
				n.rm.unfreed.keep(n)
			}
		}
	}
}

// call calls the directory, within its time. What fails for all rooms at once is logged with the first of them.
func (h *Host) call(rm *Instance, doing string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(h.ctx, callTimeout)
	defer cancel()
	err := f(ctx)
	if err == nil || h.ctx.Err() != nil {
		return err
	}
	if repeats, say := h.said.Again(doing, err.Error(), time.Now()); say {
		h.log.Warn(doing+" failed", zap.String("room", rm.spec.ID), zap.Error(err), zap.Int("repeats", repeats))
	}
	return err
}
