package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net"

	"muster/client"
	"muster/proto"
)

// errHost refuses a match's address that the caller did not name.
var errHost = errors.New("match address")

// errorKind sorts an error into a kind with few values, for counting.
func errorKind(err error) string {
	var api *client.APIError
	var ticket *client.TicketError
	var handshake *client.HandshakeError
	var schema *client.SchemaError
	var closed *client.CloseError
	var network *net.OpError
	switch {
	case errors.Is(err, errHost):
		return "match address"
	case errors.As(err, &api):
		return fmt.Sprintf("lobby %d", api.Status)
	case errors.As(err, &ticket):
		return "ticket " + ticket.State
	case errors.As(err, &handshake):
		return fmt.Sprintf("handshake %d", handshake.Status)
	case errors.As(err, &schema):
		return "schema"
	case errors.As(err, &closed):
		return "close " + closeName(closed.Code)
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &network):
		return network.Op
	}
	return "other"
}

func closeName(c proto.Code) string {
	if c == 1006 {
		return "1006 lost"
	}
	return fmt.Sprintf("%d %s", c, c.Info().Name)
}
