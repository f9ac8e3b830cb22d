package loadtest

import (
	"fmt"
	"io"
	"time"
)

// Printer returns a function for [Run] that prints one line a second. On a terminal the line replaces the one before
// and is gone at the end; elsewhere each stays.
func Printer(w io.Writer, terminal bool) func(Progress) {
	return func(p Progress) {
		if terminal {
			_, _ = io.WriteString(w, "\r\x1b[K") // progress is not worth failing for
		}
		if p.Phase == Done {
			return
		}
		line := fmt.Sprintf("%4s  %-10s  %d/%d bots", p.Elapsed.Round(time.Second), p.Phase, p.Joined, p.Wanted)
		if p.Failed > 0 {
			line += fmt.Sprintf(", %d failed", p.Failed)
		}
		if p.FPS > 0 {
			line += fmt.Sprintf("  %s frames/s and %s bytes/s each", number(p.FPS), number(p.Bytes))
		}
		if p.Errors > 0 {
			line += fmt.Sprintf("  %d errors", p.Errors)
		}
		if !terminal {
			line += "\n"
		}
		_, _ = io.WriteString(w, line)
	}
}
