package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster/internal/testmetric"
)

func files(t *testing.T, cfg FilesConfig) *Files {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	f, err := OpenFiles(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// must is for calls of a store that have to succeed.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func appendTo(t *testing.T, s Store, room string, epoch uint64, from, to uint32) error {
	t.Helper()
	var list []Entry
	for tick := from; tick <= to; tick++ {
		r := Record{Tick: tick, Hash: 1 << 60}
		e, err := NewEntry(&r)
		must(t, err)
		list = append(list, e)
	}
	return s.Append(t.Context(), room, epoch, from-1, list) //nolint:wrapcheck // a test's
}

func checkpointTo(t *testing.T, s Store, room string, epoch uint64, tick uint32) error {
	t.Helper()
	return s.Checkpoint(t.Context(), room, epoch, header(), Checkpoint{tick, []byte{1, 2, 3}}) //nolint:wrapcheck // a test's
}

func TestAJournalOutlivesItsProcessCutAnywhere(t *testing.T) {
	dir := t.TempDir()
	f := files(t, FilesConfig{Dir: dir})
	must(t, checkpointTo(t, f, "r", 5, 0))
	must(t, appendTo(t, f, "r", 5, 1, 3))
	must(t, checkpointTo(t, f, "r", 5, 3))
	newest := filepath.Join(f.live("r"), f.rooms["r"].segments[1].name())
	sizes := []int64{f.rooms["r"].segments[1].size}
	for tick := uint32(4); tick <= 6; tick++ {
		must(t, appendTo(t, f, "r", 5, tick, tick))
		sizes = append(sizes, f.rooms["r"].segments[1].size)
	}
	whole, err := os.ReadFile(newest) //nolint:gosec // the test's own
	must(t, err)
	for cut := len(whole); cut >= 0; cut-- {
		must(t, os.WriteFile(newest, whole[:cut], 0o600))
		again := files(t, FilesConfig{Dir: dir})
		want := uint32(2) + uint32(slices.IndexFunc(sizes, func(n int64) bool { return n > int64(cut) })) //nolint:gosec // small
		if cut == len(whole) {
			want = 6
		}
		if int64(cut) < sizes[0] { // the disk has lost a whole checkpoint: the segment before it is what is left
			want = 3
		}
		s, err := again.Load(t.Context(), "r", 6)
		if err != nil || s.Last() != want {
			t.Fatalf("cut at %d: tick %d, %v; want %d", cut, s.Last(), err, want)
		}
		must(t, appendTo(t, again, "r", 6, want+1, want+2))
		if s, err := files(t, FilesConfig{Dir: dir}).Load(t.Context(), "r", 0); err != nil || s.Last() != want+2 {
			t.Fatalf("cut at %d, after going on: tick %d, %v; want %d", cut, s.Last(), err, want+2)
		}
		if int64(cut) < sizes[0] {
			break // the rest is the same, and the segment before it has grown
		}
	}
}

func TestAnotherProcessKnowsTheNewestEpoch(t *testing.T) {
	dir := t.TempDir()
	f := files(t, FilesConfig{Dir: dir})
	must(t, checkpointTo(t, f, "r", 5, 0))
	if _, err := f.Load(t.Context(), "r", 9); err != nil {
		t.Fatal(err)
	}
	if err := appendTo(t, files(t, FilesConfig{Dir: dir}), "r", 8, 1, 1); !errors.Is(err, ErrFenced) {
		t.Error(err)
	}
}

// fullDisk takes only so many bytes, and says so in the ways of the operating system.
type fullDisk struct {
	realDisk
	left     *int64
	readOnly *bool
}

func (d fullDisk) open(name string, flag int) (diskFile, error) {
	if *d.readOnly {
		return nil, &os.PathError{Op: "open", Path: name, Err: syscall.EROFS}
	}
	f, err := d.realDisk.open(name, flag)
	return fullFile{f, d.left}, err
}

type fullFile struct {
	diskFile
	left *int64
}

func (f fullFile) WriteAt(b []byte, off int64) (int, error) {
	if int64(len(b)) > *f.left {
		n, _ := f.diskFile.WriteAt(b[:*f.left], off) // a part of it
		*f.left = 0
		return n, syscall.ENOSPC
	}
	*f.left -= int64(len(b))
	return f.diskFile.WriteAt(b, off) //nolint:wrapcheck // a test's
}

func (f fullFile) Truncate(size int64) error {
	if *f.left == 0 { // the worst case: what was torn stays
		return syscall.ENOSPC
	}
	return f.diskFile.Truncate(size) //nolint:wrapcheck // a test's
}

func TestFullOrReadOnlyDiskIsAnErrorAndTheStoreWorksAfterwards(t *testing.T) {
	left, readOnly := int64(1<<20), false
	f, err := openFiles(FilesConfig{Dir: t.TempDir()}, fullDisk{left: &left, readOnly: &readOnly})
	must(t, err)
	must(t, checkpointTo(t, f, "r", 5, 0))
	must(t, appendTo(t, f, "r", 5, 1, 3))
	failed := 0
	for room := int64(0); room < 200; room += 7 { // so much of it is written
		left = room
		last := f.rooms["r"].last
		if err := appendTo(t, f, "r", 5, last+1, last+50); err == nil {
			break
		} else if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "room r") {
			t.Fatal(err)
		}
		left = room
		if err := checkpointTo(t, f, "r", 5, last); err == nil {
			break
		} else if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		left = 1 << 20
		failed++
		must(t, appendTo(t, f, "r", 5, last+1, last+2))
		if s, err := f.Load(t.Context(), "r", 0); err != nil || s.Last() != last+2 {
			t.Fatalf("tick %d, %v; want %d", s.Last(), err, last+2)
		}
	}
	if failed < 5 {
		t.Errorf("the disk was full %d times", failed)
	}
	left, readOnly = 1<<20, true
	last := f.rooms["r"].last
	if err := appendTo(t, f, "r", 5, last+1, last+1); !errors.Is(err, syscall.EROFS) {
		t.Error(err)
	}
	if err := checkpointTo(t, f, "r", 5, last+1); !errors.Is(err, syscall.EROFS) {
		t.Error(err)
	}
	if err := f.End(t.Context(), "r", 5); !errors.Is(err, syscall.EROFS) {
		t.Error(err)
	}
	readOnly = false
	must(t, appendTo(t, f, "r", 5, last+1, last+1))
	must(t, f.End(t.Context(), "r", 5))
	names, _ := filepath.Glob(filepath.Join(f.cfg.Dir, "*", "*.tmp"))
	if len(names) > 0 {
		t.Errorf("left over: %q", names)
	}
}

