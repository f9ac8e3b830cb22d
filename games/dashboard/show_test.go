package dashboard

import (
	"cmp"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Whatever is reported, in whatever order servers come and go: the board is the newest report, rows keep their ids, and the
// past is the newest moments, each once.
func TestBoardIsTheNewestReportAndThePastIsTheNewestMoments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b Board
		var told []uint32 // the times of reports
		at := uint32(1000)
		for range rapid.IntRange(1, 2*MaxPoints+50).Draw(t, "reports") {
			at += uint32(rapid.SampledFrom([]int{0, 1, 1, 1, 2, 60}).Draw(t, "seconds"))
			r := Report{At: at, Totals: Totals{Rooms: rapid.Uint32().Draw(t, "rooms")}}
			for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 5, rapid.ID[string]).Draw(t, "nodes") {
				r.Nodes = append(r.Nodes, Node{ID: id, Rooms: rapid.Uint32().Draw(t, "rooms of one")})
			}
			was := ids(&b)
			b.show(&r, at)
			if len(told) == 0 || told[len(told)-1] != at {
				told = append(told, at)
			}
			for id, row := range ids(&b) {
				if had, ok := was[id]; ok && had != row {
					t.Fatalf("the row of %s has become another", id)
				}
			}
			got, want := rows(&b.Nodes), slices.Clone(r.Nodes)
			byID := func(x, y Node) int { return cmp.Compare(x.ID, y.ID) }
			slices.SortFunc(got, byID)
			slices.SortFunc(want, byID)
			if diff := gocmp.Diff(want, got); diff != "" || b.Totals.V != r.Totals || b.Status.V.At != at {
				t.Fatalf("the board is not the report (-want +got):\n%s", diff)
			}
		}
		var times []uint32
		for _, p := range rows(&b.History) {
			times = append(times, p.At)
		}
		slices.Sort(times)
		if newest := told[max(0, len(told)-MaxPoints):]; !slices.Equal(times, newest) {
			t.Fatalf("the past has %v, want %v", times, newest)
		}
	})
}

// ids are the rows of the servers.
func ids(b *Board) map[string]uint32 {
	m := map[string]uint32{}
	for id, n := range b.Nodes.All() {
		m[n.ID] = uint32(id)
	}
	return m
}
