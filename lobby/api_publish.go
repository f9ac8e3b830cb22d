package lobby

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"muster/lobby/inbox"
	"muster/lobby/live"
	"muster/match/cluster"
)

const (
	// publishOp is the id of the operation by which backends publish, which has limits of its own.
	publishOp = "publish-event"
	// maxPublishBody bounds a request, in bytes, maxFields the fields in it.
	maxPublishBody = 12 << 10
	maxFields      = 8 << 10
	// maxEventBody bounds the body of an event for players, in bytes.
	maxEventBody = 3 << 10
)

type publishInput struct {
	Keyed
	Body publishBody
}

type publishBody struct {
	To    string          `json:"to" maxLength:"80" pattern:"^(all$|(room|player|party|group):.)" example:"room:x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"room:ID, player:ID, party:ID, group:ID, or all: everybody."`
	Input json.RawMessage `json:"input,omitempty" example:"{\"Score\":3}" doc:"For a room, in the place of event: an input of its game, by the schema's names. The game's Feed hook gets it."`
	Event *PublishEvent   `json:"event,omitempty"`
	Keep  bool            `json:"keep,omitempty" example:"false" doc:"For players: the event waits in their inboxes, for a week. Otherwise those alone hear it who are there now."`
}

// PublishEvent is an event for a room, of a type of its game, or one for players' lobby sockets.
type PublishEvent struct {
	Type   string          `json:"type,omitempty" maxLength:"64" example:"Hit" doc:"In a room: one of the game's events."`
	Fields json.RawMessage `json:"fields,omitempty" example:"{\"By\":3}" doc:"In a room: its fields, by the schema's names; those left out are zero."`
	Player string          `json:"player,omitempty" maxLength:"64" example:"alice" doc:"In a room: for this player alone."`
	Team   uint16          `json:"team,omitempty" minimum:"1" example:"1" doc:"In a room: for this team alone."`
	Kind   string          `json:"kind,omitempty" pattern:"^x\\.[a-z0-9][a-z0-9_.-]{0,29}$" example:"x.score" doc:"For players: what it is about, for the client."`
	Body   json.RawMessage `json:"body,omitempty" example:"{\"home\":2,\"away\":1}" doc:"For players: anything in JSON, at most 3072 bytes."`
}

// Resolve implements huma.Resolver.
func (in *publishInput) Resolve(huma.Context) (errs []error) {
	b := &in.Body
	bad := func(is bool, field, message string) {
		if is {
			errs = append(errs, &huma.ErrorDetail{Message: message, Location: "body." + field})
		}
	}
	kind, id, _ := strings.Cut(b.To, ":")
	room := kind == "room"
	bad(room && !roomID.MatchString(id), "to", "expected a room's id")
	bad(!room && b.To != "all" && !plainText(id), "to", "expected an id of at most 64 bytes without control characters")
	bad((b.Input == nil) == (b.Event == nil), "event", "expected either an event or an input")
	bad(b.Input != nil && !room, "input", "expected an event: inputs are for rooms")
	bad(b.Keep && room, "keep", "expected false: what a room gets is not kept")
	bad(len(b.Input) > maxFields, "input", "expected at most 8192 bytes")
	if e := b.Event; e != nil {
		bad(room && e.Type == "", "event.type", "expected a type of the game's events")
		bad(room && (e.Kind != "" || e.Body != nil), "event.kind", "expected type and fields: kind and body are for players")
		bad(!room && e.Kind == "", "event.kind", "expected x. and a name")
		bad(!room && (e.Type != "" || e.Fields != nil || e.Player != "" || e.Team != 0), "event.type", "expected kind and body: the rest is for rooms")
		bad(e.Player != "" && e.Team != 0, "event.team", "expected a player or a team")
		bad(e.Player != "" && !plainText(e.Player), "event.player", "expected an id of at most 64 bytes without control characters")
		bad(len(e.Fields) > maxFields, "event.fields", "expected at most 8192 bytes")
		bad(len(e.Body) > maxEventBody, "event.body", "expected at most 3072 bytes")
		bad(b.Keep && !fitsInbox(e.Body), "event.body", "expected at most 4096 bytes with each <, > and & as six: so inboxes keep them")
	}
	return errs
}

// fitsInbox says whether a body can be kept: an inbox writes markup as escapes.
func fitsInbox(body json.RawMessage) bool {
	text, err := json.Marshal(body)
	return err == nil && len(text) <= inbox.MaxBody
}

