package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// FilesConfig says where and how much Files keeps. The zero value of a field means its default.
type FilesConfig struct {
	// Dir is the directory, which one process alone may use. Required.
	Dir string
	// MaxBytes bounds what is kept of a running room; the oldest segments go first, the newest always stays. Default
	// 64 MiB, at least 1 MiB.
	MaxBytes int64
	// Keep is how long the replay of a room that ended is kept, and the journal of one that did not end after the last
	// write, unless the room is persistent. Default 24 h.
	Keep time.Duration
	// MaxEnded bounds the replays of rooms that ended, in bytes all together; the oldest go first. Default 4 GiB.
	MaxEnded int64
	// SyncAppends makes each Append wait for the disk. Without it, the default, the end of this process loses nothing,
	// and that of the machine up to the newest checkpoint.
	SyncAppends bool
	Log         *zap.Logger // nil: none
	Metrics     *Metrics    // nil: not counted
}

// Files keeps journals on disk: for each running room a directory of segments, each of them a replay by itself, and one
// replay for each room that has ended.
type Files struct {
	cfg  FilesConfig
	disk disk

	mu    sync.Mutex
	rooms map[string]*fileRoom
	swept time.Time // when live rooms that nobody goes on with were last looked for
}

// fileRoom is what is known of a room. Who holds busy may use the rest.
type fileRoom struct {
	busy  chan struct{}
	users int // who hold or want busy; under Files.mu

	known    bool // the disk was looked at
	fence    uint64
	wrote    uint64 // the epoch of the newest write of this process
	segments []fileSegment
	last     uint32 // the newest tick that is stored
}

type fileSegment struct {
	seq  uint64
	base uint32
	size int64
}

func (s fileSegment) name() string { return fmt.Sprintf("%012d-%d.muster", s.seq, s.base) }

const (
	liveDir   = "live"
	endedDir  = "ended"
	epochFile = "epoch"
	suffix    = ".muster"
	// maxSegments bounds the files of a running room.
	maxSegments = 4096
)

// OpenFiles returns the store in a directory, which it makes where it is missing.
func OpenFiles(cfg FilesConfig) (*Files, error) { return openFiles(cfg, realDisk{}) }

func openFiles(cfg FilesConfig, d disk) (*Files, error) {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 64 << 20
	}
	if cfg.Keep == 0 {
		cfg.Keep = 24 * time.Hour
	}
	if cfg.MaxEnded == 0 {
		cfg.MaxEnded = 4 << 30
	}
	switch {
	case cfg.Dir == "":
		return nil, errors.New("FilesConfig.Dir is empty")
	case cfg.MaxBytes < 1<<20 || cfg.MaxEnded < 1<<20:
		return nil, fmt.Errorf("FilesConfig.MaxBytes is %d and MaxEnded %d, at least %d wanted", cfg.MaxBytes, cfg.MaxEnded, 1<<20)
	case cfg.Keep < 0:
		return nil, fmt.Errorf("FilesConfig.Keep is %v, not negative wanted", cfg.Keep)
	}
	f := &Files{cfg: cfg, disk: d, rooms: map[string]*fileRoom{}}
	for _, sub := range []string{liveDir, endedDir} {
		if err := d.mkdir(filepath.Join(cfg.Dir, sub)); err != nil {
			return nil, fmt.Errorf("opening the journals' directory: %w", err)
		}
	}
	f.sweepLive(context.Background())
	return f, nil
}

