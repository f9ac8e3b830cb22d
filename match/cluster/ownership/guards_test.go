package ownership

import (
	"testing"
)

// guard is one part of the protocol that a run can do without. The rest of it is in the gate of match.Host: its tests are
// there.
type guard int

const (
	nothing guard = iota
	margins
	sendTime
	beats
	watches
	fencedRenewal
	appendEpoch
	predecessor
	recordCAS
	epochStored
	epochNow
	epochFloor
	steadiness
	steadyCreation
	allPeers
	promisesKept
	doubts
	buried
	registered
	yields
	strangers
	named
	knownPeers
	probed
	lineages
	resumes
	reasserted
	guards
)

var guardNames = [guards]string{
	margins:        "the owner's lease ends a margin earlier",
	sendTime:       "the owner's lease counts from when the renewal was sent",
	beats:          "a fence is a compare-and-set on the beat",
	watches:        "a lease is over when one beat was seen for its whole length",
	fencedRenewal:  "a fenced incarnation cannot renew",
	appendEpoch:    "an append checks the epoch",
	predecessor:    "an append names its predecessor",
	recordCAS:      "a claim is a compare-and-set on the record's node",
	epochStored:    "a claim's epoch is above the stored one",
	epochNow:       "a claim's epoch is not below the time",
	epochFloor:     "a claim's epoch is above all that its node knows of",
	steadiness:     "claims wait until the claimer has held its lease for a whole one",
	steadyCreation: "rooms whose record is missing are made anew after as long",
	allPeers:       "every peer must have lost Redis, not the most of them",
	promisesKept:   "a peer that has lost Redis does not fence the asker for a lease",
	doubts:         "who has begun to fence an incarnation promises it nothing",
	buried:         "nor does who knows that it is fenced",
	registered:     "nor does who has seen Redis without it",
	yields:         "who was told that it is paused goes on only with a renewal",
	strangers:      "who is not known to an incarnation waits longer",
	named:          "known are those whom it has named itself",
	knownPeers:     "it asks all whom it has named",
	probed:         "an incarnation is asked before it is fenced",
	lineages:       "another run of Redis is noticed",
	resumes:        "who comes back to another run of Redis waits for a lease",
	reasserted:     "fences that Redis may have forgotten are told again",
}

// world for a guard: what makes the schedules likely in which it is needed. Without one the common profiles do.
var worlds = map[guard]options{
	margins: {profile: profile{
		name: "apart", eager: true, least: 2, most: 2, seconds: 6, every: ttl / 2, weights: [faultKinds]int{cutRedis: 2, cutPeers: 8},
	}, drift: 30 * ppm},
	promisesKept: {profile: lossy, drift: 10 * ppm},
	doubts: {profile: profile{
		name: "unheard", fencesLost: 90, least: 2, most: 2, seconds: 10, every: ttl / 4, weights: [faultKinds]int{cutRedis: 3, blip: 10, slowPeers: 8},
	}, drift: 10 * ppm},
	yields:    {profile: islands, drift: 10 * ppm, stranger: 2 * ttl},
	strangers: {profile: islands, drift: 10 * ppm, stranger: 4 * ttl},
	named:     {profile: islands, drift: 10 * ppm},
	knownPeers: {profile: profile{
		name: "returns", least: 3, most: 4, seconds: 10, every: ttl / 2, weights: [faultKinds]int{cutRedis: 6, island: 3, cutPeers: 3, slowPeers: 2},
	}, drift: 10 * ppm},
	appendEpoch: {profile: profile{
		name: "slow", least: 2, most: 3, seconds: 8, every: ttl / 2, weights: [faultKinds]int{slowRedis: 8, cutRedis: 1, blip: 1},
	}, drift: 10 * ppm},
	epochStored: {profile: profile{
		name: "steps", least: 2, most: 3, seconds: 10, every: ttl / 3, weights: [faultKinds]int{stop: 6, blip: 2, clockStep: 8},
	}, drift: 10 * ppm},
	epochNow: {profile: profile{
		name: "forgotten", least: 1, most: 2, seconds: 8, every: ttl, weights: [faultKinds]int{empty: 4, kill: 5},
	}, drift: 10 * ppm},
	steadyCreation: {profile: profile{
		name: "emptied", least: 2, most: 4, seconds: 6, every: ttl, weights: [faultKinds]int{empty: 6, cutRedis: 2, blip: 3},
	}, drift: 10 * ppm},
}

var lossy = profile{
	name: "lossy", least: 2, most: 3, seconds: 6, every: ttl / 4, short: true, weights: [faultKinds]int{blip: 6, cutRedis: 5, cutPeers: 4, slowPeers: 6},
}

var islands = profile{
	name: "islands", least: 1, most: 3, seconds: 10, every: ttl, weights: [faultKinds]int{island: 5, blip: 2, join: 4, cutPeers: 4, slowPeers: 3, stop: 2, kill: 1},
}

// rare says after how many runs the search for a schedule may begin that is rare.
var rare = map[guard]int{
	margins: 3200, beats: 1600, appendEpoch: 8900, steadiness: 3200, allPeers: 2900, doubts: 1500, named: 5700, knownPeers: 13400,
	lineages: 1600, resumes: 3100, reasserted: 1400,
}

// common are the options of the profiles.
func common(without guard) (list []options) {
	for _, p := range profiles {
		list = append(list, options{profile: p, without: without, drift: 10 * ppm})
	}
	return list
}

// TestEachGuardIsNeeded explores without each guard in turn: there must be a schedule that breaks what then is left.
func TestEachGuardIsNeeded(t *testing.T) {
	for g := nothing + 1; g < guards; g++ {
		t.Run(guardNames[g], func(t *testing.T) {
			list := common(g)
			if o, ok := worlds[g]; ok {
				o.without = g
				list = []options{o}
			}
			seed, prof, what := search(rare[g], explorations(), list)
			if what == "" {
				t.Fatalf("nothing breaks without it: either it is not needed, or the world is too kind")
			}
			t.Logf("seed %d of profile %q: %s", seed, prof, what)
		})
	}
}

// TestWorldsOfGuardsAreSafeWithAllOfThem explores the worlds in which a guard is needed, with it.
func TestWorldsOfGuardsAreSafeWithAllOfThem(t *testing.T) {
	var list []options
	for g := nothing + 1; g < guards; g++ {
		if o, ok := worlds[g]; ok {
			list = append(list, o)
		}
	}
	seed, prof, what := search(0, explorations()/2, list)
	if what != "" {
		t.Fatalf("%s\nseed %d of profile %q; again with -run %s -seed %d -profile %q", what, seed, prof, t.Name(), seed, prof)
	}
}
