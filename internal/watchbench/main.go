// Command watchbench measures what those who watch a match cost beside those who play, on this machine:
//
//	go run ./internal/watchbench                    10,000 who watch one room, a tenth of them slow
//	go run ./internal/watchbench -watch 2000 -slow 0
//	go run ./internal/watchbench -slow-after 10s    as servers have it: so slow a one is closed, and comes again
//
// One who is slow has a receive buffer of 4 KiB and reads fewer bytes a second than it is sent. What is a slow reader at 1.4 KB
// a second takes nothing for long times: a kernel says that there is place again once a third of its buffer is free. So the
// server closes it later than it does by default, to show that it is brought on with a keyframe.
//
// The server and those who watch are processes of their own, as files are bounded by process; players are bots of this one.
// CPU time is the kernel's account of the server, all of it: handshakes are over when a window begins. Linux only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"muster/cmd"
	"muster/games/arena"
	"muster/internal/benchproc"
	"muster/internal/pause"
)

// options say what is measured.
type options struct {
	Watch  int           // who watch
	Slow   int           // of them, each so many-th is slow; 0: none
	Rate   int           // bytes a second that a slow one reads
	After  time.Duration // of the server: how long a socket may take nothing before it is closed
	Behind time.Duration // how long is waited until slow ones have been brought on, or one closed
	Rooms  int           // of 16 players each; the first is watched
	Window time.Duration // of each measurement
	Settle time.Duration // before each
	Self   string        // the program of the server and of those who watch: this one
	Dir    string
	Err    io.Writer // how far it is
}

// perProcess is how many sockets one process of watchers opens.
const perProcess = 10_000

func main() {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "serve":
		cmd.Main(cmd.Game{Game: arena.Game, Bot: arena.Bot})
		return
	case len(os.Args) > 1 && os.Args[1] == "crowd":
		exit(crowd(os.Args[2:], os.Stdout))
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := &options{Err: os.Stderr, Settle: 5 * time.Second, Behind: 5 * time.Minute}
	flag.IntVar(&o.Watch, "watch", 10_000, "how many watch the first room")
	flag.IntVar(&o.Slow, "slow", 10, "each so many-th of them is slow, 2 or more; 0: none")
	flag.IntVar(&o.Rate, "slow-rate", 300, "bytes a second that a slow one reads")
	flag.DurationVar(&o.After, "slow-after", time.Minute, "the server's --slow-after")
	flag.IntVar(&o.Rooms, "rooms", 4, "rooms of 16 players")
	flag.DurationVar(&o.Window, "window", 10*time.Second, "how long each measurement takes")
	flag.Parse()
	text, err := run(ctx, o)
	if err == nil {
		_, err = os.Stdout.WriteString(text)
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "watchbench:", err)
		os.Exit(1)
	}
}

// run measures in a directory that is gone afterwards.
func run(ctx context.Context, o *options) (text string, err error) {
	if err := o.check(); err != nil {
		return "", err
	}
	if o.Self == "" {
		if o.Self, err = os.Executable(); err != nil {
			return "", err
		}
	}
	if o.Dir, err = os.MkdirTemp("", "watchbench-*"); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	if err := o.writeKey(); err != nil {
		return "", err
	}
	s, err := newStage(ctx, o)
	if err != nil {
		return "", err
	}
	defer s.close()
	return s.measure(ctx)
}

// check says whether there are quick ones, by whom the others are measured.
func (o *options) check() error {
	switch {
	case o.Watch < 1:
		return fmt.Errorf("-watch is %d, and must be 1 at least", o.Watch)
	case o.Slow < 0 || o.Slow == 1:
		return fmt.Errorf("-slow is %d: 0 is none, 2 each second one, and so on; some must be quick", o.Slow)
	}
	return nil
}

// key is where the server's signing key is.
func (o *options) key() string { return filepath.Join(o.Dir, "key") }

func (o *options) writeKey() error { return os.WriteFile(o.key(), []byte(secret), 0o600) }