func TestOldSegmentsGiveWay(t *testing.T) {
	reg := prometheus.NewRegistry()
	f := files(t, FilesConfig{MaxBytes: 1 << 20, Metrics: NewMetrics(reg)})
	noise := bytes.Repeat([]byte("incompressible?"), 20_000)
	for i := range noise {
		noise[i] ^= byte(i * i >> 7)
	}
	for i := range uint32(60) {
		data := bytes.Clone(noise)
		for k := range data {
			data[k] ^= byte(k*int(i+3)>>3) ^ byte(k*k*int(i)>>11)
		}
		must(t, f.Checkpoint(t.Context(), "r", 5, header(), Checkpoint{i * 10, data}))
		must(t, appendTo(t, f, "r", 5, i*10+1, i*10+10))
	}
	var total int64
	for _, s := range f.rooms["r"].segments {
		total += s.size
	}
	names, _ := os.ReadDir(f.live("r"))
	if n := len(f.rooms["r"].segments); n < 2 || n > 59 || total > 1<<20+1000 || len(names) != n+1 {
		t.Errorf("%d segments of %d bytes, %d files", n, total, len(names))
	}
	if got := testmetric.Value(t, reg, "muster_journal_segments_dropped_total"); got != float64(60-len(f.rooms["r"].segments)) {
		t.Errorf("%v segments are counted as dropped", got)
	}
	var b bytes.Buffer
	must(t, f.Export(t.Context(), "r", &b))
	r, err := NewReader(bytes.NewReader(b.Bytes()))
	must(t, err)
	_, cp, err := r.Next()
	if err != nil || cp == nil || cp.Tick != f.rooms["r"].segments[0].base {
		t.Errorf("the replay begins with %v, %v", cp, err)
	}
}

