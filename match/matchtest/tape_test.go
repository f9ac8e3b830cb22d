package matchtest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"muster/proto"
)

func TestAMatchThatWasSavedIsVerified(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "swim.muster")
	g := duckGame(t, &ducks{}, proto.Samples)
	Run(t, g, swim).Save(file)
	Verify(t, g, file)
	again := filepath.Join(t.TempDir(), "again.muster")
	Run(t, g, swim).Save(again)
	a, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(again); err != nil || !bytes.Equal(a, b) {
		t.Errorf("the same match is saved otherwise a second time: %d bytes and %d, %v", len(a), len(b), err)
	}
}

func TestVerifyNamesTheTickAndTheColumn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "swim.muster")
	Run(t, duckGame(t, &ducks{}, proto.Samples), swim).Save(file)
	other := duckGame(t, &ducks{step: func(s *stepOf) {
		if s.Tick == 33 {
			s.State.Score.V.N++
		}
	}}, proto.Samples)
	fails(t, func(t testing.TB) { Verify(t, other, file) }, file, "tick 33", "Score.N", `version "1"`, "MUSTER_UPDATE=1")
	fails(t, func(t testing.TB) { Verify(t, other, file+"x") }, file+"x")
	broken := duckGame(t, &ducks{step: func(*stepOf) { panic("a bug") }}, proto.Samples)
	fails(t, func(t testing.TB) { Verify(t, broken, file) }, "a bug", "tick 1")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n, words := range map[int][]string{len(b) / 2: {"matchtest: "}, 10: {"matchtest: "}} {
		if err := os.WriteFile(file, b[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		fails(t, func(t testing.TB) { Verify(t, duckGame(t, &ducks{}, proto.Samples), file) }, words...)
	}
}

func TestAFixtureIsRecordedOnDemandAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "swim.muster")
	g := duckGame(t, &ducks{}, proto.Samples)
	t.Setenv(updateEnv, "")
	fails(t, func(t testing.TB) { Fixture(t, g, swim, file) }, "MUSTER_UPDATE=1")
	t.Setenv(updateEnv, "1")
	Fixture(t, g, swim, file)
	t.Setenv(updateEnv, "")
	Fixture(t, g, swim, file)
	other := duckGame(t, &ducks{step: func(s *stepOf) { s.State.Score.V.N++ }}, proto.Samples)
	fails(t, func(t testing.TB) { Fixture(t, other, swim, file) }, "tick 1", "Score.N")
}
