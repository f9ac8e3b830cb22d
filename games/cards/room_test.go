package cards

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/match"
	"muster/match/matchtest"
	"muster/netcode"
)

// The game as servers run it: who sits at the table, and what becomes of those who go.

func world(r *matchtest.Room) *World { return matchtest.State[World](r) }

// table is a room with players in the seats from 1 on; with two or more of them cards are dealt.
func table(t testing.TB, players int, c Config) *matchtest.Room {
	t.Helper()
	r := matchtest.New(t, Game, matchtest.Config{Seed: 7, Config: c})
	for i := range players {
		r.Join(netcode.Seat(i+1), fmt.Sprint("id-", i+1), fmt.Sprint("Player ", i+1))
	}
	r.Tick(1)
	if players >= 2 && players < places && c.Bots == 0 {
		for i := range players {
			matchtest.Input(r, netcode.Seat(i+1), Input{Act: Ready})
		}
		r.Tick(1)
	}
	if players+c.Bots >= 2 && world(r).Round.V.Phase != Playing {
		t.Fatalf("%d players and %d bots: %+v", players, c.Bots, world(r).Round.V)
	}
	return r
}

// sit gives hands of a test's choice, in the order of seats, and a pile with one card; the stock is what is left.
func sit(r *matchtest.Room, top Card, turn netcode.Seat, hands ...[]Card) {
	w, used := world(r), map[Card]bool{top: true}
	clearTable(w)
	for i, cards := range hands {
		seat := netcode.Seat(i + 1)
		for _, c := range cards {
			used[c] = true
			w.Hands.Add(Held{Owner: seat, Card: c})
		}
		w.chair(seat).Cards = uint8(len(cards))
	}
	w.Pile.Add(Laid{N: 1, Card: top})
	round := &w.Round.V
	round.Deck = round.Deck[:0]
	for code := byte(1); code <= deckSize; code++ {
		if !used[cardOf(code)] {
			round.Deck = append(round.Deck, code)
		}
	}
	round.Phase, round.Wanted, round.Turn, round.Drawn, round.Stock = Playing, top.Suit, turn, false, uint8(len(round.Deck))
	round.Ends = r.TickNumber() + round.Turns
}

// row is the row of a card in the hands, which must be there.
func row(t testing.TB, r *matchtest.Room, c Card) netcode.ID {
	t.Helper()
	for id, held := range world(r).Hands.All() {
		if held.Card == c {
			return id
		}
	}
	t.Fatalf("%v is in nobody's hand", c)
	return 0
}

// do sends a command and runs a tick; it returns why it was refused.
func do(r *matchtest.Room, seat netcode.Seat, in Input) string {
	matchtest.Input(r, seat, in)
	r.Tick(1)
	for _, f := range r.Refused() {
		if f.Seat == seat {
			return f.Reason
		}
	}
	return ""
}

func TestOnePlayerAloneWaits(t *testing.T) {
	r := table(t, 1, Config{})
	if why := do(r, 1, Input{Act: Ready}); !strings.Contains(why, "takes two") {
		t.Errorf("refused with %q", why)
	}
	r.Tick(1000)
	if w := world(r); w.Round.V.Phase != Waiting || w.Seats.Len() != 1 || w.Round.V.Ends != 0 {
		t.Errorf("%+v", w.Round.V)
	}
}

