package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"muster/proto"
)

// ErrNone means that there is nothing of the kind that was asked for: no journal of the room, no checkpoint.
var ErrNone = errors.New("there is none")

// errCut is why a replay ends early that is whole as far as it goes: its writer was killed, or its disk full.
var errCut = fmt.Errorf("%w: cut short", ErrMalformed)

// Reader reads one replay, also one that was cut short or damaged: it stops before the first block that is not whole. It
// holds one block in memory. One goroutine at a time may use a Reader.
type Reader struct {
	r      io.ReadSeeker
	size   int64
	off    int64 // of the next block
	start  int64 // of the first block after the header
	header Header
	places []place // of all blocks, once they are known
	found  []place // of the checkpoints that were read since the start, if it is read from there
	first  bool    // it is

	block   []byte
	content []byte
	records *proto.Reader // of the block that is being read
	head    head          // of it
	record  Record
	tick    uint32 // the newest that was read
	bytes   int64  // that were inflated
	whole   bool   // the end was seen, as Close wrote it
	damage  error  // why it ended before
}

// item is one record, encoded, or one checkpoint.
type item struct {
	tick       uint32
	data       []byte // valid until the next one is read
	checkpoint bool
}

// foreign is the error of what is no replay.
type foreign struct{}

func (foreign) Error() string        { return "it is no replay of Muster's" }
func (foreign) Is(target error) bool { return target == ErrMalformed }

