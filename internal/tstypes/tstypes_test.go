package tstypes

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"muster/internal/golden"
	"muster/netcode"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type mood uint8

func (mood) EnumNames() []string { return []string{"calm", `wild "one"`} }

type item struct {
	Kind  mood
	Count uint16
}

type card struct {
	Owner netcode.Seat
	Suit  mood
	Pos   struct {
		X, Y float64 `net:"range=-1:1,step=0.25"`
	}
	Turn   float32    `net:"angle,bits=4"`
	Face   uint8      `net:"owner"`
	Plan   string     `net:"team,max=8"`
	Secret int        `net:"server"`
	On     netcode.ID `net:"ref=Cards"`
	Bag    []item     `net:"max=2"`
	Blob   []byte     `net:"max=3"`
	Big    int64
	Raw    float64
	Pair   [2]bool
}

type world struct {
	Cards netcode.Table[card] `net:"max=52"`
	More  netcode.Table[card]
	Round netcode.Value[struct{ Left int32 }]
}

type input struct {
	Play  netcode.ID `net:"ref=Cards"`
	Mood  mood
	Moves []int8 `net:"max=2"`
}

type played struct{ By netcode.Seat }

func TestTypesAreTheGoldenOnes(t *testing.T) {
	sc, err := netcode.Compile[world, input](played{})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := Print(&out, "cards", "3", sc); err != nil {
		t.Fatal(err)
	}
	const file = "testdata/types.ts"
	golden.Check(t, file, []byte(out.String()), "run go test ./internal/tstypes -update")
}

// A schema that was parsed has no Go types to name its rows after.
func TestAParsedSchemaNamesRowsAfterTables(t *testing.T) {
	sc, err := netcode.NewSchema(
		netcode.TableInfo{Name: "State", Max: 4, Fields: []netcode.Field{{Name: "a b", Kind: netcode.KindBool}}},
		netcode.TableInfo{Name: "9 lives", Max: 4, Fields: []netcode.Field{{Name: "N", Kind: netcode.KindUint, Bits: 64}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := Print(&out, "g", "1", sc); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"export interface StateRow {\n  \"a b\": boolean;", "export interface T9livesRow {\n  N: bigint;", "\"9 lives\": T9livesRow;"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
