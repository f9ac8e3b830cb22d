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
	Scopes    []Watch
}

// Watch is one of a viewer's scopes and how often it is sent: each n-th tick, those that n divides. Its value is the
// scope's number, and above 16 bits n − 1.
type Watch uint32

// MaxEvery is the greatest number of ticks between two frames of a scope.
const MaxEvery = 256

// Watching returns the watch of a scope that is sent every n-th tick, 1 to [MaxEvery].
func Watching(scope uint16, n int) Watch {
	return Watch(scope) | Watch(n-1)<<16 //nolint:gosec // at most 256
}

// Scope is the scope's number.
func (w Watch) Scope() uint16 { return uint16(w) } //nolint:gosec // the low bits

// Every is each how many ticks the scope is sent.
func (w Watch) Every() uint32 { return uint32(w>>16) + 1 }

// Block is one scope's part of a frame: bytes that are the same for every viewer of the scope in the same form.
type Block struct {
	Scope uint16
	Data  []byte // netcode's block, or a part of one
	Part  Part
}

// Part says which part of a keyframe that is sent over several frames a block has. The zero value: the block is whole.
type Part struct {
	Tick uint32 // of the keyframe's newest state
	From int    // where in the keyframe the data begins, bytes
	Size int    // of the whole keyframe, bytes; 0: no part
}

// MaxKeyframe bounds a keyframe that is sent in parts, in bytes.
const MaxKeyframe = 1 << 24

// Hash is the view hash of one scope at the frame's tick.
type Hash struct {
	Scope uint16
	Sum   uint64
}

// Append writes the head of a frame that has blocks and hashes, which the caller then writes ([Block.Append]; hashes as
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

// Append writes a block of a frame.
func (b *Block) Append(w *Writer) {
	w.Uint(uint64(b.Scope))
	if b.Part.Size == 0 {
		w.Bin(b.Data)
		return
	}
	w.Array(4)
	w.Uint(uint64(b.Part.Tick))
	w.Uint(uint64(b.Part.From)) //nolint:gosec // not negative
	w.Uint(uint64(b.Part.Size)) //nolint:gosec // not negative
	w.Bin(b.Data)
}

// Parse reads a block of a frame. Data is a part of the message's bytes.
func (b *Block) Parse(r *Reader) {
	*b = Block{Scope: r.Uint16("block scope")}
	if r.IsArray() {
		if r.Array("block", 4) != 4 {
			r.Fail("block", "not four elements")
		}
		b.Part = Part{
			Tick: r.Uint32("keyframe tick"),
			From: int(r.Uint("keyframe offset", MaxKeyframe)), //nolint:gosec // bounded
			Size: int(r.Uint("keyframe size", MaxKeyframe)),   //nolint:gosec // bounded
		}
		b.Data = r.Bin("keyframe part", MaxServerMessage)
		if len(b.Data) == 0 || b.Part.From+len(b.Data) > b.Part.Size {
			r.Fail("keyframe part", "empty, or beyond the keyframe")
		}
		return
	}
	b.Data = r.Bin("block", MaxServerMessage)
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
			h.Scopes = append(h.Scopes, Watch(r.Uint("scope", MaxEvery<<16-1))) //nolint:gosec // bounded
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
		var b Block
		b.Parse(r)
		f.Blocks = append(f.Blocks, b)
	}
	return r.Done()
}

func equalScopes(a, b []Watch) bool {
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
