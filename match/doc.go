// Package match is the public game API and the loop that runs a room.
//
// A game is one required method, Step, typed state and typed input; [Define] makes a [Game] of them:
//
//	type World struct {
//		Dots netcode.Table[Dot] `net:"max=16"`
//	}
//	type Dot struct {
//		X, Y  float32 `net:"range=0:100,step=0.1"`
//		Owner netcode.Seat
//	}
//	type Input struct{ DX, DY int8 }
//	type Dots struct{}
//
//	func (Dots) Step(s *netcode.Step[World, Input]) {
//		for _, dot := range s.State.Dots.All() {
//			if in, ok := s.Input(dot.Owner); ok {
//				dot.X, dot.Y = dot.X+float32(in.DX), dot.Y+float32(in.DY)
//			}
//		}
//	}
//	func (Dots) Join(r *match.Room[World], p match.Player) error {
//		r.State().Dots.Add(Dot{X: 50, Y: 50, Owner: p.Seat})
//		return nil
//	}
//	var Game = match.Define[World, Input]("dots", Dots{}, match.Rules{Version: "1", TickRate: 20, Seats: 16})
//
// Hooks are optional methods, found by name and checked by [Define]: Open, Join, Start, Drop, Resume, Leave, After, End,
// Scopes, Check (each input before the rules see it) and Done (what came of [Room.Do], which does outside of the tick what
// would make it wait). [Rules] say how fast a room ticks, how many inputs count, how long a seat is held, how many may
// watch, what a room is created with (see [ConfigOf]), and what of a match survives: with [Journal] it goes on after the end
// of its process with every input that a client was told is durable, with Persist it is there when somebody opens it again.
// After the first panic of its rules a room goes on without the inputs of that tick. [Replay] runs a recorded room again,
// [VerifyReplay] compares it tick by tick; package matchtest tests a game without a server.
//
// A room is one goroutine that owns the state. Once a tick it takes what arrived (seat changes, inputs) into one
// [TickRecord], steps the game from that record and nothing else, and hands the encoded state to the edges that hold
// its viewers. A seat is a place in the match; a viewer is what watches it; a connection is an edge's affair. The
// package opens no socket and knows no Redis: edges and the directory are interfaces that it is given.
package match
