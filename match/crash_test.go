package match

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"muster/match/journal"
	"muster/proto"
)

// hangable is a room with a player whose opHang does not return before halt lets it; crashes is the host's.
func hangable(t *testing.T, crashes string) (h *Host, rm *Instance, a *clerk, halt chan struct{}) {
	t.Helper()
	halt = make(chan struct{})
	g := deskGame(t, desk{halt: halt}, Rules{})
	h, err := NewHost(HostConfig{Games: []Game{g}, Directory: &fakeDirectory{}, Crashes: crashes})
	if err != nil {
		t.Fatal(err)
	}
	if rm, err = h.Open(Spec{ID: "r1", Game: "desk", Seed: 7, Epoch: 9}); err != nil {
		t.Fatal(err)
	}
	a = newClerk(t, g, rm, 1)
	ticks(2)
	return h, rm, a, halt
}

func TestTheWayToRulesThatDoNotReturnIsKept(t *testing.T) {
	dir := t.TempDir()
	var tick uint32
	synctest.Test(t, func(t *testing.T) {
		h, _, a, halt := hangable(t, dir)
		for range 130 { // over a checkpoint
			a.do(opDice, 0)
			ticks(1)
		}
		ticks(1)
		tick = a.head.Tick
		a.do(opHang, 0)
		ticks(25)
		if a.code() != proto.CodeRulesFailed {
			t.Errorf("its player is told %d, want 4204", a.code())
		}
		close(halt) // it returns after all
		closeHost(t, h)
	})
	files, err := filepath.Glob(filepath.Join(dir, "r1-*.muster"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the replays of the hang: %v %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	saved, err := journal.LoadSegment(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	last := saved.Records[len(saved.Records)-1]
	if last.Tick != tick+1 || len(last.Inputs) != 1 {
		t.Errorf("the last of it is tick %d with %d inputs, want %d with one", last.Tick, len(last.Inputs), tick+1)
	}
	halt := make(chan struct{})
	close(halt) // rules that are mended
	rep, err := VerifyReplay(deskGame(t, desk{halt: halt}, Rules{}), bytes.NewReader(b))
	if err != nil || rep.Panic != nil || rep.Differs != nil || rep.Last != tick+1 {
		t.Errorf("the replay: %+v %v", rep, err)
	}
}

func TestRulesThatPanicWhenTheirRoomIsGivenUpAreNotHealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, rm, a, halt := hangable(t, "")
		a.do(opHang, 0)
		ticks(25)
		halt <- struct{}{}
		ticks(2)
		if rm.healed || rm.record.Skipped || a.code() != proto.CodeRulesFailed {
			t.Errorf("healed %v, after its player was told %d", rm.healed, a.code())
		}
		closeHost(t, h)
	})
}