func TestReplaysOfEndedRoomsAreKeptForAWhile(t *testing.T) {
	reg := prometheus.NewRegistry()
	f := files(t, FilesConfig{Keep: time.Hour, MaxEnded: 1 << 20, Metrics: NewMetrics(reg)})
	for i := range 4 {
		room := fmt.Sprint("room", i)
		must(t, checkpointTo(t, f, room, 5, 0))
		must(t, f.End(t.Context(), room, 5))
		if len(f.rooms) != 0 {
			t.Errorf("ended rooms are kept in memory: %v", f.rooms)
		}
		if i == 1 {
			old := time.Now().Add(-2 * time.Hour)
			must(t, os.Chtimes(f.ended(room), old, old))
		}
	}
	if err := f.Export(t.Context(), "room1", io.Discard); !errors.Is(err, ErrNone) {
		t.Errorf("an old replay: %v", err)
	}
	must(t, f.Export(t.Context(), "room0", io.Discard))
	must(t, os.Truncate(f.ended("room2"), 1<<20)) // large, and not the oldest
	must(t, checkpointTo(t, f, "room9", 5, 0))
	must(t, f.End(t.Context(), "room9", 5))
	must(t, f.Export(t.Context(), "room9", io.Discard))
	if err := f.Export(t.Context(), "room0", io.Discard); !errors.Is(err, ErrNone) {
		t.Errorf("the oldest of too many: %v", err)
	}
	if got := testmetric.Value(t, reg, "muster_journal_replays_dropped_total"); got < 2 {
		t.Errorf("%v replays are counted as dropped", got)
	}
}

// age makes all that is of a running room older by d.
func age(t *testing.T, f *Files, room string, d time.Duration) {
	t.Helper()
	names, err := os.ReadDir(f.live(room))
	must(t, err)
	if len(names) == 0 {
		t.Fatalf("nothing is there of room %s", room)
	}
	old := time.Now().Add(-d)
	for _, n := range names {
		must(t, os.Chtimes(filepath.Join(f.live(room), n.Name()), old, old))
	}
}

func TestRoomThatNobodyGoesOnWithIsKeptForAWhileOnly(t *testing.T) {
	dir, reg := t.TempDir(), prometheus.NewRegistry()
	f := files(t, FilesConfig{Dir: dir, Keep: time.Hour})
	lasting := header()
	lasting.Class = ClassPersistent
	for _, room := range []string{"Old.1", "older", "new", "lasting", "damaged"} {
		h := header()
		if room == "lasting" {
			h = lasting
		}
		must(t, f.Checkpoint(t.Context(), room, 5, h, Checkpoint{0, []byte{1}}))
		must(t, appendTo(t, f, room, 5, 1, 3))
		must(t, f.Checkpoint(t.Context(), room, 5, h, Checkpoint{3, []byte{1}}))
		if room == "damaged" { // the disk may have lost what says that it is persistent
			for _, s := range f.rooms[room].segments {
				must(t, os.Truncate(filepath.Join(f.live(room), s.name()), 3))
			}
		}
		age(t, f, room, 2*time.Hour)
	}
	must(t, os.Chtimes(filepath.Join(f.live("new"), f.rooms["new"].segments[1].name()), time.Now(), time.Now()))
	must(t, os.WriteFile(filepath.Join(dir, liveDir, "stray"), nil, 0o600))
	begun := filepath.Join(dir, liveDir, "begun") // a crash came before the first segment
	must(t, os.Mkdir(begun, 0o700))
	must(t, os.Chtimes(begun, time.Now().Add(-2*time.Hour), time.Now().Add(-2*time.Hour)))
	stay := func(f *Files, when string, rooms ...string) {
		t.Helper()
		for _, room := range []string{"Old.1", "older", "new", "lasting", "damaged"} {
			_, err := os.Stat(f.live(room))
			if stays := err == nil; stays != slices.Contains(rooms, room) {
				t.Errorf("%s: room %s stays: %v", when, room, stays)
			}
		}
	}
	again := files(t, FilesConfig{Dir: dir, Keep: time.Hour, Metrics: NewMetrics(reg)})
	stay(again, "when the directory is opened", "new", "lasting", "damaged")
	if got := testmetric.Value(t, reg, "muster_journal_replays_dropped_total"); got != 3 {
		t.Errorf("%v are counted as dropped", got)
	}
	if _, err := os.Stat(begun); err == nil {
		t.Error("what was only begun stays")
	}
	if s, err := again.Load(t.Context(), "lasting", 6); err != nil || s.Last() != 3 {
		t.Errorf("the persistent room is at tick %d, %v", s.Last(), err)
	}

	// Those of this process go in the same way, when a room ends.
	if _, err := again.Load(t.Context(), "new", 6); err != nil {
		t.Fatal(err)
	}
	age(t, again, "new", 2*time.Hour)
	end := func(room string) {
		must(t, checkpointTo(t, again, room, 5, 0))
		must(t, again.End(t.Context(), room, 5))
	}
	end("a")
	stay(again, "when the live rooms were just looked at", "new", "lasting", "damaged")
	again.swept = time.Now().Add(-7 * time.Minute)
	end("b")
	stay(again, "when a room ends", "lasting", "damaged")
	if again.rooms["new"] != nil {
		t.Error("it is kept in memory")
	}
	if err := appendTo(t, again, "new", 6, 4, 4); !errors.Is(err, ErrGap) {
		t.Errorf("its next tick, should it go on after all: %v", err)
	}
	must(t, checkpointTo(t, again, "new", 6, 4))
	must(t, appendTo(t, again, "new", 6, 5, 5))
}

