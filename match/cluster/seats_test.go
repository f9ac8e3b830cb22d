package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// claims are those of players whose tokens are their names and n.
func claims(n int, players ...string) []cluster.Claim {
	var list []cluster.Claim
	for _, p := range players {
		list = append(list, cluster.Claim{Player: p, Token: fmt.Sprintf("%x-%d", p, n)})
	}
	return list
}

func reserve(t *testing.T, d *cluster.Directory, r cluster.Room, ttl time.Duration, list []cluster.Claim) cluster.Seats {
	t.Helper()
	s, err := d.Reserve(context.Background(), r.ID, ttl, list)
	must(t, err)
	return s
}

// seat reserves a seat for a player and takes it.
func seat(t *testing.T, d *cluster.Directory, r cluster.Room, player string) uint16 {
	t.Helper()
	c := claims(0, player)
	n := reserve(t, d, r, time.Minute, c).List[0]
	must(t, take(d, context.Background(), r.ID, n, player, c[0].Token))
	return n
}

func wantSeats(t *testing.T, got cluster.Seats, free int, list ...uint16) {
	t.Helper()
	if !slices.Equal(got.List, list) || got.Free != free {
		t.Errorf("got seats %v and %d free, want %v and %d", got.List, got.Free, list, free)
	}
}

func TestReserveGivesTheLowestFreeSeatsInTheOrderOfTheClaims(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(12))
		wantSeats(t, reserve(t, d, r, time.Minute, claims(0, "a", "b", "c")), 9, 1, 2, 3)
		must(t, d.Release(t.Context(), r.ID, claims(0, "b")))
		got := reserve(t, d, r, time.Minute, claims(0, "z", "y", "x"))
		wantSeats(t, got, 7, 2, 4, 5)
		if got.Epoch != r.Epoch {
			t.Errorf("epoch %d, want the room's %d", got.Epoch, r.Epoch)
		}
		wantSeats(t, reserve(t, d, r, time.Minute, claims(0, "1", "2", "3", "4", "5", "6", "7")), 0, 6, 7, 8, 9, 10, 11, 12)
	})
}

func TestReserveIsAllOrNone(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(3))
		seat(t, d, r, "a")
		_, err := d.Reserve(t.Context(), r.ID, time.Minute, claims(0, "b", "c", "d"))
		wantError(t, "three claims on two seats", err, cluster.ErrFull)
		if got := free(t, d, r.Queue)[r.ID]; got != 2 {
			t.Errorf("%d seats are free after a refused party, want 2", got)
		}
		wantSeats(t, reserve(t, d, r, time.Minute, claims(0, "e", "f")), 0, 2, 3)
		_, err = d.Reserve(t.Context(), r.ID, time.Minute, claims(0, "b"))
		wantError(t, "a claim on a full room", err, cluster.ErrFull)
	})
}

func TestReserveAgainWithTheSameTokensChangesNothing(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(3))
		wantSeats(t, reserve(t, d, r, time.Minute, claims(0, "a", "b", "c")), 0, 1, 2, 3)
		wantSeats(t, reserve(t, d, r, time.Minute, claims(0, "a", "b", "c")), 0, 1, 2, 3)
		wantSeats(t, reserve(t, d, r, time.Minute, claims(0, "c", "a")), 0, 3, 1)

		must(t, take(d, t.Context(), r.ID, 2, "b", claims(0, "b")[0].Token))
		wantSeats(t, reserve(t, d, r, time.Minute, claims(0, "b")), 0, 2)
		wantError(t, "a used token that was reserved with again",
			take(d, t.Context(), r.ID, 2, "b", claims(0, "b")[0].Token), cluster.ErrSeat)
	})
}

func TestPlayerGetsTheSameSeatAgain(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(3))
		reserve(t, d, r, time.Minute, claims(0, "a", "b"))
		wantSeats(t, reserve(t, d, r, time.Minute, claims(1, "b")), 1, 2)
		wantError(t, "the token before", take(d, t.Context(), r.ID, 2, "b", claims(0, "b")[0].Token), cluster.ErrSeat)
		must(t, take(d, t.Context(), r.ID, 2, "b", claims(1, "b")[0].Token))
		wantSeats(t, reserve(t, d, r, time.Minute, claims(2, "b", "c")), 0, 2, 3)
		must(t, take(d, t.Context(), r.ID, 2, "b", claims(2, "b")[0].Token))
	})
}

func TestPlayerWhoIsNamedTwiceGetsOneSeat(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(3))
		list := append(claims(0, "a"), claims(1, "a")...)
		wantSeats(t, reserve(t, d, r, time.Minute, list), 2, 1, 1)
		wantSeats(t, reserve(t, d, r, time.Minute, list), 2, 1, 1)
	})
}

