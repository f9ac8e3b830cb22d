package queue

import (
	"math/rand/v2"
	"testing"
	"time"
)

// BenchmarkCycleStuck is a cycle over 20,000 tickets that stand close together and find no match for lack of something,
// of which one in a hundred was exchanged.
func BenchmarkCycleStuck(b *testing.B) {
	roles := busy(b)
	roles.Roles = []Role{{"tank", 1}, {"healer", 1}, {"damage", 3}}
	maps := busy(b)
	maps.Attributes = []Attribute{{Name: "maps", Kind: AnyOf}}
	modes := busy(b)
	modes.Attributes = []Attribute{{Name: "mode", Kind: Equal}}
	some := busy(b)
	some.Min, some.Gather = 2, 20*time.Second
	for _, c := range []struct {
		name   string
		rules  Rules
		change func(*Ticket, *rand.Rand)
	}{
		{"parties", busy(b), func(t *Ticket, rng *rand.Rand) {
			for len(t.Players) < 3 || len(t.Players) > 3 && rng.IntN(2) == 0 {
				t.Players = append(t.Players[:1:1], t.Players[0], t.Players[0])
			}
			if len(t.Players) == 5 {
				t.Players = t.Players[:4]
			}
		}},
		{"roles", roles, func(t *Ticket, rng *rand.Rand) {
			for i := range t.Players {
				t.Players[i].Roles = []string{"damage"}
				if rng.IntN(40) == 0 {
					t.Players[i].Roles = []string{"healer"}
				}
			}
			t.Players = t.Players[:min(len(t.Players), 3)]
		}},
		{"maps", maps, func(t *Ticket, rng *rand.Rand) {
			t.Attributes = map[string]any{"maps": []string{string(rune('a' + rng.IntN(3000))), string(rune('a' + rng.IntN(3000)))}}
		}},
		{"modes", modes, func(t *Ticket, rng *rand.Rand) {
			t.Attributes = map[string]any{"mode": float64(rng.IntN(3000))}
		}},
		{"limits", busy(b), func(t *Ticket, _ *rand.Rand) { t.MaxSpread = 0.1 }},
		{"some", some, func(t *Ticket, _ *rand.Rand) { t.MaxSpread = 0.01 }},
	} {
		b.Run(c.name, func(b *testing.B) {
			const n = 20_000
			crowd := &crowd{rng: rand.New(rand.NewPCG(1, 2)), apart: 350}
			p, now := NewPool(&c.rules), noon
			fill := func(age int) {
				for p.Len() < n {
					t := crowd.ticket(now.Add(-time.Duration(crowd.rng.IntN(age)) * time.Millisecond))
					c.change(t, crowd.rng)
					p.Put(t)
				}
			}
			for range 2 {
				fill(200_000)
				p.Match(nil, now)
			}
			matches, cycles := 0, 0
			for b.Loop() {
				b.StopTimer()
				now = now.Add(time.Second)
				for range n / 100 {
					if e := p.order[crowd.rng.IntN(len(p.order))]; !e.gone {
						p.Remove(e.t.ID)
					}
				}
				fill(1000)
				b.StartTimer()
				matches += len(p.Match(nil, now).Assignments)
				cycles++
			}
			b.ReportMetric(float64(matches)/float64(cycles), "matches")
		})
	}
}
