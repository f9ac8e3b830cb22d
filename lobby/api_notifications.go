package lobby

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/lobby/inbox"
)

const (
	// kindNotification is the kind of a notification's event in inboxes; its body is a Notification.
	kindNotification = "notification"
	// maxNotifyBody bounds a request that notifies, in bytes: it may name 1000 players.
	notifyOp      = "notify-players"
	maxNotifyBody = 128 << 10
	// maxData bounds a notification's data, in bytes.
	maxData = 2 << 10
	// notifiedFor is how long it is remembered what an idempotency key was used for.
	notifiedFor = time.Hour
)

// rolesNotify are the roles of which one is needed to notify players.
var rolesNotify = []string{roleService, "admin"}

// Notification is what players are told.
type Notification struct {
	ID    string          `json:"id,omitempty"`
	Kind  string          `json:"kind"`
	Title string          `json:"title"`
	Body  string          `json:"body,omitempty"`
	Data  json.RawMessage `json:"data,omitempty"`
}

type notifyBody struct {
	To      string          `json:"to,omitempty" maxLength:"80" pattern:"^(all$|(player|party|group):.)" example:"player:alice" doc:"all, player:ID, party:ID or group:ID."`
	Players []string        `json:"players,omitempty" minItems:"1" maxItems:"1000" uniqueItems:"true" example:"[\"alice\",\"bob\"]" doc:"Players, in the place of to."`
	Kind    string          `json:"kind" pattern:"^[a-z][a-z0-9_.-]{0,31}$" example:"maintenance" doc:"What it is about, for the client."`
	Title   string          `json:"title" minLength:"1" maxLength:"100" example:"Maintenance at 04:00 UTC" doc:"One line of plain text."`
	Text    string          `json:"body,omitempty" maxLength:"1000" example:"It takes ten minutes." doc:"Plain text; newlines are the only control characters."`
	Data    json.RawMessage `json:"data,omitempty" example:"{\"until\":\"2026-01-02T04:10:00Z\"}" doc:"Anything in JSON, for the client; at most 2048 bytes."`
}

type notifyInput struct {
	Keyed
	Body notifyBody
}

// Resolve implements huma.Resolver.
func (in *notifyInput) Resolve(huma.Context) (errs []error) {
	b := &in.Body
	bad := func(is bool, field, message string) {
		if is {
			errs = append(errs, &huma.ErrorDetail{Message: message, Location: "body." + field})
		}
	}
	_, whom, _ := strings.Cut(b.To, ":")
	bad((b.To == "") == (b.Players == nil), "to", "expected either to or players")
	bad(b.To != "" && b.To != "all" && !plainText(whom), "to", "expected an id of at most 64 bytes without control characters")
	bad(slices.ContainsFunc(b.Players, func(p string) bool { return !plainText(p) }), "players", "expected ids of at most 64 bytes without control characters")
	bad(!utf8.ValidString(b.Title) || strings.IndexFunc(b.Title, unprintable) >= 0, "title", "expected one line without control characters")
	bad(!utf8.ValidString(b.Text) || strings.IndexFunc(strings.ReplaceAll(b.Text, "\n", ""), unprintable) >= 0, "body", "expected text with no control characters but newlines")
	bad(len(b.Data) > maxData, "data", "expected at most 2048 bytes")
	text, err := json.Marshal(in.Body.notification(strings.Repeat("i", 26)))
	bad(err != nil || len(text) > inbox.MaxBody, "body", "expected at most 4096 bytes of JSON in all")
	return errs
}

func (b *notifyBody) notification(id string) Notification {
	return Notification{ID: id, Kind: b.Kind, Title: b.Title, Body: b.Text, Data: b.Data}
}

type notifyOutput struct{ Body Notified }

// Notified says what came of a notification.
type Notified struct {
	ID string `json:"id" example:"q2gc3zkqav6ohzd3uqp6tmy4ra" doc:"The notification's, which is in what players get too."`
	// To is how many players have it in their inboxes.
	To int `json:"to" example:"2" doc:"How many players got it; 0 for all, who are not counted."`
}

