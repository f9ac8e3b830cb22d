package playback

import (
	"bytes"
	"context"
	"os"
	"sync"
	"testing"

	"muster/games/arena"
	"muster/match"
	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// recorded is a match of the arena: 400 ticks, six players, one of them lost and back, one who leaves.
func recorded(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("../../cmd/testdata/arena.muster")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// truth are the states' hashes by tick, from the first to the last, as the records run from the start make them.
func truth(t testing.TB, file []byte) (hashes map[uint32]uint64, ships map[uint32]map[string][2]float32) {
	t.Helper()
	c := newCursor(t, file)
	hashes, ships = map[uint32]uint64{}, map[uint32]map[string][2]float32{}
	for {
		hashes[c.tick] = c.replay.Hash()
		at := map[string][2]float32{}
		for _, s := range c.replay.State().(*arena.World).Ships.All() {
			at[s.Name] = [2]float32{s.X, s.Y}
		}
		ships[c.tick] = at
		moved, err := c.step(c.info.To)
		if err != nil {
			t.Fatal(err)
		}
		if !moved {
			return hashes, ships
		}
	}
}

func newCursor(t testing.TB, file []byte) *cursor {
	t.Helper()
	rd, err := journal.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	info, err := scan(t.Context(), rd)
	if err != nil {
		t.Fatal(err)
	}
	c := &cursor{game: arena.Game, rd: rd, info: info}
	if err := c.jump(info.From); err != nil {
		t.Fatal(err)
	}
	return c
}

// onlooker is a connection that watches a session: an edge of its own that decodes what it is sent.
type onlooker struct {
	t testing.TB

	mu      sync.Mutex
	welcome *proto.Welcome
	closed  *proto.Close
	events  []uint32 // their ticks on the wire
	dec     *netcode.Decoder
	begun   bool   // with a cast,
	entry   bool   // whose entries it is sent
	seq     uint64 // of the newest
	first   uint32 // the tick of the first frame
	in      proto.Frame
	world   arena.World
	frames  int
}

func newOnlooker(t testing.TB) *onlooker {
	return &onlooker{t: t, dec: netcode.NewDecoder(arena.Game.Schema())}
}

// watch brings an onlooker to a session.
func watch(t testing.TB, s *Session, player string) *onlooker {
	t.Helper()
	o := newOnlooker(t)
	if !s.Attach(attachOf(o, player)) {
		t.Fatal("the session takes nobody")
	}
	return o
}

func (o *onlooker) Edge() match.Edge   { return o }
func (o *onlooker) Seat() netcode.Seat { return 0 }

func (o *onlooker) Welcome(w *proto.Welcome, r token.Resume) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.Seat != 0 {
		o.t.Error("one who watches gets a seat's secret")
	}
	c := *w
	o.welcome = &c
}

func (o *onlooker) Message([]byte) { o.t.Error("a message for one alone") }

// said takes a message for everybody.
func (o *onlooker) said(msg []byte) {
	r := proto.NewReader(msg)
	kind, n, err := proto.ServerKind(r)
	var m proto.Events
	if err != nil || kind != proto.KindEvents || m.Parse(r, n) != nil {
		o.t.Errorf("a message of kind %d: %v", kind, err)
	}
	for range m.List {
		o.events = append(o.events, m.Tick)
	}
}

func (o *onlooker) Close(c proto.Close) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed == nil {
		o.closed = &c
	}
}

// Send implements match.Edge.
func (o *onlooker) Send(*match.Frame) { o.t.Error("a frame for one alone") }

// Cast implements match.Audience: it is an edge with one connection.
func (o *onlooker) Cast(c *match.Cast) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c.Close != nil {
		if o.closed == nil {
			o.closed = c.Close
		}
		return
	}
	if o.begun && c.Seq != o.seq+1 {
		o.t.Errorf("cast %d comes after cast %d", c.Seq, o.seq)
	}
	if !o.begun && !c.Begins {
		return
	}
	if !o.begun {
		o.begun, o.entry = true, c.Entry != nil
	}
	o.seq = c.Seq
	for _, msg := range c.Said {
		o.said(msg)
	}
	data := c.Frame
	if o.entry {
		data = c.Entry
		o.entry = !c.Joins
	}
	r := proto.NewReader(data)
	kind, n, err := proto.ServerKind(r)
	if err == nil {
		err = o.in.Parse(r, kind, n)
	}
	if err == nil {
		err = o.dec.Apply(&o.in)
	}
	if err == nil {
		err = o.dec.Load(&o.world)
	}
	if err != nil {
		o.t.Errorf("wire tick %d: %v", c.Tick, err)
	}
	if o.first == 0 {
		o.first = c.Tick
	}
	if o.in.Head.Tick != c.Tick {
		o.t.Errorf("a frame of tick %d comes with tick %d", o.in.Head.Tick, c.Tick)
	}
	o.frames++
}

// sees is which recorded tick the newest frame shows, and where the ships are in it.
func (o *onlooker) sees() (tick uint32, ships map[string][2]float32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ships = map[string][2]float32{}
	for _, s := range o.world.Ships.All() {
		ships[s.Name] = [2]float32{s.X, s.Y}
	}
	return o.in.Head.Processed, ships
}

// came is how many frames have come, and the tick of the first.
func (o *onlooker) came() (n int, first uint32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.frames, o.first
}

// warm adds the ships of which something is seen that is for their owners.
func (o *onlooker) warm(names map[string]bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, ship := range o.world.Ships.All() {
		if ship.Heat > 0 || ship.VX != 0 {
			names[ship.Name] = true
		}
	}
}

func (o *onlooker) told() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.events)
}

func (o *onlooker) code() proto.Code {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed == nil {
		return 0
	}
	return o.closed.Code
}

// closeAll ends the sessions.
func closeAll(t testing.TB, m *Sessions) {
	t.Helper()
	if err := m.Close(context.Background()); err != nil { //nolint:usetesting // the test's is over
		t.Error(err)
	}
}

func newSessions() *Sessions {
	return New(Config{Games: []match.Game{arena.Game}, Process: "p1"})
}

func open(t testing.TB, m *Sessions, owner, view string) *Session {
	t.Helper()
	s, err := m.Open(t.Context(), Request{Owner: owner, View: view, File: recorded(t)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tell is Control with what a test wants to say.
func tell(t testing.TB, s *Session, tick int64, speed float64, paused bool) (State, bool) {
	t.Helper()
	c := Control{Speed: &speed, Paused: &paused}
	if tick >= 0 {
		c.Tick = &tick
	}
	st, clamped, err := s.Control(c)
	if err != nil {
		t.Fatal(err)
	}
	return st, clamped
}