func TestCardsAreDealtWhenAllWantItOrTheTimeIsOver(t *testing.T) {
	open := func() *matchtest.Room {
		r := matchtest.New(t, Game, matchtest.Config{Seed: 1, Config: Config{GatherSeconds: 5}})
		r.Join(1, "a", "A")
		r.Tick(30)
		r.Join(2, "b", "B")
		r.Tick(1)
		return r
	}
	r := open()
	if ends := world(r).Round.V.Ends; ends != r.TickNumber()+50 {
		t.Errorf("others are waited for until %d at %d", ends, r.TickNumber())
	}
	r.Tick(49)
	if world(r).Round.V.Phase != Waiting {
		t.Error("dealt too early")
	}
	if r.Tick(1); world(r).Round.V.Phase != Playing {
		t.Error("not dealt when the time was over")
	}
	r = open()
	do(r, 1, Input{Act: Ready})
	if world(r).Round.V.Phase != Waiting {
		t.Error("one of two decided")
	}
	do(r, 2, Input{Act: Ready})
	if world(r).Round.V.Phase != Playing {
		t.Error("both want to begin, and nothing was dealt")
	}
	r = open()
	r.Leave(2)
	r.Tick(200)
	if world(r).Round.V.Phase != Waiting || world(r).Seats.Len() != 1 {
		t.Errorf("one has gone: %+v", world(r).Round.V)
	}
}

func TestAFullTableBeginsAtOnce(t *testing.T) {
	r := table(t, 4, Config{GatherSeconds: 600})
	for _, c := range world(r).Seats.All() {
		if c.Cards != handOfOther {
			t.Errorf("%s has %d cards", c.Name, c.Cards)
		}
	}
}

func TestAMatchThatIsPromisedToSomeWaitsForThem(t *testing.T) {
	r := matchtest.New(t, Game, matchtest.Config{Seed: 1, Expect: 3})
	r.Join(1, "a", "A")
	r.Join(2, "b", "B")
	r.Tick(300)
	if world(r).Round.V.Phase != Waiting {
		t.Fatal("cards were dealt before all had come")
	}
	r.Join(3, "c", "C")
	r.Tick(gatherTime + 1)
	if world(r).Round.V.Phase != Playing {
		t.Errorf("all are here: %+v", world(r).Round.V)
	}
}

func TestBotsFillChairsAndGiveWay(t *testing.T) {
	r := table(t, 1, Config{Bots: 3})
	w := world(r)
	if w.Seats.Len() != 4 || w.Round.V.Phase != Playing {
		t.Fatalf("%d chairs, %+v", w.Seats.Len(), w.Round.V)
	}
	for _, c := range w.Seats.All() {
		if c.Bot != (c.Owner >= FirstBot) || c.Bot == (c.Owner == 1) || c.Name == "" {
			t.Errorf("a chair: %+v", c)
		}
	}
	bot := w.after(w.chair(1).Place)
	hand, score, was := w.handOf(bot.Owner), uint16(33), bot.Owner
	bot.Score = score
	w.Round.V.Turn = bot.Owner
	w.Round.V.Think = r.TickNumber() + 100
	r.Join(2, "b", "Ben")
	r.Tick(1)
	now := w.handOf(2)
	if c := w.chair(2); c == nil || c.Bot || c.Score != score || c.Name != "Ben" || w.chair(was) != nil {
		t.Fatalf("the chair of who came: %+v", c)
	}
	if !slices.Equal(hand.cards[:hand.n], now.cards[:now.n]) || w.Round.V.Turn != 2 {
		t.Errorf("a hand of %v became %v, it is the turn of %d", hand.cards[:hand.n], now.cards[:now.n], w.Round.V.Turn)
	}
}

func TestWhoComesIntoARoundIsDealtInWithTheNext(t *testing.T) {
	r := table(t, 2, Config{})
	r.Join(3, "c", "C")
	r.Tick(1)
	if c := world(r).chair(3); c == nil || c.Cards != 0 {
		t.Fatalf("%+v", c)
	}
	if why := do(r, 3, Input{Act: Draw}); !strings.Contains(why, "next round") {
		t.Errorf("refused with %q", why)
	}
	sit(r, Card{2, Hearts}, 1, []Card{{3, Hearts}}, []Card{{King, Spades}})
	do(r, 1, Input{Act: Play, Card: row(t, r, Card{3, Hearts})})
	for seat := netcode.Seat(1); seat <= 3; seat++ {
		do(r, seat, Input{Act: Ready})
	}
	if c := world(r).chair(3); c.Cards != handOfOther || world(r).Round.V.Number != 2 {
		t.Errorf("%+v in %+v", c, world(r).Round.V)
	}
}

