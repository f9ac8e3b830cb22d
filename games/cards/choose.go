package cards

import "muster/netcode"

// hand is what one holds, in the order of its rows.
type hand struct {
	ids   [deckSize]netcode.ID
	cards [deckSize]Card
	n     int
}

// handOf is a seat's hand.
func (w *World) handOf(seat netcode.Seat) (h hand) {
	for id, held := range w.Hands.All() {
		if held.Owner == seat && h.n < deckSize {
			h.ids[h.n], h.cards[h.n] = id, held.Card
			h.n++
		}
	}
	return h
}

// choose is what a bot does when it is its turn. It knows its own hand and what all know, so that the rules' bots and those
// that are clients play alike, and nobody's hand shows in what they do. It keeps its eights, parts with what counts most,
// and wants the suit that it has most of. When the next one holds a card or two it does not wait with its eights.
func choose(w *World, seat netcode.Seat) Input {
	h, top, r := w.handOf(seat), w.top().Card, &w.Round.V
	var has [Spades + 1]int
	for _, c := range h.cards[:h.n] {
		if c.Rank != Eight {
			has[c.Suit]++
		}
	}
	hurry := false
	if chair := w.chair(seat); chair != nil {
		if next := w.after(chair.Place); next != nil {
			hurry = next.Owner != seat && next.Cards <= 2
		}
	}
	best, value := -1, -1
	for i, c := range h.cards[:h.n] {
		if !c.Fits(top, r.Wanted) {
			continue
		}
		v := 100 + 4*c.Points() + has[c.Suit]
		if c.Rank == Eight {
			if v = 0; hurry {
				v = 1000
			}
		}
		if v > value {
			best, value = i, v
		}
	}
	switch {
	case best >= 0 && h.cards[best].Rank == Eight:
		return Input{Act: Play, Card: h.ids[best], Suit: most(has)}
	case best >= 0:
		return Input{Act: Play, Card: h.ids[best]}
	case !r.Drawn && w.canDraw():
		return Input{Act: Draw}
	}
	return Input{Act: Pass}
}

// most is the suit of which there are most; of equal ones the first.
func most(has [Spades + 1]int) Suit {
	best := Clubs
	for s := Clubs; s <= Spades; s++ {
		if has[s] > has[best] {
			best = s
		}
	}
	return best
}
