package match

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"
)

// The directory must know whose seat is meant: its player may have come back to it by another claim meanwhile.
func TestSeatIsFreedWithTheClaimsByWhichItsPlayerCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dotGame(t, dots{}, Rules{})
		dir := &fakeDirectory{}
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: dir})
		if err != nil {
			t.Fatal(err)
		}
		rm, err := h.Open(Spec{ID: "r", Game: "dots", Epoch: 9})
		if err != nil {
			t.Fatal(err)
		}
		come := func(player, claim string) *fakeViewer {
			v := newViewer(t, g, 1)
			rm.Attach(Attach{
				Viewer: v, Player: Player{Seat: 1, ID: player, Name: player}, PlayerExpires: time.Now().Add(time.Hour), Claim: claim,
			})
			ticks(2)
			return v
		}
		for _, claim := range []string{"c1", "c2", "c3", "c4"} {
			come("alice", claim)
		}
		rm.Leave(come("alice", "c5"))
		ticks(2)
		rm.Leave(come("bob", "d1"))
		ticks(2)
		if want := [][]string{{"c2", "c3", "c4", "c5"}, {"d1"}}; !reflect.DeepEqual(dir.claims, want) {
			t.Errorf("freed with the claims %v, want %v", dir.claims, want)
		}
		closeHost(t, h)
	})
}
