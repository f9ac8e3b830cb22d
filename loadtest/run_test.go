package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/proto"
)

func TestRunMeasuresAndLeaves(t *testing.T) {
	s := startServer(t)
	cfg := s.config()
	for _, text := range []string{"errors==0", "joined==4", "fps_min>1", "ack_p99<5s", "fps_min>100000"} {
		g, err := ParseGate(text)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Gates = append(cfg.Gates, g)
	}
	var phases []Phase
	rep, err := Run(t.Context(), cfg, func(p Progress) { phases = append(phases, p.Phase) })
	if err != nil {
		t.Fatal(err)
	}
	if rep.Bots != (Bots{Wanted: 4, Joined: 4, Matches: 4}) || rep.Game != "dots" || rep.Queue != "dots" {
		t.Errorf("%+v", rep)
	}
	if rep.FPS.Count != 4 || rep.FPS.Min < 1 || rep.FPS.Mean > 2*fakeRate || rep.Gap.Count == 0 || rep.Ack.Count == 0 {
		t.Errorf("frames %+v, gaps %+v, acks %+v", rep.FPS, rep.Gap, rep.Ack)
	}
	if rep.BytesIn < 10 || rep.BytesOut < 10 || rep.Inputs == 0 || rep.Seconds < 0.4 || rep.JoinTime <= 0 {
		t.Errorf("%+v", rep)
	}
	if len(rep.Closes) != 1 || rep.Closes[0] != (Count{"left", 4}) || s.left.Load() != 4 {
		t.Errorf("closes %+v; %d left", rep.Closes, s.left.Load())
	}
	for i, g := range rep.Gates {
		if want := i < 4; g.Pass != want {
			t.Errorf("gate %+v, want pass %v", g, want)
		}
	}
	if rep.Pass() {
		t.Error("the report passes with a failed gate")
	}
	if len(phases) == 0 || phases[len(phases)-1] != Done {
		t.Errorf("phases %v", phases)
	}
}

func TestRunWithoutAServerSaysWhy(t *testing.T) {
	s := startServer(t)
	s.srv.Close()
	rep, err := Run(t.Context(), s.config(), nil)
	if err == nil || !strings.HasPrefix(err.Error(), "no bot joined: asking for a guest: ") {
		t.Errorf("error %v", err)
	}
	if rep == nil || rep.Bots.Failed != 4 || rep.ErrorCount != 4 || len(rep.Errors) != 1 || rep.Errors[0].Kind != "dial" {
		t.Errorf("%+v", rep)
	}
}

func TestRunCountsRefusalsByKind(t *testing.T) {
	s := startServer(t)
	var n atomic.Int64
	s.refuse = func() int {
		if n.Add(1) == 1 {
			return 403
		}
		return 0
	}
	rep, err := Run(t.Context(), s.config(), nil)
	if err != nil || rep.Bots.Joined != 3 || rep.Bots.Failed != 1 {
		t.Fatalf("%+v, error %v", rep.Bots, err)
	}
	if len(rep.Errors) != 1 || rep.Errors[0].Kind != "lobby 403" || !strings.Contains(rep.Errors[0].First, "not now") {
		t.Errorf("errors %+v", rep.Errors)
	}
}

func TestBotsArePatientWithABusyLobby(t *testing.T) {
	s := startServer(t)
	var n atomic.Int64
	s.refuse = func() int {
		if n.Add(1) <= 3 {
			return 429
		}
		return 0
	}
	rep, err := Run(t.Context(), s.config(), nil)
	if err != nil || rep.Bots.Joined != 4 || rep.ErrorCount != 0 {
		t.Errorf("%+v, error %v", rep, err)
	}
}

func TestBotsGoNowhereElse(t *testing.T) {
	s := startServer(t)
	s.url = "ws://somewhere.invalid:99/match"
	cfg := s.config()
	cfg.Bots = 1
	rep, err := Run(t.Context(), cfg, nil)
	if err == nil || rep.Errors[0].Kind != "match address" || !strings.Contains(err.Error(), "somewhere.invalid:99") {
		t.Errorf("error %v", err)
	}
}

func TestBotsPlayOnAfterAMatchsEnd(t *testing.T) {
	s := startServer(t)
	s.lasts, s.ends = 10, &proto.Bye{Code: proto.CodeDone, Reason: "over"}
	cfg := s.config()
	cfg.Bots, cfg.Duration = 2, 5*time.Second
	rep, err := Run(t.Context(), cfg, nil)
	if err != nil || rep.Bots.Joined != 2 || rep.Bots.Matches < 3 || rep.ErrorCount != 0 {
		t.Errorf("%+v, error %v", rep, err)
	}
}

