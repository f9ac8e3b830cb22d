package edge

import (
	"errors"
	"slices"

	"muster/proto"
	"muster/proto/token"
)

var tokenEnded = proto.Close{Code: proto.CodeTokenExpiry, Reason: "the player's token has ended"}

// refresh takes a newer token of the player who has the seat.
func (c *conn) refresh(bearer string) *proto.Close {
	p, err := c.server.cfg.Keys.VerifyPlayer(bearer)
	switch {
	case errors.Is(err, token.ErrExpired): // a provider's cache: as if none had come in time
		return &tokenEnded
	case err != nil:
		return &proto.Close{Code: proto.CodeTokenBad, Reason: "the newer token is not good"}
	case slices.Contains(p.Roles, token.RoleService): // as on the lobby's socket
		return &proto.Close{Code: proto.CodeTokenBad, Reason: "the newer token is a backend's, which speaks for no player"}
	case p.ID != c.player:
		return &proto.Close{Code: proto.CodeNotYourSeat, Reason: "the newer token is another player's"}
	}
	c.expires.Set(p.Expires)
	c.room.Refresh(c, p.Expires)
	w := takeWriter()
	defer writers.Put(w)
	answer := proto.Refreshed{Expires: c.expires.Left(c.server.cfg.Keys)}
	answer.Append(w)
	c.message(w)
	return nil
}
