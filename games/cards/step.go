package cards

import "muster/netcode"

// How the game goes. Times are in tenths of a second, which are ticks at the game's own rate.
const (
	turnTime    = 200 // of a turn, where the room was created with nothing else
	awayTime    = 30  // of a turn of one who is away and whose time was up before
	gatherTime  = 100 // for which others are waited for, once two are here
	dealTime    = 20  // more for the first turn: cards are still flying
	scoreTime   = 120 // for which open hands lie there
	overTime    = 20  // until the match ends: its last card is seen, too
	thinkTime   = 9   // of a bot, at least,
	thinkMore   = 12  // and so much more at most
	target      = 100 // the points that are played for, where the room was created with nothing else
	mostRounds  = 25  // then who leads has won
	places      = 4
	handOfTwo   = 7 // cards dealt to each of two
	handOfOther = 5 // and of three or four
)

// Cards is the game's rules: crazy eights, as Muster calls them.
type Cards struct{}

// step is what one tick sees.
type step = netcode.Step[World, Input]

// Step advances the table by one tick.
func (Cards) Step(s *step) {
	for seat, in := range s.Inputs() {
		if why := act(s, seat, in); why != "" {
			s.Refuse(seat, why)
		}
	}
	r := &s.State.Round.V
	switch r.Phase {
	case Waiting:
		gather(s)
	case Playing:
		goOn(s)
	case Scored:
		if s.Tick >= r.Ends || ready(s.State) {
			deal(s)
		}
	case Over: // the room ends the match
	}
}

// act does what a player wants, or says why not. What it says depends on what the player knows alone.
func act(s *step, seat netcode.Seat, in *Input) (refused string) {
	w := s.State
	r, chair := &w.Round.V, w.chair(seat)
	switch {
	case chair == nil:
		return "you have no place at this table"
	case in.Act == Ready:
		return wantsOn(w, chair)
	case r.Phase != Playing:
		return "no round is being played"
	case chair.Cards == 0:
		return "you are dealt in with the next round"
	case r.Turn != seat:
		return "it is not your turn"
	}
	switch in.Act {
	case Play:
		return play(s, chair, in.Card, in.Suit)
	case Draw:
		switch {
		case r.Drawn:
			return "you have drawn already: play a card or pass"
		case !w.canDraw():
			return "there is nothing left to draw: play a card or pass"
		}
		draw(s, chair)
	default:
		if !r.Drawn && w.canDraw() {
			return "draw a card before you pass"
		}
		pass(s, chair, false)
	}
	return ""
}

// wantsOn notes that a player wants the next round now.
func wantsOn(w *World, chair *Chair) (refused string) {
	switch w.Round.V.Phase {
	case Waiting:
		if w.Seats.Len() < 2 {
			return "it takes two: nobody else is here yet"
		}
	case Scored:
	default:
		return "the cards are dealt already"
	}
	chair.Ready = true
	return ""
}

// gather waits for players and deals when they are all here, want to begin, or the time is over.
func gather(s *step) {
	r, n := &s.State.Round.V, s.State.Seats.Len()
	switch {
	case !r.Open || n < 2:
		r.Began, r.Ends = 0, 0
		return
	case r.Ends == 0:
		r.Began, r.Ends = s.Tick, s.Tick+r.Gather
	}
	if n == places || r.Bots > 0 || s.Tick >= r.Ends || ready(s.State) {
		deal(s)
	}
}

// ready says whether all players who are here want the next round.
func ready(w *World) bool {
	n := 0
	for _, c := range w.Seats.All() {
		if !c.Bot && !c.Away {
			if n++; !c.Ready {
				return false
			}
		}
	}
	return n > 0
}

// goOn lets a bot act, and ends a turn whose time is up.
func goOn(s *step) {
	r := &s.State.Round.V
	switch chair := s.State.chair(r.Turn); {
	case chair.Bot && s.Tick >= r.Think:
		in := choose(s.State, r.Turn)
		switch in.Act {
		case Play:
			play(s, chair, in.Card, in.Suit)
		case Draw:
			draw(s, chair)
		default:
			pass(s, chair, false)
		}
	case !chair.Bot && s.Tick >= r.Ends:
		chair.Missed = chair.Away
		if !r.Drawn && s.State.canDraw() {
			draw(s, chair)
		}
		pass(s, chair, true)
	}
}

