package loadtest

import (
	"bytes"
	"testing"
	"time"
)

func TestPrinterKeepsLinesOffATerminal(t *testing.T) {
	var b bytes.Buffer
	p := Printer(&b, false)
	p(Progress{Phase: Joining, Elapsed: time.Second, Wanted: 50, Joined: 12})
	p(Progress{Phase: Measuring, Elapsed: 3 * time.Second, Wanted: 50, Joined: 49, Failed: 1, Errors: 2, FPS: 19.98, Bytes: 1200})
	p(Progress{Phase: Done})
	want := "  1s  joining     12/50 bots\n" +
		"  3s  measuring   49/50 bots, 1 failed  19.98 frames/s and 1200 bytes/s each  2 errors\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestPrinterCleansUpOnATerminal(t *testing.T) {
	var b bytes.Buffer
	p := Printer(&b, true)
	p(Progress{Phase: Joining, Elapsed: time.Second, Wanted: 2})
	p(Progress{Phase: Done})
	if want := "\r\x1b[K  1s  joining     0/2 bots\r\x1b[K"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
