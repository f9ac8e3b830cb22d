package ticket

import (
	"context"
	"encoding/json"
	"fmt"

	"muster/lobby/queue"
	"muster/match/cluster"
)

// meta is what the record of a room that was made for a match says of it, so that others can be found who fit.
type meta struct {
	Attributes map[string]any    `json:"attributes,omitempty"`
	Players    []metaPlayer      `json:"players"`
	Roles      map[string]string `json:"roles,omitempty"`
	Bots       int               `json:"bots,omitempty"`
}

type metaPlayer struct {
	ID     string   `json:"id"`
	Rating float64  `json:"rating"`
	Avoid  []string `json:"avoid,omitempty"`
}

// create makes the room of an attempt, by the attempt's id.
func (e *engine) create(ctx context.Context, a *attempt, live map[string]cluster.Node) (cluster.Room, error) {
	rules, game := e.current(), e.game
	node, err := NodeFor(live, game, a.Region)
	if err != nil {
		return cluster.Room{}, err
	}
	m := meta{Attributes: a.Attributes, Roles: a.Roles, Bots: a.Bots}
	for i := range a.Tickets {
		for _, p := range a.Tickets[i].Players {
			m.Players = append(m.Players, metaPlayer{p.ID, p.Rating, p.Avoid})
		}
	}
	text, err := json.Marshal(m)
	if err != nil {
		return cluster.Room{}, fmt.Errorf("making the room of a match: %w", err)
	}
	n := cluster.NewRoom{
		ID: a.id, Game: game.Name, Rules: game.Rules, Seats: rules.Max(), Region: a.Region, Meta: text,
		Node: node, Expect: len(m.Players), Need: a.Need, ExpectFor: a.Connect + late,
	}
	if rules.Teams > 1 {
		n.Teams, n.TeamSize = rules.Teams, rules.TeamSize
	}
	if rules.Backfill {
		n.Queue = rules.Name // else nobody looks for its free seats
	}
	return e.s.cfg.Rooms.Create(ctx, n) //nolint:wrapcheck // says what it did
}

// queueRoom is a running room as the pool sees it.
func queueRoom(r *queue.Rules, o *cluster.OpenRoom) queue.Room {
	room := queue.Room{ID: o.ID, Version: o.Version, Region: o.Region, Free: []int{min(o.Free, r.Max())}}
	if r.Teams > 1 {
		room.Free = make([]int, r.Teams)
		for i := range min(len(o.FreeByTeam), r.Teams) {
			room.Free[i] = min(o.FreeByTeam[i], o.Free)
		}
	}
	var m meta
	if json.Unmarshal(o.Meta, &m) != nil {
		m = meta{} // of another release, or made by a player: nothing is known of it
	}
	room.Attributes = m.Attributes
	known := make(map[string]metaPlayer, len(m.Players))
	for _, p := range m.Players {
		known[p.ID] = p
	}
	first := true
	for _, id := range o.Players {
		p, ok := known[id]
		room.Players = append(room.Players, queue.Player{ID: id, Rating: p.Rating, Avoid: p.Avoid})
		if !ok {
			continue // who came later
		}
		if first {
			room.Low, room.High, first = p.Rating, p.Rating, false
		}
		room.Low, room.High = min(room.Low, p.Rating), max(room.High, p.Rating)
	}
	return room
}
