package cmd

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"muster/client"
	"muster/internal/testredis"
	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// den is a game whose rooms are made with a size, which its state shows.
type den struct{}

type lair struct {
	Size   netcode.Value[size]
	Wolves netcode.Table[wolf] `net:"max=4"`
}

type size struct{ N uint16 }

type wolf struct{ Owner netcode.Seat }

type denConfig struct {
	Size int `json:"size" minimum:"1" maximum:"500"`
}

func (den) Step(*netcode.Step[lair, press]) {}

func (den) Join(r *match.Room[lair], p match.Player) error {
	r.State().Size.V.N = uint16(match.ConfigOf[denConfig](r).Size)
	r.State().Wolves.Add(wolf{Owner: p.Seat})
	return nil
}

var withDen = []Game{{Game: match.Define[lair, press]("den", den{}, match.Rules{
	TickRate: 60, Seats: 4, Inputs: proto.Commands, Version: "1", Config: denConfig{}, Spectators: 2,
})}}

// made is what a room's maker gets.
type madeRoom struct {
	Room struct {
		ID   string `json:"id"`
		Code string `json:"code"`
	} `json:"room"`
	Match client.Match `json:"match"`
}

// call asks the lobby with a body, and reads the answer into to. A server whose ticks are late takes no rooms for a while: it is
// asked again.
func (r *running) call(method, path, player, body string, status int, to any) {
	r.t.Helper()
	var a answer
	until(r.t, method+" "+path+" is answered", func() bool {
		req, err := http.NewRequestWithContext(soon(r.t), method, r.url+path, strings.NewReader(body))
		must(r.t, err)
		req.Header.Set("Authorization", "Bearer "+r.lobby(player).Token)
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		a = r.do(req)
		return a.status != http.StatusServiceUnavailable || status == http.StatusServiceUnavailable
	})
	if a.status != status {
		r.t.Fatalf("%s %s: status %d, want %d: %s", method, path, a.status, status, a.body)
	}
	if to != nil {
		must(r.t, json.Unmarshal([]byte(a.body), to))
	}
}

// A room that a player makes on one server is found, joined, watched and closed by way of another.
func TestRoomOfAPlayerIsPlayedWatchedAndClosed(t *testing.T) {
	redis, key := testredis.Start(t), ownKey(t)
	one := serve(t, withDen, "--redis", redis.URL(), "--key-file", key)
	two := serve(t, withDen, "--redis", redis.URL(), "--key-file", key)
	dial := func(m client.Match, o client.Options) *client.Conn[lair, press] {
		t.Helper()
		c, err := client.Dial[lair, press](soon(t), m, o)
		must(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	one.call("POST", "/v1/rooms", "alice", `{"game":"den","config":{"size":501}}`, http.StatusUnprocessableEntity, nil)
	var made madeRoom
	one.call("POST", "/v1/rooms", "alice", `{"game":"den","public":true,"config":{"size":321}}`, http.StatusCreated, &made)
	alice := dial(made.Match, client.Options{})

	var list struct {
		Rooms []struct {
			ID   string `json:"id"`
			Free int    `json:"free"`
		} `json:"rooms"`
	}
	two.call("GET", "/v1/rooms?game=den&open_seats=3", "bob", "", http.StatusOK, &list)
	if len(list.Rooms) != 1 || list.Rooms[0].ID != made.Room.ID || list.Rooms[0].Free != 3 {
		t.Fatalf("listed are %+v", list)
	}
	var second, seen client.Match
	two.call("POST", "/v1/codes/"+made.Room.Code+"/join", "bob", "", http.StatusOK, &second)
	bob := dial(second, client.Options{})
	two.call("POST", "/v1/rooms/"+made.Room.ID+"/spectate", "carol", "", http.StatusOK, &seen)
	carol := dial(seen, client.Options{})
	for name, c := range map[string]*client.Conn[lair, press]{"alice": alice, "bob": bob, "carol": carol} {
		for c.State().Wolves.Len() < 2 {
			_, err := c.Next(soon(t))
			must(t, err)
		}
		if got := c.State().Size.V.N; got != 321 {
			t.Errorf("%s sees a den of size %d, want 321", name, got)
		}
	}
	if carol.Seat() != 0 {
		t.Errorf("who watches has seat %d", carol.Seat())
	}

	two.call("DELETE", "/v1/rooms/"+made.Room.ID, "bob", "", http.StatusNotFound, nil)
	two.call("DELETE", "/v1/rooms/"+made.Room.ID, "alice", "", http.StatusNoContent, nil)
	two.call("POST", "/v1/codes/"+made.Room.Code+"/join", "dave", "", http.StatusNotFound, nil)
	for _, c := range []*client.Conn[lair, press]{alice, bob, carol} {
		var err error
		for err == nil {
			_, err = c.Next(soon(t))
		}
		wantClose(t, err, proto.CodeMatchGone)
	}
}
