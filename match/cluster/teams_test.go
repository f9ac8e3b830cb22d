package cluster_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

func wantTeam(t *testing.T, d *cluster.Directory, room string, seat uint16, player, token string, want uint16) {
	t.Helper()
	if got, err := d.TakeSeat(t.Context(), room, seat, player, token); err != nil || got != want {
		t.Errorf("%q took seat %d in team %d, %v; want team %d", player, seat, got, err, want)
	}
}

func TestSeatKeepsItsTeamUntilItIsAnothers(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		c := []cluster.Claim{{Player: "a", Token: "a1", Team: 2}, {Player: "b|3|b", Token: "b1", Team: 1}}
		reserve(t, d, r, time.Minute, c)
		wantTeam(t, d, r.ID, 1, "a", "a1", 2)
		reserve(t, d, r, time.Minute, []cluster.Claim{{Player: "a", Token: "a2", Team: 1}})
		wantTeam(t, d, r.ID, 1, "a", "a2", 2)
		_, err := d.Rejoin(t.Context(), r.ID, "a", "a3")
		must(t, err)
		wantTeam(t, d, r.ID, 1, "a", "a3", 2)
		wantTeam(t, d, r.ID, 2, "b|3|b", "b1", 1)
		must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil))
		reserve(t, d, r, time.Minute, []cluster.Claim{{Player: "c", Token: "c1"}})
		wantTeam(t, d, r.ID, 1, "c", "c1", 0)
	})
}

func TestFullTeamTakesNobodyThoughTheRoomHasSeats(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		n := aRoom(5)
		n.Teams, n.TeamSize = 2, 2
		r := create(t, d, n)
		in := func(team uint16, players ...string) (list []cluster.Claim) {
			for _, p := range players {
				list = append(list, cluster.Claim{Player: p, Token: p + "1", Team: team})
			}
			return list
		}
		reserve(t, d, r, time.Minute, in(1, "a"))
		_, err := d.Reserve(t.Context(), r.ID, time.Minute, in(1, "b", "c"))
		wantError(t, "two claims on one seat of a team", err, cluster.ErrFull)
		reserve(t, d, r, time.Minute, append(in(2, "b", "c"), in(1, "a", "d")...))
		_, err = d.Reserve(t.Context(), r.ID, time.Minute, in(2, "e"))
		wantError(t, "a claim on a full team", err, cluster.ErrFull)
		wantFree(t, "with both teams full", d, r, 1)
		reserve(t, d, r, time.Minute, in(0, "e"))
	})
}

func TestReservationForARoomAsItWasIsRefused(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(3))
		try := func(version uint64, list []cluster.Claim, want error) uint64 {
			t.Helper()
			s, err := d.ReserveIf(t.Context(), r.ID, version, time.Minute, list)
			wantError(t, "reserving by a version", err, want)
			return s.Version
		}
		first := try(r.Version, claims(0, "a"), nil)
		if first <= r.Version {
			t.Errorf("version %d became %d", r.Version, first)
		}
		if again := try(r.Version, claims(0, "a"), nil); again != first {
			t.Errorf("the same reservation gave version %d, then %d", first, again)
		}
		try(r.Version, claims(0, "b"), cluster.ErrStale)
		must(t, take(d, t.Context(), r.ID, 1, "a", claims(0, "a")[0].Token))
		try(r.Version, claims(0, "a"), nil) // taken seats change nothing
		second := try(first, claims(0, "b"), nil)
		must(t, d.Release(t.Context(), r.ID, claims(0, "b")))
		try(second, claims(0, "c"), cluster.ErrStale)
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}))
		now, err := d.Room(t.Context(), r.ID)
		must(t, err)
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{}))
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}))
		try(now.Version, claims(0, "c"), cluster.ErrStale)
		must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil))
		now, err = d.Room(t.Context(), r.ID)
		must(t, err)
		try(now.Version, claims(0, "c"), nil)
	})
}

// Servers are replaced one after the other, so rooms outlive those that made them.
func TestRecordsOfBeforeThereWereTeamsAreUnderstood(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d, prefix := cluster.NewDirectory(rdb, ns), ns+":{room:old}:"
		must(t, rdb.HSet(t.Context(), prefix+"record", "game", "arena", "rules", "7", "queue", "arena", "node", "n1",
			"seats", "3", "seed", "5", "epoch", "1700000000000").Err())
		must(t, rdb.HSet(t.Context(), prefix+"seats", "1", "0|!x/y|a|b", "2", "9999999999999|t2|c").Err())
		r, err := d.Room(t.Context(), "old")
		must(t, err)
		if r.Epoch != 1700000000000 || r.Created.UnixMilli() != 1700000000000 || r.Version != 0 || r.Expect != 0 {
			t.Errorf("its record is read as %+v", r)
		}
		wantTeam(t, d, "old", 2, "c", "t2", 0)
		wantSettled(t, d, "old", cluster.Started, "c")
		must(t, d.Renew(t.Context(), "old", r.Epoch, cluster.Alive{Open: true}))
		wantSeats(t, reserve(t, d, r, time.Minute, claims(0, "a|b", "d")), 0, 1, 3)
		moved, err := d.Move(t.Context(), r, "n2", "7")
		must(t, err)
		if !moved.Created.Equal(r.Created) {
			t.Errorf("moved, it was created at %v instead of %v", moved.Created, r.Created)
		}
		must(t, d.EndRoom(t.Context(), "old", moved.Epoch))
	})
}

