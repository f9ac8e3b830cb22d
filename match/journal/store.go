package journal

import (
	"context"
	"errors"
	"fmt"
	"io"

	"muster/proto"
)

// Errors of a Store that its callers decide on.
var (
	// ErrGap means that the store lacks what comes before: a checkpoint must go first.
	ErrGap = errors.New("the journal lacks what comes before: a checkpoint must go first")
	// ErrFenced means that a newer epoch has taken the room over, or that it has ended.
	ErrFenced = errors.New("the journal belongs to a newer epoch")
)

// MaxRoom bounds a room's name in a Store, in bytes.
const MaxRoom = 64

// MaxSegment bounds what a store keeps after one checkpoint, in bytes. Beyond it Append asks for the next one.
const MaxSegment = 32 << 20

// Entry is an encoded record.
type Entry struct {
	Tick uint32
	Data []byte // as Record.AppendTo writes it
}

// Saved is what a room goes on from.
type Saved struct {
	Header     Header
	Checkpoint Checkpoint
	Records    []Record // of the ticks after the checkpoint, in order
}

// Last returns the newest tick that was saved.
func (s *Saved) Last() uint32 {
	if n := len(s.Records); n > 0 {
		return s.Records[n-1].Tick
	}
	return s.Checkpoint.Tick
}

// Store keeps the journals of rooms. Any goroutine may use it, and every call may be repeated: what is there already is
// passed over. A room is named by at most MaxRoom bytes. All errors but the named ones are those of what is underneath,
// and the store works again when that does.
//
// A room's journal begins with a checkpoint, which may be of tick 0, and consists of segments: a checkpoint and the
// records after it. An owner names its epoch with each call; one that is older than the newest is refused with ErrFenced.
type Store interface {
	// Append adds entries, in the order of their ticks, to a room's journal. prev is the tick of the entry, or else of
	// the checkpoint, before the first of them. ErrGap means that the store lacks it, or keeps all that it may after one
	// checkpoint.
	Append(ctx context.Context, room string, epoch uint64, prev uint32, entries []Entry) error
	// Checkpoint stores a checkpoint, ends the segment before it and begins the next one. It comes after the entry of
	// its own tick and before that of the next one; whatever was lost before it does not matter any more. What an older
	// epoch wrote of later ticks is void.
	Checkpoint(ctx context.Context, room string, epoch uint64, h Header, cp Checkpoint) error
	// Load returns what a room goes on from: its newest checkpoint and the records after it. From then on older epochs
	// are refused; epoch 0 only looks. ErrNone means that the room has no journal, or has ended.
	Load(ctx context.Context, room string, epoch uint64) (*Saved, error)
	// Export writes all that is kept of a room as one replay, of one that has ended, too. ErrNone means that there is
	// nothing.
	Export(ctx context.Context, room string, w io.Writer) error
	// End ends a room: what it would go on from is dropped, its replay stays for as long as the store keeps those. Only
	// a newer epoch can begin the room anew.
	End(ctx context.Context, room string, epoch uint64) error
	// Delete forgets a room and all that was kept of it.
	Delete(ctx context.Context, room string, epoch uint64) error
}

// CheckRoom says whether a store can keep a room of that name.
func CheckRoom(room string) error {
	if room == "" || len(room) > MaxRoom {
		return fmt.Errorf("a room's name has %d bytes, 1 to %d allowed", len(room), MaxRoom)
	}
	return nil
}

// CheckEntries says whether entries can be appended after the tick prev.
func CheckEntries(prev uint32, entries []Entry) error {
	for _, e := range entries {
		if e.Tick <= prev {
			return fmt.Errorf("%w: an entry of tick %d after %d", ErrMalformed, e.Tick, prev)
		}
		if len(e.Data) == 0 || len(e.Data) > MaxRecord {
			return fmt.Errorf("%w: an entry of tick %d has %d bytes, 1 to %d allowed", ErrMalformed, e.Tick, len(e.Data), MaxRecord)
		}
		prev = e.Tick
	}
	return nil
}

