package netcode

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/proto"
)

// link is a room and an edge of another node: the room's encoder, a view that stands for the whole edge, and the mirror
// there. What is sent may be lost, which is noticed with the next frame that arrives; what is asked for comes later.
type link struct {
	host   *Encoder
	edge   View
	mirror *Encoder
	union  Union
	epoch  uint64

	lost  bool    // the frame before did not arrive
	asked []asked // by the edge
	truth map[uint32]map[uint16]uint64
}

// asked is that a scope shall come anew, or all.
type asked struct {
	at    uint32 // when the room hears of it
	all   bool
	scope uint16
}

var allScopes = []uint16{
	scopeRoom, 1, 2, 3, scopeTeams + 1, scopeTeams + 2,
	scopeCells, scopeCells + 1, scopeCells + 2, scopeCells + 3, scopeCells + 4, scopeCells + 5, scopeCells + 6, scopeCells + 7,
}

// note keeps what each scope was at the tick.
func (l *link) note() {
	sums := map[uint16]uint64{}
	for _, scope := range allScopes {
		sums[scope] = l.host.hash(scope)
	}
	l.truth[l.host.tick] = sums
}

// carry makes the frame of the newest tick for the edge, and hands it on if it arrives. spoil may break its blocks.
func (l *link) carry(t *rapid.T, arrives bool, spoil func(b *proto.Block) bool) (came []proto.Block, ok bool) {
	tick := l.host.tick
	l.asked = slices.DeleteFunc(l.asked, func(a asked) bool {
		switch {
		case a.at > tick:
			return false
		case a.all:
			l.edge.Reset()
		default:
			l.edge.Resync(a.scope)
		}
		return true
	})
	f := proto.Frame{Head: proto.Head{Epoch: l.epoch, Tick: tick, Scopes: slices.Clone(l.union.Watches())}}
	f.Blocks = l.host.Prepare(&l.edge, f.Head.Scopes)
	if tick%5 == 0 {
		f.Hashes = l.host.Hashes(&l.edge)
	}
	if !arrives {
		l.lost = true
		return nil, false
	}
	later := tick + uint32(rapid.IntRange(0, 2).Draw(t, "later")) //nolint:gosec // small
	if l.lost {
		l.lost = false
		l.mirror.Lost()
		l.asked = append(l.asked, asked{at: later, all: true})
	}
	spoiled := map[uint16]bool{}
	for i := range f.Blocks {
		spoiled[f.Blocks[i].Scope] = spoil(&f.Blocks[i]) || spoiled[f.Blocks[i].Scope]
	}
	err := l.mirror.Receive(&f)
	if (err == nil) != (len(l.mirror.Failed()) == 0) {
		t.Fatalf("tick %d: %v, and failed are %v", tick, err, l.mirror.Failed())
	}
	for _, failed := range l.mirror.Failed() {
		l.asked = append(l.asked, asked{at: later, scope: failed.Scope})
	}
	for i := range f.Blocks {
		if !spoiled[f.Blocks[i].Scope] {
			came = append(came, f.Blocks[i])
		}
	}
	return came, true
}

// checkMirror looks whether all that the mirror has is true.
func (l *link) checkMirror(t *rapid.T) {
	m := l.mirror.mirror
	for scope, s := range m.dec.scopes {
		if m.scope(scope) != s {
			t.Fatalf("scope %#x is not where it is looked for", scope)
		}
		for i, at := range s.at {
			if i > 0 && at >= s.at[i-1] {
				t.Fatalf("scope %#x has the ticks %v", scope, s.at)
			}
			if m.dec.hash(scope, s.state[i]) != l.truth[at][scope] {
				t.Fatalf("tick %d: scope %#x was not so at tick %d", l.host.tick, scope, at)
			}
		}
	}
	for scope, s := range m.scopes {
		if s != nil && m.dec.scopes[uint16(scope)] != s { //nolint:gosec // a scope
			t.Fatalf("scope %#x is gone, and yet looked for", scope)
		}
	}
}

