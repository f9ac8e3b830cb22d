package lobby

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"muster/match/cluster"
)

// AdminRoom is a room as operators see it.
type AdminRoom struct {
	ID      string            `json:"id" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e"`
	Game    string            `json:"game" example:"arena"`
	Rules   string            `json:"rules" example:"3" doc:"The version of its game's rules."`
	Node    string            `json:"node" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"The server that runs it; released: it is about to go on elsewhere."`
	Queue   string            `json:"queue,omitempty" example:"arena" doc:"That made the match."`
	Title   string            `json:"title,omitempty" example:"Friday's round"`
	Region  string            `json:"region,omitempty" example:"eu"`
	Tags    map[string]string `json:"tags,omitempty" example:"{\"mode\":\"ctf\"}"`
	On      map[string]string `json:"on,omitempty" example:"{\"disk\":\"fast\"}" doc:"Tags that a server must have to run it."`
	Public  bool              `json:"public" example:"true" doc:"Anybody may find it and join."`
	Code    string            `json:"code,omitempty" example:"KFR7WQ" doc:"By which anybody may join who knows it."`
	Owner   string            `json:"owner,omitempty" example:"alice" doc:"The player who made it."`
	Created time.Time         `json:"created_at" example:"2026-01-02T03:04:05.678Z"`
	Seats   int               `json:"seats" example:"16"`
	Free    int               `json:"free" example:"13" doc:"Seats that new players may have now."`
	Players int               `json:"players" example:"3" doc:"Seats that are taken or kept for somebody who is on the way."`
	Open    bool              `json:"open" example:"true" doc:"Its rules take new players."`
	Ended   string            `json:"ended,omitempty" example:"the match is lost" doc:"Why it is over and about to be forgotten."`
}

func adminRoom(r *cluster.RoomNow) AdminRoom {
	a := AdminRoom{
		ID: r.ID, Game: r.Game, Rules: r.Rules, Node: r.Node, Queue: r.MadeBy, Title: r.Title, Region: r.Region, Tags: r.Tags, On: r.On,
		Public: r.Public, Code: r.Code, Owner: r.Owner, Created: r.Created.UTC(), Seats: r.Seats, Free: r.Free, Players: r.Occupied,
		Open: !r.Shut && !r.Off,
	}
	if a.Queue == "" {
		a.Queue = r.Queue
	}
	switch {
	case r.Failed != nil:
		a.Ended = r.Failed.Reason
	case r.Off:
		a.Ended = "it was called off"
	}
	return a
}

// AdminRooms is a page of rooms.
type AdminRooms struct {
	Rooms []AdminRoom `json:"rooms" nullable:"false"`
	Next  string      `json:"next,omitempty" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"The cursor of the next page; absent at the end. A page may be short, or empty, and not be the last."`
}

// AdminRoomDetail is a room and who is in it.
type AdminRoomDetail struct {
	AdminRoom
	Seated []string `json:"seated" nullable:"false" example:"[\"alice\"]" doc:"The players who have taken their seats."`
	Coming []string `json:"coming" nullable:"false" example:"[\"bob\"]" doc:"Those for whom a seat is kept."`
}

// AdminRoomState is the state of a room at one tick.
type AdminRoomState struct {
	Tick   uint32       `json:"tick" example:"1200" doc:"After which it is so."`
	Tables []AdminTable `json:"tables" nullable:"false"`
}

// AdminTable is a table of a room's state.
type AdminTable struct {
	Name   string     `json:"name" example:"Ships"`
	Single bool       `json:"single" example:"false" doc:"It is one row that is always there."`
	Count  int        `json:"count" example:"2" doc:"How many rows it has; of a large table the first alone are in rows."`
	Rows   []AdminRow `json:"rows" nullable:"false"`
}

