// Package scaffold makes the directory of a new game: rules, page, tests and what builds them, complete and running, from
// the templates that it embeds. `muster new` is its command.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

// templates are files under their names in a game, and .tmpl; gitignore has its dot only there.
//
//go:embed template
var templates embed.FS

// Options say what is made.
type Options struct {
	// Name is the game's; see CheckName.
	Name string
	// Dir is the directory that is made for it. Its parent must be there, it itself must not.
	Dir string
	// Muster is the directory of Muster's module, which the game is built with.
	Muster string
}

// values are what templates use.
type values struct {
	Name     string
	Go       string // the version in Muster's go.mod
	Replace  string // Muster's module as the game's go.mod names it
	Client   string // the TypeScript SDK as the game's page names it
	Requires string // the requirements of Muster's go.mod, which are then the game's
}

// Write makes the directory of a game. All is there but the built page, which takes the go command. When it fails,
// nothing is left of it.
func Write(o Options) (err error) {
	if err := CheckName(o.Name); err != nil {
		return err
	}
	o.Dir = filepath.Clean(o.Dir) // a slash at its end would make it its own parent
	v, sums, err := read(o)
	if err != nil {
		return err
	}
	if err := os.Mkdir(o.Dir, 0o755); err != nil { //nolint:gosec // sources, for everybody
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s is there already; nothing in it was changed", o.Dir)
		}
		return fmt.Errorf("making the game's directory: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(o.Dir)) // made above, and by nobody else
		}
	}()
	files, err := render(v)
	if err != nil {
		return err
	}
	files["go.sum"] = sums
	for name, body := range files {
		file := filepath.Join(o.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // sources, for everybody
			return fmt.Errorf("writing %s: %w", name, err)
		}
		if err := os.WriteFile(file, body, 0o644); err != nil { //nolint:gosec // sources, for everybody
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}

// render returns the files of a game by their slash-separated names.
func render(v values) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(templates, "template", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(templates, name)
		if err != nil {
			return err //nolint:wrapcheck // it is embedded
		}
		t, err := template.New(name).Option("missingkey=error").Parse(string(text))
		if err != nil {
			return err //nolint:wrapcheck // names the template
		}
		var b bytes.Buffer
		if err := t.Execute(&b, v); err != nil {
			return err //nolint:wrapcheck // names the template
		}
		to := strings.TrimSuffix(strings.TrimPrefix(name, "template/"), ".tmpl")
		if to == "gitignore" {
			to = "." + to
		}
		files[to] = b.Bytes()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("making the game's files: %w", err)
	}
	return files, nil
}

// read learns what the templates need of Muster's module, and its go.sum.
func read(o Options) (v values, sums []byte, err error) {
	muster, err := whole(o.Muster)
	if err != nil {
		return v, nil, fmt.Errorf("finding Muster's sources: %w", err)
	}
	if !isMuster(muster) {
		return v, nil, fmt.Errorf("%s has no go.mod of the module muster", muster)
	}
	parent, err := whole(filepath.Dir(o.Dir))
	if errors.Is(err, fs.ErrNotExist) {
		return v, nil, fmt.Errorf("%s, the directory for %s, is not there; make it first", filepath.Dir(o.Dir), filepath.Base(o.Dir))
	}
	if err != nil {
		return v, nil, fmt.Errorf("finding the directory for %s: %w", o.Dir, err)
	}
	mod, err := os.ReadFile(filepath.Join(muster, "go.mod")) //nolint:gosec // the caller's own
	if err != nil {
		return v, nil, fmt.Errorf("reading Muster's go.mod: %w", err)
	}
	if sums, err = os.ReadFile(filepath.Join(muster, "go.sum")); err != nil { //nolint:gosec // the caller's own
		return v, nil, fmt.Errorf("reading Muster's go.sum: %w", err)
	}
	v.Name = o.Name
	v.Go, v.Requires = requirements(string(mod))
	v.Replace, v.Client = paths(filepath.Join(parent, filepath.Base(o.Dir)), muster)
	if strings.ContainsAny(v.Replace, " \t\"'`(){}[],") {
		v.Replace = strconv.Quote(v.Replace) // as a go.mod wants it
	}
	return v, sums, nil
}

// whole is the absolute path of a directory that is there, without symbolic links: ".." leads where it seems to.
func whole(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err //nolint:wrapcheck // callers say of what
	}
	return filepath.EvalSymlinks(dir) //nolint:wrapcheck // callers say of what
}

// paths are those of Muster's module as a game's go.mod names it, and of its SDK as the game's page does: relative where
// game and Muster are near each other, so that both can be moved together, else absolute.
func paths(game, muster string) (module, client string) {
	rel, err := filepath.Rel(game, muster)
	if err != nil || strings.Count(filepath.ToSlash(rel), "../") > 2 {
		return filepath.ToSlash(muster), filepath.ToSlash(filepath.Join(muster, "client", "ts"))
	}
	rel = filepath.ToSlash(rel)
	return rel, path.Join("..", rel, "client", "ts")
}

// requirements are the go directive and the require blocks of a go.mod. All of them are indirect ones of a module that
// uses this one.
func requirements(mod string) (version, requires string) {
	var b strings.Builder
	inside := false
	for line := range strings.Lines(mod) {
		text := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(text, "go "):
			version = strings.TrimPrefix(text, "go ")
		case text == "require (":
			inside = true
			b.WriteString(line)
		case inside:
			if inside = text != ")"; inside && !strings.HasSuffix(text, "// indirect") {
				line = "\t" + text + " // indirect\n"
			}
			b.WriteString(line)
		}
	}
	return version, strings.TrimRight(b.String(), "\n")
}
