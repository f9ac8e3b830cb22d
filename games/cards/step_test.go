package cards

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/match/matchtest"
	"muster/netcode"
)

// A round: what may be played, what is refused and why, and how it ends.

func TestCommandsAreRefusedWithAReason(t *testing.T) {
	hearts := []Card{{3, Hearts}, {4, Clubs}, {Eight, Spades}}
	for _, c := range []struct {
		name string
		seat netcode.Seat
		in   func(r *matchtest.Room) Input
		why  string
	}{
		{"out of turn", 2, func(r *matchtest.Room) Input { return Input{Act: Play, Card: row(t, r, Card{9, Clubs})} }, "it is not your turn"},
		{"drawing out of turn", 2, func(*matchtest.Room) Input { return Input{Act: Draw} }, "it is not your turn"},
		{"another's", 1, func(r *matchtest.Room) Input { return Input{Act: Play, Card: row(t, r, Card{9, Clubs})} }, "that card is not in your hand"},
		{"no such card", 1, func(*matchtest.Room) Input { return Input{Act: Play, Card: 63<<16 | 7} }, "that card is not in your hand"},
		{"no card", 1, func(*matchtest.Room) Input { return Input{Act: Play} }, "that card is not in your hand"},
		{"no match", 1, func(r *matchtest.Room) Input { return Input{Act: Play, Card: row(t, r, Card{4, Clubs})} }, "Hearts, a Two or an Eight is wanted"},
		{"an eight without a suit", 1, func(r *matchtest.Room) Input { return Input{Act: Play, Card: row(t, r, Card{Eight, Spades})} }, "which suit"},
		{"passing before drawing", 1, func(*matchtest.Room) Input { return Input{Act: Pass} }, "draw a card before"},
		{"beginning what has begun", 1, func(*matchtest.Room) Input { return Input{Act: Ready} }, "dealt already"},
	} {
		r := table(t, 2, Config{})
		sit(r, Card{2, Hearts}, 1, hearts, []Card{{9, Clubs}, {9, Hearts}})
		hash, acts := world(r).handOf(1), world(r).Round.V.Acts
		if why := do(r, c.seat, c.in(r)); !strings.Contains(why, c.why) {
			t.Errorf("%s: refused with %q", c.name, why)
		}
		if w := world(r); w.handOf(1) != hash || w.Round.V.Acts != acts || w.Round.V.Turn != 1 {
			t.Errorf("%s: something was done", c.name)
		}
	}
}

func TestACardIsPlayedOnce(t *testing.T) {
	r := table(t, 2, Config{})
	sit(r, Card{2, Hearts}, 1, []Card{{3, Hearts}, {5, Hearts}}, []Card{{9, Hearts}, {9, Clubs}})
	again := Input{Act: Play, Card: row(t, r, Card{3, Hearts})}
	matchtest.Input(r, 1, again)
	matchtest.Input(r, 1, again)
	r.Tick(2)
	if got := r.Refused(); len(got) != 1 || got[0].Reason != "it is not your turn" || world(r).chair(1).Cards != 1 {
		t.Fatalf("twice at once: %+v", got)
	}
	do(r, 2, Input{Act: Play, Card: row(t, r, Card{9, Hearts})})
	if why := do(r, 1, again); why != "that card is not in your hand" || world(r).chair(1).Cards != 1 {
		t.Errorf("again in the next turn: %q", why)
	}
}

func TestDrawingTwiceIsRefusedAndPassingIsNot(t *testing.T) {
	r := table(t, 2, Config{})
	sit(r, Card{2, Hearts}, 1, []Card{{3, Clubs}}, []Card{{9, Hearts}})
	if why := do(r, 1, Input{Act: Draw}); why != "" || world(r).chair(1).Cards != 2 {
		t.Fatalf("%q", why)
	}
	if why := do(r, 1, Input{Act: Draw}); !strings.Contains(why, "drawn already") {
		t.Errorf("refused with %q", why)
	}
	if why := do(r, 1, Input{Act: Pass}); why != "" || world(r).Round.V.Turn != 2 {
		t.Errorf("%q, turn %d", why, world(r).Round.V.Turn)
	}
}

