package bridge

import (
	"math"

	"muster/proto"
)

// tick is what a host sends of one room's tick to one edge: the blocks that bring the edge, as one viewer of all that its
// viewers see, to the tick, and a part for each of its viewers. The message is the head, the parts and the blocks.
type tick struct {
	gen    uint32 // which of the edge's beginnings it counts from, see session.begin
	seq    uint32 // counts the messages of a generation from 1
	have   uint64 // as in state
	sent   uint64
	now    uint32 // the room's tick time when this was sent
	frac   uint16
	listed bool // the frame's scopes are here; else they are what was sent last
	parts  []part
	frame  proto.Frame   // as the edge is sent it: what it sees (Head.Scopes, sorted), now and then hashes, blocks
	lists  []proto.Watch // the memory of the parts' scopes
}

// part is one viewer's part of a tick: the rest of its head.
type part struct {
	viewer    uint64
	processed uint32
	durable   uint32
	lead      int8
	listed    bool // scopes are here; else they are what was sent last
	scopes    []proto.Watch
}

const (
	tickLen = 13 // elements of a tick
	partLen = 5  // elements of a part
)

// append writes the head; so many parts follow, then the frame's [appendBlocks].
func (m *tick) append(w *proto.Writer, session uint64, parts int) {
	begin(w, tickLen, kindTick, session)
	w.Uint(uint64(m.gen))
	w.Uint(uint64(m.seq))
	w.Uint(m.have)
	w.Uint(m.sent)
	w.Uint(uint64(m.frame.Head.Tick))
	w.Uint(uint64(m.now))
	w.Uint(uint64(m.frac))
	appendList(w, m.frame.Head.Scopes, m.listed)
	w.Array(partLen * parts)
}

func (p *part) append(w *proto.Writer) {
	w.Uint(p.viewer)
	w.Uint(uint64(p.processed))
	w.Uint(uint64(p.processed - p.durable))
	w.Int(int64(p.lead))
	appendList(w, p.scopes, p.listed)
}

func appendBlocks(w *proto.Writer, hashes []proto.Hash, blocks []proto.Block) {
	w.Array(2 * len(hashes))
	for i := range hashes {
		w.Uint(uint64(hashes[i].Scope))
		w.Uint(hashes[i].Sum)
	}
	w.Array(2 * len(blocks))
	for i := range blocks {
		blocks[i].Append(w)
	}
}

func appendList(w *proto.Writer, list []proto.Watch, listed bool) {
	if !listed {
		w.Nil()
		return
	}
	w.Array(len(list))
	for _, s := range list {
		w.Uint(uint64(s))
	}
}

// parse reads a tick; its slices are reused. Where no scopes are listed, those of the frame stay as they are.
func (m *tick) parse(r *proto.Reader, n int) error {
	m.gen, m.seq = r.Uint32("generation"), r.Uint32("sequence")
	m.have, m.sent = r.Uint("have", math.MaxUint64), r.Uint("sent", math.MaxUint64)
	f := &m.frame
	f.Head.Tick, m.now, m.frac = r.Uint32("tick"), r.Uint32("now"), r.Uint16("fraction")
	if m.listed = !r.Nil("scopes"); m.listed {
		f.Head.Scopes = readList(r, f.Head.Scopes[:0], maxWatched)
	}
	m.lists, m.parts, f.Hashes, f.Blocks = m.lists[:0], m.parts[:0], f.Hashes[:0], f.Blocks[:0]
	k := r.Array("parts", partLen*maxViewers)
	if k%partLen != 0 {
		r.Fail("parts", "not whole")
	}
	for range k / partLen {
		if r.Err() != nil {
			break
		}
		p := part{viewer: r.Uint("viewer", math.MaxUint64), processed: r.Uint32("processed")}
		p.durable = p.processed - uint32(r.Uint("durable", uint64(p.processed))) //nolint:gosec // bounded
		p.lead = int8(r.Int("lead", math.MinInt8, math.MaxInt8))                 //nolint:gosec // bounded
		from := len(m.lists)
		if p.listed = !r.Nil("scopes"); p.listed {
			m.lists = readList(r, m.lists, proto.MaxScopes)
		}
		p.scopes = m.lists[from:len(m.lists):len(m.lists)]
		m.parts = append(m.parts, p)
	}
	if k = r.Array("hashes", 2*maxWatched); k%2 != 0 {
		r.Fail("hashes", "not pairs")
	}
	for range k / 2 {
		if r.Err() != nil {
			break
		}
		f.Hashes = append(f.Hashes, proto.Hash{Scope: r.Uint16("hash scope"), Sum: r.Uint("hash", math.MaxUint64)})
	}
	if k = r.Array("blocks", 4*maxWatched); k%2 != 0 {
		r.Fail("blocks", "not pairs")
	}
	for range k / 2 {
		if r.Err() != nil {
			break
		}
		var b proto.Block
		b.Parse(r)
		f.Blocks = append(f.Blocks, b)
	}
	r.SkipRest("tick", n, tickLen)
	return r.Done() //nolint:wrapcheck // says where already
}

func readList(r *proto.Reader, list []proto.Watch, most int) []proto.Watch {
	for range r.Array("scopes", most) {
		list = append(list, proto.Watch(r.Uint("scope", proto.MaxEvery<<16-1))) //nolint:gosec // bounded
	}
	return list
}
