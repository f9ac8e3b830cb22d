package client

import (
	"context"
	"net/http"
	"time"

	"muster/netcode"
)

// Options say how a [Conn] behaves. The zero value plays, without resuming a lost socket.
type Options struct {
	// HTTP makes the handshake. Nil means http.DefaultClient; redirects are refused either way.
	HTTP *http.Client
	// Events are the zero values of the game's event types, in the order of its rules.
	Events []any
	// Schema is what netcode.Compile makes of the types and Events, for a program that dials often. Nil compiles it.
	Schema *netcode.Schema
	// OnEvent is called by Next for each event, once, in order. Nil skips them undecoded.
	OnEvent func(Event)
	// OnRefused is called by Next for each command that the rules refused.
	OnRefused func(seq uint32, reason string)
	// Reconnect makes Next take up a lost socket again where the close code says so.
	Reconnect bool
	// ReconnectFor is how long Next tries to before it gives up. Default 30 s, the default time that a seat is held.
	ReconnectFor time.Duration
	// Moved is asked when the server says that the match moved to another address, which it returns (or another one)
	// to connect there. Nil goes on with the match's first address; any node serves any match.
	Moved func(url string) string
	// Refresh is called for a newer token of the player when three quarters of the present one's time are over, and again
	// after a failure, on a goroutine of its own; ctx ends with the Conn, which it must not call. Nil plays until the
	// token ends: then Next returns a CloseError with proto.CodeTokenExpiry.
	Refresh func(ctx context.Context) (token string, err error)
	// Silence is how long the socket may say nothing before it counts as lost. Default 10 s.
	Silence time.Duration
	// PingEvery is how often Next measures the round trip. Default 1 s.
	PingEvery time.Duration
	// View says how late Conn.View shows rows, and which tables otherwise. The zero value interpolates all of them. CatchUp
	// is 2 here where it is not set: after a gap nothing jumps.
	View netcode.PlayoutConfig
	// Plain asks for states in the plain form, which is several times as large. It is there to be tried.
	Plain bool
	// Observe is told what happens, for measurements.
	Observe Observer
}

// Event is a one-off happening of the game.
type Event struct {
	Tick   uint32
	Number uint32 // counts this seat's events without gaps; 0 where it is predicted
	Value  any    // a pointer to one of Options.Events' types
	// Predicted: it is told ahead of the server, whose own is not told ([PredictOptions]).
	Predicted bool
}

func (o Options) withDefaults() Options {
	if o.ReconnectFor <= 0 {
		o.ReconnectFor = 30 * time.Second
	}
	if o.Silence <= 0 {
		o.Silence = 10 * time.Second
	}
	if o.PingEvery <= 0 {
		o.PingEvery = time.Second
	}
	if o.View.CatchUp == 0 {
		o.View.CatchUp = 2
	}
	return o
}
