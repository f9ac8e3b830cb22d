package simulate

import (
	"math"

	"muster/lobby/queue"
)

// beta is how much a player's performance varies from one match to the next, in points of package rating.
const beta = meanRating / 6.

// strength is how likely the strongest team of a match beats the weakest, by the model of package rating: the sums of
// their players' ratings, and how sure these are. NaN where there are not two teams with players.
func strength(teams [][]*queue.Ticket) float64 {
	type side struct{ sum, variance float64 }
	var best, least side
	some := 0
	for _, team := range teams {
		var t side
		for _, ticket := range team {
			for _, p := range ticket.Players {
				t.sum += p.Rating
				t.variance += p.Deviation*p.Deviation + beta*beta
			}
		}
		if len(team) == 0 {
			continue
		}
		if some == 0 || t.sum > best.sum {
			best = t
		}
		if some == 0 || t.sum < least.sum {
			least = t
		}
		some++
	}
	if some < 2 {
		return math.NaN()
	}
	return 1 / (1 + math.Exp((least.sum-best.sum)/math.Sqrt(best.variance+least.variance)))
}
