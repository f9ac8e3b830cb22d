package node

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"muster/match"
	"muster/match/cluster"
	"muster/proto"
)

// Directory is the cluster's directory for the host of one process. It has a copy of the record of each room that the host
// runs, so that one which Redis forgets is written anew. Any goroutine may use it.
type Directory struct {
	dir *cluster.Directory

	mu     sync.Mutex
	copies map[string]kept
}

// kept is what is known of a room that runs here.
type kept struct {
	node  string // this node, as it was called when it opened the room
	epoch uint64
	rec   cluster.Copy
	end   *ending
}

// ending says whether a room's record is about to end, after which it is not written anew. mu is held while it is written.
type ending struct {
	mu    sync.Mutex
	begun bool
}

var _ match.Directory = (*Directory)(nil)

// NewDirectory returns the directory for one host.
func NewDirectory(dir *cluster.Directory) *Directory {
	return &Directory{dir: dir, copies: map[string]kept{}}
}

// begin notes that the host is about to run a room under an epoch, as this node. Errors: those of [cluster.Directory.Begin].
func (d *Directory) begin(ctx context.Context, room, node string, epoch uint64) error {
	if err := d.dir.Own(ctx, node, room); err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	if err := d.dir.Begin(ctx, room, node, epoch); err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	rec, err := d.dir.Copy(ctx, room)
	if err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.copies[room] = kept{node, epoch, rec, &ending{}}
	return nil
}

// forget forgets a room that does not run here after all.
func (d *Directory) forget(room string, epoch uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.copies[room].epoch == epoch {
		delete(d.copies, room)
	}
}

// of returns what is known of a room that runs here.
func (d *Directory) of(room string, epoch uint64) (kept, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k, ok := d.copies[room]
	return k, ok && k.epoch == epoch
}

// knows says whether a room runs here.
func (d *Directory) knows(room string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.copies[room]
	return ok
}

// endedTimeout bounds what is written when a room has ended.
const endedTimeout = 2 * time.Second

// Ended forgets a room that has ended here: it is [match.HostConfig].Ended. One with which somebody has to go on stays in the
// index of the node that had it, also where that is over and this process goes on as another: who looks for the room looks
// there, and takes it out once it is another's.
func (d *Directory) Ended(room string, epoch uint64, done bool) {
	k, ok := d.of(room, epoch)
	if !ok {
		return
	}
	d.forget(room, epoch)
	if !done {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), endedTimeout)
	defer cancel()
	_ = d.dir.Disown(ctx, k.node, room) // else the index ends by itself, and whoever finds the room there looks at its record
}

// words makes the errors of the cluster those that a host knows.
func words(err error) error {
	switch {
	case errors.Is(err, cluster.ErrCalledOff):
		return errors.Join(match.ErrCalledOff, err)
	case errors.Is(err, cluster.ErrFenced):
		return errors.Join(match.ErrFenced, err)
	}
	return err
}

// Settle implements match.Directory. A room that is nowhere known any more does not start: who was to come to it has been
// told otherwise by now. One that is known here Redis has forgotten: its next renewal writes it anew.
func (d *Directory) Settle(ctx context.Context, room string) (match.Settlement, error) {
	s, err := d.dir.Settle(ctx, room)
	switch {
	case errors.Is(err, cluster.ErrNoRoom) && d.knows(room):
		return match.Settlement{}, err //nolint:wrapcheck // says what it did
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

// Renew implements match.Directory. A room's record lives on though the index of this node's rooms cannot be written, as
// where the memory of Redis is full; one that is gone is written anew after it, see [cluster.Directory.Own].
func (d *Directory) Renew(ctx context.Context, room string, epoch uint64, a match.Alive) error {
	k, known := d.of(room, epoch)
	alive := cluster.Alive{Open: a.Open, Started: a.Started, Past: a.Past, Kept: a.Kept, Teams: a.Teams}
	for _, s := range a.Seats {
		alive.Seats = append(alive.Seats, cluster.Seated{
			Seat: uint16(s.Player.Seat), Team: s.Player.Team, Player: s.Player.ID, Claim: s.Claim,
		})
	}
	err := d.dir.Renew(ctx, room, epoch, alive)
	if !known || errors.Is(err, cluster.ErrFenced) {
		return words(err)
	}
	owned := d.dir.Own(ctx, k.node, room)
	if errors.Is(err, cluster.ErrNoRoom) && owned == nil {
		err = d.revive(ctx, room, k, alive)
	}
	if err == nil {
		d.refresh(ctx, room, epoch)
	}
	return words(errors.Join(err, owned))
}

// revive writes a room's record anew, unless the room has ended it.
func (d *Directory) revive(ctx context.Context, room string, k kept, a cluster.Alive) error {
	k.end.mu.Lock()
	defer k.end.mu.Unlock()
	if k.end.begun {
		return nil
	}
	return d.dir.Revive(ctx, room, k.node, k.epoch, k.rec, a) //nolint:wrapcheck // says what it did
}

// refresh reads a room's record again, of which others may have changed something. What cannot be read stays as it was.
func (d *Directory) refresh(ctx context.Context, room string, epoch uint64) {
	rec, err := d.dir.Copy(ctx, room)
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if k, ok := d.copies[room]; ok && k.epoch == epoch {
		k.rec = rec
		d.copies[room] = k
	}
}

// FreeSeat implements match.Directory. Where there is no record there is no seat to free.
func (d *Directory) FreeSeat(ctx context.Context, room string, epoch uint64, seat uint16, claims []string) error {
	err := d.dir.FreeSeat(ctx, room, epoch, seat, claims)
	if errors.Is(err, cluster.ErrNoRoom) {
		return nil
	}
	return words(err)
}

// EndRoom implements match.Directory. A renewal that is under way does not bring the record back.
func (d *Directory) EndRoom(ctx context.Context, room string, epoch uint64) error {
	if k, ok := d.of(room, epoch); ok {
		k.end.mu.Lock() // a call of Redis at most, which has its time
		k.end.begun = true
		k.end.mu.Unlock()
	}
	return words(d.dir.EndRoom(ctx, room, epoch))
}

// HandOver implements match.Directory.
func (d *Directory) HandOver(ctx context.Context, room string, epoch uint64, failed bool) error {
	return words(d.dir.HandOver(ctx, room, epoch, failed))
}

// Fail implements match.Directory.
func (d *Directory) Fail(ctx context.Context, room string, epoch uint64, c proto.Close) error {
	return words(d.dir.Fail(ctx, room, epoch, c))
}

// Hung implements match.Directory.
func (d *Directory) Hung(ctx context.Context, room string) error { return words(d.dir.Hung(ctx, room)) }

// PostResult implements match.Directory. The queue is that of the record, or of the copy.
func (d *Directory) PostResult(ctx context.Context, r proto.Result) error {
	if k, ok := d.of(r.Room, r.Epoch); ok && r.Queue == "" {
		r.Queue = cmp.Or(k.rec["madeby"], k.rec["queue"])
	}
	return words(d.dir.PostResult(ctx, r))
}
