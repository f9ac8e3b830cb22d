package cards

import "muster/netcode"

// A round: how it is dealt, who is next, what it counts.

// deal begins the next round.
func deal(s *step) {
	w, r := s.State, &s.State.Round.V
	clearTable(w)
	r.Deck = r.Deck[:0]
	for code := byte(1); code <= deckSize; code++ {
		r.Deck = append(r.Deck, code)
	}
	shuffle(s, r.Deck)
	each := handOfOther
	if w.Seats.Len() == 2 {
		each = handOfTwo
	}
	for range each {
		for _, chair := range w.Seats.All() {
			last := len(r.Deck) - 1
			w.Hands.Add(Held{Owner: chair.Owner, Card: cardOf(r.Deck[last])})
			r.Deck = r.Deck[:last]
			chair.Cards++
		}
	}
	first := turnUp(r)
	w.Pile.Add(Laid{N: 1, Card: first})
	r.Wanted = first.Suit
	r.Stock = uint8(len(r.Deck)) //nolint:gosec // at most 52
	r.Phase, r.Acts, r.Passes, r.Winner = Playing, 0, 0, 0
	r.Number++
	r.Dealer = w.after(r.Dealer).Place
	s.Emit(netcode.Everyone(), Dealt{r.Number})
	turn(s, w.after(r.Dealer), dealTime)
}

// clearTable takes all cards away.
func clearTable(w *World) {
	for id := range w.Hands.All() {
		w.Hands.Remove(id)
	}
	for id := range w.Pile.All() {
		w.Pile.Remove(id)
	}
	for _, chair := range w.Seats.All() {
		chair.Cards, chair.Ready = 0, false
	}
}

// turnUp takes the uppermost card that is no eight out of a deck: a round does not begin with one.
func turnUp(r *Round) Card {
	for i := len(r.Deck) - 1; ; i-- { // there are four eights
		if c := cardOf(r.Deck[i]); c.Rank != Eight {
			r.Deck = append(r.Deck[:i], r.Deck[i+1:]...)
			return c
		}
	}
}

func shuffle(s *step, deck []byte) {
	s.Rand().Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
}

// score ends a round: who has won it gets what is left in the others' hands. The own hand, of one who has won without
// having laid down all, counts against it.
func score(s *step, winner *Chair) {
	w, r := s.State, &s.State.Round.V
	points := 0
	for _, held := range w.Hands.All() {
		switch {
		case winner == nil:
		case held.Owner == winner.Owner:
			points -= held.Card.Points()
		default:
			points += held.Card.Points()
		}
	}
	points = max(points, 0)
	r.Phase, r.Turn, r.Drawn, r.Winner = Scored, 0, false, 0
	r.Began, r.Ends = s.Tick, s.Tick+scoreTime
	if winner != nil {
		r.Winner = winner.Owner
		winner.Score += uint16(points) //nolint:gosec // far below in mostRounds rounds
	}
	s.Emit(netcode.Everyone(), Won{r.Winner, uint16(points)}) //nolint:gosec // at most 340
	best, alone := w.best()
	if best.Score < r.Target && r.Number < mostRounds {
		return
	}
	r.Phase, r.Ends, r.Winner = Over, s.Tick+overTime, 0
	if alone {
		r.Winner = best.Owner
	}
}

// chair is that of a seat, or nil.
func (w *World) chair(seat netcode.Seat) *Chair {
	for _, c := range w.Seats.All() {
		if c.Owner == seat {
			return c
		}
	}
	return nil
}

// after is the next chair behind a place that plays in this round.
func (w *World) after(place uint8) (next *Chair) {
	best := uint8(places + 1)
	for _, c := range w.Seats.All() {
		if far := (c.Place+2*places-place-1)%places + 1; c.Cards > 0 && far < best {
			next, best = c, far
		}
	}
	return next
}

// inRound is how many play in this round.
func (w *World) inRound() (n int) {
	for _, c := range w.Seats.All() {
		if c.Cards > 0 {
			n++
		}
	}
	return n
}

// lowest is the chair whose hand counts least, or nil where that is more than one's.
func (w *World) lowest() (low *Chair) {
	least := 1 << 15
	for _, c := range w.Seats.All() {
		if c.Cards == 0 {
			continue
		}
		points := 0
		for _, held := range w.Hands.All() {
			if held.Owner == c.Owner {
				points += held.Card.Points()
			}
		}
		switch {
		case points < least:
			low, least = c, points
		case points == least:
			low = nil
		}
	}
	return low
}

// best is the chair with most points, and whether no other has as many.
func (w *World) best() (best *Chair, alone bool) {
	for _, c := range w.Seats.All() {
		switch {
		case best == nil || c.Score > best.Score:
			best, alone = c, true
		case c.Score == best.Score:
			alone = false
		}
	}
	return best, alone
}

// top is the pile's uppermost card; the zero value where there is no pile.
func (w *World) top() (top Laid) {
	for _, laid := range w.Pile.All() {
		if laid.N > top.N {
			top = *laid
		}
	}
	return top
}

// canDraw says whether there is a card to draw: of the stock, or of the pile below its top.
func (w *World) canDraw() bool { return w.Round.V.Stock > 0 || w.Pile.Len() > 1 }

// wanted says what may be laid on the pile.
func wanted(top Card, suit Suit) string {
	if top.Rank == Eight {
		return suit.EnumNames()[suit] + " or an Eight is wanted"
	}
	return suit.EnumNames()[suit] + ", a " + top.Rank.EnumNames()[top.Rank] + " or an Eight is wanted"
}