func TestReservationThatRanOutIsFreeAndItsTokenClaimsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		reserve(t, d, r, 10*time.Second, claims(0, "a", "b"))
		time.Sleep(10*time.Second - time.Millisecond)
		must(t, take(d, t.Context(), r.ID, 1, "a", claims(0, "a")[0].Token))
		time.Sleep(time.Millisecond)
		wantError(t, "a late token", take(d, t.Context(), r.ID, 2, "b", claims(0, "b")[0].Token), cluster.ErrLate)
		wantSeats(t, reserve(t, d, r, 10*time.Second, claims(1, "c")), 0, 2)
		wantError(t, "a late token of a seat that another has",
			take(d, t.Context(), r.ID, 2, "b", claims(0, "b")[0].Token), cluster.ErrSeat)
		time.Sleep(10 * time.Second)
		wantSeats(t, reserve(t, d, r, 10*time.Second, claims(2, "b")), 0, 2)
	})
}

func TestReservationRunsOutByItself(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(1))
		reserve(t, d, r, 30*time.Millisecond, claims(0, "a"))
		until(t, "the room is listed", func() bool { return free(t, d, r.Queue)[r.ID] == 1 })
		wantError(t, "a late token", take(d, t.Context(), r.ID, 1, "a", claims(0, "a")[0].Token), cluster.ErrLate)
		wantSeats(t, reserve(t, d, r, time.Minute, claims(0, "b")), 0, 1)
	})
}

func TestSeatTokenIsGoodOnce(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		c := claims(0, "a", "b")
		reserve(t, d, r, time.Minute, c)
		wantError(t, "another player's token", take(d, t.Context(), r.ID, 1, "b", c[0].Token), cluster.ErrSeat)
		wantError(t, "the token of another seat", take(d, t.Context(), r.ID, 1, "a", c[1].Token), cluster.ErrSeat)
		wantError(t, "a seat that nobody has", take(d, t.Context(), r.ID, 9, "a", c[0].Token), cluster.ErrSeat)
		must(t, take(d, t.Context(), r.ID, 1, "a", c[0].Token))
		wantError(t, "the second use", take(d, t.Context(), r.ID, 1, "a", c[0].Token), cluster.ErrSeat)
		must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil))
		wantError(t, "a use after leaving", take(d, t.Context(), r.ID, 1, "a", c[0].Token), cluster.ErrSeat)
	})
}

// go-redis sends a command again whose answer was lost, although it took effect.
func TestTakeSeatSucceedsWhenItsAnswerIsLost(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		hurt, wires := rewired(t, rdb)
		d := cluster.NewDirectory(hurt, ns)
		r := create(t, d, aRoom(2))
		c := claims(0, "a", "b")
		reserve(t, d, r, time.Minute, c)
		must(t, take(d, t.Context(), r.ID, 1, "a", c[0].Token)) // the script is known from here on
		wires.loseReply(c[1].Token)
		if err := take(d, t.Context(), r.ID, 2, "b", c[1].Token); err != nil {
			t.Errorf("taking a seat whose answer was lost: %v", err)
		}
		if n := wires.lost(); n != 1 {
			t.Errorf("%d answers were lost, want 1", n)
		}
		wantError(t, "the second use", take(d, t.Context(), r.ID, 2, "b", c[1].Token), cluster.ErrSeat)
	})
}

func TestReserveGivesNoSecondSeatWhenItsAnswerIsLost(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		hurt, wires := rewired(t, rdb)
		d := cluster.NewDirectory(hurt, ns)
		r := create(t, d, aRoom(3))
		reserve(t, d, r, time.Minute, claims(0, "a"))
		wires.loseReply(claims(0, "b")[0].Token)
		wantSeats(t, reserve(t, d, r, time.Minute, claims(0, "b")), 1, 2)
		if n := wires.lost(); n != 1 {
			t.Errorf("%d answers were lost, want 1", n)
		}
	})
}

func TestReleaseGivesBackOnlyWhatIsNotTaken(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(3))
		c := claims(0, "a", "b", "c")
		reserve(t, d, r, time.Minute, c)
		must(t, take(d, t.Context(), r.ID, 1, "a", c[0].Token))
		must(t, d.Release(t.Context(), r.ID, c[:2]))
		wantError(t, "a released token", take(d, t.Context(), r.ID, 2, "b", c[1].Token), cluster.ErrSeat)
		wantSeats(t, reserve(t, d, r, time.Minute, claims(1, "d")), 0, 2)
		if _, err := d.Rejoin(t.Context(), r.ID, "a", "again"); err != nil {
			t.Errorf("the taken seat was given back: %v", err)
		}
	})
}

func TestFreedSeatIsGivenAway(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		seat(t, d, r, "a")
		seat(t, d, r, "b")
		must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil))
		must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil)) // its host may not have heard that it worked
		wantSeats(t, reserve(t, d, r, time.Minute, claims(0, "c")), 0, 1)
	})
}