// measure is the whole run.
func (s *stage) measure(ctx context.Context) (string, error) {
	o := s.o
	idle, err := s.window(ctx, "nobody")
	if err != nil {
		return "", err
	}
	room, err := s.play(ctx)
	if err != nil {
		return "", err
	}
	playing, err := s.window(ctx, "players")
	if err != nil {
		return "", err
	}
	slow := o.slow()
	began := time.Now()
	if err := s.watch(ctx, room, o.Watch-slow); err != nil {
		return "", err
	}
	if err := s.until(ctx, "muster_spectators", float64(o.Watch-slow)); err != nil {
		return "", err
	}
	joined := time.Since(began)
	watching, err := s.window(ctx, "players and watchers")
	if err != nil {
		return "", err
	}
	text := s.report(idle, playing, watching, joined)
	if slow == 0 {
		return text, nil
	}
	if err := s.watchSlowly(ctx, room, slow); err != nil {
		return "", err
	}
	slowly, err := s.window(ctx, "with slow watchers")
	if err != nil {
		return "", err
	}
	return text + s.reportSlow(watching, slowly, slow), nil
}

// slow is how many of those who watch are slow.
func (o *options) slow() int {
	if o.Slow == 0 {
		return 0
	}
	return o.Watch / o.Slow
}

// table is a report in the making.
type table struct{ strings.Builder }

func (b *table) row(what, without, with string) {
	fmt.Fprintf(b, "| %s | %s | %s |\n", what, without, with)
}

// both are the rows that say how the server and the players fare.
func (b *table) both(x, y spent) {
	b.row("server, cores", f(x.server, 2), f(y.server, 2))
	b.row("of the machine: others, cores", f(x.others, 2), f(y.others, 2))
	b.row("ticks late by more than 2 / 10 ms, of a thousand", late(x), late(y))
	b.row("players' frames, worst gap, ms", f(ms(x.gap), 0), f(ms(y.gap), 0))
}

// report is the table of those who are quick.
func (s *stage) report(idle, playing, watching spent, joined time.Duration) string {
	o := s.o
	quick := o.Watch - o.slow()
	players, watchers := float64(o.Rooms*16), float64(quick)
	player, watcher := 1e6*(playing.server-idle.server)/players, 1e6*(watching.server-playing.server)/watchers
	var b table
	fmt.Fprintf(&b, "%d rooms of 16 players; %d watch one of them; they came within %.1f s. Windows of %v.\n\n",
		o.Rooms, quick, joined.Seconds(), o.Window)
	b.row("", "players alone", "players and watchers")
	b.row("---", "---:", "---:")
	b.both(playing, watching)
	b.row("CPU µs a second for each", f(player, 1), f(watcher, 1))
	b.row("writes a second to each who watches", "", f(watching.writes/watchers, 1))
	b.row("frames a second to each who watches", "", f((watching.frames-playing.frames)/watchers, 1))
	b.row("bytes a second to each who watches", "", f((watching.bytes-playing.bytes)/watchers, 0))
	b.row("KiB of memory for each, resident", f(float64(playing.mem-idle.mem)/players/1024, 0), f(float64(watching.mem-playing.mem)/watchers/1024, 1))
	fmt.Fprintf(&b, "\nOne who watches costs %.2f of one who plays.\n", watcher/player)
	return b.String()
}

// reportSlow is the table of those who are slow.
func (s *stage) reportSlow(quick, slowly spent, slow int) string {
	n := float64(slow)
	var b table
	fmt.Fprintf(&b, "\n%d more come who are slow: each has a receive buffer of %d KiB and reads %d bytes a second. --slow-after is %v.\n\n",
		slow, slowBuffer>>10, s.o.Rate, s.o.After)
	b.row("", "quick watchers alone", "and slow ones")
	b.row("---", "---:", "---:")
	b.both(quick, slowly)
	b.row("bytes a second that each slow one reads", "", f(slowly.read/n, 0))
	b.row("brought on with a keyframe, times a second, of all", f(quick.skips, 2), f(slowly.skips, 2))
	b.row("the same, since they came", "", f(slowly.skipped-quick.skipped, 0))
	b.row("steps over a second or more that have come through to them", "", strconv.FormatInt(slowly.slow.Holes, 10))
	b.row("closed as too slow, since they came", "", f(slowly.shut-quick.shut, 0))
	b.row("seconds behind: the median, the most", "", f(float64(slowly.slow.Mid)/second, 1)+", "+f(float64(slowly.slow.Most)/second, 1))
	b.row("KiB of memory for each slow one: the server's, the kernel's for TCP", "",
		f(float64(slowly.mem-quick.mem)/n/1024, 1)+", "+f(float64(slowly.tcp-quick.tcp)/n/1024, 1))
	return b.String()
}

