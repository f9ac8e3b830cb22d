package faults

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"muster/client"
	"muster/match"
	"muster/proto"
)

// A client of another version hears from today's server that it is another, and which; it is not left to misread.
func TestOldClientWithANewServerIsToldBothVersions(t *testing.T) {
	n := startNode(t, nodeConfig{games: []match.Game{rushGame}, epoch: 1})
	way := newRoute(t, n.addr)
	m := seatIn(t, "rush-1", 1, "old")
	ws, _, err := websocket.Dial(t.Context(), m.URL, &websocket.DialOptions{
		HTTPClient: way.http, HTTPHeader: http.Header{"Authorization": {"Bearer " + m.Token}}, Subprotocols: []string{"muster.v0"},
	})
	must(t, err)
	defer func() { _ = ws.CloseNow() }()
	for {
		if _, _, err = ws.Read(t.Context()); err != nil {
			break
		}
	}
	var ce websocket.CloseError
	if !errors.As(err, &ce) || proto.Code(ce.Code) != proto.CodeVersion ||
		!strings.Contains(ce.Reason, "muster.v0") || !strings.Contains(ce.Reason, proto.Subprotocol) {
		t.Errorf("it is told %v", err)
	}
}

// A server of another version, in a process that knows nothing of ours, stops today's client at once.
func TestNewClientWithAServerOfAnotherVersionStopsAndNamesBoth(t *testing.T) {
	answers := map[string]struct {
		subprotocol string
		welcome     proto.Welcome
		names       []string
	}{
		"another subprotocol": {"muster.v9", proto.Welcome{}, []string{proto.Subprotocol}},
		"another version": {proto.Subprotocol, proto.Welcome{
			Version: 9, Room: "r", Game: "rush", Rules: "1", Seat: 1, Player: "p", Rate: 20, Schema: rushGame.Schema().Binary(),
		}, []string{"9", "1"}},
	}
	for name, a := range answers {
		t.Run(name, func(t *testing.T) {
			server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{a.subprotocol}})
				if err != nil {
					return
				}
				defer func() { _ = ws.CloseNow() }()
				out := proto.NewWriter()
				a.welcome.Append(out)
				_ = ws.Write(r.Context(), websocket.MessageBinary, out.Bytes())
				_, _, _ = ws.Read(r.Context())
			})
			way := newRoute(t, serve(t, server))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := client.Dial[books, command](ctx, seatIn(t, "rush-1", 1, "new"), client.Options{
				HTTP: way.http, Events: ledgerEvents, Reconnect: true,
			})
			var ce *client.CloseError
			if !errors.As(err, &ce) || ce.Code != proto.CodeVersion || ce.Action() != proto.ActionStop {
				t.Fatalf("it ends with %v", err)
			}
			for _, n := range a.names {
				if !strings.Contains(ce.Reason, n) {
					t.Errorf("%q does not name %q", ce.Reason, n)
				}
			}
		})
	}
}
