package cmd

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/client"
	"muster/games/arena"
)

// Two players of one match, one of whom reads the plain form, see the same state.
func TestBothFormsShowTheSameMatch(t *testing.T) {
	r := serve(t, withArena)
	var conns []*client.Conn[arena.World, arena.Input]
	for i, name := range []string{"ada", "bob"} {
		m := r.match(name, "arena")
		c, err := client.Dial[arena.World, arena.Input](soon(t), m, client.Options{Events: arena.Game.Rules().Events, Plain: i == 1})
		must(t, err)
		t.Cleanup(func() { _ = c.Close() })
		conns = append(conns, c)
	}
	nextOf(t, conns[0], "both ships", func(w *arena.World) bool { return w.Ships.Len() == 2 }) // bob's match may have taken a while
	seen := []map[uint32][]arena.Ship{{}, {}}
	same := 0
	for range 60 {
		for i, c := range conns {
			f, err := c.Next(soon(t))
			must(t, err)
			var ships []arena.Ship
			for _, ship := range c.State().Ships.All() {
				row := *ship
				row.VX, row.VY, row.Heat, row.Jammed = 0, 0, 0, false // for their owners
				ships = append(ships, row)
			}
			seen[i][f.Tick] = ships
			if other, both := seen[1-i][f.Tick]; both && len(ships) == 2 {
				if diff := cmp.Diff(other, ships); diff != "" {
					t.Fatalf("tick %d differs:\n%s", f.Tick, diff)
				}
				same++
			}
			must(t, c.Send(arena.Input{Turn: int8(40 * i), Thrust: 100}))
		}
	}
	if same < 30 {
		t.Errorf("%d ticks were compared", same)
	}
	for _, c := range conns {
		if st := c.Stats(); st.DecodeErrors+st.HashMismatches > 0 {
			t.Errorf("stats %+v", st)
		}
	}
}