// NewEntry encodes a record.
func NewEntry(r *Record) (Entry, error) {
	if err := r.check(); err != nil {
		return Entry{}, err
	}
	w := proto.NewWriter()
	r.AppendTo(w)
	return Entry{Tick: r.Tick, Data: w.Bytes()}, nil
}

// Segment is one piece of a replay, itself a replay that begins with a checkpoint.
type Segment struct {
	Base uint32 // the tick of its checkpoint
	// Open returns its bytes, which Join closes where they are an io.Closer. ErrNone means that it is kept no longer.
	Open func() (io.ReadSeeker, error)
}

// Join writes segments, in the order in which they were begun, as one replay. Ticks that a later segment begins before
// are void. It holds one block in memory.
func Join(ctx context.Context, w io.Writer, h Header, segments []Segment) error {
	rw, err := NewWriter(w, h)
	if err != nil {
		return err
	}
	for i, s := range segments {
		limit := ^uint32(0)
		for _, later := range segments[i+1:] {
			limit = min(limit, later.Base)
		}
		if i+1 < len(segments) && s.Base >= limit {
			continue
		}
		if err := join(ctx, rw, s, limit); err != nil && !errors.Is(err, ErrNone) {
			return fmt.Errorf("joining the segment of tick %d: %w", s.Base, err)
		}
	}
	return rw.Close()
}

func join(ctx context.Context, w *Writer, s Segment, limit uint32) error {
	src, err := s.Open()
	if err != nil {
		return err
	}
	if c, ok := src.(io.Closer); ok {
		defer func() { _ = c.Close() }() // it was only read
	}
	r, err := NewReader(src)
	if errors.Is(err, ErrMalformed) {
		return nil // the others are worth having
	}
	if err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		it, err := r.item()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, ErrMalformed), err == nil && it.tick > limit:
			return nil
		case err != nil:
			return err
		case it.checkpoint:
			err = w.Checkpoint(Checkpoint{Tick: it.tick, Data: it.data})
		default:
			err = w.append(it.tick, it.data)
		}
		if err != nil {
			return err
		}
	}
}

// BeginSegment writes the beginning of a segment. What AppendEntries makes goes after it.
func BeginSegment(w io.Writer, h Header, cp Checkpoint) error {
	rw, err := NewWriter(w, h)
	if err != nil {
		return err
	}
	return rw.Checkpoint(cp)
}

// AppendEntries appends to dst what makes entries a part of the segment whose bytes come before.
func AppendEntries(dst []byte, entries []Entry) []byte {
	var content []byte
	from := 0
	for i, e := range entries {
		content = append(content, e.Data...)
		if len(content) >= blockTarget || i == len(entries)-1 {
			dst = appendBlock(dst, blockTicks, entries[from].Tick, e.Tick, content)
			content, from = content[:0], i+1
		}
	}
	return dst
}

// LoadSegment reads what a room goes on from out of its newest segment.
func LoadSegment(src io.ReadSeeker) (*Saved, error) {
	r, err := NewReader(src)
	if err != nil {
		return nil, err
	}
	s := &Saved{Header: *r.Header()}
	_, cp, err := r.Next()
	if err == nil && cp == nil {
		err = fmt.Errorf("%w: a segment begins with its checkpoint", ErrMalformed)
	}
	if err != nil {
		return nil, err
	}
	s.Checkpoint = *cp
	for {
		it, err := r.item()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		if err := s.Add(it.data); err != nil {
			return nil, err
		}
	}
}

// Add adds an encoded record, which it copies.
func (s *Saved) Add(data []byte) error {
	s.Records = append(s.Records, Record{})
	if err := s.Records[len(s.Records)-1].Parse(append([]byte(nil), data...)); err != nil {
		return fmt.Errorf("the record after tick %d: %w", s.Checkpoint.Tick, err)
	}
	return nil
}

// EndOwn ends a room's journal under an epoch. That there is none, or that a newer epoch has it, is no error: then there is
// nothing of that epoch to end.
func EndOwn(ctx context.Context, s Store, room string, epoch uint64) error {
	err := s.End(ctx, room, epoch)
	if errors.Is(err, ErrNone) || errors.Is(err, ErrFenced) {
		return nil
	}
	return err //nolint:wrapcheck // says what it did
}
