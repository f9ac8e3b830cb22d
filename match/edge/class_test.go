package edge

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// line is a way to a viewer in ticks: frames queue where it is narrow, and each is acknowledged when it has arrived and
// the acknowledgement has come back.
type line struct {
	rate, rtt uint32 // rtt in ticks
	percent   int    // of all frames that it carries
	jitter    uint32 // in ticks: acknowledgements are up to so much later
	silent    bool   // nothing is acknowledged
	stuck     bool   // the socket takes nothing

	p         pace
	tick      uint32
	sent      uint32
	room      int // hundredths of a frame that it could have carried since the last one left
	queue     []uint32
	flying    [][2]uint32 // tick, when its acknowledgement is here
	seen      uint32
	histories []uint32 // every, by tick
}

func (l *line) step() uint32 {
	l.tick++
	l.room += l.percent
	for len(l.queue) > 0 && l.room >= 100 {
		l.flying = append(l.flying, [2]uint32{l.queue[0], l.tick + l.rtt + l.tick*2654435761>>8%(l.jitter+1)})
		l.queue = l.queue[1:]
		l.room -= 100
	}
	l.room = min(l.room, 100)
	for len(l.flying) > 0 && l.flying[0][1] <= l.tick {
		if !l.silent {
			l.seen = l.flying[0][0]
		}
		l.flying = l.flying[1:]
	}
	every := l.p.next(l.tick, l.sent, l.seen, l.stuck, l.rate)
	if !l.stuck && l.tick%every == 0 {
		l.sent = l.tick
		l.queue = append(l.queue, l.tick)
	}
	l.histories = append(l.histories, every)
	return every
}

// run steps for so many seconds and returns how often the class was changed, and the ticks spent in each.
func (l *line) run(seconds uint32) (changes int, in map[uint32]int) {
	in = map[uint32]int{}
	before := classes[l.p.class]
	for range seconds * l.rate {
		every := l.step()
		if every != before {
			changes++
		}
		before = every
		in[every]++
	}
	return changes, in
}

func TestAPaceFollowsTheLine(t *testing.T) {
	for name, c := range map[string]struct {
		line line
		want uint32 // where it is most of the time, after half a minute
	}{
		"wide and short":                    {line{rate: 20, rtt: 1, percent: 1000}, 1},
		"wide and 400 ms long":              {line{rate: 20, rtt: 8, percent: 1000}, 1},
		"wide and a second long":            {line{rate: 20, rtt: 20, percent: 1000}, 1},
		"wide and 400 ms long, fast ticks":  {line{rate: 60, rtt: 24, percent: 1000}, 1},
		"carries just all":                  {line{rate: 20, rtt: 2, percent: 100}, 1},
		"carries three in four":             {line{rate: 20, rtt: 2, percent: 75}, 2},
		"carries two in five":               {line{rate: 20, rtt: 2, percent: 40}, 3},
		"carries two in five, long":         {line{rate: 20, rtt: 8, percent: 40}, 3},
		"carries a fifth":                   {line{rate: 20, rtt: 2, percent: 20}, 6},
		"carries less than the worst class": {line{rate: 20, rtt: 2, percent: 10}, 6},
		"carries two in five, fast ticks":   {line{rate: 60, rtt: 6, percent: 40}, 3},
		"carries two in five, slow ticks":   {line{rate: 5, rtt: 1, percent: 40}, 3},
		"acknowledges nothing":              {line{rate: 20, rtt: 2, percent: 10, silent: true}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := c.line
			l.run(30)
			changes, in := l.run(120)
			if n := in[c.want]; n < int(120*l.rate)*2/3 {
				t.Errorf("ticks in each class %v, want most of them in %d", in, c.want)
			}
			if changes > 12 {
				t.Errorf("%d changes in two minutes", changes)
			}
		})
	}
}

func TestAPaceNeverMovesOnALineThatIsWideEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Uint32Range(4, 128).Draw(t, "rate")
		l := line{rate: rate, rtt: rapid.Uint32Range(0, rate).Draw(t, "rtt"), percent: rapid.IntRange(100, 1000).Draw(t, "percent")}
		l.jitter = rapid.Uint32Range(0, rate/5).Draw(t, "jitter")
		if changes, in := l.run(60); changes != 0 {
			t.Fatalf("%d changes: %v", changes, in)
		}
	})
}

