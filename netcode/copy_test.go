package netcode

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// everything is a state's content with the columns that are never sent.
func everything(sc *Schema, w any) string {
	tables, err := tablesOf(sc, w)
	if err != nil {
		return err.Error()
	}
	var out []byte
	for i := range sc.Tables {
		out = fmt.Appendf(out, "\n%s:", sc.Tables[i].Name)
		for slot := range tables[i].slots() {
			id, at := tables[i].at(slot)
			if id == 0 {
				continue
			}
			out = fmt.Appendf(out, "\n%x", id)
			for c := range sc.Tables[i].Fields {
				switch f := &sc.Tables[i].Fields[c]; f.Kind {
				case KindString, KindBytes:
					out = fmt.Appendf(out, " %q", f.loadText(at))
				case KindFixed, KindAngle:
					out = fmt.Appendf(out, " %x", f.number(at))
				default:
					out = fmt.Appendf(out, " %x", f.load(at))
				}
			}
		}
	}
	return string(out)
}

func TestCopyIsTheSameStateAndSharesNothing(t *testing.T) {
	sc := testSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		var a, b testWorld
		if err := sc.Bind(&a); err != nil {
			t.Fatal(err)
		}
		for tick := uint32(1); tick <= 30; tick++ {
			edit(t, &a, tick)
			if rapid.Bool().Draw(t, "the copy goes a way of its own") {
				edit(t, &b, tick)
			}
			if rapid.IntRange(0, 2).Draw(t, "copy") > 0 {
				continue
			}
			if err := sc.Copy(&b, &a); err != nil {
				t.Fatal(err)
			}
			want := everything(sc, &a)
			if got := everything(sc, &b); got != want {
				t.Fatalf("the copy is%s\nand not%s", got, want)
			}
			if x, y := a.Rows.Add(testRow{}), b.Rows.Add(testRow{}); x != y {
				t.Fatalf("the next row is %x in the copy and %x in the original", y, x)
			}
			want = everything(sc, &a)
			for _, row := range b.Rows.All() {
				for i := range row.Blob {
					row.Blob[i]++
				}
			}
			edit(t, &b, tick)
			if got := everything(sc, &a); got != want {
				t.Fatalf("what changed the copy changed the original from%s\nto%s", want, got)
			}
		}
	})
}

func TestTableThatShrinksAndGrowsByCopiesDoesNotGrowForEver(t *testing.T) {
	sc := testSchema(t)
	var a, b testWorld
	for range 1000 {
		if err := sc.Copy(&b, &a); err != nil {
			t.Fatal(err)
		}
		for range chunkRows {
			b.Rows.Add(testRow{})
		}
	}
	if n := len(b.Rows.chunks); n != 1 {
		t.Errorf("%d chunks for %d rows", n, b.Rows.Len())
	}
}

func TestCopyOfAnotherTypeIsRefused(t *testing.T) {
	sc := testSchema(t)
	var w testWorld
	if sc.Copy(&w, &benchWorld{}) == nil || sc.Copy(&benchWorld{}, &w) == nil {
		t.Error("a copy between different types")
	}
}