// remote is a viewer whose socket is at the edge, and what the room would do for it if it were there.
type remote struct {
	viewer
	slow   int // how many times less often it gets all scopes
	direct View
}

func (v *remote) scopes(e *Encoder) []proto.Watch {
	list := slices.Clone(e.Scopes(v.seat))
	if v.public {
		list = slices.Clone(e.PublicScopes())
	}
	for i, w := range list {
		list[i] = proto.Watching(w.Scope(), v.slow*int(w.Every()))
	}
	return list
}

// serve gives a viewer the newest tick, and compares.
func (l *link) serve(t *rapid.T, g *randomGame, v *remote, edgeHad View, came []proto.Block, has map[string]int) {
	tick := l.host.tick
	scopes := v.scopes(l.host)
	had, directHad := View{sent: slices.Clone(v.view.sent)}, View{sent: slices.Clone(v.direct.sent)}
	var direct []proto.Block
	for _, b := range l.host.Prepare(&v.direct, scopes) {
		direct = append(direct, proto.Block{Scope: b.Scope, Part: b.Part, Data: slices.Clone(b.Data)})
	}
	blocks := l.mirror.Prepare(&v.view, scopes)
	l.sameBytes(t, v, scopes, [3]View{had, directHad, edgeHad}, [3][]proto.Block{blocks, direct, came}, has)
	hashes := l.mirror.Hashes(&v.view)
	for _, h := range hashes {
		if h.Sum != l.truth[tick][h.Scope] {
			t.Fatalf("tick %d seat %d: the hash of scope %#x is not the room's", tick, v.seat, h.Scope)
		}
	}
	has["hashes"] += len(hashes)
	if err := v.read(&proto.Head{Epoch: l.epoch, Tick: tick, Scopes: scopes}, hashes, blocks); err != nil {
		t.Fatalf("tick %d seat %d: %v", tick, v.seat, err)
	}
	for scope, s := range v.dec.scopes {
		if _, watched := find16(scopes, scope); !watched {
			t.Fatalf("tick %d seat %d has scope %#x, which is not one of its own", tick, v.seat, scope)
		}
		for i, at := range s.at {
			if v.dec.hash(scope, s.state[i]) != l.truth[at][scope] {
				t.Fatalf("tick %d seat %d: scope %#x was not so at tick %d", tick, v.seat, scope, at)
			}
		}
	}
	g.compare(t, l.host, &v.viewer, tick)
}

// sameBytes looks whether a viewer that has had what the edge as a whole had gets the very blocks that came, and that one
// in the room would get.
func (l *link) sameBytes(t *rapid.T, v *remote, scopes []proto.Watch, had [3]View, got [3][]proto.Block, has map[string]int) {
	for _, w := range scopes {
		var was [3]sentScope
		known := !v.view.Plain && l.mirror.current(w.Scope())
		for i := range had {
			last := had[i].last(w.Scope(), new(int))
			if known = known && last != nil && last.key == nil && !last.held; known {
				was[i] = *last
			}
		}
		if !known || was[0] != was[1] || was[0] != was[2] {
			continue
		}
		var block [3]*proto.Block
		for i := range got {
			for k := range got[i] {
				if got[i][k].Scope == w.Scope() {
					block[i] = &got[i][k]
				}
			}
		}
		if tick := l.host.tick; tick%w.Every() != 0 && (block[2] == nil || tick-was[0].tick < 2*w.Every()) {
			continue // it is not its turn
		}
		switch a, b, c := block[0], block[1], block[2]; {
		case c == nil && a == nil && b == nil:
			has["same silence"]++
		case c != nil && (c.Part.Size > 0 || len(c.Data) > 0 && c.Data[0]&1 == 1):
			has["keyframes"]++ // whose parts depend on all that a viewer gets
		case a == nil || b == nil || c == nil || !bytes.Equal(a.Data, b.Data) || !bytes.Equal(a.Data, c.Data):
			t.Fatalf("tick %d seat %d scope %#x, of which there was %+v: %+v, in the room %+v, came %+v", l.host.tick, v.seat, w.Scope(), was[0], a, b, c)
		default:
			has["same bytes"]++
		}
	}
}