func TestAnEightWantsTheSuitThatItsPlayerSays(t *testing.T) {
	r := table(t, 2, Config{})
	sit(r, Card{2, Hearts}, 1, []Card{{Eight, Clubs}, {3, Hearts}}, []Card{{9, Clubs}, {9, Spades}})
	if why := do(r, 1, Input{Act: Play, Card: row(t, r, Card{Eight, Clubs}), Suit: Spades}); why != "" {
		t.Fatal(why)
	}
	if why := do(r, 2, Input{Act: Play, Card: row(t, r, Card{9, Clubs})}); !strings.Contains(why, "Spades or an Eight is wanted") {
		t.Errorf("refused with %q", why)
	}
	if why := do(r, 2, Input{Act: Play, Card: row(t, r, Card{9, Spades}), Suit: Diamonds}); why != "" || world(r).Round.V.Wanted != Spades {
		t.Errorf("%q, and %v is wanted: a suit counts with an eight alone", why, world(r).Round.V.Wanted)
	}
}

func TestTheFirstWithoutCardsGetsWhatIsLeft(t *testing.T) {
	r := table(t, 3, Config{Target: 500})
	sit(r, Card{2, Hearts}, 3, []Card{{Eight, Clubs}, {1, Hearts}}, []Card{{King, Clubs}, {9, Spades}}, []Card{{2, Spades}})
	do(r, 3, Input{Act: Play, Card: row(t, r, Card{2, Spades})})
	round := world(r).Round.V
	if round.Phase != Scored || round.Winner != 3 || world(r).chair(3).Score != 50+1+10+9 || round.Turn != 0 {
		t.Fatalf("%+v, %d points", round, world(r).chair(3).Score)
	}
	won := false
	for _, e := range r.Events(1) {
		won = won || e == any(Won{3, 70})
	}
	if !won {
		t.Error("nobody hears of it")
	}
	for seat := netcode.Seat(1); seat <= 3; seat++ {
		do(r, seat, Input{Act: Ready})
	}
	if round := world(r).Round.V; round.Phase != Playing || round.Number != 2 || round.Acts != 0 {
		t.Errorf("all want the next: %+v", round)
	}
	r.Tick(1)
	world(r).Round.V.Phase, world(r).Round.V.Ends = Scored, r.TickNumber()+scoreTime
	if r.Tick(scoreTime); world(r).Round.V.Number != 3 {
		t.Error("nobody said a word, and the next round does not come")
	}
}

func TestThePileIsTurnedOverWhenTheStockIsEmpty(t *testing.T) {
	r := table(t, 2, Config{})
	sit(r, Card{2, Hearts}, 1, []Card{{3, Clubs}}, []Card{{9, Spades}})
	w := world(r)
	round := &w.Round.V
	for _, code := range round.Deck { // all are on the pile
		w.Pile.Add(Laid{N: w.top().N + 1, Card: cardOf(code)})
	}
	round.Deck, round.Stock, round.Wanted = round.Deck[:0], 0, w.top().Card.Suit
	top := w.top()
	if why := do(r, 1, Input{Act: Draw}); why != "" {
		t.Fatal(why)
	}
	if w.Pile.Len() != 1 || w.top() != top || int(round.Stock) != len(round.Deck) || len(round.Deck) != 52-4 || w.chair(1).Cards != 2 {
		t.Errorf("%d on the pile, %d in the stock", w.Pile.Len(), len(round.Deck))
	}
	checkCards(t, w)
}

