package lobby

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/lobby/ticket"
)

// Queue is a queue as the API shows it.
type Queue struct {
	Name      string  `json:"name" example:"arena"`
	Game      string  `json:"game" example:"arena"`
	Players   int     `json:"players_waiting" example:"12"`
	PerMinute float64 `json:"matches_per_minute" example:"3"`
	Watch     bool    `json:"watch" example:"false" doc:"Whether anybody may watch its matches."`
	Waits     []Waits `json:"expected_wait" nullable:"false" doc:"How long players waited lately, by rating; empty where nobody was matched."`
}

// Waits is how long players of a range of ratings waited lately.
type Waits struct {
	From    float64 `json:"rating_from" example:"1200"`
	To      float64 `json:"rating_to" example:"1600"`
	P50     float64 `json:"p50_seconds" example:"4.2" doc:"Half of them waited no longer."`
	P90     float64 `json:"p90_seconds" example:"11.5" doc:"Nine of ten waited no longer."`
	Tickets int     `json:"tickets" example:"200" doc:"How many tickets this is worked out from."`
}

type queuesOutput struct {
	Body struct {
		Queues []Queue `json:"queues" nullable:"false" doc:"By name."`
	}
}

// Explanation says why a ticket waits.
type Explanation struct {
	State   string       `json:"state" enum:"waiting,confirming,matched,cancelled,expired" example:"waiting"`
	Text    string       `json:"text" example:"3 of the 10 players are here; ratings within 150 until 03:04:25" doc:"In words."`
	Waiting int          `json:"waiting" example:"12" doc:"How many other players wait in the queue."`
	Fitting int          `json:"fitting" example:"3" doc:"How many of them could play with this ticket now."`
	Needed  int          `json:"needed" example:"10" doc:"How many players start a match."`
	Rules   []RuleEffect `json:"rules" nullable:"false" doc:"The rules that keep others away, the one that removes most first."`
	Expect  *Waits       `json:"expected_wait,omitempty" doc:"How long players of such ratings waited lately."`
}

// RuleEffect is what one rule does to a ticket's candidates.
type RuleEffect struct {
	Rule    string     `json:"rule" example:"rating"`
	Text    string     `json:"text" example:"ratings lie within 150 of each other"`
	Removes int        `json:"removes" example:"9" doc:"How many players the rule keeps away by itself."`
	Alone   int        `json:"alone" example:"4" doc:"How many of these no other rule keeps away."`
	Widens  *time.Time `json:"widens_at,omitempty" example:"2026-01-02T03:04:25Z" doc:"When its bound moves next."`
}

type explainOutput struct{ Body Explanation }

func (l *Lobby) registerQueues(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "list-queues", Method: http.MethodGet, Path: "/v1/queues",
		Summary: "Read how the queues do", Tags: []string{"Queues"},
	}), l.listQueues)
}

func (l *Lobby) listQueues(ctx context.Context, _ *struct{}) (*queuesOutput, error) {
	out := &queuesOutput{}
	out.Body.Queues = []Queue{}
	for _, name := range l.tickets.Queues() {
		rules, ok := l.tickets.Rules(name)
		if !ok || l.admitted(ctx, rules.Game) != nil {
			continue
		}
		s, err := l.tickets.Queue(ctx, name)
		if err != nil {
			return nil, l.problem("reading a queue", err)
		}
		q := Queue{Name: name, Game: rules.Game, Players: s.Players, PerMinute: s.PerMinute, Watch: rules.Watch && l.games[rules.Game].Watch, Waits: []Waits{}}
		for _, b := range s.Bands {
			q.Waits = append(q.Waits, waitsOf(b))
		}
		out.Body.Queues = append(out.Body.Queues, q)
	}
	return out, nil
}

func waitsOf(b ticket.Band) Waits {
	return Waits{From: b.From, To: b.To, P50: b.P50.Seconds(), P90: b.P90.Seconds(), Tickets: b.Tickets}
}

func (l *Lobby) explainTicket(ctx context.Context, in *ticketInput) (*explainOutput, error) {
	t, err := l.tickets.Get(ctx, in.ID, playerOf(ctx).ID)
	if err != nil {
		return nil, l.problem("explaining a ticket", err)
	}
	out := &explainOutput{Explanation{State: string(t.State), Text: t.Reason, Rules: []RuleEffect{}}}
	if t.State != ticket.Waiting {
		return out, nil
	}
	if x, ok := l.tickets.Explain(ctx, t); ok {
		out.Body.Text, out.Body.Waiting, out.Body.Fitting, out.Body.Needed = x.Text, x.Waiting, x.Fitting, x.Needed
		for _, r := range x.Rules {
			out.Body.Rules = append(out.Body.Rules, RuleEffect(r))
		}
	}
	s, err := l.tickets.Queue(ctx, t.Queue)
	if err != nil {
		return nil, l.problem("explaining a ticket", err)
	}
	if b, ok := ticket.BandOf(s.Bands, ticket.RatingOf(t)); ok {
		w := waitsOf(b)
		out.Body.Expect = &w
	}
	return out, nil
}
