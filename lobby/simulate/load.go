package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"muster/lobby/queue"
)

// Arrival is a ticket that comes.
type Arrival struct {
	At     time.Duration // since the beginning
	Ticket queue.Ticket  // Created is for Run to say
}

// MaxArrivals bounds a simulation.
const MaxArrivals = 2_000_000

// Load describes players who come at random. The ratings are on the scale of package rating: a mean of 1000.
type Load struct {
	Seed      uint64
	PerMinute float64       // tickets, the mean over a day
	For       time.Duration // how long they come
	// DayShape has more come in the evening of their region than in its morning: 1.85 times the mean at 20:00, 0.15 times
	// at 8:00. Otherwise they come evenly.
	DayShape bool
	// Regions is how many regions players live in. The first ones are those of the rules; who lives elsewhere is far from
	// all. Default: as many as the rules have, at least one.
	Regions int
	// Heavy draws skills from a distribution with heavy tails (Student's t with 3 degrees of freedom, cut at 2000 points
	// from the mean) instead of a normal one; both have a standard deviation of about 333.
	Heavy bool
	// Parties is which part of the tickets are parties, 0 to 1. Half of these are of two, a quarter of three, and so on.
	Parties float64
	// Players is how many players there are; 0 is that nobody comes twice. A player who came does not come again for a
	// quarter of an hour.
	Players int
}

// Of players who come.
const (
	meanRating    = 1000
	spreadRating  = 333
	deviation     = 60
	again         = 15 * time.Minute
	evening       = 20. // of the day, in hours
	swing         = 0.85
	homeLatency   = 25. // milliseconds, the median
	regionLatency = 75. // milliseconds to the next region
)

// person is a player who may come.
type person struct {
	queue.Player
	home int
	busy time.Duration // until when he does not come again
}

// crowd draws players.
type crowd struct {
	Load
	rules *queue.Rules
	rnd   *rand.Rand
	homes []float64 // shares of regions, added up
	all   []person  // where there are Players
	made  int
}

// Arrivals returns who comes, in the order of time, at most MaxArrivals. It is a function of the load and the rules.
func (l Load) Arrivals(r *queue.Rules) []Arrival {
	c := &crowd{Load: l, rules: r, rnd: rand.New(rand.NewPCG(l.Seed, 0x6d757374))} //nolint:gosec // a seed gives the same load again
	if c.Regions < 1 {
		c.Regions = max(len(r.Regions), 1)
	}
	sum := 0.
	for i := range c.Regions {
		sum += 1 / (1 + float64(i)/2)
		c.homes = append(c.homes, sum)
	}
	for range c.Players {
		c.all = append(c.all, c.person())
	}
	var list []Arrival
	peak := 1.
	if c.DayShape {
		peak += swing
	}
	at := 0.
	for len(list) < MaxArrivals {
		at += c.rnd.ExpFloat64() / (c.PerMinute * peak) * 60
		when := time.Duration(at * float64(time.Second))
		if when >= c.For {
			break
		}
		leader := c.come(when)
		if leader == nil || c.rnd.Float64()*peak > c.shape(when, leader.home) {
			continue
		}
		list = append(list, Arrival{At: when, Ticket: c.ticket(len(list), leader, when)})
	}
	return list
}

// shape is how many players of a region come at a time, relative to the mean.
func (c *crowd) shape(at time.Duration, home int) float64 {
	if !c.DayShape {
		return 1
	}
	hour := at.Hours() + 24*float64(home)/float64(c.Regions)
	return 1 + swing*math.Cos(2*math.Pi*(hour-evening)/24)
}

// come returns somebody who has time; nil where nobody was found.
func (c *crowd) come(at time.Duration) *person {
	if c.Players == 0 {
		p := c.person()
		return &p
	}
	for range 20 {
		if p := &c.all[c.rnd.IntN(len(c.all))]; p.busy <= at {
			return p
		}
	}
	return nil
}

// person draws a player.
func (c *crowd) person() person {
	x := c.rnd.Float64() * c.homes[len(c.homes)-1]
	home := 0
	for c.homes[home] < x {
		home++
	}
	return c.at(home, meanRating+spreadRating*c.skill())
}

// skill draws from a distribution with mean 0 and standard deviation 1.
func (c *crowd) skill() float64 {
	const freedom, farthest = 3, 6
	for {
		z := c.rnd.NormFloat64()
		if !c.Heavy {
			return z
		}
		chi := 0.
		for range freedom {
			n := c.rnd.NormFloat64()
			chi += n * n
		}
		if z /= math.Sqrt(chi/freedom) * math.Sqrt(freedom/(freedom-2.)); math.Abs(z) <= farthest {
			return z // further off nobody's rating gets
		}
	}
}

