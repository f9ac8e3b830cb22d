package pagebundle

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// list returns the files that are in a directory now, by their slash-separated path in it.
func list(dir string) (map[string][]byte, error) {
	files, tree := map[string][]byte{}, os.DirFS(dir)
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(tree, name)
		return err //nolint:wrapcheck // below
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s: %w", dir, err)
	}
	return files, nil
}

// Compare returns an error that names each file in which a directory differs from what it should hold.
func Compare(dir string, want map[string][]byte) error {
	have, err := list(dir)
	if err != nil {
		return err
	}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		body, there := have[name]
		switch {
		case !there:
			wrong = append(wrong, name+" is missing")
		case !bytes.Equal(body, want[name]):
			wrong = append(wrong, name+" differs")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, known := want[name]; !known {
			wrong = append(wrong, name+" has no source")
		}
	}
	if wrong == nil {
		return nil
	}
	return fmt.Errorf("%s is stale: %s", filepath.ToSlash(dir), strings.Join(wrong, ", "))
}

// Write makes a directory hold these files and no others. Files that are right are left alone.
func Write(dir string, want map[string][]byte) error {
	have, err := list(dir)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, known := want[name]; !known {
			if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				return fmt.Errorf("writing %s: %w", dir, err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if body, there := have[name]; there && bytes.Equal(body, want[name]) {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // sources, for everybody
			return fmt.Errorf("writing %s: %w", dir, err)
		}
		if err := os.WriteFile(file, want[name], 0o644); err != nil { //nolint:gosec // served to everybody
			return fmt.Errorf("writing %s: %w", dir, err)
		}
	}
	return nil
}
