package netcode

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"muster/proto"
)

const clockStart = 5000 // ms: when tick 0 happened, by the clock here

// fedClock is a clock of 20 Hz that has had frames up to a tick, each late by what delay says, in milliseconds.
func fedClock(ticks uint32, delay func(tick uint32) float64) *Clock {
	c := NewClock(20)
	for tick := uint32(1); tick <= ticks; tick++ {
		c.Frame(tick, tickAt(float64(tick))+delay(tick))
	}
	return c
}

func tickAt(tick float64) float64 { return clockStart + tick*50 }

func by(ms float64) func(uint32) float64 { return func(uint32) float64 { return ms } }

func TestClockThatHeardNothingSaysNothing(t *testing.T) {
	c := NewClock(20)
	if c.Target(tickAt(10)) != 0 || c.ServerTick(tickAt(10)) != 0 || c.RTT() != 0 || c.Jitter() != 0 {
		t.Errorf("%+v", c)
	}
}

func TestInputIsForTheTickAtWhichItArrivesInTime(t *testing.T) {
	c := fedClock(100, by(40))
	c.Pong(80, 100, tickAt(100)+40)
	// 100 + (80 - 40)/50 + 0.5 is how far the room has come when the input is there, with half a tick of slack.
	if got, want := c.Target(tickAt(100)), uint32(102); got != want || tickAt(float64(got)) <= tickAt(100)+40 {
		t.Errorf("target %d, want %d", got, want)
	}
}

func TestServerTickCountsTheWayHere(t *testing.T) {
	c := fedClock(100, by(40))
	c.Pong(80, 100.25, tickAt(100.25)+40)
	if got := c.ServerTick(tickAt(101)); math.Abs(got-101) > 0.01 {
		t.Errorf("server tick %v, want 101", got)
	}
}

func TestAnswerThatIsReadLateSaysLittleOfTheWay(t *testing.T) {
	c := fedClock(200, by(25))
	pongs := func(from, to float64) {
		for tick := from; tick <= to; tick += 20 {
			c.Pong(50, tick, tickAt(tick)+25)
		}
	}
	ahead := func(tick float64) float64 { return float64(c.Target(tickAt(tick))) - tick }
	pongs(20, 200)
	before := ahead(200)
	c.Pong(20_000, 200, tickAt(200)+20_000) // the program stood still
	if got := ahead(200); math.Abs(got-before) >= 10 {
		t.Errorf("inputs are %v ticks ahead, %v before", got, before)
	}
	pongs(220, 400)
	if got := ahead(400); math.Abs(got-before) > 1 {
		t.Errorf("inputs are %v ticks ahead, %v before", got, before)
	}
	c = fedClock(100, by(25))
	c.Pong(9000, 100, tickAt(100)+25)
	c.Pong(50, 100, tickAt(100)+25)
	if c.RTT() != 50 {
		t.Errorf("a round trip of %v, 50 after one that was read late", c.RTT())
	}
}

func TestWhatComesLaterForGoodIsFollowed(t *testing.T) {
	before := fedClock(100, by(10)).Target(tickAt(800))
	after := fedClock(800, func(tick uint32) float64 {
		if tick <= 100 {
			return 10
		}
		return 110
	}).Target(tickAt(800))
	if before-after != 2 {
		t.Errorf("target %d, %d after the way became two ticks longer", before, after)
	}
}

func TestLateInputsRaiseTheTargetAtOnceAndEarlyOnesLowerItSlowly(t *testing.T) {
	c := fedClock(100, by(0))
	target := func() uint32 { return c.Target(tickAt(100) + 1) }
	before := target()
	leads := func(n int, lead int8) uint32 {
		for range n {
			c.Lead(lead)
		}
		return target()
	}
	for _, step := range []struct {
		what string
		n    int
		lead int8
		want uint32
	}{
		{"four late ones", 4, -1, before + 2},
		{"early ones, but few", 199, 3, before + 2},
		{"one more: half of what they had to spare", 1, 3, before + 1},
		{"many that are just in time", 1000, 0, before + 1},
		{"one of them just in time", 1, 0, before + 1},
		{"early ones", 199, 9, before + 1},
		{"many early ones", 1000, 9, before},
		{"many late ones: it has a bound", 1000, -128, before + 16},
	} {
		if got := leads(step.n, step.lead); got != step.want {
			t.Errorf("%s: target %d, want %d", step.what, got, step.want)
		}
	}
}

