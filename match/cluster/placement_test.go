package cluster_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"muster/match/cluster"
)

var arenaWant = cluster.Want{Game: "arena", Rules: "7"}

// arenaNode runs the arena.
func arenaNode(id string, change func(*cluster.Node)) cluster.Node {
	n := cluster.Node{ID: id, Games: map[string]string{"arena": "7"}}
	if change != nil {
		change(&n)
	}
	return n
}

func dice() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func TestNodeThatDoesNotFitGetsNoRoomAndPlacementSaysWhy(t *testing.T) {
	want := cluster.Want{
		Game: "arena", Rules: "7", Region: "eu", Tags: map[string]string{"disk": "fast"}, Placed: map[string]int{"packed": 2, "costly": 3},
	}
	there := map[string]string{"disk": "fast", "more": "x"}
	fits := func(id string, change func(*cluster.Node)) cluster.Node {
		return arenaNode(id, func(n *cluster.Node) {
			n.Region, n.Tags = "eu", there
			if change != nil {
				change(n)
			}
		})
	}
	for _, c := range []struct {
		node cluster.Node
		why  string
		err  error
	}{
		{fits("lobby", func(n *cluster.Node) { n.Role = cluster.RoleLobby }), "it is a lobby and runs no rooms", cluster.ErrNoNode},
		{fits("chess", func(n *cluster.Node) { n.Games = map[string]string{"chess": "7"} }), "it does not have the game", cluster.ErrNoNode},
		{fits("older", func(n *cluster.Node) { n.Games = map[string]string{"arena": "6"} }), `it has the game's rules "6"`, cluster.ErrNoNode},
		{fits("away", func(n *cluster.Node) { n.Region = "us" }), "it is in region us", cluster.ErrNoNode},
		{fits("plain", func(n *cluster.Node) { n.Tags = nil }), "it lacks the tag disk=fast", cluster.ErrNoNode},
		{fits("draining", func(n *cluster.Node) { n.Draining = true }), "it drains", cluster.ErrCrowded},
		{fits("ends", func(n *cluster.Node) { n.Ends, n.Full = true, "rules hang" }), "it is to be replaced: rules hang", cluster.ErrCrowded},
		{fits("full", func(n *cluster.Node) { n.Full = "its memory limit is near" }), "its memory limit is near", cluster.ErrCrowded},
		{
			fits("packed", func(n *cluster.Node) { n.Capacity, n.Load.Rooms = 10, 8 }),
			"it has 8 rooms, 2 more are on the way, and its capacity is 10", cluster.ErrCrowded,
		},
		{fits("late", func(n *cluster.Node) { n.Load.Late = 0.11 }), "11 % of its ticks are late", cluster.ErrCrowded},
		{fits("busy", func(n *cluster.Node) { n.Load.Tick = 0.81 }), "its ticks take 81 % of its time", cluster.ErrCrowded},
		{fits("costly", func(n *cluster.Node) { n.Load.Tick, n.Load.Rooms = 0.6, 8 }), "its ticks take 82 % of its time", cluster.ErrCrowded},
		{fits("good", func(n *cluster.Node) { n.Load.Tick, n.Load.Rooms, n.Capacity, n.Role = 0.7, 8, 10, cluster.RoleMatch }), "", nil},
		{fits("anywhere", func(n *cluster.Node) { n.Region, n.Role = "", cluster.RoleAll }), "", nil},
	} {
		got, x, err := cluster.Place([]cluster.Node{c.node}, want, dice())
		if len(x) != 1 || x[0].Why != c.why || x[0].Chosen != (c.err == nil) || !errors.Is(err, c.err) || c.err == nil && got.ID != c.node.ID {
			t.Errorf("node %s: chosen %q, %+v, %v; want %q, %v", c.node.ID, got.ID, x, err, c.why, c.err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "game arena with rules 7 in region eu with the tag disk=fast: ") {
			t.Errorf("node %s: %v", c.node.ID, err)
		}
		if err := cluster.Check(map[string]cluster.Node{"n": c.node}, want); !errors.Is(err, c.err) {
			t.Errorf("node %s: whether it could be placed: %v, want %v", c.node.ID, err, c.err)
		}
	}
	if _, _, err := cluster.Place(nil, arenaWant, dice()); !errors.Is(err, cluster.ErrNoNode) {
		t.Errorf("without nodes: %v", err)
	}
}

func TestOfTwoNodesTheOneWithMoreHeadroomGetsTheRoom(t *testing.T) {
	load := func(tick, late float64, rooms int) func(*cluster.Node) {
		return func(n *cluster.Node) { n.Load = cluster.Load{Tick: tick, Late: late, Rooms: rooms} }
	}
	for _, c := range []struct {
		what        string
		better, bad func(*cluster.Node)
		placed      int // on the worse one
	}{
		{"less tick cost", load(0.2, 0, 90), load(0.3, 0, 10), 0},
		{"fewer late ticks", load(0.2, 0, 10), load(0.2, 0.05, 10), 0},
		{"nearly the same, and fewer rooms", load(0.205, 0, 9), load(0.2, 0, 10), 0},
		{"rooms on the way", load(0.2, 0, 10), load(0.18, 0, 9), 2},
		{"one room on the way to two idle ones", load(0, 0, 0), load(0, 0, 0), 1},
	} {
		want := arenaWant
		want.Placed = map[string]int{"bad": c.placed}
		nodes := []cluster.Node{arenaNode("bad", c.bad), arenaNode("better", c.better)}
		rng := dice()
		for range 20 {
			if n, x, err := cluster.Place(nodes, want, rng); err != nil || n.ID != "better" || !x[0].Drawn || !x[1].Drawn {
				t.Fatalf("%s: %q, %+v, %v", c.what, n.ID, x, err)
			}
		}
	}
}

func TestPlacementIsTheSameForTheSameDiceWhateverTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := drawNodes(t)
		want := drawWant(t)
		seed := rapid.Uint64().Draw(t, "seed")
		n1, x1, err1 := cluster.Place(nodes, want, rand.New(rand.NewPCG(seed, 1)))
		shuffled := rapid.Permutation(nodes).Draw(t, "other order")
		n2, x2, err2 := cluster.Place(shuffled, want, rand.New(rand.NewPCG(seed, 1)))
		if diff := cmp.Diff(n1, n2) + cmp.Diff(x1, x2); diff != "" || fmt.Sprint(err1) != fmt.Sprint(err2) {
			t.Fatalf("%v, %v, %s", err1, err2, diff)
		}
	})
}

