package proto

import "math"

// Flags of a frame's head: the low four bits of its kind.
const (
	// FlagAbsolute: epoch is present, and tick and processed are absolute, not differences to the frame before.
	FlagAbsolute = 1
	// FlagDurable: the distance from processed to durable is present; without it they are equal.
	FlagDurable = 2
	// FlagScopes: the viewer's scopes are present; without it they are those of the frame before.
	FlagScopes = 4
	// FlagHashes: view hashes by scope are present.
	FlagHashes = 8
)

// MaxScopes bounds how many scopes one viewer may have.
const MaxScopes = 1024

// Head is the part of a frame that is one viewer's own. On the wire it is differential: see [Head.Append].
type Head struct {
	Epoch     uint64 // of the room's owner; names a tick together with Tick
	Tick      uint32 // the state that this frame leads to
	Processed uint32 // the newest input sequence of this seat that the state contains
	Durable   uint32 // the newest input sequence of this seat that no failover can take back; at most Processed
	Lead      int8   // ticks that the inputs used last came before their use, the least of them; negative: too late
	Scopes    []uint16
}

// Block is one scope's part of a frame: bytes that are the same for every viewer of the scope in the same form.
type Block struct {
	Scope uint16
	Data  []byte // netcode's block
}

// Hash is the view hash of one scope at the frame's tick.
type Hash struct {
	Scope uint16
	Sum   uint64
}

// Append writes the head of a frame that has blocks and hashes, which the caller then writes ([AppendBlock]; hashes as
// one array of scope, sum pairs before the blocks when there are any).
// prev is the head that this socket received last; nil writes an absolute head. Scopes are written when they differ
// from prev's.
func (h *Head) Append(w *Writer, prev *Head, hashes []Hash, blocks int) {
	flags, n := uint64(0), 4
	absolute := prev == nil || prev.Epoch != h.Epoch || h.Tick <= prev.Tick || h.Processed < prev.Processed
	if absolute {
		flags |= FlagAbsolute
		n++
	}
	if h.Durable != h.Processed {
		flags |= FlagDurable
		n++
	}
	if prev == nil || !equalScopes(prev.Scopes, h.Scopes) {
		flags |= FlagScopes
		n++
	}
	if len(hashes) > 0 {
		flags |= FlagHashes
		n++
	}
	w.Array(n + 2*blocks)
	w.Uint(KindFrame | flags)
	if absolute {
		w.Uint(h.Epoch)
		w.Uint(uint64(h.Tick))
		w.Uint(uint64(h.Processed))
	} else {
		w.Uint(uint64(h.Tick - prev.Tick))
		w.Uint(uint64(h.Processed - prev.Processed))
	}
	w.Int(int64(h.Lead))
	if flags&FlagDurable != 0 {
		w.Uint(uint64(h.Processed - h.Durable))
	}
	if flags&FlagScopes != 0 {
		w.Array(len(h.Scopes))
		for _, s := range h.Scopes {
			w.Uint(uint64(s))
		}
	}
	if flags&FlagHashes != 0 {
		w.Array(2 * len(hashes))
		for _, x := range hashes {
			w.Uint(uint64(x.Scope))
			w.Uint(x.Sum)
		}
	}
}

// AppendBlock writes one block of a frame.
func AppendBlock(w *Writer, scope uint16, data []byte) {
	w.Uint(uint64(scope))
	w.Bin(data)
}

// Frame is a frame as its reader sees it, with an absolute head.
type Frame struct {
	Head   Head
	Hashes []Hash
	Blocks []Block // Data are parts of the message's bytes
}

// Parse reads a frame after [ServerKind]; kind and n are what that returned. f holds the frame read before on this
// socket, from whose head the new one differs; its slices are reused. After an error f is not usable.
func (f *Frame) Parse(r *Reader, kind, n int) error {
	flags, read := kind&15, 4
	h := &f.Head
	if flags&FlagAbsolute != 0 {
		read++
		h.Epoch = r.Uint("epoch", math.MaxUint64)
		h.Tick = r.Uint32("tick")
		h.Processed = r.Uint32("processed")
	} else {
		h.Tick += r.upTo("tick", math.MaxUint32-h.Tick)
		h.Processed += r.upTo("processed", math.MaxUint32-h.Processed)
	}
	h.Lead = int8(r.Int("lead", math.MinInt8, math.MaxInt8)) //nolint:gosec // bounded
	h.Durable = h.Processed
	if flags&FlagDurable != 0 {
		read++
		h.Durable -= r.upTo("durable", h.Processed)
	}
	if flags&FlagScopes != 0 {
		read++
		h.Scopes = h.Scopes[:0]
		for range r.Array("scopes", MaxScopes) {
			h.Scopes = append(h.Scopes, r.Uint16("scope"))
		}
	}
	f.Hashes = f.Hashes[:0]
	if flags&FlagHashes != 0 {
		read++
		k := r.Array("hashes", 2*MaxScopes)
		if k%2 != 0 {
			r.Fail("hashes", "not pairs")
		}
		for range k / 2 {
			f.Hashes = append(f.Hashes, Hash{r.Uint16("hash scope"), r.Uint("hash", math.MaxUint64)})
		}
	}
	f.Blocks = f.Blocks[:0]
	if r.err == nil && (n < read || (n-read)%2 != 0) {
		r.Fail("blocks", "not pairs")
	}
	for ; read < n && r.err == nil; read += 2 {
		f.Blocks = append(f.Blocks, Block{r.Uint16("block scope"), r.Bin("block", MaxServerMessage)})
	}
	return r.Done()
}

func equalScopes(a, b []uint16) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
