// Command lobbybench measures matchmaking end to end: a Redis, a server and clients, each a process of its own on this
// machine. Tickets are created over REST at a steady rate, whatever the answers take (an open loop), and each player asks
// with a long poll until he has his seat. Meanwhile others wait for whom there is nobody, with long polls of their own.
//
//	go run ./internal/lobbybench -rate 1500 -waiting 10000 -for 20s
//
// A wait counts from when the ticket was to be created, so that a client or a server that is late hides nothing. CPU time
// is the kernel's account of each process. Linux only.
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
	"time"
)

// options say what is measured.
type options struct {
	Rate    int           // tickets a second
	Waiting int           // tickets that wait all the time
	Warm    time.Duration // of load before the window
	For     time.Duration // the window
	Idle    time.Duration // how long it is measured what the waiting alone cost
	Knot    int           // how many of those who wait could play with each other: fewer than a match
	Seed    uint64
	Serve   []string // the server's program, and arguments before "serve"
	Redis   []string // further options of redis-server
	Log     string   // file for what the server says; "" is none
}

// defaults are what the page of figures was measured with.
func defaults() options {
	return options{Rate: 1500, Waiting: 10_000, Warm: 3 * time.Second, For: 20 * time.Second, Idle: 5 * time.Second, Knot: 9, Seed: 1}
}

func main() {
	o := defaults()
	flag.IntVar(&o.Rate, "rate", o.Rate, "tickets a second")
	flag.IntVar(&o.Waiting, "waiting", o.Waiting, "tickets that wait all the time")
	flag.DurationVar(&o.Warm, "warm", o.Warm, "time of load before it is measured")
	flag.DurationVar(&o.For, "for", o.For, "time that is measured")
	flag.DurationVar(&o.Idle, "idle", o.Idle, "time in which it is measured what the waiting alone cost")
	flag.IntVar(&o.Knot, "knot", o.Knot, "how many of those who wait fit each other; a match is of 10")
	flag.Uint64Var(&o.Seed, "seed", o.Seed, "of arrivals and ratings")
	flag.StringVar(&o.Log, "log", "", "file for what the server says")
	muster := flag.String("muster", "", "the server's program; default: ./cmd/muster is built")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, o, *muster, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "lobbybench:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to be undone
	}
}

// measure builds the server where none is given, and runs the benchmark.
func measure(ctx context.Context, o options, muster string, out io.Writer) error {
	dir, err := os.MkdirTemp("", "lobbybench-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if muster == "" {
		muster = filepath.Join(dir, "muster")
		build := exec.CommandContext(ctx, "go", "build", "-o", muster, "./cmd/muster")
		if text, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building the server: %w\n%s", err, text)
		}
	}
	o.Serve = []string{muster}
	r, err := run(ctx, o, dir)
	if r != nil {
		err = errors.Join(err, r.write(out))
	}
	return err
}
