package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// The seats of a room are compared with a model of them over random calls.

// modelSeats is how many seats the model's room has, fewer than there are players: two teams, and one seat more.
const (
	modelSeats = 5
	modelTeam  = 2
)

var modelPlayers = []string{"a", "a|b", "0|t|a", "Zoë", "e", "f g"}

// modelSeat is a seat that is taken or reserved, or whose reservation has run out without anybody noticing.
type modelSeat struct {
	player string
	until  int64  // when the reservation ends, in ms; 0: taken
	token  string // that claims it; "": used
	team   uint16
}

func (s *modelSeat) live(now int64) bool { return s.until == 0 || s.until > now }

// model is the room twice: as it is, and as it should be.
type model struct {
	dir    *cluster.Directory
	room   cluster.Room
	now    func() int64
	seats  map[uint16]*modelSeat
	sits   map[uint16]string // who took a seat that was not freed since
	tokens []string          // that were ever issued
	came   map[string]bool   // those that were used
}

func (m *model) claims(t *rapid.T) (list []cluster.Claim) {
	for range rapid.IntRange(1, 3).Draw(t, "party") {
		c := cluster.Claim{
			Player: rapid.SampledFrom(modelPlayers).Draw(t, "player"), Token: fmt.Sprint("t", len(m.tokens)),
			Team: rapid.Uint16Range(0, 2).Draw(t, "team"),
		}
		m.tokens = append(m.tokens, c.Token)
		list = append(list, c)
	}
	return list
}

func (m *model) reserve(t *rapid.T, ttl time.Duration) {
	list, version := m.claims(t), uint64(0)
	if rapid.Bool().Draw(t, "by version") {
		version = m.room.Version + rapid.Uint64Range(0, 1).Draw(t, "version") // the future is as wrong as the past
	}
	got, err := m.dir.ReserveIf(context.Background(), m.room.ID, version, ttl, list)
	now := m.now()
	held, want := maps.Clone(m.seats), []uint16(nil)
	maps.DeleteFunc(held, func(_ uint16, s *modelSeat) bool { return !s.live(now) })
	before := len(held)
	onTheWay := func(s *modelSeat) bool { return s != nil && s.until != 0 }
	for _, c := range list { // who comes to another team leaves his place in the one before
		if n := seatOf(held, c.Player); onTheWay(held[n]) {
			held[n] = &modelSeat{c.Player, held[n].until, held[n].token, 0}
		}
	}
	for _, c := range list {
		n := seatOf(held, c.Player)
		if n == 0 {
			for n = 1; held[n] != nil; n++ {
			}
		}
		s := &modelSeat{c.Player, now + ttl.Milliseconds(), c.Token, c.Team}
		if held[n] != nil && held[n].until == 0 {
			s.until, s.team = 0, held[n].team
		}
		held[n] = s
		inTeam := 0
		for _, other := range held {
			if other.team == s.team {
				inTeam++
			}
		}
		if n > modelSeats || s.until != 0 && s.team > 0 && inTeam > modelTeam {
			wantIs(t, err, cluster.ErrFull)
			return
		}
		want = append(want, n)
	}
	if version != 0 && version != m.room.Version {
		wantIs(t, err, cluster.ErrStale)
		return
	}
	if len(held) > before {
		m.room.Version++
	}
	if err != nil || !slices.Equal(got.List, want) || got.Free != modelSeats-len(held) || got.Epoch != m.room.Epoch || got.Version != m.room.Version {
		t.Fatalf("got %+v, %v; want seats %v and %d free", got, err, want, modelSeats-len(held))
	}
	maps.Copy(m.seats, held)
}

func seatOf(seats map[uint16]*modelSeat, player string) uint16 {
	for n, s := range seats {
		if s.player == player {
			return n
		}
	}
	return 0
}

func (m *model) take(t *rapid.T) {
	seat := uint16(rapid.IntRange(1, modelSeats).Draw(t, "seat"))
	s, now := m.seats[seat], m.now()
	player, token := rapid.SampledFrom(modelPlayers).Draw(t, "player"), m.anyToken(t)
	if s != nil && rapid.IntRange(0, 3).Draw(t, "who") > 0 {
		player, token = s.player, s.token
	}
	team, err := m.dir.TakeSeat(context.Background(), m.room.ID, seat, player, token)
	switch {
	case s == nil || s.player != player || s.token != token || token == "":
		wantIs(t, err, cluster.ErrSeat)
	case !s.live(now):
		wantIs(t, err, cluster.ErrLate)
	default:
		wantIs(t, err, nil)
		if other, ok := m.sits[seat]; ok && other != player {
			t.Fatalf("seat %d was given to %q while %q has it", seat, player, other)
		}
		if team != s.team {
			t.Fatalf("%q takes seat %d in team %d, want %d", player, seat, team, s.team)
		}
		m.sits[seat], m.came[token] = player, true
		m.seats[seat] = &modelSeat{player: player, team: team}
	}
}

func (m *model) anyToken(t *rapid.T) string {
	return rapid.SampledFrom(append([]string{"none", ""}, m.tokens...)).Draw(t, "token")
}

func (m *model) free(t *rapid.T) {
	seat := uint16(rapid.IntRange(1, modelSeats).Draw(t, "seat"))
	wantIs(t, m.dir.FreeSeat(context.Background(), m.room.ID, m.room.Epoch, seat, nil), nil)
	s := m.seats[seat]
	if s == nil || s.until != 0 {
		return
	}
	delete(m.sits, seat)
	if s.token == "" {
		delete(m.seats, seat)
		m.room.Version++
		return
	}
	m.seats[seat] = &modelSeat{s.player, m.now() + (30 * time.Second).Milliseconds(), s.token, s.team}
}

