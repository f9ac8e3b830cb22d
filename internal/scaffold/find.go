package scaffold

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// FindMuster returns the directory of Muster's sources: where the command runs, or above it, or where it was built from.
// It is "" where neither has them.
func FindMuster() string {
	if dir, err := os.Getwd(); err == nil {
		for ; ; dir = filepath.Dir(dir) {
			if isMuster(dir) {
				return dir
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	if _, file, _, ok := runtime.Caller(0); ok { // a path of the machine that built it, unless it was built with -trimpath
		if dir := filepath.Join(filepath.Dir(file), "..", ".."); filepath.IsAbs(file) && isMuster(dir) {
			return dir
		}
	}
	return ""
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