// NewReader reads a replay's header. Errors wrap ErrMalformed where r is no replay, or one cut short within its header.
func NewReader(r io.ReadSeeker) (*Reader, error) {
	const doing = "reading a replay's header"
	rd := &Reader{r: r, records: proto.NewReader(nil)}
	var err error
	if rd.size, err = r.Seek(0, io.SeekEnd); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	got := make([]byte, min(rd.size, int64(len(magic))))
	err = rd.readAt(0, got)
	if err == nil && string(got) != magic[:len(got)] {
		return nil, foreign{}
	}
	if err == nil && len(got) < len(magic) {
		err = errCut
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	rd.off = int64(len(magic))
	h, err := rd.next()
	if err == nil && h.kind != blockHeader {
		err = fmt.Errorf("%w: a block of kind %d comes first", ErrMalformed, h.kind)
	}
	if err == nil {
		err = rd.header.Parse(bytes.Clone(rd.content))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	rd.start, rd.first = rd.off, true
	return rd, nil
}

// Header returns the replay's header. It must not be changed.
func (r *Reader) Header() *Header { return &r.header }

// Next returns what comes next, a record or a checkpoint, the other being nil. A record is valid until the next call. At
// the end of what can be read the error is io.EOF; whether that was the end of the replay, Truncated says.
func (r *Reader) Next() (*Record, *Checkpoint, error) {
	it, err := r.item()
	if err != nil {
		return nil, nil, err
	}
	if it.checkpoint {
		return nil, &Checkpoint{Tick: it.tick, Data: bytes.Clone(it.data)}, nil
	}
	if err := r.record.Parse(it.data); err != nil {
		return nil, nil, fmt.Errorf("reading a replay: tick %d: %w", it.tick, err)
	}
	return &r.record, nil, nil
}

// item is Next without decoding.
func (r *Reader) item() (item, error) {
	for r.records.Left() == 0 {
		if r.whole || r.damage != nil {
			if r.first {
				r.places, r.first = append([]place{}, r.found...), false
			}
			return item{}, io.EOF
		}
		at := r.off
		h, err := r.next()
		switch {
		case errors.Is(err, ErrMalformed):
			r.damage = fmt.Errorf("the replay is whole up to byte %d and tick %d: %w", at, r.tick, err)
		case err != nil:
			return item{}, fmt.Errorf("reading a replay at byte %d: %w", at, err)
		case h.kind == blockCheckpoint:
			r.tick = h.last
			if r.first {
				r.found = append(r.found, place{h.kind, at, h.first, h.last})
			}
			return item{tick: h.last, data: r.content, checkpoint: true}, nil
		case h.kind == blockTicks:
			r.head = h
			r.records.Reset(r.content)
		case h.kind == blockIndex:
			if r.damage = r.end(at); r.damage == nil {
				r.whole = true
			}
		}
	}
	data := r.records.Raw("record", MaxRecord)
	tick, err := uint32(0), malformed("block", r.records.Err())
	if err == nil {
		tick, err = tickOf(data)
	}
	if err == nil && (tick < r.head.first || tick > r.head.last) {
		err = fmt.Errorf("%w: a record of tick %d in a block from %d to %d", ErrMalformed, tick, r.head.first, r.head.last)
	}
	if err != nil {
		r.records.Reset(nil)
		r.damage = err // the block was written so: what follows cannot be trusted
		return item{}, fmt.Errorf("reading a replay: %w", err)
	}
	r.tick = tick
	return item{tick: tick, data: data}, nil
}

// end checks that the replay ends as it should after an index at the offset.
func (r *Reader) end(index int64) error {
	err := errCut
	if left := r.size - r.off; left >= trailerLen {
		got := make([]byte, trailerLen)
		if err := r.readAt(r.off, got); err != nil {
			return err
		}
		if left == trailerLen && bytes.Equal(got, trailer(index)) {
			return nil
		}
		err = fmt.Errorf("%w: it ends otherwise than it was written", ErrMalformed)
	}
	return fmt.Errorf("the replay is whole up to its index at byte %d: %w", index, err)
}

// Truncated says, once Next has returned io.EOF, that the replay goes on or did so before it was cut or damaged.
func (r *Reader) Truncated() bool { return r.damage != nil }

// Damage says what is wrong with a truncated replay and how far it could be read.
func (r *Reader) Damage() error { return r.damage }

// Damaged says of a truncated replay that it was not only cut: what comes where it ends for a reader is not what was written.
func (r *Reader) Damaged() bool { return r.damage != nil && !errors.Is(r.damage, errCut) }

// Tick returns the tick of what Next returned last.
func (r *Reader) Tick() uint32 { return r.tick }

// Seek goes to the newest checkpoint that is not after the tick, which Next then returns; ErrNone means that there is
// none, and Next begins anew. It uses the index, or reads through the replay once where that is missing. Once Next has come from
// the start to the end, Seek goes by what was read then: an index can name places that are in no order, or not in the replay.
func (r *Reader) Seek(tick uint32) error {
	if r.places == nil && !r.readIndex() {
		if err := r.scan(); err != nil {
			return fmt.Errorf("seeking tick %d of a replay: %w", tick, err)
		}
	}
	var found *place
	for i := range r.places {
		if p := &r.places[i]; p.kind == blockCheckpoint && p.last <= tick {
			found = p
		}
	}
	if found == nil {
		r.restart(r.start)
		return fmt.Errorf("seeking tick %d of a replay: no checkpoint before it: %w", tick, ErrNone)
	}
	r.restart(found.off)
	return nil
}

// Inflated is how many bytes the blocks had that were read so far, for whoever bounds what a file may cost.
func (r *Reader) Inflated() int64 { return r.bytes }

func (r *Reader) restart(off int64) {
	r.records.Reset(nil)
	r.off, r.whole, r.damage = off, false, nil
	r.found, r.first = nil, off == r.start
}

// readIndex takes the places of blocks from the index. It says whether that is there and not at odds with the file.
func (r *Reader) readIndex() bool {
	end := make([]byte, trailerLen)
	if r.size < trailerLen || r.readAt(r.size-trailerLen, end) != nil || string(end[:8]) != trailerMagic {
		return false
	}
	var off int64
	for i := range 8 {
		off |= int64(end[8+i]) << (8 * i)
	}
	if off < r.start || !bytes.Equal(end, trailer(off)) {
		return false
	}
	r.restart(off)
	if h, err := r.next(); err != nil || h.kind != blockIndex {
		return false
	}
	rd := proto.NewReader(r.content)
	var places []place
	for range rd.Array("index", maxBlocks) {
		rd.Fixed("block", 4)
		places = append(places, place{
			rd.Uint8("kind"), int64(rd.Uint("offset", uint64(r.size))), rd.Uint32("first"), rd.Uint32("last"), //nolint:gosec // bounded
		})
		if rd.Err() != nil {
			return false
		}
	}
	if rd.Done() != nil {
		return false
	}
	for _, p := range places { // heads are cheap to look at
		if p.kind != blockCheckpoint {
			continue
		}
		b := make([]byte, headLen)
		if r.readAt(p.off, b) != nil {
			return false
		}
		if h, err := parseHead(b); err != nil || h.kind != p.kind || h.last != p.last {
			return false
		}
	}
	r.places = places
	return true
}

// scan finds the places of all blocks that are whole.
func (r *Reader) scan() error {
	r.restart(r.start)
	for {
		at := r.off
		h, err := r.next()
		if errors.Is(err, ErrMalformed) || err == nil && h.kind == blockIndex {
			return nil
		}
		if err != nil {
			return err
		}
		r.places = append(r.places, place{h.kind, at, h.first, h.last})
	}
}

// next reads the block at r.off into r.content and goes past it. An error that wraps ErrMalformed says that it is not
// whole; the offset is then still its own.
func (r *Reader) next() (head, error) {
	b := slices.Grow(r.block[:0], headLen)[:headLen]
	if err := r.readAt(r.off, b); err != nil {
		return head{}, err
	}
	h, err := parseHead(b)
	if err != nil {
		return h, err
	}
	if r.off+headLen+int64(h.length) > r.size { // before memory is taken for it
		return h, fmt.Errorf("a block of kind %d: %w", h.kind, errCut)
	}
	b = slices.Grow(b, int(h.length))[:headLen+int(h.length)]
	if err := r.readAt(r.off+headLen, b[headLen:]); err != nil {
		return h, err
	}
	r.block = b
	if r.content, err = h.inflate(b, r.content); err != nil {
		return h, err
	}
	r.off += int64(len(b))
	r.bytes += int64(h.inflated)
	if h.inflated > slack { // a checkpoint's memory is not kept, once the caller has it
		r.block = nil
	}
	return h, nil
}

// readAt fills b from the offset.
func (r *Reader) readAt(off int64, b []byte) error {
	_, err := r.r.Seek(off, io.SeekStart)
	if err == nil {
		_, err = io.ReadFull(r.r, b)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err //nolint:wrapcheck // callers say what they did
}
