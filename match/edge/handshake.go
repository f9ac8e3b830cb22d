package edge

import (
	"errors"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"muster/internal/door"
	"muster/match"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// claim is what a verified token says, of any kind.
type claim struct {
	room          string
	player        match.Player
	playerExpires time.Time
	tokenID       string // a seat token's; a resume secret has none
	resume        bool
	watch         bool // it wants no seat
	counter       uint32
	refused       *proto.Close // the token is genuine and good for nothing here: its bearer gets a socket and a code
}

// ServeHTTP answers "GET /v1/match/{room}". Origin, token and limits are checked before the upgrade, so that a stranger
// costs no socket; whether the seat is still to be had is answered on the socket, since a browser cannot read the
// status of a refused upgrade.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var cl claim
	addr, ok := s.guard.Admit(w, r, func(bearer string) (refusal *door.Refusal) {
		var err error
		if cl, err = s.verify(bearer, r.PathValue("room")); err != nil {
			refusal = &door.Refusal{Reason: "token", Status: http.StatusUnauthorized, Detail: "a valid seat token is needed"}
		}
		return refusal
	})
	if !ok {
		return
	}
	chosen, foreign := door.Choose(r, proto.Subprotocol, proto.SubprotocolPlain) // the smaller form, for one that knows both
	if foreign != "" {                                                           // a browser cannot read why an upgrade was refused, so it is told on the socket
		cl.refused = &proto.Close{Code: proto.CodeVersion, Reason: "the server speaks " + proto.Subprotocol + ", the client offers " + foreign}
	}
	c := &conn{
		server: s, addr: addr, seat: cl.player.Seat, player: cl.player.ID, watches: cl.watch,
		messages: rate.NewLimiter(leastPerSecond, burstTicks*messagesPerTick),
	}
	c.meter = door.NewMeter(s.base, func() { c.Close(proto.Close{Code: proto.CodeRate, Reason: "far too many bytes"}) })
	c.view.Plain = chosen == proto.SubprotocolPlain
	c.Wire, ok = s.guard.Upgrade(w, r, addr, door.Upgrade{
		With: s.upgrader(chosen), Held: c, Meter: c.meter, Owner: &s.wg, Patience: 2 * s.cfg.SlowAfter,
	})
	if !ok {
		return
	}
	c.heardAt.Store(int64(time.Since(s.base)))
	if !s.add(c) {
		c.Pipe.End()
		return
	}
	go c.run(cl)
}

// verify reads a seat token, a resume secret or a watch token. Whoever brings one that is genuine but too old, or for
// another match, is told so on the socket.
func (s *Server) verify(bearer, room string) (cl claim, err error) {
	seat, err := s.cfg.Keys.VerifySeat(bearer)
	if err == nil {
		cl = claim{
			room: seat.Room, player: match.Player{Seat: netcode.Seat(seat.Seat), ID: seat.Player, Name: seat.Name},
			playerExpires: seat.PlayerExpires, tokenID: seat.ID,
		}
		return cl.checkRoom(room), nil
	}
	resume, resumeErr := s.cfg.Keys.VerifyResume(bearer)
	if resumeErr == nil {
		cl = claim{
			room: resume.Room, player: match.Player{Seat: netcode.Seat(resume.Seat), ID: resume.Player, Name: resume.Name},
			playerExpires: resume.PlayerExpires, resume: true, counter: resume.Counter,
		}
		return cl.checkRoom(room), nil
	}
	watch, watchErr := s.cfg.Keys.VerifyWatch(bearer)
	if watchErr == nil {
		cl = claim{room: watch.Room, player: match.Player{ID: watch.Player}, playerExpires: watch.PlayerExpires, watch: true}
		return cl.checkRoom(room), nil
	}
	switch {
	case errors.Is(err, token.ErrExpired), errors.Is(resumeErr, token.ErrExpired):
		return claim{refused: &proto.Close{Code: proto.CodeSeatExpired, Reason: "the seat token is too old"}}, nil
	case errors.Is(watchErr, token.ErrExpired):
		return claim{refused: &proto.Close{Code: proto.CodeSeatExpired, Reason: "the watch token is too old"}}, nil
	}
	return claim{}, err //nolint:wrapcheck // its text goes nowhere
}

// checkRoom refuses a claim on a seat of another match than the one that was asked for.
func (cl claim) checkRoom(room string) claim {
	if cl.room != room {
		cl.refused = &proto.Close{Code: proto.CodeNotYourSeat, Reason: "the token is for another match"}
	}
	return cl
}
