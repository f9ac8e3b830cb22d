package arena

import (
	"math/rand/v2"
	"slices"
	"testing"

	"muster/netcode"
)

// What the squares leave out is never met by a shot.
func TestTheIndexFindsAllThatIsNear(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	for range 200 {
		side := 300 + 3700*rng.Float64()
		var w World
		for range 200 {
			w.Ships.Add(Ship{
				X: float32(side * rng.Float64()), Y: float32(side * rng.Float64()), HP: uint8(rng.IntN(3)),
				VX: float32(400 * (rng.Float64() - 0.5)), VY: float32(400 * (rng.Float64() - 0.5)),
			})
		}
		w.index.build(&w, side, 1.0/tickRate)
		x, y := side*rng.Float64(), side*rng.Float64()
		dx, dy := 50*(rng.Float64()-0.5), 50*(rng.Float64()-0.5)
		var found []*Ship
		for _, i := range w.index.along(x, y, dx, dy, Radius+bulletSize) {
			found = append(found, w.index.ships[i].ship)
		}
		at := 0
		for _, ship := range w.Ships.All() {
			sx, sy := float64(ship.VX)/tickRate, float64(ship.VY)/tickRate
			meets := ship.Alive() && sweep(x-(float64(ship.X)-sx), y-(float64(ship.Y)-sy), dx-sx, dy-sy, Radius+bulletSize) <= 1
			i := slices.Index(found, ship)
			switch {
			case meets && i < 0:
				t.Fatalf("from %v, %v by %v, %v in %v: the ship %+v is not found", x, y, dx, dy, side, ship)
			case i >= 0 && i < at:
				t.Fatal("not in the order of ids")
			case i >= 0:
				at = i
			}
		}
	}
}

// Ships that meet are pushed as by a look at all pairs of them, in the same order.
func TestShipsPushEachOtherAsIfAllWereLookedAt(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 11))
	pushed := 0
	for range 200 {
		var fast, slow World
		for range 60 {
			s := Ship{
				X: float32(500 * rng.Float64()), Y: float32(500 * rng.Float64()), HP: uint8(rng.IntN(4)),
				VX: float32(400 * (rng.Float64() - 0.5)), VY: float32(400 * (rng.Float64() - 0.5)),
			}
			fast.Ships.Add(s)
			slow.Ships.Add(s)
		}
		collide(&fast, 500, 1.0/tickRate)
		for id, a := range slow.Ships.All() {
			for other, b := range slow.Ships.All() {
				dx, dy := float64(b.X)-float64(a.X), float64(b.Y)-float64(a.Y)
				if d2 := dot(dx, dy, dx, dy); other > id && a.Alive() && b.Alive() && d2 < 4*Radius*Radius {
					push(a, b, dx, dy, netcode.Sqrt(d2), 500)
					pushed++
				}
			}
		}
		for id, ship := range slow.Ships.All() {
			if got := fast.Ships.Get(id); *got != *ship {
				t.Fatalf("a ship is %+v, with a look at all of them %+v", got, ship)
			}
		}
	}
	if pushed < 1000 {
		t.Errorf("%d pushes: this shows little", pushed)
	}
}
