package lobby

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"muster/lobby/players"
	"muster/lobby/ticket"
	"muster/match/cluster"
)

// problem makes the answer of an error: what callers decide on has a status, anything else is 503, to be tried again;
// its text stays in the log.
func (l *Lobby) problem(doing string, err error) error {
	var have *ticket.HaveError
	var penalty *ticket.PenaltyError
	var often *tooOftenError
	var replay *ReplayError
	switch {
	case errors.Is(err, ticket.ErrNoTicket):
		return huma.Error404NotFound("there is no such ticket")
	case errors.Is(err, errNoResult):
		return huma.Error404NotFound("there is no such match")
	case errors.Is(err, errMemberWaits):
		return huma.Error409Conflict(errMemberWaits.Error())
	case errors.Is(err, players.ErrNone):
		return huma.Error404NotFound("there is no such player")
	case errors.Is(err, players.ErrTooMany):
		return huma.Error409Conflict(fmt.Sprintf("you block %d players already, which is as many as one may", players.MaxBlocks))
	case errors.Is(err, players.ErrManyMutes):
		return huma.Error409Conflict(fmt.Sprintf("you mute %d players already, which is as many as one may", players.MaxMutes))
	case errors.As(err, &have):
		return ticketConflict(have)
	case errors.As(err, &penalty):
		return penaltyProblem(penalty)
	case errors.Is(err, ticket.ErrMany):
		return huma.ErrorWithHeaders(huma.Error429TooManyRequests(ticket.ErrMany.Error()), http.Header{"Retry-After": {"10"}})
	case errors.Is(err, ticket.ErrNotAsked):
		return huma.Error409Conflict(ticket.ErrNotAsked.Error())
	case errors.As(err, &replay):
		return replayProblem(replay)
	case errors.As(err, &often):
		return huma.ErrorWithHeaders(huma.Error429TooManyRequests(often.what),
			http.Header{"Retry-After": {strconv.Itoa(often.after)}})
	case errors.Is(err, errOtherRequest), errors.Is(err, ticket.ErrReused):
		return otherRequest()
	case errors.Is(err, ticket.ErrFull):
		return later("too many players are waiting in this queue", "10")
	case errors.Is(err, cluster.ErrHangs):
		return later("the room's rules failed; it is left alone for a while", "600")
	case errors.Is(err, errLate):
		return later(errLate.Error(), "1")
	case errors.Is(err, errUnsteady):
		return later(errUnsteady.Error(), "1")
	case errors.Is(err, errCrowded), errors.Is(err, errNoNode):
		return later(reasonOf(err), "5")
	}
	if !errors.Is(err, context.Canceled) { // else the client has gone away
		l.complain(doing+" failed", err)
	}
	return later(notNow, "1")
}

// complain logs what fails for as many requests as come meanwhile: each kind once, and again where it changes or has lasted.
func (l *Lobby) complain(what string, err error) {
	if repeats, say := l.said.Again(what, err.Error(), time.Now()); say {
		l.log.Warn(what, zap.Error(err), zap.Int("repeats", repeats))
	}
}

// replayProblem is the answer of a recording that is not shown.
func replayProblem(e *ReplayError) error {
	err := huma.NewError(e.Status, e.Detail)
	if e.Retry == "" {
		return err
	}
	return huma.ErrorWithHeaders(err, http.Header{"Retry-After": {e.Retry}})
}

// maxEcho bounds what an error repeats of a request, in bytes: enough to recognise it.
const maxEcho = 64

// shortenEcho keeps a request's content out of its error, but for a short text.
func shortenEcho(_ huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	for _, d := range p.Errors {
		d.Location, d.Message = shorten(d.Location), shorten(d.Message)
		switch value := d.Value.(type) {
		case string:
			d.Value = shorten(value)
		case bool, float64:
		default:
			d.Value = nil
		}
	}
	return v, nil
}

func shorten(s string) string {
	if len(s) <= maxEcho {
		return s
	}
	return strings.ToValidUTF8(s[:maxEcho], "") + "…"
}

const notNow = "the lobby cannot answer now"

// later is a 503 that says when to come again, in seconds.
func later(detail, seconds string) error {
	return huma.ErrorWithHeaders(huma.Error503ServiceUnavailable(detail), http.Header{"Retry-After": {seconds}})
}

// ticketConflict is the answer to a second ticket in one queue.
func ticketConflict(have *ticket.HaveError) error {
	return huma.Error409Conflict("you wait in this queue already", &huma.ErrorDetail{
		Message: "the value is the ticket with which you wait", Location: "body.queue", Value: have.ID,
	})
}

// penaltyProblem is the answer to a ticket under penalty.
func penaltyProblem(p *ticket.PenaltyError) error {
	seconds := int((p.For + time.Second - 1) / time.Second)
	return huma.ErrorWithHeaders(huma.Error429TooManyRequests(
		fmt.Sprintf("you may queue again in %d seconds, since %s", seconds, p.Why)),
		http.Header{"Retry-After": {strconv.Itoa(seconds)}})
}