func TestAKickIsAnError(t *testing.T) {
	s := startServer(t)
	s.lasts, s.ends = 1, &proto.Bye{Code: proto.CodeKicked, Reason: "no bots here"}
	rep, err := Run(t.Context(), s.config(), nil)
	if err != nil || rep.ErrorCount != 4 || rep.Errors[0].Kind != "close 4410 kicked" || rep.Closes[0].Name != "4410 kicked" {
		t.Errorf("%+v, error %v", rep, err)
	}
}

func TestInputsThatAreNeverAcknowledgedCount(t *testing.T) {
	s := startServer(t)
	s.deaf = true
	cfg := s.config()
	cfg.Bots, cfg.Duration = 1, 1300*time.Millisecond
	rep, err := Run(t.Context(), cfg, nil)
	if err != nil || rep.Unacked == 0 || rep.Ack.Count != rep.Unacked || rep.Ack.P50 < 1000 {
		t.Errorf("acks %+v, %d unacknowledged, error %v", rep.Ack, rep.Unacked, err)
	}
}

func TestRunIsCutShortByItsContext(t *testing.T) {
	s := startServer(t)
	cfg := s.config()
	cfg.Duration = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := 0
	rep, err := Run(ctx, cfg, func(p Progress) {
		if p.Phase == Measuring {
			told++
		}
		if told == 2 { // a second of the window has passed
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || rep == nil || rep.FPS.Count != 4 || s.left.Load() != 4 {
		t.Errorf("%+v, %d left, error %v", rep, s.left.Load(), err)
	}
}

func TestTokensComeFromTheCaller(t *testing.T) {
	s := startServer(t)
	s.refuse = func() int { return 404 } // not a development server
	cfg := s.config()
	cfg.Bots = 2
	var seen [2]atomic.Bool
	cfg.Token = func(_ context.Context, i int) (string, error) {
		seen[i].Store(true)
		return "own", nil
	}
	rep, err := Run(t.Context(), cfg, nil)
	if err != nil || rep.Bots.Joined != 2 || !seen[0].Load() || !seen[1].Load() {
		t.Errorf("%+v, error %v", rep, err)
	}
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	for want, cfg := range map[string]Config{
		"something like http":          {URL: "localhost:8080"},
		"the server's address is \"\"": {},
		"has a user":                   {URL: "http://a:b@c"},
		"-1 bots":                      {URL: "http://x", Bots: -1},
		"none may be negative":         {URL: "http://x", Duration: -1},
	} {
		if _, err := Run(t.Context(), cfg, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", cfg, err, want)
		}
	}
}

func TestCommandWritesTheReportAndFailsByItsGates(t *testing.T) {
	s := startServer(t)
	file := filepath.Join(t.TempDir(), "report.json")
	var never Gate
	if err := never.UnmarshalText([]byte("fps_min>1000000")); err != nil {
		t.Fatal(err)
	}
	cmd := Command{Bots: 2, Duration: 200 * time.Millisecond, Join: 5 * time.Second, JSON: file, Gate: []Gate{never}}
	var stdout, stderr bytes.Buffer
	err := cmd.Execute(t.Context(), s.srv.URL, testBot(), nil, &stdout, &stderr)
	if !errors.Is(err, ErrGates) {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(stdout.String(), "gate   FAIL  fps_min>1000000  measured ") {
		t.Errorf("table:\n%s", &stdout)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rep Report
	if err := json.Unmarshal(b, &rep); err != nil || rep.Bots.Joined != 2 || rep.Gates[0].Pass {
		t.Errorf("%+v, error %v", rep, err)
	}
}

func TestCommandPrintsJSONInsteadOfTheTable(t *testing.T) {
	s := startServer(t)
	cmd := Command{Bots: 1, Duration: 100 * time.Millisecond, JSON: "-"}
	var stdout, stderr bytes.Buffer
	if err := cmd.Execute(t.Context(), s.srv.URL, testBot(), nil, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(stdout.Bytes()) {
		t.Errorf("%s", &stdout)
	}
}

func TestCommandNoticesABadFileBeforeTheRun(t *testing.T) {
	cmd := Command{JSON: filepath.Join(t.TempDir(), "none", "report.json")}
	err := cmd.Execute(t.Context(), "http://127.0.0.1:1", testBot(), nil, &bytes.Buffer{}, &bytes.Buffer{})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
