package main

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const printed = `goos: linux
goarch: amd64
pkg: muster/proto
cpu: A Processor
BenchmarkHead-8   	 1000	       11.5 ns/op	       0 B/op	       0 allocs/op
BenchmarkHead-8   	 1000	       12.5 ns/op	       0 B/op	       0 allocs/op
BenchmarkHead-8   	 1000	       99.5 ns/op	       0 B/op	       0 allocs/op
PASS
ok  	muster/proto	1.0s
pkg: muster/netcode
BenchmarkRows/200_rows-8 	 10	 30000 ns/op	 1.03125 B/row	 49.5 ns/field	 64 B/op	 2 allocs/op
BenchmarkRows/200_rows-8 	 10	 31000 ns/op	 1.03125 B/row	 51.5 ns/field	 64 B/op	 3 allocs/op
BenchmarkCrowd/16-wide-8 	 10	 31000 ns/op	 64 B/op	 20 allocs/op
PASS
`

func parsed(t *testing.T, out string) *table {
	t.Helper()
	tab, err := read([]byte(out))
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestTheTableHasTheNumbersAndTheMachine(t *testing.T) {
	tab := parsed(t, printed)
	tab.goVersion, tab.procs, tab.command = "go1.2", 8, "make it"
	page := string(tab.markdown())
	for _, want := range []string{
		"- A Processor, linux/amd64, go1.2, GOMAXPROCS=8\n- `make it`\n",
		"\n## proto\n", "\n| Head | 11.5 | 0 | 0 |  |\n",
		"\n## netcode\n", "\n| Rows/200_rows | 30000 | 64 | 3 | 1.03 B/row, 49.5 ns/field |\n",
		"\n| Crowd/16-wide | 31000 | 64 | 20 |  |\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
}

func TestWhatAllocatesMoreOftenIsFound(t *testing.T) {
	page := parsed(t, printed).markdown()
	for name, c := range map[string]struct {
		from, to string
		want     []string
	}{
		"the same":             {"", "", nil},
		"one more than none":   {"0 allocs/op", "1 allocs/op", []string{"proto Head allocates 1 times; it did 0 times"}},
		"two more":             {" 2 allocs/op", " 4 allocs/op", nil}, // the other run still has 3
		"fewer":                {" 3 allocs/op", " 0 allocs/op", nil},
		"a third more of many": {"20 allocs/op", "27 allocs/op", nil},
		"twice as many":        {"20 allocs/op", "40 allocs/op", []string{"netcode Crowd/16-wide allocates 40 times; it did 20 times"}},
		"a new one":            {"Head", "Heads", []string{"proto Heads is not in the table", "proto Head is in the table and was not run"}},
		"one that is gone":     {"BenchmarkCrowd", "Crowd", []string{"netcode Crowd/16-wide is in the table and was not run"}},
	} {
		got := compare(allocations(page), parsed(t, strings.ReplaceAll(printed, c.from, c.to)))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A benchmark whose output is not understood must not vanish from the table.
func TestOutputThatIsNotUnderstoodIsAnError(t *testing.T) {
	if _, err := read([]byte("BenchmarkHead-8 1000 what ns/op\n")); err == nil {
		t.Error("no error")
	}
}
