package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.uber.org/zap"
)

// look finds out what the disk has of a room, and removes what a crash left half done.
func (f *Files) look(room string, r *fileRoom) error {
	dir := f.live(room)
	r.segments, r.last, r.fence = nil, 0, 0
	names, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		r.known = true
		return nil
	}
	if err != nil {
		return err //nolint:wrapcheck // names the file
	}
	for _, n := range names {
		if strings.HasSuffix(n.Name(), ".tmp") {
			if err := f.disk.remove(filepath.Join(dir, n.Name())); err != nil {
				return err
			}
		}
		if s, ok := parseSegment(n.Name()); ok {
			info, err := n.Info()
			if err != nil {
				return err //nolint:wrapcheck // names the file
			}
			s.size = info.Size()
			r.segments = append(r.segments, s)
		}
	}
	slices.SortFunc(r.segments, func(a, b fileSegment) int { return cmp.Compare(a.seq, b.seq) })
	if r.fence, err = readEpoch(filepath.Join(dir, epochFile)); err != nil {
		return err
	}
	if err := f.endedBefore(room, r.fence); errors.Is(err, ErrFenced) { // it ended, and the crash came before this:
		r.segments = nil
		if err := f.disk.remove(dir); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	if err := f.mend(room, r); err != nil {
		return err
	}
	r.known = true
	return nil
}

// mend cuts off what is not whole at the newest segment's end. A segment without a whole checkpoint is put aside: the
// disk has lost bytes, and what the one before it has is all that is left.
func (f *Files) mend(room string, r *fileRoom) error {
	for len(r.segments) > 0 {
		newest := &r.segments[len(r.segments)-1]
		name := filepath.Join(f.live(room), newest.name())
		good, last, err := measure(name)
		switch {
		case err == nil && good < newest.size:
			f.cfg.Log.Warn("the end of a journal is torn and is cut off", zap.String("room", room), zap.Uint32("tick", last),
				zap.Int64("bytes", newest.size-good))
			if err := f.truncate(name, good); err != nil {
				return err
			}
			newest.size = good
			fallthrough
		case err == nil:
			r.last = last
			return nil
		case !errors.Is(err, ErrMalformed):
			return err
		}
		f.cfg.Log.Error("a segment of a journal is damaged and is put aside", zap.String("room", room),
			zap.String("file", newest.name()), zap.Error(err))
		f.cfg.Metrics.segmentsDropped.Inc()
		if err := f.disk.rename(name, name+".damaged"); err != nil {
			return err
		}
		r.segments = r.segments[:len(r.segments)-1]
	}
	return nil
}

// measure returns how many bytes of a segment are whole, and the newest tick in them.
func measure(name string) (good int64, last uint32, err error) {
	file, err := os.Open(name) //nolint:gosec // names are escaped
	if err != nil {
		return 0, 0, err //nolint:wrapcheck // names the file
	}
	defer func() { _ = file.Close() }() // it is only read
	r, err := NewReader(file)
	if err != nil {
		return 0, 0, err
	}
	if err := r.scan(); err != nil {
		return 0, 0, err
	}
	if len(r.places) == 0 || r.places[0].kind != blockCheckpoint {
		return 0, 0, fmt.Errorf("%w: no checkpoint", ErrMalformed)
	}
	return r.off, r.places[len(r.places)-1].last, nil
}

func (f *Files) truncate(name string, size int64) error {
	file, err := f.disk.open(name, os.O_WRONLY)
	if err != nil {
		return err
	}
	err = file.Truncate(size)
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return err
}

func parseSegment(name string) (s fileSegment, ok bool) {
	text, isSegment := strings.CutSuffix(name, suffix)
	seq, base, cut := strings.Cut(text, "-")
	n, err := strconv.ParseUint(seq, 10, 63)
	b, err2 := strconv.ParseUint(base, 10, 32)
	return fileSegment{seq: n, base: uint32(b)}, isSegment && cut && err == nil && err2 == nil
}

func readEpoch(name string) (uint64, error) {
	b, err := os.ReadFile(name) //nolint:gosec // names are escaped
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err //nolint:wrapcheck // names the file
	}
	epoch, err := strconv.ParseUint(string(b), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return epoch, nil
}

// openSegment opens a segment as far as it was known to be whole.
func (f *Files) openSegment(room string, s fileSegment) (*segmentFile, error) {
	file, err := os.Open(filepath.Join(f.live(room), s.name()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // names the file
	}
	return &segmentFile{io.NewSectionReader(file, 0, s.size), file}, nil
}

type segmentFile struct {
	*io.SectionReader
	io.Closer
}

// list returns a room's segments. An old one may go before it is opened; where the newest is gone, so is the room.
func (f *Files) list(room string, r *fileRoom) (list []Segment) {
	newest := len(r.segments) - 1
	for i, s := range r.segments {
		list = append(list, Segment{s.base, func() (io.ReadSeeker, error) {
			src, err := f.openSegment(room, s)
			if i == newest && errors.Is(err, ErrNone) {
				return nil, errors.New("the room ended meanwhile")
			}
			if err != nil {
				return nil, err // a nil *segmentFile would be no nil
			}
			return src, nil
		}})
	}
	return list
}

func (f *Files) newestHeader(room string, r *fileRoom) (Header, error) {
	src, err := f.openSegment(room, r.segments[len(r.segments)-1])
	if err != nil {
		return Header{}, err
	}
	defer func() { _ = src.Close() }() // it is only read
	rd, err := NewReader(src)
	if err != nil {
		return Header{}, err
	}
	return *rd.Header(), nil
}

// endedBefore returns ErrFenced where the room has ended in this epoch or a later one. A replay that cannot be read
// fences nobody.
func (f *Files) endedBefore(room string, epoch uint64) error {
	file, err := os.Open(f.ended(room))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err //nolint:wrapcheck // names the file
	}
	defer func() { _ = file.Close() }() // it is only read
	if r, err := NewReader(file); err == nil && r.Header().Epoch >= epoch {
		return ErrFenced
	}
	return nil
}

func (f *Files) copyEnded(room string, w io.Writer) error {
	file, err := os.Open(f.ended(room))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNone
	}
	if err != nil {
		return err //nolint:wrapcheck // names the file
	}
	defer func() { _ = file.Close() }() // it is only read
	_, err = io.Copy(w, file)
	return err //nolint:wrapcheck // Export says what it did
}