func f(x float64, digits int) string { return strconv.FormatFloat(x, 'f', digits, 64) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func late(s spent) string {
	return f(1000*(1-s.within2/max(s.ticks, 1)), 1) + " / " + f(1000*(1-s.within10/max(s.ticks, 1)), 1)
}

// spent is what a window took.
type spent struct {
	server, others               float64 // cores
	mem, tcp                     int64   // resident, and the kernel's for all TCP sockets of the machine, at its end
	writes, frames, bytes, skips float64 // a second
	skipped, shut                float64 // by its end: brought on with a keyframe, closed as too slow
	read                         float64 // bytes a second that all slow ones read
	slow                         standing
	ticks, within2, within10     float64
	gap                          time.Duration
}

// window measures for a while, once it has settled.
func (s *stage) window(ctx context.Context, what string) (w spent, err error) {
	if err := pause.For(ctx, s.o.Settle); err != nil {
		return w, err
	}
	before, err := s.look(ctx)
	if err != nil {
		return w, err
	}
	s.gaps.reset()
	if err := pause.For(ctx, s.o.Window); err != nil {
		return w, err
	}
	after, err := s.look(ctx)
	if err != nil {
		return w, err
	}
	secs := after.at.Sub(before.at).Seconds()
	per := func(name string) float64 { return (after.metrics[name] - before.metrics[name]) / secs }
	own := (after.own - before.own).Seconds() / secs
	w = spent{
		server: (after.server - before.server).Seconds() / secs, mem: after.mem, tcp: after.tcp,
		writes: per("muster_spectator_writes_total"), frames: per("muster_frames_out_total"), bytes: per("muster_bytes_out_total"),
		skips: per(skips), gap: s.gaps.worst(),
		skipped: after.metrics[skips], shut: after.metrics[closes],
		read: float64(after.slow.Read-before.slow.Read) / secs, slow: after.slow,
		ticks:    secs * per("muster_tick_lateness_seconds_count"),
		within2:  secs * per(`muster_tick_lateness_seconds_bucket{le="0.002"}`),
		within10: secs * per(`muster_tick_lateness_seconds_bucket{le="0.01"}`),
	}
	w.others = max(0, (after.machine-before.machine).Seconds()/secs-w.server-own)
	fmt.Fprintf(s.o.Err, "%s: %.2f cores of the server, %.2f of clients, %.2f of others\n", what, w.server, own, w.others)
	return w, nil
}

// seen is what is counted, at a time.
type seen struct {
	at                   time.Time
	server, own, machine time.Duration
	mem, tcp             int64
	slow                 standing
	metrics              map[string]float64
}

func (s *stage) look(ctx context.Context) (v seen, err error) {
	server, err1 := benchproc.UsageOf(s.server.PID())
	self, err2 := benchproc.UsageOf(os.Getpid())
	machine, err3 := benchproc.MachineBusy()
	tcp, err4 := benchproc.TCPMem()
	v = seen{at: time.Now(), server: server.CPU, own: self.CPU, machine: machine, mem: server.Mem, tcp: tcp, slow: s.slow.standing()}
	for _, p := range s.crowds {
		one, err := benchproc.UsageOf(p.PID())
		if err != nil {
			return v, err
		}
		v.own += one.CPU
	}
	v.metrics, err = s.metrics(ctx)
	return v, errors.Join(err1, err2, err3, err4, err)
}
