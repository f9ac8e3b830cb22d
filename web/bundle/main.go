// Bundle builds the pages of package web: it bundles web/src into web/dist.
//
//	go run ./web/bundle           writes web/dist
//	go run ./web/bundle -check    exits 1 when web/dist is not what the sources give
//
// The result depends on the sources alone: not on where the checkout is, where the command runs, or when. It needs no
// Node.js and no node_modules; those are for type checks and browser tests.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"muster/web/pagebundle"
)

func main() {
	check := flag.Bool("check", false, "write nothing, exit 1 when the built files are stale")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(check bool) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	files, err := build(root)
	if err != nil {
		return err
	}
	out := filepath.Join(root, "web", "dist")
	if check {
		if err := pagebundle.Compare(out, files); err != nil {
			return fmt.Errorf("%w; go run ./web/bundle makes it anew", err)
		}
		return nil
	}
	return pagebundle.Write(out, files)
}

// moduleRoot finds the directory of go.mod, from the working directory upwards.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod here or above: run this in the repository")
		}
		dir = parent
	}
}
