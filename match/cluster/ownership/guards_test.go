package ownership

// guard is one part of the protocol that a run can do without.
type guard int

const (
	nothing guard = iota
	margins
	sendTime
	beats
	appendEpoch
	predecessor
	epochStored
	epochNow
	epochFloor
	steadiness
	steadyCreation
	allPeers
	probed
	strangers
	named
	knownPeers
	promisesKept
	doubts
	yields
	watches
	breaks
	lineages
	resumes
	reasserted
	fencedRenewal
	recordCAS
	guards
)