// escape makes a file's name of a room's: what is not a-z, 0-9 or - becomes _ and two digits.
func escape(room string) string {
	var b strings.Builder
	for i := range len(room) {
		if c := room[i]; c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

func (f *Files) live(room string) string { return filepath.Join(f.cfg.Dir, liveDir, escape(room)) }
func (f *Files) ended(room string) string {
	return filepath.Join(f.cfg.Dir, endedDir, escape(room)+suffix)
}

// with calls do while nobody else is at the room, once it is known what the disk has of it.
func (f *Files) with(ctx context.Context, doing, room string, do func(*fileRoom) error) error {
	if err := CheckRoom(room); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	f.mu.Lock()
	r := f.rooms[room]
	if r == nil {
		r = &fileRoom{busy: make(chan struct{}, 1)}
		f.rooms[room] = r
	}
	r.users++
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if r.users--; r.users == 0 && len(r.segments) == 0 {
			delete(f.rooms, room)
		}
	}()
	select {
	case r.busy <- struct{}{}:
		defer func() { <-r.busy }()
	case <-ctx.Done():
		return fmt.Errorf("%s %s: %w", doing, room, ctx.Err())
	}
	err := ctx.Err()
	if err == nil && !r.known {
		err = f.look(room, r)
	}
	if err == nil {
		err = do(r)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", doing, room, err)
	}
	return nil
}

// Append is Store's.
func (f *Files) Append(ctx context.Context, room string, epoch uint64, prev uint32, entries []Entry) error {
	if err := CheckEntries(prev, entries); err != nil {
		return fmt.Errorf("appending to the journal of room %s: %w", room, err)
	}
	return f.with(ctx, "appending to the journal of room", room, func(r *fileRoom) error {
		if len(r.segments) == 0 {
			if err := f.endedBefore(room, epoch); err != nil {
				return err
			}
			return ErrGap
		}
		if epoch < r.fence {
			return ErrFenced
		}
		if prev > r.last || prev < r.last && epoch != r.wrote {
			return ErrGap
		}
		for len(entries) > 0 && entries[0].Tick <= r.last {
			entries = entries[1:]
		}
		if len(entries) == 0 {
			return nil
		}
		newest := &r.segments[len(r.segments)-1]
		if newest.size > MaxSegment {
			return ErrGap
		}
		if err := f.raise(room, r, epoch); err != nil {
			return err
		}
		blocks := AppendEntries(nil, entries)
		if err := f.extend(filepath.Join(f.live(room), newest.name()), newest.size, blocks); err != nil {
			r.known = false // what the disk has is seen when the room is looked at again
			return err
		}
		newest.size += int64(len(blocks))
		r.last, r.wrote = entries[len(entries)-1].Tick, epoch
		return nil
	})
}

// extend writes at the end of a file, all or nothing.
func (f *Files) extend(name string, size int64, b []byte) error {
	file, err := f.disk.open(name, os.O_WRONLY)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(b, size)
	if err == nil && f.cfg.SyncAppends {
		err = file.Sync()
	}
	if err != nil {
		_ = file.Truncate(size) // where that fails, too, the torn end is found when the room is looked at
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return err
}

// raise keeps older epochs out from now on, also those of another process that opens the directory later.
func (f *Files) raise(room string, r *fileRoom, epoch uint64) error {
	if epoch <= r.fence {
		return nil
	}
	_, err := replace(f.disk, filepath.Join(f.live(room), epochFile), func(w io.Writer) error {
		_, err := io.WriteString(w, strconv.FormatUint(epoch, 10))
		return err //nolint:wrapcheck // replace says what it did
	})
	if err == nil {
		r.fence = epoch
	}
	return err
}

// Checkpoint is Store's.
func (f *Files) Checkpoint(ctx context.Context, room string, epoch uint64, h Header, cp Checkpoint) error {
	h.Epoch = epoch
	return f.with(ctx, "storing a checkpoint of room", room, func(r *fileRoom) error {
		dir, next := f.live(room), fileSegment{seq: 1, base: cp.Tick}
		if len(r.segments) == 0 {
			if err := f.endedBefore(room, epoch); err != nil {
				return err
			}
			if err := f.disk.mkdir(dir); err != nil {
				return err
			}
		} else {
			newest := r.segments[len(r.segments)-1]
			if epoch < r.fence {
				return ErrFenced
			}
			if epoch == r.wrote && (cp.Tick <= newest.base || cp.Tick < r.last) {
				return nil // an older one that comes again
			}
			if err := f.sync(filepath.Join(dir, newest.name())); err != nil {
				return err
			}
			next.seq = newest.seq + 1
		}
		if err := f.raise(room, r, epoch); err != nil {
			return err
		}
		size, err := replace(f.disk, filepath.Join(dir, next.name()), func(w io.Writer) error {
			return BeginSegment(w, h, cp)
		})
		if err != nil {
			r.known = false // it may stand there already
			return err
		}
		next.size = size
		r.segments = append(r.segments, next)
		r.last, r.wrote = cp.Tick, epoch
		f.retain(room, r)
		return nil
	})
}

func (f *Files) sync(name string) error {
	file, err := f.disk.open(name, os.O_WRONLY)
	if err != nil {
		return err
	}
	err = file.Sync()
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return err
}

// retain drops the oldest segments that are too many.
func (f *Files) retain(room string, r *fileRoom) {
	var total int64
	for _, s := range r.segments {
		total += s.size
	}
	for len(r.segments) > 1 && (total > f.cfg.MaxBytes || len(r.segments) > maxSegments) {
		if err := f.disk.remove(filepath.Join(f.live(room), r.segments[0].name())); err != nil {
			f.cfg.Log.Warn("an old segment of a journal stays", zap.String("room", room), zap.Error(err))
			return // it is tried again at the next checkpoint
		}
		f.cfg.Metrics.segmentsDropped.Inc()
		total -= r.segments[0].size
		r.segments = slices.Delete(r.segments, 0, 1)
	}
}

// Load is Store's.
func (f *Files) Load(ctx context.Context, room string, epoch uint64) (s *Saved, err error) {
	err = f.with(ctx, "loading the journal of room", room, func(r *fileRoom) error {
		if len(r.segments) == 0 {
			return ErrNone
		}
		if epoch != 0 && epoch < r.fence {
			return ErrFenced
		}
		if err := f.raise(room, r, epoch); err != nil {
			return err
		}
		src, err := f.openSegment(room, r.segments[len(r.segments)-1])
		if err != nil {
			return err
		}
		defer func() { _ = src.Close() }() // it was only read
		s, err = LoadSegment(src)
		return err
	})
	return s, err
}

// End is Store's.
func (f *Files) End(ctx context.Context, room string, epoch uint64) error {
	err := f.with(ctx, "ending the journal of room", room, func(r *fileRoom) error {
		if len(r.segments) == 0 {
			return f.endedBefore(room, epoch+1) // that it has ended with this epoch is as wanted
		}
		if epoch < r.fence {
			return ErrFenced
		}
		h, err := f.newestHeader(room, r)
		if err != nil {
			return err
		}
		h.Epoch = epoch
		segments := f.list(room, r)
		if _, err := replace(f.disk, f.ended(room), func(w io.Writer) error { return Join(ctx, w, h, segments) }); err != nil {
			return err
		}
		r.known, r.segments, r.wrote = false, nil, 0
		if err := f.disk.remove(f.live(room)); err != nil {
			return err
		}
		f.sweep()
		return nil
	})
	if err == nil {
		f.sweepLive(ctx)
	}
	return err
}

// Delete is Store's.
func (f *Files) Delete(ctx context.Context, room string, epoch uint64) error {
	return f.with(ctx, "deleting the journal of room", room, func(r *fileRoom) error {
		if epoch < r.fence {
			return ErrFenced
		}
		if len(r.segments) == 0 {
			if err := f.endedBefore(room, epoch+1); err != nil {
				return err
			}
		}
		r.known, r.segments, r.wrote, r.fence = false, nil, 0, 0
		return errors.Join(f.disk.remove(f.live(room)), f.disk.remove(f.ended(room)))
	})
}

// Export is Store's. The room goes on meanwhile.
func (f *Files) Export(ctx context.Context, room string, w io.Writer) error {
	var h Header
	var segments []Segment
	err := f.with(ctx, "exporting room", room, func(r *fileRoom) (err error) {
		if len(r.segments) > 0 {
			segments = f.list(room, r)
			h, err = f.newestHeader(room, r)
		}
		return err
	})
	if err == nil && segments != nil {
		err = Join(ctx, w, h, segments)
	} else if err == nil {
		err = f.copyEnded(room, w)
	}
	if err != nil {
		return fmt.Errorf("exporting room %s: %w", room, err)
	}
	return nil
}

var _ Store = (*Files)(nil)