func TestWhereNobodyCanGoOnTheLowestHandWins(t *testing.T) {
	for _, c := range []struct {
		second Card
		winner netcode.Seat
		points uint16
	}{{Card{9, Spades}, 1, 6}, {Card{3, Diamonds}, 0, 0}, {Card{1, Spades}, 2, 2}} {
		r := table(t, 2, Config{})
		sit(r, Card{2, Hearts}, 1, []Card{{3, Clubs}}, []Card{c.second})
		w := world(r)
		w.Round.V.Deck, w.Round.V.Stock = nil, 0
		if why := do(r, 1, Input{Act: Draw}); !strings.Contains(why, "nothing left to draw") {
			t.Fatalf("refused with %q", why)
		}
		do(r, 1, Input{Act: Pass})
		if w.Round.V.Phase != Playing {
			t.Fatal("the second has not had his turn")
		}
		do(r, 2, Input{Act: Pass})
		if w.Round.V.Phase != Scored || w.Round.V.Winner != c.winner || w.chair(1).Score+w.chair(2).Score != c.points {
			t.Errorf("%v: %+v, %d and %d points", c.second, w.Round.V, w.chair(1).Score, w.chair(2).Score)
		}
	}
}

func TestATurnEndsByItself(t *testing.T) {
	r := table(t, 2, Config{TurnSeconds: 5})
	sit(r, Card{2, Hearts}, 1, []Card{{3, Hearts}}, []Card{{9, Spades}})
	do(r, 1, Input{Act: Draw})
	r.Tick(49)
	if w := world(r); w.Round.V.Turn != 2 || w.chair(1).Cards != 2 {
		t.Errorf("who had drawn: %+v with %d cards", w.Round.V, w.chair(1).Cards)
	}
	if r.Tick(50); world(r).chair(2).Cards != 2 || world(r).Round.V.Turn != 1 {
		t.Errorf("who slept: %d cards, turn %d", world(r).chair(2).Cards, world(r).Round.V.Turn)
	}
}

func TestBotsPlayRoundsToTheirEnd(t *testing.T) {
	for seed := range uint64(4) {
		r := matchtest.New(t, Game, matchtest.Config{Seed: seed, Config: Config{Bots: 3, Target: 100, TurnSeconds: 5}})
		r.Join(1, "a", "Anna")
		for range 40_000 {
			if r.Tick(1); world(r).Round.V.Phase == Over {
				break
			}
			if w := world(r); w.Round.V.Turn == 1 && r.TickNumber()%5 == 0 {
				matchtest.Input(r, 1, choose(w, 1))
			}
			checkCards(t, world(r))
		}
		if round := world(r).Round.V; round.Phase != Over {
			t.Errorf("seed %d: %+v", seed, round)
		}
	}
}

// A round is dealt with other cards each time, and with each card once.
func TestADeckIsShuffled(t *testing.T) {
	seen := map[Card]int{}
	for seed := range uint64(60) {
		r := matchtest.New(t, Game, matchtest.Config{Seed: seed, Config: Config{Bots: 1}})
		r.Join(1, "a", "Anna")
		r.Tick(1)
		checkCards(t, world(r))
		h := world(r).handOf(1)
		if h.n != handOfTwo || world(r).top().Card.Rank == Eight {
			t.Fatalf("%d cards, an %v on top", h.n, world(r).top().Card)
		}
		for _, c := range h.cards[:h.n] {
			seen[c]++
		}
	}
	if len(seen) != deckSize {
		t.Errorf("in 60 deals a player got %d different cards", len(seen))
	}
}

func TestCardsAndTheirCodesAreTheSame(t *testing.T) {
	seen := map[Card]bool{}
	for code := byte(1); code <= deckSize; code++ {
		c := cardOf(code)
		if c.code() != code || c.Rank < 1 || c.Rank > King || c.Suit < Clubs || c.Suit > Spades || seen[c] {
			t.Errorf("%d is %v", code, c)
		}
		seen[c] = true
	}
}

