// Package arena is a game for up to sixteen: ships turn, thrust, bounce off walls and each other, and shoot. A round has
// three minutes; who destroyed most ships wins. It is the example to read first.
//
// state.go is what the world holds and how it is sent. step.go is the simulation, which server, predicting clients and
// replays share: it sees state, inputs, a tick and a seeded random source and imports netcode alone. room.go is what
// only a server does, bot.go is a player for load tests.
//
// A shot hits what its shooter saw, however late he saw it (catchUp in step.go).
//
// Lengths are in units, of which the square arena has [Size] on a side; x grows to the right and y downwards, as on a
// canvas, so an angle of 0 looks right and a growing one turns clockwise. Times in the state are in ticks.
package arena
