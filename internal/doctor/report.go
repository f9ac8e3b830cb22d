package doctor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// maxExamples is how many examples of each kind of finding are kept.
const maxExamples = 5

// Report is what a look found.
type Report struct {
	Namespace string  `json:"namespace"`
	Keys      int64   `json:"keys"`  // that were looked at; while they change some may count twice
	Grace     string  `json:"grace"` // as in 2m0s
	Count     int     `json:"count"` // of all findings
	Findings  []Group `json:"findings"`
	// Unchecked is how many more had no owner than were looked at again.
	Unchecked int `json:"unchecked"`

	groups map[finding]*Group
}

// Group is all that was found of one kind of key for one reason.
type Group struct {
	Pattern  string   `json:"pattern"`
	Reason   string   `json:"reason"`
	Count    int      `json:"count"`
	Examples []string `json:"examples"` // a key, and where only a part of it was found a space and that; escaped
}

func newReport(namespace string, grace time.Duration) *Report {
	return &Report{Namespace: namespace, Grace: grace.String(), Findings: []Group{}, groups: map[finding]*Group{}}
}

func (r *Report) add(f finding) {
	r.Count++
	kind := finding{pattern: f.pattern, why: f.why}
	g := r.groups[kind]
	if g == nil {
		g = &Group{Pattern: f.pattern, Reason: f.why}
		r.groups[kind] = g
	}
	example := escaped(f.key)
	if f.part != "" {
		example += " " + escaped(f.part)
	}
	if g.Count++; len(g.Examples) < maxExamples && !slices.Contains(g.Examples, example) {
		g.Examples = append(g.Examples, example)
	}
}

// escaped is a text that a terminal and a reader can take: what is in Redis may be anybody's.
func escaped(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "…"
	}
	q := strconv.QuoteToGraphic(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// finish puts what was found in order.
func (r *Report) finish() {
	for _, g := range r.groups {
		slices.Sort(g.Examples)
		r.Findings = append(r.Findings, *g)
	}
	slices.SortFunc(r.Findings, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Reason, b.Reason))
	})
}

// Clean says whether nothing was found.
func (r *Report) Clean() bool { return r.Count == 0 && r.Unchecked == 0 }

// WriteJSON prints the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r) //nolint:wrapcheck // of w
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	if len(r.Findings) > 0 {
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintf(t, "COUNT\tKEYS LIKE\tREASON\n")
		for _, g := range r.Findings {
			fmt.Fprintf(t, "%d\t%s\t%s\n", g.Count, g.Pattern, g.Reason)
		}
		_ = t.Flush() // into memory
		for _, g := range r.Findings {
			fmt.Fprintf(&b, "\n%s: %s\n", g.Pattern, g.Reason)
			for _, e := range g.Examples {
				fmt.Fprintf(&b, "  %s\n", e)
			}
			if more := g.Count - len(g.Examples); more > 0 {
				fmt.Fprintf(&b, "  and %d more\n", more)
			}
		}
		b.WriteString("\n")
	}
	if r.Unchecked > 0 {
		fmt.Fprintf(&b, "%d more have no owner now; they were too many to be looked at again\n", r.Unchecked)
	}
	fmt.Fprintf(&b, "%d keys of namespace %s, %d without an owner for %s or wrong\n", r.Keys, r.Namespace, r.Count, r.Grace)
	_, err := io.WriteString(w, b.String())
	return err //nolint:wrapcheck // of w
}
