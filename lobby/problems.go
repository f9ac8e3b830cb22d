package lobby

import (
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"
)

// problem makes the answer of an error: what callers decide on has a status, anything else is 503, to be tried again;
// its text stays in the log.
func (l *Lobby) problem(doing string, err error) error {
	var have *haveTicketError
	switch {
	case errors.Is(err, errNoTicket):
		return huma.Error404NotFound("there is no such ticket")
	case errors.Is(err, errNoResult):
		return huma.Error404NotFound("there is no such match")
	case errors.As(err, &have):
		return huma.Error409Conflict("you wait in this queue already, with ticket " + have.id)
	case errors.Is(err, errQueueFull):
		return later("too many players are waiting in this queue", "10")
	}
	l.log.Warn(doing+" failed", zap.Error(err))
	return later("the lobby cannot answer now", "1")
}

// later is a 503 that says when to come again, in seconds.
func later(detail, seconds string) error {
	return huma.ErrorWithHeaders(huma.Error503ServiceUnavailable(detail), http.Header{"Retry-After": {seconds}})
}