func TestABotPlaysOnForWhoHasLeft(t *testing.T) {
	r := table(t, 2, Config{})
	w := world(r)
	hand := w.handOf(2)
	w.Round.V.Turn = 2
	r.Leave(2)
	r.Tick(1)
	bot := FirstBot + netcode.Seat(w.Seats.Len()-1)
	now := w.handOf(bot)
	if c := w.chair(bot); c == nil || !c.Bot || c.Left != 2 || !slices.Equal(hand.cards[:hand.n], now.cards[:now.n]) || w.Round.V.Turn != bot {
		t.Fatalf("%+v with %v of %v", c, now.cards[:now.n], hand.cards[:hand.n])
	}
	acts := w.Round.V.Acts
	if r.Tick(dealTime + thinkTime + thinkMore); w.Round.V.Acts == acts {
		t.Error("the bot does nothing")
	}
	r.Join(2, "c", "Cleo")
	r.Join(3, "d", "Dan")
	r.Tick(1)
	if len(r.Refused()) != 0 || w.chair(2).Left != 0 {
		t.Error("others cannot come in his place")
	}
}

func TestWhoLeftAndComesAgainHasHisChairWithAllThatBelongsToIt(t *testing.T) {
	for name, bots := range map[string]int{"where a chair is free": 0, "at a full table": 1} {
		t.Run(name, func(t *testing.T) {
			r := table(t, 3, Config{Bots: bots, Target: 50})
			w := world(r)
			hand := w.handOf(2)
			w.chair(2).Score = 40
			w.Round.V.Turn = 2
			r.Leave(1) // his chair is the first that a bot has
			r.Leave(2)
			r.Tick(1)
			r.Join(4, "id-2", "Player 2") // by the code, in whatever seat is free
			r.Tick(1)
			c, now := w.chair(4), w.handOf(4)
			if c == nil || c.Bot || c.Left != 0 || c.Score != 40 || w.Round.V.Turn != 4 || !slices.Equal(hand.cards[:hand.n], now.cards[:now.n]) {
				t.Fatalf("his chair is %+v, with %v of %v", c, now.cards[:now.n], hand.cards[:hand.n])
			}
			c.Score = 70
			w.Round.V.Phase, w.Round.V.Ends = Over, r.TickNumber()
			r.Tick(1)
			result, _ := r.Ended()
			want := []match.Placement{{Seat: 4, Player: "id-2", Rank: 1, Score: 70}, {Seat: 3, Player: "id-3", Rank: 2}, {Seat: 1, Player: "id-1", Rank: 3}}
			if !slices.Equal(result, want) {
				t.Errorf("%+v", result)
			}
		})
	}
}

func TestAHandIsThereAfterAReconnect(t *testing.T) {
	r := table(t, 3, Config{})
	w := world(r)
	before := w.handOf(2)
	r.Drop(2)
	r.Tick(5)
	if !w.chair(2).Away {
		t.Error("nobody sees that he is away")
	}
	r.Restart() // and the machine dies meanwhile
	r.Resume(2)
	r.Tick(1)
	w = world(r)
	after := w.handOf(2)
	if w.chair(2).Away || after.n < handOfOther || !slices.Equal(before.cards[:before.n], after.cards[:before.n]) {
		t.Errorf("%v became %v", before.cards[:before.n], after.cards[:after.n])
	}
}

