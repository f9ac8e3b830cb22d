package netcode

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestColumnSumsAddUpToTheHashAndSayWhichColumnDiffers(t *testing.T) {
	sc := exactSchema(t)
	columns := len(sc.Tables)
	for i := range sc.Tables {
		columns += len(sc.Tables[i].Fields)
	}
	rapid.Check(t, func(t *rapid.T) {
		var w exactWorld
		for range rapid.IntRange(0, 5).Draw(t, "ticks") {
			stirExact(t, &w)
		}
		sums, err := sc.ColumnSums(&w, []uint64{7})
		if err != nil || len(sums) != 1+columns || sums[0] != 7 {
			t.Fatalf("%d sums, want %d more, %v", len(sums), columns, err)
		}
		var total uint64
		for _, sum := range sums[1:] {
			total += sum
		}
		if hash, err := sc.StateHash(&w); err != nil || hash != total {
			t.Fatalf("hash %x, and the sums' total %x, %v", hash, total, err)
		}
	})
	w, v := fullWorld(t, sc), fullWorld(t, sc)
	a, _ := sc.ColumnSums(w, nil)
	for want, change := range map[string]func(){
		"Rows.I16":         func() { v.Rows.Get(1).I16++ },
		"Rows.Bag.0.Count": func() { v.Rows.Get(1).Bag[0].Count++ },
		"Round.Left":       func() { v.Round.V.Left++ },
		"Storm.Name":       func() { v.Storm.V.Name = "s" },
		"Dots":             func() { v.Dots.Add(struct{ X int8 }{}) },
	} {
		v = fullWorld(t, sc)
		change()
		b, _ := sc.ColumnSums(v, nil)
		var names []string
		for i := range a {
			if a[i] != b[i] {
				names = append(names, sc.ColumnName(i))
			}
		}
		if len(names) == 0 || names[0] != want {
			t.Errorf("%q differ, want %s", names, want)
		}
	}
	if sc.ColumnName(-1) != "" || sc.ColumnName(columns) != "" || sc.ColumnName(0) != "Rows" || sc.ColumnName(columns-1) != "Storm.Name" {
		t.Errorf("names at the ends: %q %q", sc.ColumnName(0), sc.ColumnName(columns-1))
	}
	if _, err := sc.ColumnSums(&testWorld{}, nil); err == nil {
		t.Error("a state of another schema is summed up")
	}
}

func TestDifferencesAreNamedInOrder(t *testing.T) {
	sc := exactSchema(t)
	a, b := fullWorld(t, sc), fullWorld(t, sc)
	row := b.Rows.Get(1)
	row.Flag, row.I8, row.U64, row.Fixed, row.Name, row.Blob = false, 3, 0, 3.25, "n", nil
	row.Target, row.Mode, row.Bag[1].Sizes[1], row.Secret = 0x10001, 9, 4, 0
	row.Bag = append(row.Bag, exactItem{})
	b.Rows.Remove(2<<16 | 1)
	b.Dots.Remove(b.Dots.Add(struct{ X int8 }{}))
	b.Round.V.Left = 2
	want := []string{
		"Rows[0x1].Flag: true against false",
		"Rows[0x1].I8: -3 against 3",
		"Rows[0x1].U64: 18446744073709551615 against 0",
		"Rows[0x1].Fixed: 1.5 against 3.25",
		"Rows[0x1].Secret: -0.5 against 0",
		`Rows[0x1].Name: "name" against "n"`,
		"Rows[0x1].Blob: 0102 against ",
		"Rows[0x1].Target: 0x1 against 0x10001",
		"Rows[0x1].Mode: Lost against 9",
		"Rows[0x1].Bag.len: 2 against 3",
		"Rows[0x1].Bag.1.Sizes.1: -1 against 4",
		"Rows[0x1].Bag.2.Kind: none against Idle",
		"Rows[0x1].Bag.2.Count: none against 0",
		"Rows[0x1].Bag.2.Sizes.0: none against 0",
		"Rows[0x1].Bag.2.Sizes.1: none against 0",
		`Rows[0x1].Bag.2.Name: none against ""`,
		"Rows[0x20001]: a row against none",
		"Dots: other ids come next",
		"Round.Left: 0 against 2",
	}
	for _, most := range []int{100, 4, 0} {
		got, err := sc.Differences(a, b, most)
		if cut := want[:min(most, len(want))]; err != nil || !slices.Equal(got, cut) {
			t.Errorf("at most %d: %q, %v, want %q", most, got, err, cut)
		}
	}
	back, _ := sc.Differences(b, a, 100)
	if back[16] != "Rows[0x20001]: no row against one" || len(back) != len(want) {
		t.Errorf("%q", back)
	}
	if _, err := sc.Differences(a, &testWorld{}, 1); err == nil {
		t.Error("states of two types are compared")
	}
	if _, err := sc.Differences(&testWorld{}, b, 1); err == nil {
		t.Error("states of two types are compared")
	}
}

func TestShowNamesEveryColumnOfATablesRows(t *testing.T) {
	sc := exactSchema(t)
	w := fullWorld(t, sc)
	for i := range sc.Tables {
		name := sc.Tables[i].Name
		all, err := sc.Show(w, name, 1000)
		if err != nil || len(all) == 0 {
			t.Fatalf("%s: %q, %v", name, all, err)
		}
		for _, line := range all {
			for _, f := range sc.Tables[i].Fields {
				if !strings.Contains(line, " "+f.Name+" ") {
					t.Errorf("%s: %q lacks %s", name, line, f.Name)
				}
			}
		}
		if some, _ := sc.Show(w, name, len(all)-1); len(some) != len(all)-1 {
			t.Errorf("%s: %d lines, at most %d wanted", name, len(some), len(all)-1)
		}
	}
	if round, err := sc.Show(w, "Round", 9); err != nil || len(round) != 1 || !strings.HasPrefix(round[0], "Round: ") {
		t.Errorf("%q, %v", round, err)
	}
	if _, err := sc.Show(w, "Nothing", 9); err == nil {
		t.Error("a table that is not there is shown")
	}
	if _, err := sc.Show(&testWorld{}, "Rows", 9); err == nil {
		t.Error("a state of another schema is shown")
	}
}
