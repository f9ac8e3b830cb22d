package arena

import "muster/netcode"

// The bots of a room: how many there are, and what they are called. How they fly is in pilot.go.

// fill adds bots up to the number that the room was created with, as far as there is place.
func fill(w *World, rng dice) {
	bots := 0
	for _, ship := range w.Ships.All() {
		if ship.Mind.Flown {
			bots++
		}
	}
	for ; bots < int(w.Field.V.Bots) && w.Ships.Len() < int(w.Field.V.Places); bots++ {
		middle := float32(w.side() / 2)
		skill := raw + float64((skilled-raw)*rng.Float64())
		w.Ships.Add(Ship{X: middle, Y: middle, Owner: freeBot(w), Name: callsign(w, rng), Mind: Mind{Flown: true, Skill: skill}})
	}
}

// freeBot returns the lowest seat above the players' that no ship has.
func freeBot(w *World) netcode.Seat {
	var taken [256]bool // as many as there are ships at most
	for _, ship := range w.Ships.All() {
		if i := int(ship.Owner) - int(FirstBot); i >= 0 && i < len(taken) {
			taken[i] = true
		}
	}
	free := 0
	for free < len(taken)-1 && taken[free] {
		free++
	}
	return FirstBot + netcode.Seat(free)
}

// giveWay takes out the bot with the fewest points, the newest of them, with its bullets.
func giveWay(w *World) {
	var last *Ship
	for _, ship := range w.Ships.All() {
		if ship.Mind.Flown && (last == nil || ship.Score < last.Score || ship.Score == last.Score && ship.Owner > last.Owner) {
			last = ship
		}
	}
	if last != nil {
		takeOut(w, last.Owner)
	}
}

// takeOut removes a seat's ship and bullets, so that the seat's next one has nothing to do with them.
func takeOut(w *World, seat netcode.Seat) {
	for id, ship := range w.Ships.All() {
		if ship.Owner == seat {
			w.Blips.Remove(ship.Blip)
			w.Ships.Remove(id)
		}
	}
	for id, b := range w.Bullets.All() {
		if b.Owner == seat {
			w.Bullets.Remove(id)
		}
	}
}

// Callsigns are one of each: 24 bytes at most, which is what Ship.Name holds.
var (
	callsignFirst = [...]string{
		"Amber", "Arctic", "Brass", "Cobalt", "Crimson", "Dusty", "Electric", "Frosty", "Ghost", "Hollow", "Iron", "Ivory",
		"Jade", "Lone", "Lunar", "Neon", "Night", "Onyx", "Rusty", "Scarlet", "Silent", "Solar", "Static", "Turbo",
	}
	callsignSecond = [...]string{
		"Anvil", "Arrow", "Badger", "Bandit", "Cobra", "Comet", "Condor", "Dagger", "Drifter", "Echo", "Falcon", "Hornet",
		"Jackal", "Lynx", "Mantis", "Marlin", "Nomad", "Orbit", "Raven", "Rocket", "Saber", "Viper", "Wasp", "Wolf",
	}
)

// callsign returns a name that no ship of the room has.
func callsign(w *World, rng dice) string {
	for {
		name := callsignFirst[rng.IntN(len(callsignFirst))] + " " + callsignSecond[rng.IntN(len(callsignSecond))]
		free := true
		for _, ship := range w.Ships.All() {
			free = free && ship.Name != name
		}
		if free { // there are twice as many names as ships at most
			return name
		}
	}
}
