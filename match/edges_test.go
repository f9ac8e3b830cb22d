package match

import "testing"

// otherEdge is that of another node.
type otherEdge struct {
	fakeEdge
	_ byte // so that each has an address of its own
}

func TestEdgesThatHaveNoViewersAreForgotten(t *testing.T) {
	inRoom(t, dots{}, Rules{}, func(t *testing.T, g Game, _ *Host, rm *Instance, _ *fakeDirectory) {
		here := newViewer(t, g, 1)
		here.attach(rm, "alice")
		for range 8 {
			there := newViewer(t, g, 2)
			there.edge = &otherEdge{}
			there.attach(rm, "bob")
			ticks(3)
			if there.frames == 0 {
				t.Fatal("another node's viewer has no frames")
			}
			rm.Detach(there)
		}
		ticks(edgesKept + 1)
		before := here.frames
		ticks(2)
		if len(rm.edges) != 1 || len(rm.frames) != 1 || here.frames != before+2 {
			t.Errorf("%d edges are kept, of which one has a viewer, who had %d frames in two ticks", len(rm.edges), here.frames-before)
		}
	})
}
