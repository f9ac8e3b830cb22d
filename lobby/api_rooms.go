package lobby

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"muster/match/cluster"
)

// InRoom names a room, and says how the client reached this server. Its name is exported because the library fills
// nothing else where it is embedded.
type InRoom struct {
	ID   string `path:"id" pattern:"^[a-z0-9][a-z0-9._-]{0,63}$" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"The room, which is the match."`
	from asked
}

// Resolve implements huma.Resolver.
func (in *InRoom) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	return nil
}

type (
	matchOutput struct{ Body Match }
	roomOutput  struct{ Body RoomInfo }
)

// noRoom is the answer for a room that is not there, or that is none of the player's business.
const noRoom = "there is no such room"

func (l *Lobby) registerRooms(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "rejoin-room", Method: http.MethodPost, Path: "/v1/rooms/{id}/rejoin",
		Summary: "Claim one's seat again", Tags: []string{"Rooms"}, Errors: []int{http.StatusForbidden, http.StatusNotFound},
		Description: "For a player who has a seat in a running match and lost its resume secret, say with the page.",
	}), l.rejoin)
	huma.Register(api, operation(huma.Operation{
		OperationID: "list-rooms", Method: http.MethodGet, Path: "/v1/rooms",
		Summary: "List rooms that anybody may find", Tags: []string{"Rooms"}, Errors: []int{http.StatusForbidden, http.StatusNotFound},
		Description: "Public rooms, and matches of queues that may be watched, which have no free seat. The newest first. Whoever reads from page to page gets no room twice, and each that was there and fitted all " +
			"the time, however many come and go meanwhile.",
	}), l.listRooms)
	huma.Register(api, operation(huma.Operation{
		OperationID: "create-room", Method: http.MethodPost, Path: "/v1/rooms", DefaultStatus: http.StatusCreated,
		Summary: "Make a room", Tags: []string{"Rooms"},
		Errors: append([]int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict}, withBody...),
		Description: "The answer has a seat in it for who makes it. A room in which nobody is for a minute is gone. A player may make " +
			"20 rooms an hour and have 5 at a time.",
	}), creating(l, l.createRoom))
	huma.Register(api, operation(huma.Operation{
		OperationID: "get-room", Method: http.MethodGet, Path: "/v1/rooms/{id}",
		Summary: "Read a room", Tags: []string{"Rooms"}, Errors: []int{http.StatusForbidden, http.StatusNotFound},
		Description: "A public room, one that the player made, or a match of a queue that may be watched.",
	}), l.getRoom)
	huma.Register(api, operation(huma.Operation{
		OperationID: "change-room", Method: http.MethodPatch, Path: "/v1/rooms/{id}",
		Summary: "Change a room's title, tags or whether it is public", Tags: []string{"Rooms"},
		Errors:      append([]int{http.StatusForbidden, http.StatusNotFound}, withBody...),
		Description: "For who made it. What is absent stays.",
	}), l.changeRoom)
	huma.Register(api, operation(huma.Operation{
		OperationID: "close-room", Method: http.MethodDelete, Path: "/v1/rooms/{id}", DefaultStatus: http.StatusNoContent,
		Summary: "Close a room", Tags: []string{"Rooms"}, Errors: []int{http.StatusNotFound},
		Description: "For who made it. Nobody comes in from now on, and within ten seconds those who are in it hear that it is over.",
	}), l.closeRoom)
	huma.Register(api, operation(huma.Operation{
		OperationID: "join-room", Method: http.MethodPost, Path: "/v1/rooms/{id}/join",
		Summary: "Join a public room", Tags: []string{"Rooms"}, Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
		Description: "Or a private one by who made it; others need its code. Asked again, it gives the same seat.",
	}), l.joinRoom)
	huma.Register(api, operation(huma.Operation{
		OperationID: "join-by-code", Method: http.MethodPost, Path: "/v1/codes/{code}/join",
		Summary: "Join a room by its code", Tags: []string{"Rooms"}, Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
		Description: "A player may try 10 codes a minute. Asked again, it gives the same seat.",
	}), l.joinByCode)
	huma.Register(api, operation(huma.Operation{
		OperationID: "spectate-room", Method: http.MethodPost, Path: "/v1/rooms/{id}/spectate",
		Summary: "Watch a room", Tags: []string{"Rooms"}, Errors: []int{http.StatusForbidden, http.StatusNotFound},
		Description: "A public one, one that the player made, or a match of a queue whose matches may be watched. Only games that allow it can be watched. The token is good for a socket that gets " +
			"the state and sends nothing; it takes no seat.",
	}), l.spectateRoom)
}

func (l *Lobby) rejoin(ctx context.Context, in *InRoom) (*matchOutput, error) {
	p, id := playerOf(ctx), cluster.NewID()
	gone := huma.Error404NotFound("you have no seat in such a room")
	rec, err := l.rooms.Room(ctx, in.ID)
	if errors.Is(err, cluster.ErrNoRoom) {
		return nil, gone
	}
	if err != nil {
		return nil, l.problem("rejoining a room", err)
	}
	if err := l.admitted(ctx, rec.Game); err != nil {
		return nil, err
	}
	seat, err := l.rooms.Rejoin(ctx, in.ID, p.ID, id)
	if errors.Is(err, cluster.ErrNoRoom) {
		return nil, gone
	}
	if err != nil {
		return nil, l.problem("rejoining a room", err)
	}
	live, err := l.nodes.Live(ctx)
	if err != nil {
		return nil, l.problem("rejoining a room", err)
	}
	node, ok := live[rec.Node]
	if !ok { // whoever goes on with the room, each server finds it
		node = cluster.Node{Asked: true}
	}
	m, err := l.seated(in.ID, node, seat, id, p, &in.from)
	if err != nil {
		return nil, err
	}
	return &matchOutput{*m}, nil
}

