package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"

	"muster/internal/golden"
	"muster/internal/race"
)

// replay is a replay with blocks of every kind, and what is in it: one line for each record and checkpoint.
func replay(t testing.TB) (file []byte, want []string, ends []int) {
	t.Helper()
	return replayOf(t, samples())
}

func replayOf(t testing.TB, records []Record) (file []byte, want []string, ends []int) {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, header())
	if err != nil {
		t.Fatal(err)
	}
	tick := uint32(0)
	for part := range 3 {
		cp := Checkpoint{tick, bytes.Repeat([]byte{byte(part)}, 100)}
		if err := w.Checkpoint(cp); err != nil {
			t.Fatal(err)
		}
		want, ends = append(want, line(nil, &cp)), append(ends, b.Len())
		for range 2 {
			for _, r := range records {
				tick++
				r.Tick = tick
				if err := w.Append(&r); err != nil {
					t.Fatal(err)
				}
				want = append(want, line(&r, nil))
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			for range records {
				ends = append(ends, b.Len())
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), want, ends
}

func line(r *Record, cp *Checkpoint) string {
	if cp != nil {
		return fmt.Sprintf("checkpoint %d %x", cp.Tick, cp.Data)
	}
	return fmt.Sprintf("%d %x", r.Tick, encode(r))
}

// readAll reads what can be read.
func readAll(r *Reader) (got []string, err error) {
	for {
		rec, cp, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got = append(got, line(rec, cp))
	}
}

func TestReplayIsReadAsItWasWritten(t *testing.T) {
	file, want, _ := replay(t)
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if d := equal(header(), *r.Header()); d != "" {
		t.Error(d)
	}
	got, err := readAll(r)
	if d := equal(want, got); err != nil || d != "" || r.Truncated() || r.Tick() != 30 {
		t.Errorf("%v, truncated %v, tick %d, %s", err, r.Truncated(), r.Tick(), d)
	}
}

func TestReplayCutAtEveryByteIsReadUpToItsLastWholeBlock(t *testing.T) {
	file, want, ends := replay(t)
	for n := range len(file) {
		r, err := NewReader(bytes.NewReader(file[:n]))
		if err != nil {
			if n >= ends[0] || !errors.Is(err, ErrMalformed) {
				t.Fatalf("cut at %d: %v", n, err)
			}
			continue
		}
		got, err := readAll(r)
		whole := want[:0:0]
		for i, end := range ends {
			if end <= n {
				whole = append(whole, want[i])
			}
		}
		if d := equal(whole, got); err != nil || d != "" {
			t.Fatalf("cut at %d: %v %s", n, err, d)
		}
		if !r.Truncated() || r.Damage() == nil {
			t.Fatalf("cut at %d: taken for whole", n)
		}
		if r.Damaged() {
			t.Fatalf("cut at %d: taken for damaged: %v", n, r.Damage())
		}
	}
}

// lengthsOf are the bytes of a replay that say how long a block is: with another length it can look like one that was cut.
func lengthsOf(t *testing.T, file []byte) map[int]bool {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.scan(); err != nil {
		t.Fatal(err)
	}
	index := binary.LittleEndian.Uint64(file[len(file)-trailerLen+len(trailerMagic):])
	lengths := map[int]bool{}
	for _, p := range append(r.places, place{off: int64(index)}) { //nolint:gosec // within the file
		for i := 1; i <= 4; i++ {
			lengths[int(p.off)+i] = true
		}
	}
	return lengths
}

func TestReplayWithAnyByteFlippedIsReadUpToThere(t *testing.T) {
	file, want, ends := replay(t)
	lengths := lengthsOf(t, file)
	for n := range file {
		for _, flip := range []byte{1, 0x80, 0xff} {
			bad := bytes.Clone(file)
			bad[n] ^= flip
			r, err := NewReader(bytes.NewReader(bad))
			if err != nil {
				if n >= ends[0] {
					t.Fatalf("byte %d: %v", n, err)
				}
				continue
			}
			got, err := readAll(r)
			if err != nil || len(got) > len(want) || equal(want[:len(got)], got) != "" {
				t.Fatalf("byte %d: %v, %d read", n, err, len(got))
			}
			if !r.Truncated() {
				t.Fatalf("byte %d: taken for whole", n)
			}
			if !r.Damaged() && !lengths[n] {
				t.Fatalf("byte %d: taken for cut: %v", n, r.Damage())
			}
			for i, end := range ends {
				if end <= n && len(got) <= i {
					t.Fatalf("byte %d: %d read, though %d are whole before it", n, len(got), i+1)
				}
			}
			if r, err = NewReader(bytes.NewReader(bad)); err != nil { // one that has read nothing goes by the index
				t.Fatal(err)
			}
			for tick := range uint32(31) { // the index may be what is damaged
				if err := r.Seek(tick); err == nil {
					if rec, cp, err := r.Next(); err == nil && (rec != nil || cp.Tick > tick || cp.Tick%10 != 0) {
						t.Fatalf("byte %d: seeking %d gives %v %v", n, tick, rec, cp)
					}
				}
			}
		}
	}
}

func TestSeekFindsTheNewestCheckpointWithAndWithoutIndex(t *testing.T) {
	file, want, ends := replay(t)
	for name, b := range map[string][]byte{"index": file, "cut": file[:ends[len(ends)-1]]} {
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		for _, tick := range []uint32{30, 0, 9, 10, 11, 25, 1 << 31} {
			if err := r.Seek(tick); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := readAll(r)
			if from := int(min(tick/10, 2)) * 11; err != nil || equal(want[from:], got) != "" {
				t.Errorf("%s: from %d: %v, %d of %d", name, tick, err, len(got), len(want)-from)
			}
		}
	}
	var b bytes.Buffer
	w, _ := NewWriter(&b, header())
	_ = w.Append(&Record{Tick: 7})
	_ = w.Close()
	r, _ := NewReader(bytes.NewReader(b.Bytes()))
	if err := r.Seek(9); !errors.Is(err, ErrNone) {
		t.Errorf("seeking without a checkpoint: %v", err)
	}
	if rec, _, err := r.Next(); err != nil || rec.Tick != 7 {
		t.Errorf("after that: %v, %v", rec, err)
	}
}

// TestGoldenReplays hold the format to files that were written before: the first release's, and one with what records have
// had since. Their blocks are compared by what is in them: another version of the compressor may pack them otherwise.
func TestGoldenReplays(t *testing.T) {
	for name, records := range map[string][]Record{"golden": samples(), "golden-orders": allSamples()} {
		t.Run(name, func(t *testing.T) { goldenReplay(t, "testdata/"+name+".muster", records) })
	}
}

func goldenReplay(t *testing.T, name string, records []Record) {
	t.Helper()
	file, want, _ := replayOf(t, records)
	if golden.Update() {
		if err := os.WriteFile(name, file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(golden))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(r)
	if d := equal(want, got); err != nil || d != "" || r.Truncated() || equal(header(), *r.Header()) != "" {
		t.Errorf("the golden replay is read otherwise: %v %s", err, d)
	}
	if a, b := inflated(t, file), inflated(t, golden); !slices.Equal(a, b) {
		t.Errorf("a replay is written otherwise than the golden one:\n%q\n%q", a, b)
	}
}

// inflated lists a replay's blocks.
func inflated(t *testing.T, file []byte) (list []string) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	r.off = int64(len(magic))
	for {
		h, err := r.next()
		if err != nil {
			t.Fatal(err)
		}
		if h.kind == blockIndex { // it has offsets
			return list
		}
		list = append(list, fmt.Sprintf("%d %d %d %x", h.kind, h.first, h.last, r.content))
	}
}

func TestUnknownBlocksArePassedOver(t *testing.T) {
	var b bytes.Buffer
	w, _ := NewWriter(&b, header())
	w.put(77, 0, 0, []byte("of a newer version"))
	if err := errors.Join(w.Append(&Record{Tick: 1}), w.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(r); len(got) != 1 || err != nil || r.Truncated() {
		t.Errorf("%q, %v", got, err)
	}
}

func TestBlockThatInflatesToMoreThanItSaysIsNotRead(t *testing.T) {
	bomb := appendBlock(nil, blockTicks, 0, 1, make([]byte, 1<<22))
	bomb[5], bomb[6], bomb[7], bomb[8] = 10, 0, 0, 0
	sum := checksum(bomb)
	bomb[17], bomb[18], bomb[19], bomb[20] = byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)
	var b bytes.Buffer
	_, _ = NewWriter(&b, header())
	b.Write(bomb)
	r, err := NewReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(r); len(got) != 0 || err != nil || !r.Truncated() {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWriterRefusesTicksThatGoBack(t *testing.T) {
	w, err := NewWriter(io.Discard, header())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append(&Record{Tick: 5}); err != nil {
		t.Fatal(err)
	}
	if w.Append(&Record{Tick: 5}) == nil || w.Append(&Record{Tick: 4}) == nil || w.Checkpoint(Checkpoint{Tick: 4}) == nil ||
		w.Checkpoint(Checkpoint{Tick: 6, Data: make([]byte, MaxCheckpoint+1)}) == nil {
		t.Error("taken")
	}
	if err := errors.Join(w.Append(&Record{Tick: 6}), w.Checkpoint(Checkpoint{Tick: 6}), w.Close()); err != nil {
		t.Error(err)
	}
	if w.Append(&Record{Tick: 7}) == nil {
		t.Error("a closed replay goes on")
	}
	if _, err := NewWriter(io.Discard, Header{Config: make([]byte, MaxConfig+1)}); err == nil {
		t.Error("a header with too much is taken")
	}
}

func TestWriterKeepsItsFirstError(t *testing.T) {
	full := errors.New("full")
	w, err := NewWriter(writerFunc(func(b []byte) (int, error) {
		if len(b) > 200 {
			return 0, full
		}
		return len(b), nil
	}), header())
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 1000)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	if err := w.Checkpoint(Checkpoint{Data: noise}); !errors.Is(err, full) {
		t.Error(err)
	}
	if err := w.Close(); !errors.Is(err, full) {
		t.Error(err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestLongReplayIsStreamedWithBoundedMemory(t *testing.T) {
	var b bytes.Buffer
	w, _ := NewWriter(&b, header())
	body := make([]byte, 4000)
	dice := rand.NewChaCha8([32]byte{})
	const ticks = 5000
	for tick := uint32(1); tick <= ticks; tick++ {
		_, _ = dice.Read(body)
		if err := w.Append(&Record{Tick: tick, Inputs: []InputRecord{{Seat: 1, Body: body}}}); err != nil {
			t.Fatal(err)
		}
		if n := w.ticks.Len() + cap(w.block); n > 1<<20 {
			t.Fatalf("%d bytes are held", n)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n := 0
	for {
		_, _, err := r.Next()
		if err != nil {
			break
		}
		n++
	}
	runtime.ReadMemStats(&after)
	if n != ticks || r.Truncated() {
		t.Errorf("%d of %d, %v", n, ticks, r.Damage())
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > uint64(b.Len())/2 && !race.Enabled {
		t.Errorf("reading %d bytes took %d bytes of memory in all", b.Len(), got)
	}
}

func FuzzReader(f *testing.F) {
	file, _, ends := replay(f)
	f.Add(file)
	f.Add(file[:ends[3]])
	f.Add([]byte(magic))
	f.Fuzz(func(_ *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		_, _ = readAll(r)
		_ = r.Seek(10)
		_, _ = readAll(r)
	})
}

func TestWholeBlockOfWhatIsNoRecordIsAnError(t *testing.T) {
	for name, content := range map[string][]byte{
		"no MessagePack": {0xc1}, "no array": {0x05}, "another tick": encode(&Record{Tick: 9}), "no tick": {0x91, 0xc0},
		"half a record": encode(&Record{Tick: 3, Hash: 1 << 40})[:5],
	} {
		var b bytes.Buffer
		w, _ := NewWriter(&b, header())
		w.put(blockTicks, 3, 4, append(encode(&Record{Tick: 3}), content...))
		must(t, errors.Join(w.Append(&Record{Tick: 5}), w.Close()))
		r, err := NewReader(bytes.NewReader(b.Bytes()))
		must(t, err)
		got, err := readAll(r)
		if len(got) != 1 || !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if rec, cp, err := r.Next(); !errors.Is(err, io.EOF) || !r.Truncated() {
			t.Errorf("%s: after the error: %v %v %v", name, rec, cp, err)
		}
	}
}

// FuzzBlock reads what passes every checksum: a block of anything, and an index of anything.
func FuzzBlock(f *testing.F) {
	f.Add(uint8(blockTicks), uint32(1), uint32(2), encode(&Record{Tick: 1}), []byte{0x90})
	f.Add(uint8(blockCheckpoint), uint32(1), uint32(1), []byte("state"), []byte{0x91, 0x94, 3, 0x60, 1, 1})
	f.Add(uint8(blockHeader), uint32(0), uint32(0), []byte{}, []byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, kind uint8, first, last uint32, content, index []byte) {
		var b bytes.Buffer
		if _, err := NewWriter(&b, header()); err != nil {
			t.Fatal(err)
		}
		b.Write(appendBlock(nil, kind, first, last, content))
		at := b.Len()
		b.Write(appendBlock(nil, blockIndex, 0, 0, index))
		b.Write(trailer(int64(at)))
		r, err := NewReader(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := readAll(r)
		if r.Seek(last) == nil {
			if _, cp, err := r.Next(); err != nil || cp == nil || cp.Tick > last {
				t.Fatalf("seeking %d: %v, %v", last, cp, err)
			}
		} else if again, _ := readAll(r); !slices.Equal(got, again) {
			t.Fatalf("%q at first, then %q", got, again)
		}
	})
}