func TestNamesOfFilesAreReadBack(t *testing.T) {
	for _, room := range []string{"r", "docs.minutes-2026", "A_b.C", "_", "x5n2rm7ksm6vqzcgq3nyzj4k5e", "\xff\x00/.."} {
		if got, ok := unescape(escape(room)); got != room || !ok {
			t.Errorf("%q comes back as %q, %v", room, got, ok)
		}
	}
	for _, name := range []string{"A", "a.b", "_", "_2", "_zz", "_61", "_2E", "a_2"} {
		if got, ok := unescape(name); ok {
			t.Errorf("%q is taken for the file of %q", name, got)
		}
	}
}

// TestAnEndThatWasInterruptedIsFinished: the replay of the ended room is there, and its live log, too.
func TestAnEndThatWasInterruptedIsFinished(t *testing.T) {
	dir := t.TempDir()
	f := files(t, FilesConfig{Dir: dir})
	must(t, checkpointTo(t, f, "r", 5, 0))
	must(t, appendTo(t, f, "r", 5, 1, 3))
	must(t, os.CopyFS(filepath.Join(dir, "copy"), os.DirFS(f.live("r"))))
	must(t, f.End(t.Context(), "r", 5))
	must(t, os.Rename(filepath.Join(dir, "copy"), f.live("r")))
	again := files(t, FilesConfig{Dir: dir})
	if _, err := again.Load(t.Context(), "r", 6); !errors.Is(err, ErrNone) {
		t.Errorf("an ended room is loaded: %v", err)
	}
	if _, err := os.Stat(f.live("r")); !os.IsNotExist(err) {
		t.Errorf("its live log stays: %v", err)
	}
	must(t, again.Export(t.Context(), "r", io.Discard))
}

func TestASegmentThatIsFullAsksForACheckpoint(t *testing.T) {
	f := files(t, FilesConfig{})
	must(t, checkpointTo(t, f, "r", 5, 0))
	f.rooms["r"].segments[0].size = MaxSegment + 1
	if err := appendTo(t, f, "r", 5, 1, 1); !errors.Is(err, ErrGap) {
		t.Error(err)
	}
	f.rooms["r"].known = false
	must(t, checkpointTo(t, f, "r", 5, 1))
	must(t, appendTo(t, f, "r", 5, 2, 2))
}

func TestExportOfARoomThatEndsMeanwhileIsNotTakenForWhole(t *testing.T) {
	f := files(t, FilesConfig{})
	must(t, checkpointTo(t, f, "r", 5, 0))
	must(t, appendTo(t, f, "r", 5, 1, 3))
	must(t, checkpointTo(t, f, "r", 5, 3))
	segments := f.list("r", f.rooms["r"])
	must(t, f.disk.remove(filepath.Join(f.live("r"), f.rooms["r"].segments[0].name()))) // too old by now
	must(t, Join(t.Context(), io.Discard, header(), segments))
	must(t, f.End(t.Context(), "r", 5))
	if err := Join(t.Context(), io.Discard, header(), segments); err == nil {
		t.Error("it is taken for whole")
	}
}

func TestFilesConfigIsChecked(t *testing.T) {
	for _, cfg := range []FilesConfig{{}, {Dir: t.TempDir(), MaxBytes: 1}, {Dir: t.TempDir(), MaxEnded: 1}, {Dir: t.TempDir(), Keep: -1}} {
		if _, err := OpenFiles(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
	blocked := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(blocked, nil, 0o600))
	if _, err := OpenFiles(FilesConfig{Dir: blocked}); err == nil {
		t.Error("a file is taken for a directory")
	}
}
