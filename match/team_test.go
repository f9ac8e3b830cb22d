package match

import (
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// attachTeam is a player whom the matchmaker has put into a team.
func (v *fakeViewer) attachTeam(rm *Instance, name string, team uint16) {
	v.t.Helper()
	p := Player{Seat: v.seat, ID: name, Name: name, Team: team}
	if !rm.Attach(Attach{Viewer: v, Player: p, PlayerExpires: time.Now().Add(time.Hour)}) {
		v.t.Fatal("the room takes nobody")
	}
}

// backWith is the player on a new connection, which says nothing of a team.
func (v *fakeViewer) backWith(g Game, rm *Instance, secret bool) *fakeViewer {
	b := newViewer(v.t, g, v.seat)
	a := Attach{Viewer: b, Player: Player{Seat: v.seat, ID: v.welcome.Player, Name: "x"}, PlayerExpires: time.Now().Add(time.Hour)}
	if secret {
		a.Resume, a.Counter = true, v.resume.Counter
	}
	if !rm.Attach(a) {
		v.t.Fatal("the room takes nobody")
	}
	return b
}

func (v *fakeViewer) told(team uint16) bool {
	return slices.ContainsFunc(v.events, func(e any) bool { return *e.(*toldTeam) == toldTeam{team} })
}

// tellTeams makes a room tell teams 0, 1, 2 and 9, and clears what viewers were told before.
func tellTeams(v *fakeViewer, rm *Instance, seq uint32, list ...*fakeViewer) {
	for _, w := range list {
		w.clearEvents()
	}
	for i, team := range []int8{0, 1, 2, 9} {
		v.send(rm, seq+uint32(i), team)
		ticks(2)
	}
	ticks(2)
}

func (v *fakeViewer) clearEvents() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events = nil
}

func wantTold(t *testing.T, teams map[*fakeViewer]uint16) {
	t.Helper()
	for v, want := range teams {
		for _, team := range []uint16{0, 1, 2, 9} {
			if v.told(team) != (team == want) {
				t.Errorf("seat %d is of team %d and heard what is for %d: %v", v.seat, want, team, v.told(team))
			}
		}
	}
}

func TestPlayersAreInTheTeamThatTheMatchmakerPutThemInto(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := sidesGame(t, Rules{})
		h, rm, _ := startDesk(t, g, nil, 9)
		a, b, c := newViewer(t, g, 1), newViewer(t, g, 2), newViewer(t, g, 3)
		a.attachTeam(rm, "alice", 1)
		b.attachTeam(rm, "bob", 2)
		c.attachTeam(rm, "carol", 0)
		ticks(3)
		tellTeams(a, rm, 1, a, b, c)
		wantTold(t, map[*fakeViewer]uint16{a: 1, b: 2, c: 0})
		rm.Detach(b)
		ticks(2)
		b = b.backWith(g, rm, true) // a resume secret
		ticks(2)
		rm.Detach(a)
		ticks(2)
		a = a.backWith(g, rm, false) // another seat token
		ticks(2)
		d := newViewer(t, g, 4)
		d.attachTeam(rm, "turncoat", 2)
		ticks(2)
		tellTeams(c, rm, 1, a, b, c, d)
		wantTold(t, map[*fakeViewer]uint16{a: 1, b: 2, c: 0, d: 9})
		rm.Leave(d)
		ticks(2)
		c.logs("join seat 1 team 1", "join seat 2 team 2", "join seat 3 team 0", "start 3 true seat 0 team 0",
			"drop seat 2 team 2", "resume seat 2 team 2", "drop seat 1 team 1", "resume seat 1 team 1",
			"join seat 4 team 2", "leave seat 4 team 9")
		closeHost(t, h)
	})
}

func TestTeamsOutliveTheProcess(t *testing.T) {
	for name, after := range map[string]int{"records": 3, "a checkpoint": 30} {
		t.Run(name, func(t *testing.T) {
			dir, out := t.TempDir(), filepath.Join(t.TempDir(), "sides.muster")
			g := sidesGame(t, journalled)
			synctest.Test(t, func(t *testing.T) {
				store := openFiles(t, dir)
				h, rm, _ := startDesk(t, g, store, 9)
				a, b := newViewer(t, g, 1), newViewer(t, g, 2)
				a.attachTeam(rm, "alice", 1)
				b.attachTeam(rm, "turncoat", 2)
				ticks(after)
				left := copied(t, dir)
				closeHost(t, h)
				store = openFiles(t, left)
				h, rm, _ = startDesk(t, g, store, 10)
				a, b = a.backWith(g, rm, true), b.backWith(g, rm, true)
				ticks(3)
				tellTeams(a, rm, 1, a, b)
				wantTold(t, map[*fakeViewer]uint16{a: 1, b: 9})
				rm.Detach(a)
				ticks(5)
				b.logs("join seat 1 team 1", "join seat 2 team 2", "start 2 true seat 0 team 0", "drop seat 1 team 1")
				closeHost(t, h)
				export(t, store, "r1", out)
			})
			if rep := verify(t, g, out); rep.Differs != nil || rep.Checked == 0 || rep.Players[0].Team != 1 || rep.Players[1].Team != 9 {
				t.Errorf("the replay: %+v", rep)
			}
		})
	}
}

// teamsIn are the teams by player that the directory was told last.
func (d *fakeDirectory) teamsIn() map[string]uint16 {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := map[string]uint16{}
	for _, s := range d.regrouped.Seats {
		list[s.Player.ID] = s.Player.Team
	}
	return list
}

func TestDirectoryIsToldOfTeamsWhenTheyChangeAndOnlyThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := sidesGame(t, Rules{})
		dir := &fakeDirectory{}
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: dir})
		if err != nil {
			t.Fatal(err)
		}
		rm, err := h.Open(Spec{ID: "r1", Game: "sides", Epoch: 9})
		if err != nil {
			t.Fatal(err)
		}
		a, b := newViewer(t, g, 1), newViewer(t, g, 2)
		a.attachTeam(rm, "alice", 1)
		ticks(20)
		if got := dir.teamsIn(); len(got) != 0 {
			t.Errorf("nobody was put into another team, and the directory heard of %v", got)
		}
		dir.mu.Lock()
		dir.deaf = 1
		dir.mu.Unlock()
		b.attachTeam(rm, "turncoat", 2) // whom the rules put into team 9
		ticks(2)
		if got := dir.teamsIn(); len(got) != 0 {
			t.Errorf("a directory that did not answer has %v", got)
		}
		time.Sleep(h.cfg.RenewEvery)
		synctest.Wait()
		if got := dir.teamsIn(); got["alice"] != 1 || got["turncoat"] != 9 || len(got) != 2 {
			t.Errorf("at its next renewal the directory hears of %v", got)
		}
		dir.mu.Lock()
		told := dir.regroupings
		dir.mu.Unlock()
		time.Sleep(3 * h.cfg.RenewEvery)
		synctest.Wait()
		dir.mu.Lock()
		last := dir.regroupings
		dir.mu.Unlock()
		if told != 1 || last != 1 {
			t.Errorf("it heard %d times of one change, and then %d", told, last)
		}
		closeHost(t, h)
	})
}
