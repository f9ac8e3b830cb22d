package canvas

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"muster/client"
	"muster/match/matchtest"
	"muster/netcode"
)

func world(r *matchtest.Room) *World { return matchtest.State[World](r) }

func TestWhoComesBackWritesUnderTheSameNumber(t *testing.T) {
	r := matchtest.New(t, Game, matchtest.Config{Seed: 1})
	r.Join(1, "anna", "Anna")
	r.Join(2, "bert", "Bert")
	matchtest.Input(r, 1, Input{Op: Insert, N: 1, Text: "hello"})
	r.Tick(1)
	r.Drop(1)
	if r.Tick(1); !world(r).cursor(1).Away {
		t.Error("the connection is lost, and nothing shows it")
	}
	r.Resume(1)
	if r.Tick(1); world(r).cursor(1).Away {
		t.Error("the connection is there")
	}
	r.Leave(1)
	if r.Tick(1); world(r).cursor(1) != nil || world(r).Text() != "hello" {
		t.Errorf("left: %+v, %q", world(r).cursor(1), world(r).Text())
	}
	r.Join(3, "anna", "A name that is far too long for a cursor é")
	r.Tick(1)
	a := world(r).author(world(r).cursor(3).Author)
	if a.Number != 1 || a.Next != 6 || a.Name != "A name that is far too l" || !a.Here {
		t.Errorf("%+v", a)
	}
}

// Numbers of those who are gone, and of whom nothing is left, are given again, but not their characters' names.
func TestNumbersOfAuthorsAreGivenAgain(t *testing.T) {
	p := newPaper(t, 0)
	for i := range 1024 {
		a := p.authorOf(fmt.Sprint("player ", i))
		p.Cursors.Add(Cursor{Owner: 1, Author: a.Number})
		p.quick(1, Input{Op: Insert, N: 1, Text: "x"})
		for id := range p.Cursors.All() {
			p.Cursors.Remove(id)
		}
	}
	if a := p.authorOf("one more"); a != nil {
		t.Fatalf("%+v has something here", a)
	}
	p.come(7, "player 5")
	p.does(7, Input{Op: Delete, Which: which(6, 1, 1, 7, 1, 1)})
	if a := p.authorOf("one more"); a != nil {
		t.Fatalf("%+v deleted what may come back", a)
	}
	p.later(1)
	for _, r := range p.Runs.All() { // as if many had been deleted since
		if r.Text == "" && r.Author == 7 {
			id, _, _ := p.find(Place{7, 1})
			p.dropRun(id)
			break
		}
	}
	a := p.authorOf("one more")
	if a == nil || a.Number != 7 || a.Next != 2 {
		t.Fatalf("%+v", a)
	}
	if again := p.authorOf("one more"); again != a {
		t.Errorf("%+v", again)
	}
}

// crowd is what people do to a room: they write at the same places, delete, bring back, draw, and come and go.
var crowd = matchtest.Script{
	Config: matchtest.Config{Seed: 3},
	Ticks:  300,
	Steps: []matchtest.Step{
		{From: 1, Do: func(r *matchtest.Room) {
			for seat := netcode.Seat(1); seat <= 8; seat++ {
				r.Join(seat, string(rune('a'+seat)), "")
			}
		}},
		{From: 50, Do: func(r *matchtest.Room) { r.Drop(3) }},
		{From: 90, Do: func(r *matchtest.Room) { r.Resume(3) }},
		{From: 120, Do: func(r *matchtest.Room) { r.Leave(4) }},
		{From: 150, Do: func(r *matchtest.Room) { r.Join(9, "e", "") }}, // as the one in seat 4 was
		{From: 2, To: 300, Do: func(r *matchtest.Room) {
			for seat := netcode.Seat(1); seat <= 9; seat++ {
				if !r.Connected(seat) {
					continue
				}
				h := &hand{}
				if c, a := h.find(world(r), seat); c != nil {
					if a.Last > 0 && r.Rand().IntN(3) == 0 {
						h.line, h.left = a.Last, 1 // it draws on
					}
					if h.at = c.Caret; r.Rand().IntN(4) == 0 {
						h.at = somewhere(world(r), r.Rand())
					}
					if in, ok := h.act(world(r), a, r.Rand()); ok {
						matchtest.Input(r, seat, in)
					}
				}
			}
		}},
	},
}