// at draws a player of a home and a rating.
func (c *crowd) at(home int, rating float64) person {
	c.made++
	p := person{home: home, Player: queue.Player{ID: fmt.Sprintf("p%d", c.made), Rating: rating, Deviation: deviation}}
	if len(c.rules.Regions) > 0 {
		p.Latency = make(map[string]float64, len(c.rules.Regions))
		own := homeLatency * math.Exp(0.5*c.rnd.NormFloat64())
		for i, name := range c.rules.Regions {
			n := max(c.Regions, len(c.rules.Regions))
			far := (i - home + n) % n
			far = min(far, n-far)
			p.Latency[name] = math.Round(own + float64(far)*regionLatency*(0.9+0.2*c.rnd.Float64()))
		}
	}
	if len(c.rules.Roles) > 0 {
		for range c.rnd.IntN(3) { // none is any; the second may be the first again
			if role := c.role(); len(p.Roles) == 0 || p.Roles[0] != role {
				p.Roles = append(p.Roles, role)
			}
		}
	}
	return p
}

// role draws a role, as often as teams need it.
func (c *crowd) role() string {
	x := c.rnd.IntN(c.rules.TeamSize)
	for _, r := range c.rules.Roles {
		if x -= r.PerTeam; x < 0 {
			return r.Name
		}
	}
	return c.rules.Roles[0].Name
}

// ticket makes the leader's ticket, alone or with friends.
func (c *crowd) ticket(n int, leader *person, at time.Duration) queue.Ticket {
	t := queue.Ticket{ID: fmt.Sprintf("t%d", n)}
	size := max(c.rules.PartyMin, 1)
	if c.rnd.Float64() < c.Parties {
		for size++; size < c.rules.PartyMax && c.rnd.Float64() < 0.5; size++ {
		}
	}
	size = max(min(size, c.rules.PartyMax), 1)
	leader.busy = at + again
	t.Players = append(t.Players, leader.Player)
	for len(t.Players) < size {
		friend := c.friend(leader, at)
		if friend == nil {
			break
		}
		friend.busy = at + again
		t.Players = append(t.Players, friend.Player)
	}
	c.agree(t.Players)
	c.attributes(&t)
	return t
}

// agree has friends who want the same role say that any will do, where a team has no place for all of them.
func (c *crowd) agree(players []queue.Player) {
	free := make(map[string]int, len(c.rules.Roles))
	for _, r := range c.rules.Roles {
		free[r.Name] = r.PerTeam
	}
	for i := range players {
		p := &players[i]
		if at := slices.IndexFunc(p.Roles, func(role string) bool { return free[role] > 0 }); at >= 0 {
			free[p.Roles[at]]--
		} else {
			p.Roles = nil
		}
	}
}

// friend returns somebody of the leader's region, and about as good.
func (c *crowd) friend(leader *person, at time.Duration) (best *person) {
	if c.Players == 0 {
		rating := meanRating + 0.7*(leader.Rating-meanRating) + 0.7*spreadRating*c.skill()
		p := c.at(leader.home, rating)
		return &p
	}
	for range 20 {
		p := c.come(at)
		if p == nil || p.home != leader.home {
			continue
		}
		if best == nil || math.Abs(p.Rating-leader.Rating) < math.Abs(best.Rating-leader.Rating) {
			best = p
		}
	}
	return best
}

// attributes has the ticket say what the rules ask for.
func (c *crowd) attributes(t *queue.Ticket) {
	if len(c.rules.Attributes) == 0 {
		return
	}
	t.Attributes = map[string]any{}
	for _, a := range c.rules.Attributes {
		switch a.Kind {
		case queue.Equal: // two of three say the same
			t.Attributes[a.Name] = []string{"a", "a", "b"}[c.rnd.IntN(3)]
		case queue.AnyOf: // two different ones of four
			i, step := c.rnd.IntN(4), 1+c.rnd.IntN(3)
			names := []string{"a", "b", "c", "d"}
			t.Attributes[a.Name] = []string{names[i], names[(i+step)%4]}
		case queue.Within: // so that half of all pairs lie within the first step
			width := 1.
			if len(a.Within) > 0 && a.Within[0].Within > 0 {
				width = a.Within[0].Within
			}
			t.Attributes[a.Name] = math.Round(width * 1.05 * c.rnd.NormFloat64())
		}
	}
}
