package netcode

// What the tests outside of the package share with those inside.
var (
	Allocated = allocated
	FuzzBound = fuzzBound
)