// A reservation can be made anew with another team, as long as that has a place.
func TestReservationMovesIntoATeamOnlyWhereItHasAPlace(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		n := aRoom(3)
		n.Teams, n.TeamSize = 2, 1
		r := create(t, d, n)
		in := func(player string, team uint16) cluster.Claim {
			return cluster.Claim{Player: player, Token: fmt.Sprint(player, team), Team: team}
		}
		reserve(t, d, r, time.Minute, []cluster.Claim{in("a", 1), in("b", 2)})
		_, err := d.Reserve(t.Context(), r.ID, time.Minute, []cluster.Claim{in("a", 2)})
		wantError(t, "moving into a full team", err, cluster.ErrFull)
		swapped := []cluster.Claim{in("b", 1), in("a", 2)}
		reserve(t, d, r, time.Minute, swapped)
		reserve(t, d, r, time.Minute, swapped)
		wantTeam(t, d, r.ID, 1, "a", "a2", 2)
		_, err = d.Reserve(t.Context(), r.ID, time.Minute, []cluster.Claim{in("b", 2)})
		wantError(t, "moving into a team whose place is taken", err, cluster.ErrFull)
		reserve(t, d, r, time.Minute, []cluster.Claim{in("c", 0)})
		_, err = d.Reserve(t.Context(), r.ID, time.Minute, []cluster.Claim{in("c", 1)})
		wantError(t, "moving from no team into a full one", err, cluster.ErrFull)
		reserve(t, d, r, time.Minute, []cluster.Claim{in("b", 0), in("c", 1)})
		wantTeam(t, d, r.ID, 2, "b", "b0", 0)
		wantTeam(t, d, r.ID, 3, "c", "c1", 1)
	})
}

// wantTeams looks who sits in which team.
func wantTeams(t *testing.T, when string, d *cluster.Directory, room string, want map[string]uint16) {
	t.Helper()
	c, err := d.Company(t.Context(), room)
	must(t, err)
	got := map[string]uint16{}
	for _, s := range c.Seats {
		got[s.Player] = s.Team
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s: the teams are %v, want %v", when, got, want)
	}
}

func TestRulesMovePlayersIntoTeamsOfTheRecord(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, d := t.Context(), cluster.NewDirectory(rdb, ns)
		n := aRoom(4)
		n.Owner = "a"
		r := create(t, d, n)
		odd := "b|3|b"
		reserve(t, d, r, time.Minute, []cluster.Claim{{Player: "a", Token: "a1", Team: 1}, {Player: odd, Token: "b1", Team: 1}, {Player: "c", Token: "c1"}})
		wantTeam(t, d, r.ID, 1, "a", "a1", 1)
		wantTeam(t, d, r.ID, 2, odd, "b1", 1)
		wantTeams(t, "as they came", d, r.ID, map[string]uint16{"a": 1, odd: 1})
		version := func() uint64 {
			now, err := d.Room(ctx, r.ID)
			must(t, err)
			return now.Version
		}
		before := version()
		move := func(seats ...cluster.Seated) {
			t.Helper()
			must(t, d.Renew(ctx, r.ID, r.Epoch, cluster.Alive{Open: true, Teams: true, Seats: seats}))
		}
		move(cluster.Seated{Seat: 1, Team: 2, Player: "a"}, cluster.Seated{Seat: 2, Team: 0, Player: odd})
		wantTeams(t, "moved", d, r.ID, map[string]uint16{"a": 2, odd: 0})
		moved := version()
		if moved <= before {
			t.Errorf("the room's version stays %d: who fills it does not hear of its teams", moved)
		}
		move(cluster.Seated{Seat: 1, Team: 2, Player: "a"}, cluster.Seated{Seat: 2, Team: 0, Player: odd})
		if version() != moved {
			t.Error("what is the same already changes the room's version")
		}
		move(cluster.Seated{Seat: 1, Team: 7, Player: odd}, cluster.Seated{Seat: 3, Team: 7, Player: "c"}, cluster.Seated{Seat: 4, Team: 7, Player: "d"})
		must(t, d.Renew(ctx, r.ID, r.Epoch, cluster.Alive{Open: true, Seats: []cluster.Seated{{Seat: 1, Team: 9, Player: "a"}}}))
		wantTeams(t, "moved who is not there", d, r.ID, map[string]uint16{"a": 2, odd: 0})
		c, err := d.Company(ctx, r.ID)
		if err != nil || c.Owner != "a" || c.Seed != r.Seed {
			t.Errorf("the company is %+v, %v", c, err)
		}
		_, err = d.Company(ctx, "none")
		wantError(t, "the company of no room", err, cluster.ErrNoRoom)
	})
}
