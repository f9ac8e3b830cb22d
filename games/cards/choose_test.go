package cards

import (
	"testing"

	"pgregory.net/rapid"

	"muster/netcode"
)

// What a bot does is a function of its own hand and of what all know.
func TestABotsChoiceDoesNotDependOnOtherHands(t *testing.T) {
	sc, err := netcode.Compile[World, Input](events...)
	if err != nil {
		t.Fatal(err)
	}
	acts := map[Act]int{}
	rapid.Check(t, func(rt *rapid.T) {
		tw := newTwin(sc, rapid.Uint64().Draw(rt, "dice"), false)
		choice := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "choice") }
		for tick := uint32(1); tick <= 150 && tw.w.Round.V.Phase != Over; tick++ {
			commands := map[netcode.Seat]Input{}
			if seat := tw.w.Round.V.Turn; seat != 0 {
				commands[seat] = choose(&tw.w, seat)
			}
			if tw.w.Round.V.Turn == ownSeat {
				before := commands[ownSeat]
				tw.w.mixUp(choice)
				if after := choose(&tw.w, ownSeat); after != before {
					rt.Fatalf("%+v became %+v with other cards in other hands", before, after)
				}
				acts[before.Act]++
			}
			tw.tick(t, tick, commands)
		}
	})
	if acts[Play] < 100 || acts[Draw] < 20 || acts[Pass] < 5 {
		t.Errorf("it tests little: %v", acts)
	}
}

func TestABotKeepsItsEightsUntilItMustHurry(t *testing.T) {
	r := table(t, 3, Config{})
	w := world(r)
	sit(r, Card{2, Hearts}, 1, []Card{{Eight, Clubs}, {3, Hearts}, {King, Hearts}, {4, Spades}, {5, Spades}}, []Card{{1, Clubs}, {1, Diamonds}, {2, Clubs}}, []Card{{9, Clubs}})
	if in := choose(w, 1); in.Act != Play || w.Hands.Get(in.Card).Card != (Card{King, Hearts}) {
		t.Errorf("of what fits it does not part with what counts most: %+v", in)
	}
	w.chair(2).Cards = 2
	if in := choose(w, 1); w.Hands.Get(in.Card).Card.Rank != Eight || in.Suit != Hearts && in.Suit != Spades {
		t.Errorf("the next one has two cards: %+v", in)
	}
	sit(r, Card{2, Hearts}, 1, []Card{{4, Spades}}, []Card{{1, Clubs}, {1, Diamonds}, {2, Clubs}}, []Card{{9, Clubs}})
	if in := choose(w, 1); in.Act != Draw {
		t.Errorf("without a card that fits: %+v", in)
	}
	w.Round.V.Drawn = true
	if in := choose(w, 1); in.Act != Pass {
		t.Errorf("after it has drawn: %+v", in)
	}
}

func TestAQuietTickAllocatesNothing(t *testing.T) {
	sc, err := netcode.Compile[World, Input](events...)
	if err != nil {
		t.Fatal(err)
	}
	tw := newTwin(sc, 1, false)
	tw.w.Round.V.Turns = 1 << 20
	tick := uint32(0)
	hide := func(s *netcode.Scopes) { Cards{}.Scopes(&tw.w, s) }
	step := Cards{}.Step
	quiet := func() {
		tick++
		tw.w.Round.V.Think = tick + 10
		tw.driver.Begin(tick)
		tw.driver.Run(step)
		tw.enc.CaptureScoped(tick, &tw.w, hide)
	}
	for range 100 { // dealt, and the ring is full
		quiet()
	}
	if n := testing.AllocsPerRun(100, quiet); n != 0 || tw.w.Round.V.Phase != Playing {
		t.Errorf("%v allocations a tick in phase %v", n, tw.w.Round.V.Phase)
	}
}
