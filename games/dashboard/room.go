package dashboard

import (
	"context"
	"errors"
	"strings"

	"muster/match"
	"muster/proto"
)

const (
	version = "1"
	// tickRate is ticks per second: nothing moves between two reports, but who comes or goes is seen to soon.
	tickRate = 4
	seats    = 64
	minute   = 60e9 // in nanoseconds
)

// Name is the game's, and Main the name of its room.
const (
	Name = "dashboard"
	Main = "main"
	// Role is what a token must have for the room.
	Role = "admin"
)

// Source gathers a report. It is called outside of the room's ticks, once a second at most, and not again before it has
// returned; its context ends after 10 seconds. Nodes, Games and Queues should be in an order that stays.
type Source func(ctx context.Context) (Report, error)

// Dashboard is the game.
type Dashboard struct{ source Source }

// Game is the dashboard as servers run it. Where no room runs, as for replays, source may be nil.
func Game(source Source) match.Game {
	return match.Define[Board, Input](Name, Dashboard{source}, match.Rules{
		Version: version, TickRate: tickRate, Seats: seats, Inputs: proto.Commands, Role: Role,
		Persist: true, Sleep: true, CheckpointEvery: minute,
	})
}

// Join has a report gathered at once: who comes may be the first for hours.
func (Dashboard) Join(r *match.Room[Board], _ match.Player) error {
	r.State().Status.V.Next = r.Tick()
	return nil
}

// After asks for the next report when it is time.
func (d Dashboard) After(r *match.Room[Board]) {
	status := &r.State().Status.V
	if status.Asking || r.Tick() < status.Next {
		return
	}
	_, err := r.Do("report", func(ctx context.Context) ([]byte, error) {
		if d.source == nil {
			return nil, errors.New("there is nothing to report from")
		}
		report, err := d.source(ctx)
		if err != nil {
			return nil, err
		}
		return report.bytes(), nil
	})
	status.Asking = err == nil // else too much is under way: at the next tick
	status.Next = r.Tick() + tickRate
}

// Done shows what was reported.
func (Dashboard) Done(r *match.Room[Board], w match.Work) {
	status := &r.State().Status.V
	status.Asking = false
	if errors.Is(w.Err, match.ErrLost) { // this process goes on with the room: it asks anew
		status.Next = r.Tick()
		return
	}
	var report Report
	err := w.Err
	if err == nil {
		err = report.read(w.Data)
	}
	if err != nil {
		status.Trouble = clip(err.Error(), maxWhy)
		return
	}
	r.State().show(&report, r.Tick())
}

// Check refuses every input.
func (Dashboard) Check(match.Player, *Input) error {
	return errors.New("the dashboard takes no inputs")
}

