// Package arena is a game for up to sixteen: ships turn, thrust, bounce off walls and each other, and shoot. A round has
// three minutes; who destroyed most ships wins. It is the example to read first.
//
// state.go is what the world holds and how it is sent. step.go and shots.go are the simulation, which server, predicting
// clients and replays share: they see state, inputs, a tick and a seeded random source and import netcode alone, and
// index.go finds for them who is near. room.go is what only a server does, bot.go is a player for load tests.
//
// A shot hits what its shooter saw, however late he saw it (catchUp in shots.go).
//
// A room may be created with bots: ships that the rules fly (pilot.go, which bot.go's players share; bots.go). A pilot
// decides by the state and the seeded random source alone, so a replay flies it as the match did, and its mind is sent to
// nobody: to a client its ship is one whose inputs it does not know. Bots come with the first player and give way to those
// who come to a room that is full; they count in the round, and not in the match's result.
//
// The crowd (crowd.go) is a second game of the same rules: a field of [CrowdSize], 200 bots and up to 32 players, each of
// whom gets what is around his ship, a rough map and the ten who lead.
//
// Lengths are in units, of which the square arena has [Size] on a side; x grows to the right and y downwards, as on a
// canvas, so an angle of 0 looks right and a growing one turns clockwise. Times in the state are in ticks.
package arena
