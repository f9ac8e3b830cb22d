package queue

import (
	"slices"
	"strconv"
)

// recipes are the ways in which parties fill a match: how many parties of each size, so that each team is full. Parties
// of one are always thought of as there, so a set of parties fits into the teams, full or not, if and only if some recipe
// has at least as many of each size.
type recipes struct {
	words   int
	atLeast [][][]uint64 // by size and number: the recipes that have at least so many parties of the size
	atMost  [][][]uint64
}

// Above so many ways parties are packed by trial instead.
const maxRecipes, maxWays = 4096, 100_000

// newRecipes works the recipes out; nil where there are too many of them.
func newRecipes(teams, size, largest int) *recipes {
	partitions := partitions(size, largest, 256)
	if partitions == nil {
		return nil
	}
	all, ways := map[string][]int{}, 0
	var add func(from, teams int, sum []int) bool
	add = func(from, teams int, sum []int) bool {
		if teams == 0 {
			ways++
			all[key(sum)] = slices.Clone(sum)
			return ways <= maxWays && len(all) <= maxRecipes
		}
		for i := from; i < len(partitions); i++ {
			next := slices.Clone(sum)
			for s, n := range partitions[i] {
				next[s] += n
			}
			if !add(i, teams-1, next) {
				return false
			}
		}
		return true
	}
	if !add(0, teams, make([]int, largest+1)) {
		return nil
	}
	return index(all, teams*size, largest)
}

// partitions are all ways to fill one team, as numbers of parties by size; nil if more than limit.
func partitions(size, largest, limit int) [][]int {
	var all [][]int
	var fill func(left, largest int, sum []int) bool
	fill = func(left, largest int, sum []int) bool {
		if left == 0 {
			all = append(all, slices.Clone(sum))
			return len(all) <= limit
		}
		for s := min(left, largest); s > 0; s-- {
			sum[s]++
			ok := fill(left-s, s, sum)
			sum[s]--
			if !ok {
				return false
			}
		}
		return true
	}
	if !fill(size, largest, make([]int, largest+1)) {
		return nil
	}
	return all
}

func key(sum []int) string {
	b := make([]byte, 0, 2*len(sum))
	for _, n := range sum {
		b = append(strconv.AppendInt(b, int64(n), 10), ' ')
	}
	return string(b)
}

func index(all map[string][]int, players, largest int) *recipes {
	list := make([][]int, 0, len(all))
	for _, r := range all {
		list = append(list, r)
	}
	slices.SortFunc(list, slices.Compare)
	r := &recipes{words: (len(list) + 63) / 64}
	table := func(holds func(has, n int) bool) [][][]uint64 {
		t := make([][][]uint64, largest+1)
		for size := 1; size <= largest; size++ {
			for n := 0; n <= players/size; n++ {
				set := make([]uint64, r.words)
				for i, recipe := range list {
					if holds(recipe[size], n) {
						set[i/64] |= 1 << (i % 64)
					}
				}
				t[size] = append(t[size], set)
			}
		}
		return t
	}
	r.atLeast = table(func(has, n int) bool { return has >= n })
	r.atMost = table(func(has, n int) bool { return has <= n })
	return r
}

// all puts every recipe into a set.
func (r *recipes) all(set []uint64) { copy(set, r.atLeast[1][0]) }

// least keeps the recipes of a set that have at least n parties of a size, and says whether some are left.
func (r *recipes) least(set []uint64, size, n int) bool { return r.keep(set, r.atLeast, size, n) }

// most keeps the recipes of a set that have at most n parties of a size, and says whether some are left.
func (r *recipes) most(set []uint64, size, n int) bool { return r.keep(set, r.atMost, size, n) }

func (r *recipes) keep(set []uint64, by [][][]uint64, size, n int) bool {
	if last := len(by[size]) - 1; n > last {
		if &by[0] == &r.atLeast[0] {
			return false
		}
		n = last
	}
	var left uint64
	for i, w := range by[size][n] {
		set[i] &= w
		left |= set[i]
	}
	return left != 0
}

// meets says whether a set still has a recipe with at least n parties of a size.
func (r *recipes) meets(set []uint64, size, n int) bool {
	if n >= len(r.atLeast[size]) {
		return false
	}
	for i, w := range r.atLeast[size][n] {
		if set[i]&w != 0 {
			return true
		}
	}
	return false
}
