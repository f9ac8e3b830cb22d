// Package vectors holds a step that predicts in a client against the rules that a server runs, whatever language the step
// is in. A test records what one player sees of a match, and what he does, to a file; the file is played in Go by
// [Play], with the game's own Step, and in TypeScript by playVectors of @muster/client/vectors, with the game's step
// there. Both report the first difference on the wire's grid.
//
//	run := vectors.Run[World, Input]{
//		Schema: schema, State: &world, Step: Rules{}.Step, Rate: 20, Mode: proto.Samples, Seat: 1, Ticks: 200,
//		Inputs: func(tick uint32, give func(netcode.Seat, Input)) { give(1, Input{Turn: 1}) },
//	}
//	file, err := run.Record()
package vectors
