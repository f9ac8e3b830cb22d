// Package secret looks after files that have keys and passwords.
package secret

import (
	"fmt"
	"os"
)

// CheckFile refuses a file that others than its owner can read, and one that is not there. Its errors name the file.
func CheckFile(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err //nolint:wrapcheck // names the file
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s has mode %04o, so others can read it: chmod 600 it", file, mode)
	}
	return nil
}
