package cmd

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/client"
	"muster/internal/testredis"
	"muster/match"
	"muster/match/cluster"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// duel shows in its state what it was created with, who plays in which team, and whether it has started.
type duel struct{}

type ring struct {
	Fighters netcode.Table[fighter] `net:"max=4"`
	Bout     netcode.Value[bout]
}

type fighter struct {
	Owner  netcode.Seat
	Team   uint16
	Secret uint32 `net:"owner"`
}

type bout struct {
	Rounds  uint8
	Started bool
}

type duelConfig struct {
	Rounds uint8 `json:"rounds"`
}

func (duel) Step(*netcode.Step[ring, press]) {}

func (duel) Open(r *match.Room[ring]) error {
	r.State().Bout.V.Rounds = match.ConfigOf[duelConfig](r).Rounds
	return nil
}

func (duel) Join(r *match.Room[ring], p match.Player) error {
	r.State().Fighters.Add(fighter{Owner: p.Seat, Team: p.Team, Secret: 7})
	return nil
}

func (duel) Start(r *match.Room[ring]) { r.State().Bout.V.Started = true }

var withDuel = []Game{{Game: match.Define[ring, press]("duel", duel{}, match.Rules{
	TickRate: 60, Seats: 4, Spectators: 2, Config: duelConfig{},
})}}

// duels is a server with a directory beside it, as a lobby's.
type duels struct {
	*running
	dir  *cluster.Directory
	node cluster.Node
}

func serveDuels(t *testing.T) *duels {
	t.Helper()
	store := testredis.Start(t)
	d := &duels{running: serve(t, withDuel, "--redis", store.URL(), "--log-level", "error")}
	opts, err := redis.ParseURL(store.URL())
	must(t, err)
	rdb := redis.NewClient(opts)
	t.Cleanup(func() { _ = rdb.Close() })
	d.dir = cluster.NewDirectory(rdb, "muster")
	live, err := cluster.NewNodes(rdb, "muster", nil).Live(soon(t))
	must(t, err)
	for _, n := range live {
		d.node = n
	}
	return d
}

// room makes a room for so many players, of whom the first come at once.
func (d *duels) room(expect, need int, within time.Duration, players ...string) (id string, conns []*client.Conn[ring, press]) {
	t := d.t
	t.Helper()
	rec, err := d.dir.Create(soon(t), cluster.NewRoom{
		ID: cluster.NewID(), Game: "duel", Rules: "1", Node: d.node.ID, Seats: 4, Config: []byte(`{"rounds":5}`),
		Expect: expect, Need: need, ExpectFor: within,
	})
	must(t, err)
	for i, player := range players {
		conns = append(conns, d.comes(rec.ID, player, uint16(1+i%2)))
	}
	return rec.ID, conns
}

// comes brings a player into a room.
func (d *duels) comes(room, player string, team uint16) *client.Conn[ring, press] {
	t := d.t
	t.Helper()
	id := cluster.NewID()
	seats, err := d.dir.Reserve(soon(t), room, time.Minute, []cluster.Claim{{Player: player, Token: id, Team: team}})
	must(t, err)
	s, err := d.keys.SignSeat(token.Seat{
		Room: room, Seat: seats.List[0], Player: player, Name: player, ID: id, PlayerExpires: time.Now().Add(time.Hour),
	}, time.Minute)
	must(t, err)
	return d.dial(room, s)
}

func (d *duels) dial(room, bearer string) *client.Conn[ring, press] {
	d.t.Helper()
	c, err := d.tryDial(room, bearer)
	must(d.t, err)
	return c
}

func (d *duels) tryDial(room, bearer string) (*client.Conn[ring, press], error) {
	d.t.Helper()
	c, err := client.Dial[ring, press](soon(d.t), client.Match{Room: room, URL: "ws" + d.url[len("http"):] + "/v1/match/" + room, Token: bearer}, client.Options{})
	if err == nil {
		d.t.Cleanup(func() { _ = c.Close() })
	}
	return c, err //nolint:wrapcheck // callers look at it
}

func (d *duels) watchToken(room, player string) string {
	d.t.Helper()
	s, err := d.keys.SignWatch(token.Watch{Room: room, Player: player, ID: "w", PlayerExpires: time.Now().Add(time.Hour)}, time.Minute)
	must(d.t, err)
	return s
}

func nextOf[S, I any](t *testing.T, c *client.Conn[S, I], what string, ok func(*S) bool) {
	t.Helper()
	for !ok(c.State()) {
		if _, err := c.Next(soon(t)); err != nil {
			t.Fatalf("waiting for %s: %v", what, err)
		}
	}
}