// drawNodes are up to 12 nodes, of which each rule of placement may be against some.
func drawNodes(t *rapid.T) []cluster.Node {
	some := func(what string) bool { return rapid.IntRange(0, 4).Draw(t, what) == 0 }
	nodes := make([]cluster.Node, rapid.IntRange(0, 12).Draw(t, "nodes"))
	for i := range nodes {
		n := cluster.Node{
			ID: fmt.Sprintf("n%02d", i), Draining: some("draining"), Ends: some("ends"),
			Role:     rapid.SampledFrom([]string{"", cluster.RoleAll, cluster.RoleMatch, cluster.RoleLobby}).Draw(t, "role"),
			Region:   rapid.SampledFrom([]string{"", "eu", "us"}).Draw(t, "region"),
			Games:    map[string]string{"arena": rapid.SampledFrom([]string{"7", "7", "7", "6"}).Draw(t, "rules")},
			Capacity: rapid.IntRange(0, 20).Draw(t, "capacity"),
			Load: cluster.Load{
				Tick: rapid.Float64Range(0, 1).Draw(t, "tick"), Late: rapid.Float64Range(0, 0.2).Draw(t, "late"),
				Rooms: rapid.IntRange(0, 20).Draw(t, "rooms"),
			},
		}
		if some("tagged") {
			n.Tags = map[string]string{"disk": "fast"}
		}
		if some("full") {
			n.Full = "it is full"
		}
		nodes[i] = n
	}
	return nodes
}

func drawWant(t *rapid.T) cluster.Want {
	want := cluster.Want{
		Game: "arena", Rules: "7", Region: rapid.SampledFrom([]string{"", "eu"}).Draw(t, "wanted region"),
		Placed: map[string]int{},
	}
	if rapid.IntRange(0, 3).Draw(t, "wants tags") == 0 {
		want.Tags = map[string]string{"disk": "fast"}
	}
	for range rapid.IntRange(0, 5).Draw(t, "placed") {
		want.Placed[fmt.Sprintf("n%02d", rapid.IntRange(0, 11).Draw(t, "on"))]++
	}
	return want
}

