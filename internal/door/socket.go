package door

import (
	"errors"
	"strings"

	"github.com/lxzan/gws"

	"muster/proto"
)

// readBuffer is how much is read at once, in bytes: several inputs as clients send them. A longer message is read past
// it.
const readBuffer = 512

// session carries our own connection through gws, in place of its map.
type session struct{ held any }

func (s *session) Load(string) (any, bool)                { return s.held, true }
func (s *session) Delete(string)                          {}
func (s *session) Store(string, any)                      {}
func (s *session) Range(func(key string, value any) bool) {}
func (s *session) Len() int                               { return 1 }

// Held returns what a socket was upgraded with.
func Held(ws *gws.Conn) any {
	return ws.Session().(*session).held //nolint:forcetypeassert // what NewSession makes
}

// NewUpgrader returns how sockets are opened whose messages have maxMessage bytes at most. gws refuses a request that
// offers no subprotocol where it has one to choose.
func NewUpgrader(h gws.Event, maxMessage int, subprotocols ...string) *gws.Upgrader {
	return gws.NewUpgrader(h, &gws.ServerOption{
		ReadMaxPayloadSize: maxMessage,
		ReadBufferSize:     readBuffer,
		SubProtocols:       subprotocols,
		CheckUtf8Enabled:   true,
		Recovery:           func(gws.Logger) {}, // a panic goes up to Read's own recovery
		Logger:             quiet{},
		NewSession:         func() gws.SessionStorage { return &session{} },
	})
}

// quiet keeps gws from writing to the standard logger: what it would say is in our metrics.
type quiet struct{}

func (quiet) Error(...any) {}

// Read reads until the socket ends. gws recovers from nothing that happens while it parses a frame, and one frame of 14
// bytes with a negative length makes it panic, so this is the one place that starts its loop. gws does not call OnClose
// after a panic; panicked is called in its place, on the stack of the panic.
func Read(ws *gws.Conn, panicked func(p any)) {
	defer func() {
		if p := recover(); p != nil {
			panicked(p)
		}
	}()
	ws.ReadLoop()
}

// ClosedBy names, for metrics, the code with which gws ended a socket: OnClose's error. Its own type for codes is not
// exported.
func ClosedBy(err error) string {
	var code interface{ Uint16() uint16 }
	switch {
	case errors.As(err, &code):
		return proto.Code(code.Uint16()).Info().Name
	case errors.Is(err, gws.ErrTextEncoding):
		return proto.CodeBadPayload.Info().Name
	case strings.HasPrefix(err.Error(), "gws: "): // of the frame: an unknown opcode
		return proto.CodeProtocol.Info().Name
	}
	return "lost"
}