func TestSmallErrorIsSlewedAwayAndALargeOneIsNot(t *testing.T) {
	c := fedClock(100, by(0))
	shows := func(at, want, within float64) {
		t.Helper()
		if got := c.ServerTick(tickAt(at)); math.Abs(got-want) > within {
			t.Errorf("at tick %v: %v, want %v", at, got, want)
		}
	}
	shows(100, 100, 1e-9)
	c.Frame(101, tickAt(101)-25) // half a tick earlier than thought
	shows(101, 101.1, 1e-9)
	for at := 102.0; at < 130; at++ {
		c.ServerTick(tickAt(at))
	}
	shows(130, 130.5, 1e-9)
	shows(129, 130.5, 1e-9) // a time before the last one
	c.Frame(200, tickAt(131))
	shows(131, 200, 1e-9)
}

func TestRoomThatFallsFarBehindIsFollowedByStandingStill(t *testing.T) {
	c := fedClock(100, by(0))
	stood := c.ServerTick(tickAt(100))
	for tick := uint32(101); tick <= 120; tick++ {
		c.Frame(tick, tickAt(float64(tick))+2000) // the schedule starts anew, forty ticks late
		if got := c.ServerTick(tickAt(float64(tick)) + 2000); got < stood {
			t.Fatalf("%v after %v", got, stood)
		}
	}
	if got := c.Target(tickAt(120) + 2000); got > 120+12 {
		t.Errorf("target %d a second later, at tick 120", got)
	}
	c.Frame(121, tickAt(121)) // only a spike: what is in time again counts at once
	c.Restart()
	c.Frame(122, tickAt(122))
	if got := c.ServerTick(tickAt(122)); got != 122 {
		t.Errorf("server tick %v, want 122", got)
	}
}

func TestNewEpochStartsAnewAndANewSocketGoesOn(t *testing.T) {
	c := fedClock(100, by(0))
	c.Pong(80, 100, tickAt(100))
	c.ServerTick(tickAt(100))
	c.Reopen()
	if got := c.ServerTick(tickAt(101)); got < 100 || c.RTT() != 0 || c.Target(tickAt(101)) != 0 {
		t.Errorf("after a reopen: server tick %v, round trip %v", got, c.RTT())
	}
	c.Frame(101, tickAt(101)+20)
	if got := c.ServerTick(tickAt(102)); got < 100 {
		t.Errorf("server tick %v after 100", got)
	}
	c.Pong(60, 101, tickAt(101)+20)
	c.Restart()
	c.Frame(50, tickAt(103))
	if got := c.ServerTick(tickAt(103)); math.Abs(got-50.6) > 1e-9 || c.RTT() != 60 {
		t.Errorf("in the new epoch: server tick %v, want 50.6; round trip %v", got, c.RTT())
	}
}

// hostileTime draws a time that a correct caller gives now and then, or none at all.
func hostileTime(t *rapid.T, what string) float64 {
	if rapid.Bool().Draw(t, what+" is a time") {
		return rapid.Float64Range(0, 1e7).Draw(t, what)
	}
	return rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{
		math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 1 << 53, -1 << 53,
	})).Draw(t, what)
}

func TestWhateverHappensTheClockStaysFiniteAndTheServerTickNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := NewClock(rapid.SampledFrom([]int{-1, 0, 1, 20, 128}).Draw(t, "rate"))
		shown := 0.0
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0:
				c.Frame(rapid.Uint32().Draw(t, "tick"), hostileTime(t, "at"))
			case 1:
				c.Pong(hostileTime(t, "rtt"), hostileTime(t, "tick"), hostileTime(t, "at"))
			case 2:
				for range rapid.IntRange(1, 300).Draw(t, "times") {
					c.Lead(rapid.Int8().Draw(t, "lead"))
				}
			case 3:
				c.Target(hostileTime(t, "now"))
			case 4, 5:
				got := c.ServerTick(hostileTime(t, "now"))
				if !(got >= shown) || math.IsInf(got, 0) {
					t.Fatalf("server tick %v after %v", got, shown)
				}
				shown = got
			default:
				c.Reopen()
			}
			for _, v := range []float64{c.RTT(), c.Jitter(), c.origin, c.slack, c.least, c.server.tick} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("not finite: %+v", c)
				}
			}
			if c.slack < 0 || c.slack > slackMost {
				t.Fatalf("slack %v", c.slack)
			}
		}
	})
}

// clockWay is one direction of a simulated network: nothing overtakes anything.
type clockWay[T any] struct {
	delay func() float64
	last  float64
	queue []arrival[T]
}

type arrival[T any] struct {
	at float64
	v  T
}

