package canvas

import (
	"strings"
	"testing"

	"muster/netcode"
)

func TestTypingMakesARunLongerUpToItsBound(t *testing.T) {
	p := newPaper(t, 2)
	at := p.types(1, Place{}, "a")
	for range typed - 1 {
		at = p.types(1, at, "b")
	}
	if p.Runs.Len() != 1 {
		t.Fatalf("%d runs", p.Runs.Len())
	}
	at = p.types(1, at, "c")
	if p.Runs.Len() != 2 {
		t.Fatalf("%d runs", p.Runs.Len())
	}
	p.types(2, at, "d")
	p.types(1, at, "e") // goes on before d
	p.says("a" + strings.Repeat("b", typed-1) + "ced")
	if p.Runs.Len() != 3 {
		t.Errorf("%d runs", p.Runs.Len())
	}
}

func TestALongTextIsCutBetweenCharacters(t *testing.T) {
	p := newPaper(t, 1)
	text := strings.Repeat("é😀x", 400) // 7 bytes, so that 1024 is within a character
	p.types(1, Place{}, text)
	p.says(text)
	if p.Runs.Len() != 3 {
		t.Errorf("%d runs", p.Runs.Len())
	}
	p.types(1, Place{1, 600}, "|")
	p.says(string([]rune(text)[:600]) + "|" + string([]rune(text)[600:]))
}

func TestWhatIsTypedBehindADeletedCharacterHasItsPlace(t *testing.T) {
	p := newPaper(t, 3)
	p.types(1, Place{}, "hello world")
	p.does(2, Input{Op: Delete, Which: which(1, 4, 5)}) // "lo wo"
	p.says("helrld")
	p.types(3, Place{1, 6}, "!") // behind the space, which is gone
	p.says("hel!rld")
	p.does(2, Input{Op: Restore, Which: which(1, 1, 11)})
	p.says("hello !world")
}

func TestOnlyWhoDeletedBringsBack(t *testing.T) {
	p := newPaper(t, 2)
	p.types(1, Place{}, "abcdef")
	p.does(1, Input{Op: Delete, Which: which(1, 1, 3)})
	p.does(2, Input{Op: Delete, Which: which(1, 2, 4)}) // b and c are gone already
	p.says("f")
	p.does(2, Input{Op: Restore, Which: which(1, 1, 6)})
	p.says("def")
	p.does(1, Input{Op: Restore, Which: which(1, 1, 6)})
	p.does(1, Input{Op: Restore, Which: which(1, 1, 6)}) // nothing comes twice
	p.says("abcdef")
	if p.Runs.Len() != 1 {
		t.Errorf("%d runs", p.Runs.Len())
	}
}

func TestDeletingBackwardsLeavesOneRun(t *testing.T) {
	p := newPaper(t, 1)
	p.types(1, Place{}, strings.Repeat("x", 50))
	for n := uint32(50); n > 1; n-- {
		p.tick++
		p.does(1, Input{Op: Delete, Which: which(1, n, 1)})
	}
	if p.says("x"); p.Runs.Len() != 2 {
		t.Errorf("%d runs", p.Runs.Len())
	}
}

func TestTheCaretIsBehindWhatWasTyped(t *testing.T) {
	p := newPaper(t, 2)
	p.types(1, Place{}, "abc")
	if c := p.cursor(1); c.On != InText || c.Caret != (Place{1, 3}) || c.Mark != c.Caret {
		t.Errorf("%+v", c)
	}
	p.does(2, Input{Op: Caret, At: Place{1, 2}, Mark: Place{1, 1}})
	if c := p.cursor(2); c.On != InText || c.Caret != (Place{1, 2}) || c.Mark != (Place{1, 1}) {
		t.Errorf("%+v", c)
	}
	p.does(2, Input{Op: Hide})
	if c := p.cursor(2); c.On != Nowhere {
		t.Errorf("%+v", c)
	}
}