// AdminRow is a row of a table.
type AdminRow struct {
	ID     uint32         `json:"id" example:"65537"`
	Fields map[string]any `json:"fields" example:"{\"X\":3.5,\"Name\":\"Ann\"}" doc:"By the schema's names, those too that no client is sent. Nested ones are called Pos.X, an element List.0; texts are cut at 256 bytes."`
}

type adminRoomsInput struct {
	Game   string `query:"game" maxLength:"31" example:"arena" doc:"Only rooms of this game."`
	Node   string `query:"node" pattern:"^[a-z0-9-]{1,64}$" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"Only rooms of this server."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" example:"50" doc:"At most so many rooms."`
	Cursor string `query:"cursor" maxLength:"64" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"The next of the page before."`
}

// OfRoom is embedded in the inputs of operations on one room. Its name is exported because the library fills nothing else.
type OfRoom struct {
	ID string `path:"id" maxLength:"64" pattern:"^[a-z0-9][a-z0-9._-]{0,63}$" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"The room's."`
}

type (
	adminRoomsOutput  struct{ Body AdminRooms }
	adminRoomOutput   struct{ Body AdminRoomDetail }
	adminStateOutput  struct{ Body AdminRoomState }
	adminRoomEndInput struct {
		OfRoom
		Keyed
		Body adminEndBody
	}
	adminEndBody struct {
		Reason string `json:"reason" minLength:"1" maxLength:"120" example:"maintenance" doc:"One line that its players are shown."`
	}
	adminRoomKickInput struct {
		OfRoom
		Keyed
		Body adminKickBody
	}
	adminKickBody struct {
		Player string `json:"player" minLength:"1" maxLength:"64" example:"mallory" doc:"The player's id."`
		Reason string `json:"reason" minLength:"1" maxLength:"120" example:"cheating" doc:"One line that he is shown."`
	}
	adminRoomAnnounceInput struct {
		OfRoom
		Keyed
		Body adminAnnounceBody
	}
	adminAnnounceBody struct {
		Title string `json:"title" minLength:"1" maxLength:"100" example:"The server restarts at 04:00 UTC" doc:"One line of plain text."`
		Text  string `json:"body,omitempty" maxLength:"1000" example:"Your match is kept." doc:"Plain text; newlines are the only control characters."`
	}
)

// Resolve implements huma.Resolver.
func (in *adminRoomEndInput) Resolve(huma.Context) []error {
	return checkLine("reason", in.Body.Reason)
}

// Resolve implements huma.Resolver.
func (in *adminRoomKickInput) Resolve(huma.Context) []error {
	errs := checkLine("reason", in.Body.Reason)
	if !plainText(in.Body.Player) {
		errs = append(errs, &huma.ErrorDetail{Message: "expected an id of at most 64 bytes without control characters", Location: "body.player"})
	}
	return errs
}

// Resolve implements huma.Resolver.
func (in *adminRoomAnnounceInput) Resolve(huma.Context) []error {
	errs := checkLine("title", in.Body.Title)
	if !utf8.ValidString(in.Body.Text) || strings.IndexFunc(strings.ReplaceAll(in.Body.Text, "\n", ""), unprintable) >= 0 {
		errs = append(errs, &huma.ErrorDetail{Message: "expected text with no control characters but newlines", Location: "body.body"})
	}
	return errs
}

// checkLine says what is wrong with a line that players are shown.
func checkLine(field, text string) []error {
	if utf8.ValidString(text) && strings.IndexFunc(text, unprintable) < 0 {
		return nil
	}
	return []error{&huma.ErrorDetail{Message: "expected one line without control characters", Location: "body." + field}}
}

const adminRoomsPath = "/v1/admin/rooms"

