// Command scalebench measures what nodes, rooms, viewers and one Redis cost each other on this machine, and writes the
// tables of docs/SCALING.md:
//
//	go run ./internal/scalebench                  write them
//	go run ./internal/scalebench -only bridge     print one part, and write nothing; with -write, write that part
//
// Redis, servers and clients are processes of their own. Clients and loads are open loops: what is late waits, and counts
// from when it was to be. CPU time is the kernel's account of each process, or Redis's own. Linux only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"muster/cmd"
)

// options say what is measured.
type options struct {
	Window time.Duration // of each measurement
	Rooms  int           // of the measurements that are about rooms
	Each   int           // players that come into each room
	Self   string        // the program of the servers: this one
	Dir    string
	Settle time.Duration // before each, after who is in it has come: a host weighs two seconds of ticks
	Warm   time.Duration // before it is measured how late commands are: until clients' clocks know their way
	Err    io.Writer     // how far it is
	Turns  int           // how often what is compared is measured
	Most   int           // rooms that a ramp tries at most
}

// part is something that is measured, and has its place in the page.
type part struct {
	name string
	run  func(context.Context, *options) (string, error)
}

// parts are in the order of the page.
var parts = []part{
	{"rooms", measureRooms},
	{"bridge", measureBridge},
	{"journals", measureJournals},
	{"links", measureLinks},
	{"tickets", measureTickets},
	{"machine", machine},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" { // a server of the benchmark
		plain, kept := games()
		cmd.Main(cmd.Game{Game: plain}, cmd.Game{Game: kept})
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "scalebench:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to be undone
	}
}

func measure(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o := &options{Err: stderr, Settle: 2 * time.Second, Warm: 45 * time.Second, Turns: 3}
	flags := flag.NewFlagSet("scalebench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "a part that is measured and printed alone: rooms, bridge, journals, links, tickets")
	write := flags.Bool("write", false, "write that part, instead of printing it")
	file := flags.String("file", "docs/SCALING.md", "the page that is written")
	flags.DurationVar(&o.Window, "window", 6*time.Second, "how long each measurement takes")
	flags.IntVar(&o.Rooms, "rooms", 10, "how many rooms there are")
	flags.IntVar(&o.Each, "players", 24, "how many players come into each of them, beside the one who keeps it")
	flags.IntVar(&o.Turns, "turns", o.Turns, "how often what is compared is measured")
	flags.DurationVar(&o.Warm, "warm", o.Warm, "time before it is measured how late commands are")
	flags.IntVar(&o.Most, "most", 60_000, "how many rooms a ramp tries at most")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the flags: %w", err)
	}
	if o.Self, err = os.Executable(); err != nil {
		return err
	}
	if o.Dir, err = os.MkdirTemp("", "scalebench-*"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(o.Dir) }()
	if err := os.WriteFile(filepath.Join(o.Dir, "key"), []byte(secret), 0o600); err != nil {
		return err
	}
	if *only == "" {
		return writeAll(ctx, o, *file, parts...)
	}
	i := slices.Index(partNames(), *only)
	if i < 0 {
		return fmt.Errorf("there is no part %q", *only)
	}
	if *write {
		return writeAll(ctx, o, *file, parts[i])
	}
	text, err := parts[i].run(ctx, o)
	if err == nil {
		_, err = io.WriteString(stdout, text)
	}
	return err
}

func partNames() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// marks are around what is written into the page, by part.
func marks(part string) (begin, end string) {
	return "<!-- measured: " + part + " -->\n", "<!-- end: " + part + " -->\n"
}

// writeAll measures parts and puts them into their places in the page.
func writeAll(ctx context.Context, o *options, file string, list ...part) error {
	page, err := os.ReadFile(file) //nolint:gosec // the flag's
	if err != nil {
		return fmt.Errorf("reading the page: %w", err)
	}
	var errs []error
	for _, p := range list {
		text, err := p.run(ctx, o)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
			continue
		}
		begin, end := marks(p.name)
		before, rest, ok := strings.Cut(string(page), begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			errs = append(errs, fmt.Errorf("%s has no place for %s", file, p.name))
			continue
		}
		page = []byte(before + begin + text + end + after)
	}
	if err := os.WriteFile(file, page, 0o644); err != nil { //nolint:gosec // everybody may read it
		errs = append(errs, fmt.Errorf("writing the page: %w", err))
	}
	return errors.Join(errs...)
}

// machine says where and when it was measured.
func machine(context.Context, *options) (string, error) {
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(string(cpu), "model name\t: ")
	model, _, _ := strings.Cut(rest, "\n")
	redis, err := exec.Command("redis-server", "--version").Output()
	if err != nil {
		return "", err
	}
	version, _, _ := strings.Cut(string(redis), " sha=")
	return fmt.Sprintf("%d cores of %s, %s, %s, loopback, no TLS, `go run ./internal/scalebench`.\n",
		strings.Count(string(cpu), "processor\t:"), model, goVersion(), version), nil
}

func (o *options) say(format string, args ...any) {
	fmt.Fprintf(o.Err, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
