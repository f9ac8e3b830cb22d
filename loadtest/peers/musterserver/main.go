// Command musterserver is the muster command with one game, the arena of this benchmark. Everything else is the
// product's own: lobby, seats, edge, room loop, metrics.
//
//	SEATS=50       players of a room
//	IDLE=1         one tick a second and nothing moves: what a connection costs by itself
//	GRID=fine      positions and angles as fine as the arena game's
//	PPROF=ADDR     serve profiles there
package main

import (
	"fmt"
	"log"
	"math"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"strconv"
	"time"

	"muster/cmd"
	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// size is the length of the world's side, step how far a ship moves in a tick.
const (
	size = 1000
	step = 12.0 / 20
)

// Ship is one player: what every peer of this benchmark sends of one. Positions are to a quarter of a unit in a world
// of 1,000; there are eight directions, so three bits hold each exactly.
type Ship struct {
	X, Y   float32      `net:"range=0:1000,step=0.25,predict"`
	A      float32      `net:"angle,bits=3"`
	DX, DY int8         `net:"server"`
	Owner  netcode.Seat `net:"once"`
}

// FineShip is a Ship on the grid of the arena game, where nothing is known of directions.
type FineShip struct {
	X, Y   float32      `net:"range=0:1000,step=0.05,predict"`
	A      float32      `net:"angle,bits=8"`
	DX, DY int8         `net:"server"`
	Owner  netcode.Seat `net:"once"`
}

// World is the state of a room of either kind of ships.
type World[S any] struct {
	Ships netcode.Table[S] `net:"max=1000"`
}

// Input is the direction that a player goes.
type Input struct{ DX, DY int8 }

// arena is the game; ship sees a row as a Ship.
type arena[S any] struct{ ship func(*S) *Ship }

// Step turns each ship where its player wants and moves it.
func (a arena[S]) Step(s *netcode.Step[World[S], Input]) {
	for _, row := range s.State.Ships.All() {
		ship := a.ship(row)
		if in, ok := s.Input(ship.Owner); ok && (in.DX != ship.DX || in.DY != ship.DY) {
			ship.DX, ship.DY = in.DX, in.DY
			ship.A = float32(math.Atan2(float64(in.DY), float64(in.DX)))
		}
		ship.X, ship.Y = wrap(ship.X+float32(ship.DX)*step), wrap(ship.Y+float32(ship.DY)*step)
	}
}

func wrap(v float32) float32 {
	switch {
	case v < 0:
		return v + size
	case v >= size:
		return v - size
	}
	return v
}

// Join gives a player a ship.
func (a arena[S]) Join(r *match.Room[World[S]], p match.Player) error {
	n := int(p.Seat) - 1
	ship := Ship{X: float32(n * 37 % size), Y: float32(n * 91 % size), DX: 1, DY: 1, Owner: p.Seat}
	if idle {
		ship.DX, ship.DY = 0, 0
	}
	var row S
	*a.ship(&row) = ship
	if r.State().Ships.Add(row) == 0 {
		return fmt.Errorf("there is no place for another ship")
	}
	return nil
}

// Leave takes a player's ship out.
func (a arena[S]) Leave(r *match.Room[World[S]], p match.Player) {
	for id, row := range r.State().Ships.All() {
		if a.ship(row).Owner == p.Seat {
			r.State().Ships.Remove(id)
		}
	}
}

var idle = os.Getenv("IDLE") != ""

func main() {
	seats := 50
	if n, err := strconv.Atoi(os.Getenv("SEATS")); err == nil && n > 0 {
		seats = n
	}
	rate := 20
	if idle {
		rate = 1
	}
	if addr := os.Getenv("PPROF"); addr != "" {
		runtime.MemProfileRate = 8 << 10
		go func() {
			s := &http.Server{Addr: addr, ReadHeaderTimeout: time.Second}
			log.Println("profiles:", s.ListenAndServe())
		}()
	}
	// Each run has a store of its own, also where it shares a Redis with those before it.
	if err := os.Setenv("MUSTER_NAMESPACE", fmt.Sprintf("bench-%d", os.Getpid())); err != nil {
		log.Fatal(err)
	}
	rules := match.Rules{TickRate: rate, Seats: seats, Inputs: proto.Samples, Grace: time.Hour, Empty: time.Hour}
	game := match.Define[World[Ship], Input]("bench", arena[Ship]{func(s *Ship) *Ship { return s }}, rules)
	if os.Getenv("GRID") == "fine" {
		game = match.Define[World[FineShip], Input]("bench", arena[FineShip]{func(s *FineShip) *Ship { return (*Ship)(s) }}, rules)
	}
	cmd.Main(cmd.Game{Game: game})
}
