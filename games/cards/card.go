package cards

// Suit is a card's suit.
type Suit uint8

// Suits; NoSuit is no card's.
const (
	NoSuit Suit = iota
	Clubs
	Diamonds
	Hearts
	Spades
)

// EnumNames implements netcode.Enum.
func (Suit) EnumNames() []string { return []string{"None", "Clubs", "Diamonds", "Hearts", "Spades"} }

// Rank is a card's rank, from 1, the ace, to 13, the king.
type Rank uint8

// Ranks that the rules know by name; NoRank is no card's.
const (
	NoRank Rank = 0
	Eight  Rank = 8
	King   Rank = 13
)

// EnumNames implements netcode.Enum.
func (Rank) EnumNames() []string {
	return []string{"None", "Ace", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Jack", "Queen", "King"}
}

// Card is a face. The zero value is none.
type Card struct {
	Rank Rank
	Suit Suit
}

// deckSize is how many cards there are, each once.
const deckSize = 52

// code is a card as one byte of a deck, from 1 to 52.
func (c Card) code() byte { return byte(c.Suit-1)*byte(King) + byte(c.Rank) }

// cardOf is the card that a byte of a deck stands for.
func cardOf(code byte) Card {
	return Card{Rank: Rank((code-1)%byte(King) + 1), Suit: Suit((code-1)/byte(King) + 1)}
}

// Points is what a card counts in a hand when the round is over.
func (c Card) Points() int {
	switch {
	case c.Rank == Eight:
		return 50
	case c.Rank > 10:
		return 10
	}
	return int(c.Rank)
}

// Fits says whether a card may be laid on another while a suit is wanted. An eight fits always.
func (c Card) Fits(top Card, wanted Suit) bool {
	return c.Rank == Eight || c.Suit == wanted || c.Rank == top.Rank
}
