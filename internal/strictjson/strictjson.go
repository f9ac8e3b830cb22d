// Package strictjson refuses JSON that different readers understand differently. encoding/json takes an object in which
// a key stands twice: of two texts the last counts, two objects are mixed. What is checked as one thing could then be
// used as another.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Errors of Check. Their texts have nothing of the document.
var (
	ErrNoJSON = errors.New("not JSON")
	ErrTwice  = errors.New("a key stands twice in an object")
	ErrMore   = errors.New("something follows the document")
)

// level is an object or a list that is open.
type level struct {
	object bool
	key    bool // the next token of an object is a key
	keys   map[string]struct{}
}

// Check says what is wrong with a document: it is no JSON, or more than one; an object has a key twice, at any depth; or
// objects and lists stand in each other deeper than maxDepth, which is at least 1. Keys are compared as they are read,
// escapes undone. It does not say that two keys differ in their capitals alone.
func Check(doc []byte, maxDepth int) error {
	var stack []level
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	for first := true; first || len(stack) > 0; first = false {
		t, err := d.Token()
		if err != nil {
			return ErrNoJSON
		}
		var top *level
		if len(stack) > 0 {
			top = &stack[len(stack)-1]
		}
		switch delim, _ := t.(json.Delim); {
		case delim == '}' || delim == ']':
			stack = stack[:len(stack)-1]
			continue
		case top != nil && top.object && top.key:
			if !top.add(t) {
				return ErrTwice
			}
			continue
		}
		if top != nil {
			top.key = true // after this value
		}
		if delim, ok := t.(json.Delim); ok {
			if len(stack) == maxDepth {
				return fmt.Errorf("deeper than %d levels", maxDepth)
			}
			stack = append(stack, level{object: delim == '{', key: delim == '{'})
		}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return ErrMore
	}
	return nil
}

// add notes a key, and says whether it is the first of its name.
func (l *level) add(t json.Token) bool {
	key, _ := t.(string)
	if _, twice := l.keys[key]; twice {
		return false
	}
	if l.keys == nil {
		l.keys = map[string]struct{}{}
	}
	l.keys[key] = struct{}{}
	l.key = false
	return true
}
