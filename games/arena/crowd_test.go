package arena

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"muster/internal/race"
	"muster/match/matchtest"
	"muster/netcode"
)

// crowd is a room of the crowd and what some of its players have decoded, who play as bots do.
type crowd struct {
	*matchtest.Room
	enc     encoder
	players []*player
}

// player is one who sees nothing but what came to him.
type player struct {
	seat  netcode.Seat
	link  *link
	seen  World
	pilot *pilot
}

func newCrowd(t testing.TB, seed uint64, players, bots int) *crowd {
	t.Helper()
	c := &crowd{
		Room: matchtest.New(t, CrowdGame, matchtest.Config{Seed: seed, Config: CrowdConfig{Bots: bots}}),
		enc:  newEncoder[World](t),
	}
	for i := range players {
		seat := netcode.Seat(i + 1)
		name := string(rune('a' + i))
		c.Join(seat, name, name)
		c.players = append(c.players, &player{seat: seat, link: newLink(c.enc), pilot: newPilot()})
	}
	return c
}

// play is one tick. It returns what the frames of the players had, together.
func (c *crowd) play(t testing.TB) (sum frameSize) {
	t.Helper()
	for _, p := range c.players {
		if in, ok := p.pilot.think(&p.seen, c.TickNumber(), p.seat, c.Rand()); ok {
			matchtest.Input(c.Room, p.seat, in)
		}
	}
	c.Tick(1)
	w := world(c.Room)
	w.Round.V.Ends = c.TickNumber() + 1000
	c.enc.enc.CaptureScoped(c.TickNumber(), w, func(sc *netcode.Scopes) { Crowd{}.Scopes(w, sc) })
	for _, p := range c.players {
		p.link.scopes = c.enc.enc.Scopes(p.seat)
		size := p.link.frame(t, c.TickNumber())
		p.link.load(t, &p.seen)
		sum.room, sum.own, sum.head, sum.blocks = sum.room+size.room, sum.own+size.own, sum.head+size.head, sum.blocks+size.blocks
	}
	return sum
}

func distance(a, b *Ship) float64 {
	return math.Hypot(float64(a.X)-float64(b.X), float64(a.Y)-float64(b.Y))
}

// farthest is how far from his ship a player may be told of another: the far end of the last cell that he sees, and what a
// row may stand beyond its cell.
const farthest = Look + 2*crowdMargin + crowdCell*math.Sqrt2 + crowdMargin

// crowdBytes is what holds today of the bytes that a player gets in a second, events apart.
const crowdBytes = 8000

// long is how many ticks of the crowd are looked at: a minute, or less under the race detector, which has nothing to find in
// one goroutine.
func long() int {
	if race.Enabled {
		return 10 * tickRate
	}
	return 60 * tickRate
}

// Everything that came to players in a minute is looked through.
func TestAPlayerOfTheCrowdIsToldWhatIsNearAndNothingElse(t *testing.T) {
	c := newCrowd(t, 1, 6, 0)
	w := world(c.Room)
	var sum frameSize
	var ships, bullets, hot, events, far int
	for range long() {
		size := c.play(t)
		sum.room, sum.own, sum.head, sum.blocks = sum.room+size.room, sum.own+size.own, sum.head+size.head, sum.blocks+size.blocks
		for _, p := range c.players {
			for _, b := range p.link.got.Blocks {
				if scope := netcode.Seat(b.Scope); scope != 0 && scope != p.seat && scope < 0x800 {
					t.Fatalf("tick %d: seat %d got a block of scope %#x", c.TickNumber(), p.seat, scope)
				}
			}
			own := shipOf(c.Room, p.seat)
			ships, bullets = ships+p.seen.Ships.Len(), bullets+p.seen.Bullets.Len()
			far += w.Ships.Len() - p.seen.Ships.Len()
			hot += p.look(t, w, own)
			for _, e := range c.Events(p.seat) {
				events++
				if d := distance(own, shipOf(c.Room, subject(e))); d > Look+maxSpeed && own.HP > 0 && !own.Shield {
					t.Errorf("tick %d: seat %d was told of %+v, %.0f units away", c.TickNumber(), p.seat, e, d)
				}
			}
		}
	}
	n := long() * len(c.players)
	second := func(v int) float64 { return float64(v) * tickRate / float64(n) }
	t.Logf("%.0f bytes a second: map and leaders %.0f, cells and own %.0f, heads %.0f, with %.1f blocks a frame; %.1f events",
		second(sum.all()), second(sum.room), second(sum.own), second(sum.head), second(sum.blocks)/tickRate, second(events))
	t.Logf("told of %.1f ships, %.1f bullets of %d", float64(ships)/float64(n), float64(bullets)/float64(n), w.Ships.Len())
	if second(sum.all()) > crowdBytes {
		t.Errorf("%.0f bytes a second, at most %d allowed", second(sum.all()), crowdBytes)
	}
	if far < n*100 || hot < n/10 || events < n/20 {
		t.Errorf("%d ships were too far, %d guns near were hot, %d events: this shows little", far/n, hot, events)
	}
}

