package netcode

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/proto"
)

// pair is a room whose state is one row, an edge in step and one viewer there.
type pair struct {
	t      *testing.T
	world  testWorld
	id     ID
	host   *Encoder
	edge   View
	mirror *Encoder
	tick   uint32
	viewer viewer
	scopes []proto.Watch
}

func newPair(t *testing.T) *pair {
	sc := testSchema(t)
	p := &pair{t: t, host: NewEncoder(sc, EncoderConfig{}), mirror: NewMirror(sc, EncoderConfig{}), scopes: []proto.Watch{0, 1}}
	p.id = p.world.Rows.Add(testRow{Owner: 1})
	p.viewer.dec = NewDecoder(sc)
	return p
}

// frame makes the next tick's, in which the row has changed if it shall.
func (p *pair) frame(change bool) *proto.Frame {
	p.tick++
	if row := p.world.Rows.Get(p.id); change {
		row.HP++
		row.Ammo += 3
	}
	p.host.Capture(p.tick, &p.world)
	f := &proto.Frame{Head: proto.Head{Tick: p.tick, Scopes: p.scopes}}
	for _, b := range p.host.Prepare(&p.edge, p.scopes) {
		f.Blocks = append(f.Blocks, proto.Block{Scope: b.Scope, Data: bytes.Clone(b.Data), Part: b.Part})
	}
	return f
}

// receive hands a frame to the mirror and says which scopes are broken.
func (p *pair) receive(f *proto.Frame, want ...uint16) {
	p.t.Helper()
	err := p.mirror.Receive(f)
	var failed []uint16
	for _, e := range p.mirror.Failed() {
		failed = append(failed, e.Scope)
	}
	if !slices.Equal(failed, want) || (err == nil) != (len(want) == 0) {
		p.t.Fatalf("tick %d: failed are %v, want %v: %v", p.tick, failed, want, err)
	}
}

// see brings the viewer to the newest tick, and says at which tick it is in each scope.
func (p *pair) see(want ...uint32) []proto.Block {
	p.t.Helper()
	blocks := slices.Clone(p.mirror.Prepare(&p.viewer.view, p.scopes))
	hashes := p.mirror.Hashes(&p.viewer.view)
	if err := p.viewer.read(&proto.Head{Epoch: 1, Tick: p.tick, Scopes: p.scopes}, hashes, blocks); err != nil {
		p.t.Fatalf("tick %d: %v", p.tick, err)
	}
	for i, w := range p.scopes {
		s := p.viewer.dec.scopes[w.Scope()]
		switch {
		case want[i] == 0:
			if s != nil {
				p.t.Fatalf("tick %d: there is something of scope %d", p.tick, w.Scope())
			}
			continue
		case s == nil || s.at[0] != want[i]:
			p.t.Fatalf("tick %d: scope %d is at %+v, want %d", p.tick, w.Scope(), s, want[i])
		}
		if want[i] == p.tick && p.viewer.dec.hash(w.Scope(), s.state[0]) != p.host.hash(w.Scope()) {
			p.t.Fatalf("tick %d: scope %d is not as in the room", p.tick, w.Scope())
		}
	}
	return blocks
}

func TestAScopeThatAMirrorLostStaysAsItWasUntilItComesAnew(t *testing.T) {
	p := newPair(t)
	for range 6 {
		p.receive(p.frame(true))
		p.see(p.tick, p.tick)
	}
	last := p.tick
	broken := p.frame(true)
	broken.Blocks[1].Data = append(broken.Blocks[1].Data, 0)
	p.receive(broken, 1)
	if blocks := p.see(p.tick, last); len(blocks) != 2 || blocks[1].Part.Size == 0 {
		t.Errorf("the viewer is not told that silence says nothing: %+v", blocks)
	}
	p.receive(p.frame(true)) // what cannot be used of the scope is no error again
	if blocks := p.see(p.tick, last); len(blocks) != 1 {
		t.Errorf("it is told twice: %+v", blocks)
	}
	p.edge.Resync(1)
	p.receive(p.frame(true))
	p.see(p.tick, p.tick)
	p.receive(p.frame(false)) // and silence means something again
	if blocks := p.see(p.tick, p.tick); len(blocks) != 0 {
		t.Errorf("blocks of what has not changed: %+v", blocks)
	}
}

