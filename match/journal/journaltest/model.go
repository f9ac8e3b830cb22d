package journaltest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"muster/match/journal"
)

// model is a store of one room, without any care for memory or failures.
type model struct {
	running            bool
	fence, wrote, last uint64
	ended              uint64
	parts              []part // the last one is not closed
}

type part struct {
	base  uint64
	ticks []tickOf
}

// tickOf is a tick as an epoch wrote it.
type tickOf struct{ tick, epoch uint64 }

func (m *model) fenced(epoch uint64) bool { return epoch < max(m.fence, m.ended) }

func (m *model) append(epoch, prev uint64, n int) error {
	switch {
	case m.fenced(epoch) || epoch == m.ended:
		return journal.ErrFenced
	case !m.running || prev > m.last || prev < m.last && epoch != m.wrote:
		return journal.ErrGap
	}
	for tick := prev + 1; tick <= prev+uint64(n); tick++ { //nolint:gosec // a small number
		if tick > m.last {
			p := &m.parts[len(m.parts)-1]
			p.ticks = append(p.ticks, tickOf{tick, epoch})
			m.last, m.fence, m.wrote = tick, epoch, epoch
		}
	}
	return nil
}

func (m *model) checkpoint(epoch, tick uint64) error {
	if m.fenced(epoch) || epoch == m.ended {
		return journal.ErrFenced
	}
	if m.running && epoch == m.wrote && (tick <= m.parts[len(m.parts)-1].base || tick < m.last) {
		return nil
	}
	if !m.running {
		m.parts = nil // of a match before
	}
	m.parts = slices.DeleteFunc(m.parts, func(p part) bool { return p.base >= tick })
	for i := range m.parts {
		m.parts[i].ticks = slices.DeleteFunc(m.parts[i].ticks, func(t tickOf) bool { return t.tick > tick })
	}
	m.parts = append(m.parts, part{base: tick})
	m.running, m.fence, m.wrote, m.last, m.ended = true, epoch, epoch, tick, 0
	return nil
}

func (m *model) load(epoch uint64) error {
	switch {
	case epoch != 0 && m.fenced(epoch):
		return journal.ErrFenced
	case !m.running:
		return journal.ErrNone
	}
	m.fence = max(m.fence, epoch)
	return nil
}

func (m *model) end(epoch uint64) error {
	if m.fenced(epoch) {
		return journal.ErrFenced
	}
	if m.running {
		m.running, m.fence, m.wrote, m.ended = false, epoch, 0, epoch
	}
	return nil
}

func (m *model) forget(epoch uint64) error {
	if m.fenced(epoch) {
		return journal.ErrFenced
	}
	*m = model{}
	return nil
}

// random makes calls that owners may make and some that they should not, with retries, and compares the store with the
// model after each.
func random(t *testing.T, s journal.Store) {
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // the same each time
		name, m := fmt.Sprint("room", seed), &model{}
		for n := range 40 {
			epoch := max(m.fence, m.ended, 1)
			switch {
			case r.IntN(6) == 0:
				epoch++
			case r.IntN(8) == 0 && epoch > 1:
				epoch--
			}
			doing, got, want := call(t, s, r, m, name, epoch)
			if !errors.Is(got, want) || want == nil && got != nil {
				t.Fatalf("seed %d, call %d: %s: %v, want %v", seed, n, doing, got, want)
			}
			if got, want := content(t, s, name), m.content(); !slices.Equal(got, want) {
				t.Fatalf("seed %d, after call %d, %s: the store has\n%q, want\n%q", seed, n, doing, got, want)
			}
		}
	}
}