// play lays a card of a hand on the pile, or says why not.
func play(s *step, chair *Chair, id netcode.ID, suit Suit) (refused string) {
	w := s.State
	r, held, top := &w.Round.V, w.Hands.Get(id), w.top()
	switch {
	case held == nil || held.Owner != chair.Owner: // one answer to both, so that nobody learns which ids there are
		return "that card is not in your hand"
	case !held.Card.Fits(top.Card, r.Wanted):
		return "that card does not match: " + wanted(top.Card, r.Wanted)
	case held.Card.Rank == Eight && suit == NoSuit:
		return "say which suit you want with the eight"
	}
	card := held.Card
	w.lay(chair.Owner, id)
	chair.Cards--
	w.Pile.Add(Laid{N: top.N + 1, Card: card, By: chair.Owner})
	r.Wanted = card.Suit
	if card.Rank == Eight {
		r.Wanted = suit
	}
	r.Passes = 0
	r.Acts++
	s.Emit(netcode.Everyone(), Played{chair.Owner, card, r.Wanted})
	if chair.Cards == 0 {
		score(s, chair)
		return ""
	}
	turn(s, w.after(chair.Place), 0)
	return ""
}

// lay takes a card out of a hand. All of the hand's rows are made anew, from the lowest on, so that which of them are free
// now, and so what later rows are called, does not depend on where in the hand the card was.
func (w *World) lay(seat netcode.Seat, card netcode.ID) {
	var rest [deckSize]Card
	n := 0
	for id, held := range w.Hands.All() {
		if held.Owner != seat {
			continue
		}
		if id != card {
			rest[n] = held.Card
			n++
		}
		w.Hands.Remove(id)
	}
	for _, c := range rest[:n] {
		w.Hands.Add(Held{Owner: seat, Card: c})
	}
}

// draw puts the next card into a hand.
func draw(s *step, chair *Chair) {
	r := &s.State.Round.V
	if len(r.Deck) == 0 {
		turnOver(s)
	}
	last := len(r.Deck) - 1
	s.State.Hands.Add(Held{Owner: chair.Owner, Card: cardOf(r.Deck[last])})
	r.Deck = r.Deck[:last]
	r.Stock = uint8(last) //nolint:gosec // at most 52
	chair.Cards++
	r.Drawn, r.Passes = true, 0
	r.Acts++
	r.Think = s.Tick + think(s)
	s.Emit(netcode.Everyone(), Drew{chair.Owner})
}

// turnOver makes the pile but for its top the stock again.
func turnOver(s *step) {
	r, top := &s.State.Round.V, s.State.top().N
	for id, laid := range s.State.Pile.All() {
		if laid.N != top {
			r.Deck = append(r.Deck, laid.Card.code())
			s.State.Pile.Remove(id)
		}
	}
	shuffle(s, r.Deck)
	s.Emit(netcode.Everyone(), Turned{})
}

// pass ends a turn without a card. Where nothing can be drawn and all pass, nobody can go on: the lowest hand has won.
func pass(s *step, chair *Chair, late bool) {
	r := &s.State.Round.V
	r.Acts++
	s.Emit(netcode.Everyone(), Passed{chair.Owner, late})
	if !s.State.canDraw() {
		if r.Passes++; int(r.Passes) >= s.State.inRound() {
			score(s, s.State.lowest())
			return
		}
	}
	turn(s, s.State.after(chair.Place), 0)
}

// turn lets one act, for so many ticks more than usual.
func turn(s *step, chair *Chair, more uint32) {
	r, long := &s.State.Round.V, s.State.Round.V.Turns
	if chair.Away && chair.Missed {
		long = min(long, awayTime) // the others have waited for him once
	}
	r.Turn, r.Drawn = chair.Owner, false
	r.Began, r.Ends, r.Think = s.Tick, s.Tick+long+more, s.Tick+more+think(s)
}

// think is for how many ticks a bot thinks. It is drawn for each turn, whoever's it is, so that the dice do not depend on
// what is in a hand.
func think(s *step) uint32 { return thinkTime + s.Rand().Uint32N(thinkMore) }