func (m *model) release(t *rapid.T) {
	tokens := []string{m.anyToken(t), m.anyToken(t)}
	list := []cluster.Claim{{Token: tokens[0]}, {Token: tokens[1]}}
	wantIs(t, m.dir.Release(context.Background(), m.room.ID, list), nil)
	before := len(m.seats)
	maps.DeleteFunc(m.seats, func(_ uint16, s *modelSeat) bool {
		return s.until != 0 && slices.Contains(tokens, s.token)
	})
	if len(m.seats) < before {
		m.room.Version++
	}
}

func (m *model) rejoin(t *rapid.T) {
	player, token := rapid.SampledFrom(modelPlayers).Draw(t, "player"), fmt.Sprint("t", len(m.tokens))
	m.tokens = append(m.tokens, token)
	got, err := m.dir.Rejoin(context.Background(), m.room.ID, player, token)
	taken := maps.Clone(m.seats)
	maps.DeleteFunc(taken, func(_ uint16, s *modelSeat) bool { return s.until != 0 })
	n := seatOf(taken, player)
	if n == 0 {
		wantIs(t, err, cluster.ErrNoRoom)
		return
	}
	if got != n || err != nil {
		t.Fatalf("%q rejoined seat %d, %v; want %d", player, got, err, n)
	}
	m.seats[n] = &modelSeat{player, 0, token, m.seats[n].team}
}

// check compares the list of open rooms: the room stands in it exactly while it has a free seat.
func (m *model) check(t *rapid.T) {
	held, now := 0, m.now()
	seen := map[string]bool{}
	room := cluster.OpenRoom{Room: m.room, FreeByTeam: []int{modelTeam, modelTeam}}
	for _, s := range m.seats {
		if !s.live(now) {
			continue
		}
		held++
		if seen[s.player] {
			t.Fatalf("%q has two seats", s.player)
		}
		seen[s.player] = true
		room.Players = append(room.Players, s.player)
		if s.team > 0 && room.FreeByTeam[s.team-1] > 0 {
			room.FreeByTeam[s.team-1]--
		}
	}
	slices.Sort(room.Players)
	room.Free = modelSeats - held
	list, err := m.dir.OpenRooms(context.Background(), m.room.Queue)
	if err != nil {
		t.Fatal(err)
	}
	want := []cluster.OpenRoom{room}
	if held == modelSeats {
		want = nil
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Fatalf("open rooms (-want +got):\n%s", diff)
	}
	token := m.anyToken(t)
	came, err := m.dir.Came(context.Background(), m.room.ID, []string{token, "none"})
	if err != nil || came[0] != m.came[token] || came[1] {
		t.Fatalf("token %s was used: %v (%v), want %v", token, came, err, m.came[token])
	}
}

func wantIs(t *rapid.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

// noDeadline hides the test's deadline, which must not be asked for in a bubble.
type noDeadline struct{ rapid.TB }

// play makes random calls and compares. Time passes only where pass can let it.
func play(t *testing.T, rdb redis.UniversalClient, now func() int64, pass func(*rapid.T)) {
	dir := cluster.NewDirectory(rdb, ns)
	rapid.Check(noDeadline{t}, func(t *rapid.T) {
		n := aRoom(modelSeats)
		n.Queue = "q" + cluster.NewID()[:8] // an index of its own
		n.Teams, n.TeamSize = 2, modelTeam
		room, err := dir.Create(context.Background(), n)
		if err != nil {
			t.Fatal(err)
		}
		m := &model{dir: dir, room: room, now: now, seats: map[uint16]*modelSeat{}, sits: map[uint16]string{}, came: map[string]bool{}}
		calls := map[string]func(*rapid.T){
			"":             m.check,
			"reserve":      func(t *rapid.T) { m.reserve(t, 20*time.Second) },
			"reserve long": func(t *rapid.T) { m.reserve(t, time.Hour) },
			"take":         m.take,
			"take more":    m.take,
			"free":         m.free,
			"release":      m.release,
			"rejoin":       m.rejoin,
		}
		if pass != nil {
			calls["pass"] = func(t *rapid.T) {
				pass(t)
				wantIs(t, dir.Renew(context.Background(), room.ID, room.Epoch, cluster.Alive{Open: true}), nil)
			}
		}
		t.Repeat(calls)
	})
}

// scripts are what is done to every script: nothing, or it runs twice, as it may.
var scripts = map[string]func(redis.UniversalClient){
	"once":  func(redis.UniversalClient) {},
	"twice": func(rdb redis.UniversalClient) { rdb.AddHook(twice{}) },
}

func TestSeatsAreThoseOfTheModelWhateverIsCalled(t *testing.T) {
	for name, prepare := range scripts {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
				prepare(rdb)
				play(t, rdb, func() int64 { return time.Now().UnixMilli() }, func(t *rapid.T) {
					time.Sleep(time.Duration(rapid.IntRange(1, 8000).Draw(t, "ms")) * time.Millisecond)
				})
			})
		})
	}
}

// A real server runs the same scripts with a Lua of its own. Its time cannot be moved.
func TestSeatsAreThoseOfTheModelOnARealServer(t *testing.T) {
	for name, prepare := range scripts {
		t.Run(name, func(t *testing.T) {
			rdb := testredis.Start(t).Connect()
			prepare(rdb)
			play(t, rdb, func() int64 { return time.Now().UnixMilli() }, nil)
		})
	}
}
