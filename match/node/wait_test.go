package node_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"muster/match"
	"muster/match/edge"
	"muster/proto"
)

func TestWhoComesWhileNobodyHasARoomWaitsUntilSomebodyDoes(t *testing.T) {
	inWorld(t, 3, match.Rules{}, func(t *testing.T, w *world) {
		first := w.procs[0]
		w.begin("journal", "r1", "duel", first, "alice")
		time.Sleep(time.Second)
		go first.kill()
		began := time.Now()
		time.Sleep(10 * time.Millisecond)
		type answer struct {
			room edge.Room
			err  error
			took time.Duration
		}
		answers := make(chan answer)
		for _, p := range w.alive() {
			go func() {
				rm, err := p.rooms.Open(context.Background(), "r1")
				answers <- answer{rm, err, time.Since(began)}
			}()
		}
		var here, elsewhere int
		for range w.alive() {
			a := <-answers
			switch told := (*proto.Close)(nil); {
			case a.err == nil && a.room.ID() == "r1":
				here++
				if a.took < lease || a.took > lease+time.Second {
					t.Errorf("the room was found after %v, with a lease of %v", a.took, lease)
				}
			case errors.As(a.err, &told) && told.Code.Action() == proto.ActionReconnect: // there is no bridge in this world
				elsewhere++
				if a.took > 5*time.Second {
					t.Errorf("who waited in vain was told so after %v", a.took)
				}
			default:
				t.Errorf("%+v", a)
			}
		}
		if here != 1 || elsewhere != 1 {
			t.Errorf("%d found the room, %d are to come again", here, elsewhere)
		}
	})
}
