package matchtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// duck is a player's row; it waddles by its inputs.
type duck struct {
	X     float32 `net:"range=0:100,step=0.5"`
	Owner netcode.Seat
	Away  bool
	Coins uint32
}

type pond struct {
	Ducks  netcode.Table[duck] `net:"max=8,rewind"`
	Score  netcode.Value[score]
	hidden uint32 // no state: it is lost where a room goes on from a checkpoint
}

type score struct {
	N uint64
	F float64
}

type waddle struct {
	DX   float32 `net:"range=-10:10,step=0.5"`
	Quit bool
}

// weather is what a pond is created with.
type weather struct {
	Ice  bool   `json:"ice"`
	Wind string `json:"wind"`
}

type quack struct{ By netcode.Seat }

type secret struct {
	Text string `net:"max=5"`
}

// ducks is a game with every hook. step is what else it does in a tick.
type ducks struct {
	step func(s *netcode.Step[pond, waddle])
	done func(r *match.Room[pond], w match.Work)
}

func (d *ducks) Step(s *netcode.Step[pond, waddle]) {
	for seat, in := range s.Inputs() {
		if in.Quit {
			s.Refuse(seat, "nobody quits")
			continue
		}
		for _, row := range s.State.Ducks.All() {
			if row.Owner == seat {
				row.X += in.DX
				s.Emit(netcode.AllBut(seat), quack{seat})
			}
		}
	}
	if d.step != nil {
		d.step(s)
	}
}

func (*ducks) Open(r *match.Room[pond]) error {
	weather := match.ConfigOf[weather](r)
	if weather.Ice {
		return errors.New("the pond is frozen")
	}
	r.State().Score.V.N = uint64(len(weather.Wind))
	return nil
}

func (*ducks) Join(r *match.Room[pond], p match.Player) error {
	if p.Name == "fox" {
		return errors.New("no foxes")
	}
	r.State().Ducks.Add(duck{X: 50, Owner: p.Seat})
	r.SetTeam(p.Seat, uint16(1+p.Seat%2))
	return nil
}

func (*ducks) Start(r *match.Room[pond]) {
	for p := range r.Players() {
		if match.ConfigOf[weather](r).Wind != "fair" {
			break
		}
		r.Emit(netcode.OnlyTo(p.Seat), secret{"start"})
	}
	r.State().Score.V.N += 1000 * uint64(1+r.Rand().IntN(9))
}

func (*ducks) each(r *match.Room[pond], seat netcode.Seat, do func(netcode.ID, *duck)) {
	for id, row := range r.State().Ducks.All() {
		if row.Owner == seat {
			do(id, row)
		}
	}
}

func (d *ducks) Drop(r *match.Room[pond], p match.Player) {
	d.each(r, p.Seat, func(_ netcode.ID, row *duck) { row.Away = true })
}

func (d *ducks) Resume(r *match.Room[pond], p match.Player) {
	d.each(r, p.Seat, func(_ netcode.ID, row *duck) { row.Away = false })
}

func (d *ducks) Leave(r *match.Room[pond], p match.Player) {
	d.each(r, p.Seat, func(id netcode.ID, _ *duck) { r.State().Ducks.Remove(id) })
}

// After kicks who is at the left edge, tells a team's secret at 70, has work done at 80 and ends the match at 100.
func (*ducks) After(r *match.Room[pond]) {
	for _, row := range r.State().Ducks.All() {
		switch {
		case row.X <= 1:
			r.Kick(row.Owner, "over the edge")
		case row.X == 70:
			r.Emit(netcode.ToTeam(1), secret{"bread"})
		case row.X == 80:
			_, _ = r.Do("coins", func(context.Context) ([]byte, error) { panic("nothing is done in a test") })
		case row.X >= 100:
			p, _ := r.Player(row.Owner)
			r.End([]match.Placement{{Seat: uint16(row.Owner), Player: p.ID, Rank: 1, Score: 7}})
		}
	}
}

func (*ducks) End(r *match.Room[pond]) { r.Emit(netcode.Everyone(), secret{"over"}) }

func (d *ducks) Done(r *match.Room[pond], w match.Work) {
	if d.done != nil {
		d.done(r, w)
	}
	d.each(r, 1, func(_ netcode.ID, row *duck) {
		if row.Coins = uint32(len(w.Data)); w.Err != nil {
			row.Coins = 1000
		}
	})
}

func (*ducks) Check(_ match.Player, in *waddle) error {
	if in.DX == 9 {
		return errors.New("not nine")
	}
	return nil
}

func duckGame(t testing.TB, d *ducks, inputs proto.InputMode) match.Game {
	t.Helper()
	g := match.Define[pond, waddle]("ducks", d, match.Rules{
		Inputs: inputs, Seats: 4, Grace: time.Second, Events: []any{quack{}, secret{}}, Config: weather{},
	})
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	return g
}

// swim is a script with all that can happen to a room.
var swim = Script{
	Config: Config{Seed: 5, Config: weather{Wind: "abc"}},
	Ticks:  60,
	Steps: []Step{
		{From: 1, Do: func(r *Room) { r.Join(1, "a", "Anna"); r.Join(2, "b", "Bert"); r.Join(3, "c", "Cleo") }},
		{From: 2, To: 60, Do: func(r *Room) {
			for _, row := range State[pond](r).Ducks.All() {
				if r.Connected(row.Owner) && r.Rand().IntN(3) > 0 {
					Input(r, row.Owner, waddle{DX: float32(r.Rand().IntN(3) - 1)})
				}
			}
		}},
		{From: 20, Do: func(r *Room) { r.Drop(3) }},
		{From: 30, Do: func(r *Room) { r.Resume(3) }},
		{From: 50, Do: func(r *Room) { r.Leave(2) }},
	},
}
