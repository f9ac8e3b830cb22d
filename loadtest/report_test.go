package loadtest

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/client"
	"muster/internal/golden"
	"muster/proto"
)

func wantGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	golden.Check(t, filepath.Join("testdata", name), got, "run go test ./loadtest -update")
}

func exampleReport(t *testing.T) *Report {
	t.Helper()
	rep := &Report{
		URL: "http://127.0.0.1:8080", Game: "arena", Queue: "arena", Seconds: 20.003, JoinTime: 1.31,
		Bots: Bots{Wanted: 200, Joined: 199, Failed: 1, Matches: 201},
		FPS:  Spread{Count: 199, Min: 19.852, P50: 20, Mean: 19.981},
		Gap:  Times{Count: 79000, P50: 50.015, P99: 53.215, Max: 71.3},
		Ack:  Times{Count: 79000, P50: 72.511, P99: 121.023, Max: 141.9}, RTT: Times{Count: 3980, P50: 0.31, P99: 2.871, Max: 12041},
		BytesIn: 1203.6, BytesOut: 812.25, Inputs: 83000, Resyncs: 2, HashMismatches: 1, ErrorCount: 2,
		Closes: []Count{{"1000 done", 2}, {"left", 198}},
		Errors: []ErrorKind{{"lobby 429", 1, "creating a ticket for \"arena\": the lobby answered 429: too many"}},
		Gates:  []GateResult{},
	}
	for _, text := range []string{"ack_p99<150ms", "fps_min>=19.9", "errors==0", "bytes_per_bot<2000"} {
		g, err := ParseGate(text)
		if err != nil {
			t.Fatal(err)
		}
		rep.Gates = append(rep.Gates, g.check(rep))
	}
	return rep
}

func TestTableIsGolden(t *testing.T) {
	var b bytes.Buffer
	if err := exampleReport(t).Write(&b); err != nil {
		t.Fatal(err)
	}
	wantGolden(t, "table.txt", b.Bytes())
}

func TestTableOfNothingSaysSo(t *testing.T) {
	var b bytes.Buffer
	rep := newRecorder().report()
	rep.URL, rep.Queue = "http://127.0.0.1:8080", "arena"
	if err := rep.Write(&b); err != nil {
		t.Fatal(err)
	}
	wantGolden(t, "empty.txt", b.Bytes())
}

func TestJSONKeysAreGolden(t *testing.T) {
	var b bytes.Buffer
	if err := exampleReport(t).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	wantGolden(t, "report.json", b.Bytes())
}

func TestJSONListsAreNeverNull(t *testing.T) {
	var b bytes.Buffer
	if err := newRecorder().report().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b.Bytes(), []byte("null")) {
		t.Errorf("%s", b.Bytes())
	}
}

func TestSpreadOfBots(t *testing.T) {
	if got, want := spread([]float64{20, 18, 19, 23}), (Spread{4, 18, 19, 20}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := spread(nil); got != (Spread{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

// window returns a recorder that measures from 10 s to 20 s, and a function for the seconds of its clock.
func window() (*recorder, func(s float64) time.Time) {
	r := newRecorder()
	at := func(s float64) time.Time { return r.base.Add(time.Duration(s * float64(time.Second))) }
	r.begin(at(10))
	r.finish(at(20))
	return r, at
}

func near(got, want float64) bool { return got > want*0.998 && got < want*1.002 }

func TestOnlyTheWindowIsMeasured(t *testing.T) {
	r, at := window()
	b := &bot{rec: r, arrived: func() {}, since: at(9), interval: 50 * time.Millisecond}
	for s := 9.0; s < 21; s += 0.05 {
		b.onFrame(at(s + 0.01))
		b.onBytes(at(s+0.01), 60)
		b.onBytes(at(s+0.01), -30)
	}
	b.onAck(at(9.9), at(10.1)) // sent too early
	b.onAck(at(10.1), at(10.2))
	b.onAck(at(19.9), at(20.1)) // sent in time
	b.onRTT(at(5), time.Second)
	b.onRTT(at(15), 3*time.Millisecond)
	b.leave(at(21))
	r.bot(b.frames, b.in, b.out, b.active)
	rep := r.report()
	if !near(rep.FPS.Min, 20) || !near(rep.BytesIn, 1200) || !near(rep.BytesOut, 600) {
		t.Errorf("%v frames, %v bytes in, %v bytes out a second; want 20, 1200, 600", rep.FPS.Min, rep.BytesIn, rep.BytesOut)
	}
	if rep.Gap.Count != 199 || !near(rep.Gap.P50, 50) || !near(rep.Gap.Max, 50) {
		t.Errorf("gaps %+v", rep.Gap)
	}
	if rep.Ack.Count != 2 || !near(rep.Ack.P50, 100) || !near(rep.Ack.Max, 200) {
		t.Errorf("acks %+v", rep.Ack)
	}
	if rep.RTT.Count != 1 || !near(rep.RTT.P99, 3) {
		t.Errorf("round trips %+v", rep.RTT)
	}
}

func TestAStallThatHasNotEndedCounts(t *testing.T) {
	r, at := window()
	b := &bot{rec: r, arrived: func() {}, since: at(8), interval: 50 * time.Millisecond}
	b.onFrame(at(12))
	b.onUnacked(at(13), at(20.5)) // never acknowledged
	b.onUnacked(at(19.8), at(20)) // may be on its way
	b.leave(at(20.5))
	rep := r.report()
	if rep.Gap.Count != 1 || !near(rep.Gap.Max, 8000) {
		t.Errorf("gaps %+v, want one of 8 s", rep.Gap)
	}
	if rep.Ack.Count != 1 || !near(rep.Ack.Max, 7500) || rep.Unacked != 1 {
		t.Errorf("acks %+v and %d unacknowledged, want one of 7.5 s", rep.Ack, rep.Unacked)
	}
}

func TestABotWithoutAnyFrameIsOneGap(t *testing.T) {
	r, at := window()
	b := &bot{rec: r, arrived: func() {}, since: at(8), interval: 50 * time.Millisecond}
	b.leave(at(21))
	r.bot(b.frames, b.in, b.out, b.active)
	rep := r.report()
	if !near(rep.Gap.Max, 10_000) || rep.FPS.Count != 1 || rep.FPS.Min != 0 {
		t.Errorf("gaps %+v, frames %+v", rep.Gap, rep.FPS)
	}
}

func TestErrorsAreCountedByKindWithTheFirst(t *testing.T) {
	r := newRecorder()
	r.fail(&client.CloseError{Code: proto.CodeMatchGone, Reason: "one"})
	r.fail(&client.CloseError{Code: proto.CodeMatchGone, Reason: "two"})
	r.fail(&client.HandshakeError{Status: 401})
	r.closed("left", client.Stats{HashMismatches: 2, DecodeErrors: 1, Resyncs: 3})
	rep := r.report()
	want := []ErrorKind{
		{"close 4201 match_gone", 2, "the match's socket was closed: 4201 match_gone: one"},
		{"handshake 401", 1, "the match node refused the handshake with status 401"},
	}
	if diff := cmp.Diff(want, rep.Errors); diff != "" {
		t.Error(diff)
	}
	if rep.ErrorCount != 6 {
		t.Errorf("%d errors, want 3 and 3 of decoding", rep.ErrorCount)
	}
}
