package cmd

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"muster/client"
)

// A stranger watches a match that a queue made, over a match's socket, where the queue lets everyone.
func TestStrangerWatchesAMatchOfAQueue(t *testing.T) {
	file := filepath.Join(t.TempDir(), "queues.yaml")
	must(t, os.WriteFile(file, []byte(`queues:
  show: {game: den, team_size: 2, watch: everyone}
  duel: {game: den, team_size: 2}
`), 0o600))
	r := serve(t, withDen, "--queues", file)
	dial := func(m client.Match) *client.Conn[lair, press] {
		t.Helper()
		c, err := client.Dial[lair, press](soon(t), m, client.Options{})
		must(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	both := func(queue, a, b string) client.Match {
		t.Helper()
		var m client.Match
		ids := map[string]string{}
		for _, who := range []string{a, b} {
			ticket, err := r.lobby(who).CreateTicket(soon(t), queue)
			must(t, err)
			ids[who] = ticket.ID
		}
		for who, id := range ids {
			var err error
			m, err = r.lobby(who).WaitTicket(soon(t), id)
			must(t, err)
			dial(m)
		}
		return m
	}
	m := both("show", "alice", "bob")
	var list struct {
		Rooms []client.RoomInfo `json:"rooms"`
	}
	r.call("GET", "/v1/rooms?game=den", "walter", "", http.StatusOK, &list)
	if len(list.Rooms) != 1 || list.Rooms[0].ID != m.Room || !list.Rooms[0].Watch || list.Rooms[0].Queue != "show" || list.Rooms[0].Free != 0 {
		t.Fatalf("he finds %+v", list.Rooms)
	}
	var seat client.Match
	r.call("POST", "/v1/rooms/"+m.Room+"/spectate", "walter", "", http.StatusOK, &seat)
	w := dial(seat)
	for w.State().Wolves.Len() < 2 {
		_, err := w.Next(soon(t))
		must(t, err)
	}
	if w.Seat() != 0 {
		t.Errorf("he has seat %d", w.Seat())
	}
	r.call("POST", "/v1/rooms/"+m.Room+"/join", "walter", "", http.StatusForbidden, nil)
	other := both("duel", "carol", "dave")
	r.call("POST", "/v1/rooms/"+other.Room+"/spectate", "walter", "", http.StatusNotFound, nil)
}