func TestAPlayerWhoIsAwayIsPlayedForAndWaitedForShorterAfterThat(t *testing.T) {
	r := table(t, 2, Config{TurnSeconds: 10})
	w := world(r)
	sit(r, Card{2, Hearts}, 2, []Card{{3, Clubs}, {4, Clubs}}, []Card{{3, Spades}, {4, Spades}})
	r.Drop(2)
	r.Tick(101)
	if w.chair(2).Cards != 3 || w.Round.V.Turn != 1 {
		t.Fatalf("nobody drew and passed for him: %+v", w.Round.V)
	}
	late := false
	for _, e := range r.Events(1) {
		late = late || e == any(Passed{2, true})
	}
	if !late {
		t.Error("the others do not hear that his time was up")
	}
	do(r, 1, Input{Act: Draw})
	do(r, 1, Input{Act: Pass})
	if r.Tick(awayTime + 1); w.Round.V.Turn != 1 {
		t.Errorf("the others wait: %+v at %d", w.Round.V, r.TickNumber())
	}
	r.Resume(2)
	do(r, 1, Input{Act: Draw})
	do(r, 1, Input{Act: Pass})
	if left := w.Round.V.Ends - w.Round.V.Began; left != 100 {
		t.Errorf("who is back has %d ticks", left)
	}
}

func TestAMatchEndsWithWhoHasThePoints(t *testing.T) {
	r := table(t, 3, Config{Target: 10})
	sit(r, Card{2, Hearts}, 2, []Card{{3, Clubs}, {4, Clubs}}, []Card{{5, Hearts}}, []Card{{King, Spades}})
	world(r).chair(1).Score = 4
	if why := do(r, 2, Input{Act: Play, Card: row(t, r, Card{5, Hearts})}); why != "" {
		t.Fatal(why)
	}
	if round := world(r).Round.V; round.Phase != Over || round.Winner != 2 || world(r).chair(2).Score != 17 {
		t.Fatalf("%+v", round)
	}
	r.Leave(3)
	r.Join(4, "late", "Late")
	r.Tick(1)
	if got := r.Refused(); len(got) != 1 || got[0].Reason != "the match is over" {
		t.Errorf("who comes now: %+v", got)
	}
	r.Tick(overTime)
	result, ended := r.Ended()
	want := []match.Placement{
		{Seat: 2, Player: "id-2", Rank: 1, Score: 17}, {Seat: 1, Player: "id-1", Rank: 2, Score: 4}, {Seat: 3, Player: "id-3", Rank: 3},
	}
	if !ended || !slices.Equal(result, want) {
		t.Errorf("ended %v with %+v", ended, result)
	}
}

func TestWhoLeftIsBehindAllOthersAndBotsAreNobody(t *testing.T) {
	r := table(t, 2, Config{Target: 10})
	sit(r, Card{2, Hearts}, 1, []Card{{3, Hearts}}, []Card{{King, Spades}})
	r.Leave(2)
	r.Tick(1)
	world(r).chair(FirstBot + 1).Score = 9
	do(r, 1, Input{Act: Play, Card: row(t, r, Card{3, Hearts})})
	world(r).chair(FirstBot + 1).Score = 400
	r.Tick(overTime + 1)
	result, _ := r.Ended()
	want := []match.Placement{{Seat: 1, Player: "id-1", Rank: 1, Score: 10}, {Seat: 2, Player: "id-2", Rank: 2, Score: 400}}
	if !slices.Equal(result, want) {
		t.Errorf("%+v", result)
	}
	alone := table(t, 1, Config{Bots: 1, Target: 10})
	world(alone).Round.V.Phase, world(alone).Round.V.Ends = Over, alone.TickNumber()
	alone.Tick(1)
	if result, ended := alone.Ended(); !ended || len(result) != 1 || result[0].Player != "id-1" {
		t.Errorf("with a bot: %+v", result)
	}
}

