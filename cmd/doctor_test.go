package cmd

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"muster/internal/doctor"
	"muster/internal/testredis"
)

func TestDoctorSaysByItsStatusWhetherThereIsSomething(t *testing.T) {
	t.Parallel()
	store := testredis.Start(t)
	rdb := store.Connect()
	ask := func(more ...string) (int, string, string) {
		var out, errs bytes.Buffer
		args := append([]string{"doctor", "--redis", store.URL(), "--namespace", "games", "--grace", "0s"}, more...)
		code := run(t.Context(), func() {}, args, nil, &out, &errs)
		return code, out.String(), errs.String()
	}
	if code, out, errs := ask(); code != 0 || !strings.HasPrefix(out, "0 keys of namespace games") || errs != "" {
		t.Errorf("an empty one: status %d, %q, %q", code, out, errs)
	}
	if err := rdb.HSet(t.Context(), "games:{room:r}:record", "node", "n").Err(); err != nil {
		t.Fatal(err)
	}
	code, out, errs := ask()
	if code != 1 || errs != "" || !strings.Contains(out, "games:{room:r}:record") || !strings.Contains(out, "its node is gone") {
		t.Errorf("one with a room that nobody has: status %d, %q, %q", code, out, errs)
	}
	code, out, _ = ask("--json")
	var report doctor.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 1 || report.Count != 2 || len(report.Findings) != 2 {
		t.Errorf("the same for programs: status %d, %v: %s", code, err, out)
	}
	store.Kill()
	if code, out, errs := ask(); code != 2 || out != "" || !strings.Contains(errs, "connecting to Redis") {
		t.Errorf("without Redis: status %d, %q, %q", code, out, errs)
	}
}
