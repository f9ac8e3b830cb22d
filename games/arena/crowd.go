package arena

import "muster/netcode"

// The crowd is the arena on a field that is too large to be seen at once, with many more ships, most of them bots. A
// player gets what is around his ship, and of the rest where ships are, roughly and twice a second, and who leads.

const (
	crowdSeats = 32
	crowdBots  = 200

	// Look is how far around his ship a player sees everything, in units; some more may come to him, up to the end of a
	// cell and a bit of the next.
	Look = 800
	// crowdCell is the side of the cells that are sent or not, and crowdMargin how far beyond its cell a ship may be
	// before it is in another.
	crowdCell   = 400
	crowdMargin = 50
	// mapEvery is at each how many ticks the map is drawn and the leaders are counted. In between nothing of them changes,
	// so nothing of them is sent. A lower rate of their scope would do the same, and make clients keep each bullet that is
	// gone for as long: it may have gone where they are not told of yet.
	mapEvery = 10
)

// Crowd is the rules of the game of that name.
type Crowd struct{ Arena }

// drawMap brings the blips to where the ships are.
func drawMap(w *World) {
	for _, ship := range w.Ships.All() {
		blip := w.Blips.Get(ship.Blip)
		switch {
		case !ship.Alive() && blip != nil:
			w.Blips.Remove(ship.Blip)
			ship.Blip = 0
		case ship.Alive() && blip == nil:
			ship.Blip = w.Blips.Add(Blip{X: ship.X, Y: ship.Y, Bot: ship.Mind.Flown})
		case ship.Alive():
			blip.X, blip.Y = ship.X, ship.Y
		}
	}
}

// rank brings the leaders up to date: those who have most points, of equals the one with the lower seat.
func rank(w *World) {
	var top [10]*Ship
	for _, ship := range w.Ships.All() {
		for i := range top {
			if ship.Score == 0 {
				break
			}
			if top[i] == nil || ship.Score > top[i].Score || ship.Score == top[i].Score && ship.Owner < top[i].Owner {
				top[i], ship = ship, top[i]
			}
			if ship == nil {
				break
			}
		}
	}
	for id, leader := range w.Leaders.All() {
		i := 0
		for i < len(top) && (top[i] == nil || top[i].Owner != leader.Seat || top[i].Name != leader.Name) {
			i++
		}
		if i == len(top) {
			w.Leaders.Remove(id)
			continue
		}
		leader.Score, top[i] = top[i].Score, nil
	}
	for _, ship := range top {
		if ship != nil {
			w.Leaders.Add(Leader{Seat: ship.Owner, Name: ship.Name, Score: ship.Score})
		}
	}
}

// Scopes lets a player see what is around his ship.
func (Crowd) Scopes(w *World, sc *netcode.Scopes) {
	sc.Grid(netcode.Grid{
		Cell: crowdCell, Cols: CrowdSize / crowdCell, Rows: CrowdSize / crowdCell, Radius: Look + crowdMargin, Margin: crowdMargin,
	})
	for id, ship := range w.Ships.All() {
		sc.PlaceAt(&w.Ships, id, float64(ship.X), float64(ship.Y))
		if ship.Owner < FirstBot {
			sc.Look(ship.Owner, float64(ship.X), float64(ship.Y))
		}
	}
	for id, b := range w.Bullets.All() {
		sc.PlaceAt(&w.Bullets, id, float64(b.X), float64(b.Y))
	}
}
