package netcode

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Load walks the rows that it knows of and not the slots of the table: it must know them all, each once, whatever came
// and went, and in another state, too.
func TestLoadKnowsTheRowsOfTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newRandomGame(t)
		e := NewEncoder(g.sc, EncoderConfig{Ring: 8, Key: 1})
		v := viewer{seat: 1, dec: NewDecoder(g.sc)}
		var states [2]*Dynamic
		for i := range states {
			states[i], _ = NewDynamic(g.sc) // the schema is one without Go types
		}
		for tick := uint32(1); tick <= 20; tick++ {
			g.edit(t)
			e.CaptureScoped(tick, g.state, g.scopes)
			if err := v.take(e, tick); err != nil {
				t.Fatal(err)
			}
			state := states[rapid.IntRange(0, 9).Draw(t, "state")/9]
			if err := v.dec.Load(state); err != nil {
				t.Fatal(err)
			}
			for i, table := range state.tables {
				var want []int
				for id := range table.All() {
					want = append(want, id.slot())
				}
				got := slices.Sorted(slices.Values(v.dec.load.held[i]))
				if !slices.Equal(got, want) {
					t.Fatalf("tick %d table %d: slots %v, want %v", tick, i, got, want)
				}
			}
		}
	})
}