// clip is as much of a text as there is place for.
func clip(s string, most int) string {
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

// Parts of an encoded report, and of each of its rows.
const (
	partsOfReport = 5
	partsOfTotals = 15
	partsOfNode   = 21
	partsOfGame   = 4
	partsOfQueue  = 5
)

// bytes is the report as it is recorded: at most 64 KiB, so that it is the result of a piece of work.
func (r *Report) bytes() []byte {
	w := proto.NewWriter()
	w.Array(partsOfReport)
	w.Uint(uint64(r.At))
	t := &r.Totals
	w.Array(partsOfTotals)
	for _, v := range []uint32{
		t.Nodes, t.Left, t.Rooms, t.Asleep, t.Players, t.Watching, t.Sockets, t.Waiting, t.TickRate, t.P50, t.P99, uint32(t.Busiest),
	} {
		w.Uint(uint64(v))
	}
	for _, v := range []uint64{t.Ticks, t.Out, t.OutRate} {
		w.Uint(v)
	}
	nodes := r.Nodes[:min(len(r.Nodes), MaxNodes)]
	w.Array(len(nodes))
	for i := range nodes {
		nodes[i].append(w)
	}
	games := r.Games[:min(len(r.Games), MaxGames)]
	w.Array(len(games))
	for _, g := range games {
		w.Array(partsOfGame)
		w.Str(clip(g.Game, maxName))
		for _, v := range []uint32{g.Rooms, g.Players, g.Watching} {
			w.Uint(uint64(v))
		}
	}
	queues := r.Queues[:min(len(r.Queues), MaxQueues)]
	w.Array(len(queues))
	for _, q := range queues {
		w.Array(partsOfQueue)
		w.Str(clip(q.Name, maxName))
		w.Str(clip(q.Game, maxName))
		for _, v := range []uint32{q.Waiting, q.P50, q.PerMinute} {
			w.Uint(uint64(v))
		}
	}
	return w.Bytes()
}

func (n *Node) append(w *proto.Writer) {
	w.Array(partsOfNode)
	w.Str(clip(n.ID, maxID))
	w.Str(clip(n.Role, maxName))
	w.Str(clip(n.Region, maxName))
	w.Str(clip(n.Closed, maxClosed))
	w.Bool(n.Alive)
	w.Bool(n.Draining)
	for _, v := range n.numbers() {
		w.Uint(uint64(*v))
	}
	for _, v := range []uint16{n.Busy, n.Late} {
		w.Uint(uint64(v))
	}
	for _, v := range []uint64{n.Ticks, n.Out, n.OutRate} {
		w.Uint(v)
	}
}

// numbers are a node's, in the order in which they are written.
func (n *Node) numbers() [10]*uint32 {
	return [...]*uint32{&n.Rooms, &n.Asleep, &n.Players, &n.Watching, &n.Sockets, &n.TickRate, &n.P50, &n.P99, &n.Heap, &n.Limit}
}

// read reads a recorded report.
func (r *Report) read(data []byte) error {
	d := proto.NewReader(data)
	d.Fixed("report", partsOfReport)
	r.At = d.Uint32("at")
	d.Fixed("totals", partsOfTotals)
	t := &r.Totals
	for _, v := range []*uint32{
		&t.Nodes, &t.Left, &t.Rooms, &t.Asleep, &t.Players, &t.Watching, &t.Sockets, &t.Waiting, &t.TickRate, &t.P50, &t.P99,
	} {
		*v = d.Uint32("totals")
	}
	t.Busiest = d.Uint16("totals.busiest")
	for _, v := range []*uint64{&t.Ticks, &t.Out, &t.OutRate} {
		*v = d.Uint("totals", 1<<63)
	}
	for range d.Array("nodes", MaxNodes) {
		var n Node
		n.read(d)
		r.Nodes = append(r.Nodes, n)
	}
	for range d.Array("games", MaxGames) {
		d.Fixed("game", partsOfGame)
		r.Games = append(r.Games, InGame{
			Game: d.Str("game.name", maxName), Rooms: d.Uint32("game.rooms"), Players: d.Uint32("game.players"), Watching: d.Uint32("game.watching"),
		})
	}
	for range d.Array("queues", MaxQueues) {
		d.Fixed("queue", partsOfQueue)
		r.Queues = append(r.Queues, Queue{
			Name: d.Str("queue.name", maxName), Game: d.Str("queue.game", maxName),
			Waiting: d.Uint32("queue.waiting"), P50: d.Uint32("queue.p50"), PerMinute: d.Uint32("queue.per_minute"),
		})
	}
	return d.Done() //nolint:wrapcheck // names the field
}

func (n *Node) read(d *proto.Reader) {
	d.Fixed("node", partsOfNode)
	n.ID, n.Role, n.Region = d.Str("node.id", maxID), d.Str("node.role", maxName), d.Str("node.region", maxName)
	n.Closed, n.Alive, n.Draining = d.Str("node.closed", maxClosed), d.Bool("node.alive"), d.Bool("node.draining")
	for _, v := range n.numbers() {
		*v = d.Uint32("node")
	}
	n.Busy, n.Late = d.Uint16("node.busy"), d.Uint16("node.late")
	for _, v := range []*uint64{&n.Ticks, &n.Out, &n.OutRate} {
		*v = d.Uint("node", 1<<63)
	}
}

var (
	_ match.Joiner[Board]   = Dashboard{}
	_ match.Afterer[Board]  = Dashboard{}
	_ match.Finisher[Board] = Dashboard{}
	_ match.Checker[Input]  = Dashboard{}
)
