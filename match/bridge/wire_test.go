package bridge

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"reflect"
	"testing"
	"time"

	"muster/internal/golden"
	"muster/match"
	"muster/match/edge"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// at is a time that every sample has.
var at = time.UnixMilli(1_800_000_000_123)

type sample struct {
	name string
	msg  []byte
}

func sampleAttach() match.Attach {
	return match.Attach{
		Player: match.Player{Seat: 3, ID: "ann", Name: "Änn", Team: 2}, PlayerExpires: at, Resume: true, Counter: 4, Claim: "c1",
	}
}

func sampleWelcome() (m proto.Welcome, t token.Resume) {
	m = proto.Welcome{
		Version: 1, Room: "r", Game: "bank", Rules: "2", Seat: 3, Player: "ann", Epoch: 5, Tick: 6, Rate: 20, Inputs: proto.Commands,
		Seq: 7, Event: 8, Kept: 9,
	}
	return m, token.Resume{Room: "r", Seat: 3, Player: "ann", Name: "Änn", Counter: 5, PlayerExpires: at}
}

func sampleTick() (m tick) {
	m = tick{gen: 2, seq: 3, have: 4, sent: 5, now: 101, frac: 6, listed: true, parts: []part{
		{viewer: 7, processed: 90, durable: 80, lead: -2},
		{viewer: 8, processed: 3, durable: 3, lead: 1, listed: true, scopes: []proto.Watch{0, proto.Watching(3, 4)}},
	}}
	m.frame.Head.Tick = 100
	m.frame.Head.Scopes = []proto.Watch{0, 2, proto.Watching(3, 4)}
	m.frame.Hashes = []proto.Hash{{Scope: 2, Sum: 1 << 60}}
	m.frame.Blocks = []proto.Block{{Scope: 0, Data: []byte{1, 2}}, {Scope: 3, Data: []byte{3}, Part: proto.Part{Tick: 99, From: 4, Size: 5}}}
	return m
}

func appendTick(w *proto.Writer, m *tick) {
	m.append(w, 9, len(m.parts))
	for i := range m.parts {
		m.parts[i].append(w)
	}
	appendBlocks(w, m.frame.Hashes, m.frame.Blocks)
}

func samples() (list []sample) {
	w := proto.NewWriter()
	add := func(name string) { list = append(list, sample{name, bytes.Clone(w.Bytes())}) }
	(&hello{gen: 1, room: "r", open: true}).append(w, 9)
	add("hello")
	begin(w, 7, kindPing, 9)
	(&state{3, 4, true}).append(w)
	w.Uint(2)
	w.Uint(1000)
	add("ping")
	begin(w, 2, kindBye, 9)
	add("bye")
	packet := proto.NewWriter()
	(&proto.InputPacket{Epoch: 5, Last: 99, Event: 2, Inputs: []proto.Input{{Seq: 3, Tick: 101, View: 98, Frac: 7, Body: []byte{0x91, 1}}}}).Append(packet)
	begin(w, 11, kindInput, 9)
	w.Uint(3)
	w.Uint(4)
	w.Uint(100)
	for id := range uint64(2) {
		w.Uint(7 + id)
		w.Uint(99 + id)
		w.Bin(packet.Bytes())
	}
	add("input")
	a := sampleAttach()
	appendAttach(w, 9, 1, 7, &a)
	add("attach")
	numbered(w, 4, kindDetach, 9, 2, 7)
	add("detach")
	numbered(w, 4, kindLeave, 9, 3, 7)
	add("leave")
	appendRefresh(w, 9, 4, 7, at)
	add("refresh")
	(&answer{epoch: 5, rate: 20, inputs: proto.Commands, schema: bankGame(&teller{}, match.Rules{}).Schema().Binary()}).append(w, 9)
	add("answer")
	(&answer{refused: proto.Close{Code: proto.CodeMatchGone, Reason: "gone"}}).append(w, 9)
	add("refusal")
	begin(w, 6, kindPong, 9)
	(&state{3, 4, false}).append(w)
	w.Uint(1000)
	add("pong")
	begin(w, 2, kindUnknown, 9)
	add("unknown")
	t := sampleTick()
	appendTick(w, &t)
	add("tick")
	m, r := sampleWelcome()
	appendWelcome(w, 9, 1, 7, &m, &r)
	add("welcome")
	numbered(w, 5, kindMessage, 9, 2, 7)
	w.Bin([]byte{0x91, 2})
	add("message")
	appendClose(w, 9, 3, 7, proto.Close{Code: proto.CodeKicked, Reason: "out"})
	add("close")
	begin(w, 3, kindOver, 9)
	w.Uint(4)
	add("over")
	begin(w, 3, kindAgain, 9)
	w.Uint(17)
	add("again")
	h, c := sampleCast()
	appendCast(w, 9, &h, c)
	add("cast")
	appendLast(w, 9, 4, sampleLast())
	add("last")
	return list
}