// subject is the seat that an event is about.
func subject(e any) netcode.Seat {
	switch e := e.(type) {
	case Hit:
		return e.Victim
	case Kill:
		return e.Victim
	case Spawned:
		return e.Seat
	}
	return 0
}

// look checks all that a player has against the world, where his ship is own. It returns how many of the others' guns that
// are near are hot: their owners alone may know.
func (p *player) look(t *testing.T, w *World, own *Ship) (hot int) {
	t.Helper()
	mine := false
	for id, ship := range p.seen.Ships.All() {
		is := w.Ships.Get(id) // this encoder leaves the ids as they are
		switch {
		case is == nil || is.Owner != ship.Owner:
			t.Fatalf("seat %d sees a ship that is not there: %+v", p.seat, ship)
		case distance(own, is) > farthest || distance(ship, is) > 0.1:
			t.Fatalf("seat %d at %v, %v sees a ship at %v, %v, which is at %v, %v", p.seat, own.X, own.Y, ship.X, ship.Y, is.X, is.Y)
		case ship.Owner == p.seat:
			mine = true
			if abs(float64(ship.Heat-is.Heat)) > 0.51 {
				t.Fatalf("seat %d sees its heat as %v, which is %v", p.seat, ship.Heat, is.Heat)
			}
			continue
		case ship.Heat != 0 || ship.Jammed:
			t.Fatalf("seat %d knows the gun of %d: %v, %v", p.seat, ship.Owner, ship.Heat, ship.Jammed)
		case ship.VX != 0 || ship.ShieldEnd != 0 || ship.Blip != 0 || ship.Mind != (Mind{}):
			t.Fatalf("seat %d knows what is the server's alone: %+v", p.seat, ship)
		}
		if is.Heat > 1 {
			hot++
		}
	}
	if !mine {
		t.Fatalf("seat %d does not see its own ship", p.seat)
	}
	for id, ship := range w.Ships.All() { // what is around it is there, all of it
		if distance(own, ship) <= Look && p.seen.Ships.Get(id) == nil {
			t.Fatalf("seat %d does not see a ship %v away", p.seat, distance(own, ship))
		}
	}
	for id, b := range p.seen.Bullets.All() {
		is := w.Bullets.Get(id)
		if is == nil || math.Hypot(float64(own.X-is.X), float64(own.Y-is.Y)) > farthest {
			t.Fatalf("seat %d at %v, %v sees a bullet at %v, %v: %v", p.seat, own.X, own.Y, b.X, b.Y, is)
		}
	}
	return hot
}

func TestTheMapOfTheCrowdSaysRoughlyWhereShipsAre(t *testing.T) {
	c := newCrowd(t, 2, 1, 200)
	w, p := world(c.Room), c.players[0]
	changed := 0
	for range 20 * tickRate {
		var was []Blip
		for _, b := range p.seen.Blips.All() {
			was = append(was, *b)
		}
		c.play(t)
		var is, want []Blip
		for _, b := range p.seen.Blips.All() {
			is = append(is, *b)
			if math.Mod(float64(b.X), 40) != 0 || math.Mod(float64(b.Y), 40) != 0 {
				t.Fatalf("a blip at %v, %v", b.X, b.Y)
			}
		}
		if c.TickNumber()%mapEvery != 0 {
			if c.TickNumber() > mapEvery && !slices.Equal(is, was) {
				t.Fatalf("tick %d: the map changed between its ticks", c.TickNumber())
			}
			continue
		}
		changed++
		for _, ship := range w.Ships.All() {
			if ship.Alive() {
				grid := func(v float32) float32 { return float32(40 * math.Floor(float64(v)/40+0.5)) }
				want = append(want, Blip{grid(ship.X), grid(ship.Y), ship.Mind.Flown})
			}
		}
		sortBlips(is)
		sortBlips(want)
		if !slices.Equal(is, want) {
			t.Fatalf("tick %d: the map shows\n%v\nand the ships are at\n%v", c.TickNumber(), is, want)
		}
	}
	if changed != 20*tickRate/mapEvery || p.seen.Field.V.Size != CrowdSize {
		t.Errorf("%d maps of a field of %d", changed, p.seen.Field.V.Size)
	}
}

func sortBlips(list []Blip) {
	slices.SortFunc(list, func(a, b Blip) int {
		bot := 0
		if a.Bot != b.Bot {
			if bot = 1; b.Bot {
				bot = -1
			}
		}
		return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y), bot)
	})
}

