package cluster_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// aMatch is a room that three players must come to within 10 s.
func aMatch() cluster.NewRoom {
	n := aRoom(4)
	n.ID, n.Expect, n.ExpectFor = cluster.NewID(), 3, 10*time.Second
	return n
}

func wantSettled(t *testing.T, d *cluster.Directory, room, state string, came ...string) {
	t.Helper()
	for range 2 {
		s, err := d.Settle(t.Context(), room)
		must(t, err)
		if s.State != state || !slices.Equal(s.Came, came) || (s.Left > 0) != (state == cluster.Waiting) {
			t.Errorf("settled as %+v, want %s with %q", s, state, came)
		}
	}
}

// eachScripts runs a test in virtual time with scripts that run once and twice.
func eachScripts(t *testing.T, test func(t *testing.T, d *cluster.Directory, rdb redis.UniversalClient)) {
	t.Helper()
	for name, prepare := range scripts {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
				prepare(rdb)
				test(t, cluster.NewDirectory(rdb, ns), rdb)
			})
		})
	}
}

func TestRoomStartsWhenAllHaveTakenTheirSeats(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aMatch())
		wantSettled(t, d, r.ID, cluster.Waiting)
		players := []string{"c", "a|b", "b\x00 é"}
		list := claims(0, players...)
		reserve(t, d, r, time.Minute, list)
		for i, p := range players {
			must(t, take(d, t.Context(), r.ID, uint16(i+1), p, list[i].Token))
			if i == 0 {
				wantSettled(t, d, r.ID, cluster.Waiting, "c")
			}
		}
		seat(t, d, r, "late") // nobody has asked yet, and it is settled
		wantSettled(t, d, r.ID, cluster.Started, "a|b", "b\x00 é", "c")
		must(t, d.EndRoom(t.Context(), r.ID, r.Epoch))
		wantSettled(t, d, r.ID, cluster.Started, "a|b", "b\x00 é", "c")
	})
}

func TestRoomToWhichTooFewComeIsCalledOffForEverybody(t *testing.T) {
	eachScripts(t, func(t *testing.T, d *cluster.Directory, rdb redis.UniversalClient) {
		r := create(t, d, aMatch())
		list := claims(0, "a", "b", "c")
		reserve(t, d, r, time.Minute, list)
		must(t, take(d, t.Context(), r.ID, 1, "a", list[0].Token))
		must(t, take(d, t.Context(), r.ID, 2, "b", list[1].Token))
		time.Sleep(10*time.Second - time.Millisecond)
		wantSettled(t, d, r.ID, cluster.Waiting, "a", "b")
		wantFree(t, "while it waits", d, r, 1)
		time.Sleep(time.Millisecond)
		wantSettled(t, d, r.ID, cluster.Off, "a", "b")

		wantError(t, "taking the reserved seat", take(d, t.Context(), r.ID, 3, "c", list[2].Token), cluster.ErrNoRoom)
		_, err := d.Reserve(t.Context(), r.ID, time.Minute, claims(1, "d"))
		wantError(t, "reserving a seat", err, cluster.ErrNoRoom)
		_, err = d.Rejoin(t.Context(), r.ID, "a", "again")
		wantError(t, "rejoining", err, cluster.ErrNoRoom)
		_, err = d.Create(t.Context(), r.NewRoom)
		wantError(t, "creating it again", err, cluster.ErrNoRoom)
		wantError(t, "renewing it", d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}), cluster.ErrCalledOff)
		wantError(t, "renewing it with another epoch", d.Renew(t.Context(), r.ID, r.Epoch-1, cluster.Alive{Open: true}), cluster.ErrFenced)
		must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil))
		wantFree(t, "once it is off", d, r, 0)
		if now, err := d.Room(t.Context(), r.ID); err != nil || !now.Off {
			t.Errorf("its record is %+v, %v; want it off", now, err)
		}
		if n, err := rdb.ZCard(t.Context(), ns+":{queue:arena}:open").Result(); n != 0 || err != nil {
			t.Errorf("%d rooms stand in the index (%v), want none", n, err)
		}

		time.Sleep(time.Minute)
		_, err = d.Room(t.Context(), r.ID)
		wantError(t, "its record after a minute", err, cluster.ErrNoRoom)
		wantSettled(t, d, r.ID, cluster.Off, "a", "b")
		_, err = d.Create(t.Context(), r.NewRoom)
		wantError(t, "creating it again after a minute", err, cluster.ErrNoRoom)
		time.Sleep(time.Hour)
		if n, err := rdb.DBSize(t.Context()).Result(); err != nil || n != 0 {
			t.Errorf("%d keys are left of it after an hour (%v)", n, err)
		}
	})
}

func TestRoomWithoutAReservationWaitsUntilItIsGone(t *testing.T) {
	eachScripts(t, func(t *testing.T, d *cluster.Directory, _ redis.UniversalClient) {
		r := create(t, d, aMatch())
		time.Sleep(30 * time.Second)
		wantSettled(t, d, r.ID, cluster.Waiting) // nobody could come: no seat was reserved
		time.Sleep(30 * time.Second)
		_, err := d.Settle(t.Context(), r.ID)
		wantError(t, "settling a room that is gone", err, cluster.ErrNoRoom)
	})
}

func TestDeadlineCountsFromTheFirstReservationAndIsNotMoved(t *testing.T) {
	eachScripts(t, func(t *testing.T, d *cluster.Directory, _ redis.UniversalClient) {
		r := create(t, d, aMatch())
		time.Sleep(20 * time.Second)
		list := claims(0, "a", "b", "c")
		reserve(t, d, r, time.Minute, list)
		time.Sleep(6 * time.Second)
		create(t, d, r.NewRoom)
		reserve(t, d, r, time.Minute, list)
		if s, err := d.Settle(t.Context(), r.ID); err != nil || s.Left != 4*time.Second {
			t.Errorf("settled as %+v, %v; want it to wait for 4 s", s, err)
		}
		time.Sleep(4 * time.Second)
		wantSettled(t, d, r.ID, cluster.Off)
	})
}