func sampleCast() (castHead, *match.Cast) {
	return castHead{have: 3, sent: 4, now: 101, frac: 7, fresh: true}, &match.Cast{
		Seq: 17, Tick: 100, Event: 5, Told: 7, Begins: true, Frame: []byte{0x91, 1}, Entry: []byte{0x91, 2}, Said: [][]byte{{0x91, 3}, {0x91, 4}},
	}
}

func sampleLast() *match.Cast {
	return &match.Cast{
		Seq: 18, Tick: 101, Event: 7, Told: 8, Said: [][]byte{{0x91, 5}}, Close: &proto.Close{Code: proto.CodeDone, Reason: "over"},
	}
}

func TestMessagesAreAsTheyWere(t *testing.T) {
	const file = "testdata/messages.txt"
	var text bytes.Buffer
	for _, s := range samples() {
		fmt.Fprintf(&text, "%s %s\n", s.name, hex.EncodeToString(s.msg))
	}
	golden.Check(t, file, text.Bytes(), "know that nodes of two releases talk to each other, and run go test ./match/bridge -update")
}

// read reads a message of a kind, and one that has an element more, as a newer node's would.
func readSample[M any](t *testing.T, name string, read func(r *proto.Reader, h head) (M, error)) (got M) {
	t.Helper()
	for _, s := range samples() {
		if s.name != name {
			continue
		}
		r := proto.NewReader(s.msg)
		h, err := readHead(r)
		if err != nil || h.session != 9 {
			t.Fatalf("%s: %+v, %v", name, h, err)
		}
		if h.kind >= kindWelcome && h.kind != kindCast || h.kind >= kindAttach && h.kind <= kindRefresh {
			r.Uint("number", maxNumber)
			if h.kind != kindOver {
				r.Uint("viewer", maxNumber)
			}
		}
		if got, err = read(r, h); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return got
}

func TestMessagesSayWhatWasSaid(t *testing.T) {
	same := func(name string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
	same("hello", readSample(t, "hello", func(r *proto.Reader, h head) (m hello, err error) { err = m.parse(r, h.n); return }), hello{1, "r", true})
	same("attach", readSample(t, "attach", func(r *proto.Reader, h head) (match.Attach, error) { return readAttach(r, h.n) }), sampleAttach())
	m, resume := sampleWelcome()
	m.Schema = []byte{}
	readSample(t, "welcome", func(r *proto.Reader, h head) (int, error) {
		got, secret, err := readWelcome(r, h.n)
		same("welcome", got, m)
		same("secret", secret, resume)
		return 0, err
	})
	same("close", readSample(t, "close", func(r *proto.Reader, h head) (proto.Close, error) { return readClose(r, h.n) }),
		proto.Close{Code: proto.CodeKicked, Reason: "out"})
	readSample(t, "cast", func(r *proto.Reader, h head) (int, error) {
		got, c, err := readCast(r, h.n)
		wantHead, want := sampleCast()
		same("cast's head", got, wantHead)
		same("cast", c, want)
		return 0, err
	})
	same("last", readSample(t, "last", func(r *proto.Reader, h head) (*match.Cast, error) { return readLast(r, h.n) }), sampleLast())
	got := readSample(t, "tick", func(r *proto.Reader, h head) (m tick, err error) { err = m.parse(r, h.n); return })
	want := sampleTick()
	got.lists = nil
	for i := range got.parts {
		if !got.parts[i].listed {
			got.parts[i].scopes = nil
		}
	}
	same("tick", got, want)
}

// silentNode is a bridge without a network and a room at another node that was answered.
func silentNode(t testing.TB) (*Bridge, *room) {
	b := New(Config{Network: &nothing{}, Find: func(context.Context, string, bool) (edge.Hosted, error) {
		return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "none"}
	}})
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil { //nolint:usetesting // the test's is over
			t.Error(err)
		}
	})
	rm := newRoom(b, place{"n0", "r"}, 9, true)
	rm.ans.epoch, rm.ans.rate = 5, 20
	rm.ans.schema = bankGame(&teller{}, match.Rules{}).Schema().Binary()
	var err error
	if rm.schema, err = netcode.ParseSchema(rm.ans.schema); err != nil {
		t.Fatal(err)
	}
	rm.clock.rate = 20
	rm.feed.begin(rm.schema, 20)
	return b, rm
}