// The rules are written once more, as an operator would say them.
func TestNoRoomGoesWhereItMayNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes, want := drawNodes(t), drawWant(t)
		may := func(n cluster.Node) bool {
			more := want.Placed[n.ID]
			cost := n.Load.Tick
			if more > 0 {
				cost += float64(more) * max(0.002, n.Load.Tick/max(1, float64(n.Load.Rooms)))
				if n.Load.Rooms == 0 {
					cost = n.Load.Tick + float64(more)*0.002
				}
			}
			return n.Role != "lobby" && n.Games["arena"] == "7" && !n.Draining && !n.Ends && n.Full == "" && n.Load.Late <= 0.1 && cost <= 0.8 &&
				(n.Capacity == 0 || n.Load.Rooms+more < n.Capacity) &&
				(want.Region == "" || n.Region == "" || n.Region == want.Region) && (want.Tags == nil || n.Tags["disk"] == "fast")
		}
		n, x, err := cluster.Place(nodes, want, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)))
		if able := slices.ContainsFunc(nodes, may); able != (err == nil) || err == nil && !may(n) {
			t.Fatalf("%q, %v; somebody may: %v", n.ID, err, able)
		}
		if (cluster.Check(byID(nodes), want) == nil) != (err == nil) {
			t.Fatalf("it could be placed: %v, it was: %v", cluster.Check(byID(nodes), want), err)
		}
		var chosen, drawn int
		for _, v := range x {
			if v.Chosen {
				chosen++
			}
			if v.Drawn {
				drawn++
			}
			if (v.Why == "") != may(v.Node) || v.Chosen && v.Node.ID != n.ID || v.Drawn && v.Why != "" {
				t.Fatalf("verdict %+v", v)
			}
		}
		if err == nil && (chosen != 1 || drawn < 1 || drawn > 2) || err != nil && chosen+drawn > 0 {
			t.Fatalf("%d chosen of %d drawn", chosen, drawn)
		}
	})
}

func byID(nodes []cluster.Node) map[string]cluster.Node {
	live := map[string]cluster.Node{}
	for _, n := range nodes {
		live[n.ID] = n
	}
	return live
}

// A burst comes while no load changes.
func TestBurstSpreadsOverEqualNodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "nodes")
		burst := rapid.IntRange(1, 400).Draw(t, "rooms")
		load := cluster.Load{Tick: 0.3, Rooms: rapid.IntRange(200, 400).Draw(t, "rooms before")}
		nodes := make([]cluster.Node, n)
		for i := range nodes {
			nodes[i] = arenaNode(fmt.Sprintf("n%02d", i), func(n *cluster.Node) { n.Load = load })
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		want, placed, most := arenaWant, map[string]int{}, 0
		want.Placed = placed
		for range burst {
			got, _, err := cluster.Place(nodes, want, rng)
			if err != nil {
				return // they are full by then: 0.8 of their time
			}
			placed[got.ID]++
			most = max(most, placed[got.ID])
		}
		if mean := float64(burst) / float64(n); float64(most) > mean+4 {
			t.Fatalf("one of %d nodes got %d of %d rooms", n, most, burst)
		}
	})
}

// Loads follow what was placed, a second late, as they do in life; several lobbies know nothing of each other.
func TestLoadsEvenOutOverUnequalNodesAndManyLobbies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, lobbies := rapid.IntRange(2, 12).Draw(t, "nodes"), rapid.IntRange(1, 4).Draw(t, "lobbies")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		nodes := make([]cluster.Node, n)
		for i := range nodes {
			rooms := rapid.IntRange(0, 20).Draw(t, "rooms before")
			nodes[i] = arenaNode(fmt.Sprintf("n%02d", i), func(n *cluster.Node) { n.Load = cluster.Load{Tick: 0.005 * float64(rooms), Rooms: rooms} })
		}
		for range 20 { // seconds, with two rooms for each node
			now := map[string]int{}
			placed := make([]map[string]int, lobbies)
			for i := range placed {
				placed[i] = map[string]int{}
			}
			for i := range 2 * n {
				want := arenaWant
				want.Placed = placed[i%lobbies]
				got, _, err := cluster.Place(nodes, want, rng)
				if err != nil {
					t.Fatal(err)
				}
				want.Placed[got.ID]++
				now[got.ID]++
			}
			for i := range nodes {
				l := &nodes[i].Load
				l.Rooms += now[nodes[i].ID]
				l.Tick = 0.005 * float64(l.Rooms)
			}
		}
		sum, most := 0.0, 0.0
		for i := range nodes {
			sum, most = sum+nodes[i].Load.Tick, max(most, nodes[i].Load.Tick)
		}
		if mean := sum / float64(n); most > 1.25*mean {
			t.Fatalf("the busiest of %d nodes has %.3f, the mean is %.3f", n, most, mean)
		}
	})
}

