package pagebundle

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// Main is the command that builds the page of the game in the working directory. With -check it writes nothing and
// exits with status 1 when the built page is stale. It does not return.
func Main() {
	check := flag.Bool("check", false, "write nothing, exit 1 when the built page is stale")
	flag.Parse()
	run := Game
	if *check {
		run = CheckGame
	}
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Game builds the page of the game in dir, page/src, into page/dist.
func Game(dir string) error {
	files, err := game(dir)
	if err != nil {
		return err
	}
	return Write(filepath.Join(dir, "page", "dist"), files)
}

// CheckGame is an error when the built page of the game in dir is not what its sources give.
func CheckGame(dir string) error {
	files, err := game(dir)
	if err != nil {
		return err
	}
	if err := Compare(filepath.Join(dir, "page", "dist"), files); err != nil {
		return fmt.Errorf("%w; go generate ./... makes it anew", err)
	}
	return nil
}

// game returns what the sources of a game's page give.
func game(dir string) (map[string][]byte, error) {
	client, err := client(dir)
	if err != nil {
		return nil, err
	}
	s := Sources{
		Dir: filepath.Join(dir, "page", "src"), Client: client, Copies: map[string]string{},
		Entries: []Entry{{From: "main.ts", To: "page"}, {From: "style.css", To: "page"}},
	}
	err = fs.WalkDir(os.DirFS(s.Dir), ".", func(name string, d fs.DirEntry, err error) error {
		if ext := path.Ext(name); err == nil && !d.IsDir() && ext != ".ts" && ext != ".css" {
			s.Copies[name] = name
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", s.Dir, err)
	}
	return Build(s)
}

// client finds the SDK that belongs to the version of Muster that the module in dir uses.
func client(dir string) (string, error) {
	list := exec.CommandContext(context.Background(), "go", "list", "-m", "-f", "{{.Dir}}", "muster")
	list.Dir = dir
	out, err := list.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
		}
		return "", fmt.Errorf("asking go list where the module muster is: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "client", "ts"), nil
}
