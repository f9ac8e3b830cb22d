package arena

import (
	"slices"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// link is a viewer that is in step with an encoder, and the decoder at the other end of the bytes.
type link struct {
	sc     *netcode.Schema
	enc    *netcode.Encoder
	dec    *netcode.Decoder
	view   netcode.View
	scopes []proto.Watch
	prev   *proto.Head
	got    proto.Frame
	w      *proto.Writer
	r      *proto.Reader
}

// encoder is one with its schema, for the links of its viewers.
type encoder struct {
	sc  *netcode.Schema
	enc *netcode.Encoder
}

func newEncoder[S any](t testing.TB) encoder {
	t.Helper()
	sc, err := netcode.Compile[S, Input](events...)
	if err != nil {
		t.Fatal(err)
	}
	return encoder{sc, netcode.NewEncoder(sc, netcode.EncoderConfig{})}
}

// newLink returns a viewer of the room's scope and these others.
func newLink(e encoder, scopes ...proto.Watch) *link {
	return &link{
		sc: e.sc, enc: e.enc, dec: netcode.NewDecoder(e.sc), scopes: append([]proto.Watch{0}, scopes...),
		w: proto.NewWriter(), r: proto.NewReader(nil),
	}
}

// frameSize is what one frame takes, in bytes inside the WebSocket frame.
type frameSize struct {
	room, own int // the blocks' data
	head      int // everything else
	blocks    int // how many
}

func (s frameSize) all() int { return s.room + s.own + s.head }

// frame brings the decoder to the encoder's tick with a message as a socket carries it. The decoder is given the view
// hashes as well, which differ when any column of any row does; their bytes are not counted, since they come only
// every 32 ticks.
func (l *link) frame(t testing.TB, tick uint32) (size frameSize) {
	t.Helper()
	blocks := l.enc.Prepare(&l.view, l.scopes)
	head := proto.Head{Epoch: 1, Tick: tick, Processed: tick, Durable: tick, Lead: 1, Scopes: slices.Clone(l.scopes)}
	l.w.Reset()
	head.Append(l.w, l.prev, nil, len(blocks))
	for _, b := range blocks {
		b.Append(l.w)
		if b.Scope == 0 {
			size.room += len(b.Data)
		} else {
			size.own += len(b.Data)
		}
	}
	l.prev = &head
	size.blocks, size.head = len(blocks), l.w.Len()-size.room-size.own
	l.r.Reset(l.w.Bytes())
	kind, n, err := proto.ServerKind(l.r)
	if err == nil {
		err = l.got.Parse(l.r, kind, n)
	}
	if err != nil {
		t.Fatalf("tick %d: reading the frame: %v", tick, err)
	}
	l.got.Hashes = append(l.got.Hashes, l.enc.Hashes(&l.view)...)
	if err := l.dec.Apply(&l.got); err != nil {
		t.Fatalf("tick %d: applying the frame: %v", tick, err)
	}
	return size
}

func (l *link) load(t testing.TB, state any) {
	t.Helper()
	if err := l.dec.Load(state); err != nil {
		t.Fatal(err)
	}
}