// Published says what came of what a backend published.
type Published struct {
	Ordered
	// To is how many players it was for.
	To int `json:"to,omitempty" example:"2" doc:"How many players it was for; absent for a room, and for all, who are not counted."`
}

type publishOutput struct {
	Status int
	Body   Published
}

func (l *Lobby) registerPublish(api huma.API) {
	op := operation(huma.Operation{
		OperationID: publishOp, Method: http.MethodPost, Path: "/v1/publish", DefaultStatus: http.StatusOK,
		Summary: "Publish into a room or to players", Tags: []string{"Backends"},
		Errors: append([]int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict}, withBody...),
		Description: "For tokens with the role service or admin. Into a room goes an input of its game, or an event for those in it; each is " +
			"done once, at one tick, and stands in the match's replay. To players goes an event for their lobby sockets. With an " +
			"Idempotency-Key nothing is published twice. 50 a second for a token's subject, bursts of 100; to all 2 a second, bursts of 10.",
	})
	op.MaxBodyBytes = maxPublishBody
	huma.Register(api, op, l.publishEvent)
}

// mayPublish says whether who makes a request is a backend.
func mayPublish(ctx context.Context) bool {
	return slices.ContainsFunc(playerOf(ctx).Roles, func(r string) bool { return slices.Contains(rolesNotify, r) })
}

func (l *Lobby) publishEvent(ctx context.Context, in *publishInput) (*publishOutput, error) {
	id, digest := l.idempotent(ctx, "publish", in.Key, in.Body)
	if room, ok := strings.CutPrefix(in.Body.To, "room:"); ok {
		return l.publishToRoom(ctx, room, id, digest, &in.Body)
	}
	return l.publishToPlayers(ctx, id, digest, &in.Body)
}

func (l *Lobby) publishToRoom(ctx context.Context, room, id, digest string, b *publishBody) (*publishOutput, error) {
	o := cluster.Order{ID: id, Digest: digest, Kind: cluster.OrderInput, Body: b.Input}
	if e := b.Event; e != nil {
		o.Kind, o.Event, o.Body, o.Player, o.Team = cluster.OrderEvent, e.Type, e.Fields, e.Player, e.Team
	}
	got, err := l.order(ctx, "publishing into a room", room, o)
	if err != nil {
		return nil, err
	}
	done := ordered(id, got)
	return &publishOutput{done.Status, Published{Ordered: done.Body}}, nil
}

func (l *Lobby) publishToPlayers(ctx context.Context, id, digest string, b *publishBody) (*publishOutput, error) {
	const doing = "publishing to players"
	if b.To == "all" {
		if err := l.count(ctx, limitKey(ctx)+":publish_all", publishAllLimit, "you publish to all too often"); err != nil {
			return nil, l.problem(doing, err)
		}
	}
	out := &publishOutput{http.StatusOK, Published{Ordered: Ordered{ID: id, State: cluster.OrderDone}}}
	var players []string
	if b.To != "all" {
		var err error
		if players, err = l.notified(ctx, &notifyBody{To: b.To}); err != nil {
			return nil, l.problem(doing, err)
		}
		if len(players) == 0 {
			return nil, huma.Error404NotFound("there is no such party or group")
		}
		out.Body.To = len(players)
	}
	body := b.Event.Body
	if body == nil {
		body = json.RawMessage("null")
	}
	first, err := l.firstTime(ctx, id, digest)
	switch {
	case err != nil:
		return nil, l.problem(doing, err)
	case b.Keep && b.To == "all":
		err = l.inbox.PostAll(ctx, id, b.Event.Kind, body)
	case b.Keep:
		err = l.inbox.Post(ctx, id, b.Event.Kind, body, players...)
	case first: // what is not kept is told once at most
		var notices []cluster.Notice
		p := live.Published{ID: id, Kind: b.Event.Kind, At: time.Now().UTC(), Body: body}
		if notices, err = live.PublishNotices(&p, players); err == nil {
			err = l.bus.Publish(ctx, notices...)
		}
		if err != nil { // asked again, it is told
			l.forgetTime(ctx, id)
		}
	}
	if b.To == "all" {
		l.audit(ctx, "something is published to all", err, zap.String("id", id), zap.String("kind", b.Event.Kind))
	}
	if err != nil {
		return nil, l.problem(doing, err)
	}
	return out, nil
}
