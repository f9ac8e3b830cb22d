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
// A room is one goroutine that owns the state. Once a tick it takes what arrived (seat changes, inputs) into one
// [TickRecord], steps the game from that record and nothing else, and hands the encoded state to the edges that hold
// its viewers. A seat is a place in the match; a viewer is what watches it; a connection is an edge's affair. The
// package opens no socket and knows no Redis: edges and the directory are interfaces that it is given.
package match