// cut makes messages of a fuzzer's bytes: each begins with its length.
func cut(b []byte) (list [][]byte) {
	for len(b) > 2 {
		n := min(int(b[0])|int(b[1])<<8, len(b)-2)
		list = append(list, b[2:2+n])
		b = b[2+n:]
	}
	return list
}

func FuzzWhatAHostIsSent(f *testing.F) {
	fuzzSeeds(f)
	_, s, _ := remoteStage(f, 2)
	s.register()
	f.Fuzz(func(_ *testing.T, b []byte) {
		for _, msg := range cut(b) {
			s.b.Receive("n1", msg)
		}
	})
}

func FuzzWhatAnEdgeIsSent(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, rm := silentNode(t)
		rm.Attach(match.Attach{Viewer: &deaf{}, Player: match.Player{Seat: 1, ID: "ann"}})
		rm.Attach(match.Attach{Viewer: &deaf{}, Audience: &crowd{}, Watch: true, Player: match.Player{ID: "walter"}})
		for _, msg := range cut(b) {
			if over, _ := rm.hear(msg); over {
				break
			}
		}
	})
}

func fuzzSeeds(f *testing.F) {
	var all []byte
	for _, s := range samples() {
		one := append([]byte{byte(len(s.msg)), byte(len(s.msg) >> 8)}, s.msg...) //nolint:gosec // its two bytes
		f.Add(one)
		all = append(all, one...)
	}
	f.Add(all)
}

// deaf is a viewer to whom everything may be said.
type deaf struct{ frames int }

func (d *deaf) Edge() match.Edge                   { return d }
func (d *deaf) Send(*match.Frame)                  { d.frames++ }
func (*deaf) Seat() netcode.Seat                   { return 1 }
func (*deaf) Welcome(*proto.Welcome, token.Resume) {}
func (*deaf) Message([]byte)                       {}
func (*deaf) Close(proto.Close)                    {}

// crowd is an audience that looks at what it is told.
type crowd struct{ casts []*match.Cast }

func (c *crowd) Cast(cast *match.Cast) { c.casts = append(c.casts, cast) }

func TestWhatIsNotUnderstoodIsPassedOver(t *testing.T) {
	b, rm := silentNode(t)
	w := proto.NewWriter()
	for kind := range 128 {
		begin(w, 3, kind, 9)
		w.Str("of a newer node")
		b.Receive("n0", w.Bytes())
		if known := kind == kindPong || kind == kindTick || kind >= kindWelcome && kind <= kindLast; known {
			continue
		}
		if over, err := rm.hear(w.Bytes()); err != nil || over != (kind == kindUnknown) {
			t.Errorf("kind %d: %v, %v", kind, over, err)
		}
	}
	rm.have.Store(1)              // the welcome's
	for _, s := range samples() { // with an element more
		if s.name == "input" || s.name == "welcome" { // their last is a whole message
			continue
		}
		longer := bytes.Clone(s.msg)
		longer[0]++
		longer = append(longer, 0xc0)
		b.Receive("n0", longer)
		if _, err := rm.hear(longer); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	if n := rm.have.Load(); n != 4 || rm.feed.cast != 18 {
		t.Errorf("%d numbered messages were taken, not 4, and the next cast is %d", n, rm.feed.cast)
	}
}

func TestOtherNodesMessagesAreNotASessions(t *testing.T) {
	b, rm := silentNode(t)
	b.rooms[9], b.places[rm.place] = rm, rm
	defer func() { delete(b.rooms, 9) }()
	for _, s := range samples() {
		b.Receive("n7", s.msg)
	}
	if list, _, _ := rm.mail.take(nil); len(list) > 0 {
		t.Errorf("%d messages of another node were taken", len(list))
	}
	b.Receive("n0", samples()[len(samples())-1].msg)
	if list, _, _ := rm.mail.take(nil); len(list) != 1 {
		t.Errorf("%d messages of the host were taken", len(list))
	}
}