func (l *Lobby) registerAdminRooms(api huma.API) {
	admin := func(op huma.Operation) huma.Operation {
		op.Tags, op.DefaultStatus = []string{tagAdmin}, http.StatusOK
		op.Errors = append(op.Errors, http.StatusForbidden)
		if op.Path != adminRoomsPath {
			op.Errors = append(op.Errors, http.StatusNotFound)
		}
		op.Description = "For tokens with the role admin. " + op.Description
		return operation(op)
	}
	acts := append([]int{http.StatusConflict}, withBody...)
	huma.Register(api, admin(huma.Operation{
		OperationID: "admin-list-rooms", Method: http.MethodGet, Path: adminRoomsPath, Summary: "List all rooms",
		Description: "Private ones too, by their ids; those that somebody has come to. Of servers that are gone they are left out, until another one has taken them over.",
	}), l.adminRooms)
	huma.Register(api, admin(huma.Operation{
		OperationID: "admin-get-room", Method: http.MethodGet, Path: "/v1/admin/rooms/{id}", Summary: "Look at a room",
		Description: "With who is in it.",
	}), l.adminRoom)
	huma.Register(api, admin(huma.Operation{
		OperationID: "admin-room-state", Method: http.MethodGet, Path: "/v1/admin/rooms/{id}/state", Summary: "Look into a room's state",
		Errors:      []int{http.StatusConflict},
		Description: "Its server says how it is at its next tick. It is cut at 200 rows of a table and at about 128 KiB in all.",
	}), l.adminState)
	huma.Register(api, admin(huma.Operation{
		OperationID: "admin-end-room", Method: http.MethodPost, Path: "/v1/admin/rooms/{id}/end", Summary: "End a room's match", Errors: acts,
		Description: "Its players are closed with 4201 and the reason. Its result has no placements. A room that persists ends for good, too: nothing of its state is kept but its replay.",
	}), l.adminEnd)
	huma.Register(api, admin(huma.Operation{
		OperationID: "admin-kick-player", Method: http.MethodPost, Path: "/v1/admin/rooms/{id}/kick", Summary: "Send a player out of a room", Errors: acts,
		Description: "He is closed with 4410 and the reason, and his seat is free. He may come back where others may.",
	}), l.adminKick)
	huma.Register(api, admin(huma.Operation{
		OperationID: "admin-announce-in-room", Method: http.MethodPost, Path: "/v1/admin/rooms/{id}/announce", Summary: "Tell those in a room something", Errors: withBody,
		Description: "It is a notification of the kind announcement in their inboxes.",
	}), l.adminAnnounce)
}

// auditRoom is audit for what is done to a room.
func (l *Lobby) auditRoom(ctx context.Context, what, room string, err error, more ...zap.Field) {
	l.audit(ctx, what, err, append([]zap.Field{zap.String("room", room)}, more...)...)
}

func (l *Lobby) adminRooms(ctx context.Context, in *adminRoomsInput) (*adminRoomsOutput, error) {
	const doing = "listing all rooms"
	which := cluster.Which{Game: in.Game, Nodes: []string{in.Node}}
	if in.Node == "" {
		live, err := l.nodes.Live(ctx)
		if err != nil {
			return nil, l.problem(doing, err)
		}
		which.Nodes = []string{cluster.Released}
		for id := range live {
			which.Nodes = append(which.Nodes, id)
		}
	}
	list, next, err := l.rooms.All(ctx, which, in.Cursor, in.Limit)
	if err != nil {
		return nil, l.problem(doing, err)
	}
	out := &adminRoomsOutput{AdminRooms{Rooms: make([]AdminRoom, len(list)), Next: next}}
	for i := range list {
		out.Body.Rooms[i] = adminRoom(&list[i])
	}
	return out, nil
}

func (l *Lobby) adminRoom(ctx context.Context, in *OfRoom) (*adminRoomOutput, error) {
	r, err := l.rooms.RoomNow(ctx, in.ID)
	if errors.Is(err, cluster.ErrNoRoom) {
		return nil, huma.Error404NotFound(noRoomNow)
	}
	if err != nil {
		return nil, l.problem("looking at a room", err)
	}
	d := AdminRoomDetail{AdminRoom: adminRoom(&r), Seated: []string{}, Coming: []string{}}
	there := map[string]bool{}
	for _, p := range r.Seated {
		d.Seated, there[p] = append(d.Seated, p), true
	}
	for _, p := range r.Players {
		if !there[p] {
			d.Coming = append(d.Coming, p)
		}
	}
	return &adminRoomOutput{d}, nil
}