// What every viewer behind a mirror has is what the room had at that tick, whatever is lost, spoiled, late or skipped; and
// who is in step gets the bytes that it would have got in the room.
func TestViewersBehindAMirrorHaveWhatTheRoomHas(t *testing.T) {
	has := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		g := newRandomGame(t)
		cfg := EncoderConfig{Ring: 8, Key: rapid.Uint64().Draw(t, "key"), PartBytes: rapid.SampledFrom([]int{0, 4, 40}).Draw(t, "part")}
		l := &link{host: NewEncoder(g.sc, cfg), mirror: NewMirror(g.sc, cfg), epoch: 1, truth: map[uint32]map[uint16]uint64{}}
		trouble := rapid.SampledFrom([]int{0, 0, 4, 12}).Draw(t, "trouble") // of 100
		often := func(what string, n int) bool { return rapid.IntRange(0, 99).Draw(t, what) < n }
		var viewers [6]*remote
		tick := uint32(0)
		for range 30 {
			tick++
			if trouble > 0 && often("failover", 2) {
				l.host, l.edge, l.epoch, l.truth, l.lost = NewEncoder(g.sc, cfg), View{}, l.epoch+1, map[uint32]map[uint16]uint64{}, false
				l.asked = nil
				tick -= min(tick-1, uint32(rapid.IntRange(0, 4).Draw(t, "back"))) //nolint:gosec // small
				viewers = [6]*remote{}                                            // their connections were the old owner's
				has["failovers"]++
			}
			if often("edit", 80) {
				g.edit(t)
			}
			l.host.CaptureScoped(tick, g.state, g.scopes)
			l.note()
			l.union.Reset()
			for i, v := range viewers {
				switch {
				case v == nil && often("join", 30):
					v = &remote{viewer: viewer{seat: Seat(i%3 + 1), public: i == 5, dec: NewDecoder(g.sc)}, slow: rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "slow")}
					if v.view.Plain = often("plain", 30); v.view.Plain {
						v.dec = NewPlainDecoder(g.sc)
						v.direct.Plain = true
					}
					viewers[i] = v
				case v != nil && often("leave", 3):
					v, viewers[i] = nil, nil
				}
				if v != nil {
					l.union.Add(v.scopes(l.host))
				}
			}
			if often("the room skips the edge", trouble) {
				has["skips"]++
				continue
			}
			edgeHad := View{sent: slices.Clone(l.edge.sent)}
			came, ok := l.carry(t, !often("lose", trouble), func(b *proto.Block) bool {
				if !often("spoil", trouble/4) {
					return false
				}
				has["spoiled"]++
				if b.Part.Size > 0 {
					b.Part.Size++
				} else {
					b.Data = append(slices.Clone(b.Data), 0)
				}
				return true
			})
			if !ok {
				has["lost"]++
				continue
			}
			l.checkMirror(t)
			for _, v := range viewers {
				if v == nil || often("skip", 15) {
					continue
				}
				if often("resync", 2) {
					scope := rapid.SampledFrom(allScopes).Draw(t, "scope")
					v.dec.fail(scope, ErrHash)
					v.view.Resync(scope)
					v.direct.Resync(scope)
				}
				before := len(v.view.sent)
				l.serve(t, g, v, edgeHad, came, has)
				has["frames"]++
				if before > 0 && slices.ContainsFunc(v.view.sent, func(s sentScope) bool { return s.held }) {
					has["held"]++
				}
			}
		}
	})
	t.Logf("%v", has)
	for _, what := range []string{"frames", "hashes", "same bytes", "same silence", "skips", "lost", "spoiled", "failovers", "held"} {
		if has[what] == 0 {
			t.Errorf("there were no %s: %v", what, slices.Sorted(maps.Keys(has)))
		}
	}
}
