package lobby

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"muster/match/cluster"
)

const noGame = "there is no such game"

type createRoomInput struct {
	Keyed
	Body struct {
		Game   string            `json:"game" maxLength:"31" pattern:"^[a-z][a-z0-9_-]*$" example:"arena" doc:"The game."`
		Title  string            `json:"title,omitempty" maxLength:"64" example:"Friday's round" doc:"What others read of it."`
		Public bool              `json:"public,omitempty" example:"true" doc:"Whether anybody may find it and join. Others need its code."`
		Region string            `json:"region,omitempty" maxLength:"31" pattern:"^[a-z][a-z0-9_-]*$" example:"eu" doc:"Where it is to run."`
		Tags   map[string]string `json:"tags,omitempty" maxProperties:"8" example:"{\"mode\":\"ctf\"}" doc:"Up to 8 tags, by which it is found."`
		On     map[string]string `json:"on,omitempty" maxProperties:"8" example:"{\"disk\":\"fast\"}" doc:"Tags that the server must have on which it is made."`
		Seats  int               `json:"seats,omitempty" minimum:"1" maximum:"65535" example:"8" doc:"At most those of the game, which are the default."`
		Config json.RawMessage   `json:"config,omitempty" example:"{\"round_seconds\":120}" doc:"What the game lets its rooms' makers choose, at most 4 KiB."`
	}
	from asked
}

// Resolve implements huma.Resolver.
func (in *createRoomInput) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	return slices.Concat(checkTitle(in.Body.Title), checkTags("tags", in.Body.Tags), checkTags("on", in.Body.On))
}

// MadeRoom is a room and the seat in it of who made it.
type MadeRoom struct {
	Room  RoomInfo `json:"room"`
	Match Match    `json:"match" doc:"One's own seat."`
}

type madeRoomOutput struct{ Body MadeRoom }

func (l *Lobby) createRoom(ctx context.Context, in *createRoomInput) (*madeRoomOutput, error) {
	g, ok := l.games[in.Body.Game]
	if !ok || g.Persist { // the latter's rooms have names
		return nil, huma.Error404NotFound(noGame)
	}
	if err := l.admitted(ctx, g.Name); err != nil {
		return nil, err
	}
	n := cluster.NewRoom{
		Game: g.Name, Rules: g.Rules, Seats: in.Body.Seats, Region: in.Body.Region, On: in.Body.On, Tags: in.Body.Tags, Title: in.Body.Title,
		Public: in.Body.Public, Owner: playerOf(ctx).ID,
	}
	switch {
	case n.Seats == 0:
		n.Seats = g.Seats
	case n.Seats > g.Seats:
		return nil, huma.Error422UnprocessableEntity("validation failed", &huma.ErrorDetail{
			Message: fmt.Sprintf("expected at most the %d seats of the game", g.Seats), Location: "body.seats", Value: float64(n.Seats),
		})
	}
	var errs []error
	if n.Config, errs = l.configs[g.Name].read(in.Body.Config); len(errs) > 0 {
		return nil, huma.Error422UnprocessableEntity("validation failed", errs...)
	}
	n.ID, n.Request = l.idempotent(ctx, "rooms", in.Key, in.Body)
	live, err := l.nodes.Live(ctx)
	if err != nil {
		return nil, l.problem("making a room", err)
	}
	rec, err := l.made(ctx, g, n, live)
	switch {
	case errors.Is(err, errOtherRequest):
		return nil, otherRequest()
	case errors.Is(err, errRoomOver):
		return nil, roomOver()
	case errors.Is(err, errManyRooms):
		return nil, huma.Error409Conflict(err.Error())
	case err != nil:
		return nil, l.problem("making a room", err)
	}
	m, err := l.sit(ctx, rec, live, &in.from, byMake, roomOver())
	if err != nil {
		return nil, err
	}
	r, err := l.rooms.Look(ctx, rec.ID)
	if errors.Is(err, cluster.ErrNoRoom) {
		return nil, roomOver()
	}
	if err != nil {
		return nil, l.problem("making a room", err)
	}
	return &madeRoomOutput{MadeRoom{l.infoOf(&r, n.Owner), *m}}, nil
}

// errRoomOver means that a repeated request's room was there and is over.
var errRoomOver = errors.New("the room that this request made is over")

func roomOver() error { return huma.Error409Conflict(errRoomOver.Error()) }

// made returns the room that a request asks for: the one that it made before, or a new one.
func (l *Lobby) made(ctx context.Context, g Game, n cluster.NewRoom, live map[string]cluster.Node) (cluster.Room, error) {
	rec, err := l.rooms.Room(ctx, n.ID)
	if errors.Is(err, cluster.ErrNoRoom) {
		rec, err = l.makeRoom(ctx, g, n, live)
	}
	switch {
	case err != nil:
		return cluster.Room{}, err
	case rec.Request != n.Request:
		return cluster.Room{}, errOtherRequest
	case rec.Off:
		return cluster.Room{}, errRoomOver
	}
	return rec, nil
}

// makeRoom makes a new room, as far as its owner may.
func (l *Lobby) makeRoom(ctx context.Context, g Game, n cluster.NewRoom, live map[string]cluster.Node) (rec cluster.Room, err error) {
	node, err := l.placer.Place(live, g.want(n.Region, n.On))
	if err != nil {
		return cluster.Room{}, err //nolint:wrapcheck // names the game
	}
	n.Node = node.ID
	if err := l.count(ctx, limitKey(ctx)+":opens", openLimit, "you open too many rooms"); err != nil {
		return cluster.Room{}, err
	}
	if err := l.owners.add(ctx, n.Owner, n.ID); err != nil {
		return cluster.Room{}, err
	}
	for i := range codeTries {
		n.Code = codeOf(l.cfg.Keys, n.ID, i)
		if rec, err = l.rooms.Create(ctx, n); !errors.Is(err, cluster.ErrCode) {
			break
		}
	}
	switch {
	case errors.Is(err, cluster.ErrNoRoom):
		return cluster.Room{}, errors.Join(errRoomOver, l.owners.remove(ctx, n.Owner, n.ID))
	case err != nil:
		return cluster.Room{}, err //nolint:wrapcheck // says what it did
	}
	l.metrics.rooms.WithLabelValues(g.Name).Inc()
	return rec, nil
}
