package canvas

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/netcode"
)

func textOf(list []point) string {
	var b []byte
	var at point
	for _, p := range list {
		b = AppendPoint(b, p.x-at.x, p.y-at.y)
		at = p
	}
	return string(b)
}

var anyPoint = rapid.Custom(func(t *rapid.T) point {
	return point{rapid.IntRange(0, BoardWidth).Draw(t, "x"), rapid.IntRange(0, BoardHeight).Draw(t, "y")}
})

func TestPointsAreReadAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(anyPoint).Draw(t, "points")
		have, err := points(textOf(want))
		if err != nil || !slices.Equal(have, want) {
			t.Fatalf("%v, %v, want %v", have, err, want)
		}
	})
	if s := string(AppendPoint(AppendPoint(nil, 0, -1), 15, 4096)); s != "?@]__G" {
		t.Errorf("%q", s)
	}
}

// A line that is drawn bit by bit is what was drawn, in parts that each begin where the one before ends.
func TestALineIsWhatWasDrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPaper(t, 1)
		var want []point
		for i := range rapid.IntRange(1, 8).Draw(t, "commands") {
			list := rapid.SliceOfN(anyPoint, 1, 80).Draw(t, "points")
			op := Extend
			if i == 0 {
				op = Draw
			}
			p.does(1, Input{Op: op, N: 5, Colour: 1, Width: 2, Text: textOf(list)})
			want = append(want, list...)
		}
		h := p.indexed().of(1)
		var have []point
		for i, id := range h.lines[0].parts {
			s := p.Strokes.Get(id)
			list, err := points(s.Points)
			if err != nil || int(s.Part) != i || len(s.Points) > maxPoints || s.Colour != 1 || s.Width != 2 {
				t.Fatalf("part %d is %+v: %v", i, s, err)
			}
			if i > 0 {
				if list[0] != have[len(have)-1] {
					t.Fatalf("part %d begins at %v", i, list[0])
				}
				list = list[1:]
			}
			have = append(have, list...)
		}
		if !slices.Equal(have, want) {
			t.Fatalf("%v, want %v", have, want)
		}
	})
}

func (p *paper) draws(seat netcode.Seat, list ...point) uint32 {
	p.t.Helper()
	n := p.Board.V.Clock + 1
	p.does(seat, Input{Op: Draw, N: n, Width: 1, Text: textOf(list)})
	return n
}

func TestLinesAreErasedByAnyoneAndClearedByTheirAuthor(t *testing.T) {
	p := newPaper(t, 2)
	for range 6 {
		p.draws(1, point{1, 1}, point{2, 2})
		p.draws(2, point{1, 1}, point{2, 2})
	}
	p.does(2, Input{Op: Erase, Which: which(1, 1, 3, 2, 4, 1)}) // 1 and 3 of the first, 4 of the second
	if p.Strokes.Len() != 9 {
		t.Fatalf("%d lines", p.Strokes.Len())
	}
	p.does(2, Input{Op: Erase, Which: which(1, 1, 3)}) // they are gone
	if why := p.do(1, &Input{Op: Extend, N: 3, Text: textOf([]point{{5, 5}})}, 1); why != refusedGone {
		t.Errorf("%q", why)
	}
	p.does(1, Input{Op: Clear})
	if p.Strokes.Len() != 5 || p.Board.V.Lines != 5 {
		t.Fatalf("%d lines", p.Strokes.Len())
	}
	if n := p.draws(1, point{}); n != 13 {
		t.Errorf("the number %d was given before", n)
	}
}

func TestWhatTheBoardCannotTakeIsRefused(t *testing.T) {
	good := textOf([]point{{1, 1}, {2, 2}})
	draw := func(n uint32, text string) Input { return Input{Op: Draw, N: n, Width: 1, Text: text} }
	for name, c := range map[string]struct {
		in   Input
		want string
	}{
		"no points":                {draw(4, ""), refusedPoints},
		"half a point":             {draw(4, good+"?"), refusedPoints},
		"half a number":            {draw(4, good+"~"), refusedPoints},
		"a number that is long":    {draw(4, "____??"), refusedPoints},
		"no point at all":          {draw(4, " \n"), refusedPoints},
		"a point beyond the edge":  {draw(4, textOf([]point{{BoardWidth + 1, 0}})), refusedPoints},
		"a point above":            {draw(4, textOf([]point{{0, -1}})), refusedPoints},
		"a point below":            {draw(4, textOf([]point{{5, BoardHeight}, {5, BoardHeight + 1}})), refusedPoints},
		"no width":                 {Input{Op: Draw, N: 4, Text: good}, refusedInk},
		"a width beyond":           {Input{Op: Draw, N: 4, Text: good, Width: MaxWidth + 1}, refusedInk},
		"a colour beyond":          {Input{Op: Draw, N: 4, Text: good, Width: 1, Colour: Colours}, refusedInk},
		"a number that is taken":   {draw(3, good), refusedLine},
		"the number 0":             {draw(0, good), refusedLine},
		"a number far ahead":       {draw(4+ahead, good), refusedLine},
		"a line that is not there": {Input{Op: Extend, N: 2, Text: good}, refusedGone},
		"one drawn on by nothing":  {Input{Op: Extend, N: 3}, refusedPoints},
		"another's line":           {Input{Op: Extend, N: 1, Text: good}, refusedGone},
		"erasing nothing":          {Input{Op: Erase}, refusedRanges},
		"erasing what never was":   {Input{Op: Erase, Which: which(1, 4, 1)}, refusedGone},
		"erasing of nobody":        {Input{Op: Erase, Which: which(9, 1, 1)}, refusedGone},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPaper(t, 2)
			p.draws(2, point{1, 1})
			p.draws(2, point{1, 1})
			p.draws(1, point{1, 1})
			if have := p.do(1, &c.in, 1); have != c.want {
				t.Errorf("%q, want %q", have, c.want)
			}
			p.whole()
		})
	}
}

func TestAFullBoardTakesNoMore(t *testing.T) {
	t.Run("lines", func(t *testing.T) {
		p := newPaper(t, 1)
		for n := uint32(1); n <= MaxStrokes; n++ {
			if why := p.do(1, &Input{Op: Draw, N: n, Width: 1, Text: "??"}, 1); why != "" {
				t.Fatalf("line %d: %s", n, why)
			}
		}
		if why := p.do(1, &Input{Op: Draw, N: MaxStrokes + 1, Width: 1, Text: "??"}, 1); why != refusedFull {
			t.Errorf("%q", why)
		}
		p.does(1, Input{Op: Erase, Which: which(1, 1, 1)})
		p.does(1, Input{Op: Draw, N: MaxStrokes + 1, Width: 1, Text: "??"})
	})
	t.Run("ink", func(t *testing.T) {
		p := newPaper(t, 1)
		text := strings.Repeat("??", 1500)
		why := ""
		for n := uint32(1); why == "" && n < MaxStrokes; n++ {
			why = p.do(1, &Input{Op: Draw, N: n, Width: 1, Text: text}, 1)
		}
		if p.whole(); why != refusedFull || p.Board.V.Ink > MaxInk+MaxInk/maxPoints || p.Board.V.Ink < MaxInk-4000 {
			t.Errorf("%q with %d bytes", why, p.Board.V.Ink)
		}
	})
}