func TestPlacerCountsWhatItPlacedUntilLoadsShowIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		p := cluster.NewPlacer(registry)
		live := byID([]cluster.Node{
			arenaNode("a", func(n *cluster.Node) { n.Capacity = 3 }), arenaNode("b", func(n *cluster.Node) { n.Capacity = 3 }),
		})
		count := map[string]int{}
		for range 6 {
			if _, _, err := p.Explain(live, arenaWant); err != nil {
				t.Fatal(err)
			}
			n, err := p.Place(live, arenaWant)
			must(t, err)
			count[n.ID]++
		}
		if count["a"] != 3 || count["b"] != 3 {
			t.Errorf("a burst went to %v", count)
		}
		if _, err := p.Place(live, arenaWant); !errors.Is(err, cluster.ErrCrowded) {
			t.Errorf("both are full: %v", err)
		}
		if _, err := p.Place(live, cluster.Want{Game: "chess"}); !errors.Is(err, cluster.ErrNoNode) {
			t.Errorf("nobody has the game: %v", err)
		}
		time.Sleep(2*time.Second - time.Millisecond)
		if _, err := p.Place(live, arenaWant); !errors.Is(err, cluster.ErrCrowded) {
			t.Errorf("loads cannot show it yet: %v", err)
		}
		time.Sleep(time.Millisecond)
		if _, err := p.Place(live, arenaWant); err != nil {
			t.Errorf("loads show by now that nobody came: %v", err)
		}
		families, err := registry.Gather()
		must(t, err)
		counted := map[string]float64{}
		for _, m := range families[0].GetMetric() {
			counted[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
		}
		if diff := cmp.Diff(map[string]float64{"placed": 7, "crowded": 2, "none": 1}, counted); diff != "" {
			t.Errorf("%s (-want +counted):\n%s", families[0].GetName(), diff)
		}
	})
}

func BenchmarkPlaceAmong100Nodes(b *testing.B) {
	nodes := make([]cluster.Node, 100)
	for i := range nodes {
		nodes[i] = arenaNode(fmt.Sprintf("n%02d", i), nil)
	}
	rng := dice()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := cluster.Place(nodes, arenaWant, rng); err != nil {
			b.Fatal(err)
		}
	}
}

func TestRoomsOfADeadNodeFallToNodesByTheirHeadroom(t *testing.T) {
	for _, c := range []struct {
		change func(*cluster.Node)
		want   float64
	}{
		{nil, 1},
		{func(n *cluster.Node) { n.Load.Tick = 0.25 }, 0.75},
		{func(n *cluster.Node) { n.Load.Tick = 0.9 }, 1e-3}, // it takes no rooms that it need not
		{func(n *cluster.Node) { n.Draining = true }, 1e-3},
		{func(n *cluster.Node) { n.Role = cluster.RoleLobby }, 1e-3},
	} {
		if n := arenaNode("n", c.change); cluster.Weight(n) != c.want {
			t.Errorf("the weight of %+v is %v, want %v", n, cluster.Weight(n), c.want)
		}
	}
}

func TestRoomThatIsNeededAnywayComesToANodeThatTakesNoOthersWhereThereIsNoBetterOne(t *testing.T) {
	drains := arenaNode("drains", func(n *cluster.Node) { n.Draining = true })
	full := arenaNode("full", func(n *cluster.Node) { n.Full, n.Load.Tick = "its rooms' ticks are late", 0.9 })
	ends := arenaNode("ends", func(n *cluster.Node) { n.Ends, n.Full = true, "rules hang" })
	lobby := arenaNode("lobby", func(n *cluster.Node) { n.Role = cluster.RoleLobby })
	open := arenaNode("open", nil)
	anyway := arenaWant
	anyway.Anyway = true
	for name, c := range map[string]struct {
		nodes []cluster.Node
		node  string
		err   error
	}{
		"an open one goes first":          {[]cluster.Node{drains, full, open}, "open", nil},
		"else the one with more headroom": {[]cluster.Node{full, ends, drains, lobby}, "drains", nil},
		"not one that is to be replaced":  {[]cluster.Node{ends}, "", cluster.ErrCrowded},
		"nor a lobby":                     {[]cluster.Node{lobby}, "", cluster.ErrNoNode},
	} {
		n, _, err := cluster.Place(c.nodes, anyway, dice())
		if n.ID != c.node || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v; want %q, %v", name, n.ID, err, c.node, c.err)
		}
		live := map[string]cluster.Node{}
		for _, n := range c.nodes {
			live[n.ID] = n
		}
		if err := cluster.Check(live, anyway); !errors.Is(err, c.err) {
			t.Errorf("%s: asked whether there is a place: %v, want %v", name, err, c.err)
		}
	}
	if _, _, err := cluster.Place([]cluster.Node{drains, full}, arenaWant, dice()); !errors.Is(err, cluster.ErrCrowded) {
		t.Errorf("others are placed there: %v", err)
	}
}
