package lobby

import (
	"context"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/match/cluster"
	"muster/proto/token"
)

// The ways by which players come to rooms other than by a ticket, as the metric names them.
const (
	byID   = "id"
	byCode = "code"
	byName = "name"
	byMake = "create"
)

// sit reserves a seat in a room for who makes the request, or the seat that he has, and returns how he gets there. Errors
// are answers; gone is the one where the room is not there. One whose node is merely late is there in a moment.
func (l *Lobby) sit(ctx context.Context, rec cluster.Room, live map[string]cluster.Node, from *asked, way string, gone error) (*Match, error) {
	node := live[rec.Node]
	switch there, err := l.runs(ctx, &rec, live); {
	case err != nil:
		return nil, l.problem("joining a room", err)
	case !there:
		return nil, gone
	}
	p, id := playerOf(ctx), cluster.NewID()
	seats, err := l.rooms.Reserve(ctx, rec.ID, reserveTTL, []cluster.Claim{{Player: p.ID, Token: id}})
	switch {
	case errors.Is(err, cluster.ErrFull):
		return nil, huma.Error409Conflict("the room has no free seat")
	case errors.Is(err, cluster.ErrNoRoom):
		return nil, gone
	case err != nil:
		return nil, l.problem("joining a room", err)
	}
	l.metrics.joins.WithLabelValues(way).Inc()
	return l.seated(rec.ID, node, seats.List[0], id, p, from)
}

// runs says whether a room is there for new players. errLate is for one that is so in a moment: its node is late, or is gone
// and has left a journal with which another one goes on.
func (l *Lobby) runs(ctx context.Context, rec *cluster.Room, live map[string]cluster.Node) (bool, error) {
	if alive(live)(rec.Node) {
		return true, nil
	}
	err := l.mayMove(ctx, rec.Node, live)
	if _, there := live[rec.Node]; err == nil && !there && rec.Kept && !rec.Off && rec.Result == "" {
		err = errLate
	}
	return false, err
}

// seated is the way to a seat that the token with this id claims.
func (l *Lobby) seated(room string, node cluster.Node, seat uint16, id string, p token.Player, from *asked) (*Match, error) {
	secret, err := l.seatToken(room, seat, id, p.ID, p.Name, p.Expires, seatTTL)
	if err != nil {
		return nil, l.problem("signing a seat token", err)
	}
	return &Match{Room: room, URL: from.matchURL(reach(node), room), Token: secret}, nil
}

// watched is the way to a room for who only watches it.
func (l *Lobby) watched(room string, node cluster.Node, p token.Player, from *asked) (*Match, error) {
	secret, err := l.cfg.Keys.SignWatch(token.Watch{Room: room, Player: p.ID, ID: cluster.NewID(), PlayerExpires: p.Expires}, seatTTL)
	if err != nil {
		return nil, l.problem("signing a watch token", err)
	}
	return &Match{Room: room, URL: from.matchURL(reach(node), room), Token: secret}, nil
}

// alive says of nodes whether they live and are there for new players.
func alive(live map[string]cluster.Node) func(node string) bool {
	return func(node string) bool {
		n, ok := live[node]
		return ok && !n.Ends
	}
}

// RoomInfo is a room as everybody may see it.
type RoomInfo struct {
	ID      string            `json:"id" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e"`
	Game    string            `json:"game" example:"arena"`
	Title   string            `json:"title,omitempty" example:"Friday's round"`
	Region  string            `json:"region,omitempty" example:"eu"`
	Tags    map[string]string `json:"tags,omitempty" example:"{\"mode\":\"ctf\"}"`
	Public  bool              `json:"public" doc:"Anybody may find it and join." example:"true"`
	Queue   string            `json:"queue,omitempty" example:"ranked" doc:"The queue whose match it is, which anybody may watch: its tickets alone lead into it."`
	Seats   int               `json:"seats" example:"16"`
	Free    int               `json:"free" doc:"Seats that anybody may have now." example:"13"`
	Players int               `json:"players" doc:"Seats that are taken or kept for somebody who is on the way." example:"3"`
	Created time.Time         `json:"created_at" example:"2026-01-02T03:04:05.678Z"`
	Watch   bool              `json:"watch" doc:"Whether one may watch it without a seat, where one may find it." example:"true"`
	Delay   int64             `json:"delay_ms,omitempty" doc:"How much later those who watch see it." example:"30000"`
	ShownIn int64             `json:"shown_in_ms,omitempty" doc:"How long until those who watch are shown something, about. The delay begins anew where the match goes on at another server: what was still to be shown is not." example:"12000"`
	Code    string            `json:"code,omitempty" doc:"By which anybody may join who knows it. Only who made the room sees it." example:"KFR7WQ"`
}

// shownIn is how long until something of a room is old enough to be shown. A host that takes a room over has nothing of what the
// one before kept for those who watch, and epochs are the times in milliseconds at which rooms were taken over, or little more.
func shownIn(epoch uint64, delay time.Duration, now time.Time) time.Duration {
	due := time.UnixMilli(int64(min(epoch, 1<<52))).Add(delay)
	return min(max(due.Sub(now), 0), delay)
}

// infoOf is a room as a player sees it.
func (l *Lobby) infoOf(r *cluster.PublicRoom, player string) RoomInfo {
	i := RoomInfo{
		ID: r.ID, Game: r.Game, Title: r.Title, Region: r.Region, Tags: r.Tags, Public: r.Public && r.MadeBy == "", Queue: r.MadeBy, Seats: r.Seats,
		Free: r.Free, Players: r.Occupied, Created: r.Created.UTC(), Watch: l.games[r.Game].Watch, Delay: l.games[r.Game].Delay.Milliseconds(),
	}
	if i.Watch {
		i.ShownIn = shownIn(r.Epoch, l.games[r.Game].Delay, time.Now()).Milliseconds()
	}
	if r.Owner != "" && r.Owner == player {
		i.Code = r.Code
	}
	return i
}
