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
// wraps; owner sends a column to the row's owner only, team to the owner's team; server never sends it; ref=TABLE, of an
// [ID], says whose rows it names; max=N bounds text, in bytes, slices, in elements, and tables, in rows; rewind, of a
// table, keeps its past on the server, for Step.Rewind. Two are hints to whoever shows a state, and change nothing of
// what is sent: once says that a column stays as it is for as long as the row exists, predict that it moves smoothly.
// Nested structs, arrays and slices are flattened into columns; a whole number whose type is an [Enum] is sent by name.
//
// Who may see a row is the rules' decision each tick ([Scopes]): everybody, a team, a seat, or who looks at a cell of a
// grid; what is in a scope is encoded once, whoever watches it.
//
// Viewers of a room can be served where it does not run: a mirror ([NewMirror]) is an encoder that is fed with the blocks
// that one [View], of the [Union] of their scopes, got.
//
// A client shows states a little late and interpolates between them ([Playout]). The server can work out again, to the
// bit, what a player saw (Step.Rewind), so that a shot hits where its shooter saw the target. What flies for a while is
// followed from there through the past (Step.Viewed, Step.RewindTo).
//
// What a match goes on from, elsewhere or later, is a checkpoint (Driver.AppendCheckpoint, Driver.Restore): the state to
// the bit, ids to come, the random source and the past. It can be read under newer rules, by names. States are compared
// by StateHash; ColumnSums and Differences say where two of them part.
//
// A client that predicts has three parts, none of which reads a clock or a socket. A [Clock] is told when frames and
// pongs arrive and says which tick an input should be for (Target) and how far the room is now (ServerTick). A
// [Prediction] runs the game's own Step ahead of the newest state: it takes the states that a Decoder loads and the
// inputs that were sent, runs those again that a state does not contain, and shows what is between two ticks with
// corrections smoothed. Events that the rules emit are told ahead of the server, rows that they add are shown ahead of
// it, until its own come. On the server an [InputBuffer] for each seat gives every tick the inputs that it uses, by the rules that the prediction follows.
//
//	clock.Frame(head.Tick, at)                 // a frame arrived
//	err = decoder.Load(&truth)
//	told := prediction.Confirm(event, tick)    // of each event that came; else it is to be told now
//	prediction.Reconcile(head.Tick, head.Processed)
//	tick := clock.Target(now)                  // an input is made
//	prediction.Input(seq, tick, view, frac, &in)
//	prediction.Advance(clock.InputTick(now))   // a picture is drawn
//	prediction.Decay(ms)
//	draw(prediction.Shown())
package netcode
