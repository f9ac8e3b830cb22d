package matchtest

import (
	"fmt"

	"muster/match"
	"muster/match/journal"
	"muster/proto"
)

// Feed gives the room an input as a backend does, for the next tick: the game's Feed hook gets it before its players'
// inputs. A game without that hook ends the test. What the hook refuses is among what Refused returns, of seat 0.
func Feed[In any](r *Room, in In) {
	r.t.Helper()
	w := proto.NewWriter()
	err := r.game.Schema().WriteInput(w, &in)
	if err == nil {
		err = r.game.Schema().CheckInput(w.Bytes())
	}
	if err != nil {
		r.t.Fatalf("matchtest: feeding %+v: %v", in, err)
	}
	if !r.game.Feeds() {
		r.t.Fatalf("matchtest: game %q has no Feed hook", r.game.Name())
	}
	r.fed++
	r.rec.Orders = append(r.rec.Orders, match.OrderRecord{ID: fmt.Sprint("fed", r.fed), Kind: journal.OrderInput, Body: w.Bytes()})
}
