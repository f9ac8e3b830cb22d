package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"unicode/utf8"
)

// Bounds of what a client sends.
const (
	// MaxMessage bounds a client's message, in bytes.
	MaxMessage = 8 << 10
	// maxDepth bounds how deep objects and lists stand in each other, the message itself included.
	maxDepth = 16
)

// request is a client's message.
type request struct {
	N    uint32          `json:"n"` // names the answer; 0 is none
	Do   string          `json:"do"`
	Body json.RawMessage `json:"body"`
}

var requestName = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,47}$`)

var requestFields = []string{"n", "do", "body"}

// parse reads a client's message. The error's text has nothing of the message.
func parse(msg []byte) (q request, err error) {
	if len(msg) > MaxMessage || !utf8.Valid(msg) {
		return q, errors.New("not UTF-8, or too long")
	}
	if err := check(msg); err != nil {
		return q, err
	}
	if err := json.Unmarshal(msg, &q); err != nil {
		return request{}, errors.New("the fields are n, a number, do, a text, and body")
	}
	if !requestName.MatchString(q.Do) {
		return request{}, errors.New("do names no request")
	}
	return q, nil
}

// check looks through a message for what encoding/json would take and no client of ours sends: keys that stand twice in
// an object, fields of the message in other letters, and what is nested too deeply.
func check(msg []byte) error {
	type level struct {
		object bool
		key    bool // the next token of an object is a key
		keys   []string
	}
	var stack []level
	d := json.NewDecoder(bytes.NewReader(msg))
	d.UseNumber()
	for first := true; first || len(stack) > 0; first = false {
		t, err := d.Token()
		if err != nil {
			return errors.New("not JSON")
		}
		var top *level
		if len(stack) > 0 {
			top = &stack[len(stack)-1]
		}
		if first && t != json.Delim('{') {
			return errors.New("not an object")
		}
		switch delim, _ := t.(json.Delim); {
		case delim == '}' || delim == ']':
			stack = stack[:len(stack)-1]
			continue
		case top != nil && top.object && top.key:
			key, _ := t.(string)
			if slices.Contains(top.keys, key) {
				return errors.New("a key stands twice in an object")
			}
			if len(stack) == 1 && !slices.Contains(requestFields, key) {
				return fmt.Errorf("the fields are %v", requestFields)
			}
			top.keys, top.key = append(top.keys, key), false
			continue
		case delim == '{' || delim == '[':
			if len(stack) == maxDepth {
				return fmt.Errorf("deeper than %d levels", maxDepth)
			}
			if top != nil {
				top.key = true // after this value
			}
			stack = append(stack, level{object: delim == '{', key: delim == '{'})
			continue
		}
		if top != nil {
			top.key = true
		}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the message")
	}
	return nil
}
