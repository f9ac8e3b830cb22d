// Package netcode is the pure part of Muster: a game's state in typed tables, the schema that is compiled from it, the
// codec that turns a state into a few bytes for each viewer, and the Step that server, client and replay all run.
//
// It has no clock, no goroutine, no network and no log, reads no global randomness and depends on no map's order, so
// that the same calls give the same bytes. Both ends compute in integers once a value is quantised.
//
//	type World struct {
//		Ships netcode.Table[Ship] `net:"max=64"`
//	}
//	type Ship struct {
//		X, Y  float32 `net:"range=0:1000,step=0.05"`
//		Angle float32 `net:"angle,bits=8"`
//		Name  string  `net:"max=24"`
//		Owner netcode.Seat
//		Ammo  uint16 `net:"owner"` // sent to the owner only
//		VX    float32 `net:"server"` // never sent
//	}
//	type Input struct{ Turn, Thrust int8 }
//
//	schema, err := netcode.Compile[World, Input]()
//	encoder := netcode.NewEncoder(schema, netcode.EncoderConfig{})
//	encoder.Capture(tick, &world)              // once a tick
//	blocks := encoder.Prepare(&view, scopes)   // for each viewer: shared bytes
//	err = decoder.Apply(&frame)                // at the other end
//
// Options of the net tag: range=MIN:MAX with step=STEP quantises a float; angle with bits=N is a float of radians that
// wraps; owner sends a column to the row's owner only; server never sends it; max=N bounds text, in bytes, and tables,
// in rows; rewind, of a table, keeps its past on the server, for Step.Rewind. Two are hints to whoever shows a state,
// and change nothing of what is sent: once says that a column stays as it is for as long as the row exists, predict
// that it moves smoothly.
//
// A client shows states a little late and interpolates between them (Playout). The server can work out again, to the
// bit, what a player saw (Step.Rewind), so that a shot hits where its shooter saw the target.
package netcode
