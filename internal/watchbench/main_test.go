package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"muster/cmd"
	"muster/games/arena"
	"muster/internal/needs"
	"muster/internal/pause"
)

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "serve": // the server of the benchmark
		cmd.Main(cmd.Game{Game: arena.Game, Bot: arena.Bot})
		return
	case len(os.Args) > 1 && os.Args[1] == "crowd":
		exit(crowd(os.Args[2:], os.Stdout))
		return
	}
	goleak.VerifyTestMain(m)
}

// It shows that 500 watch a match over real sockets and are sent it; the figures are of no use.
func TestFiveHundredWatchAMatchAndAreMeasured(t *testing.T) {
	needs.File(t, "/proc/self/stat", "Linux")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := &options{Watch: 500, Slow: 10, Rate: 4000, After: 40 * time.Second, Rooms: 1, Window: time.Second, Settle: 500 * time.Millisecond, Self: self, Err: io.Discard}
	s, err := newStage(t.Context(), withDir(t, o))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	began := time.Now()
	text, err := s.measure(t.Context())
	if err != nil || !strings.Contains(text, "450 watch") || !strings.Contains(text, "50 more come who are slow") || strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Fatalf("%s\n%v", text, err)
	}
	m, err := s.metrics(t.Context())
	if err != nil || m["muster_spectators"] < 495 || m["muster_spectator_writes_total"] < 1000 {
		t.Errorf("%v watch, %v writes, %v\n%s", m["muster_spectators"], m["muster_spectator_writes_total"], err, text)
	}
	// To fall behind takes longer than this test; they read as slowly as they say.
	st := s.slow.standing()
	for ; st.Slow < 45; st = s.slow.standing() { // to the test's end at the latest
		if err := pause.For(t.Context(), 100*time.Millisecond); err != nil {
			t.Fatalf("the slow ones stand as %+v: %v", st, err)
		}
	}
	if most := 50 * 4000 * (time.Since(began).Seconds() + 1); st.Read == 0 || float64(st.Read) > most {
		t.Errorf("they have read %d bytes after %v", st.Read, time.Since(began))
	}
	if n := m[closes]; n > 0 {
		t.Errorf("%v were closed", n)
	}
}

// What a slow one reads is no more than its rate, and what it is sent is found in it whatever its size.
func TestASlowOneReadsWholeMessagesAtItsRate(t *testing.T) {
	var sent bytes.Buffer
	want := [][]byte{bytes.Repeat([]byte{1}, 5), bytes.Repeat([]byte{2}, 300), bytes.Repeat([]byte{3}, 70_000)}
	for _, msg := range want {
		switch n := len(msg); {
		case n <= 125:
			sent.Write([]byte{0x82, byte(n)})
		case n < 1<<16:
			sent.Write(binary.BigEndian.AppendUint16([]byte{0x82, 126}, uint16(n)))
		default:
			sent.Write(binary.BigEndian.AppendUint64([]byte{0x82, 127}, uint64(n)))
		}
		sent.Write(msg)
	}
	bytesInAll := sent.Len()
	sent.Write([]byte{0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255})
	synctest.Test(t, func(t *testing.T) {
		lag := &lags{}
		began := time.Now()
		slow := &trickle{w: &watcher{in: bufio.NewReader(&sent)}, rate: 1000, lag: lag, pinged: began.Add(time.Hour), next: began}
		in := bufio.NewReaderSize(slow, 1024)
		var msg []byte
		for _, w := range want {
			var err error
			if msg, err = message(in, msg); err != nil || !bytes.Equal(msg, w) {
				t.Fatalf("a message of %d bytes for one of %d: %v", len(msg), len(w), err)
			}
		}
		if most := int(time.Since(began).Seconds()*1000) + 1000; bytesInAll > most || int(lag.read.Load()) < bytesInAll {
			t.Errorf("%d bytes in %v, %d counted", bytesInAll, time.Since(began), lag.read.Load())
		}
		if _, err := message(in, msg); err == nil {
			t.Error("a message of 2^64 bytes is read")
		}
	})
}

func TestHowSlowOnesStandIsToldInTicks(t *testing.T) {
	l := &lags{}
	l.come(false).tick.Store(100)
	for _, tick := range []uint32{0, 90, 50, 101} {
		l.come(true).tick.Store(tick)
	}
	text, err := json.Marshal(l.look())
	if err != nil {
		t.Fatal(err)
	}
	var passed strings.Builder
	h := &listener{to: &passed}
	for _, line := range []string{"coming\n", standingPrefix + string(text) + "\n"} {
		if _, err := h.Write([]byte(line)); err != nil {
			t.Error(err)
		}
	}
	if got := h.standing(); got != (standing{Slow: 3, Mid: 10, Most: 50}) || passed.String() != "coming\n" {
		t.Errorf("they stand as %+v; passed on: %q", got, passed.String())
	}
}

// withDir gives the benchmark a directory and its key.
func withDir(t *testing.T, o *options) *options {
	t.Helper()
	o.Dir = t.TempDir()
	if err := o.writeKey(); err != nil {
		t.Fatal(err)
	}
	return o
}

// A run ends when as many were brought on since the slow ones came as there are, or one was closed since then.
func TestWhatWasBeforeTheSlowOnesCameEndsNoWait(t *testing.T) {
	before := map[string]float64{skips: 7, closes: 3}
	for name, c := range map[string]struct {
		skips, closes float64
		want          bool
	}{
		"nothing since":      {7, 3, false},
		"too few since":      {16, 3, false},
		"as many since":      {17, 3, true},
		"one closed since":   {7, 4, true},
		"closed and skipped": {8, 4, true},
	} {
		if got := broughtOn(before, map[string]float64{skips: c.skips, closes: c.closes}, 10); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Slow ones are measured beside quick ones: a run without any is refused, and leaves nothing.
func TestARunWithoutQuickOnesIsRefused(t *testing.T) {
	for _, o := range []*options{{Watch: 500, Slow: 1}, {Watch: 500, Slow: -1}, {Watch: 0, Slow: 10}, {Watch: -5}} {
		o.Self, o.Err = "/nowhere", io.Discard
		if _, err := run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "-slow") && !strings.Contains(err.Error(), "-watch") {
			t.Errorf("-watch %d -slow %d: %v", o.Watch, o.Slow, err)
		}
	}
}
