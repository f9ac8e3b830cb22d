package loadtest

import (
	"strings"
	"testing"
)

func TestParseGateReadsNameOperatorAndBound(t *testing.T) {
	for text, want := range map[string]Gate{
		"ack_p99<150ms":       {"ack_p99", "<", 150, "ack_p99<150ms"},
		"fps_min >= 19":       {"fps_min", ">=", 19, "fps_min>=19"},
		"errors==0":           {"errors", "==", 0, "errors==0"},
		"bytes_per_bot<=2e3":  {"bytes_per_bot", "<=", 2000, "bytes_per_bot<=2e3"},
		"gap_max>1.5s":        {"gap_max", ">", 1500, "gap_max>1.5s"},
		"rtt_p50<500us":       {"rtt_p50", "<", 0.5, "rtt_p50<500us"},
		" joined == 200 ":     {"joined", "==", 200, "joined==200"},
		"hash_mismatches<0.5": {"hash_mismatches", "<", 0.5, "hash_mismatches<0.5"},
	} {
		got, err := ParseGate(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, error %v", text, got, err)
		}
	}
}

func TestParseGateSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"ack_p99":          "no operator",
		"ack_p98<1ms":      "no figure is named \"ack_p98\"; there are joined, failed, errors, fps_min",
		"ack_p99<150":      "is a time, and \"150\" is none like 150ms",
		"fps_min>=19ms":    "is a number, and \"19ms\" is none",
		"fps_min>=NaN":     "is a number",
		"errors!=0":        "no operator is spelt \"!=\"; there are <, <=, >, >= and ==",
		"errors=0":         "no operator is spelt \"=\"",
		"fps_min>":         "is a number, and \"\" is none",
		"<5":               "no figure is named \"\"",
		"ack_p99<150ms<2s": "is a time",
	} {
		if _, err := ParseGate(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

func TestGatesCompareWithTheReport(t *testing.T) {
	rep := &Report{
		FPS: Spread{Count: 2, Min: 19, P50: 20, Mean: 19.5}, Ack: Times{Count: 9, P50: 60, P99: 150, Max: 151},
		BytesIn: 1999.5, ErrorCount: 3,
	}
	for text, pass := range map[string]bool{
		"fps_min>=19": true, "fps_min>19": false, "ack_p99<150ms": false, "ack_p99<=0.15s": true,
		"errors==3": true, "errors==0": false, "bytes_per_bot<2000": true, "ack_max>150ms": true,
	} {
		g, err := ParseGate(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.check(rep); got.Pass != pass || got.Value == nil {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func TestGateFailsWhereNothingWasMeasured(t *testing.T) {
	for _, text := range []string{"ack_p99<1h", "fps_min>=0", "bytes_per_bot<1e9", "gap_p50>=0s", "rtt_p99<1h"} {
		g, err := ParseGate(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.check(&Report{}); got.Pass || got.Value != nil {
			t.Errorf("%s on an empty report: %+v", text, got)
		}
	}
}

func TestEveryMetricHasItsOwnName(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range MetricNames() {
		if seen[name] {
			t.Errorf("two figures are named %s", name)
		}
		seen[name] = true
	}
}