func TestEnoughPlayersStartARoomAtItsDeadline(t *testing.T) {
	eachScripts(t, func(t *testing.T, d *cluster.Directory, _ redis.UniversalClient) {
		n := aMatch()
		n.Need = 2
		r := create(t, d, n)
		seat(t, d, r, "a")
		seat(t, d, r, "b")
		must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil)) // who came and left has come
		wantSettled(t, d, r.ID, cluster.Waiting, "a", "b")
		time.Sleep(10 * time.Second)
		wantSettled(t, d, r.ID, cluster.Started, "a", "b")
		seat(t, d, r, "c")
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}))
		wantSettled(t, d, r.ID, cluster.Started, "a", "b")
	})
}

// A match may be over before anybody asks how it began.
func TestRoomThatEndsBeforeItsDeadlineIsSettledByWhoIsThere(t *testing.T) {
	for name, c := range map[string]struct {
		need  int
		state string
	}{"enough": {1, cluster.Started}, "too few": {0, cluster.Off}} {
		t.Run(name, func(t *testing.T) {
			eachScripts(t, func(t *testing.T, d *cluster.Directory, _ redis.UniversalClient) {
				n := aMatch()
				n.Need = c.need
				r := create(t, d, n)
				seat(t, d, r, "a")
				must(t, d.EndRoom(t.Context(), r.ID, r.Epoch))
				wantSettled(t, d, r.ID, c.state, "a")
				time.Sleep(59 * time.Minute)
				wantSettled(t, d, r.ID, c.state, "a")
				if came, err := d.Came(t.Context(), r.ID, []string{"b", claims(0, "a")[0].Token}); err != nil || came[0] || !came[1] {
					t.Errorf("who came: %v, %v", came, err)
				}
			})
		})
	}
}

func TestRoomThatExpectsNobodyHasStarted(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		wantSettled(t, d, r.ID, cluster.Started)
		seat(t, d, r, "a")
		wantSettled(t, d, r.ID, cluster.Started, "a")
		_, err := d.Settle(t.Context(), cluster.NewID())
		wantError(t, "settling a room that does not exist", err, cluster.ErrNoRoom)
	})
}

// Many may settle while the last player comes: all of them, and the player, hear the same.
func TestLastPlayerAndTheDeadlineDecideOnceForAll(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		for range 20 {
			n := aMatch()
			n.Expect, n.ExpectFor = 1, time.Millisecond
			r := create(t, d, n)
			list := claims(0, "a")
			reserve(t, d, r, time.Minute, list)
			var (
				wg     sync.WaitGroup
				took   error
				states [4]string
			)
			wg.Go(func() { took = take(d, t.Context(), r.ID, 1, "a", list[0].Token) })
			for i := range states {
				wg.Go(func() {
					for states[i] == "" || states[i] == cluster.Waiting {
						s, err := d.Settle(t.Context(), r.ID)
						if err != nil {
							t.Error(err)
							return
						}
						states[i] = s.State
					}
				})
			}
			wg.Wait()
			want := cluster.Started
			if took != nil {
				wantError(t, "coming late", took, cluster.ErrNoRoom)
				want = cluster.Off
			}
			if states != [4]string{want, want, want, want} {
				t.Errorf("the player came: %v; settled as %v", took, states)
			}
		}
	})
}

func TestRoomIsCreatedOnceByItsID(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		n := aMatch()
		n.Title, n.Tags, n.Region, n.Owner = "Zoë's room", map[string]string{"mode": "ctf"}, "eu", "zoë"
		n.On = map[string]string{"disk": "fast"}
		n.Config, n.Meta, n.Request = []byte(`{"a":1}`), []byte("\x00\xff"), "digest"
		n.Public, n.Code, n.Teams, n.TeamSize = true, "BCDF23", 2, 2
		first := create(t, d, n)
		seat(t, d, first, "a")
		other := n
		other.Node, other.Code = "n2", "XXXX22"
		again := create(t, d, other)
		first.Version++
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("created again it is another (-first +again):\n%s", diff)
		}
		must(t, d.EndRoom(t.Context(), n.ID, first.Epoch))
		_, err := d.Create(t.Context(), n)
		wantError(t, "creating it once more when it is over", err, cluster.ErrNoRoom)
	})
}

// Its host died, and nobody asked how it began: those who came to it must not count for another room of its id.
func TestRoomThatDiedWithPlayersIsNotMadeAgain(t *testing.T) {
	eachScripts(t, func(t *testing.T, d *cluster.Directory, _ redis.UniversalClient) {
		r := create(t, d, aMatch())
		seat(t, d, r, "a")
		time.Sleep(61 * time.Second)
		_, err := d.Create(t.Context(), r.NewRoom)
		wantError(t, "creating it again", err, cluster.ErrNoRoom)
		_, err = d.Settle(t.Context(), r.ID)
		wantError(t, "settling it", err, cluster.ErrNoRoom)
	})
}

func TestRoomToWhichNobodyCameIsMadeAgain(t *testing.T) {
	eachScripts(t, func(t *testing.T, d *cluster.Directory, _ redis.UniversalClient) {
		r := create(t, d, aMatch())
		reserve(t, d, r, time.Minute, claims(0, "a"))
		time.Sleep(61 * time.Second)
		create(t, d, r.NewRoom)
		wantSettled(t, d, r.ID, cluster.Waiting)
	})
}
