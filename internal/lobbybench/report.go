package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"muster/internal/benchproc"
)

// look is how everything stands at a moment.
type look struct {
	at    time.Time
	parts map[string]benchproc.Usage
	busy  time.Duration // of the whole machine
	redis redisStats
}

// look reads what all parts have used.
func (b *bench) look(ctx context.Context) (*look, error) {
	l := &look{at: time.Now(), parts: map[string]benchproc.Usage{}}
	var errs []error
	for name, pid := range b.pids {
		u, err := benchproc.UsageOf(pid)
		l.parts[name], errs = u, append(errs, err)
	}
	var err1, err2 error
	l.busy, err1 = benchproc.MachineBusy()
	l.redis, err2 = redisInfo(ctx, b.rdb)
	return l, errors.Join(append(errs, err1, err2)...)
}

// spent is what happened between two looks.
type spent struct {
	took            time.Duration
	cpu             map[string]time.Duration
	mem             map[string]int64
	all             time.Duration
	foreign         time.Duration // used by other programs
	commands, reads int64
	redisMem        int64
}

func (l *look) since(before *look) spent {
	s := spent{
		took: l.at.Sub(before.at), cpu: map[string]time.Duration{}, mem: map[string]int64{}, foreign: l.busy - before.busy,
		commands: l.redis.commands - before.redis.commands, reads: l.redis.reads - before.redis.reads, redisMem: l.redis.mem,
	}
	for name, u := range l.parts {
		s.cpu[name], s.mem[name] = u.CPU-before.parts[name].CPU, u.Mem
		s.all += s.cpu[name]
	}
	s.foreign = max(0, s.foreign-s.all)
	return s
}

// report gathers what is measured. Any goroutine may add to it.
type report struct {
	options

	idle, load spent
	conns      int

	mu             sync.Mutex
	waits, creates *hdrhistogram.Histogram // of tickets that were to be created in the window, in microseconds
	lateness       *hdrhistogram.Histogram
	asked          int // how many were to be created
	made, lost     int
	times          []time.Time         // when answers came
	inWindow       int                 // how many of them within it
	matches        map[string]*matched // by their rooms
	failures       map[string]int
	isCut          bool
	why            []string // what the server says of some that were not answered
}

func newReport(o options) *report {
	hist := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, time.Minute.Microseconds(), 3) }
	return &report{options: o, waits: hist(), creates: hist(), lateness: hist(), matches: map[string]*matched{}, failures: map[string]int{}}
}

// matched is a match, as its players told of it.
type matched struct {
	answered int  // how many players have their seat
	counts   bool // whether one of them is of the window
}

func (r *report) late(by time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	_ = r.lateness.RecordValue(by.Microseconds()) // within a minute
}

func (r *report) created(took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isCut {
		r.made++
		_ = r.creates.RecordValue(took.Microseconds()) // within a minute
	}
}

func (r *report) answered(room string, at, now time.Time, counts bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isCut {
		return
	}
	m := r.matches[room]
	if m == nil {
		m = new(matched)
		r.matches[room] = m
	}
	m.answered++
	r.times = append(r.times, now)
	if counts {
		m.counts = true
		_ = r.waits.RecordValue(now.Sub(at).Microseconds()) // within a minute
	}
}

// failed counts what went wrong; counts says that it ends a ticket of the window.
func (r *report) failed(doing string, a answer, err error, counts bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isCut {
		return
	}
	if counts {
		r.lost++
	}
	switch {
	case err != nil:
		if op := (*net.OpError)(nil); errors.As(err, &op) {
			err = op.Err // without the port of each
		}
		doing += ": " + err.Error()
	case a.status/100 != 2:
		doing += fmt.Sprintf(": status %d", a.status)
	default:
		doing += ": is " + a.ticket.State
	}
	r.failures[doing]++
}

// window counts the answers that came within it.
func (r *report) window(from, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.times {
		if !t.Before(from) && t.Before(until) {
			r.inWindow++
		}
	}
}