// After frames were lost, what the mirror had is still true: a viewer is brought on by a difference to it.
func TestAfterALossViewersAreBroughtOnFromWhatTheyHave(t *testing.T) {
	p := newPair(t)
	for range 6 {
		p.receive(p.frame(true))
		p.see(p.tick, p.tick)
	}
	last := p.tick
	p.frame(true) // is lost
	p.mirror.Lost()
	p.receive(p.frame(false))
	p.see(last, last)
	p.edge.Reset()
	p.receive(p.frame(false))
	for _, b := range p.see(p.tick, p.tick) {
		if b.Part.Size > 0 || b.Data[0]&1 == 1 {
			t.Errorf("scope %d comes as a keyframe", b.Scope)
		}
	}
	// The same when nothing has changed at all: the viewer was told that silence says nothing.
	p.mirror.Lost()
	p.receive(p.frame(false))
	last = p.tick - 1
	p.see(last, last)
	p.edge.Reset()
	p.receive(p.frame(false))
	p.see(p.tick, p.tick)
	p.receive(p.frame(true))
	p.see(p.tick, p.tick)
}

// What a viewer has from a mirror that was wrong is not built on, though the keyframe brings the mirror the same tick anew.
func TestWhatAMirrorHadWrongIsNotBuiltOn(t *testing.T) {
	p := newPair(t)
	for range 5 {
		p.receive(p.frame(true))
		p.see(p.tick, p.tick)
	}
	p.receive(p.frame(true))
	m := p.mirror.mirror
	for i := range m.dec.parts {
		if part := &m.dec.parts[i]; part.to == owners {
			m.scopes[1].state[0].sets[i].nums[0][0]++
		}
	}
	p.mirror.caches[1] = scopeCache{} // what came was right: the viewer shall get what leads to the wrong state
	blocks := p.mirror.Prepare(&p.viewer.view, p.scopes)
	if err := p.viewer.read(&proto.Head{Epoch: 1, Tick: p.tick, Scopes: p.scopes}, nil, blocks); err != nil {
		t.Fatal(err)
	}
	next := p.frame(true)
	next.Hashes = p.host.Hashes(&p.edge)
	p.receive(next, 1)
	p.edge.Resync(1)
	p.receive(p.frame(true))
	if !p.mirror.has(1, p.tick-2) {
		t.Error("the keyframe does not bring the tick that was wrong: this shows nothing")
	}
	p.see(p.tick, p.tick)
}

