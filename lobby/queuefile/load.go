package queuefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"muster/lobby/queue"
)

// Bounds of a file.
const (
	MaxSize   = 256 << 10 // in bytes
	MaxQueues = 64
	// maxErrors is how many mistakes are said at once.
	maxErrors = 20
	// maxDepth is how deep flow lists and maps may lie in one another. What a file needs is 5.
	maxDepth = 32
)

// Options are what a file is read with. The zero value is of use.
type Options struct {
	// Name is the file's, as errors say it. Default "queues".
	Name string
	// Seats are how many seats a room of each game has. Queues of other games, and those whose matches have more
	// players, are mistakes. nil checks neither.
	Seats map[string]int
	// Watched has the games that may be watched. A queue of another whose matches may be is a mistake. nil checks nothing.
	Watched map[string]bool
	// Failed hears of an expression that could not be worked out for two tickets, which then does not hold. It is called
	// each time, by whatever goroutine matches, so it must be quick. nil is nobody.
	Failed func(queue, rule string, err error)
}

// Mistake is one thing that is wrong with a file.
type Mistake struct {
	File string
	Line int // from 1; 0 is the file as a whole
	Text string
}

// Error implements error: FILE:LINE: TEXT.
func (m Mistake) Error() string {
	if m.Line == 0 {
		return m.File + ": " + m.Text
	}
	return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Text)
}

// Mistakes are everything that is wrong with a file, in the order of lines, at most 20. Error has a line for each.
type Mistakes []Mistake

// Error implements error.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i := range m {
		lines[i] = m[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Open reads a file by its name, which is also the one that errors say.
func Open(name string, o Options) ([]queue.Rules, error) {
	o.Name = name
	f, err := os.Open(name) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("opening the queues: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the queues: %w", err)
	}
	return Load(data, o)
}

// Load returns the rules of a file's queues in its order, valid and with defaults filled in. Its error is Mistakes.
func Load(data []byte, o Options) ([]queue.Rules, error) {
	if o.Name == "" {
		o.Name = "queues"
	}
	d := &document{opts: o}
	if root := d.parse(data); root != nil {
		d.file(root)
	}
	if len(d.mistakes) > 0 {
		d.sort()
		return nil, d.mistakes
	}
	return d.queues, nil
}

// parse returns the file's one document; nil where there is a mistake in its syntax.
func (d *document) parse(data []byte) *yaml.Node {
	if len(data) > MaxSize {
		d.add(0, "it has more than %d KiB", MaxSize>>10)
		return nil
	}
	if line := tooDeep(data); line > 0 {
		d.add(line, "lists and maps lie more than %d deep in one another", maxDepth)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		d.add(0, "it is empty: want the key queues")
		return nil
	case err != nil:
		d.syntax(err)
		return nil
	}
	switch err := dec.Decode(&more); {
	case err == nil:
		d.add(more.Line, "a second document: want one")
		return nil
	case !errors.Is(err, io.EOF):
		d.syntax(err)
		return nil
	}
	if !d.plain(&doc, 0) {
		return nil
	}
	return doc.Content[0]
}

// tooDeep returns the line at which more brackets are open than any file needs, strings and comments counted as if they
// were not; 0 is nowhere. The parser's time grows with the square of the depth.
func tooDeep(data []byte) int {
	line, depth := 1, 0
	for _, c := range data {
		switch c {
		case '\n':
			line++
		case '[', '{':
			if depth++; depth > maxDepth {
				return line
			}
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return 0
}

// offByOne are the messages of which the library counts lines from 0; it names no line of the first one.
var offByOne = regexp.MustCompile(`^did not find expected (node|',' or|key|'-'|<)`)

// syntax adds what the parser says, which names the line in words: "yaml: line 3: did not find …".
func (d *document) syntax(err error) {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if n, _ := fmt.Sscanf(text, "line %d:", &line); n == 1 {
		_, text, _ = strings.Cut(text, ": ")
	}
	if line == 0 || offByOne.MatchString(text) {
		line++
	}
	d.add(line, "this is not YAML: %s", strings.ReplaceAll(text, "\n", " "))
}

// plain says whether a document has neither anchors nor aliases nor tags of its own: a few lines of aliases stand for
// gigabytes. It also bounds how deep a document of indented lists is.
func (d *document) plain(n *yaml.Node, depth int) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.add(n.Line, "an anchor or alias (& or *): write it out, or put it in quotes where it is text")
		return false
	case n.Style&yaml.TaggedStyle != 0:
		d.add(n.Line, "a tag %s: want plain YAML", short(n.Tag))
		return false
	case depth > maxDepth:
		d.add(n.Line, "lists and maps lie more than %d deep in one another", maxDepth)
		return false
	}
	for _, c := range n.Content {
		if !d.plain(c, depth+1) {
			return false
		}
	}
	return true
}
