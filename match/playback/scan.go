package playback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"muster/match/journal"
)

// Bounds of a recording. A match of a day at 20 ticks a second is within them.
const (
	// MaxFile bounds a file, in bytes.
	MaxFile = 32 << 20
	// maxInflated bounds what its blocks hold before compression, in bytes: a file of zeros is small.
	maxInflated = 512 << 20
	maxTicks    = 4 << 20
	// maxMarks is how many happenings are kept for those who look for one; later ones are left out.
	maxMarks       = 512
	maxCheckpoints = 64 << 10
	// maxState bounds a recorded state, in bytes, maxSame how many states one tick may have: all but one are read over in one
	// go.
	maxState = 8 << 20
	maxSame  = 16
)

// ErrFile means that a file is no recording that can be played: not one at all, damaged in what matters, or out of bounds.
var ErrFile = errors.New("the file is no recording that can be played")

// MarkKind says what happened at a marked tick.
type MarkKind string

// What is marked.
const (
	Joined  MarkKind = "joined"
	Dropped MarkKind = "dropped"
	Resumed MarkKind = "resumed"
	Left    MarkKind = "left"
	Started MarkKind = "started" // the match
	Missing MarkKind = "missing" // ticks before this one were not recorded
	Skipped MarkKind = "skipped" // the rules had failed at this tick, and it was run without its inputs
)

// Mark is something that happened in a recorded match.
type Mark struct {
	Tick uint32
	Kind MarkKind
	Seat uint16 // 0: of no seat
	Name string
}

// Info is what a file has.
type Info struct {
	Header    journal.Header
	From, To  uint32 // the first state and the last, as ticks
	Marks     []Mark
	Truncated bool // the file ends in the middle

	checkpoints []uint32
	same        int // of the newest tick
}

// scan reads a file as a whole. Errors wrap ErrFile, or are ctx's.
func scan(ctx context.Context, rd *journal.Reader) (*Info, error) {
	in := &Info{Header: *rd.Header()}
	large := true // what was read last may have been
	for n := 0; ; n++ {
		if (large || n%64 == 0) && ctx.Err() != nil {
			return nil, fmt.Errorf("reading a recording: %w", ctx.Err())
		}
		rec, cp, err := rd.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFile, err)
		}
		large = cp != nil
		if err := in.take(rec, cp); err != nil {
			return nil, err
		}
		if rd.Inflated() > maxInflated {
			return nil, fmt.Errorf("%w: it has more than %d bytes, inflated", ErrFile, maxInflated)
		}
	}
	in.Truncated = rd.Truncated()
	if len(in.checkpoints) == 0 {
		return nil, fmt.Errorf("%w: it has no state to begin with", ErrFile)
	}
	return in, nil
}

// take notes a record or a checkpoint.
func (in *Info) take(rec *journal.Record, cp *journal.Checkpoint) error {
	first := len(in.checkpoints) == 0
	switch {
	case cp != nil:
		if !first && cp.Tick < in.To {
			return fmt.Errorf("%w: a state of tick %d comes after tick %d", ErrFile, cp.Tick, in.To)
		}
		if len(in.checkpoints) >= maxCheckpoints {
			return fmt.Errorf("%w: it has more than %d states", ErrFile, maxCheckpoints)
		}
		if len(cp.Data) > maxState {
			return fmt.Errorf("%w: a state of more than %d bytes", ErrFile, maxState)
		}
		if in.same++; first || cp.Tick != in.checkpoints[len(in.checkpoints)-1] {
			in.same = 1
		}
		if in.same > maxSame {
			return fmt.Errorf("%w: tick %d has more than %d states", ErrFile, cp.Tick, maxSame)
		}
		if first {
			in.From = cp.Tick
		} else if cp.Tick > in.To {
			in.mark(Mark{Tick: cp.Tick, Kind: Missing})
		}
		in.checkpoints, in.To = append(in.checkpoints, cp.Tick), cp.Tick
	case first:
		return fmt.Errorf("%w: it does not begin with a state", ErrFile)
	case rec.Tick != in.To+1:
		return fmt.Errorf("%w: tick %d comes after tick %d", ErrFile, rec.Tick, in.To)
	default:
		in.To = rec.Tick
		in.happened(rec)
	}
	if in.To-in.From > maxTicks {
		return fmt.Errorf("%w: it has more than %d ticks", ErrFile, maxTicks)
	}
	return nil
}

// happened marks what a tick had of note.
func (in *Info) happened(rec *journal.Record) {
	for i := range rec.Seats {
		ch := &rec.Seats[i]
		kind := map[journal.SeatChangeKind]MarkKind{
			journal.SeatJoined: Joined, journal.SeatDropped: Dropped, journal.SeatResumed: Resumed, journal.SeatLeft: Left,
		}[ch.Kind]
		in.mark(Mark{rec.Tick, kind, uint16(ch.Player.Seat), ch.Player.Name})
	}
	if rec.Started {
		in.mark(Mark{Tick: rec.Tick, Kind: Started})
	}
	if rec.Skipped {
		in.mark(Mark{Tick: rec.Tick, Kind: Skipped})
	}
}

func (in *Info) mark(m Mark) {
	if len(in.Marks) < maxMarks {
		in.Marks = append(in.Marks, m)
	}
}

// before returns the newest checkpoint that is not after a tick, which is not before From.
func (in *Info) before(tick uint32) uint32 {
	at, found := slices.BinarySearch(in.checkpoints, tick)
	if !found {
		at--
	}
	return in.checkpoints[max(at, 0)]
}
