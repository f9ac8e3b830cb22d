package scaffold

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// FindMuster returns the directory of Muster's sources: where the command runs, or above it, or where it was built from.
func FindMuster() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding Muster's sources: %w", err)
	}
	_, file, _, _ := runtime.Caller(0) // a path of the machine that built it, unless it was built with -trimpath
	return find(dir, filepath.Join(filepath.Dir(file), "..", ".."))
}

// find looks in a directory and above it, and then where the command was built.
func find(dir, built string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		if isMuster(at) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	if filepath.IsAbs(built) && isMuster(built) {
		return built, nil
	}
	return "", fmt.Errorf("%s is not in a checkout of Muster, and where the command was built there is none: say by --muster DIR where Muster's sources are", dir)
}

// isMuster says whether a directory is that of Muster's module.
func isMuster(dir string) bool {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod")) //nolint:gosec // only its first lines are looked at
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(mod)) {
		if strings.TrimSpace(line) == "module muster" {
			return true
		}
	}
	return false
}
