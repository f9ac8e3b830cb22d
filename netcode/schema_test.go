package netcode

import (
	"errors"
	"strings"
	"testing"
)

type (
	rangeRow struct {
		X float32 `net:"range=5:1,step=1"`
	}
	halfRow struct {
		X float32 `net:"range=0:1"`
	}
	fineRow struct {
		X float64 `net:"range=0:1e9,step=1e-9"`
	}
	mapRow     struct{ X map[string]int }
	unknownRow struct {
		X int `net:"sideways"`
	}
	textRow struct{ Name string }
	longRow struct {
		Name string `net:"max=5000"`
	}
	angleRow struct {
		A float32 `net:"angle,bits=17"`
	}
	intRow struct {
		N int `net:"range=0:1,step=1"`
	}
	ownRow struct {
		N int `net:"owner"`
	}
	bothRow struct {
		Owner Seat
		N     int `net:"owner,team"`
	}
	nestRow struct{ In struct{ X chan int } }
	tagRow  struct {
		In struct{ X int } `net:"owner"`
	}
	arrayRow  struct{ A [65]bool }
	sliceRow  struct{ A []int }
	slicesRow struct {
		A [][]int `net:"max=3"`
	}
	idRow      struct{ To ID }
	nowhereRow struct {
		To ID `net:"ref=Nobody"`
	}
	refRow2 struct {
		N int `net:"ref=Rows"`
	}
	enumRow  struct{ E emptyEnum }
	twiceRow struct{ E twiceEnum }
	floatRow struct{ E floatEnum }
	pastRow  struct {
		N int `net:"rewind"`
	}
)

type (
	emptyEnum uint8
	twiceEnum uint8
	floatEnum float32
)

func (emptyEnum) EnumNames() []string { return nil }
func (twiceEnum) EnumNames() []string { return []string{"a", "a"} }
func (floatEnum) EnumNames() []string { return []string{"a"} }

type rowsOf[T any] struct{ Rows Table[T] }

func compiled[T any]() error {
	_, err := Compile[rowsOf[T], struct{ A bool }]()
	return err
}

func TestMistakesInATypeAreNamedWithItAndTheField(t *testing.T) {
	for _, c := range []struct {
		err  error
		want []string
	}{
		{compiled[rangeRow](), []string{"Rows.X", "range=5:1,step=1 is not a range"}},
		{compiled[halfRow](), []string{"Rows.X", "range and step come together"}},
		{compiled[fineRow](), []string{"Rows.X", "needs more than 53 bits"}},
		{compiled[mapRow](), []string{"Rows.X", "map[string]int is not supported"}},
		{compiled[unknownRow](), []string{"Rows.X", `unknown option "sideways"`}},
		{compiled[textRow](), []string{"Rows.Name", "needs max=BYTES"}},
		{compiled[longRow](), []string{"Rows.Name", "1 to 4096"}},
		{compiled[angleRow](), []string{"Rows.A", "bits=17"}},
		{compiled[intRow](), []string{"Rows.N", "are for floats"}},
		{compiled[ownRow](), []string{"Rows", "field N", "no field Owner"}},
		{compiled[bothRow](), []string{"Rows", "field N", "for the owner and for the team"}},
		{compiled[nestRow](), []string{"Rows.In.X", "chan int is not supported"}},
		{compiled[tagRow](), []string{"Rows.In", "tags belong on the fields"}},
		{compiled[arrayRow](), []string{"Rows.A", "at most 64 elements"}},
		{compiled[sliceRow](), []string{"Rows.A", "needs max=ELEMENTS, 1 to 64"}},
		{compiled[slicesRow](), []string{"Rows.A.0", "a slice within a slice"}},
		{compiled[idRow](), []string{"Rows.To", "needs ref=TABLE"}},
		{compiled[nowhereRow](), []string{"Rows.To", "ref=Nobody: the state has no such table"}},
		{compiled[refRow2](), []string{"Rows.N", "ref is for fields of type netcode.ID"}},
		{compiled[enumRow](), []string{"Rows.E", "0 names"}},
		{compiled[twiceRow](), []string{"Rows.E", "there twice"}},
		{compiled[floatRow](), []string{"Rows.E", "no whole number"}},
		{compiled[pastRow](), []string{"Rows.N", "rewind is for tables"}},
	} {
		if !errors.Is(c.err, ErrSchema) {
			t.Errorf("%v, want an error with %q", c.err, c.want)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(c.err.Error(), want) {
				t.Errorf("%v, want %q in it", c.err, want)
			}
		}
		if !strings.Contains(c.err.Error(), "rowsOf") {
			t.Errorf("%v does not name the type", c.err)
		}
	}
}

func TestTwoFieldsOfOneNameAreAMistake(t *testing.T) {
	f := Field{Name: "X", Kind: KindBool}
	if _, err := NewSchema(TableInfo{Name: "T", Max: 1, Fields: []Field{f, f}}); !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), "two fields are called X") {
		t.Errorf("%v", err)
	}
}
