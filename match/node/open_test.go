package node_test

import (
	"context"
	"errors"
	"testing"

	"muster/match"
)

// Redis would have it that the match ran, and one of a class that does not survive would be lost before it began.
func TestRoomThatAStoppingHostRefusesHasNotRunAndBeginsElsewhere(t *testing.T) {
	refusals := map[string]struct {
		refuse func(*process)
		want   error
	}{
		"the host is closed": {func(p *process) {
			if err := p.host.Close(context.Background()); err != nil {
				p.w.t.Error(err)
			}
		}, match.ErrClosed},
		"the host is unfit": {func(p *process) { p.host.Condemn("its rules hang") }, match.ErrLoaded},
	}
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, match.Rules{}, func(t *testing.T, w *world) {
				ctx, first := context.Background(), w.procs[0]
				w.create("none", "r1", "duel", first, "alice")
				w.create("journal", "r2", "duel", first, "bob")
				r.refuse(first)
				for _, room := range []string{"r1", "r2"} {
					if _, err := first.rooms.Find(ctx, room, true); err == nil {
						t.Fatalf("%s is opened", room)
					}
					rec, err := w.dir.Room(ctx, room)
					if err != nil || rec.Ran {
						t.Errorf("the record of %s is %+v, %v: it has not run", room, rec, err)
					}
					if err := first.host.Takes(match.Spec{ID: room, Game: rec.Game, Config: rec.Config}); !errors.Is(err, r.want) {
						t.Errorf("the host refuses %s with %v, want %v", room, err, r.want)
					}
				}
				first.kill()
				for i, room := range []string{"r1", "r2"} {
					if err := w.player([]string{"alice", "bob"}[i], room, 1).comes(w.procs[1]); err != nil {
						t.Errorf("%s does not begin elsewhere: %v", room, err)
					}
					if rec, err := w.dir.Room(ctx, room); err != nil || rec.Attempts != 0 {
						t.Errorf("the record of %s is %+v, %v: nobody has tried it", room, rec, err)
					}
				}
			})
		})
	}
}
