package queue

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// flow is a queue to which tickets come, one cycle a second.
type flow struct {
	rules   Rules
	rng     *rand.Rand
	pool    *Pool
	now     time.Time
	waiting map[string]*Ticket
	n       int
	waits   []time.Duration // of those who were matched
}

func newFlow(r Rules, seed uint64) *flow {
	return &flow{rules: r, rng: rand.New(rand.NewPCG(seed, 3)), pool: NewPool(&r), now: noon, waiting: map[string]*Ticket{}}
}

func (f *flow) come(rating float64, size int) *Ticket {
	f.n++
	t := &Ticket{ID: fmt.Sprintf("t%d", f.n), Created: f.now}
	for i := range size {
		t.Players = append(t.Players, Player{ID: fmt.Sprintf("%s.%d", t.ID, i), Rating: rating})
	}
	f.waiting[t.ID] = t
	f.pool.Put(t)
	return t
}

// cycle runs one, and returns the longest wait of those who wait still.
func (f *flow) cycle(t interface{ Fatalf(string, ...any) }) time.Duration {
	out := f.pool.Match(nil, f.now)
	referee{r: f.rules, tickets: f.waiting, now: f.now}.obeys(t, out)
	for _, a := range out.Assignments {
		f.waits = append(f.waits, a.Waited)
		for id := range playing(a) {
			delete(f.waiting, id)
		}
	}
	longest := time.Duration(0)
	for _, tk := range f.waiting {
		longest = max(longest, f.now.Sub(tk.Created))
	}
	f.now = f.now.Add(time.Second)
	return longest
}

// The bound of the package's comment: from due on a ticket has only older ones before it, and each cycle in which enough
// compatible players are there matches the first of them.
func TestNobodyWaitsBeyondTheBoundWhileCompatiblePlayersCome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rules{
			Name: "ranked", Game: "arena", Teams: 2, TeamSize: rapid.IntRange(1, 5).Draw(t, "size"),
			Rating: []Step{{Within: 100}, {After: 15 * time.Second, Within: 300}, {After: 30 * time.Second, Any: true}},
		}
		r, err := r.Validate()
		if err != nil {
			t.Fatal(err)
		}
		const due = 30 * time.Second
		f := newFlow(r, rapid.Uint64().Draw(t, "seed"))
		outliers := rapid.IntRange(0, 6).Draw(t, "outliers")
		for range outliers {
			f.come(1000+float64(f.rng.IntN(2)*2-1)*float64(500+f.rng.IntN(2000)), 1+f.rng.IntN(r.PartyMax))
		}
		for range 90 {
			// As many as make full matches among themselves, better ones than with anybody else.
			for range r.Max() * (1 + f.rng.IntN(2)) {
				f.come(1000+3*f.rng.NormFloat64(), 1)
			}
			// At due at most outliers+1 tickets stand before one, and a cycle matches one of them at least.
			bound := due + time.Duration(outliers+2)*time.Second
			if longest := f.cycle(t); longest > bound {
				t.Fatalf("somebody waits for %v, the bound is %v", longest, bound)
			}
		}
	})
}

func TestAtNightTwoToSixPlayersStillPlay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{1, 3}).Draw(t, "size")
		r := Rules{
			Name: "ranked", Game: "arena", Teams: 2, TeamSize: size, Min: 2, Gather: 20 * time.Second,
			Rating: []Step{{Within: 50}, {After: 10 * time.Second, Within: 200}, {After: 30 * time.Second, Any: true}},
		}
		r, err := r.Validate()
		if err != nil {
			t.Fatal(err)
		}
		f := newFlow(r, rapid.Uint64().Draw(t, "seed"))
		for range rapid.IntRange(2, 6).Draw(t, "players") {
			f.come(float64(f.rng.IntN(3000)), 1)
		}
		for range 31 {
			f.cycle(t)
		}
		if len(f.waiting) > 1 {
			t.Fatalf("%d wait still after half a minute", len(f.waiting))
		}
	})
}

func TestATicketThatCameBackIsMatchedBeforeNewOnes(t *testing.T) {
	r := valid(t, Rules{Teams: 2, TeamSize: 1, Rating: []Step{{Within: 100}}})
	f := newFlow(r, 1)
	back := f.come(1000, 1)
	back.Head = true
	f.pool.Put(back)
	for i := range 20 {
		f.come(1000+float64(i), 1)
	}
	f.cycle(t)
	if _, waits := f.waiting[back.ID]; waits {
		t.Error("the one at the head waits still")
	}
}
