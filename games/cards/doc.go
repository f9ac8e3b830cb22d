// Package cards is a card game for two to four with hidden hands: crazy eights, played in rounds to a total. It is the
// example to read for a game of turns.
//
// Whoever is to act lays a card of the wanted suit or of the rank of the pile's top. An eight goes on anything, and its
// player says which suit is wanted from then on. Who cannot or does not want to draws one card, and then plays or passes.
// The first without cards gets the points that are left in the others' hands; who first has as many as the room was created
// with has won.
//
// A card in a hand is a row of World.Hands, in the scope of its owner's seat alone: [Cards.Scopes] is all that it takes. The
// deck is a column that is the server's. How many cards a hand has is public. Everything else about a hand must stay in
// its seat's bytes, so what others are sent may depend on nothing that is hidden, not even by the names of rows (World.lay),
// by the dice (think) or by the words of a refusal (act). A property test holds the rules to that: the bytes of a seat are
// the same whatever the other hands hold.
//
// Inputs are commands: each is done once, or refused with a reason that its player gets. The clock is a tick in the state:
// when it has come the rules draw and pass for who sleeps or is away. Bots are chairs that the rules play ([FirstBot]);
// choose.go is what they do, by their own hand and by what all know, and bot.go lets it play from a client.
//
// card.go is what cards are, round.go how they are dealt and counted, step.go a turn, room.go who sits at the table.
package cards
