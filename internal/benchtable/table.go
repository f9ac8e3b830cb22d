package main

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// Units as go test prints them.
const (
	unitTime   = "ns/op"
	unitBytes  = "B/op"
	unitAllocs = "allocs/op"
)

// table is the benchmarks of a run, in their order.
type table struct {
	cpu, system string
	goVersion   string
	procs       int
	command     string
	rows        []*row
}

// row is one benchmark: by unit the results of its runs.
type row struct {
	pkg, name string
	units     []string // in the order in which they came
	values    map[string][]float64
}

// key names a benchmark among those of all packages.
func (r *row) key() string { return r.pkg + " " + r.name }

// of returns what the table says of a unit: the median of the runs, but the least of times, since whatever else a
// machine does only adds to them.
func (r *row) of(unit string) float64 {
	list := slices.Sorted(slices.Values(r.values[unit]))
	switch {
	case len(list) == 0:
		return 0
	case strings.HasPrefix(unit, "ns/"):
		return list[0]
	}
	return list[len(list)/2]
}

// least returns the least of a unit's results.
func (r *row) least(unit string) float64 {
	if list := r.values[unit]; len(list) > 0 {
		return slices.Min(list)
	}
	return 0
}

// read takes what go test prints.
func read(out []byte) (*table, error) {
	t := &table{}
	rows := map[string]*row{}
	reader := benchfmt.NewReader(bytes.NewReader(out), "go test")
	for reader.Scan() {
		var result *benchfmt.Result
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			result = record
		case *benchfmt.SyntaxError:
			return nil, fmt.Errorf("reading the benchmarks: %w", record)
		default:
			continue
		}
		t.cpu, t.system = strings.TrimSpace(result.GetConfig("cpu")), result.GetConfig("goos")+"/"+result.GetConfig("goarch")
		r := &row{pkg: strings.TrimPrefix(result.GetConfig("pkg"), "muster/"), name: name(result.Name), values: map[string][]float64{}}
		if have := rows[r.key()]; have != nil {
			r = have
		} else {
			rows[r.key()] = r
			t.rows = append(t.rows, r)
		}
		for _, v := range result.Values {
			unit, value := v.Unit, v.Value
			if v.OrigUnit != "" { // the reader makes seconds of nanoseconds
				unit, value = v.OrigUnit, v.OrigValue
			}
			if r.values[unit] == nil {
				r.units = append(r.units, unit)
			}
			r.values[unit] = append(r.values[unit], value)
		}
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("reading the benchmarks: %w", err)
	}
	return t, nil
}

// name returns a benchmark's name without the number of processors at its end.
func name(n benchfmt.Name) string {
	base, parts := n.Parts()
	s := string(base)
	for _, part := range parts {
		if part[0] != '-' {
			s += string(part)
		}
	}
	return s
}

// markdown is the table as it is committed.
func (t *table) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Benchmarks

Of the hot paths, one processor's time. B and allocs are of the heap. Allocations are a promise: the continuous
integration fails when there are more of them. Times are those of one machine on one day, to compare with each other:

- %s, %s, %s, GOMAXPROCS=%d
- %s

Times are the least of the runs, other numbers the median. This page is written by that command; nobody edits it.
`, t.cpu, t.system, t.goVersion, t.procs, "`"+t.command+"`")
	pkg := ""
	for _, r := range t.rows {
		if r.pkg != pkg {
			pkg = r.pkg
			fmt.Fprintf(&b, "\n## %s\n\n| benchmark | ns/op | B/op | allocs/op | and |\n|---|---:|---:|---:|---|\n", pkg)
		}
		var more []string
		for _, unit := range r.units {
			if unit != unitTime && unit != unitBytes && unit != unitAllocs {
				more = append(more, digits(r.of(unit))+" "+unit)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.name,
			digits(r.of(unitTime)), digits(r.of(unitBytes)), digits(r.of(unitAllocs)), strings.Join(more, ", "))
	}
	return b.Bytes()
}

// digits writes a number with three significant digits, or whole.
func digits(v float64) string {
	switch {
	case v == float64(int64(v)) || v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

var (
	heading = regexp.MustCompile(`^## (\S+)$`)
	line    = regexp.MustCompile(`^\| (\S+) \| [\d.]+ \| [\d.]+ \| (\d+) \|`)
)

// allocations reads a committed table: by benchmark, how often it allocates.
func allocations(markdown []byte) map[string]float64 {
	list := map[string]float64{}
	pkg := ""
	for s := range strings.Lines(string(markdown)) {
		s = strings.TrimSpace(s)
		if m := heading.FindStringSubmatch(s); m != nil {
			pkg = m[1]
		} else if m := line.FindStringSubmatch(s); m != nil {
			n, _ := strconv.ParseFloat(m[2], 64) // digits, the pattern says
			list[pkg+" "+m[1]] = n
		}
	}
	return list
}

// few is up to how many allocations none more is allowed. Benchmarks with more of them have buffers that grow more and
// more rarely, so that it depends on how long they run; half as many again are allowed.
const few = 4

// compare returns what allocates more often than it did, and what only one of the two has.
func compare(old map[string]float64, now *table) (complaints []string) {
	for _, r := range now.rows {
		was, ok := old[r.key()]
		is := r.least(unitAllocs)
		switch limit := was; {
		case !ok:
			complaints = append(complaints, r.key()+" is not in the table")
		default:
			if was > few {
				limit += was / 2
			}
			if is > limit {
				complaints = append(complaints, fmt.Sprintf("%s allocates %v times; it did %v times", r.key(), is, was))
			}
		}
		delete(old, r.key())
	}
	for _, key := range slices.Sorted(maps.Keys(old)) {
		complaints = append(complaints, key+" is in the table and was not run")
	}
	return complaints
}