func TestARoomIsAFunctionOfItsRecords(t *testing.T) {
	matchtest.Deterministic(t, Game, crowd, 0)
	r := matchtest.Run(t, Game, crowd)
	w := world(r)
	if text := w.Text(); len(text) < 300 || len(w.indexed().dead) < 5 || w.Board.V.Lines < 5 {
		t.Errorf("%d bytes, %d deleted runs and %d lines: the script tests little", len(text), len(w.indexed().dead), w.Board.V.Lines)
	}
}

func TestARecordedRoomRunsAsItDid(t *testing.T) {
	matchtest.Fixture(t, Game, crowd, "testdata/crowd.muster")
}

// A room that goes on from a checkpoint has the same state, finds the same places and gives the same ids.
func TestARoomGoesOnFromACheckpointAsItWas(t *testing.T) {
	r := matchtest.Run(t, Game, crowd)
	before, text := r.Hash(), world(r).Text()
	r.Restart()
	if r.Hash() != before || world(r).Text() != text {
		t.Error("another state")
	}
	p := &paper{World: *world(r), t: t}
	p.whole()
}

func TestWritersOnBadLinesHaveTheServersDocument(t *testing.T) {
	for seat, s := range matchtest.Network(t, Game, Bot, matchtest.Net{
		Players: 20, For: 30 * time.Second, Latency: 100 * time.Millisecond, Jitter: 80 * time.Millisecond, Loss: 0.02, Seed: 4,
	}) {
		if s.Frames < 200 || s.InputsSent < 50 {
			t.Errorf("seat %d: %d frames, %d inputs", seat+1, s.Frames, s.InputsSent)
		}
	}
}

// typist types a word of its own letter by letter, at the text's begin like all others, and keeps what its client sees.
type typist struct {
	word string
	text string // the newest
}

func (ty *typist) think(v *client.BotView[World]) (Input, bool) {
	h := &hand{}
	c, a := h.find(v.State, v.Seat)
	if c == nil || a == nil {
		return Input{}, false
	}
	ty.text = (&World{Runs: v.State.Runs}).Text() // without the index, which may be of an earlier state
	if len(ty.word) == 60 || v.Tick > 250 {
		return Input{}, false
	}
	letter := string(rune('A' + int(v.Seat)))
	in := Input{Op: Insert, N: uint32(len(ty.word)) + 1, Text: letter} //nolint:gosec // at most 60
	if ty.word != "" {
		in.At = Place{a.Number, in.N - 1}
	}
	ty.word += letter
	return in, true
}

// Twenty people type at the same place over lines that are late and that are lost every few seconds. Nobody's letters are
// lost or doubled, each one's stay together, and all see the same.
func TestWordsOfTwentyOnLinesThatAreLostStayWhole(t *testing.T) {
	var mu sync.Mutex
	var all []*typist
	bot := client.NewBot[World, Input]("canvas", func() client.Brain[World, Input] {
		ty := &typist{}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, ty)
		return ty.think
	})
	matchtest.Network(t, Game, bot, matchtest.Net{
		Players: 20, For: 40 * time.Second, Latency: 120 * time.Millisecond, Jitter: 100 * time.Millisecond, Loss: 0.02,
		Cut: 8 * time.Second, Seed: 2,
	})
	length := 0
	for _, ty := range all {
		length += len(ty.word)
	}
	for _, ty := range all {
		if len(ty.word) < 20 || !containsOnce(ty.text, ty.word) {
			t.Errorf("%q is not in %q", ty.word, ty.text)
		}
		if ty.text != all[0].text || len(ty.text) != length {
			t.Errorf("%d of %d letters: %q, and another sees %q", len(ty.text), length, ty.text, all[0].text)
		}
	}
}