func TestFreeSeatDoesNotTakeAReservationThatCameInBetween(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(1))
		seat(t, d, r, "a")
		must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil))
		c := claims(1, "b")
		reserve(t, d, r, time.Minute, c)
		must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil))
		must(t, take(d, t.Context(), r.ID, 1, "b", c[0].Token))
	})
}

// Whoever leaves and queues at once may be given the old seat before the room has said that it is free.
func TestFreeSeatLeavesItToAPlayerWhoComesBackToIt(t *testing.T) {
	for name, again := range map[string]func(t *testing.T, d *cluster.Directory, r cluster.Room) (token string){
		"by the lobby": func(t *testing.T, d *cluster.Directory, r cluster.Room) string {
			c := claims(1, "a")
			wantSeats(t, reserve(t, d, r, 20*time.Second, c), 0, 1)
			return c[0].Token
		},
		"by a rejoin": func(t *testing.T, d *cluster.Directory, r cluster.Room) string {
			_, err := d.Rejoin(t.Context(), r.ID, "a", "again")
			must(t, err)
			return "again"
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
				d := cluster.NewDirectory(rdb, ns)
				r := create(t, d, aRoom(1))
				seat(t, d, r, "a")
				token := again(t, d, r)
				must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil))
				_, err := d.Reserve(t.Context(), r.ID, time.Minute, claims(1, "b"))
				wantError(t, "another player's claim", err, cluster.ErrFull)
				time.Sleep(14 * time.Second)
				must(t, take(d, t.Context(), r.ID, 1, "a", token))

				// One who does not come back does not hold the seat for ever.
				again(t, d, r)
				must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil))
				time.Sleep(30 * time.Second)
				wantSeats(t, reserve(t, d, r, time.Minute, claims(2, "b")), 0, 1)
			})
		})
	}
}

// The host's word that a seat is free is late: its player has left, queued, got the same seat and taken it.
func TestLateFreeSeatDoesNotTakeTheSeatFromThePlayerWhoIsBack(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(1))
		first, second := claims(1, "a"), claims(2, "a")
		wantSeats(t, reserve(t, d, r, time.Minute, first), 0, 1)
		must(t, take(d, t.Context(), r.ID, 1, "a", first[0].Token))
		wantSeats(t, reserve(t, d, r, time.Minute, second), 0, 1)
		must(t, take(d, t.Context(), r.ID, 1, "a", second[0].Token))
		must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, []string{first[0].Token}))
		_, err := d.Reserve(t.Context(), r.ID, time.Minute, claims(3, "b"))
		wantError(t, "another player's claim", err, cluster.ErrFull)
		must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, []string{first[0].Token, second[0].Token}))
		wantSeats(t, reserve(t, d, r, time.Minute, claims(3, "b")), 0, 1)
	})
}

func TestRejoinNeedsASeat(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(3))
		seat(t, d, r, "a")
		seat(t, d, r, "b")
		reserve(t, d, r, time.Minute, claims(0, "c"))
		for _, player := range []string{"c", "nobody", "", "a|b", ".*", "b "} {
			_, err := d.Rejoin(t.Context(), r.ID, player, "again")
			wantError(t, "rejoin of "+player, err, cluster.ErrNoRoom)
		}
		for range 2 {
			n, err := d.Rejoin(t.Context(), r.ID, "b", "again")
			if n != 2 || err != nil {
				t.Errorf("rejoin gave seat %d, %v; want 2", n, err)
			}
		}
		must(t, take(d, t.Context(), r.ID, 2, "b", "again"))
		wantError(t, "the second use", take(d, t.Context(), r.ID, 2, "b", "again"), cluster.ErrSeat)
	})
}

func TestPlayersMayBeCalledAnything(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		players := []string{
			"a|b", "|", "0|x|a", "!x", " ", "a b", "Zoë", "日本", "🎲", `"quoted"`, "%d", "%", "*", "a\tb", "a\r\nb", "nul\x00nul",
			"{room:x}", "-1", "0",
		}
		r := create(t, d, aRoom(len(players)))
		for i, p := range players {
			c := claims(0, p)
			wantSeats(t, reserve(t, d, r, time.Minute, c), len(players)-1-i, uint16(i+1))
			wantSeats(t, reserve(t, d, r, time.Minute, c), len(players)-1-i, uint16(i+1))
			must(t, take(d, t.Context(), r.ID, uint16(i+1), p, c[0].Token))
		}
		for i, p := range players {
			if n, err := d.Rejoin(t.Context(), r.ID, p, fmt.Sprintf("again-%d", i)); int(n) != i+1 || err != nil {
				t.Errorf("%q rejoined seat %d, %v; want %d", p, n, err, i+1)
			}
			must(t, take(d, t.Context(), r.ID, uint16(i+1), p, fmt.Sprintf("again-%d", i)))
		}
	})
}