func TestTheTenWithMostPointsLead(t *testing.T) {
	c := newCrowd(t, 3, 2, 60)
	w, p := world(c.Room), c.players[0]
	for tick := range 2 * long() {
		c.play(t)
		if c.TickNumber()%mapEvery != 0 {
			continue
		}
		var all, led []Leader
		for _, ship := range w.Ships.All() {
			if ship.Score > 0 {
				all = append(all, Leader{ship.Owner, ship.Name, ship.Score})
			}
		}
		for _, l := range p.seen.Leaders.All() {
			led = append(led, *l)
		}
		order := func(a, b Leader) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Seat, b.Seat)) }
		slices.SortFunc(all, order)
		slices.SortFunc(led, order)
		if !slices.Equal(led, all[:min(10, len(all))]) {
			t.Fatalf("tick %d: leaders\n%v\nof\n%v", tick, led, all)
		}
	}
	if p.seen.Leaders.Len() < 10 && !race.Enabled || p.seen.Leaders.Len() == 0 {
		t.Errorf("%d leaders after all", p.seen.Leaders.Len())
	}
}

func TestTheCrowdHas200BotsUnlessItsConfigSaysOtherwise(t *testing.T) {
	for config, want := range map[CrowdConfig]int{{}: 200, {Bots: 7, RoundSeconds: 20}: 7} {
		r := matchtest.New(t, CrowdGame, matchtest.Config{Seed: 1, Config: config})
		r.Join(32, "alice", "Alice")
		r.Tick(2)
		w := world(r)
		if len(botsOf(w)) != want || w.Field.V.Size != CrowdSize || shipOf(r, 32) == nil {
			t.Errorf("%+v: %d bots on a field of %d", config, len(botsOf(w)), w.Field.V.Size)
		}
		if config.RoundSeconds > 0 && w.Round.V.Ends != 1+20*tickRate {
			t.Errorf("the round ends at %d", w.Round.V.Ends)
		}
	}
}

func TestAFullCrowdHasPlaceForItsPlayersBesideTheBots(t *testing.T) {
	c := newCrowd(t, 4, crowdSeats, 0)
	c.play(t)
	w := world(c.Room)
	if w.Ships.Len() != crowdSeats+crowdBots || len(botsOf(w)) != crowdBots || len(c.Refused()) != 0 {
		t.Errorf("%d ships, %d bots", w.Ships.Len(), len(botsOf(w)))
	}
}

func TestShipsOfTheCrowdAreAllOverItsField(t *testing.T) {
	c := newCrowd(t, 5, 1, 0)
	quarter := [4]int{}
	for range long() / 2 {
		c.play(t)
		for _, ship := range world(c.Room).Ships.All() {
			if ship.X < Radius || ship.Y < Radius || ship.X > CrowdSize-Radius || ship.Y > CrowdSize-Radius {
				t.Fatalf("a ship at %v, %v", ship.X, ship.Y)
			}
			quarter[int(ship.X/(CrowdSize/2))+2*int(ship.Y/(CrowdSize/2))]++
		}
	}
	for _, n := range quarter {
		if n < long()/2*20 {
			t.Errorf("ships by quarter: %v", quarter)
			break
		}
	}
}

func TestBotsOnBadLinesSeeTheServersCrowd(t *testing.T) {
	for seat, s := range matchtest.Network(t, CrowdGame, CrowdBot, matchtest.Net{
		Players: 6, For: 15 * time.Second, Latency: 60 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: 0.01, Seed: 4,
	}) {
		if s.Frames < 150 || s.InputsSent < 50 || s.Events == 0 {
			t.Errorf("seat %d: %+v", seat+1, s)
		}
	}
}

// BenchmarkCrowd is a tick of the crowd with all its bots and players, from the step to the players' frames.
func BenchmarkCrowd(b *testing.B) {
	s := newBots(CrowdSize, crowdBots)
	for seat := netcode.Seat(1); seat <= crowdSeats; seat++ {
		s.w.Ships.Add(Ship{Owner: seat, Mind: Mind{Flown: true, Skill: skilled}}) // somebody has to
	}
	e := newEncoder[World](b)
	views := make([]netcode.View, crowdSeats)
	scopes := func(sc *netcode.Scopes) { Crowd{}.Scopes(&s.w, sc) }
	bytes := 0
	tick := func() {
		s.w.Round.V.Ends = s.tick + 1000
		s.step(1)
		drawMap(&s.w)
		rank(&s.w)
		e.enc.CaptureScoped(s.tick, &s.w, scopes)
		for i := range views {
			for _, block := range e.enc.Prepare(&views[i], e.enc.Scopes(netcode.Seat(i+1))) {
				bytes += len(block.Data)
			}
		}
	}
	for range 20 * tickRate {
		tick()
	}
	b.ReportAllocs()
	bytes = 0
	for b.Loop() {
		tick()
	}
	b.ReportMetric(float64(bytes)/float64(b.N)/crowdSeats, "bytes/player")
}