func (l *Lobby) registerNotifications(api huma.API) {
	op := operation(huma.Operation{
		OperationID: notifyOp, Method: http.MethodPost, Path: "/v1/notifications", DefaultStatus: http.StatusAccepted,
		Summary: "Tell players something", Tags: []string{"Notifications"},
		Errors: append([]int{http.StatusForbidden, http.StatusNotFound}, withBody...),
		Description: "For tokens with the role service or admin. Each player finds it in his inbox, where it waits for him for a " +
			"week. What goes to all is kept once: the 256 newest, for a week after the last.",
	})
	op.MaxBodyBytes = maxNotifyBody
	huma.Register(api, op, l.notify)
}

func (l *Lobby) notify(ctx context.Context, in *notifyInput) (*notifyOutput, error) {
	const doing = "notifying players"
	id, digest := l.idempotent(ctx, "notifications", in.Key, in.Body)
	if err := l.sameNotification(ctx, id, digest); err != nil {
		return nil, l.problem(doing, err)
	}
	n := in.Body.notification(id)
	if in.Body.To == "all" {
		err := l.inbox.PostAll(ctx, id, kindNotification, n)
		l.audit(ctx, "something is announced to all", err, zap.String("id", id), zap.String("kind", n.Kind), zap.String("title", n.Title))
		if err != nil {
			return nil, l.problem(doing, err)
		}
		return &notifyOutput{Notified{ID: id}}, nil
	}
	players, err := l.notified(ctx, &in.Body)
	switch {
	case err != nil:
		return nil, l.problem(doing, err)
	case len(players) == 0:
		return nil, huma.Error404NotFound("there is no such party or group")
	}
	if err := l.inbox.Post(ctx, id, kindNotification, n, players...); err != nil {
		return nil, l.problem(doing, err)
	}
	return &notifyOutput{Notified{id, len(players)}}, nil
}

// notified returns whom a notification is for.
func (l *Lobby) notified(ctx context.Context, b *notifyBody) ([]string, error) {
	switch kind, id, _ := strings.Cut(b.To, ":"); kind {
	case "player":
		return []string{id}, nil
	case "party":
		return l.parties.Players(ctx, id) //nolint:wrapcheck // says what it did
	case "group":
		return l.chat.GroupPlayers(ctx, id) //nolint:wrapcheck // says what it did
	}
	return b.Players, nil
}

// forgetPatience bounds how long an id is taken back for.
const forgetPatience = time.Second

// sameNotification returns errOtherRequest where the id was used for another notification within the hour.
func (l *Lobby) sameNotification(ctx context.Context, id, digest string) error {
	_, err := l.firstTime(ctx, id, digest)
	return err
}

// firstTime says whether an id is used for the first time within the hour. Errors: errOtherRequest where it was used for
// something else.
func (l *Lobby) firstTime(ctx context.Context, id, digest string) (bool, error) {
	key := l.notificationKey(id)
	done, err := l.cfg.Redis.SetNX(ctx, key, digest, notifiedFor).Result()
	if err != nil || done {
		return done, err //nolint:wrapcheck // its caller says what it did
	}
	was, err := l.cfg.Redis.Get(ctx, key).Result()
	switch {
	case errors.Is(err, redis.Nil): // it has run out since
		return true, nil
	case err != nil:
		return false, fmt.Errorf("looking for a notification: %w", err)
	case was != digest:
		return false, errOtherRequest
	}
	return false, nil
}

// forgetTime takes back that an id was used, for who asks again: also where nobody listens to this request any more, which
// may be why what it was for has failed.
func (l *Lobby) forgetTime(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetPatience)
	defer cancel()
	if err := l.cfg.Redis.Del(ctx, l.notificationKey(id)).Err(); err != nil {
		l.log.Warn("an event that was not published counts as if it was, for an hour", zap.Error(err))
	}
}

func (l *Lobby) notificationKey(id string) string {
	return l.cfg.Namespace + ":{notification:" + id + "}"
}
