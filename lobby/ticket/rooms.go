package ticket

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/queue"
	"muster/match/cluster"
)

// meta is what the record of a room that was made for a match says of it, so that others can be found who fit.
type meta struct {
	Attributes map[string]any `json:"attributes,omitempty"`
	Players    []metaPlayer   `json:"players"`
	Bots       int            `json:"bots,omitempty"`
}

type metaPlayer struct {
	ID     string   `json:"id"`
	Rating float64  `json:"rating"`
	Avoid  []string `json:"avoid,omitempty"`
	Team   uint16   `json:"team,omitempty"`
	Role   string   `json:"role,omitempty"`
	// Ticket is that with which he came, and Created (in ms) how old that is: for the case that the match is lost.
	Ticket  string `json:"ticket,omitempty"`
	Created int64  `json:"created,omitempty"`
	// TicketRating is the rating by which that ticket was matched, Attributes what it said of itself (as much as queue.Rules
	// lets it), MaxSpread its own limit: they hold for who joins the match. The release before wrote none of them.
	TicketRating *float64       `json:"ticket_rating,omitempty"`
	Attributes   map[string]any `json:"attributes,omitempty"`
	MaxSpread    float64        `json:"max_spread,omitempty"`
}

// matchedBy is the rating by which he was matched: his ticket's, or his own where that is not known.
func (p *metaPlayer) matchedBy() float64 {
	if p.TicketRating == nil {
		return p.Rating
	}
	return *p.TicketRating
}

// metaPlayers is what is remembered of an attempt's players.
func (a *attempt) metaPlayers() []metaPlayer {
	var list []metaPlayer
	for i := range a.Tickets {
		t := &a.Tickets[i]
		rating := (&queue.Ticket{Players: t.Players}).Rating()
		for _, p := range t.Players {
			m := metaPlayer{
				ID: p.ID, Rating: p.Rating, Avoid: p.Avoid, Team: t.Team, Role: a.Roles[p.ID], TicketRating: &rating, Ticket: t.ID,
			}
			if read := a.tickets[i]; read != nil {
				m.Created, m.Attributes, m.MaxSpread = read.Created.UnixMilli(), read.Attributes, read.MaxSpread
			}
			list = append(list, m)
		}
	}
	return list
}

const (
	// joinedTTL is how long it is remembered who was brought to a room that runs, after the last of them.
	joinedTTL = 2 * time.Hour
	// maxJoined is from how many on they are forgotten, and it begins anew.
	maxJoined = 256
)

// joins remembers who is brought to a room that runs, whose record says so of its first players alone. Of those who do not
// come in the end nothing is read.
func (e *engine) joins(ctx context.Context, a *attempt) error {
	var fields []any
	for _, p := range a.metaPlayers() {
		text, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("remembering who joins room %s: %w", a.Room, err)
		}
		fields = append(fields, p.ID, text)
	}
	args := append([]any{joinedTTL.Milliseconds(), maxJoined}, fields...)
	err := joinScript.Run(ctx, e.s.cfg.Redis, []string{e.keys.joined(a.Room)}, args...).Err()
	return wrap(err, "remembering who joins room %s", a.Room)
}

// In a room to which many have come most have left again.
var joinScript = script("", `
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[2]) then redis.call('DEL', KEYS[1]) end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 'ok'`)

// joined returns who was brought to rooms that run, as joins remembered them.
func (e *engine) joined(ctx context.Context, rooms []cluster.OpenRoom) ([]map[string]string, error) {
	pipe, cmds := e.s.cfg.Redis.Pipeline(), make([]*redis.MapStringStringCmd, len(rooms))
	for i := range rooms {
		cmds[i] = pipe.HGetAll(ctx, e.keys.joined(rooms[i].ID))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, wrap(err, "reading who joined the rooms of queue %s", e.keys.queue)
	}
	list := make([]map[string]string, len(rooms))
	for i := range cmds {
		list[i] = cmds[i].Val()
	}
	return list, nil
}

// create makes the room of an attempt, by the attempt's id.
func (e *engine) create(ctx context.Context, a *attempt, live map[string]cluster.Node) (cluster.Room, error) {
	game := e.game
	node, err := e.s.cfg.Placer.Place(live, game.Want(a.Region, a.On))
	if err != nil {
		return cluster.Room{}, err //nolint:wrapcheck // names the game
	}
	m := meta{Attributes: a.Attributes, Bots: a.Bots, Players: a.metaPlayers()}
	text, err := json.Marshal(m)
	if err != nil {
		return cluster.Room{}, fmt.Errorf("making the room of a match: %w", err)
	}
	n := cluster.NewRoom{
		ID: a.id, Game: game.Name, Rules: game.Rules, Seats: a.Seats, Region: a.Region, On: a.On, Meta: text, MadeBy: e.keys.queue,
		Node: node.ID, Expect: len(m.Players), Need: a.Need, ExpectFor: a.Connect + late,
		Teams: a.Teams, TeamSize: a.TeamSize, Public: a.Watch,
	}
	if a.Backfill {
		n.Queue = e.keys.queue // else nobody looks for its free seats
	}
	return e.s.cfg.Rooms.Create(ctx, n) //nolint:wrapcheck // says what it did
}

// queueRoom is a running room as the pool sees it. joined has those who came later.
func queueRoom(r *queue.Rules, o *cluster.OpenRoom, joined map[string]string) queue.Room {
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
	known := make(map[string]metaPlayer, len(m.Players)+len(joined))
	for _, p := range m.Players {
		known[p.ID] = p
	}
	for id, text := range joined {
		var p metaPlayer
		if json.Unmarshal([]byte(text), &p) == nil {
			known[id] = p
		}
	}
	var here []metaPlayer
	for _, id := range o.Players {
		p, ok := known[id]
		room.Players = append(room.Players, queue.Player{ID: id, Rating: p.Rating, Avoid: p.Avoid})
		if ok { // else he came by another way
			here = append(here, p)
		}
	}
	for i, p := range here {
		rating := p.matchedBy()
		if i == 0 {
			room.Low, room.High = rating, rating
		}
		room.Low, room.High = min(room.Low, rating), max(room.High, rating)
	}
	room.Tickets = ticketsOf(here)
	if len(r.Roles) > 0 && len(here) == len(o.Players) {
		room.Roles = freeRoles(r, here)
	}
	return room
}

// ticketsOf are the tickets with which players came, each with those of its players who are here.
func ticketsOf(here []metaPlayer) []queue.Ticket {
	var list []queue.Ticket
	at := map[string]int{}
	for _, p := range here {
		if p.Ticket == "" {
			continue
		}
		i, ok := at[p.Ticket]
		if !ok {
			i, list = len(list), append(list, queue.Ticket{ID: p.Ticket, Attributes: p.Attributes, MaxSpread: p.MaxSpread})
			at[p.Ticket] = i
		}
		list[i].Players = append(list[i].Players, queue.Player{ID: p.ID, Rating: p.Rating, Avoid: p.Avoid})
	}
	return list
}

// freeRoles is how many places of each role are free in each team; nil where that is not known of somebody.
func freeRoles(r *queue.Rules, here []metaPlayer) []map[string]int {
	free := make([]map[string]int, r.Teams)
	for i := range free {
		free[i] = map[string]int{}
		for _, role := range r.Roles {
			free[i][role.Name] = role.PerTeam
		}
	}
	for _, p := range here {
		team := max(int(p.Team), 1) - 1
		if team >= len(free) || free[team][p.Role] == 0 {
			return nil
		}
		free[team][p.Role]--
	}
	return free
}