// Whatever the line did before, a viewer whose line is wide again gets every frame in the end.
func TestAPaceComesBackByItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Uint32Range(4, 128).Draw(t, "rate")
		l := line{rate: rate, rtt: rapid.Uint32Range(0, rate).Draw(t, "rtt"), percent: 200}
		l.run(5)
		for range rapid.IntRange(1, 6).Draw(t, "troubles") {
			l.percent = rapid.IntRange(5, 300).Draw(t, "percent")
			l.stuck = rapid.Bool().Draw(t, "stuck")
			l.run(rapid.Uint32Range(1, 20).Draw(t, "seconds"))
		}
		l.stuck, l.percent = false, 200
		// What stands in the queue must leave it first: up to two minutes' frames at two a tick.
		l.run(60 + 3*paceMost + paceSettle)
		if got := classes[l.p.class]; got != 1 {
			t.Fatalf("still every %d", got)
		}
		if changes, in := l.run(60); changes != 0 {
			t.Fatalf("%d changes afterwards: %v", changes, in)
		}
	})
}

// Moves are to the neighbouring class; those up are at least two seconds after any other.
func TestAPaceMovesOneClassAtATimeAndUpSlowly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Uint32Range(4, 128).Draw(t, "rate")
		l := line{rate: rate, rtt: rapid.Uint32Range(0, rate).Draw(t, "rtt")}
		for range rapid.IntRange(1, 10).Draw(t, "spells") {
			l.percent = rapid.IntRange(5, 300).Draw(t, "percent")
			l.stuck, l.silent = rapid.Bool().Draw(t, "stuck"), rapid.Bool().Draw(t, "silent")
			l.run(rapid.Uint32Range(1, 10).Draw(t, "seconds"))
		}
		last, at := uint32(1), -int(paceFirst*rate)
		for tick, every := range l.histories {
			from, to := slices.Index(classes[:], last), slices.Index(classes[:], every)
			if from == to {
				continue
			}
			if to < 0 || to-from > 1 || to-from < -1 {
				t.Fatalf("from every %d to every %d", last, every)
			}
			if to < from && tick-at < int(paceFirst*rate) {
				t.Fatalf("up after %d ticks of %d a second", tick-at, rate)
			}
			last, at = every, tick
		}
	})
}

// On a line that stays as it is, a viewer tries the better class ever more seldom.
func TestAPacesAttemptsGetRarer(t *testing.T) {
	l := line{rate: 20, rtt: 2, percent: 75}
	l.run(60)
	changes, _ := l.run(600)
	if most := 2*600/paceMost + 2; changes > most {
		t.Errorf("%d changes in ten minutes, want at most %d", changes, most)
	}
	if changes == 0 {
		t.Error("it never tries")
	}
}

// On no line that stays as it is does a viewer go up and down without an end.
func TestAPaceSettlesOnAnyLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Uint32Range(10, 128).Draw(t, "rate")
		l := line{rate: rate, rtt: rapid.Uint32Range(0, rate).Draw(t, "rtt"), percent: rapid.IntRange(18, 300).Draw(t, "percent")}
		l.run(240)
		changes, in := l.run(300)
		if most := 3 * 300 / paceMost; changes > most {
			t.Fatalf("%d changes in five minutes, want at most %d: %v", changes, most, in)
		}
	})
}

func TestAPaceTakesALongerWayForWhatItIs(t *testing.T) {
	l := line{rate: 20, rtt: 1, percent: 1000}
	l.run(30)
	l.rtt = 18 // 850 ms more
	l.run(40)
	if changes, in := l.run(60); changes != 0 || in[1] == 0 {
		t.Errorf("%d changes: %v", changes, in)
	}
}

func TestTwoCongestionsInTwoSecondsMoveAViewerDown(t *testing.T) {
	congest := func(l *line, ticks int) {
		l.stuck = true
		for range ticks {
			l.step()
		}
		l.stuck = false
	}
	for name, c := range map[string]struct {
		apart uint32 // in ticks of 50 ms
		want  uint32
	}{"a second": {20, 2}, "three seconds": {60, 1}} {
		l := line{rate: 20, rtt: 2, percent: 1000}
		l.run(10)
		congest(&l, 3)
		for range c.apart - 3 {
			l.step()
		}
		congest(&l, 3)
		if got := l.step(); got != c.want {
			t.Errorf("%s apart: every %d, want %d", name, got, c.want)
		}
	}
}

func TestAcknowledgementsOfTheFutureAreNotJudged(t *testing.T) {
	var p pace
	for tick := uint32(1); tick < 1000; tick++ {
		if every := p.next(tick, tick-1, 1<<31, tick%3 == 0, 20); every != 1 {
			t.Fatalf("tick %d: every %d", tick, every)
		}
	}
}
