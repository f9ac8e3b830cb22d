package node_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"muster/match"
)

func TestRoomsOfADeadNodeGoOnAtTheOthersWithNothingLost(t *testing.T) {
	inWorld(t, 3, match.Rules{}, func(t *testing.T, w *world) {
		first := w.procs[0]
		var players []*player
		for i := range 30 {
			room := fmt.Sprint("room", i)
			w.create("journal", room, "", first, "alice")
			p := w.player("alice", room, 1)
			if err := p.comes(first); err != nil {
				t.Fatal(err)
			}
			players = append(players, p)
		}
		time.Sleep(200 * time.Millisecond)
		for i := range 20 {
			for _, p := range players {
				p.does(opPay, uint8(i+1))
			}
			time.Sleep(50 * time.Millisecond)
		}
		go first.kill()
		began := time.Now()
		time.Sleep(10 * time.Millisecond)
		within(t, 3*time.Second, "every room goes on", func() bool {
			for _, p := range players {
				if len(w.hosts(p.room)) != 1 {
					return false
				}
			}
			return true
		})
		t.Logf("all go on after %v, with a lease of %v", time.Since(began), lease)
		counts := map[string]int{}
		for _, p := range players {
			if !p.comesBack() {
				t.Fatalf("%s runs nowhere", p.room)
			}
			counts[p.at.id]++
		}
		if counts["n2"] < 8 || counts["n3"] < 8 {
			t.Errorf("the rooms are spread as %v", counts)
		}
		time.Sleep(200 * time.Millisecond)
		for _, p := range players {
			if p.now.welcome == nil || p.now.welcome.Seq < p.durable {
				t.Fatalf("%s: the welcome is %+v, and %d commands were durable", p.room, p.now.welcome, p.durable)
			}
			p.sends()
			p.does(opPay, 100)
		}
		time.Sleep(2 * time.Second)
		for _, p := range players {
			p.note()
			if last := p.seen[21]; len(p.seen) != 21 || last != (paid{21, 310}) {
				t.Errorf("%s: %d events, the last is %+v, want 21 payments of 310", p.room, len(p.seen), last)
			}
			rec, err := w.dir.Room(context.Background(), p.room)
			if err != nil || rec.Node != p.at.id || rec.Epoch != p.rm.Epoch() || rec.Attempts != 1 {
				t.Errorf("%s: its record is %+v, %v", p.room, rec, err)
			}
		}
		time.Sleep(15 * time.Second)
		if rec, err := w.dir.Room(context.Background(), "room0"); err != nil || rec.Attempts != 0 {
			t.Errorf("the record of a room that has run on since: %+v, %v", rec, err)
		}
	})
}
