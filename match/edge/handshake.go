package edge

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"muster/match"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// claim is what a verified token says, of either kind.
type claim struct {
	room          string
	player        match.Player
	playerExpires time.Time
	tokenID       string // a seat token's; a resume secret has none
	resume        bool
	counter       uint32
}

// ServeHTTP answers "GET /v1/match/{room}". Origin, token and limits are checked before the upgrade, so that a stranger
// costs no socket; whether the seat is still to be had is answered on the socket, since a browser cannot read the
// status of a refused upgrade.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bearer, header := bearer(r)
	if !s.originAllowed(r, header || bearer == "") {
		s.refuse(w, "origin", http.StatusForbidden, "pages of this origin may not open sockets")
		return
	}
	cl, late, err := s.verify(bearer)
	if err != nil || cl.room != r.PathValue("room") && !late {
		w.Header().Set("WWW-Authenticate", "Bearer")
		s.refuse(w, "token", http.StatusUnauthorized, "a valid seat token is needed")
		return
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || r.Header.Get("Sec-Websocket-Key") == "" {
		w.Header().Set("Upgrade", "websocket")
		s.refuse(w, "upgrade", http.StatusUpgradeRequired, "this is a WebSocket endpoint")
		return
	}
	addr, _, _ := net.SplitHostPort(r.RemoteAddr)
	if err := s.reserve(addr); err != nil {
		w.Header().Set("Retry-After", "5")
		s.refuse(w, "limit", http.StatusServiceUnavailable, err.Error())
		return
	}
	c, err := s.upgrade(w, r, addr)
	if err != nil {
		s.metrics.refused.WithLabelValues("handshake").Inc()
		s.abandon(addr)
		return
	}
	if !s.add(c) {
		_ = c.pipe.Close()
		return
	}
	c.seat = cl.player.Seat
	s.wg.Go(func() { c.run(cl, late) })
}

// bearer returns the token of a request, and whether it came in the Authorization header. It is never in the URL.
func bearer(r *http.Request) (token string, header bool) {
	if scheme, value, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(value), true
	}
	for _, offer := range strings.Split(r.Header.Get("Sec-Websocket-Protocol"), ",") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(offer), proto.BearerPrefix); ok {
			return value, false
		}
	}
	return "", false
}

// originAllowed checks the page that opens the socket. A request without an origin is not a browser's; it must then
// bring its token in a header, which a page cannot.
func (s *Server) originAllowed(r *http.Request, header bool) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return header
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Host, r.Host) || s.origins[strings.ToLower(u.Host)]
}

// verify reads a seat token or a resume secret. late says that the token is genuine and too old: its bearer gets a
// socket and a close code.
func (s *Server) verify(bearer string) (cl claim, late bool, err error) {
	seat, err := s.cfg.Keys.VerifySeat(bearer)
	if err == nil {
		return claim{
			room: seat.Room, player: match.Player{Seat: netcode.Seat(seat.Seat), ID: seat.Player, Name: seat.Name},
			playerExpires: seat.PlayerExpires, tokenID: seat.ID,
		}, false, nil
	}
	resume, resumeErr := s.cfg.Keys.VerifyResume(bearer)
	if resumeErr == nil {
		return claim{
			room: resume.Room, player: match.Player{Seat: netcode.Seat(resume.Seat), ID: resume.Player, Name: resume.Name},
			playerExpires: resume.PlayerExpires, resume: true, counter: resume.Counter,
		}, false, nil
	}
	if errors.Is(err, token.ErrExpired) || errors.Is(resumeErr, token.ErrExpired) {
		return claim{}, true, nil
	}
	return claim{}, false, err
}

// upgrade takes the connection over from net/http and makes a WebSocket of it.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, addr string) (*conn, error) {
	netConn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err //nolint:wrapcheck // only counted
	}
	if buffered.Reader.Buffered() > 0 { // it spoke before the handshake was over
		_ = netConn.Close()
		return nil, errors.New("data before the handshake's end")
	}
	_ = netConn.SetDeadline(time.Time{})
	// Writes go through the pipe, which lies below TLS where there is TLS, and else is what carries the WebSocket.
	carrier, p := netConn, pipeOf(netConn)
	if p == nil {
		p = newPipe(netConn)
		carrier = p
	}
	up := s.upgrader
	if r.Header.Get("Sec-Websocket-Protocol") == "" {
		up = s.plain
	}
	ws, err := up.UpgradeFromConn(carrier, bufio.NewReaderSize(carrier, 1024), r)
	if err != nil {
		return nil, err //nolint:wrapcheck // only counted; gws has answered and closed
	}
	p.goLive(&s.wg)
	c := newConn(s, ws, p, addr)
	ws.Session().(*session).conn = c
	return c, nil
}

// pipeOf finds the Listener's pipe under a connection.
func pipeOf(c net.Conn) *pipe {
	switch c := c.(type) {
	case *pipe:
		return c
	case *tls.Conn:
		p, _ := c.NetConn().(*pipe)
		return p
	}
	return nil
}

// refuse answers a handshake that gets no socket, with a problem document.
func (s *Server) refuse(w http.ResponseWriter, reason string, status int, detail string) {
	s.metrics.refused.WithLabelValues(reason).Inc()
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}
