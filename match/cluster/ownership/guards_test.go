package ownership

import (
	"testing"
)

// guard is one part of the protocol that a run can do without.
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

// TestEachGuardIsNeeded explores without each guard in turn: there must be a schedule that breaks what then is left.
func TestEachGuardIsNeeded(t *testing.T) {
	for g := nothing + 1; g < guards; g++ {
		t.Run(guardNames[g], func(t *testing.T) {
			seed, prof, what := search(explorations(), profiles, g)
			if what == "" {
				t.Fatalf("nothing breaks without it: either it is not needed, or the world is too kind")
			}
			t.Logf("seed %d of profile %q: %s", seed, prof, what)
		})
	}
}
