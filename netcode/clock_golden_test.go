package netcode_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"muster/netcode"
)

// clockStory is what happens to a clock, each op with what its reader must get then:
//
//	["frame", tick, at], ["pong", rtt, tick, at], ["lead", ticks, times], ["reopen"], ["restart"]
//	["target", now, tick], ["server", now, tick], ["input", now, tick], ["ways", rtt, jitter]
type clockStory struct {
	Name string  `json:"name"`
	Rate int     `json:"rate"`
	Ops  [][]any `json:"ops"`

	clock *netcode.Clock
	rng   *rand.Rand
}

func (s *clockStory) op(op ...any) { s.Ops = append(s.Ops, op) }

func (s *clockStory) frame(tick uint32, at float64) {
	s.clock.Frame(tick, at)
	s.op("frame", tick, at)
}

func (s *clockStory) pong(rtt, tick, at float64) {
	s.clock.Pong(rtt, tick, at)
	s.op("pong", rtt, tick, at)
}

func (s *clockStory) leads(n int, ticks int8) {
	for range n {
		s.clock.Lead(ticks)
	}
	s.op("lead", ticks, n)
}

func (s *clockStory) look(now float64) {
	s.op("target", now, s.clock.Target(now))
	s.op("server", now, s.clock.ServerTick(now))
	s.op("input", now, s.clock.InputTick(now))
}

func (s *clockStory) ways() { s.op("ways", s.clock.RTT(), s.clock.Jitter()) }

// ticks plays ticks from..to: tick n happens at start + n × period; its frame is late by way and up to jitter more, and
// each tenth is followed by a pong.
func (s *clockStory) ticks(from, to uint32, start, period, way, jitter float64) {
	for tick := from; tick <= to; tick++ {
		at := start + float64(float64(tick)*period) + way + float64(s.rng.Float64()*jitter)
		s.frame(tick, at)
		if tick%10 == 5 {
			s.pong(2*way+float64(s.rng.Float64()*jitter), float64(tick)+0.25, at+float64(period/4))
		}
		s.look(at + 3.7)
		s.look(at + float64(period/3))
	}
	s.ways()
}

func clockStories() []*clockStory {
	stories := []struct {
		name string
		rate int
		tell func(*clockStory)
	}{
		{"before anything", 20, func(s *clockStory) { s.look(1234.5); s.ways() }},
		{"steady", 20, func(s *clockStory) { s.ticks(100, 120, 5000, 50, 30, 0) }},
		{"jitter", 30, func(s *clockStory) { s.ticks(1, 60, 1e6, 1000.0/30, 41.3, 55) }},
		{"stall", 20, func(s *clockStory) {
			s.ticks(1, 30, 0, 50, 20, 4)
			s.look(3000)
			s.look(3900) // nothing comes for two seconds, then the room is late for good
			s.ticks(31, 60, 2000, 50, 20, 4)
		}},
		{"spike", 20, func(s *clockStory) {
			s.ticks(1, 20, 0, 50, 20, 0)
			s.ticks(21, 30, 0, 50, 900, 0)
			s.ticks(31, 50, 0, 50, 20, 0)
		}},
		{"the room's clock is fast", 60, func(s *clockStory) { s.ticks(1, 90, 777.7, 1000.0/60*0.999, 15, 2) }},
		{"the room's clock is slow", 60, func(s *clockStory) { s.ticks(1, 90, 777.7, 1000.0/60*1.001, 15, 2) }},
		{"late inputs", 20, func(s *clockStory) {
			s.ticks(1, 5, 0, 50, 20, 0)
			for _, l := range []struct {
				n    int
				lead int8
			}{{3, -1}, {1, 4}, {199, 2}, {200, 1}, {200, 0}, {600, 9}, {40, -128}, {200, 127}} {
				s.leads(l.n, l.lead)
				s.look(300)
			}
		}},
		{"reopen", 20, func(s *clockStory) {
			s.ticks(1, 30, 0, 50, 20, 10)
			s.leads(2, -3)
			s.clock.Reopen()
			s.op("reopen")
			s.look(1600)
			s.ticks(35, 60, 0, 50, 80, 10)
		}},
		{"restart", 20, func(s *clockStory) {
			s.ticks(300, 330, 0, 50, 20, 10)
			s.clock.Restart()
			s.op("restart")
			s.look(16_600)
			s.ticks(310, 340, 1500, 50, 20, 10)
		}},
		{"an answer is read late", 20, func(s *clockStory) {
			s.ticks(1, 30, 0, 50, 20, 4)
			s.pong(20_040, 31, 21_570)
			s.look(21_570)
			s.ticks(432, 450, 0, 50, 20, 4)
			s.pong(1041, 451, 22_570)
			s.look(22_570)
		}},
		{"the first answers are read late", 20, func(s *clockStory) {
			s.ticks(1, 4, 0, 50, 20, 4)
			s.pong(9000, 4, 220)
			s.pong(8100, 4, 230)
			s.look(230)
			s.ticks(5, 30, 0, 50, 20, 4)
		}},
		{"the way becomes much longer for good", 20, func(s *clockStory) {
			s.ticks(1, 20, 0, 50, 20, 4)
			s.ticks(21, 220, 0, 50, 700, 4)
		}},
		{"nonsense", 128, func(s *clockStory) {
			s.ticks(1, 5, 0, 7.8125, 20, 0)
			s.pong(-1, 5, 70)
			s.pong(60_001, 5, 70)
			s.pong(10, -1, 70)
			s.pong(10, 1<<33, 70)
			s.frame(6, 1e300)
			s.look(-1e300)
			s.look(100)
			s.look(90)
			s.frame(math.MaxUint32, 100)
			s.look(110)
			s.frame(7, 110)
			s.look(120)
			s.look(1 << 53)
			s.ways()
		}},
	}
	list := make([]*clockStory, 0, len(stories))
	for i, story := range stories {
		s := &clockStory{Name: story.name, Rate: story.rate, clock: netcode.NewClock(story.rate), rng: rand.New(rand.NewPCG(5, uint64(i)))}
		story.tell(s)
		list = append(list, s)
	}
	return list
}

func TestClockSaysTheGoldenNumbers(t *testing.T) {
	wantGolden(t, "../proto/testdata/clock.json", clockStories())
}