// checkCards says whether each card is where it must be once, and what is public of hands is true.
func checkCards(t interface{ Fatalf(string, ...any) }, w *World) {
	seen, hands := map[Card]int{}, map[netcode.Seat]int{}
	for _, held := range w.Hands.All() {
		seen[held.Card]++
		hands[held.Owner]++
	}
	for _, laid := range w.Pile.All() {
		seen[laid.Card]++
	}
	for _, code := range w.Round.V.Deck {
		seen[cardOf(code)]++
	}
	if w.Round.V.Phase == Waiting {
		if len(seen) != 0 {
			t.Fatalf("%d cards before the first deal", len(seen))
		}
		return
	}
	for c, n := range seen {
		if n != 1 {
			t.Fatalf("%v is there %d times", c, n)
		}
	}
	if len(seen) != deckSize || int(w.Round.V.Stock) != len(w.Round.V.Deck) {
		t.Fatalf("%d cards, %d of them in a stock that says %d", len(seen), len(w.Round.V.Deck), w.Round.V.Stock)
	}
	for _, c := range w.Seats.All() {
		if hands[c.Owner] != int(c.Cards) {
			t.Fatalf("seat %d has %d cards, and all are told %d", c.Owner, hands[c.Owner], c.Cards)
		}
		delete(hands, c.Owner)
	}
	if len(hands) != 0 {
		t.Fatalf("hands of nobody: %v", hands)
	}
	if r := w.Round.V; r.Phase == Playing && (w.chair(r.Turn) == nil || w.chair(r.Turn).Cards == 0) {
		t.Fatalf("it is the turn of %d, who does not play", r.Turn)
	}
}

// press plays what its source of choices says: sensible and senseless commands of players who come and go.
func press(t testing.TB, choice func(n int) int, ticks int, after func(*World)) {
	r := matchtest.New(t, Game, matchtest.Config{Seed: 3, Config: Config{Bots: choice(4), TurnSeconds: 5, Target: 30, GatherSeconds: 1}})
	there := [places + 1]bool{}
	for range ticks {
		for seat := netcode.Seat(1); seat <= places; seat++ {
			switch what := choice(12); {
			case !there[seat]:
				if what == 0 {
					r.Join(seat, string(rune('a'+seat)), "name")
					there[seat] = true
				}
			case what == 11 && choice(20) == 0:
				r.Leave(seat)
				there[seat] = false
			case what == 10 && r.Connected(seat):
				if choice(4) == 0 {
					r.Drop(seat)
				}
			case !r.Connected(seat):
				if what < 4 {
					r.Resume(seat)
				}
			case what < 3 && world(r).Round.V.Turn == seat:
				matchtest.Input(r, seat, choose(world(r), seat))
			case what < 5:
				card := netcode.ID(choice(64)<<16 | choice(20) + 1)
				matchtest.Input(r, seat, Input{Act: Act(choice(4)), Card: card, Suit: Suit(choice(5))})
			}
		}
		r.Tick(1)
		for _, f := range r.Refused() {
			if f.Seq == 0 {
				there[f.Seat] = false
			}
			if f.Reason == "" || len(f.Reason) > 120 {
				t.Fatalf("refused with %q", f.Reason)
			}
		}
		after(world(r))
		if _, ended := r.Ended(); ended {
			return
		}
	}
}

func TestEachCardIsThereOnceWhateverPlayersDo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rng := rapid.Uint64().Draw(rt, "seed")
		choice := func(n int) int { // splitmix, which draws faster than rapid
			rng += 0x9e3779b97f4a7c15
			z := rng
			z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
			z = (z ^ z>>27) * 0x94d049bb133111eb
			return int((z ^ z>>31) % uint64(n))
		}
		press(t, choice, 300, func(w *World) { checkCards(rt, w) })
	})
}

func FuzzCommands(f *testing.F) {
	f.Add([]byte{3, 0, 0, 0, 0, 3, 3, 3, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	f.Add([]byte("a table of four who do whatever comes to their mind"))
	f.Fuzz(func(t *testing.T, data []byte) {
		at := 0
		choice := func(n int) int {
			if at == len(data) {
				return n - 1
			}
			at++
			return int(data[at-1]) % n
		}
		press(t, choice, min(len(data), 200), func(w *World) { checkCards(t, w) })
	})
}
