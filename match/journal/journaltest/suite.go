// Package journaltest holds every [journal.Store] to the same behaviour.
package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"muster/match/journal"
)

const (
	room   = "room1"
	first  = uint64(1_700_000_000_000) // an epoch
	second = first + 1
)

// Run runs the suite. open returns an empty store, which ends with its test.
func Run(t *testing.T, open func(t *testing.T) journal.Store) {
	for name, test := range map[string]func(*testing.T, journal.Store){
		"what was appended is loaded":                 loads,
		"a journal begins with a checkpoint":          begins,
		"a call that comes again changes nothing":     repeats,
		"a gap asks for a checkpoint":                 gaps,
		"a checkpoint heals whatever was lost":        heals,
		"an older epoch is refused":                   fences,
		"loading refuses older epochs":                loadFences,
		"looking refuses nobody":                      looks,
		"a newer epoch voids later ticks":             voids,
		"an export is what was written":               exports,
		"a room that ended is a replay":               ends,
		"an ended room begins anew with a new epoch":  reopens,
		"a deleted room is gone":                      deletes,
		"two rooms are apart":                         apart,
		"a big checkpoint comes back":                 big,
		"many records of one call":                    many,
		"rooms at the same time":                      concurrent,
		"a cancelled context stores nothing":          cancelled,
		"names of rooms are bounded, and may be odd":  names,
		"entries out of order are refused":            disorder,
		"a header beyond its bounds is refused":       headers,
		"an error of the exporter's writer is passed": exportFails,
		"any calls leave what a model says":           random,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// Header is the header of the suite's rooms.
func Header() journal.Header {
	return journal.Header{Room: room, Game: "arena", Rules: "1", Seed: 7, TickRate: 20, Seats: 16, Config: []byte{1, 2}, Reason: "journal"}
}

// record is what the suite writes of a tick; salt tells two versions of it apart.
func record(tick uint32, salt byte) journal.Record {
	r := journal.Record{Tick: tick, Hash: uint64(tick)*77 + uint64(salt)}
	if tick%2 == 0 {
		r.Inputs = []journal.InputRecord{{Seat: 1, Seq: tick, Body: fmt.Append(nil, salt, tick)}}
	}
	return r
}

// entries are those from one tick to another.
func entries(t *testing.T, from, to uint32, salt byte) (list []journal.Entry) {
	t.Helper()
	for tick := from; tick <= to; tick++ {
		r := record(tick, salt)
		e, err := journal.NewEntry(&r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// steps is a store of one room whose calls must succeed.
type steps struct {
	t     *testing.T
	s     journal.Store
	room  string
	epoch uint64
}

func (s steps) append(from, to uint32) {
	s.t.Helper()
	if err := s.s.Append(s.t.Context(), s.room, s.epoch, from-1, entries(s.t, from, to, 0)); err != nil {
		s.t.Fatal(err)
	}
}

func (s steps) checkpoint(tick uint32) {
	s.t.Helper()
	if err := s.s.Checkpoint(s.t.Context(), s.room, s.epoch, Header(), state(tick)); err != nil {
		s.t.Fatal(err)
	}
}

func state(tick uint32) journal.Checkpoint {
	return journal.Checkpoint{Tick: tick, Data: fmt.Append(nil, "state of tick ", tick)}
}

// has checks what is loaded: the checkpoint of a tick and the records after it.
func (s steps) has(checkpoint, last uint32, salt byte) {
	s.t.Helper()
	got, err := s.s.Load(s.t.Context(), s.room, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Checkpoint, state(checkpoint)) {
		s.t.Errorf("the checkpoint is of tick %d with %q, want tick %d", got.Checkpoint.Tick, got.Checkpoint.Data, checkpoint)
	}
	if got.Last() != last {
		s.t.Errorf("saved up to tick %d, want %d", got.Last(), last)
	}
	for i, r := range got.Records {
		if want := record(checkpoint+1+uint32(i), salt); !same(r, want) {
			s.t.Errorf("record %d is %+v, want %+v", i, r, want)
		}
	}
}

func same(a, b journal.Record) bool {
	x, errA := journal.NewEntry(&a)
	y, errB := journal.NewEntry(&b)
	return errA == nil && errB == nil && bytes.Equal(x.Data, y.Data)
}

// is checks that a call fails as it should.
func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func start(t *testing.T, s journal.Store) steps {
	t.Helper()
	st := steps{t, s, room, first}
	st.checkpoint(0)
	return st
}

func loads(t *testing.T, s journal.Store) {
	st := start(t, s)
	st.has(0, 0, 0)
	st.append(1, 3)
	st.append(4, 4)
	st.has(0, 4, 0)
	st.checkpoint(4)
	st.has(4, 4, 0)
	st.append(5, 9)
	st.has(4, 9, 0)
	got, err := s.Load(t.Context(), room, first)
	if err != nil {
		t.Fatal(err)
	}
	want := Header()
	want.Epoch = first
	if !reflect.DeepEqual(got.Header, want) {
		t.Errorf("header %+v, want %+v", got.Header, want)
	}
}

func begins(t *testing.T, s journal.Store) {
	is(t, "appending to nothing", s.Append(t.Context(), room, first, 0, entries(t, 1, 2, 0)), journal.ErrGap)
	_, err := s.Load(t.Context(), room, first)
	is(t, "loading nothing", err, journal.ErrNone)
	is(t, "exporting nothing", s.Export(t.Context(), room, io.Discard), journal.ErrNone)
	if err := errors.Join(s.End(t.Context(), room, first), s.Delete(t.Context(), room, first)); err != nil {
		t.Errorf("ending and deleting nothing: %v", err)
	}
}

func repeats(t *testing.T, s journal.Store) {
	st := start(t, s)
	for range 2 {
		st.checkpoint(0)
		st.append(1, 3)
		st.append(1, 3)
		st.append(2, 5) // what overlaps is passed over
		st.append(1, 4)
	}
	st.has(0, 5, 0)
	for range 2 {
		st.checkpoint(5)
		st.append(6, 8)
		st.append(4, 8)
		st.checkpoint(0)
		st.checkpoint(5) // late, after what came after it
		st.checkpoint(7)
	}
	st.has(5, 8, 0)
	for range 2 {
		if err := s.Append(t.Context(), room, first, 8, nil); err != nil {
			t.Error(err)
		}
	}
	st.exported(8)
}

func gaps(t *testing.T, s journal.Store) {
	st := start(t, s)
	is(t, "skipping tick 1", s.Append(t.Context(), room, first, 1, entries(t, 2, 3, 0)), journal.ErrGap)
	st.append(1, 3)
	is(t, "skipping tick 4", s.Append(t.Context(), room, first, 4, entries(t, 5, 6, 0)), journal.ErrGap)
	st.has(0, 3, 0)
}

func heals(t *testing.T, s journal.Store) {
	st := start(t, s)
	st.append(1, 3)
	st.checkpoint(10)
	st.append(11, 12)
	st.has(10, 12, 0)
	got := st.export()
	want := append(ticks(0, 3), ticks(10, 12)...)
	if !slices.Equal(got, want) {
		t.Errorf("exported %q, want %q", got, want)
	}
}

func fences(t *testing.T, s journal.Store) {
	st := start(t, s)
	st.append(1, 3)
	newer := steps{t, s, room, second}
	newer.append(4, 5)
	ctx := t.Context()
	is(t, "appending", s.Append(ctx, room, first, 5, entries(t, 6, 6, 9)), journal.ErrFenced)
	is(t, "appending again", s.Append(ctx, room, first, 0, entries(t, 1, 3, 0)), journal.ErrFenced)
	is(t, "a checkpoint", s.Checkpoint(ctx, room, first, Header(), state(6)), journal.ErrFenced)
	is(t, "ending", s.End(ctx, room, first), journal.ErrFenced)
	is(t, "deleting", s.Delete(ctx, room, first), journal.ErrFenced)
	_, err := s.Load(ctx, room, first)
	is(t, "loading", err, journal.ErrFenced)
	newer.append(6, 7)
	newer.has(0, 7, 0)
}

func loadFences(t *testing.T, s journal.Store) {
	st := start(t, s)
	st.append(1, 3)
	if _, err := s.Load(t.Context(), room, second); err != nil {
		t.Fatal(err)
	}
	is(t, "appending", s.Append(t.Context(), room, first, 3, entries(t, 4, 4, 9)), journal.ErrFenced)
	is(t, "a checkpoint", s.Checkpoint(t.Context(), room, first, Header(), state(4)), journal.ErrFenced)
	steps{t, s, room, second}.append(4, 6)
	st.has(0, 6, 0)
}

func looks(t *testing.T, s journal.Store) {
	st := start(t, s)
	st.append(1, 3)
	if _, err := s.Load(t.Context(), room, 0); err != nil {
		t.Fatal(err)
	}
	st.append(4, 4)
	st.checkpoint(4)
}

// voids: the new owner goes on from an earlier tick than the store has.
func voids(t *testing.T, s journal.Store) {
	st := start(t, s)
	st.append(1, 9)
	is(t, "other ticks than those that are there", s.Append(t.Context(), room, second, 6, entries(t, 7, 9, 9)), journal.ErrGap)
	newer := steps{t, s, room, second}
	newer.checkpoint(6)
	newer.has(6, 6, 0)
	if err := s.Append(t.Context(), room, second, 6, entries(t, 7, 8, 9)); err != nil {
		t.Fatal(err)
	}
	newer.has(6, 8, 9)
	newer.exported(8)
	steps{t, s, room, second + 1}.checkpoint(6) // and once more, from the same tick
	newer.has(6, 6, 0)
	newer.exported(6)
}

// export returns what is in the replay, in a line for each tick and checkpoint.
func (s steps) export() (list []string) {
	s.t.Helper()
	var b bytes.Buffer
	if err := s.s.Export(s.t.Context(), s.room, &b); err != nil {
		s.t.Fatal(err)
	}
	r, err := journal.NewReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		s.t.Fatal(err)
	}
	for {
		rec, cp, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			if r.Truncated() {
				s.t.Errorf("the export is truncated: %v", r.Damage())
			}
			return list
		case err != nil:
			s.t.Fatal(err)
		case cp != nil:
			list = append(list, fmt.Sprint("checkpoint ", cp.Tick))
			if !reflect.DeepEqual(*cp, state(cp.Tick)) {
				s.t.Errorf("checkpoint %d has %q", cp.Tick, cp.Data)
			}
		default:
			list = append(list, fmt.Sprint(rec.Tick))
		}
	}
}

// ticks are the lines of a checkpoint and the records after it.
func ticks(checkpoint, last uint32) []string {
	list := []string{fmt.Sprint("checkpoint ", checkpoint)}
	for tick := checkpoint + 1; tick <= last; tick++ {
		list = append(list, fmt.Sprint(tick))
	}
	return list
}

// exported checks that the replay has each tick once, whatever checkpoints lie between.
func (s steps) exported(last uint32) {
	s.t.Helper()
	list := s.export()
	if list[0] != "checkpoint 0" {
		s.t.Errorf("the replay begins with %q", list[0])
	}
	list = slices.DeleteFunc(list[1:], func(l string) bool { return l[0] == 'c' })
	if want := ticks(0, last)[1:]; !slices.Equal(list, want) {
		s.t.Errorf("the replay has ticks %q, want %q", list, want)
	}
}

func exports(t *testing.T, s journal.Store) {
	st := start(t, s)
	want := ticks(0, 4)
	st.append(1, 4)
	for tick := uint32(4); tick < 20; tick += 4 {
		st.checkpoint(tick)
		st.append(tick+1, tick+4)
		want = append(want, ticks(tick, tick+4)...)
		if got := st.export(); !slices.Equal(got, want) {
			t.Errorf("exported %q, want %q", got, want)
		}
	}
}

func ends(t *testing.T, s journal.Store) {
	st := start(t, s)
	st.append(1, 4)
	st.checkpoint(4)
	st.append(5, 7)
	want := st.export()
	for range 2 {
		if err := s.End(t.Context(), room, first); err != nil {
			t.Fatal(err)
		}
	}
	if got := st.export(); !slices.Equal(got, want) {
		t.Errorf("exported %q after the end, want %q", got, want)
	}
	_, err := s.Load(t.Context(), room, 0)
	is(t, "loading", err, journal.ErrNone)
	is(t, "appending", s.Append(t.Context(), room, first, 7, entries(t, 8, 8, 0)), journal.ErrFenced)
	is(t, "a checkpoint", s.Checkpoint(t.Context(), room, first, Header(), state(8)), journal.ErrFenced)
	is(t, "ending of an older epoch", s.End(t.Context(), room, first-1), journal.ErrFenced)
	is(t, "deleting of an older epoch", s.Delete(t.Context(), room, first-1), journal.ErrFenced)
}

func reopens(t *testing.T, s journal.Store) {
	st := start(t, s)
	st.append(1, 4)
	if err := s.End(t.Context(), room, first); err != nil {
		t.Fatal(err)
	}
	is(t, "appending", s.Append(t.Context(), room, second, 4, entries(t, 5, 5, 0)), journal.ErrGap)
	newer := steps{t, s, room, second}
	newer.checkpoint(0)
	newer.append(1, 2)
	newer.has(0, 2, 0)
	newer.exported(2)
	if err := s.End(t.Context(), room, second); err != nil {
		t.Fatal(err)
	}
	newer.exported(2)
}

func deletes(t *testing.T, s journal.Store) {
	for _, end := range []bool{false, true} {
		st := start(t, s)
		st.append(1, 4)
		st.checkpoint(4)
		if end {
			if err := s.End(t.Context(), room, first); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := s.Delete(t.Context(), room, first); err != nil {
				t.Fatal(err)
			}
		}
		begins(t, s)
	}
}

func apart(t *testing.T, s journal.Store) {
	a, b := start(t, s), steps{t, s, "room2", second}
	b.checkpoint(0)
	a.append(1, 4)
	b.append(1, 2)
	a.checkpoint(4)
	if err := s.Delete(t.Context(), room, first); err != nil {
		t.Fatal(err)
	}
	b.has(0, 2, 0)
	b.exported(2)
}

func big(t *testing.T, s journal.Store) {
	cp := journal.Checkpoint{Tick: 3, Data: make([]byte, 8<<20)}
	_, _ = rand.NewChaCha8([32]byte{}).Read(cp.Data[:4<<20]) // half of it does not compress
	for range 2 {
		if err := s.Checkpoint(t.Context(), room, first, Header(), cp); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Load(t.Context(), room, 0)
	if err != nil || got.Checkpoint.Tick != 3 || !bytes.Equal(got.Checkpoint.Data, cp.Data) {
		t.Errorf("%v", err)
	}
	if err := s.Checkpoint(t.Context(), room, first, Header(), journal.Checkpoint{Tick: 9, Data: make([]byte, journal.MaxCheckpoint+1)}); err == nil {
		t.Error("a checkpoint beyond the bound is taken")
	}
	steps{t, s, room, first}.append(4, 5)
}

func many(t *testing.T, s journal.Store) {
	st := start(t, s)
	st.append(1, 5000)
	st.append(1, 5001)
	st.checkpoint(5001)
	st.exported(5001)
}

func concurrent(t *testing.T, s journal.Store) {
	var wg sync.WaitGroup
	for n := range 8 {
		for range 2 { // two goroutines say the same, as a retry that overtakes would
			wg.Go(func() {
				name := fmt.Sprint("room", n)
				for tick := uint32(0); tick < 30; tick += 3 {
					if tick%9 == 0 {
						if err := s.Checkpoint(t.Context(), name, first, Header(), state(tick)); err != nil {
							t.Error(err)
						}
					}
					if err := s.Append(t.Context(), name, first, tick, entries(t, tick+1, tick+3, 0)); err != nil {
						t.Error(err)
					}
					if err := s.Export(t.Context(), name, io.Discard); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	for n := range 8 {
		st := steps{t, s, fmt.Sprint("room", n), first}
		st.has(27, 30, 0)
		st.exported(30)
	}
}

func cancelled(t *testing.T, s journal.Store) {
	st := start(t, s)
	st.append(1, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Load(ctx, room, first)
	is(t, "loading", err, context.Canceled)
	is(t, "appending", s.Append(ctx, room, first, 2, entries(t, 3, 3, 0)), context.Canceled)
	is(t, "a checkpoint", s.Checkpoint(ctx, room, first, Header(), state(3)), context.Canceled)
	is(t, "exporting", s.Export(ctx, room, io.Discard), context.Canceled)
	is(t, "ending", s.End(ctx, room, first), context.Canceled)
	is(t, "deleting", s.Delete(ctx, room, first), context.Canceled)
	st.append(3, 4)
	st.has(0, 4, 0)
}

func names(t *testing.T, s journal.Store) {
	odd := []string{"../../etc", "a/b", "A", "a", ".", "..", "world 1", "_41", "\x00", "ä", "{x}:y"}
	for i, name := range odd {
		st := steps{t, s, name, first}
		st.checkpoint(0)
		st.append(1, uint32(i)+1)
	}
	for i, name := range odd {
		st := steps{t, s, name, first}
		st.has(0, uint32(i)+1, 0)
		if err := s.End(t.Context(), name, first); err != nil {
			t.Fatal(err)
		}
		st.exported(uint32(i) + 1)
	}
	for _, name := range []string{"", string(make([]byte, journal.MaxRoom+1))} {
		if s.Checkpoint(t.Context(), name, first, Header(), state(0)) == nil || s.Export(t.Context(), name, io.Discard) == nil {
			t.Errorf("a name of %d bytes is taken", len(name))
		}
	}
}

func disorder(t *testing.T, s journal.Store) {
	st := start(t, s)
	list := entries(t, 1, 3, 0)
	slices.Reverse(list)
	is(t, "backwards", s.Append(t.Context(), room, first, 0, list), journal.ErrMalformed)
	is(t, "before prev", s.Append(t.Context(), room, first, 2, entries(t, 1, 3, 0)), journal.ErrMalformed)
	is(t, "empty", s.Append(t.Context(), room, first, 0, []journal.Entry{{Tick: 1}}), journal.ErrMalformed)
	st.has(0, 0, 0)
}

func headers(t *testing.T, s journal.Store) {
	h := Header()
	h.Config = make([]byte, journal.MaxConfig+1)
	is(t, "config", s.Checkpoint(t.Context(), room, first, h, state(0)), journal.ErrMalformed)
	st := start(t, s)
	st.append(1, 1)
	is(t, "config", s.Checkpoint(t.Context(), room, first, h, state(1)), journal.ErrMalformed)
	st.append(2, 2)
	st.has(0, 2, 0)
}

type broken struct{}

var errBroken = errors.New("the line is broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func exportFails(t *testing.T, s journal.Store) {
	st := start(t, s)
	st.append(1, 2)
	is(t, "exporting", s.Export(t.Context(), room, broken{}), errBroken)
	if err := s.End(t.Context(), room, first); err != nil {
		t.Fatal(err)
	}
	is(t, "exporting", s.Export(t.Context(), room, broken{}), errBroken)
}
