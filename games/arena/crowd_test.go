package arena

import (
	"math"
	"slices"
	"testing"
	"time"

	"muster/match/matchtest"
	"muster/netcode"
	"muster/proto"
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

func distance(a, b *Ship) float64 { return math.Hypot(float64(a.X)-float64(b.X), float64(a.Y)-float64(b.Y)) }

func TestThinkCrowdFigures(t *testing.T) {
	c := newCrowd(t, 1, 8, 0)
	var sum frameSize
	n, ships, bullets, hits := 0, 0, 0, 0
	start := time.Now()
	for tick := range 60 * tickRate {
		s := c.play(t)
		if tick >= warmUp {
			sum.room, sum.own, sum.head, sum.blocks = sum.room+s.room, sum.own+s.own, sum.head+s.head, sum.blocks+s.blocks
			n += len(c.players)
			for _, p := range c.players {
				ships += p.seen.Ships.Len()
				bullets += p.seen.Bullets.Len()
			}
		}
		hits += len(c.Events(1))
	}
	per := func(v int) float64 { return float64(v) * tickRate / float64(n) }
	t.Logf("%.0f bytes a second: map %.0f, cells %.0f, head %.0f; %.1f blocks a frame; %.1f ships, %.1f bullets in sight; %d events; %v a tick",
		per(sum.all()), per(sum.room), per(sum.own), per(sum.head), per(sum.blocks)/tickRate, float64(ships)/float64(n), float64(bullets)/float64(n), hits, time.Since(start)/(60*tickRate))
	w := world(c.Room)
	t.Logf("%d ships %d bullets %d blips", w.Ships.Len(), w.Bullets.Len(), w.Blips.Len())
	for _, l := range w.Leaders.All() {
		t.Logf("%+v", *l)
	}
}

var _ = slices.Clone[[]int]
var _ proto.Watch
