package lobby

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/lobby/inbox"
)

// Event is something that a player must hear of, as the API shows it.
type Event struct {
	ID   string          `json:"id" example:"1767323045678-3/1767323000000-0" doc:"After which to go on."`
	Kind string          `json:"kind" example:"notification" doc:"What the body is: ticket, party, chat, group, notification, room."`
	At   time.Time       `json:"at" example:"2026-01-02T03:04:05.678Z"`
	Body json.RawMessage `json:"body" example:"{\"kind\":\"maintenance\",\"title\":\"Maintenance at 04:00 UTC\"}" doc:"What happened."`
}

// Events is a page of an inbox.
type Events struct {
	Events []Event `json:"events" nullable:"false" doc:"The oldest first."`
	Missed bool    `json:"missed" example:"false" doc:"Whether events have gone that were never read: an inbox keeps about 256 of a week."`
}

type inboxInput struct {
	After string `query:"after" maxLength:"64" example:"1767323045678-3/1767323000000-0" doc:"Only events after this one; without it all that are kept."`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"50" example:"50" doc:"How many at most."`
	Wait  string `query:"wait" maxLength:"16" example:"10s" doc:"Answer only when there is an event, or after this time; at most 30s."`
	wait  time.Duration
}

// Resolve implements huma.Resolver.
func (in *inboxInput) Resolve(huma.Context) (errs []error) {
	if in.After != "" && !inbox.IsPlace(in.After) {
		errs = append(errs, &huma.ErrorDetail{Message: "expected the id of an event", Location: "query.after", Value: in.After})
	}
	if in.Wait != "" {
		d, err := time.ParseDuration(in.Wait)
		if err != nil || d < 0 || d > maxPoll {
			errs = append(errs, &huma.ErrorDetail{Message: "expected a duration from 0s to 30s", Location: "query.wait", Value: in.Wait})
		}
		in.wait = d
	}
	return errs
}

type inboxOutput struct{ Body Events }

func (l *Lobby) registerInbox(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "read-inbox", Method: http.MethodGet, Path: "/v1/me/inbox",
		Summary: "Read what one must hear of, or wait for it", Tags: []string{"Notifications"},
		Description: "For clients without a lobby socket, which gets the same events. Each comes at least once to who goes on " +
			"after the last one that he has.",
	}), l.readInbox)
}

// inboxAgain is after how long a waiting request reads its inbox again unasked: notices can be lost.
const inboxAgain = 5 * time.Second

// readInbox reads an inbox; while nothing is in it, and as long as the client wants, again at every notice.
func (l *Lobby) readInbox(ctx context.Context, in *inboxInput) (*inboxOutput, error) {
	p := playerOf(ctx)
	var page inbox.Page
	err := l.poll(ctx, inboxWaiter(digest(p.ID)), in.wait, inboxAgain, func() (done bool, err error) {
		pages, err := l.inbox.Read(ctx, int64(in.Limit), inbox.Ask{Player: p.ID, After: in.After, Resume: true})
		if err != nil {
			return false, err //nolint:wrapcheck // says what it did
		}
		page = pages[0]
		return len(page.Events) > 0, nil // that something was missed is no reason to answer at once, and again
	})
	if err != nil {
		return nil, l.problem("reading an inbox", err)
	}
	out := &inboxOutput{Events{Events: make([]Event, len(page.Events)), Missed: page.Missed}}
	for i, e := range page.Events {
		out.Body.Events[i] = Event(e)
	}
	return out, nil
}

// inboxWaiter names those who wait for a player's events.
func inboxWaiter(digest string) string { return "inbox " + digest }

// inboxNotice hears that a player, or everybody, has a new event.
func (l *Lobby) inboxNotice(id string) {
	if id == inbox.All {
		l.waiters.wakeAll()
		return
	}
	l.waiters.wake(inboxWaiter(id))
}
