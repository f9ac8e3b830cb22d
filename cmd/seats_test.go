package cmd

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"muster/client"
	"muster/netcode"
	"muster/proto"
)

func TestSeatTokenThatFiftyRaceForIsGoodOnce(t *testing.T) {
	r := serve(t, withRace)
	m := r.match("alice", "race")
	ctx := soon(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	var won []*client.Conn[track, press]
	for range 50 {
		wg.Go(func() {
			c, err := client.Dial[track, press](ctx, m, client.Options{})
			mu.Lock()
			defer mu.Unlock()
			var ce *client.CloseError
			switch {
			case err == nil:
				won = append(won, c)
			case !errors.As(err, &ce) || ce.Code != proto.CodeNotYourSeat:
				t.Errorf("got %v, want code 4403", err)
			}
		})
	}
	wg.Wait()
	for _, c := range won {
		if _, err := c.Next(ctx); err != nil {
			t.Errorf("the winner's socket has ended: %v", err)
		}
		_ = c.Close()
	}
	if len(won) != 1 {
		t.Errorf("%d sockets were welcomed", len(won))
	}
}

// Thirteen players at once, in rooms of four: each has a seat that nobody else has.
func TestPlayersWhoRaceForSeatsShareNone(t *testing.T) {
	type seat struct {
		room string
		seat netcode.Seat
	}
	r := serve(t, withRace)
	ctx := soon(t)
	var mu sync.Mutex
	var wg, playing sync.WaitGroup
	seats, rooms := map[seat]string{}, map[string]int{}
	for i := range 13 {
		name := fmt.Sprint("player-", i)
		l := r.lobby(name)
		wg.Go(func() {
			ticket, err := l.CreateTicket(ctx, "race")
			if err != nil {
				t.Error(err)
				return
			}
			m, err := l.WaitTicket(ctx, ticket.ID)
			if err != nil {
				t.Error(err)
				return
			}
			c, err := client.Dial[track, press](ctx, m, client.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			t.Cleanup(func() { _ = c.Close() })
			playing.Go(func() { // who does not read for long loses his seat
				for err == nil {
					_, err = c.Next(t.Context())
				}
			})
			s := seat{m.Room, c.Seat()}
			if other := seats[s]; other != "" {
				t.Errorf("%s and %s have the same seat %v", other, name, s)
			}
			seats[s] = name
			rooms[m.Room]++
		})
	}
	wg.Wait()
	for room, n := range rooms {
		if n > 4 {
			t.Errorf("%d players are in room %s", n, room)
		}
	}
	if len(seats) != 13 {
		t.Errorf("%d players have seats", len(seats))
	}
	t.Cleanup(playing.Wait) // before that, the server ends their matches; t.Context has ended
}
