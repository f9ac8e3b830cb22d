package netcode

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Ticks that are not captured, and as many as the ring has places, must not matter.
func randomTicks(t *rapid.T) (list []uint32) {
	tick := uint32(0)
	for range rapid.IntRange(1, 20).Draw(t, "captures") {
		tick += rapid.SampledFrom([]uint32{1, 1, 1, 2, 5, 8, 16}).Draw(t, "gap")
		list = append(list, tick)
	}
	return list
}

// What an encoder notes as it captures must agree with a comparison of whole states.
func TestUnchangedScopesAreThoseWhoseStatesAreEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newRandomGame(t)
		e := NewEncoder(g.sc, EncoderConfig{Ring: 8, Key: 1})
		for _, tick := range randomTicks(t) {
			if rapid.Bool().Draw(t, "edit") {
				g.edit(t)
			}
			e.CaptureScoped(tick, g.state, g.scopes)
			scopes := []uint16{scopeRoom, 1, 2, 3, Team(1).n, Team(2).n, 0xffff}
			for cell := range uint16(8) {
				scopes = append(scopes, scopeCells+cell)
			}
			for i := range e.ring {
				was := &e.ring[i]
				if !was.valid {
					continue
				}
				for _, scope := range scopes {
					equal := true
					for i := range e.parts {
						p := &e.parts[i]
						equal = equal && (!p.of(scope) || e.now.scope(i, scope).equal(p, was.scope(i, scope)))
					}
					if got := e.unchanged(scope, was.tick); got != equal {
						t.Fatalf("tick %d: scope %#x unchanged since %d: %v, want %v", tick, scope, was.tick, got, equal)
					}
				}
			}
		}
	})
}

// The index of a part leads to each scope's rows, all of them, in the order of wire ids.
func TestRowsAreInTheOrderOfTheirScopesAndNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newRandomGame(t)
		e := NewEncoder(g.sc, EncoderConfig{Ring: 8, Key: rapid.Uint64().Draw(t, "key")})
		type row struct {
			scope uint16
			id    ID
		}
		for _, tick := range randomTicks(t) {
			g.edit(t)
			e.CaptureScoped(tick, g.state, g.scopes)
			for i := range e.parts {
				p := &e.placed[e.parts[i].table]
				by := [audiences][]uint16{p.scope, p.owner, p.team}[e.parts[i].to]
				var want, got []row
				for slot, id := range p.raw {
					if id != 0 {
						want = append(want, row{by[slot], p.wire.of(id, p.salt[slot])})
					}
				}
				slices.SortFunc(want, func(a, b row) int { return cmp.Or(cmp.Compare(a.scope, b.scope), cmp.Compare(a.id, b.id)) })
				for scope := range 0x10000 {
					for _, id := range e.now.scope(i, uint16(scope)).list() {
						got = append(got, row{uint16(scope), id})
					}
				}
				if !slices.Equal(got, want) {
					t.Fatalf("tick %d part %d: rows %v, want %v", tick, i, got, want)
				}
			}
		}
	})
}
