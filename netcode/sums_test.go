package netcode

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/race"
)

type (
	noted struct {
		Name  string   `net:"max=8"`
		Other string   `net:"max=4,server"`
		Blob  []byte   `net:"max=4"`
		Tags  []tagged `net:"max=3"`
		N     int
	}
	tagged struct {
		Text string `net:"max=8"`
	}
	notes struct {
		A   Table[noted] `net:"max=40"`
		B   Table[noted] `net:"max=100"`
		One Value[noted]
	}
)

// Sums that are worked out again and again are those of the state as it is, whatever was done to it.
func TestKnownSumsAreThoseOfTheState(t *testing.T) {
	sc, err := Compile[notes, struct{ A bool }]()
	if err != nil {
		t.Fatal(err)
	}
	texts := rapid.SampledFrom([]string{"", "a", "b", "ab", "ba", "a longer one", "\xff"})
	rapid.Check(t, func(t *rapid.T) {
		var w notes
		sums := sc.NewSums()
		var have []uint64
		for range 30 {
			table := rapid.SampledFrom([]*Table[noted]{&w.A, &w.B}).Draw(t, "table")
			var ids []ID
			for id := range table.All() {
				ids = append(ids, id)
			}
			row := &w.One.V
			if len(ids) > 0 {
				row = table.Get(rapid.SampledFrom(ids).Draw(t, "row"))
			}
			text := texts.Draw(t, "text")
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0, 1:
				for range rapid.IntRange(1, 20).Draw(t, "rows") {
					table.Add(noted{Name: text, Other: text + "x", Tags: []tagged{{text}}, Blob: []byte(text)})
				}
			case 2:
				if len(ids) > 0 {
					table.Remove(rapid.SampledFrom(ids).Draw(t, "gone"))
				}
			case 3:
				row.Name, row.Other = text, strings.Clone(text) // the same, elsewhere in memory
			case 4:
				row.Name, row.Other = row.Other, row.Name
			case 5:
				row.Tags = append(row.Tags[:0:0], tagged{text}, tagged{row.Name})
				if len(row.Blob) > 0 {
					row.Blob[0]++
				}
			case 6:
				w.One.V.Name = text
			}
			want, err := sc.ColumnSums(&w, nil)
			if err != nil {
				t.Fatal(err)
			}
			if have, err = sums.ColumnSums(&w, have[:0]); err != nil || !slices.Equal(have, want) {
				t.Fatalf("%v, %v, want %v", have, err, want)
			}
		}
	})
}

func TestKnownSumsTakeNoOtherState(t *testing.T) {
	sc, err := Compile[notes, struct{ A bool }]()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sc.NewSums().ColumnSums(&noted{}, nil); err == nil {
		t.Error("a row is taken for a state")
	}
}

// A long text that stays as it is is not read again.
func TestKnownSumsDoNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	sc, err := Compile[notes, struct{ A bool }]()
	if err != nil {
		t.Fatal(err)
	}
	var w notes
	for range 30 {
		w.A.Add(noted{Name: "a name"})
	}
	sums := sc.NewSums()
	have, _ := sums.ColumnSums(&w, nil)
	names := []string{"one", "another"}
	n := 0
	if allocs := testing.AllocsPerRun(100, func() {
		n++
		w.A.Get(1).Name = names[n%2]
		have, _ = sums.ColumnSums(&w, have[:0])
	}); allocs > 1 { // the list of tables' own
		t.Errorf("%v allocations", allocs)
	}
}
