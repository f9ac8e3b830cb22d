package cluster_test

import (
	"errors"
	"slices"
	"testing"

	"muster/match/cluster"
)

func TestPlacementNamesTheTagsThatKeepARoomFromEveryNode(t *testing.T) {
	tagged := func(id string, tags map[string]string) cluster.Node {
		return arenaNode(id, func(n *cluster.Node) { n.Region, n.Tags = "eu", tags })
	}
	fast := tagged("fast", map[string]string{"disk": "fast"})
	slow := tagged("slow", map[string]string{"disk": "slow", "gpu": "yes"})
	plain := tagged("plain", nil)
	full := tagged("full", map[string]string{"disk": "fast", "gpu": "yes"})
	full.Full = "it is full"
	far := tagged("far", map[string]string{"disk": "fast", "gpu": "yes"})
	far.Region = "us"
	both := tagged("both", map[string]string{"disk": "fast", "gpu": "yes", "more": "x"})
	const needsBoth, needsDisk, needsGPU = "the tags disk=fast, gpu=yes", "the tag disk=fast", "the tag gpu=yes"
	for name, c := range map[string]struct {
		nodes []cluster.Node
		lacks string // by which the error is called
		err   error  // where it is another one
	}{
		"no node has one of them":             {[]cluster.Node{plain}, needsBoth, nil},
		"one of them is on no node":           {[]cluster.Node{plain, fast}, needsGPU, nil},
		"one has another value":               {[]cluster.Node{slow}, needsDisk, nil},
		"each is on some node, none has all":  {[]cluster.Node{fast, slow}, needsBoth, nil},
		"those of another region say nothing": {[]cluster.Node{far, fast}, needsGPU, nil},
		"the only one with both is full":      {[]cluster.Node{full, fast}, "", cluster.ErrCrowded},
		"no node is there at all":             {nil, "", cluster.ErrNoNode},
		"none in the region":                  {[]cluster.Node{far}, "", cluster.ErrNoNode},
		"one has both":                        {[]cluster.Node{plain, both}, "", nil},
	} {
		want := cluster.Want{Game: "arena", Rules: "7", Region: "eu", Tags: map[string]string{"gpu": "yes", "disk": "fast"}}
		n, _, err := cluster.Place(c.nodes, want, dice())
		for _, err := range []error{err, cluster.Check(byID(c.nodes), want)} {
			var lacks *cluster.LacksError
			switch {
			case c.lacks != "":
				if text := "no server of this game has " + c.lacks + " now"; !errors.As(err, &lacks) || lacks.Error() != text || cluster.NoPlace(err) != text ||
					!errors.Is(err, cluster.ErrNoNode) || errors.Is(err, cluster.ErrCrowded) {
					t.Errorf("%s: %v, want that it lacks %s", name, err, c.lacks)
				}
			case errors.As(err, &lacks) || !errors.Is(err, c.err):
				t.Errorf("%s: %v, want %v", name, err, c.err)
			case c.err != nil && cluster.NoPlace(err) != c.err.Error():
				t.Errorf("%s: in words %q, want %q", name, cluster.NoPlace(err), c.err)
			}
		}
		if placed := c.lacks == "" && c.err == nil; placed != (n.ID == "both") {
			t.Errorf("%s: it is placed on %q", name, n.ID)
		}
	}
	if text := cluster.NoPlace(cluster.ErrStale); text != "" {
		t.Errorf("another error is called %q", text)
	}
}

func TestNodeLacksTheTagsThatItDoesNotHave(t *testing.T) {
	n := cluster.Node{Tags: map[string]string{"disk": "fast", "gpu": "no"}}
	for _, c := range []struct {
		tags map[string]string
		want []string
	}{
		{nil, nil},
		{map[string]string{"disk": "fast"}, nil},
		{map[string]string{"gpu": "yes", "disk": "fast"}, []string{"gpu=yes"}},
		{map[string]string{"net": "10g", "disk": "slow"}, []string{"disk=slow", "net=10g"}},
	} {
		if got := n.Lacks(c.tags); !slices.Equal(got, c.want) {
			t.Errorf("of %v it lacks %v, want %v", c.tags, got, c.want)
		}
	}
}
