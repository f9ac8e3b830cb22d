package cards

import "muster/netcode"

// World is the whole state of a table. What a client has of it is Seats, Pile and Round, and of Hands what lies in its own
// scope.
type World struct {
	Seats netcode.Table[Chair] `net:"max=4"`
	Hands netcode.Table[Held]  `net:"max=64"` // more than the deck has: a hand is laid down and taken up again in one tick
	Pile  netcode.Table[Laid]  `net:"max=52"`
	Round netcode.Value[Round]
}

// Chair is one who plays: a player, or a bot in his place.
type Chair struct {
	Owner netcode.Seat // the player's seat; from FirstBot on the rules play
	Place uint8        // where at the table, 0 to 3; turns go up
	Name  string       `net:"max=24"`
	Bot   bool
	Away  bool // the player's connection is lost; when his time is up the rules play for him
	Ready bool // wants the next round now
	// Cards is how many are in the hand: that much, and nothing else of a hand, is for everybody. 0 while a round is played
	// is one who came too late for it.
	Cards uint8
	Score uint16 // points of all rounds

	Missed bool         `net:"server"`        // his time was up in his last turn, while he was away
	Player string       `net:"server,max=64"` // the id of the player who sits here, or sat here last
	Left   netcode.Seat `net:"server"`        // the seat of a player who left for good and whose cards a bot plays on; else 0
}

// FirstBot is the first seat of those who are played by the rules. Seats of players are all below, so that no viewer has the
// scope of a bot's hand.
const FirstBot netcode.Seat = 256

// Held is a card in a hand. Its row is in the scope of its owner's seat alone, until the round is over and all hands are
// laid open. Rows are made anew whenever their hand changes, so that what a row is called says nothing of what it was.
type Held struct {
	Owner netcode.Seat
	Card  Card
}

// Laid is a card on the pile.
type Laid struct {
	N    uint16 // the pile grows upwards from 1
	Card Card
	By   netcode.Seat // 0: the dealer turned it up
}

// Phase is what goes on at the table.
type Phase uint8

// Phases, in their order. After Scored the next round is Playing, or the match is Over.
const (
	Waiting Phase = iota // for players
	Playing
	Scored // a round is over: hands are open
	Over   // somebody has the points that are played for
)

// EnumNames implements netcode.Enum.
func (Phase) EnumNames() []string { return []string{"Waiting", "Playing", "Scored", "Over"} }

// Round is what all know of the round. Began and Ends are ticks, not countdowns, so that they cost nothing to send.
type Round struct {
	Phase  Phase
	Number uint8        // of rounds, from 1
	Turn   netcode.Seat // who is to act; 0 for nobody
	Began  uint32       // the tick at which the turn, or the phase, began
	Ends   uint32       // and at which it ends by itself; 0 for never
	Wanted Suit         // that a card must have, where it has not the rank of the pile's top
	Drawn  bool         // who is to act has drawn already
	Stock  uint8        // how many cards can be drawn before the pile is turned over
	Acts   uint16       // cards played, drawn and passed on in this round
	Winner netcode.Seat // of the round, or of the match; 0 for a draw
	Target uint16       // the points that are played for

	// Deck is what is left to draw, the next card last, as Card.code writes it. No client ever gets a byte of it.
	Deck   []byte `net:"server,max=52"`
	Passes uint8  `net:"server"` // in a row, since nothing can be drawn
	Dealer uint8  `net:"server"` // the place that dealt
	Think  uint32 `net:"server"` // the tick at which a bot acts
	Open   bool   `net:"server"` // the match has started: cards may be dealt
	Turns  uint32 `net:"server"` // how long a turn goes, in ticks
	Gather uint32 `net:"server"` // for how long others are waited for, in ticks
	Bots   uint8  `net:"server"` // with how many the room was created
}

// Act is what a player wants to do.
type Act uint8

// Acts of a player.
const (
	Ready Act = iota // deal now, as far as he is concerned
	Play
	Draw
	Pass
)

// EnumNames implements netcode.Enum.
func (Act) EnumNames() []string { return []string{"Ready", "Play", "Draw", "Pass"} }

// Input is a command. Each is done once or refused with a reason.
type Input struct {
	Act  Act
	Card netcode.ID `net:"ref=Hands"` // of Play
	Suit Suit       // of Play with an eight: what is wanted from now on
}

// Dealt is the event of a new round.
type Dealt struct{ Round uint8 }

// Played is the event of a card that was laid on the pile. Suit is what an eight asks for.
type Played struct {
	Seat netcode.Seat
	Card Card
	Suit Suit
}

// Drew is the event of a card that went into a hand: whose, and nothing of which.
type Drew struct{ Seat netcode.Seat }

// Passed is the event of a turn that ended without a card. Late: its time was up, and the rules passed.
type Passed struct {
	Seat netcode.Seat
	Late bool
}

// Turned is the event of the pile that became the stock again, shuffled.
type Turned struct{}

// Won is the event of the end of a round. Seat is 0 where nobody could go on and two hands were the lowest.
type Won struct {
	Seat   netcode.Seat
	Points uint16
}

// events are the zero values of the event types, in the order of their numbers on the wire.
var events = []any{Dealt{}, Played{}, Drew{}, Passed{}, Turned{}, Won{}}
