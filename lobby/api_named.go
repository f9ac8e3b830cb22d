package lobby

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"muster/match/cluster"
)

// joinNamedInput names a room of a game whose rooms persist. Its id is GAME.NAME: a dot is in no other room's id.
type joinNamedInput struct {
	Game string `path:"game" pattern:"^[a-z][a-z0-9_-]{0,30}$" example:"docs" doc:"The game."`
	Name string `path:"name" pattern:"^[a-z0-9][a-z0-9_-]{0,30}$" example:"minutes-2026" doc:"The room's name, as its players choose it."`
	from asked
}

// Resolve implements huma.Resolver.
func (in *joinNamedInput) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	return nil
}

func (l *Lobby) registerNamed(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "join-named-room", Method: http.MethodPost, Path: "/v1/games/{game}/rooms/{name}/join",
		Summary: "Join a room by its name", Tags: []string{"Rooms"},
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
		Description: "For games whose rooms persist: documents, worlds. The room is opened where it is not open, with the state " +
			"that it was left with, or a new one where nobody was there before. Asked again, it gives the same seat. " +
			"A player may open 20 rooms an hour, and join as many as are open.",
	}), creating(l, l.joinNamed))
}

func (l *Lobby) joinNamed(ctx context.Context, in *joinNamedInput) (*matchOutput, error) {
	g, ok := l.games[in.Game]
	if !ok || !g.Persist {
		return nil, huma.Error404NotFound("there is no such game, or its rooms have no names")
	}
	if err := l.admitted(ctx, g.Name); err != nil {
		return nil, err
	}
	live, err := l.nodes.Live(ctx)
	if err != nil {
		return nil, l.problem("joining a room by its name", err)
	}
	rec, err := l.openNamed(ctx, in.Game+"."+in.Name, g, live)
	if err != nil {
		return nil, l.problem("joining a room by its name", err)
	}
	m, err := l.sit(ctx, rec, live, &in.from, byName, later(errNoNode.Error(), "5"))
	if err != nil {
		return nil, err
	}
	return &matchOutput{*m}, nil
}

// openNamed returns the record of a named room that is open on a live node, whatever rules that has, or is to be opened
// on one of those that can.
func (l *Lobby) openNamed(ctx context.Context, room string, g Game, live map[string]cluster.Node) (cluster.Room, error) {
	rec, err := l.rooms.Room(ctx, room)
	missing := errors.Is(err, cluster.ErrNoRoom)
	if err != nil && !missing || err == nil && alive(live)(rec.Node) {
		return rec, err //nolint:wrapcheck // says what it did
	}
	if !missing {
		if err := l.mayMove(ctx, rec.Node, live); err != nil {
			return cluster.Room{}, err
		}
	}
	if missing && l.cfg.Steady != nil && !l.cfg.Steady(live) {
		return cluster.Room{}, errUnsteady
	}
	node, err := l.placer.Place(live, g.want("", nil))
	if err == nil && missing {
		err = l.count(ctx, limitKey(ctx)+":opens", openLimit, "you open too many rooms")
	}
	if err != nil {
		return cluster.Room{}, err
	}
	return l.rooms.Ensure(ctx, room, cluster.NewRoom{ //nolint:wrapcheck // says what it did
		Game: g.Name, Rules: g.Rules, Node: node.ID, Seats: g.Seats,
	}, func(node string) bool { return node != rec.Node }) // where somebody has moved it meanwhile, it stays
}

// errLate means that a node's lease is over, and that nobody has taken over what it runs.
var errLate = errors.New("the room's server is late; somebody goes on with the room in a moment")

// errUnsteady means that a room may run at a server that has not come back to Redis yet.
var errUnsteady = errors.New("the servers are coming back; the room may be open at one of them")

// mayMove is nil where what a node ran may be given to another one: it is gone, or is to be replaced.
func (l *Lobby) mayMove(ctx context.Context, node string, live map[string]cluster.Node) error {
	if _, ok := live[node]; ok {
		return nil
	}
	gone, err := l.nodes.Gone(ctx, node)
	if err == nil && !gone {
		err = errLate
	}
	return err
}
