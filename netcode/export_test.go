package netcode

import "math"

// Mix makes out, an *S, show the states a and b, at the position between them: what the golden files are made with.
func (sc *Schema) Mix(out, a, b any, at float64) error {
	var tables [3][]rows
	for i, state := range []any{out, a, b} {
		list, err := tablesOf(sc, state)
		if err != nil {
			return err
		}
		tables[i] = list
	}
	for i := range sc.Tables {
		sc.Tables[i].mix(tables[0][i], tables[1][i], tables[2][i], at, math.Inf(1))
	}
	return nil
}

// Snap makes out, an *S, hold what clients have of state.
func (sc *Schema) Snap(out, state any) error {
	to, err := tablesOf(sc, out)
	if err != nil {
		return err
	}
	from, err := tablesOf(sc, state)
	for i := range from {
		sc.Tables[i].snapTable(to[i], from[i])
	}
	return err
}

// What the tests outside of the package share with those inside.
var (
	Allocated = allocated
	FuzzBound = fuzzBound
)