// complete says whether all tickets that were to be created are answered, or failed, and with them all others of their
// matches.
func (r *report) complete() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, odd := r.sizes()
	return int(r.waits.TotalCount())+r.lost == r.asked && len(odd) == 0
}

// cut ends the counting.
func (r *report) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isCut = true
}

// write says what was measured.
func (r *report) write(out io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	secs := r.load.took.Seconds()
	if secs == 0 {
		p("nothing was measured")
		_, err := io.WriteString(out, b.String())
		return err
	}
	p("%d tickets a second for %v after %v, %d waiting in knots of %d, 5 against 5, rating windows", r.Rate, r.For, r.Warm, r.Waiting, r.Knot)
	p("limits are on: each ticket is another player's; --address-rate is %d, since all come from one address", addressRate)
	p("nobody opens a match's socket: matches wait for their players for 1m, longer than this runs, so that none is called off")
	p("")
	p("created   %8.0f a second of %.0f that were to be; the clients were late by p99 %s, at most %s",
		float64(r.made)/secs, float64(r.asked)/secs, ms(r.lateness.ValueAtQuantile(99)), ms(r.lateness.Max()))
	p("answered  %8.0f a second within the time; of those created in it %d of %d, at the end", float64(r.inWindow)/secs, r.waits.TotalCount(), r.made)
	p("to create %s", quantiles(r.creates))
	p("to answer %s   from when the ticket was to be created until its player has his seat", quantiles(r.waits))
	matches, odd := r.sizes()
	p("matches   %d with them; not of %d: %s", matches, perMatch, list(odd))
	p("failures  %s", list(r.failures))
	for _, why := range r.why {
		p("unanswered %s", why)
	}
	p("")
	n := float64(max(r.inWindow, 1))
	p("CPU of one ticket that was created, matched and answered, with what those who wait cost:")
	var sum time.Duration
	for _, name := range slices.Sorted(maps.Keys(r.load.cpu)) {
		c := r.load.cpu[name]
		sum += c
		p("  %-8s %.3f ms   %3.0f %% of a core; waiting alone: %3.0f %%; %d MiB", name, c.Seconds()*1000/n, 100*c.Seconds()/secs,
			100*r.idle.cpu[name].Seconds()/max(r.idle.took.Seconds(), 1e-9), r.load.mem[name]>>20)
	}
	p("  all      %.3f ms", sum.Seconds()*1000/n)
	p("Redis: %.1f commands a ticket, those in scripts included, in %.1f reads; %d MiB used", float64(r.load.commands)/n, float64(r.load.reads)/n, r.load.redisMem>>20)
	p("       waiting alone: %.0f commands a second in %.0f reads", float64(r.idle.commands)/max(r.idle.took.Seconds(), 1e-9), float64(r.idle.reads)/max(r.idle.took.Seconds(), 1e-9))
	p("other programs took %.2f cores meanwhile; %d connections", r.load.foreign.Seconds()/secs, r.conns)
	_, err := io.WriteString(out, b.String())
	return err
}

// sizes counts the matches with players of the window, and says which of them are not of ten. Other matches may be
// answered in part when the run ends.
func (r *report) sizes() (matches int, odd map[string]int) {
	odd = map[string]int{}
	for _, m := range r.matches {
		if !m.counts {
			continue
		}
		matches++
		if m.answered != perMatch {
			odd[fmt.Sprintf("of %d", m.answered)]++
		}
	}
	return matches, odd
}

func list(counts map[string]int) string {
	if len(counts) == 0 {
		return "none"
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s (%d)", name, counts[name])
	}
	return strings.Join(names, ", ")
}

func ms(micros int64) string { return fmt.Sprintf("%.1f ms", float64(micros)/1000) }

func quantiles(h *hdrhistogram.Histogram) string {
	return fmt.Sprintf("p50 %s, p90 %s, p99 %s, max %s", ms(h.ValueAtQuantile(50)), ms(h.ValueAtQuantile(90)), ms(h.ValueAtQuantile(99)), ms(h.Max()))
}