// openTo returns a room that is public, or that the player has made, and the nodes that live. Any other is as if it were
// not there.
func (l *Lobby) openTo(ctx context.Context, room string) (*cluster.PublicRoom, map[string]cluster.Node, error) {
	r, err := l.rooms.Look(ctx, room)
	if errors.Is(err, cluster.ErrNoRoom) || err == nil && !r.Public && (r.Owner == "" || r.Owner != asker(ctx)) {
		return nil, nil, huma.Error404NotFound(noRoom)
	}
	if err != nil {
		return nil, nil, l.problem("reading a room", err)
	}
	if err := l.admitted(ctx, r.Game); err != nil {
		return nil, nil, err
	}
	live, err := l.nodes.Live(ctx)
	if err != nil {
		return nil, nil, l.problem("reading a room", err)
	}
	switch there, err := l.runs(ctx, &r.Room, live); {
	case err != nil:
		return nil, nil, l.problem("reading a room", err)
	case !there:
		return nil, nil, huma.Error404NotFound(noRoom)
	}
	return &r, live, nil
}

func (l *Lobby) getRoom(ctx context.Context, in *InRoom) (*roomOutput, error) {
	r, _, err := l.openTo(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &roomOutput{l.infoOf(r, asker(ctx))}, nil
}

func (l *Lobby) joinRoom(ctx context.Context, in *InRoom) (*matchOutput, error) {
	r, live, err := l.openTo(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if r.MadeBy != "" {
		return nil, huma.Error403Forbidden("it is a match of the queue " + r.MadeBy + ", into which its tickets alone lead")
	}
	m, err := l.sit(ctx, r.Room, live, &in.from, byID, huma.Error404NotFound(noRoom))
	if err != nil {
		return nil, err
	}
	return &matchOutput{*m}, nil
}

func (l *Lobby) spectateRoom(ctx context.Context, in *InRoom) (*matchOutput, error) {
	r, live, err := l.openTo(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if !l.games[r.Game].Watch {
		return nil, huma.Error404NotFound(noRoom)
	}
	m, err := l.watched(r.ID, live[r.Node], playerOf(ctx), &in.from)
	if err != nil {
		return nil, err
	}
	return &matchOutput{*m}, nil
}

// owned says with an error, the answer, whether the player has made a room that is there.
func (l *Lobby) owned(ctx context.Context, room string) error {
	r, err := l.rooms.Room(ctx, room)
	switch {
	case errors.Is(err, cluster.ErrNoRoom), err == nil && (r.Off || r.Owner == "" || r.Owner != playerOf(ctx).ID):
		return huma.Error404NotFound(noRoom)
	case err != nil:
		return l.problem("reading a room", err)
	}
	return nil
}

func (l *Lobby) closeRoom(ctx context.Context, in *InRoom) (*struct{}, error) {
	if err := l.owned(ctx, in.ID); err != nil {
		return nil, err
	}
	err := l.rooms.CallOff(ctx, in.ID)
	if err == nil {
		err = l.owners.remove(ctx, playerOf(ctx).ID, in.ID)
	}
	if err != nil {
		return nil, l.problem("closing a room", err)
	}
	return nil, nil //nolint:nilnil // no content
}

type changeRoomInput struct {
	InRoom
	Body struct {
		Title  *string           `json:"title,omitempty" maxLength:"64" example:"Saturday's round" doc:"What others read of it."`
		Public *bool             `json:"public,omitempty" example:"false" doc:"Whether anybody may find it and join."`
		Tags   map[string]string `json:"tags,omitempty" maxProperties:"8" example:"{\"mode\":\"ctf\"}" doc:"Up to 8 tags, in the place of those that it has."`
	}
}

// Resolve implements huma.Resolver.
func (in *changeRoomInput) Resolve(ctx huma.Context) []error {
	errs := in.InRoom.Resolve(ctx)
	if in.Body.Title != nil {
		errs = append(errs, checkTitle(*in.Body.Title)...)
	}
	return append(errs, checkTags("tags", in.Body.Tags)...)
}

func (l *Lobby) changeRoom(ctx context.Context, in *changeRoomInput) (*roomOutput, error) {
	if err := l.owned(ctx, in.ID); err != nil {
		return nil, err
	}
	_, err := l.rooms.Change(ctx, in.ID, cluster.Change{Title: in.Body.Title, Public: in.Body.Public, Tags: in.Body.Tags})
	if err != nil && !errors.Is(err, cluster.ErrNoRoom) {
		return nil, l.problem("changing a room", err)
	}
	return l.getRoom(ctx, &in.InRoom) // 404 where it has ended meanwhile
}
