package door

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lxzan/gws"
)

// Guard checks handshakes. Any goroutine may use it.
type Guard struct {
	Origins Origins
	Places  *Places
	Refused func(reason string) // counts one: origin, token, upgrade, limit, handshake, or a Refusal's own
}

// Refusal is why a handshake gets no socket.
type Refusal struct {
	Reason     string // for metrics
	Status     int
	Detail     string // for people
	RetryAfter int    // in seconds; 0 is not said
}

// Refuse answers a handshake that gets no socket.
func (g *Guard) Refuse(w http.ResponseWriter, f *Refusal) {
	g.Refused(f.Reason)
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	Problem(w, f.Status, f.Detail)
}

// Admit checks the page's origin, the token by verify, that a WebSocket is asked for, and that there is a place for it,
// which it takes: for the address, until Places.Give. It does so before the upgrade, so that a stranger costs no socket.
// Where ok is false the request was answered.
func (g *Guard) Admit(w http.ResponseWriter, r *http.Request, verify func(bearer string) *Refusal) (addr string, ok bool) {
	bearer, header := Bearer(r)
	if !g.Origins.Allow(r, header || bearer == "") {
		g.Refuse(w, &Refusal{"origin", http.StatusForbidden, "pages of this origin may not open sockets", 0})
		return "", false
	}
	if refusal := verify(bearer); refusal != nil {
		if refusal.Status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		g.Refuse(w, refusal)
		return "", false
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || r.Header.Get("Sec-Websocket-Key") == "" {
		w.Header().Set("Upgrade", "websocket")
		g.Refuse(w, &Refusal{"upgrade", http.StatusUpgradeRequired, "this is a WebSocket endpoint", 0})
		return "", false
	}
	addr, _, _ = net.SplitHostPort(r.RemoteAddr)
	if err := g.Places.take(addr); err != nil {
		g.Refuse(w, &Refusal{"limit", http.StatusServiceUnavailable, err.Error(), 5})
		return "", false
	}
	return addr, true
}

// Upgrade is how a handshake that was admitted becomes a socket.
type Upgrade struct {
	With     *gws.Upgrader // of NewUpgrader
	Held     any           // what Held returns for the socket
	Meter    *Meter        // counts what is read; Upgrade sets what it reads from
	Owner    *sync.WaitGroup
	Patience time.Duration // as Owner and Drained for Pipe.GoLive
	Drained  func()
}

// Wire is an open socket.
type Wire struct {
	WS      *gws.Conn
	Carrier net.Conn // what carries the WebSocket: the pipe, or TLS on it
	Pipe    *Pipe
}

// Upgrade takes the connection over from net/http and makes a WebSocket of it. Where ok is false the request was
// answered and its place given back.
func (g *Guard) Upgrade(w http.ResponseWriter, r *http.Request, addr string, u Upgrade) (wire Wire, ok bool) {
	wire, err := upgrade(w, r, u)
	switch {
	case err == nil:
		return wire, true
	case errors.Is(err, http.ErrNotSupported):
		g.Refuse(w, &Refusal{"handshake", http.StatusHTTPVersionNotSupported, "WebSockets need HTTP/1.1 here", 0})
	default:
		g.Refused("handshake")
	}
	g.Places.Give(addr)
	return Wire{}, false
}

func upgrade(w http.ResponseWriter, r *http.Request, u Upgrade) (Wire, error) {
	carrier, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return Wire{}, err //nolint:wrapcheck // only looked at
	}
	if buffered.Reader.Buffered() > 0 { // it spoke before the handshake was over
		_ = carrier.Close()
		return Wire{}, errors.New("data before the handshake's end")
	}
	_ = carrier.SetDeadline(time.Time{})
	// Writes go through the pipe, which lies below TLS where there is TLS, and else is what carries the WebSocket.
	p := pipeOf(carrier)
	if p == nil {
		p = NewPipe(carrier)
		carrier = p
	}
	u.Meter.from = carrier
	ws, err := u.With.UpgradeFromConn(carrier, bufio.NewReaderSize(u.Meter, readBuffer), r)
	if err != nil {
		return Wire{}, err //nolint:wrapcheck // only counted; gws has answered and closed
	}
	p.GoLive(u.Owner, u.Patience, u.Drained)
	ws.Session().(*session).held = u.Held //nolint:forcetypeassert // what NewSession makes
	return Wire{ws, carrier, p}, nil
}
