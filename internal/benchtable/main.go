// Command benchtable runs the benchmarks of the hot paths and writes them down as a table, docs/BENCHMARKS.md:
//
//	go run ./internal/benchtable          write the table (make bench)
//	go run ./internal/benchtable -check   fail when a benchmark allocates more often than the table says
//
// Times differ from one machine to the next, so they are not checked; allocations do not.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// packages are those with hot paths.
var packages = []string{"./proto", "./netcode", "./match", "./match/edge", "./match/bridge", "./games/arena"}

// checkTime is for how long a check runs each benchmark: long enough for what is allocated once to vanish.
const checkTime = "40ms"

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "benchtable:", err)
		os.Exit(1)
	}
}

func run(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("benchtable", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("file", "docs/BENCHMARKS.md", "the table")
	check := flags.Bool("check", false, "compare allocations with the table, and write nothing")
	benchtime := flags.String("benchtime", "200ms", "for how long each benchmark runs")
	count := flags.Int("count", 3, "how often all of them run")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the flags: %w", err)
	}
	if *check {
		return checkTable(*file, stderr)
	}
	out, err := benchmarks(stderr, *benchtime, *count)
	if err != nil {
		return err
	}
	t, err := read(out)
	if err != nil {
		return err
	}
	t.goVersion, t.procs = runtime.Version(), runtime.GOMAXPROCS(0)
	t.command = fmt.Sprintf("go run ./internal/benchtable -benchtime %s -count %d", *benchtime, *count)
	if err := os.WriteFile(*file, t.markdown(), 0o644); err != nil { //nolint:gosec // everybody may read it
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

func checkTable(file string, stderr io.Writer) error {
	old, err := os.ReadFile(file) //nolint:gosec // the flag's
	if err != nil {
		return fmt.Errorf("reading the table: %w", err)
	}
	out, err := benchmarks(stderr, checkTime, 2)
	if err != nil {
		return err
	}
	t, err := read(out)
	if err != nil {
		return err
	}
	complaints := compare(allocations(old), t)
	for _, c := range complaints {
		fmt.Fprintln(stderr, c)
	}
	if len(complaints) > 0 {
		return errors.New("allocations are not those of " + file + "; where that is meant: make bench")
	}
	return nil
}

// benchmarks runs them all, one package at a time, and then again: who disturbs one run has gone by the next. It returns
// what go test prints.
func benchmarks(stderr io.Writer, benchtime string, count int) ([]byte, error) {
	args := append([]string{"test", "-run", "^$", "-bench", ".", "-benchmem", "-benchtime", benchtime, "-p", "1"}, packages...)
	fmt.Fprintln(stderr, "go", strings.Join(args, " "))
	var out bytes.Buffer
	for range count {
		cmd := exec.Command("go", args...) //nolint:gosec // go itself, with our flags
		cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, stderr), stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("running the benchmarks: %w", err)
		}
	}
	return out.Bytes(), nil
}
