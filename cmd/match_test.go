package cmd

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/client"
	"muster/games/arena"
	"muster/internal/testredis"
	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// race is a tiny game: whoever has pressed three times first wins and ends the match.
type race struct{}

type track struct {
	Runners netcode.Table[runner] `net:"max=4"`
}

type runner struct {
	Owner netcode.Seat
	Steps uint8
}

type press struct{ Go bool }

func (race) Step(s *netcode.Step[track, press]) {
	for seat, in := range s.Inputs() {
		for _, r := range s.State.Runners.All() {
			if r.Owner == seat && in.Go {
				r.Steps++
			}
		}
	}
}

func (race) Join(r *match.Room[track], p match.Player) error {
	r.State().Runners.Add(runner{Owner: p.Seat})
	return nil
}

func (race) After(r *match.Room[track]) {
	var list []match.Placement
	for _, run := range r.State().Runners.All() {
		if run.Steps < 3 {
			continue
		}
		for p := range r.Players() {
			place := match.Placement{Seat: uint16(p.Seat), Player: p.ID, Rank: 2}
			if p.Seat == run.Owner {
				place.Rank, place.Score = 1, 3
				list = append([]match.Placement{place}, list...)
			} else {
				list = append(list, place)
			}
		}
		r.End(list)
		return
	}
}

var withRace = []Game{{Game: match.Define[track, press]("race", race{}, match.Rules{
	TickRate: 60, Seats: 4, Inputs: proto.Commands, Version: "3",
})}}