func TestFramesThatCannotFollowChangeNothing(t *testing.T) {
	p := newPair(t)
	p.receive(p.frame(true))
	p.see(p.tick, p.tick)
	for name, h := range map[string]proto.Head{
		"the same tick": {Tick: 1, Scopes: p.scopes}, "scopes out of order": {Tick: 2, Scopes: []proto.Watch{1, 0}},
		"a scope twice": {Tick: 2, Scopes: []proto.Watch{0, proto.Watching(0, 2)}},
	} {
		var se *ScopeError
		if err := p.mirror.Receive(&proto.Frame{Head: h}); !errors.Is(err, ErrBlock) || errors.As(err, &se) || len(p.mirror.Failed()) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.receive(p.frame(true))
	p.see(p.tick, p.tick)
	f := p.frame(true)
	f.Blocks = append(f.Blocks, f.Blocks[1], proto.Block{Scope: 7, Data: []byte{0}}, proto.Block{Scope: 7, Data: []byte{0}, Part: proto.Part{Tick: 99, Size: 9}})
	p.receive(f, 1, 7, 7)
	p.see(p.tick, p.tick-1)
}

func TestAnotherEpochBeginsAnew(t *testing.T) {
	p := newPair(t)
	for range 5 {
		p.receive(p.frame(true))
		p.see(p.tick, p.tick)
	}
	p.host, p.edge, p.tick, p.viewer = NewEncoder(p.host.sc, EncoderConfig{}), View{}, p.tick-2, viewer{dec: NewDecoder(p.host.sc)}
	f := p.frame(true)
	f.Head.Epoch = 2
	f.Blocks = f.Blocks[:1] // the other one waits
	p.receive(f)
	p.see(p.tick, 0)
}

// A keyframe in parts is nothing to viewers before all of it is here.
func TestHalfAKeyframeIsNotThereForViewers(t *testing.T) {
	p := newPair(t)
	p.host.partBytes = 10
	whole := uint32(0)
	for range 20 {
		f := p.frame(true)
		p.receive(f)
		if whole == 0 && p.mirror.current(0) {
			whole = p.tick
		}
		want := []uint32{0, 0}
		for i := range want {
			if p.mirror.current(uint16(i)) { //nolint:gosec // small
				want[i] = p.tick
			}
		}
		p.see(want...)
	}
	if whole < 2 {
		t.Errorf("the room was there at tick %d: its keyframe was not in parts", whole)
	}
}

// More rows than all scopes together can have are not kept, however they came.
func TestAMirrorKeepsNoMoreRowsThanAStateCanHave(t *testing.T) {
	sc := placedSchema(t)
	var world placedWorld
	for range 60 {
		world.Rows.Add(placedRow{To: 1})
	}
	e := NewEncoder(sc, EncoderConfig{})
	e.CaptureScoped(1, &world, world.scopes(eyes{}))
	var v View
	key := bytes.Clone(e.Prepare(&v, []proto.Watch{0})[0].Data)
	m := NewMirror(sc, EncoderConfig{})
	f := proto.Frame{Head: proto.Head{Tick: 1}}
	for n := range uint16(200) {
		scope := scopeCells + n
		f.Head.Scopes = append(f.Head.Scopes, proto.Watch(scope))
		f.Blocks = append(f.Blocks, proto.Block{Scope: scope, Data: key})
	}
	if err := m.Receive(&f); err == nil || len(m.Failed()) != 200 || len(m.mirror.dec.scopes) > 0 {
		t.Errorf("%d scopes are kept, %d failed: %v", len(m.mirror.dec.scopes), len(m.Failed()), err)
	}
	f.Head.Tick, f.Head.Scopes, f.Blocks = 2, f.Head.Scopes[:8], f.Blocks[:8]
	if err := m.Receive(&f); err != nil {
		t.Errorf("scopes that can be: %v", err)
	}
}

// What a viewer gets from a mirror does not change with what is in scopes that are not its own.
func TestAMirrorsBytesDoNotDependOnHiddenRows(t *testing.T) {
	sc := placedSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		at := eyes{1: {50, 50}, 2: {200, 200}, 3: {399, 399}}
		var worlds [2]placedWorld
		var hosts, mirrors [2]*Encoder
		var edges, views [2]View
		views[0].Plain = rapid.Bool().Draw(t, "plain")
		views[1].Plain = views[0].Plain
		for i := range worlds {
			hosts[i], mirrors[i] = NewEncoder(sc, EncoderConfig{Ring: 8, Key: 9}), NewMirror(sc, EncoderConfig{Ring: 8})
			worlds[i].Rows.Add(placedRow{X: 50, Y: 50})
			worlds[i].Rows.Add(placedRow{To: 5})
		}
		for tick := uint32(1); tick <= 20; tick++ {
			for i := range worlds {
				for id, row := range worlds[i].Rows.All() {
					if id.slot() == 0 {
						row.X, row.HP = 50+float32(tick), uint8(tick)
					}
				}
			}
			hiddenRow := placedRow{X: 350, Y: 350, To: rapid.SampledFrom([]uint16{0, 3, 6}).Draw(t, "to"), HP: uint8(tick)}
			if id := worlds[1].Rows.Add(hiddenRow); rapid.Bool().Draw(t, "remove") {
				worlds[1].Rows.Remove(id)
			}
			skip := rapid.IntRange(0, 2).Draw(t, "skip") == 0
			var got [2]string
			for i := range worlds {
				hosts[i].CaptureScoped(tick, &worlds[i], worlds[i].scopes(at))
				var u Union
				for seat := Seat(1); seat <= 3; seat++ {
					u.Add(hosts[i].Scopes(seat))
				}
				f := proto.Frame{Head: proto.Head{Tick: tick, Scopes: u.Watches()}}
				f.Blocks = hosts[i].Prepare(&edges[i], f.Head.Scopes)
				if err := mirrors[i].Receive(&f); err != nil {
					t.Fatal(err)
				}
				if !skip {
					got[i] = fmt.Sprint(mirrors[i].Prepare(&views[i], hosts[i].Scopes(1)), mirrors[i].Hashes(&views[i]))
				}
			}
			if got[0] != got[1] {
				t.Fatalf("tick %d: with hidden rows %s, without %s", tick, got[1], got[0])
			}
		}
	})
}

