package edge

import (
	"errors"
	"math"
	"time"

	"muster/proto"
	"muster/proto/token"
)

var tokenEnded = proto.Close{Code: proto.CodeTokenExpiry, Reason: "the player's token has ended"}

// expiry is when a player's token ends, in nanoseconds since 1970; 0 is never. A token without an end has none in its
// claims, which reads as a time before that.
func expiry(t time.Time) int64 {
	switch {
	case t.Unix() <= 0:
		return 0
	case t.Unix() > math.MaxInt64/int64(time.Second): // beyond what nanoseconds can say: as good as never
		return 0
	}
	return t.UnixNano()
}

// left returns how many seconds a player's token is good for, as messages say it: 0 is for ever, so what has ended has 1.
func (s *Server) left(ends int64) uint32 {
	if ends == 0 {
		return 0
	}
	seconds := s.cfg.Keys.Until(time.Unix(0, ends)) / time.Second
	return uint32(min(max(seconds, 1), math.MaxUint32))
}

// expired says whether the player's token is no longer good, with the leeway that tokens have when they are verified.
func (c *conn) expired() bool {
	ends := c.expires.Load()
	return ends != 0 && c.server.cfg.Keys.Until(time.Unix(0, ends)) <= -token.Leeway
}

// refresh takes a newer token of the player who has the seat.
func (c *conn) refresh(bearer string) *proto.Close {
	p, err := c.server.cfg.Keys.VerifyPlayer(bearer)
	switch {
	case errors.Is(err, token.ErrExpired): // a provider's cache: as if none had come in time
		return &tokenEnded
	case err != nil:
		return &proto.Close{Code: proto.CodeTokenBad, Reason: "the newer token is not good"}
	case p.ID != c.player:
		return &proto.Close{Code: proto.CodeNotYourSeat, Reason: "the newer token is another player's"}
	}
	c.expires.Store(expiry(p.Expires))
	c.room.Refresh(c, p.Expires)
	w := takeWriter()
	defer writers.Put(w)
	answer := proto.Refreshed{Expires: c.server.left(c.expires.Load())}
	answer.Append(w)
	c.message(w)
	return nil
}
