package edge

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

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
	bearer, header := bearer(r)
	if !s.originAllowed(r, header || bearer == "") {
		s.refuse(w, "origin", http.StatusForbidden, "pages of this origin may not open sockets")
		return
	}
	cl, err := s.verify(bearer, r.PathValue("room"))
	if err != nil {
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
	chosen := ""
	switch offers := offered(r); {
	case slices.Contains(offers, proto.Subprotocol): // the smaller form, for one that knows both
		chosen = proto.Subprotocol
	case slices.Contains(offers, proto.SubprotocolPlain):
		chosen = proto.SubprotocolPlain
	case len(offers) > 0: // a browser cannot read why an upgrade was refused, so it is told on the socket
		chosen = stranger(offers)
		cl.refused = &proto.Close{Code: proto.CodeVersion, Reason: "the server speaks " + proto.Subprotocol + ", the client offers " + named(offers)}
	}
	c, err := s.upgrade(w, r, chosen, addr)
	if err != nil {
		s.abandon(addr)
		if errors.Is(err, http.ErrNotSupported) {
			s.refuse(w, "handshake", http.StatusHTTPVersionNotSupported, "WebSockets need HTTP/1.1 here")
			return
		}
		s.metrics.refused.WithLabelValues("handshake").Inc()
		return
	}
	c.seat, c.player, c.watches = cl.player.Seat, cl.player.ID, cl.watch
	if !s.add(c) {
		c.pipe.end()
		return
	}
	go c.run(cl)
}

// bearer returns the token of a request, and whether it came in the Authorization header. It is never in the URL.
func bearer(r *http.Request) (secret string, header bool) {
	if scheme, value, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(value), true
	}
	for _, offer := range offered(r) {
		if value, ok := strings.CutPrefix(offer, proto.BearerPrefix); ok {
			return value, false
		}
	}
	return "", false
}

// offered returns the subprotocols of a request.
func offered(r *http.Request) (list []string) {
	for _, offer := range strings.Split(r.Header.Get("Sec-Websocket-Protocol"), ",") {
		if offer = strings.TrimSpace(offer); offer != "" {
			list = append(list, offer)
		}
	}
	return list
}

// plainName is what a protocol's name may be to be repeated to its client.
var plainName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,24}$`)

// stranger returns the first protocol that a client offers, "" where it offers none. It is what such a client's socket is
// opened with before it is told 4426: a browser gives up a socket for which none of its protocols was chosen, and then
// its page cannot read why.
func stranger(offers []string) string {
	for _, o := range offers {
		if !strings.HasPrefix(o, proto.BearerPrefix) && plainName.MatchString(o) {
			return o
		}
	}
	return ""
}

// named names what a client offers, for people.
func named(offers []string) string {
	if s := stranger(offers); s != "" {
		return s
	}
	return "none that can be named"
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

// verify reads a seat token, a resume secret or a watch token. Whoever brings one that is genuine but too old, or for another match,
// is told so on the socket.
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

// upgrade takes the connection over from net/http and makes a WebSocket of it.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, subprotocol, addr string) (*conn, error) {
	netConn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err //nolint:wrapcheck // only looked at
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
	c := &conn{
		server: s, carrier: carrier, pipe: p, addr: addr,
		messages: rate.NewLimiter(leastPerSecond, burstTicks*messagesPerTick),
		volume:   rate.NewLimiter(bytesPerSecond, burstBytes),
	}
	c.view.Plain = subprotocol == proto.SubprotocolPlain
	c.ws, err = s.upgrader(subprotocol).UpgradeFromConn(carrier, bufio.NewReaderSize(metered{carrier, c}, readBuffer), r)
	if err != nil {
		return nil, err //nolint:wrapcheck // only counted; gws has answered and closed
	}
	p.patience = 2 * s.cfg.SlowAfter // nobody else uses the pipe before it is live
	p.goLive(&s.wg)
	c.ws.Session().(*session).conn = c //nolint:forcetypeassert // what NewSession makes
	c.heardAt.Store(int64(time.Since(s.base)))
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