func TestTheConfigIsChecked(t *testing.T) {
	for text, good := range map[string]bool{
		`{}`: true, `{"bots":3,"target":500,"turn_seconds":5,"gather_seconds":600}`: true,
		`{"bots":4}`: false, `{"bots":-1}`: false, `{"target":9}`: false, `{"turn_seconds":4}`: false, `{"turn_seconds":121}`: false,
		`{"gather_seconds":601}`: false, `{"decks":2}`: false, `{"bots":"3"}`: false,
	} {
		if err := Game.CheckConfig([]byte(text)); good && err != nil || !good && !errors.Is(err, match.ErrConfig) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// evening is a whole match of two, then three, then four who do what a bot would, or whatever comes to their mind; who drop,
// come back, leave and join.
var evening = matchtest.Script{
	Config: matchtest.Config{Seed: 11, Config: Config{Bots: 1, Target: 60, TurnSeconds: 5}},
	Ticks:  1200,
	Steps: []matchtest.Step{
		{From: 1, Do: func(r *matchtest.Room) { r.Join(1, "a", "Anna") }},
		{From: 20, Do: func(r *matchtest.Room) { r.Join(2, "b", "Ben") }},
		{From: 300, Do: func(r *matchtest.Room) { r.Drop(2) }},
		{From: 400, Do: func(r *matchtest.Room) { r.Resume(2) }},
		{From: 420, Do: func(r *matchtest.Room) { r.Join(3, "c", "Cleo") }},
		{From: 600, Do: func(r *matchtest.Room) { r.Leave(1) }},
		{From: 800, Do: func(r *matchtest.Room) { r.Join(4, "a", "Anna") }},
		{From: 1, To: 1200, Do: func(r *matchtest.Room) {
			for seat := netcode.Seat(1); seat <= places; seat++ {
				if r.Connected(seat) && r.Rand().Uint32N(6) == 0 {
					matchtest.Input(r, seat, anything(r, seat))
				}
			}
		}},
	},
}

// anything is what a player might do: the right thing mostly.
func anything(r *matchtest.Room, seat netcode.Seat) Input {
	w, rng := world(r), r.Rand()
	switch {
	case w.Round.V.Phase == Scored:
		return Input{Act: Ready}
	case rng.IntN(5) > 0 && w.Round.V.Turn == seat:
		return choose(w, seat)
	}
	return Input{Act: Act(rng.IntN(4)), Card: netcode.ID(rng.IntN(64)<<16 | rng.IntN(9) + 1), Suit: Suit(rng.IntN(5))}
}

func TestAMatchIsAFunctionOfItsRecords(t *testing.T) {
	matchtest.Deterministic(t, Game, evening, 6)
	rounds, played, refused := uint8(0), 0, 0
	watched := evening
	watched.Steps = append(slices.Clone(evening.Steps), matchtest.Step{From: 2, To: evening.Ticks, Do: func(r *matchtest.Room) {
		rounds = max(rounds, world(r).Round.V.Number)
		refused += len(r.Refused())
		for _, e := range r.Events(2) {
			if _, ok := e.(Played); ok {
				played++
			}
		}
	}})
	matchtest.Run(t, Game, watched)
	if rounds < 3 || played < 40 || refused < 40 {
		t.Errorf("%d rounds, %d cards played, %d commands refused: the script tests little", rounds, played, refused)
	}
}

// The recorded match proves that this version of the rules still plays as it did, on this architecture, too.
func TestARecordedMatchPlaysAsItDid(t *testing.T) {
	matchtest.Fixture(t, Game, evening, "testdata/evening.muster")
}

func TestBotsOnBadLinesSeeTheServersTable(t *testing.T) {
	for seat, s := range matchtest.Network(t, Game, Bot, matchtest.Net{
		Players: 3, For: 2 * time.Minute, Latency: 80 * time.Millisecond, Jitter: 60 * time.Millisecond, Loss: 0.02, Seed: 4,
		Config: Config{Bots: 1, Target: 30},
	}) {
		if s.Frames < 200 || s.InputsSent < 5 {
			t.Errorf("seat %d: %+v", seat+1, s)
		}
	}
}
