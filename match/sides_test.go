package match

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"muster/netcode"
)

// sides is a game that writes down which hooks are called and what they see. An input tells a team.
type sides struct{}

type sidesState struct {
	Log netcode.Table[sidesEntry] `net:"max=64"`
}

type sidesEntry struct {
	At   uint32 // how many there were before
	What string `net:"max=16"`
	Seat netcode.Seat
	Team uint16
}

type toldTeam struct{ Team uint16 }

func (sides) note(r *Room[sidesState], what string, p Player) {
	r.State().Log.Add(sidesEntry{At: uint32(r.State().Log.Len()), What: what, Seat: p.Seat, Team: p.Team})
}

func (sides) Step(s *netcode.Step[sidesState, dotInput]) {
	for _, in := range s.Inputs() {
		s.Emit(netcode.ToTeam(uint16(in.DX)), toldTeam{uint16(in.DX)})
	}
}

func (g sides) Join(r *Room[sidesState], p Player) error {
	g.note(r, "join", p)
	if got, _ := r.Player(p.Seat); got != p {
		g.note(r, "another player", got)
	}
	if p.Name == "refused" {
		return errors.New("not today")
	}
	if p.Name == "turncoat" {
		r.SetTeam(p.Seat, 9)
	}
	return nil
}

func (g sides) Start(r *Room[sidesState]) {
	g.note(r, fmt.Sprint("start ", len(slices.Collect(r.Players())), r.Started()), Player{})
}

func (g sides) Drop(r *Room[sidesState], p Player)   { g.note(r, "drop", p) }
func (g sides) Resume(r *Room[sidesState], p Player) { g.note(r, "resume", p) }
func (g sides) Leave(r *Room[sidesState], p Player)  { g.note(r, "leave", p) }

func sidesGame(t testing.TB, rules Rules) Game {
	t.Helper()
	rules.Events = []any{toldTeam{}}
	g := Define[sidesState, dotInput]("sides", sides{}, rules)
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	return g
}

// log is what the hooks wrote down, as a viewer sees it.
func (v *fakeViewer) log() (list []string) {
	v.t.Helper()
	var seen sidesState
	if err := v.dec.Load(&seen); err != nil {
		v.t.Fatal(err)
	}
	var rows []sidesEntry
	for _, row := range seen.Log.All() {
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b sidesEntry) int { return int(a.At) - int(b.At) })
	for _, row := range rows {
		list = append(list, fmt.Sprintf("%s seat %d team %d", row.What, row.Seat, row.Team))
	}
	return list
}

func (v *fakeViewer) logs(want ...string) {
	v.t.Helper()
	if got := v.log(); !slices.Equal(got, want) {
		v.t.Errorf("the hooks saw\n%q, want\n%q", got, want)
	}
}