func (w *clockWay[T]) send(now float64, v T) {
	w.last = max(w.last, now+w.delay())
	w.queue = append(w.queue, arrival[T]{w.last, v})
}

func (w *clockWay[T]) receive(now float64, f func(at float64, v T)) {
	for len(w.queue) > 0 && w.queue[0].at <= now {
		f(w.queue[0].at, w.queue[0].v)
		w.queue = w.queue[1:]
	}
}

// jitters draws a source of delays from way to way + most.
func jitters(t *rapid.T, what string, way, most float64) func() float64 {
	seed := rapid.Uint64().Draw(t, what)
	next := func() float64 { // SplitMix64: drawing each number would be slow
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return float64((z^z>>31)>>11) / (1 << 53)
	}
	n := 0
	return map[string]func() float64{
		"even":   func() float64 { return way + most*next() },
		"spikes": func() float64 { return way + most*math.Pow(next(), 8) },
		"two":    func() float64 { return way + most*math.Round(next()) },
		"bursts": func() float64 { n++; return way + most*float64(n/50%2) },
	}[rapid.SampledFrom([]string{"even", "spikes", "two", "bursts"}).Draw(t, what+" is")]
}

func TestInputsComeInTimeAndNotMuchTooEarlyWhateverTheWaysAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]int{10, 20, 60}).Draw(t, "rate")
		perMS := float64(rate) / 1000
		jitter := rapid.SampledFrom([]float64{0, 5, 30, 100}).Draw(t, "jitter")
		down := clockWay[[3]int]{delay: jitters(t, "down", rapid.Float64Range(0, 150).Draw(t, "way down"), jitter)}
		up := clockWay[proto.Input]{delay: jitters(t, "up", rapid.Float64Range(0, 150).Draw(t, "way up"), jitter)}
		pings := clockWay[float64]{delay: up.delay}
		pongs := clockWay[[2]float64]{delay: down.delay}
		phase := rapid.Float64Range(0, 1).Draw(t, "phase")

		c := NewClock(rate)
		b := NewInputBuffer(proto.Commands, rate, 16)
		const warm, length = 20_000, 80_000
		var tick, seq, aimed, processed uint32
		var inputs, late int
		most, shown := math.Inf(-1), 0.0
		for now := 0.0; now < length; now++ {
			up.receive(now, func(_ float64, in proto.Input) {
				b.Push(&in, tick+1)
				if now > warm {
					inputs++
					most = max(most, float64(in.Tick)-float64(tick+1))
					if in.Tick <= tick {
						late++
					}
				}
			})
			pings.receive(now, func(_, stamp float64) { pongs.send(now, [2]float64{stamp, now * perMS}) })
			if now*perMS >= float64(tick+1) {
				tick++
				b.Take(tick)
				down.send(now, [3]int{int(tick), int(b.Processed()), int(b.Lead())})
			}
			down.receive(now, func(at float64, f [3]int) {
				c.Frame(uint32(f[0]), at)
				if uint32(f[1]) > processed {
					processed = uint32(f[1])
					c.Lead(int8(f[2]))
				}
			})
			pongs.receive(now, func(at float64, p [2]float64) { c.Pong(at-p[0], p[1], at) })
			if int(now)%1000 == 100 {
				pings.send(now, now)
			}
			if processed > 0 || tick > 5 {
				if now*perMS >= float64(seq)+phase+6 && c.Target(now) > 0 {
					seq++
					aimed = max(aimed, c.Target(now))
					up.send(now, proto.Input{Seq: seq, Tick: aimed})
				}
			}
			got := c.ServerTick(now)
			if got < shown || now > warm && got-shown > perMS*1.1+1e-9 {
				t.Fatalf("at %v ms: server tick %v after %v", now, got, shown)
			}
			if shown = got; now > warm && math.Abs(got-now*perMS) > (jitter+150)*perMS+1 {
				t.Fatalf("at %v ms: server tick %v, it is %v", now, got, now*perMS)
			}
		}
		// An origin is late by the jitter at most, a round trip by twice that; so the slack rises no further than to
		// twice the jitter and a tick and a half, and the lead to four times and two and a half.
		if bound := 4*jitter*perMS + 3; most > bound {
			t.Errorf("an input came %v ticks early, at most %v wanted", most, bound)
		}
		if inputs < int(float64(length-warm)*perMS)-60 {
			t.Fatalf("%d inputs were sent", inputs)
		}
		// The slack is lowered now and then to see whether it may be: that costs an input.
		if jitter == 0 && late > 0 || float64(late) > 0.01*float64(inputs) {
			t.Errorf("%d of %d inputs were late", late, inputs)
		}
	})
}