// What is wrong, and what must not be possible, is refused with its reason, and nothing of it is done.
func TestWhatATextCannotTakeIsRefused(t *testing.T) {
	insert := func(n uint32, at Place, text string) Input { return Input{Op: Insert, N: n, At: at, Text: text} }
	for name, c := range map[string]struct {
		in   Input
		want string
	}{
		"nothing":                           {insert(4, Place{}, ""), refusedText},
		"a control character":               {insert(4, Place{}, "a\x00"), refusedText},
		"a carriage return":                 {insert(4, Place{}, "\r\n"), refusedText},
		"one of the second kind":            {insert(4, Place{}, "a\u0085"), refusedText},
		"no UTF-8":                          {insert(4, Place{}, "a\xff"), refusedText},
		"half of a surrogate pair":          {insert(4, Place{}, "\xed\xa0\x80"), refusedText},
		"a place of nobody":                 {insert(4, Place{9, 1}, "x"), refusedPlace},
		"a place that is not yet":           {insert(4, Place{1, 4}, "x"), refusedPlace},
		"a place before the first":          {insert(4, Place{1, 0}, "x"), refusedPlace},
		"a place of the author 0":           {insert(4, Place{0, 5}, "x"), refusedPlace},
		"a number that is taken":            {insert(3, Place{}, "x"), refusedNumber},
		"numbers that reach into others":    {insert(1, Place{}, "xyzw"), refusedNumber},
		"the number 0":                      {insert(0, Place{}, "x"), refusedNumber},
		"a number far ahead":                {insert(4+ahead+1, Place{}, "x"), refusedNumber},
		"numbers beyond all":                {insert(1<<32-2, Place{}, "xyz"), refusedNumber},
		"a caret nowhere":                   {Input{Op: Caret, At: Place{1, 77}}, refusedPlace},
		"a selection from nowhere":          {Input{Op: Caret, Mark: Place{2, 1}}, refusedPlace},
		"no ranges":                         {Input{Op: Delete}, refusedRanges},
		"half a range":                      {Input{Op: Delete, Which: []byte{1, 1}}, refusedRanges},
		"a number without an end":           {Input{Op: Delete, Which: []byte{0x80}}, refusedRanges},
		"a number of more than 32 bits":     {Input{Op: Delete, Which: []byte{1, 0xff, 0xff, 0xff, 0xff, 0x7f, 1}}, refusedRanges},
		"an empty range":                    {Input{Op: Delete, Which: which(1, 1, 0)}, refusedRanges},
		"a range of the author 0":           {Input{Op: Delete, Which: which(0, 1, 1)}, refusedRanges},
		"a range from 0":                    {Input{Op: Delete, Which: which(1, 0, 1)}, refusedRanges},
		"ranges that overlap":               {Input{Op: Delete, Which: which(1, 1, 2, 1, 2, 1)}, refusedRanges},
		"ranges out of order":               {Input{Op: Delete, Which: which(1, 2, 1, 1, 1, 1)}, refusedRanges},
		"characters of nobody":              {Input{Op: Delete, Which: which(77, 1, 1)}, refusedChars},
		"characters that are not yet":       {Input{Op: Delete, Which: which(1, 3, 2)}, refusedChars},
		"a range of more than all":          {Input{Op: Delete, Which: which(1, 1, 1<<32-2)}, refusedChars},
		"bringing back what never was":      {Input{Op: Restore, Which: which(2, 1, 1)}, refusedChars},
		"bringing back part of what is not": {Input{Op: Restore, Which: which(1, 1, 1, 1, 4, 1)}, refusedChars},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPaper(t, 2)
			p.types(1, Place{}, "abc")
			if have := p.do(1, &c.in, 1); have != c.want {
				t.Errorf("%q, want %q", have, c.want)
			}
			p.whole()
			p.says("abc")
		})
	}
}

func TestWhoIsNotHereDoesNothing(t *testing.T) {
	p := newPaper(t, 1)
	if why := p.do(2, &Input{Op: Insert, N: 1, Text: "x"}, 1); why != refusedSeat {
		t.Error(why)
	}
}

func TestAFullTextTakesNoMore(t *testing.T) {
	p := newPaper(t, 2)
	at := Place{}
	for p.indexed().text+3000 <= MaxText {
		at = p.types(1, at, strings.Repeat("x", 3000))
	}
	in := Input{Op: Insert, N: at.N + 1, At: at, Text: strings.Repeat("x", 3000)}
	if why := p.do(1, &in, 1); why != refusedLong {
		t.Errorf("%q", why)
	}
	p.does(1, Input{Op: Delete, Which: which(1, 1, 3000)})
	p.types(2, Place{}, strings.Repeat("y", 3000))
	if why := p.do(1, &Input{Op: Restore, Which: which(1, 1, 3000)}, 1); why != refusedLong {
		t.Errorf("%q", why)
	}
	p.does(1, Input{Op: Restore, Which: which(1, 1, 1000)})
}

func TestATextOfTooManyPiecesTakesNoMore(t *testing.T) {
	p := newPaper(t, 2)
	at, n, why := Place{}, uint32(0), ""
	for ; why == "" && n < maxRuns; n++ { // by turns, so that no run becomes longer
		seat := netcode.Seat(1 + n%2)
		why = p.do(seat, &Input{Op: Insert, N: n/2 + 1, At: at, Text: "x"}, 1)
		at = Place{p.cursor(seat).Author, n/2 + 1}
	}
	if why != refusedPieces || p.Runs.Len() < maxRuns-4 {
		t.Errorf("%d pieces: %q", p.Runs.Len(), why)
	}
	if why := p.do(1, &Input{Op: Delete, Which: which(1, 1, 10)}, 1); why != refusedPieces {
		t.Errorf("what may need more pieces than there is place for: %q", why)
	}
	p.whole()
}
