package canvas

import (
	"strings"
	"testing"

	"muster/netcode"
)

// later lets time pass.
func (p *paper) later(ticks uint32) {
	for range ticks {
		p.tick++
		p.forget(p.tick, tickRate)
	}
	p.whole()
}

// holes is a text of which every second character is deleted, each by itself.
func holes(t *testing.T, n uint32) *paper {
	t.Helper()
	p := newPaper(t, 2)
	at := Place{}
	for i := range n {
		a := p.author(1)
		in := Input{Op: Insert, N: a.Next, At: at, Text: "ab"}
		if why := p.do(1, &in, p.tick); why != "" {
			t.Fatal(why)
		}
		if why := p.do(1, &Input{Op: Delete, Which: which(1, 2*i+1, 1)}, p.tick); why != "" {
			t.Fatal(why)
		}
		at = Place{1, a.Next - 1}
	}
	p.whole()
	return p
}

func TestADeletedCharacterKeepsItsPlaceForTwoMinutes(t *testing.T) {
	p := holes(t, keepRuns+10)
	p.later(keepSeconds*tickRate - 1)
	if n := len(p.indexed().dead); n != keepRuns+10 {
		t.Fatalf("%d deleted runs are left", n)
	}
	p.types(2, Place{1, 1}, "!")
	p.later(1)
	if n := len(p.indexed().dead); n != keepRuns {
		t.Fatalf("%d deleted runs are left, want those that may be restored: %d", n, keepRuns)
	}
	p.later(keepSeconds * tickRate)
	if n := len(p.indexed().dead); n != keepRuns {
		t.Fatalf("%d deleted runs are left", n)
	}
	if why := p.do(2, &Input{Op: Insert, N: 2, At: Place{1, 3}, Text: "?"}, p.tick); why != refusedPlace {
		t.Errorf("a place that is forgotten: %q", why)
	}
	p.does(1, Input{Op: Delete, Which: which(1, 1, 10)})    // some of them are forgotten
	p.does(1, Input{Op: Restore, Which: which(1, 1, 2060)}) // and some are not
	if text := p.Text(); text[:3] != "!bb" || strings.Count(text, "a") < keepRuns-10 {
		t.Errorf("%.20q … %q", text, text[len(text)-10:])
	}
}

func TestCursorsLeaveWhatIsForgotten(t *testing.T) {
	p := holes(t, keepRuns+2)
	p.does(2, Input{Op: Caret, At: Place{1, 3}, Mark: Place{1, 1}})
	p.later(keepSeconds * tickRate)
	if c := p.cursor(2); c.Caret != (Place{1, 2}) || c.Mark != (Place{}) {
		t.Errorf("%+v", c)
	}
}

func TestWhatDeletedRunsSaidIsKeptUpToABound(t *testing.T) {
	p := newPaper(t, 1)
	for range keepWas/3000 + 3 {
		at := p.types(1, Place{}, strings.Repeat("x", 3000))
		p.tick++
		p.does(1, Input{Op: Delete, Which: which(1, at.N-2999, 3000)})
		p.later(1)
	}
	if n := p.indexed().was; n > keepWas || n < keepWas-maxRun {
		t.Fatalf("%d bytes are kept", n)
	}
	p.does(1, Input{Op: Restore, Which: which(1, 1, 6000)}) // the oldest
	if text := p.Text(); text != "" {
		t.Fatalf("%d bytes came back", len(text))
	}
	n := p.author(1).Next
	p.does(1, Input{Op: Restore, Which: which(1, n-3000, 3000)})
	p.says(strings.Repeat("x", 3000))
}

// Where deleted runs fill the table they go before their time, so that nobody can keep others from writing.
func TestDeletedRunsGiveWayWhereRunsAreTooMany(t *testing.T) {
	p := newPaper(t, 2)
	for i := range uint32(fullRuns + 200) {
		seat := netcode.Seat(1 + i%2)
		n := i/2 + 1
		for _, in := range []Input{{Op: Insert, N: n, Text: "x"}, {Op: Delete, Which: which(uint32(p.cursor(seat).Author), n, 1)}} {
			if why := p.do(seat, &in, p.tick); why != "" {
				t.Fatal(why)
			}
		}
	}
	if p.later(10); p.Runs.Len() != fullRuns {
		t.Errorf("%d runs", p.Runs.Len())
	}
	p.says("")
}

func TestRunsThatADeletedOnePartedBecomeOne(t *testing.T) {
	p := newPaper(t, 2)
	p.types(1, Place{}, "abcdef")
	p.types(2, Place{1, 3}, "XYZ")
	p.does(2, Input{Op: Delete, Which: which(2, 1, 3)})
	for id, row := range p.Runs.All() { // as if there were many deleted ones
		if r := *row; r.Text == "" {
			p.dropRun(id)
			p.join(r.After, p.indexed().behind(r.After))
		}
	}
	if p.says("abcdef"); p.Runs.Len() != 1 {
		t.Errorf("%d runs", p.Runs.Len())
	}
}