func TestAMatchStartsForTeamsWithItsConfigWhenAllHaveCome(t *testing.T) {
	d := serveDuels(t)
	room, conns := d.room(3, 0, time.Minute, "alice", "bob")
	nextOf(t, conns[0], "both", func(w *ring) bool { return w.Fighters.Len() == 2 })
	if b := conns[0].State().Bout.V; b.Started || b.Rounds != 5 {
		t.Errorf("with two of three: %+v", b)
	}
	carol := d.comes(room, "carol", 1)
	for i, c := range append(conns, carol) {
		nextOf(t, c, fmt.Sprint("the start, as player ", i), func(w *ring) bool { return w.Bout.V.Started && w.Fighters.Len() == 3 })
		for _, f := range c.State().Fighters.All() {
			if want := uint16(1 + (f.Owner+1)%2); f.Team != want {
				t.Errorf("seat %d plays in team %d, want %d", f.Owner, f.Team, want)
			}
		}
	}
	if s, err := d.dir.Settle(soon(t), room); err != nil || s.State != cluster.Started || len(s.Came) != 3 {
		t.Errorf("settled: %+v %v", s, err)
	}
}

func TestAMatchToWhichTooFewComeIsOffForThoseWhoDid(t *testing.T) {
	d := serveDuels(t)
	room, conns := d.room(3, 0, 3*time.Second, "alice", "bob")
	watcher := d.dial(room, d.watchToken(room, "walter"))
	for i, c := range append(conns, watcher) {
		var err error
		for err == nil {
			_, err = c.Next(soon(t))
		}
		var ce *client.CloseError
		if !errors.As(err, &ce) || ce.Code != proto.CodeMatchGone || ce.Reason != "a player did not come; your ticket waits again" || c.End() != nil {
			t.Errorf("connection %d ended with %v, result %v", i, err, c.End())
		}
	}
	if s, err := d.dir.Settle(soon(t), room); err != nil || s.State != cluster.Off || len(s.Came) != 2 {
		t.Errorf("settled: %+v %v", s, err)
	}
}

func TestEnoughPlayersStartAtTheDeadline(t *testing.T) {
	d := serveDuels(t)
	_, conns := d.room(3, 2, 3*time.Second, "alice", "bob")
	nextOf(t, conns[0], "the start", func(w *ring) bool { return w.Bout.V.Started })
}

func TestAWatcherSeesTheMatchAndNotWhatIsASeats(t *testing.T) {
	d := serveDuels(t)
	room, conns := d.room(0, 0, 0, "alice")
	nextOf(t, conns[0], "her secret", func(w *ring) bool {
		for _, f := range w.Fighters.All() {
			return f.Secret == 7
		}
		return false
	})
	w := d.dial(room, d.watchToken(room, "walter"))
	nextOf(t, w, "the match", func(w *ring) bool { return w.Fighters.Len() == 1 && w.Bout.V.Started })
	for _, f := range w.State().Fighters.All() {
		if f.Secret != 0 || w.Seat() != 0 {
			t.Errorf("the watcher in seat %d sees %+v", w.Seat(), f)
		}
	}
	var err error
	until(t, "it is certain that there is no such match", func() bool { // a server that has just begun waits for what others have
		_, err = d.tryDial("nowhere", d.watchToken("nowhere", "walter"))
		var ce *client.CloseError
		return !errors.As(err, &ce) || ce.Code != proto.CodeOverloaded
	})
	wantClose(t, err, proto.CodeMatchGone)
	if _, err := d.dir.Room(soon(t), "nowhere"); !errors.Is(err, cluster.ErrNoRoom) {
		t.Errorf("the directory has it: %v", err)
	}
}

func TestARoomThatAPlayerMakesHasItsConfigAndIsWatched(t *testing.T) {
	d := serveDuels(t)
	var made struct{ Match client.Match }
	d.call(http.MethodPost, "/v1/rooms", "alice", `{"game":"duel","public":true,"config":{"rounds":9}}`, http.StatusCreated, &made)
	alice := d.dial(made.Match.Room, made.Match.Token)
	nextOf(t, alice, "the config", func(w *ring) bool { return w.Bout.V.Rounds == 9 && w.Bout.V.Started })
	var seat client.Match
	d.call(http.MethodPost, "/v1/rooms/"+made.Match.Room+"/spectate", "walter", "", http.StatusOK, &seat)
	w := d.dial(seat.Room, seat.Token)
	nextOf(t, w, "the match", func(w *ring) bool { return w.Fighters.Len() == 1 })
	if w.Seat() != 0 {
		t.Errorf("the watcher has seat %d", w.Seat())
	}
	var problem struct{ Status int }
	d.call(http.MethodPost, "/v1/rooms", "bob", `{"game":"duel","config":{"laps":9}}`, http.StatusUnprocessableEntity, &problem)
}