func dialRace(t *testing.T, m client.Match) *client.Conn[track, press] {
	t.Helper()
	c, err := client.Dial[track, press](soon(t), m, client.Options{})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func wantClose(t *testing.T, err error, want proto.Code) {
	t.Helper()
	var ce *client.CloseError
	if !errors.As(err, &ce) || ce.Code != want {
		t.Errorf("got %v, want code %d", err, want)
	}
}

func TestPlayerJoinsPlaysAndLeaves(t *testing.T) {
	r := serve(t, withArena)
	m := r.match("alice", "arena")
	events := client.Options{Events: arena.Game.Rules().Events}
	c, err := client.Dial[arena.World, arena.Input](soon(t), m, events)
	must(t, err)
	defer func() { _ = c.Close() }()
	var ship *arena.Ship
	for ship == nil {
		_, err := c.Next(soon(t))
		must(t, err)
		for _, s := range c.State().Ships.All() {
			if s.Owner == c.Seat() {
				ship = s
			}
		}
	}
	if ship.Name != "alice" {
		t.Errorf("the ship's name is %q", ship.Name)
	}

	_, err = client.Dial[arena.World, arena.Input](soon(t), m, events) // the same token once more
	wantClose(t, err, proto.CodeNotYourSeat)
	other := m
	other.URL = m.URL[:len(m.URL)-1] + "x"
	_, err = client.Dial[arena.World, arena.Input](soon(t), other, events)
	wantClose(t, err, proto.CodeNotYourSeat)

	again, err := r.lobby("alice").Rejoin(soon(t), m.Room)
	must(t, err)
	c2, err := client.Dial[arena.World, arena.Input](soon(t), again, events)
	must(t, err)
	defer func() { _ = c2.Close() }()
	if c2.Seat() != c.Seat() {
		t.Errorf("rejoined seat %d, had %d", c2.Seat(), c.Seat())
	}
	for err = nil; err == nil; {
		_, err = c.Next(soon(t))
	}
	wantClose(t, err, proto.CodeReplaced)

	must(t, c2.Leave(soon(t)))
	until(t, "the seat is free in the directory", func() bool {
		_, err := r.lobby("alice").Rejoin(soon(t), m.Room)
		return err != nil
	})
	_, err = client.Dial[arena.World, arena.Input](soon(t), again, events)
	wantClose(t, err, proto.CodeNotYourSeat)
}

func TestStrangersGetNoSocket(t *testing.T) {
	r := serve(t, withArena)
	m := r.match("alice", "arena")
	for name, tok := range map[string]string{"none": "", "garbage": "x", "a player's token": r.lobby("alice").Token, "a backend's": r.lobby("alice", "service").Token} {
		_, err := client.Dial[arena.World, arena.Input](soon(t), client.Match{URL: m.URL, Token: tok, Room: m.Room}, client.Options{
			Events: arena.Game.Rules().Events,
		})
		var he *client.HandshakeError
		if !errors.As(err, &he) || he.Status != http.StatusUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResultOfAMatchComesToItsPlayers(t *testing.T) {
	r := serve(t, withRace)
	ma := r.match("alice", "race")
	alice := dialRace(t, ma)
	mb := r.match("bob", "race")
	bob := dialRace(t, mb)
	if ma.Room != mb.Room {
		t.Fatalf("alice is in %s, bob in %s", ma.Room, mb.Room)
	}
	for bob.State().Runners.Len() < 2 {
		_, err := bob.Next(soon(t))
		must(t, err)
	}
	for range 3 {
		must(t, bob.Send(press{Go: true}))
	}
	want := []proto.Placement{
		{Seat: uint16(bob.Seat()), Player: "bob", Rank: 1, Score: 3}, {Seat: uint16(alice.Seat()), Player: "alice", Rank: 2},
	}
	for name, c := range map[string]*client.Conn[track, press]{"alice": alice, "bob": bob} {
		var err error
		for err == nil {
			_, err = c.Next(soon(t))
		}
		wantClose(t, err, proto.CodeDone)
		if c.End() == nil {
			t.Fatalf("%s heard no result", name)
		}
		if diff := cmp.Diff(want, c.End().Placements); diff != "" {
			t.Errorf("%s heard another result (-want +got):\n%s", name, diff)
		}
	}
	var got client.Result
	until(t, "the result is stored", func() bool {
		<-time.After(100 * time.Millisecond) // as often as a player may ask
		var err error
		got, err = r.lobby("alice").Result(soon(t), ma.Room)
		return err == nil
	})
	if diff := cmp.Diff(want, got.Placements); diff != "" || got.Room != ma.Room || got.Game != "race" || got.Tick == 0 {
		t.Errorf("the stored result is %+v (-want +got):\n%s", got, diff)
	}
	wantProblem(t, r.ask("GET", "/v1/matches/"+ma.Room, "mallory"), http.StatusNotFound)

	_, err := client.Dial[track, press](soon(t), ma, client.Options{}) // the match is gone
	wantClose(t, err, proto.CodeMatchGone)
	if m := r.match("alice", "race"); m.Room == ma.Room {
		t.Error("the next match is the same")
	}
}

// Two servers, one Redis: whichever lobby is asked, the player comes to the room by way of that one.
func TestTwoServersShareTheirPlayers(t *testing.T) {
	testredis.EachMode(t, twoServersShareTheirPlayers)
}

func twoServersShareTheirPlayers(t *testing.T, redis string) {
	key := ownKey(t)
	one := serve(t, withRace, "--redis", redis, "--key-file", key)
	two := serve(t, withRace, "--redis", redis, "--key-file", key)
	rooms := map[string]bool{}
	for i, name := range []string{"a", "b", "c", "d"} {
		server := []*running{one, two}[i%2]
		m := server.match(name, "race")
		if want := strings.Replace(server.url, "http", "ws", 1); !strings.HasPrefix(m.URL, want) {
			t.Errorf("%s asked %s and is sent to %s", name, server.url, m.URL)
		}
		dialRace(t, m)
		rooms[m.Room] = true
	}
	if len(rooms) != 1 {
		t.Errorf("four players are in %d rooms: %v", len(rooms), rooms)
	}
	if code := one.end(); code != 0 {
		t.Errorf("exit status %d: %s", code, one.stderr)
	}
	m := two.match("e", "race")
	dialRace(t, m)
}
