package client

import (
	"errors"
	"fmt"
	"time"

	"muster/proto"
)

// ErrClosed is returned by a [Conn] that its owner closed or left.
var ErrClosed = errors.New("the connection is closed")

// What errors.Is finds in a [CloseError] besides its Err.
var (
	// ErrServerGone: the server does not answer. The socket was lost and, with Options.Reconnect, not taken up again within
	// Options.ReconnectFor. The seat may still be held: [Rooms.Rejoin] gives another token for it.
	ErrServerGone = errors.New("the server is gone")
	// ErrTokenExpired: the player's token ended in the match, and Options.Refresh gave no newer one in time.
	ErrTokenExpired = errors.New("the player's token has ended")
	// ErrSeatGone: the seat was given up, or the match is over or lost: the way back is through the lobby.
	ErrSeatGone = errors.New("the seat is gone")
)

// ErrWatching is what Send returns to one who only watches: nothing is sent.
var ErrWatching = errors.New("who only watches has no inputs")

// codeLost stands for a socket that ended without a close frame (RFC 6455, 7.1.5).
const codeLost proto.Code = 1006

// CloseError says why a match's socket ended. The server's bye is preferred to the close frame, which can be lost.
type CloseError struct {
	Code   proto.Code
	Reason string        // the server's words for people; "" when it gave none
	After  time.Duration // how long to wait before coming back
	URL    string        // where to come back, for proto.CodeMoved
	Err    error         // the socket's own error when nothing better is known
}

// Action says what a client does next.
func (e *CloseError) Action() proto.Action { return e.Code.Action() }

// Error implements error.
func (e *CloseError) Error() string {
	s := fmt.Sprintf("the match's socket was closed: %d %s", e.Code, e.name())
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is says whether the error is one of ErrServerGone, ErrTokenExpired and ErrSeatGone.
func (e *CloseError) Is(target error) bool {
	switch target {
	case ErrServerGone:
		return e.Action() == proto.ActionReconnect
	case ErrTokenExpired:
		return e.Code == proto.CodeTokenExpiry
	case ErrSeatGone:
		return e.Action() == proto.ActionRequeue && e.Code != proto.CodeTokenExpiry
	}
	return false
}

func (e *CloseError) name() string {
	if e.Code == codeLost {
		return "lost"
	}
	return e.Code.Info().Name
}

// Unwrap returns the socket's error.
func (e *CloseError) Unwrap() error { return e.Err }

// fromBye makes an error of the server's last message.
func fromBye(m *proto.Bye) *CloseError {
	return &CloseError{Code: m.Code, Reason: m.Reason, After: time.Duration(m.AfterMS) * time.Millisecond, URL: m.URL}
}

// HandshakeError is a refused upgrade: the server answered, but not with a socket.
type HandshakeError struct {
	Status     int           // the HTTP status
	Detail     string        // the problem document's words, "" when there was none
	RetryAfter time.Duration // from the Retry-After header; 0 when absent
}

// Error implements error.
func (e *HandshakeError) Error() string {
	s := fmt.Sprintf("the match node refused the handshake with status %d", e.Status)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Temporary says whether the same handshake may succeed later.
func (e *HandshakeError) Temporary() bool { return temporary(e.Status) }

// SchemaError means that client and server were built with different types of the same game.
type SchemaError struct {
	Game          string
	Server, Local uint64 // fingerprints
}

// Error implements error.
func (e *SchemaError) Error() string {
	return fmt.Sprintf("game %q: the server's schema has fingerprint %016x, this client's has %016x", e.Game, e.Server, e.Local)
}

func temporary(status int) bool { return status == 429 || status >= 500 }