// call makes one call, perhaps twice, and returns how it went and how it should have gone.
func call(t *testing.T, s journal.Store, r *rand.Rand, m *model, name string, epoch uint64) (doing string, got, want error) {
	t.Helper()
	ctx, twice := t.Context(), r.IntN(3) == 0
	small := func(n int) uint64 { return uint64(max(0, n)) }
	near := func() uint64 { return small(int(m.last) + r.IntN(7) - 3) } //nolint:gosec // a small number
	switch dice := r.IntN(100); {
	case dice < 60:
		prev, n := m.last, r.IntN(5)
		if r.IntN(4) == 0 {
			prev = near()
		}
		doing = fmt.Sprintf("append %d to tick %d in epoch %d", n, prev, epoch)
		list := entries(t, uint32(prev)+1, uint32(prev)+uint32(n), byte(epoch))                       //nolint:gosec // small numbers
		got = repeated(twice, func() error { return s.Append(ctx, name, epoch, uint32(prev), list) }) //nolint:gosec // a small number
		want = m.append(epoch, prev, n)
	case dice < 80:
		tick := near()
		doing = fmt.Sprintf("checkpoint %d in epoch %d", tick, epoch)
		got = repeated(twice, func() error { return s.Checkpoint(ctx, name, epoch, Header(), state(uint32(tick))) }) //nolint:gosec // a small number
		want = m.checkpoint(epoch, tick)
	case dice < 92:
		doing = fmt.Sprint("load in epoch ", epoch)
		got = repeated(twice, func() error { _, err := s.Load(ctx, name, epoch); return err }) //nolint:wrapcheck // compared as it is
		want = m.load(epoch)
	case dice < 97:
		doing = fmt.Sprint("end in epoch ", epoch)
		got, want = repeated(twice, func() error { return s.End(ctx, name, epoch) }), m.end(epoch)
	default:
		doing = fmt.Sprint("delete in epoch ", epoch)
		got, want = repeated(twice, func() error { return s.Delete(ctx, name, epoch) }), m.forget(epoch)
	}
	return doing, got, want
}

func repeated(twice bool, do func() error) error {
	err := do()
	if twice && err == nil {
		err = do()
	}
	return err
}

func (m *model) content() (list []string) {
	for i, p := range m.parts {
		list = append(list, fmt.Sprint("checkpoint ", p.base))
		for _, t := range p.ticks {
			list = append(list, fmt.Sprint(t.tick, " of ", t.epoch))
		}
		if m.running && i == len(m.parts)-1 {
			list = append(list, "loaded:") // the same again
			list = append(list, list[slices.Index(list, fmt.Sprint("checkpoint ", p.base)):len(list)-1]...)
		}
	}
	return list
}

// content is what a store's export has, and then what is loaded.
func content(t *testing.T, s journal.Store, name string) (list []string) {
	t.Helper()
	add := func(r *journal.Record, cp *journal.Checkpoint) {
		if cp != nil {
			list = append(list, fmt.Sprint("checkpoint ", cp.Tick))
			return
		}
		for epoch := range byte(255) { // which one wrote it
			if same(*r, record(r.Tick, epoch)) {
				list = append(list, fmt.Sprint(r.Tick, " of ", epoch))
				return
			}
		}
		t.Fatalf("nobody wrote %+v", r)
	}
	var b bytes.Buffer
	switch err := s.Export(t.Context(), name, &b); {
	case errors.Is(err, journal.ErrNone):
		return nil
	case err != nil:
		t.Fatal(err)
	}
	r, err := journal.NewReader(bytes.NewReader(b.Bytes()))
	for err == nil {
		var rec *journal.Record
		var cp *journal.Checkpoint
		if rec, cp, err = r.Next(); err == nil {
			add(rec, cp)
		}
	}
	if !errors.Is(err, io.EOF) || r.Truncated() {
		t.Fatalf("%v, truncated %v", err, r.Truncated())
	}
	saved, err := s.Load(t.Context(), name, 0)
	if errors.Is(err, journal.ErrNone) {
		return list
	}
	if err != nil {
		t.Fatal(err)
	}
	list = append(list, "loaded:")
	add(nil, &saved.Checkpoint)
	for i := range saved.Records {
		add(&saved.Records[i], nil)
	}
	return list
}