func (l *Lobby) adminState(ctx context.Context, in *OfRoom) (*adminStateOutput, error) {
	const doing = "looking into a room's state"
	if err := l.count(ctx, limitKey(ctx)+":states", stateLimit, "you look into states too often"); err != nil {
		return nil, l.problem(doing, err)
	}
	got, err := l.order(ctx, doing, in.ID, cluster.Order{ID: cluster.NewID(), Kind: cluster.OrderState, Asks: true})
	switch {
	case err != nil:
		return nil, err
	case got.State != cluster.OrderDone:
		return nil, later("the room does not answer now", "1")
	}
	out := &adminStateOutput{}
	if err := json.Unmarshal(got.Answer, &out.Body); err != nil { // its server has written it
		return nil, l.problem(doing, err)
	}
	return out, nil
}

func (l *Lobby) adminEnd(ctx context.Context, in *adminRoomEndInput) (*orderedOutput, error) {
	id, digest := l.idempotent(ctx, "end:"+in.ID, in.Key, in.Body)
	got, err := l.order(ctx, "ending a room", in.ID, cluster.Order{ID: id, Digest: digest, Kind: cluster.OrderEnd, Text: in.Body.Reason})
	if mayBeDone(got) {
		l.auditRoom(ctx, "a room's match is ended", in.ID, err, zap.String("reason", in.Body.Reason))
	}
	if err != nil {
		return nil, err
	}
	return ordered(id, got), nil
}

func (l *Lobby) adminKick(ctx context.Context, in *adminRoomKickInput) (*orderedOutput, error) {
	id, digest := l.idempotent(ctx, "kick:"+in.ID, in.Key, in.Body)
	got, err := l.order(ctx, "kicking a player", in.ID, cluster.Order{
		ID: id, Digest: digest, Kind: cluster.OrderKick, Player: in.Body.Player, Text: in.Body.Reason,
	})
	if mayBeDone(got) {
		l.auditRoom(ctx, "a player is kicked", in.ID, err, zap.String("player", in.Body.Player), zap.String("reason", in.Body.Reason))
	}
	if err != nil {
		return nil, err
	}
	return ordered(id, got), nil
}

// mayBeDone says whether an order is, or may become, more than a request.
func mayBeDone(got cluster.Outcome) bool {
	return got.State == cluster.OrderDone || got.State == cluster.OrderWaits
}

// kindAnnouncement is the kind of a notification to those in a room.
const kindAnnouncement = "announcement"

func (l *Lobby) adminAnnounce(ctx context.Context, in *adminRoomAnnounceInput) (*notifyOutput, error) {
	const doing = "announcing something in a room"
	id, digest := l.idempotent(ctx, "announce:"+in.ID, in.Key, in.Body)
	if err := l.sameNotification(ctx, id, digest); err != nil {
		return nil, l.problem(doing, err)
	}
	r, err := l.rooms.RoomNow(ctx, in.ID)
	players := r.Seated
	if errors.Is(err, cluster.ErrNoRoom) {
		return nil, huma.Error404NotFound(noRoomNow)
	}
	if err != nil {
		return nil, l.problem(doing, err)
	}
	if len(players) > 0 {
		err = l.inbox.Post(ctx, id, kindNotification, Notification{ID: id, Kind: kindAnnouncement, Title: in.Body.Title, Body: in.Body.Text}, players...)
	}
	l.auditRoom(ctx, "something is announced in a room", in.ID, err, zap.String("id", id), zap.String("title", in.Body.Title)) // some may have got it
	if err != nil {
		return nil, l.problem(doing, err)
	}
	return &notifyOutput{Notified{id, len(players)}}, nil
}