func TestAUnionIsDueWheneverOneOfItsViewersIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var u Union
		for range 3 { // its memory is used again
			u.Reset()
			rates := map[uint16][]uint32{}
			for range rapid.IntRange(0, 5).Draw(t, "viewers") {
				list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) proto.Watch {
					return proto.Watching(rapid.Uint16Range(0, 5).Draw(t, "scope"), rapid.IntRange(1, proto.MaxEvery).Draw(t, "every"))
				}), 0, 4).Draw(t, "scopes")
				u.Add(list)
				for _, w := range list {
					rates[w.Scope()] = append(rates[w.Scope()], w.Every())
				}
			}
			got := u.Watches()
			if len(got) != len(rates) || !slices.IsSortedFunc(got, func(a, b proto.Watch) int { return int(a.Scope()) - int(b.Scope()) }) {
				t.Fatalf("%x of %v", got, rates)
			}
			for _, w := range got {
				for _, every := range rates[w.Scope()] {
					if every%w.Every() != 0 {
						t.Fatalf("scope %d is sent each %d ticks, but one of %v", w.Scope(), w.Every(), rates[w.Scope()])
					}
				}
			}
		}
	})
}

// FuzzMirror gives a mirror that has had three frames blocks of anything, whole or as parts, and looks whether it panics,
// takes more than the input can make it, has what the schema does not allow, or does not heal.
func FuzzMirror(f *testing.F) {
	sc := testSchema(f)
	var world testWorld
	id := world.Rows.Add(testRow{X: 10, Name: "anna", Owner: 1, Ammo: 3})
	e := NewEncoder(sc, EncoderConfig{})
	var v View
	scopes := []proto.Watch{0, 1, proto.Watching(0x401, 2)}
	var good []proto.Frame
	for tick := uint32(1); tick <= 4; tick++ {
		world.Rows.Get(id).X += 3
		world.Rows.Get(id).Ammo++
		e.Capture(tick, &world)
		frame := proto.Frame{Head: proto.Head{Tick: tick, Scopes: scopes}}
		for _, b := range e.Prepare(&v, scopes) {
			frame.Blocks = append(frame.Blocks, proto.Block{Scope: b.Scope, Data: bytes.Clone(b.Data)})
			f.Add(b.Scope, uint32(0), uint16(0), uint16(0), b.Data)
			f.Add(b.Scope, tick, uint16(0), uint16(len(b.Data)), b.Data) //nolint:gosec // small
		}
		good = append(good, frame)
	}
	v.Reset()
	world.Rows.Get(id).HP = 9
	e.Capture(6, &world)
	anew := proto.Frame{Head: proto.Head{Tick: 6, Scopes: scopes}, Blocks: e.Prepare(&v, scopes), Hashes: e.Hashes(&v)}
	f.Fuzz(func(t *testing.T, scope uint16, part uint32, from, size uint16, data []byte) {
		bad := proto.Frame{Head: proto.Head{Tick: 4, Scopes: scopes}, Blocks: []proto.Block{{Scope: scope, Data: data}}}
		if size > 0 {
			if len(data) == 0 || int(from)+len(data) > int(size) {
				t.Skip("no block as a message has it")
			}
			bad.Blocks[0].Part = proto.Part{Tick: part, From: int(from), Size: int(size)}
		}
		m := NewMirror(sc, EncoderConfig{Ring: 8})
		var view View
		for i := range good[:3] {
			if err := m.Receive(&good[i]); err != nil {
				t.Fatal(err)
			}
		}
		m.Prepare(&view, scopes)
		if n := allocated(fuzzBound(len(data)), func() { _ = m.Receive(&bad) }); n > fuzzBound(len(data)) {
			t.Errorf("%d bytes allocated for %d", n, len(data))
		}
		m.Prepare(&view, scopes)
		checkSets(t, m.mirror.dec)
		bad.Head.Tick = 5
		_ = m.Receive(&bad)
		m.Prepare(&view, scopes)
		m.Hashes(&view)
		if err := m.Receive(&anew); err != nil {
			t.Fatalf("it does not heal: %v", err)
		}
		for _, w := range scopes {
			if m.hash(w.Scope()) != e.hash(w.Scope()) {
				t.Errorf("scope %d is not as in the room", w.Scope())
			}
		}
	})
}
