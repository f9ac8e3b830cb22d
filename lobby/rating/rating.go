package rating

import "math"

// Scale is how many points of a rating one unit of a [Skill] is: a new player has 1000 ± 333, and of two well-known
// players who are 200 points apart the better one wins seven of ten matches.
const Scale = 40

// Rating is a skill as people and queues see it, in points.
type Rating struct {
	Mean      float64 `json:"rating"`
	Deviation float64 `json:"deviation"` // the standard deviation
}

// Rating returns a skill in points.
func (s Skill) Rating() Rating { return Rating{s.Mu * Scale, s.Sigma * Scale} }

// Rounded returns a rating in whole points, for people.
func (r Rating) Rounded() Rating { return Rating{math.Round(r.Mean), math.Round(r.Deviation)} }
