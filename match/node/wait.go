package node

import (
	"context"
	"errors"
	"time"

	"muster/match/edge"
	"muster/proto"
)

const (
	// waitFor is how long an edge looks for a room whose host is gone, until another one has it. It is less than the edge
	// gives it, so that there is time to attach.
	waitFor = 4 * time.Second
	// waitLook is the time between two looks where nothing is heard.
	waitLook = 400 * time.Millisecond
)

// soon is why a client is to come again, to a room that goes on in a moment.
type soon struct{ why *proto.Close }

func (s *soon) Error() string { return s.why.Error() }

func (s *soon) Unwrap() error { return s.why }

// soonOr is err, or a *soon where it tells a client to come again.
func soonOr(err error) error {
	var told *proto.Close
	if errors.As(err, &told) && told.Code.Action() == proto.ActionReconnect {
		return &soon{told}
	}
	return toldOf(err)
}

// Open implements edge.Rooms. While a room's host is gone and no other one has it, it waits: a client who is told to come
// again comes later, and the later the more often he has come in vain.
func (r *Rooms) Open(ctx context.Context, room string) (edge.Room, error) {
	late := time.NewTimer(waitFor)
	defer late.Stop()
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		news := r.Claims.News()
		rm, err := r.open(ctx, room)
		var s *soon
		if !errors.As(err, &s) {
			return rm, err
		}
		again.Reset(waitLook)
		select {
		case <-news:
		case <-again.C:
		case <-late.C:
			return nil, s.why
		case <-ctx.Done():
			return nil, s.why
		}
	}
}
