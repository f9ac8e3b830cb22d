package bridge

import (
	"slices"
	"testing"

	"muster/match"
	"muster/proto"
)

func TestAnEdgeIsSentAScopeWheneverOneOfItsViewersIsDue(t *testing.T) {
	st, s, _ := remoteStage(t, 3)
	for _, rates := range [][]int{{4, 6, 12}, {6, 4, 12}, {2, 3, 1}, {5, 5, 5}} {
		st.capture()
		for i, every := range rates {
			st.frame.Views[i].Head.Scopes = []proto.Watch{proto.Watching(0, every)}
		}
		s.send(&st.frame)
		got := s.view.tick.frame.Head.Scopes
		if len(got) != 1 {
			t.Fatalf("of one scope the edge is sent %v", got)
		}
		for _, every := range rates {
			if uint32(every)%got[0].Every() != 0 { //nolint:gosec // small
				t.Errorf("rates %v: the edge is sent the scope each %d ticks", rates, got[0].Every())
			}
		}
	}
}

func TestTheScopesOfAnEdgeAreThoseOfTheViewersThatItHas(t *testing.T) {
	st, s, _ := remoteStage(t, 3)
	all := slices.Clone(st.frame.Views)
	for _, views := range [][]match.View{all[:2], all[1:], all[2:], all} {
		st.frame.Views = views
		st.capture()
		s.send(&st.frame)
		want := map[uint16]bool{}
		for i := range views {
			for _, w := range views[i].Head.Scopes {
				want[w.Scope()] = true
			}
		}
		got := s.view.tick.frame.Head.Scopes
		if !slices.IsSorted(got) || len(got) != len(want) || !s.view.tick.listed {
			t.Errorf("of %d viewers, it has %v, want %v; listed: %v", len(views), got, want, s.view.tick.listed)
		}
	}
}
