package queuefile

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"muster/lobby/queue"
)

// document is a file that is being read: what came of it, and what is wrong with it.
type document struct {
	opts     Options
	queues   []queue.Rules
	mistakes Mistakes
}

// add says that something is wrong at a line.
func (d *document) add(line int, format string, args ...any) {
	if len(d.mistakes) < maxErrors {
		d.mistakes = append(d.mistakes, Mistake{File: d.opts.Name, Line: line, Text: fmt.Sprintf(format, args...)})
	}
}

func (d *document) sort() {
	slices.SortStableFunc(d.mistakes, func(a, b Mistake) int { return cmp.Compare(a.Line, b.Line) })
}

// found is what a node is, in an error's words.
func found(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	default:
		return short(n.Value)
	}
}

// short is a text in quotes, cut where it is long.
func short(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(strings.ToValidUTF8(s, "�"))
}

// field is a key that a map may have, and what reads its value.
type field struct {
	key  string
	read func(n *yaml.Node, at string)
}

// fields reads a map whose keys are known. at is the path of n, "queues.ranked.start"; "" is the root.
func (d *document) fields(n *yaml.Node, at string, known ...field) {
	d.each(n, at, "a map of "+keysOf(known), func(key *yaml.Node, value *yaml.Node, at string) {
		i := slices.IndexFunc(known, func(f field) bool { return f.key == key.Value })
		if i < 0 {
			text := fmt.Sprintf("%s is no key here", short(key.Value))
			if near := nearest(key.Value, known); near != "" {
				text += fmt.Sprintf(", did you mean %s?", near)
			} else {
				text += ": want " + keysOf(known)
			}
			d.add(key.Line, "%s", text)
			return
		}
		known[i].read(value, at)
	})
}

// each reads a map, whose keys are texts and all different.
func (d *document) each(n *yaml.Node, at, want string, read func(key, value *yaml.Node, at string)) {
	if n.Kind != yaml.MappingNode {
		d.wants(n, at, want)
		return
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!null" || key.Tag == "!!merge":
			d.add(key.Line, "%s is no key: want a word", found(key))
			continue
		case seen[key.Value]:
			d.add(key.Line, "%s is here twice", path(at, key.Value))
			continue
		}
		seen[key.Value] = true
		read(key, value, path(at, key.Value))
	}
}

// list reads a list of at least one and at most most things.
func (d *document) list(n *yaml.Node, at string, most int, want string, read func(n *yaml.Node, at string)) {
	if n.Kind != yaml.SequenceNode {
		d.wants(n, at, want)
		return
	}
	if len(n.Content) == 0 || len(n.Content) > most {
		d.add(n.Line, "%s has %d entries, want 1 to %d", at, len(n.Content), most)
		return
	}
	for i, c := range n.Content {
		read(c, fmt.Sprintf("%s[%d]", at, i))
	}
}

// wants says that something else was expected.
func (d *document) wants(n *yaml.Node, at, want string) {
	if at == "" {
		at = "the file"
	}
	d.add(n.Line, "%s is %s, want %s", at, found(n), want)
}

// whole reads a whole number above zero.
func (d *document) whole(to *int, high int) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		v, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || v < 1 || v > high {
			d.wants(n, at, fmt.Sprintf("a whole number from 1 to %d", high))
			return
		}
		*to = v
	}
}

// number reads a number from 0 to high.
func (d *document) number(to *float64, high float64, unit string) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		v, err := strconv.ParseFloat(n.Value, 64)
		if n.Kind != yaml.ScalarNode || n.Tag == "!!str" || err != nil || math.IsNaN(v) || v < 0 || v > high {
			d.wants(n, at, fmt.Sprintf("a number from 0 to %g%s", high, unit))
			return
		}
		*to = v
	}
}

// duration reads a time with its unit.
func (d *document) duration(to *time.Duration, low, high time.Duration) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		v, err := time.ParseDuration(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || v != 0 && v < low || v < 0 || v > high || v == 0 && low > 0 {
			want := fmt.Sprintf("a time with its unit, as 90s or 2m, from %s to %s", brief(low), brief(high))
			d.wants(n, at, want)
			return
		}
		*to = v
	}
}

// flag reads true or false.
func (d *document) flag(to *bool) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			d.wants(n, at, "true or false")
			return
		}
		*to = strings.EqualFold(n.Value, "true") // True and TRUE are flags, too
	}
}

// names are what queues, regions, roles, attributes and rules may be called.
var names = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)

const wantName = "a name: up to 31 of a-z, 0-9, _ and -, the first a letter"

// name reads a name.
func (d *document) name(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		if !d.isName(n, at) {
			return
		}
		*to = n.Value
	}
}

// isName says whether a node is a name, and adds a mistake where it is not.
func (d *document) isName(n *yaml.Node, at string) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || !names.MatchString(n.Value) {
		d.wants(n, at, wantName)
		return false
	}
	return true
}

func path(at, key string) string {
	if len(key) > 40 {
		key = key[:40] + "…"
	}
	key = strings.ToValidUTF8(key, "�")
	if at == "" {
		return key
	}
	return at + "." + key
}

// brief is a duration without units that are zero: 2m, not 2m0s.
func brief(v time.Duration) string {
	s := v.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func keysOf(known []field) string {
	list := make([]string, len(known))
	for i := range known {
		list[i] = known[i].key
	}
	return strings.Join(list, ", ")
}

// nearest is the known key that a misspelt one is likely to mean; "" is none.
func nearest(key string, known []field) (best string) {
	const most = 64 // of bytes that are looked at
	if len(key) > most {
		return ""
	}
	least := max(len(key)/3, 1) + 1
	for i := range known {
		if n := distance(key, known[i].key); n < least {
			least, best = n, known[i].key
		}
	}
	return best
}

// distance is how many letters must be put in, left out, changed or swapped with the next to make one word of another.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
