package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
)

// command runs a program of the toolchain to its end.
func command(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...) //nolint:gosec // go itself, with our arguments
	c.Stdout, c.Stderr = stdout, stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("running %s: %w", name, err)
	}
	return nil
}
